"""Notices agents that block the event loop they run on, from a thread of its own."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from scenario.engine.calls_under_way import CallsUnderWay, CallUnderWay
from scenario.errors import AgentTimeoutError

_log = logging.getLogger(__name__)

BLOCKED_AFTER = 5.0
_PERIOD = 1.0


@dataclass(slots=True, eq=False)
class Watched:
    """A run under watch.

    Attributes:
        name: Name of its scenario.
        loop: The loop it runs on.
        calls: Its agent calls under way.
        give_up: Ends the run without its loop's help; None where that cannot be done.
    """

    name: str
    loop: asyncio.AbstractEventLoop
    calls: CallsUnderWay
    give_up: Callable[[AgentTimeoutError], None] | None
    _asked_at: float | None = field(default=None, init=False)
    _told_of: CallUnderWay | None = field(default=None, init=False)

    def look(self, time_now: float) -> None:
        """Look at the run once."""
        call = self.calls.oldest()
        if call is None or time_now - call.since < BLOCKED_AFTER or self.loop.is_closed():
            self._asked_at = None
            return
        if self._asked_at is None:
            self._asked_at = time_now
            self.loop.call_soon_threadsafe(self._answer)
            return
        if time_now - self._asked_at < BLOCKED_AFTER:
            return
        if self._told_of is not call:
            self._told_of = call
            _log.warning(
                "%s: [%s] has blocked its event loop for over %.0f s; make its `call` a plain `def`, which runs in a "
                "thread of its own, or await what it waits for",
                self.name,
                call.agent,
                time_now - self._asked_at,
            )
        if self.give_up is not None and call.limit is not None and time_now - call.since > call.limit:
            _log.error("%s: the thread blocked by [%s] is given up", self.name, call.agent)
            self.give_up(
                AgentTimeoutError(
                    f"[{call.agent}] did not answer within {call.limit:g} s and blocked its thread",
                    "make its `call` a plain `def`, or await what it waits for; raise `agent_timeout` if it needs more",
                )
            )

    def _answer(self) -> None:
        self._asked_at = None


class Watchdog:
    """Looks at all runs of the process once a second, while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: set[Watched] = set()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def watch(self, run: Watched) -> None:
        """Begin to watch a run."""
        with self._lock:
            self._runs.add(run)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="scenario-watchdog", daemon=True)
                self._thread.start()
        self._wake.set()

    def unwatch(self, run: Watched) -> None:
        """Stop watching a run."""
        with self._lock:
            self._runs.discard(run)

    def _look(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(_PERIOD)
            with self._lock:
                runs = tuple(self._runs)
                if not runs:
                    self._wake.clear()
            for run in runs:
                try:
                    run.look(time.monotonic())
                except RuntimeError:
                    # Its loop was closed between the look and the question.
                    self.unwatch(run)


watchdog = Watchdog()


def _begin_anew() -> None:
    # Threads do not survive a fork.
    global watchdog
    watchdog = Watchdog()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
