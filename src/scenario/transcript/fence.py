"""Keeps text that others wrote inside its place in a prompt.

Whoever writes the prompt marks a section with a pair of tags; what is inside must not be able to close the section,
to begin a line of its own, or to look like the prompt's author. `quoted` gives such text as JSON on one line, in
which everything that could pass for a bracket or cannot be seen is an escape; `fenced` puts text between tags.
"""

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from unicodedata import category, normalize

_BRACKETS = frozenset("<>")
# A prompt that is normalised on its way must not gain a bracket, nor a quotation mark that ends a JSON string.
_DELIMITERS = frozenset('<>"\\')
# Characters that a reader takes for < or > although no normalisation turns them into one: arrowheads, letters and
# runes of that shape, single angle quotation marks, angle brackets, and signs of order. Doubled angle quotation marks
# are left alone: they are ordinary quotation marks in many languages.
_LOOK_ALIKES = frozenset(
    "\u02c2\u02c3\u1433\u1438\u16b2\u2039\u203a\u226a\u226b\u227a\u227b\u22d6\u22d7\u2329\u232a"
    "\u276c\u276d\u276e\u276f\u2770\u2771\u27e8\u27e9\u2989\u298a\u2991\u2992\u29fc\u29fd"
    "\u2aa1\u2aa2\u2aaa\u2aab\u2abb\u2abc\u3008\u3009\U00016f3f\U0001d236\U0001d237"
)
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"})
# Invisible although their category says letter or mark: fillers, joiners and variation selectors.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | frozenset(
    map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)
_BARE_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}")
# Beyond this many different characters, one pass with a table beats one pass per character.
_FEW = 8

_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


def fenced(tag: str, text: str) -> str:
    r"""Put text between `<tag>` and `</tag>`, each on a line of its own.

    Angle brackets in the text, and whatever looks like one, become `\uXXXX`, so that nothing inside closes the
    section or opens another. Line breaks stay: text that others wrote goes through `quoted` first.
    """
    return f"<{tag}>\n{_escaped(text, _bracket_escape)}\n</{tag}>"


def quoted(value: Any) -> str:
    r"""Return a value as JSON on one line, fit to stand in a prompt whoever wrote it.

    Non-ASCII text stays readable. Brackets, what looks like one, and characters that cannot be seen are `\uXXXX`
    escapes inside JSON strings, so that decoding gives the value back exactly.

    Args:
        value: What JSON can hold; `scenario.transcript.without_media` makes that of anything.
    """
    return _escaped(_encode(value), _escape)


def bare_or_quoted(word: str) -> str:
    """Return an identifier as it is where it is a plain one, and quoted where it is anything else."""
    return word if _BARE_WORD.fullmatch(word) else quoted(word)


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    if text.isascii():
        text = text.replace("<", r"\u003c").replace(">", r"\u003e")
        return text.replace("\x7f", r"\u007f") if escape is _escape else text
    table = {character: code for character in set(text) if (code := escape(character))}
    if len(table) > _FEW:
        return text.translate(str.maketrans(table))
    for character, code in table.items():
        text = text.replace(character, code)
    return text


@lru_cache(maxsize=16_384)
def _escape(character: str) -> str:
    """Return the JSON escape of a character that must not be shown, "" for any other."""
    if character in "\x7f<>":
        return _as_code(character)
    if character.isascii():
        return ""
    harmful = (
        category(character) in _UNSEEN_CATEGORIES
        or character in _UNSEEN
        or character in _LOOK_ALIKES
        or not _DELIMITERS.isdisjoint(normalize("NFKD", character))
    )
    return _as_code(character) if harmful else ""


@lru_cache(maxsize=16_384)
def _bracket_escape(character: str) -> str:
    """Return the JSON escape of what is or looks like an angle bracket, or cannot be sent; "" for any other."""
    harmful = (
        character in _LOOK_ALIKES
        or category(character) == "Cs"
        or not _BRACKETS.isdisjoint(normalize("NFKD", character))
    )
    return _as_code(character) if harmful else ""


def _as_code(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
