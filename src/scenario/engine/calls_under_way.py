"""Which agents are being waited for, for a watchdog that looks from another thread."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallUnderWay:
    """An agent call that has not returned yet.

    Attributes:
        agent: Name shown for the agent.
        since: When it began, on the system's monotonic clock, in seconds.
        limit: When it must be over, in seconds after `since`; None for no limit.
    """

    agent: str
    since: float
    limit: float | None


class CallsUnderWay:
    """The agent calls of a run that have not returned; read by a watchdog on another thread."""

    def __init__(self) -> None:
        self._calls: dict[int, CallUnderWay] = {}

    def begin(self, key: int, agent: str, limit: float | None) -> None:
        """Note that a call begins."""
        # The watchdog looks from outside the loop, whose own clock may be simulated.
        self._calls[key] = CallUnderWay(agent=agent, since=time.monotonic(), limit=limit)

    def end(self, key: int) -> None:
        """Note that a call is over."""
        self._calls.pop(key, None)

    def oldest(self) -> CallUnderWay | None:
        """Return the call that began first."""
        return min(tuple(self._calls.values()), key=lambda call: call.since, default=None)
