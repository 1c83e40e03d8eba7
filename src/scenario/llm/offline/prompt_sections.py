"""Reads the sections of a prompt: what stands between a line `<name>` and a line `</name>`."""

import re
from functools import lru_cache

_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")


def section(prompt: str, name: str) -> str | None:
    r"""Return the last section of that name, or None if there is none.

    Brackets inside sections are written `\u003c` and the like; they are given back as what they stand for.
    """
    found = _pattern(name).findall(prompt)
    return _ESCAPES.sub(_meant, found[-1]) if found else None


def raw_section(prompt: str, name: str) -> str | None:
    """Return the first section of that name as it stands, or None if there is none."""
    found = _pattern(name).search(prompt)
    return found[1] if found else None


@lru_cache(maxsize=16)
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"^<{name}>\n(.*?)\n?^</{name}>$", re.MULTILINE | re.DOTALL)


def _meant(escapes: re.Match[str]) -> str:
    units = bytes.fromhex(escapes[0].replace("\\u", ""))
    return units.decode("utf-16-be", "replace")
