"""Notices from a thread of its own when a run is blocked, and gives up one that does not end at its limit."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from scenario.engine.budget import LimitReached, out_of_time
from scenario.engine.calls_under_way import CallsUnderWay, CallUnderWay
from scenario.errors import AgentTimeoutError

_log = logging.getLogger(__name__)

# After how many seconds a loop that does not answer counts as blocked, for the log.
BLOCKED_AFTER = 5.0
# How long a run may overstay its limit while its loop answers: it may be about to end by itself.
GRACE = 5.0
_PERIOD = 0.5


@dataclass(slots=True, eq=False)
class Watched:
    """A run under watch.

    Attributes:
        name: Name of its scenario.
        loop: The loop it runs on.
        calls: What it waits for.
        max_seconds: Limit of the run, in seconds.
        give_up: Ends the run without its loop's help; None where that cannot be done.
    """

    name: str
    loop: asyncio.AbstractEventLoop
    calls: CallsUnderWay
    max_seconds: float | None
    give_up: Callable[[AgentTimeoutError | LimitReached], None] | None
    _began: float = field(default_factory=time.monotonic, init=False)
    _asked_at: float | None = field(default=None, init=False)
    _told_of: CallUnderWay | None = field(default=None, init=False)
    _given_up: bool = field(default=False, init=False)

    def look(self, time_now: float) -> None:
        """Look at the run once."""
        calls = self.calls.snapshot()
        if self._given_up or not calls:
            return
        latest = calls[-1]
        overdue = self._overdue(calls, time_now)
        if overdue is None and time_now - latest.since < BLOCKED_AFTER:
            self._asked_at = None
            return
        silence = 0.0 if self._asked_at is None else time_now - self._asked_at
        if silence >= BLOCKED_AFTER and self._told_of is not latest:
            self._told_of = latest
            _log.warning(
                "%s: %s has blocked its event loop for over %.0f s; make it a plain `def`, which runs in a thread of "
                "its own if it is an agent's `call`, or await what it waits for",
                self.name,
                latest.who,
                silence,
            )
        if overdue is not None and self.give_up is not None and (silence >= _PERIOD or overdue.seconds >= GRACE):
            self._given_up = True
            _log.error("%s: %s does not end; its thread is given up", self.name, latest.who)
            self.give_up(overdue.ending)
        elif self._asked_at is None:
            self._asked_at = time_now
            self.loop.call_soon_threadsafe(self._answer)

    def _overdue(self, calls: tuple[CallUnderWay, ...], time_now: float) -> "_Overdue | None":
        if self.max_seconds is not None and time_now - self._began > self.max_seconds:
            return _Overdue(time_now - self._began - self.max_seconds, out_of_time(self.max_seconds))
        for call in calls:
            if call.limit is not None and time_now - call.since > call.limit:
                error = AgentTimeoutError(
                    f"{call.who} did not answer within {call.limit:g} s, and could not be stopped",
                    "make its `call` a plain `def`, or await what it waits for; let cancellation pass; raise "
                    "`agent_timeout` if it needs more",
                )
                return _Overdue(time_now - call.since - call.limit, error)
        return None

    def _answer(self) -> None:
        self._asked_at = None


@dataclass(frozen=True, slots=True)
class _Overdue:
    seconds: float
    ending: AgentTimeoutError | LimitReached


class Watchdog:
    """Looks at all runs of the process twice a second, while there are any."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all runs and the thread, as a forked child must: neither is in it."""
        self._lock = threading.Lock()
        self._runs: set[Watched] = set()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def watch(self, run: Watched) -> None:
        """Begin to watch a run."""
        with self._lock:
            self._runs.add(run)
            thread, self._thread = self._thread, self._thread or self._made_thread()
        if thread is None:
            self._thread.start()
        self._wake.set()

    def unwatch(self, run: Watched) -> None:
        """Stop watching a run."""
        with self._lock:
            self._runs.discard(run)

    def _made_thread(self) -> threading.Thread:
        return threading.Thread(target=self._look, name="scenario-watchdog", daemon=True)

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
"""The watchdog of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=watchdog.begin_anew)
