"""Writes lines to the terminal, or to whatever stands in for it."""

import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from scenario.events.screen_lines import Line, Style
from scenario.events.visible_text import encodable

if TYPE_CHECKING:
    from rich.console import Console

_log = logging.getLogger(__name__)

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
_ASCII = {"✓": "+", "✗": "x", "·": "-"}

# By process: a lock that was held when the process forked would stay locked in the child for good.
_locks: dict[int, threading.Lock] = {}


class Terminal:
    """Writes to what `sys.stdout` is at that moment: in colour on a terminal, else as plain text.

    `NO_COLOR` and `TERM=dumb` mean plain text too. A stream that cannot be written to any more, because its reader
    or its terminal has gone, gets nothing further, which is logged once.
    """

    def __init__(self) -> None:
        self._gone: TextIO | None = None
        self._painter: Console | None = None

    def write(self, lines: Sequence[Line]) -> None:
        """Write whole lines, all of them together."""
        stream: TextIO | None = sys.stdout
        # Programs without a console have no standard output.
        if stream is None or stream is self._gone:  # pyright: ignore[reportUnnecessaryComparison]
            return
        try:
            text = self._rendered(lines, stream)
            with _locks.setdefault(os.getpid(), threading.Lock()):
                stream.write(text)
                stream.flush()
        except (OSError, ValueError) as error:
            self._gone = stream
            _log.warning(
                "nothing more is shown: standard output cannot be written to (%s)", error or type(error).__name__
            )

    def _rendered(self, lines: Sequence[Line], stream: TextIO) -> str:
        encoding = getattr(stream, "encoding", None)
        if _takes_colours(stream):
            return self._painted(lines, encoding)
        return "".join(_fitted("".join(piece.text for piece in line), encoding) + "\n" for line in lines)

    def _painted(self, lines: Sequence[Line], encoding: str | None) -> str:
        from rich.console import Console
        from rich.text import Text

        if self._painter is None:
            # It writes nothing itself: at a broken pipe it would end the process.
            self._painter = Console(file=StringIO(), force_terminal=True, highlight=False, legacy_windows=False)
        text = Text()
        for line in lines:
            for piece in line:
                text.append(_fitted(piece.text, encoding), _COLOURS[piece.style])
            text.append("\n")
        with self._painter.capture() as painted:
            self._painter.print(text, soft_wrap=True, end="")
        return painted.get()


def takes_colours() -> bool:
    """Tell whether standard output is a terminal that may be written to in colour."""
    try:
        return sys.stdout is not None and _takes_colours(sys.stdout)  # pyright: ignore[reportUnnecessaryComparison]
    except ValueError:
        return False  # closed


def _takes_colours(stream: TextIO) -> bool:
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _fitted(text: str, encoding: str | None) -> str:
    if text.isascii() or not encoding:
        return text
    fitted = encodable(text, encoding)
    return fitted if fitted == text else encodable(text.translate(_TO_ASCII), encoding)


_TO_ASCII = str.maketrans(_ASCII)
