"""Calls under way, so that equal calls wait for one another instead of being made twice."""

import asyncio
import os
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum, auto

LONGEST_WAIT = 600.0
"""Seconds after which a call is given up on by those who wait for it."""


class Crash(Enum):
    """How a call ended that left no value for others.

    Attributes:
        FAILED: It raised.
        CANCELLED: It was cancelled or interrupted.
        NOT_KEPT: It gave a value that cannot be kept.
    """

    FAILED = auto()
    CANCELLED = auto()
    NOT_KEPT = auto()


@dataclass(frozen=True, slots=True)
class Landed:
    """A call gave a value that can be kept.

    Attributes:
        value: Text of the value.
    """

    value: bytes


Landing = Landed | Crash
FlightKey = tuple[str, bytes]


class Flight:
    """A call under way.

    Attributes:
        key: What it computes.
        loop: The event loop it runs on; None for a call of a plain function outside of loops.
        began: When it began, on the system's monotonic clock.
        landing: How it ended.
        waits_for: The calls under way that it waits for itself, with the number of its tasks that wait.
    """

    __slots__ = ("began", "key", "landing", "loop", "waits_for")

    def __init__(self, key: FlightKey) -> None:
        self.key = key
        self.loop = running_loop()
        self.began = time.monotonic()
        self.landing: Future[Landing] = Future()
        self.waits_for: Counter[Flight] = Counter()

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or has taken so long that nobody waits for it any more."""
        return self.landing.done() or self.age > LONGEST_WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Boarding:
    """What to do about a call that is to be made.

    Attributes:
        flight: The call under way; None if the caller must make it without telling anybody.
        is_mine: Whether the caller makes it, and others wait.
    """

    flight: Flight | None
    is_mine: bool = False


class Flights:
    """The calls under way in this process. Safe to use from any thread."""

    def __init__(self) -> None:
        # Held for a few dictionary look-ups, never while something is awaited or computed.
        self._lock = threading.Lock()
        self._flights: dict[FlightKey, Flight] = {}

    def board(self, key: FlightKey, mine: Iterable[Flight]) -> Boarding:
        """Find out whether a call is under way; if not, it is from now on, and the caller's to make.

        Whoever is told to wait must say `stop_waiting` afterwards.

        Args:
            key: What is to be computed.
            mine: The calls in the course of which it is needed.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None or flight.is_over:
                flight = self._flights[key] = Flight(key)
                return Boarding(flight=flight, is_mine=True)
            mine = set(mine)
            if _waits_for_any(flight, mine):
                # To wait would be to wait for oneself.
                return Boarding(flight=None)
            for own in mine:
                own.waits_for[flight] += 1
            return Boarding(flight=flight)

    def stop_waiting(self, flight: Flight, mine: Iterable[Flight]) -> None:
        """Take back that calls wait for another."""
        with self._lock:
            for own in mine:
                own.waits_for[flight] -= 1
                own.waits_for += Counter()  # drops what is at zero

    def under_way(self) -> list[Flight]:
        """Return the calls under way."""
        with self._lock:
            return list(self._flights.values())

    def land(self, flight: Flight, landing: Landing) -> None:
        """Say how a call ended."""
        with self._lock:
            if self._flights.get(flight.key) is flight:
                del self._flights[flight.key]
        flight.landing.set_result(landing)


def _waits_for_any(flight: Flight, others: set[Flight]) -> bool:
    met: set[Flight] = set()
    ahead = [flight]
    while ahead:
        next_one = ahead.pop()
        if next_one in others:
            return True
        if next_one not in met:
            met.add(next_one)
            ahead.extend(next_one.waits_for)
    return False


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, if there is one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


_mine: ContextVar[tuple[Flight, ...]] = ContextVar("scenario_cache_flights", default=())
_flights = Flights()


def flights() -> Flights:
    """Return the calls under way in this process."""
    return _flights


def flights_of_caller() -> tuple[Flight, ...]:
    """Return the calls in the course of which the caller runs, outermost first."""
    return tuple(flight for flight in _mine.get() if not flight.is_over)


@contextmanager
def aboard(flight: Flight | None) -> Generator[None]:
    """Run in the course of a call."""
    if flight is None:
        yield
        return
    token = _mine.set((*_mine.get(), flight))
    try:
        yield
    finally:
        # A coroutine that is thrown away is closed wherever that happens, in a context that was never changed.
        with suppress(ValueError):
            _mine.reset(token)


def _forget_the_parent() -> None:
    """Begin anew in a forked process, in which none of the calls goes on."""
    global _flights
    _flights = Flights()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parent)
