"""What a run is waiting for, for a watchdog that looks from another thread."""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallUnderWay:
    """A call of an agent or of a step that has not returned yet.

    Attributes:
        who: What was called, for messages.
        since: When it began, on the system's monotonic clock, in seconds.
        limit: When it must be over, in seconds after `since`; None for no limit.
    """

    who: str
    since: float
    limit: float | None


class CallsUnderWay:
    """The calls of a run that have not returned. Written by the run's thread, read by any."""

    def __init__(self) -> None:
        self._calls: dict[CallUnderWay, None] = {}

    def call(self, who: str, limit: float | None) -> AbstractContextManager[None]:
        """Note that a call is under way while the block lasts."""
        # The watchdog looks from outside the loop, whose own clock may be simulated.
        return _Noted(self._calls, CallUnderWay(who=who, since=time.monotonic(), limit=limit))

    def snapshot(self) -> tuple[CallUnderWay, ...]:
        """Return the calls under way, the oldest first."""
        return tuple(self._calls)


class _Noted(AbstractContextManager[None]):
    __slots__ = ("_call", "_calls")

    def __init__(self, calls: dict[CallUnderWay, None], call: CallUnderWay) -> None:
        self._calls = calls
        self._call = call

    def __enter__(self) -> None:
        self._calls[self._call] = None

    def __exit__(self, *_: object) -> None:
        self._calls.pop(self._call, None)
