"""The line of a terminal that shows what goes on at the moment, and moves while it does."""

from dataclasses import dataclass
from typing import TextIO

from scenario.events.screen_lines import Line, Piece
from scenario.events.screen_text import text_of_one, width_of

DELAY = 0.15
"""Seconds after which it appears: what is over sooner would only flicker."""

FRAME = 0.1
"""Seconds from one picture to the next."""

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_SPINNER = "|/-\\"
_WORTH_COUNTING = 3.0

# The cursor stays where it is, on the line that others may write to next, and the status stands below it. So whatever
# is printed by others stays whole, and all there is to take away is what lies behind the cursor.
_TAKEN_AWAY = "\x1b[J"
_MAKE_ROOM_BELOW = "\x1bD\x1b[A"
_BELOW = "\x1b7\x1b[B\r"
_BACK = "\x1b8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What to show.

    Attributes:
        line: What goes on.
        is_timed: Whether to tell for how many seconds.
    """

    line: Line
    is_timed: bool = False


class StatusLine:
    """What goes on at the moment, below the cursor of a terminal. One thread at a time may use it.

    Attributes:
        stream: The terminal it is on; None while it is not to be seen.
    """

    def __init__(self) -> None:
        self.stream: TextIO | None = None
        self._status: Status | None = None
        self._began = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything to show."""
        return self._status is not None

    def set(self, status: Status | None, now: float) -> None:
        """Say what goes on from `now` on, in seconds of any clock; None for nothing."""
        if self._status is None:
            self._began = now
        self._status = status

    def seconds_to_appear(self, now: float) -> float:
        """Return the seconds until it may be seen."""
        return self._began + DELAY - now

    def taken_away(self) -> str:
        """Return the text that takes it away from its terminal, and note that it is gone."""
        if self.stream is None:
            return ""
        self.stream = None
        return _TAKEN_AWAY

    def drawn(self, stream: TextIO, now: float) -> str:
        """Return the text that shows it on `stream` in place of an older picture, and note that it is there."""
        if self._status is None:
            return ""
        self.stream = stream
        spinner = _SPINNER if _can_write(stream, _SPINNER) else _ASCII_SPINNER
        picture = round((now - self._began - DELAY) / FRAME) % len(spinner)
        running = now - self._began
        counted = f" {running:.0f} s" if self._status.is_timed and running >= _WORTH_COUNTING else ""
        moving = Piece(f" {spinner[picture]}{counted}")
        # A cell stays free: some terminals begin a new row as soon as the last cell is taken.
        text = text_of_one((*self._status.line, moving), stream, width_of(stream) - 1)
        return f"{_TAKEN_AWAY}{_MAKE_ROOM_BELOW}{_BELOW}{text}{_BACK}"


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (LookupError, UnicodeError):
        return False
    return True
