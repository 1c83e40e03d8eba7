"""Criteria: what a judge judges by, and the keys that verdicts on them are matched by."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from scenario.errors import ConfigurationError

# Anthropic refuses property keys of more than 64 characters.
_KEY_LENGTH = 64
_NOT_OF_A_KEY = re.compile(r"[^a-zA-Z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One criterion of a judgment.

    Attributes:
        number: Its position, counted from 1.
        key: What the verdict on it is matched by, unique within the judgment.
        text: The criterion as declared.
    """

    number: int
    key: str
    text: str


Criteria = tuple[Criterion, ...]


def checked_criteria(criteria: Any) -> list[str]:
    """Return criteria as a new list.

    Raises:
        ConfigurationError: If they are not a list of texts, or one is empty or there twice.
    """
    if criteria is None:
        return []
    if isinstance(criteria, str) or not isinstance(criteria, Sequence):
        raise ConfigurationError(
            f"criteria are a list of texts, not {_shortened(criteria)}", 'write criteria=["The agent …"]'
        )
    seen: dict[str, int] = {}
    for number, text in enumerate(cast("Sequence[Any]", criteria), 1):
        if not isinstance(text, str):
            raise ConfigurationError(
                f"criterion {number} is not text but {_shortened(text)}", "give each criterion as one string"
            )
        same = " ".join(text.split())
        if not same:
            raise ConfigurationError(f"criterion {number} is empty", "say what the agent must do, or leave it out")
        if same in seen:
            raise ConfigurationError(
                f"criteria {seen[same]} and {number} are the same: {_shortened(text)}", "leave one of them out"
            )
        seen[same] = number
    return list(cast("Sequence[str]", criteria))


def keyed_criteria(criteria: Sequence[str]) -> Criteria:
    """Give each criterion its number and its key.

    Raises:
        ConfigurationError: As `checked_criteria` does.
    """
    return _keyed(tuple(checked_criteria(criteria)))


@lru_cache(maxsize=64)
def _keyed(texts: tuple[str, ...]) -> Criteria:
    plain = [_plain_key(text) for text in texts]
    occurrences = Counter(plain)
    taken = {key for key in plain if key and occurrences[key] == 1}
    keyed: list[Criterion] = []
    for number, (text, key) in enumerate(zip(texts, plain, strict=True), 1):
        if key not in taken or occurrences[key] > 1:
            key = _free_key(key or "criterion", number, taken)
            taken.add(key)
        keyed.append(Criterion(number=number, key=key, text=text))
    return tuple(keyed)


def _plain_key(text: str) -> str:
    words = text.lower().replace(" ", "_").replace("'", "")
    return _NOT_OF_A_KEY.sub("_", words)[:_KEY_LENGTH]


def _free_key(key: str, number: int, taken: set[str]) -> str:
    suffix = f"_{number}"
    while True:
        candidate = key[: _KEY_LENGTH - len(suffix)] + suffix
        if candidate not in taken:
            return candidate
        suffix = "_" + suffix


def _shortened(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 100 else f"{shown[:99]}…"
