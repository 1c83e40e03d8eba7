"""Lines of a display as text for a stream: in colour on a terminal, else plain."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from scenario.events.screen_lines import Line, Style
from scenario.events.table import cells_of
from scenario.events.visible_text import encodable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_COLOURS: Mapping[Style, str] = {
    "": "",
    "user": "green",
    "agent": "blue",
    "tool": "magenta",
    "other": "cyan",
    "scenario": "yellow",
    "passed": "bold green",
    "failed": "bold red",
    "undecided": "bold yellow",
    "quiet": "dim",
}
_TO_ASCII = str.maketrans({"✓": "+", "✗": "x", "·": "-"})
_NO = frozenset({"", "0", "false", "no"})
_WIDTH = 80


def text_of(lines: Sequence[Line], stream: TextIO) -> str:
    """Return lines as text for `stream`, each with a line feed at its end."""
    encoding = getattr(stream, "encoding", None)
    if not has_colours(stream):
        return "".join(_fitted("".join(piece.text for piece in line), encoding) + "\n" for line in lines)
    from rich.text import Text

    text = Text()
    for line in lines:
        _append(text, line, encoding)
        text.append("\n")
    return _painted(text)


def text_of_one(line: Line, stream: TextIO, width: int | None = None) -> str:
    """Return a line as text for `stream`, without a line feed.

    Args:
        line: The line.
        stream: Where the text goes.
        width: Cells it may take; what does not fit is cut off.
    """
    from rich.text import Text

    text = Text()
    _append(text, line, getattr(stream, "encoding", None))
    if width is not None:
        text.truncate(width, overflow="crop")
    return _painted(text) if has_colours(stream) else text.plain


def rows_of(text: str, width: int) -> int:
    """Return how many rows a terminal of `width` cells takes to show a line of text, 1 or more."""
    return max(1, -(-cells_of(text.expandtabs()) // max(1, width)))


def has_colours(stream: TextIO) -> bool:
    """Tell whether `stream` is a terminal that may be written to in colour."""
    return _is_terminal(stream) and not os.environ.get("NO_COLOR")


def can_be_erased(stream: TextIO) -> bool:
    """Tell whether `stream` is a terminal from which text may be taken away again."""
    # The old console of Windows shows the codes for that instead of obeying them.
    obeys = sys.platform != "win32" or "WT_SESSION" in os.environ
    return obeys and _is_terminal(stream) and not is_in_ci()


def is_in_ci() -> bool:
    """Tell whether this process runs in continuous integration, where nobody watches."""
    return os.environ.get("CI", "").strip().lower() not in _NO


def width_of(stream: TextIO) -> int:
    """Return how many cells a row of the terminal `stream` has at the moment."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH
    except (OSError, ValueError):
        return _WIDTH


def is_interactive(stream: TextIO) -> bool:
    """Tell whether a person sits at the other end of `stream`."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False  # what stands in for a stream may know nothing of it, and a closed one refuses to tell


def _is_terminal(stream: TextIO) -> bool:
    return is_interactive(stream) and os.environ.get("TERM") != "dumb"


def _append(text: "Text", line: Line, encoding: str | None) -> None:
    for piece in line:
        text.append(_fitted(piece.text, encoding), _COLOURS[piece.style])


def _painted(text: "Text") -> str:
    painter = _painter()
    with painter.capture() as painted:
        painter.print(text, soft_wrap=True, end="")
    return painted.get()


@cache
def _painter() -> "Console":
    from rich.console import Console

    # It writes nothing itself: at a broken pipe it would end the process.
    return Console(file=StringIO(), force_terminal=True, color_system="standard", highlight=False, legacy_windows=False)


def _fitted(text: str, encoding: str | None) -> str:
    if text.isascii() or not encoding:
        return text
    fitted = encodable(text, encoding)
    return fitted if fitted == text else encodable(text.translate(_TO_ASCII), encoding)
