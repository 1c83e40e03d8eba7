"""Work that an event loop waits for but cannot see: other threads and other loops.

A loop on simulated time may only move its clock when nothing of the kind is under way.
"""

from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Generator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

_pending: "WeakKeyDictionary[AbstractEventLoop, int]" = WeakKeyDictionary()


def count_foreign_work(loop: AbstractEventLoop) -> None:
    """Count foreign work for `loop` from now on."""
    _pending[loop] = 0


def foreign_work_pending(loop: AbstractEventLoop) -> int:
    """Return how many pieces of foreign work `loop` waits for."""
    return _pending.get(loop, 0)


@contextmanager
def foreign_work() -> Generator[None]:
    """Mark that the running loop waits for something outside of it while the block lasts."""
    loop = get_running_loop()
    if loop not in _pending:
        yield
        return
    _pending[loop] += 1
    try:
        yield
    finally:
        _pending[loop] -= 1
