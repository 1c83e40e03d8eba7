"""Lines of a display: pieces of text that each have a style."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scenario.events.visible_text import visible, visible_line

Style: TypeAlias = Literal["", "user", "agent", "tool", "other", "scenario", "passed", "failed", "undecided", "quiet"]

INDENT = "    "


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a line.

    Attributes:
        text: One line of text, without control characters.
        style: What it is, which decides its colour.
    """

    text: str
    style: Style = ""


Line: TypeAlias = tuple[Piece, ...]
"""A line of a display, from left to right."""


def line(*pieces: Piece | str) -> Line:
    """Return a line; text from elsewhere in it is made safe to show."""
    return tuple(
        Piece(visible_line(piece.text), piece.style) if isinstance(piece, Piece) else Piece(visible_line(piece))
        for piece in pieces
    )


def block(head: Piece, text: str, indent: str = "") -> list[Line]:
    """Return `head` followed by `text`, all indented by `indent`.

    Further lines of the text are indented once more, so that none of them can pass for a head.
    """
    first, *others = visible(text).split("\n")
    return [
        line(indent, head, f" {first}" if first else ""),
        *(line(indent + INDENT + other) for other in others),
    ]


def indented(lines: Sequence[str], limit: int) -> list[Line]:
    """Return the first `limit` lines, indented, and an ellipsis if there are more."""
    shown = [*lines[:limit], "..."] if len(lines) > limit else lines
    return [line(INDENT + each) for each in shown]
