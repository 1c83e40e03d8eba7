"""Text from elsewhere, made fit to be shown on a terminal."""

import re

# What a terminal, or the reader's eye, would obey instead of showing: C0 and C1 controls but for tab and line feed,
# marks and overrides of writing direction, line separators that are no line feed, and the invisible tag characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f\ud800-\udfff]"
)
_LINE_BREAKS = re.compile(r"\r\n?|\n")


def visible(text: str) -> str:
    r"""Return `text` with everything that is not meant to be seen written out, an escape character as `\x1b`.

    Line feeds and tabs stay; `\r\n` becomes a line feed.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(_written_out, text.replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    """Return `text` as one line that can be shown; line breaks become spaces."""
    return visible(_LINE_BREAKS.sub(" ", text))


def encodable(text: str, encoding: str) -> str:
    r"""Return `text` with what `encoding` cannot write replaced by its escape, such as `\u2713`.

    An unknown encoding is taken for ASCII.
    """
    try:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except (LookupError, UnicodeError):
        return text.encode("ascii", "backslashreplace").decode("ascii")


def shortened(text: str, limit: int) -> str:
    """Return `text` cut to `limit` characters, with a note of how many there were."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} ... ({len(text):,} characters in all)"


def _written_out(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
