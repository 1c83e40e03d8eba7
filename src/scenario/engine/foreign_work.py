"""Work that an event loop waits for but cannot see: other threads and other loops.

A loop on simulated time may only move its clock when nothing of the kind is under way.
"""

from asyncio import AbstractEventLoop, get_running_loop
from weakref import WeakKeyDictionary

_pending: "WeakKeyDictionary[AbstractEventLoop, int]" = WeakKeyDictionary()


def count_foreign_work(loop: AbstractEventLoop) -> None:
    """Count foreign work for `loop` from now on."""
    _pending[loop] = 0


def foreign_work_pending(loop: AbstractEventLoop) -> int:
    """Return how many pieces of foreign work `loop` waits for."""
    return _pending.get(loop, 0)


class foreign_work:  # noqa: N801  # reads as what it marks: `with foreign_work():`
    """Mark that the running loop waits for something outside of it while the block lasts."""

    __slots__ = ("_loop",)

    def __enter__(self) -> None:
        # Ordinary loops, nearly all of them, are told apart without a look at the running one.
        loop = get_running_loop() if _pending else None
        self._loop = loop if loop is not None and loop in _pending else None
        if self._loop is not None:
            _pending[self._loop] += 1

    def __exit__(self, *_: object) -> None:
        if self._loop is not None:
            _pending[self._loop] -= 1
