"""Programs in a terminal that is none: what they write is drawn by a terminal emulator, what is typed is for them."""

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import pyte

_LEFT_OUT = {"NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM", "CI", "LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8"}
_PRELUDE = """
import asyncio, fcntl, os, sys, termios
if os.isatty(0):
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C is meant for this program
import scenario

async def until_let_through():
    await asyncio.to_thread(os.read, int(os.environ["GATE"]), 1)

class Gated(scenario.AgentAdapter):
    "Answers when the test lets it."
    async def call(self, input):
        await until_let_through()
        return "Hello."

class Echo(scenario.AgentAdapter):
    async def call(self, input):
        return "You said: " + input.last_new_user_message_str()
"""


class PseudoTerminal:
    """A terminal with a program in it."""

    def __init__(
        self, program: str, *, columns: int = 80, rows: int = 24, environment: Mapping[str, str] | None = None
    ) -> None:
        import pty

        self.raw = b""
        self._screen = pyte.HistoryScreen(columns, rows, history=1000)
        self._stream = pyte.ByteStream(self._screen)
        self._ours, theirs = pty.openpty()
        self._set_size(columns, rows)
        gate, self._gate = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _PRELUDE + program],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            pass_fds=[gate],
            env={
                **{name: value for name, value in os.environ.items() if name not in _LEFT_OUT},
                "TERM": "xterm-256color",
                "PYTHONUTF8": "1",
                "GATE": str(gate),
                **(environment or {}),
            },
        )
        os.close(theirs)
        os.close(gate)

    @property
    def display(self) -> list[str]:
        """What is to be seen, row by row, down to the last row that is not empty."""
        return _without_empty_end([row.rstrip() for row in self._screen.display])

    @property
    def lines(self) -> list[str]:
        """What is to be seen when one scrolls up as well."""
        above = [
            "".join(row[column].data for column in range(self._screen.columns)) for row in self._screen.history.top
        ]
        return _without_empty_end([row.rstrip() for row in [*above, *self._screen.display]])

    def colour_of(self, text: str) -> str:
        """Return the colour of the first letter of `text`, where it is seen first."""
        for number, row in enumerate(self._screen.display):
            if text in row:
                return self._screen.buffer[number][row.index(text)].fg
        raise AssertionError(f"{text!r} is not on the screen: {self.display}")

    def wait_for(self, text: str, *, seconds: float = 20) -> None:
        """Wait until `text` is on the screen."""
        end = time.monotonic() + seconds
        while not any(text in row for row in self._screen.display):
            if not self._pump(end - time.monotonic()):
                raise AssertionError(f"{text!r} has not been shown: {self.display}")

    def wait_for_more(self, *, seconds: float = 20) -> None:
        """Wait until something more is written."""
        assert self._pump(seconds), "nothing more was written"

    def press(self, text: str) -> None:
        """Type on the keyboard; a line feed is the Enter key."""
        os.write(self._ours, text.encode())

    def let_through(self) -> None:
        """Let an agent that waits for it answer."""
        os.write(self._gate, b"!")

    def resize(self, columns: int, rows: int) -> None:
        """Change the size."""
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def vanish(self) -> None:
        """Close the terminal while the program goes on."""
        os.close(self._ours)
        self._ours = -1

    def finish(self, *, seconds: float = 20) -> int:
        """Wait until the program ends, and return its exit code."""
        end = time.monotonic() + seconds
        while self._ours >= 0 and self._pump(end - time.monotonic()):
            continue
        return self._process.wait(max(0.1, end - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._gate)
        if self._ours >= 0:
            os.close(self._ours)

    def _pump(self, seconds: float) -> bool:
        """Draw what is written next; tell whether anything was."""
        ready, _, _ = select.select([self._ours], [], [], max(0.0, seconds))
        if not ready:
            return False
        # On Linux, reading fails when nobody has the other end open any more.
        with contextlib.suppress(OSError):
            written = os.read(self._ours, 65536)
            self.raw += written
            self._stream.feed(written)
            return bool(written)
        return False

    def _set_size(self, columns: int, rows: int) -> None:
        import fcntl
        import struct
        import termios

        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _without_empty_end(rows: Sequence[str]) -> list[str]:
    rows = list(rows)
    while rows and not rows[-1]:
        rows.pop()
    return rows
