"""What this process writes to its terminal, one thing at a time."""

import logging
import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO, TypeAlias

from scenario.events.screen_text import can_be_erased
from scenario.events.status_line import FRAME, Status, StatusLine

_log = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0

Write: TypeAlias = Callable[[TextIO, str], None]
"""Writes a text to a stream."""


class Screen:
    """Writes whole texts, shows below them what goes on at the moment, and makes room for a question to a person.

    There is one in a process. A stream that cannot be written to any more, because its reader or its terminal has gone,
    gets nothing further, which is logged once.
    """

    def __init__(self) -> None:
        # Guards everything here. It is held while the terminal takes its text, so that texts don't mix.
        self._changed = threading.Condition()
        self._status = StatusLine()
        self._status_stream: TextIO | None = None
        self._animation: threading.Thread | None = None
        self._is_idle = False
        self._kept_back: list[tuple[TextIO, str]] | None = None
        self._gone: TextIO | None = None

    def write(self, stream: TextIO, text: str) -> None:
        """Write a text to `stream`; while a person is being asked something, it is kept until they have answered."""
        with self._changed:
            if self._kept_back is not None:
                self._kept_back.append((stream, text))
            else:
                self._put(stream, text)

    def show(self, status: Status | None, stream: TextIO | None) -> None:
        """Show on `stream`, below everything else, what goes on from now on; None takes it away.

        Nothing is shown where it could not be taken away again.
        """
        with self._changed:
            if status is None or stream is None or not can_be_erased(stream):
                self._status.set(None, 0.0)
                self._take_away()
                return
            self._status.set(status, time.monotonic())
            self._status_stream = stream
            self._set_going()

    def is_lost(self, stream: TextIO) -> bool:
        """Tell whether `stream` could not be written to."""
        return stream is self._gone

    @contextmanager
    def for_a_question(self) -> Generator[Write]:
        """Keep everything else away while a person is asked something; give what writes the question."""
        with self._changed:
            self._take_away()
            self._kept_back = []
        try:
            yield self._put_now
        finally:
            self.go_on()

    def go_on(self) -> None:
        """Write what was kept while a person was asked. Nobody is asked any more, or whoever asks is stuck."""
        with self._changed:
            kept_back, self._kept_back = self._kept_back, None
            for stream, text in kept_back or ():
                self._put(stream, text)
            self._set_going()

    @property
    def _is_moving(self) -> bool:
        return self._status.is_wanted and self._kept_back is None and self._status_stream is not self._gone

    def _put_now(self, stream: TextIO, text: str) -> None:
        with self._changed:
            self._put(stream, text)

    def _put(self, stream: TextIO, text: str) -> None:
        if self._status.stream is stream:
            text = self._status.taken_away() + text + self._status.drawn(stream, time.monotonic())
        else:
            self._take_away()
        self._send(stream, text)

    def _take_away(self) -> None:
        if (stream := self._status.stream) is not None:
            self._send(stream, self._status.taken_away())

    def _send(self, stream: TextIO, text: str) -> None:
        if stream is self._gone:
            return
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError) as error:
            self._gone = stream
            _log.warning(
                "nothing more is shown: standard output cannot be written to (%s)", error or type(error).__name__
            )

    def _set_going(self) -> None:
        if not self._is_moving:
            return
        if self._animation is None:
            self._animation = threading.Thread(target=self._animate, name="scenario-status", daemon=True)
            self._animation.start()
        elif self._is_idle:
            self._changed.notify_all()

    def _animate(self) -> None:
        with self._changed:
            while self._waits_to_move():
                early = self._status.seconds_to_appear(time.monotonic())
                if early <= 0 and self._status_stream is not None:
                    if self._status.stream is not self._status_stream:
                        self._take_away()
                    self._send(self._status_stream, self._status.drawn(self._status_stream, time.monotonic()))
                self._changed.wait(early if early > 0 else FRAME)
            self._animation = None

    def _waits_to_move(self) -> bool:
        self._is_idle = True
        try:
            return self._changed.wait_for(lambda: self._is_moving, _IDLE_SECONDS)
        finally:
            self._is_idle = False


_screens: dict[int, Screen] = {}


def screen() -> Screen:
    """Return the screen of this process."""
    # By process: a lock that was held when the process forked would stay locked in the child for good.
    pid = os.getpid()
    return _screens.get(pid) or _screens.setdefault(pid, Screen())
