"""Criteria as rules: what must, or must not, be said, match a pattern, or be called."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias, TypeGuard

from scenario.llm.offline.transcript_reading import CalledTool, Happening, Said

# How much of a message a regular expression is given at once; some take the square of it.
_WINDOW = 10_000
_OVERLAP = 2_000
_QUOTE_WIDTH = 160
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    }
)

Speaker: TypeAlias = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaysRule:
    """Words are said.

    Attributes:
        speaker: Who says them.
        texts: The words.
        all_of: Whether all of them are meant, not just any.
        forbidden: Whether it must not happen.
    """

    speaker: Speaker
    texts: Sequence[str]
    all_of: bool = False
    forbidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchesRule:
    """A message matches a regular expression.

    Attributes:
        speaker: Whose message.
        pattern: The expression.
        forbidden: Whether it must not happen.
    """

    speaker: Speaker
    pattern: re.Pattern[str]
    forbidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsRule:
    """A tool is called.

    Attributes:
        tool: Name of the tool, or None for any.
        values: Arguments the call has, by name.
        texts: Words its arguments contain.
        forbidden: Whether it must not happen.
    """

    tool: str | None
    values: Mapping[str, Any]
    texts: Sequence[str]
    forbidden: bool = False


Rule: TypeAlias = SaysRule | MatchesRule | CallsRule


def evidence_for(rule: Rule, happenings: Sequence[Happening]) -> list[str] | None:
    """Return quotes that show what the rule speaks of, or None if it has not happened."""
    match rule:
        case SaysRule():
            return _said(rule, [_plain(text) for text in _texts_of(rule.speaker, happenings)])
        case MatchesRule():
            quotes = (_matched(rule.pattern, text) for text in _texts_of(rule.speaker, happenings))
            return next(([quote] for quote in quotes if quote is not None), None)
        case CallsRule():
            calls = (happening for happening in happenings if isinstance(happening, CalledTool))
            return next(([call.line] for call in calls if _is_meant(call, rule)), None)


def _texts_of(speaker: Speaker, happenings: Sequence[Happening]) -> Iterator[str]:
    return (said.text for said in happenings if isinstance(said, Said) and said.role == speaker)


def _said(rule: SaysRule, texts: Sequence[str]) -> list[str] | None:
    quotes: list[str] = []
    for words in rule.texts:
        pattern = _words_pattern(_plain(words))
        found = next(((text, match) for text in texts if (match := pattern.search(text))), None)
        if found is not None:
            quotes.append(_quote(found[0], found[1].start(), found[1].end()))
        elif rule.all_of:
            return None
    return quotes or None


def _plain(text: str) -> str:
    """Return text with its white space, quotation marks, dashes and letter forms made uniform."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    return " ".join(text.split())


@lru_cache(maxsize=1024)
def _words_pattern(words: str) -> re.Pattern[str]:
    before = r"(?<![^\W_])" if _is_spaced(words[:1]) else ""
    after = r"(?![^\W_])" if _is_spaced(words[-1:]) else ""
    return re.compile(before + re.escape(words) + after, re.IGNORECASE)


def _is_spaced(letter: str) -> bool:
    # Scripts from Thai on (Thai, Chinese, Japanese, ...) write words without spaces between them.
    return letter.isalnum() and letter < "\u0e00"


def _matched(pattern: re.Pattern[str], text: str) -> str | None:
    for start in range(0, max(len(text), 1), _WINDOW):
        end = start + _WINDOW + _OVERLAP
        found = pattern.search(text, start, end)
        # The end of a window is not the end of the text, although the expression takes it for that.
        if found and (found.end() < end or end >= len(text)):
            return _quote(text, found.start(), found.end())
    return None


def _quote(text: str, start: int, end: int) -> str:
    """Return the line around a find, cut to a readable width."""
    first = max(text.rfind("\n", 0, start) + 1, end - _QUOTE_WIDTH, 0)
    line_end = text.find("\n", end)
    last = min(len(text) if line_end < 0 else line_end, max(first + _QUOTE_WIDTH, end))
    return text[min(first, start) : last][: 2 * _QUOTE_WIDTH].strip()


def _is_meant(call: CalledTool, rule: CallsRule) -> bool:
    if rule.tool is not None and call.name.casefold() != rule.tool.casefold():
        return False
    shown = _plain(
        call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, ensure_ascii=False)
    )
    given = call.arguments if _is_object(call.arguments) else {}
    has_values = all(name in given and _is_same(value, given[name]) for name, value in rule.values.items())
    return has_values and all(_words_pattern(_plain(words)).search(shown) for words in rule.texts)


def _is_same(wanted: Any, given: Any) -> bool:
    if _is_object(wanted) and _is_object(given):
        return all(name in given and _is_same(value, given[name]) for name, value in wanted.items())
    return wanted == given or _shown(wanted) == _shown(given)


def _shown(value: Any) -> str:
    return _plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).casefold()


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
