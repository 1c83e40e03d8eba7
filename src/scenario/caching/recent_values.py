"""Values of a cache file that this process has just read or kept, for whoever asks again before the file has changed.

The thread that works with the file puts them in; any thread may take them out, without waiting for a disk.
"""

import os
import threading
from collections import deque
from typing import TypeAlias

_MOST_BYTES = 16_000_000
_MOST_NOTED = 10_000

Stamp: TypeAlias = tuple[int, int, int]
"""Which file it is, and when it was written; another stamp means that values may have been dropped."""


class RecentValues:
    """The values of one file.

    Where the system cannot tell at once whether a file has changed, none are held.

    Args:
        path: Path of the file, which exists.
        shared: Whether other machines may have it open as well; to ask such a drive may take long.
    """

    def __init__(self, path: str, *, shared: bool) -> None:
        # Other ways to open the file would take SQLite's locks on it away when they are closed.
        flag = getattr(os, "O_PATH", None)
        self._file = None if flag is None or shared else os.open(path, flag | os.O_CLOEXEC)
        self._lock = threading.Lock()  # so that no other file takes the number of one that is just being asked about
        self._values: dict[bytes, tuple[bytes, Stamp]] = {}
        self._bytes = 0
        self._used: deque[bytes] = deque(maxlen=_MOST_NOTED)

    def stamp(self) -> Stamp | None:
        """Return the file's stamp; None if there is nothing to hold values for."""
        with self._lock:
            if self._file is None:
                return None
            status = os.fstat(self._file)
        return (status.st_dev, status.st_ino, status.st_mtime_ns) if status.st_nlink else None

    def value(self, key: bytes) -> bytes | None:
        """Return a value, if the file has not changed since it was put in."""
        found = self._values.get(key)
        if found is None or found[1] != self.stamp():
            return None
        self._used.append(key)
        return found[0]

    def put(self, key: bytes, value: bytes, stamp: Stamp | None) -> None:
        """Hold a value.

        Args:
            key: Its key.
            value: Its text.
            stamp: The file's stamp before the value was read or kept.
        """
        if stamp is None:
            return
        if self._bytes > _MOST_BYTES:
            self.clear()
        self._values[key] = (value, stamp)
        self._bytes += len(value)

    def take_used(self) -> list[bytes]:
        """Return the keys that were asked for since the last time."""
        used: list[bytes] = []
        while self._used:
            used.append(self._used.popleft())
        return used

    def clear(self) -> None:
        """Hold no value any more."""
        self._values.clear()
        self._bytes = 0

    def close(self) -> None:
        """Hold no value any more, and none later."""
        with self._lock:
            file, self._file = self._file, None
        self.clear()
        if file is not None:
            os.close(file)


recent_values: dict[str, RecentValues] = {}
"""The recent values by the directory of their file, as it was given."""


def recent_value(directory: str, key: bytes) -> bytes | None:
    """Return a value that was just read or kept, if it surely still is in the file."""
    values = recent_values.get(directory)
    return None if values is None else values.value(key)
