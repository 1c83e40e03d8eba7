"""Reads a line that a person types, for somebody who may not want to wait for it any longer."""

import contextlib
import os
import selectors
import sys
import threading
from typing import TextIO


class TypedLine:
    """One line of a stream, read byte by byte, so that nothing is taken that belongs to whoever reads next.

    Where a stream has no file behind it, as in tests, and on Windows, the line is read in the ordinary way, and
    nobody can be sent away.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._changing = threading.Lock()
        self._is_given_up = False
        self._bell: int | None = None

    def read(self) -> str | None:
        """Wait for the line and return it without its end; None if it was given up.

        Raises:
            EOFError: If there is none.
            OSError: If the stream cannot be read.
            ValueError: If the stream is closed.
        """
        source = self._file()
        if source is None:
            line = self._stream.readline()
            if not line:
                raise EOFError
            return line.rstrip("\r\n")
        with contextlib.ExitStack() as files:
            heard, bell = os.pipe()
            os.set_blocking(bell, False)
            files.callback(os.close, heard)
            files.callback(self._remove_bell, bell)
            with self._changing:
                if self._is_given_up:
                    return None
                self._bell = bell
            return self._read_from(source, heard)

    def give_up(self) -> None:
        """Don't wait for it any longer. From any thread, and as often as one likes."""
        with self._changing:
            self._is_given_up = True
            if self._bell is not None:
                os.write(self._bell, b"!")

    def _file(self) -> int | None:
        if sys.platform == "win32":
            return None
        try:
            return self._stream.fileno()
        except (AttributeError, OSError):
            return None

    def _remove_bell(self, bell: int) -> None:
        with self._changing:
            self._bell = None
        os.close(bell)

    def _read_from(self, source: int, heard: int) -> str | None:
        place = _place(source)
        line = _begun.pop(place, bytearray())
        # Not epoll, which refuses files, nor select, which refuses descriptors beyond 1024.
        with selectors.PollSelector() as ready:
            ready.register(source, selectors.EVENT_READ)
            ready.register(heard, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if any(key.fd == heard for key, _ in ready.select()):
                    if os.isatty(source):
                        _forget_what_was_typed(source)
                    elif line:
                        _begun[place] = line
                    return None
                byte = os.read(source, 1)
                if not byte and not line:
                    raise EOFError
                if not byte:
                    break
                line += byte
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        return line.decode(encoding, "replace").rstrip("\r\n")


def _place(source: int) -> tuple[int, int, int]:
    """Return what tells a file descriptor from another of the same number, later."""
    about = os.fstat(source)
    return source, about.st_dev, about.st_ino


def _forget_what_was_typed(source: int) -> None:
    """Drop what was typed so far: it was meant for somebody who doesn't wait any longer."""
    import termios

    with contextlib.suppress(termios.error):
        termios.tcflush(source, termios.TCIFLUSH)


# What was read of a line whose reader was sent away before its end had come.
_begun: dict[tuple[int, int, int], bytearray] = {}
