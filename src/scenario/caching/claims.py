"""Which keys this process computes, told to other processes by locks on single bytes of a file.

The system takes the locks back when the process ends, however it ends.
"""

import os
from typing import Any

_OFFSETS = (1 << 62) - 1


class Claims:
    """The claims of this process on the keys of one cache.

    Only one object of a process may have the file open: when any of them closes it, the system drops the locks of all.
    Where the system has no such locks, or the file cannot be opened, every claim is granted.

    Args:
        path: Path of the file; it is made when needed and stays empty.
    """

    def __init__(self, path: str) -> None:
        self._locks: Any = _range_locks()
        self._file: int | None = None
        self._held: set[bytes] = set()
        if self._locks is not None:
            try:
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:
                self._locks = None

    @property
    def any_held(self) -> bool:
        """Whether this process has a claim."""
        return bool(self._held)

    def claim(self, key: bytes) -> bool:
        """Claim a key; tell whether no other process has it."""
        if self._file is not None:
            try:
                self._locks.lockf(self._file, self._locks.LOCK_EX | self._locks.LOCK_NB, 1, _offset(key))
            except BlockingIOError:
                return False
            except PermissionError:
                return False  # how some systems say the same
            except OSError:
                return True  # a file system without locks
        self._held.add(key)
        return True

    def release(self, key: bytes) -> None:
        """Give a claim back; nothing happens if there is none."""
        if key not in self._held:
            return
        self._held.discard(key)
        if self._file is not None:
            self._locks.lockf(self._file, self._locks.LOCK_UN, 1, _offset(key))

    def close(self) -> None:
        """Give all claims back."""
        self._held.clear()
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _offset(key: bytes) -> int:
    return int.from_bytes(key[:8], "big") & _OFFSETS


def _range_locks() -> Any:
    """Return the module that locks bytes of files, or None where the system has none."""
    try:
        import fcntl
    except ImportError:
        return None
    return fcntl
