"""What a run is waiting for, for a watchdog that looks from another thread."""

import time
from collections.abc import Generator
from contextlib import contextmanager
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

    @contextmanager
    def call(self, who: str, limit: float | None) -> Generator[None]:
        """Note that a call is under way while the block lasts."""
        # The watchdog looks from outside the loop, whose own clock may be simulated.
        call = CallUnderWay(who=who, since=time.monotonic(), limit=limit)
        self._calls[call] = None
        try:
            yield
        finally:
            self._calls.pop(call, None)

    def snapshot(self) -> tuple[CallUnderWay, ...]:
        """Return the calls under way, the oldest first."""
        return tuple(self._calls)
