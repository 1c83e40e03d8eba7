"""Writes lines to the terminal, or to whatever stands in for it."""

import sys
from collections.abc import Sequence
from typing import TextIO

from scenario.events.screen import screen
from scenario.events.screen_lines import Line
from scenario.events.screen_text import text_of
from scenario.events.status_line import Status


class Terminal:
    """Writes to what `sys.stdout` is at that moment: in colour on a terminal, else as plain text.

    `NO_COLOR` and `TERM=dumb` mean plain text too. A stream that cannot be written to any more, because its reader
    or its terminal has gone, gets nothing further, which is logged once.
    """

    @property
    def is_lost(self) -> bool:
        """Whether standard output could not be written to."""
        stream = standard_output()
        return stream is not None and screen().is_lost(stream)

    def write(self, lines: Sequence[Line]) -> None:
        """Write whole lines, all of them together."""
        if (stream := standard_output()) is not None:
            screen().write(stream, text_of(lines, stream))

    def show(self, status: Status | None) -> None:
        """Show what goes on from now on, below all lines; None takes it away. Only a terminal shows it."""
        screen().show(status, standard_output())


def standard_output() -> TextIO | None:
    """Return standard output; None in a program that has none, as those without a console."""
    return sys.stdout
