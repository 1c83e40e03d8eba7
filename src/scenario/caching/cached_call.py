"""One call that is answered from the cache, or by an equal call under way, or made.

What is to be done is decided by a generator that neither blocks nor awaits; plain functions and coroutines carry out
its steps, each in their own way.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from scenario.caching.cache_thread import NOT_YET, NotYet, cache_thread
from scenario.caching.entry import Claim, Entry
from scenario.caching.flights import (
    LONGEST_WAIT,
    Crash,
    Flight,
    Landed,
    Landing,
    aboard,
    flights,
    flights_of_caller,
    running_loop,
)
from scenario.caching.place import CachePlace
from scenario.caching.recent_values import recent_value
from scenario.caching.tagged_json import NotKept, NotReadable, decoded, encoded
from scenario.engine.foreign_work import foreign_work

if TYPE_CHECKING:
    from scenario.caching.cache_file import CacheFile

_log = logging.getLogger(__name__)

_DISK_SECONDS = 30.0
_FAILURES_WAITED_FOR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedCall:
    """A call whose value is kept.

    Attributes:
        place: The cache.
        key: Hash of what is called, and with what.
        scope: Hash of the cache key it belongs to.
        function: Name of what is called.
        on_not_kept: Is told the kind of a value that cannot be kept.
    """

    place: CachePlace
    key: bytes
    scope: bytes
    function: str
    on_not_kept: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How a call ended.

    Attributes:
        value: What it gave.
        error: What it raised; None if it gave a value.
        is_cached: Whether the value comes from somewhere else than this call.
    """

    value: Any = None
    error: BaseException | None = None
    is_cached: bool = False

    def result(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is None:
            return self.value
        try:
            raise self.error
        finally:
            del self  # the error's traceback holds this frame, which would hold the error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """Wait for something, and send its result; None when it failed or took too long."""

    what: Future[Any]
    limit: float
    is_foreign: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Make:
    """Make the call, in the course of a flight, and send a `Made`."""

    flight: Flight | None = None


_Steps: TypeAlias = Generator[_Wait | _Make, Any, Made]


def call_plain(call: CachedCall, make: Callable[[], Any]) -> Made:
    """Answer a call of a plain function; it waits in the caller's thread."""
    steps = _steps(call)
    try:
        step = next(steps)
        while True:
            step = steps.send(_waited(step) if isinstance(step, _Wait) else _made(step, make))
    except StopIteration as end:
        return end.value
    finally:
        steps.close()


async def call_async(call: CachedCall, make: Callable[[], Awaitable[Any]]) -> Made:
    """Answer a call of a coroutine function."""
    steps = _steps(call)
    try:
        step = next(steps)
        while True:
            step = steps.send(await (_awaited(step) if isinstance(step, _Wait) else _made_async(step, make)))
    except StopIteration as end:
        return end.value
    finally:
        steps.close()


def _steps(call: CachedCall) -> _Steps:
    recent = recent_value(call.place.directory, call.key)
    if recent is not None and (made := _read(recent)) is not None:
        return made
    failures = 0
    mine = flights_of_caller()
    while True:
        boarding = flights().board((call.place.directory, call.key), mine)
        flight = boarding.flight
        if flight is None:
            return (yield _Make())
        if boarding.is_mine:
            return (yield from _fly(call, flight, may_wait=not mine))
        loop = running_loop()
        is_foreign = loop is None or flight.loop is not loop
        try:
            landing = yield _Wait(what=flight.landing, limit=LONGEST_WAIT - flight.age, is_foreign=is_foreign)
        finally:
            flights().stop_waiting(flight, mine)
        if isinstance(landing, Landed) and (made := _read(landing.value)) is not None:
            return made
        failures += landing is Crash.FAILED
        if landing is Crash.NOT_KEPT or failures == _FAILURES_WAITED_FOR:
            # Those who wait on would only make the call one after the other.
            return (yield from _make_and_keep(call))


def _fly(call: CachedCall, flight: Flight, *, may_wait: bool) -> _Steps:
    """Answer a call for which equal calls wait.

    In the course of another cached call it does not wait for other processes, which might wait for that call.
    """
    landing: Landing = Crash.CANCELLED
    until = time.monotonic() + (LONGEST_WAIT if may_wait else 0.0)
    look = cache_thread().submit(call.place, lambda file: _look(file, call.key, until))
    kept: Future[None] | None = None
    is_hit = False
    try:
        found: bytes | None = yield _Wait(what=look, limit=LONGEST_WAIT + _DISK_SECONDS, is_foreign=True)
        made = None if found is None else _read(found)
        if found is not None and made is not None:
            is_hit, landing = True, Landed(found)
            return made
        made = yield _Make(flight=flight)
        landing = _landing_of(call, made)
    finally:
        look.cancel()
        if not is_hit:
            kept = _finish(call, landing)
        flights().land(flight, landing)
    if kept is not None and made.error is None:
        yield _Wait(what=kept, limit=_DISK_SECONDS, is_foreign=True)
    return made


def _make_and_keep(call: CachedCall) -> _Steps:
    """Answer a call for which nobody waits."""
    made: Made = yield _Make()
    landing = _landing_of(call, made)
    if isinstance(landing, Landed):
        kept = cache_thread().submit(call.place, lambda file: file.keep(_entry(call, landing)))
        yield _Wait(what=kept, limit=_DISK_SECONDS, is_foreign=True)
    return made


def _look(file: "CacheFile", key: bytes, until: float) -> bytes | NotYet | None:
    """Return a value that is kept; None if it is the caller's to compute; not yet, while another process does."""
    found = file.value_or_claim(key)
    if found is Claim.TAKEN:
        return NOT_YET if time.monotonic() < until else None
    return None if found is Claim.MINE else found


def _landing_of(call: CachedCall, made: Made) -> Landing:
    if made.error is not None:
        return Crash.FAILED if isinstance(made.error, Exception) else Crash.CANCELLED
    try:
        return Landed(encoded(made.value))
    except NotKept as error:
        call.on_not_kept(error.kind)
        return Crash.NOT_KEPT


def _finish(call: CachedCall, landing: Landing) -> "Future[None]":
    """Have a value kept, if there is one, and the claim on it given back."""

    def finish(file: "CacheFile") -> None:
        if isinstance(landing, Landed):
            file.keep(_entry(call, landing))
        file.claims.release(call.key)

    return cache_thread().submit(call.place, finish)


def _entry(call: CachedCall, landing: Landed) -> Entry:
    return Entry(key=call.key, scope=call.scope, function=call.function, value=landing.value)


def _read(text: bytes) -> Made | None:
    try:
        return Made(value=decoded(text), is_cached=True)
    except NotReadable as error:
        _log.debug("a value in the cache cannot be used any more: %s", error)
        return None


# The steps, carried out in a thread


def _waited(step: _Wait) -> Any:
    try:
        return step.what.result(step.limit)
    except Exception as error:  # a cache that fails is a cache without values
        return _without(error)


def _made(step: _Make, make: Callable[[], Any]) -> Made:
    try:
        with aboard(step.flight):
            return Made(value=make())
    except BaseException as error:  # raised again by `Made.result`
        return Made(error=error)


# The steps, carried out on a loop


async def _awaited(step: _Wait) -> Any:
    loop = asyncio.get_running_loop()
    settled: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not settled.done():
            settled.set_result(None)

    def tell(_: object) -> None:
        with suppress(RuntimeError):  # the loop was closed, and nobody waits any more
            loop.call_soon_threadsafe(settle)

    step.what.add_done_callback(tell)
    try:
        with foreign_work() if step.is_foreign else nullcontext():
            async with asyncio.timeout(step.limit):
                await settled
        return step.what.result(0)
    except Exception as error:  # a cache that fails is a cache without values
        return _without(error)


async def _made_async(step: _Make, make: Callable[[], Awaitable[Any]]) -> Made:
    try:
        with aboard(step.flight):
            return Made(value=await make())
    except BaseException as error:  # raised again by `Made.result`
        return Made(error=error)


def _without(error: Exception) -> None:
    if not isinstance(error, TimeoutError):
        _log_failure(type(error).__name__, str(error))


@cache
def _log_failure(kind: str, text: str) -> None:
    _log.warning("the cache does not work (%s: %s); nothing is cached", kind, text)
