"""Threads with event loops of their own, reused from run to run.

An agent that blocks its loop blocks nobody else here, and a run that was given up takes only its own thread with it.
"""

import asyncio
import atexit
import contextvars
import itertools
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, InvalidStateError
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from scenario.engine.foreign_work import foreign_work
from scenario.errors import ConfigurationError
from scenario.running.file_limit import loops_that_fit

T = TypeVar("T")

_log = logging.getLogger(__name__)

# How long a run's leftover tasks, and a cancelled run, may take to end.
CLEAN_UP_LIMIT = 5.0
_KEPT_IDLE = 64
_numbers = itertools.count(1)
_EXIT_LIMIT = 0.5


class Errand(Generic[T]):
    """Work on its way through a worker loop.

    Attributes:
        outcome: What comes of it.
        context: Context variables it works in.
        end_from_outside: Ends the work when its loop cannot; unless set otherwise, by giving it up.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self.outcome: Future[T] = Future()
        self.context = contextvars.copy_context()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._work = work
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False
        self.end_from_outside: Callable[[BaseException], None] = self.give_up
        self._value: T | None = None
        self._error: BaseException | None = None

    async def perform(self) -> None:
        """Do the work on the running loop and settle its outcome."""
        self._task = asyncio.current_task()
        try:
            if self._cancelled:
                raise asyncio.CancelledError
            value = await self._work()
        except BaseException as error:  # handed to whoever waits for the outcome
            self._error = error
        else:
            self._value = value

    def deliver(self) -> None:
        """Hand what came of the work to whoever waits for it."""
        try:
            if self._error is None:
                self.outcome.set_result(self._value)  # type: ignore[arg-type]  # set together with the error
            else:
                self.outcome.set_exception(self._error)
        except InvalidStateError:
            _log.info("a run that had been given up ended after all")

    def cancel(self) -> None:
        """Cancel the work, from any thread."""
        self._cancelled = True
        loop, task = self.loop, self._task
        if loop is not None and task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    def give_up(self, ending: T | BaseException) -> None:
        """Settle the outcome without waiting for the work, which is cancelled should it ever go on."""
        try:
            if isinstance(ending, BaseException):
                self.outcome.set_exception(ending)
            else:
                self.outcome.set_result(ending)
        except InvalidStateError:
            return
        self.cancel()


class _WorkerLoop:
    """One thread with one event loop, doing one errand at a time."""

    def __init__(self, name: str, give_back: Callable[["_WorkerLoop", bool], None]) -> None:
        self._give_back = give_back
        self._errand: Errand[Any] | None = None
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        self._loop.set_task_factory(self._tracked)  # pyright: ignore[reportArgumentType]  # stubs differ by version
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._loop.close()
            raise

    def start(self, errand: Errand[Any]) -> None:
        errand.loop = self._loop
        self._errand = errand
        self._loop.call_soon_threadsafe(self._begin, errand)

    def stop(self) -> None:
        self._stopping = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)

    def join(self, limit: float) -> None:
        self._thread.join(limit)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        except BaseException as error:  # SystemExit or KeyboardInterrupt of a task: it ends the run
            errand = self._errand
            if errand is not None:
                errand.end_from_outside(error)
        finally:
            self._loop.close()
            if not self._stopping:
                self._give_back(self, False)

    def _begin(self, errand: Errand[Any]) -> None:
        self._loop.create_task(self._perform(errand), context=errand.context)

    async def _perform(self, errand: Errand[Any]) -> None:
        await errand.perform()
        # In a task of its own: the errand's may be cancelled once more, and its place must be given back all the same.
        self._loop.create_task(self._hand_over(errand))

    async def _hand_over(self, errand: Errand[Any]) -> None:
        quiet = await self._quieten()
        given_up = errand.outcome.done()
        self._errand = None
        self._give_back(self, quiet and not given_up)
        errand.deliver()

    async def _quieten(self) -> bool:
        """Cancel the tasks that the work left behind and tell whether all of them ended."""
        own = asyncio.current_task()
        leftover = {task for task in self._tasks if task is not own and not task.done()}
        if not leftover:
            return True
        for task in leftover:
            task.cancel()
        _, stubborn = await asyncio.wait(leftover, timeout=CLEAN_UP_LIMIT)
        if stubborn:
            _log.warning("%d tasks of a finished run ignore their cancellation; its thread is given up", len(stubborn))
        return not stubborn

    def _tracked(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        # asyncio.all_tasks() looks through the tasks of every loop of the process; this keeps only our own.
        task = asyncio.Task(work, loop=loop, **options)
        self._tasks.add(task)
        return task


class WorkerLoops:
    """The worker loops of this process: made when needed, kept for a while, never more than files allow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_WorkerLoop] = []
        self._waiting: deque[Errand[Any]] = deque()
        self._busy = 0
        self._told = False

    def start(self, errand: Errand[Any]) -> None:
        """Do an errand in an idle loop, in a new one, or, when no more fit, as soon as one is free."""
        worker: _WorkerLoop | None = None
        with self._lock:
            fits = self._busy < loops_that_fit()
            if fits:
                self._busy += 1
                worker = self._idle.pop() if self._idle else None
            else:
                self._waiting.append(errand)
            tell, self._told = not fits and not self._told, self._told or not fits
        if fits:
            self._begin(errand, worker)
        if tell:
            _log.warning(
                "more than %d runs at once do not fit into this process's limit of open files; the others wait. "
                "Raise the limit (ulimit -n), or use scenario.run_many(…, limit=…)",
                loops_that_fit(),
            )

    def _begin(self, errand: Errand[Any], worker: _WorkerLoop | None) -> None:
        try:
            (worker or _WorkerLoop(f"scenario-run-{next(_numbers)}", self._take_back)).start(errand)
        except (OSError, RuntimeError) as error:
            errand.give_up(
                ConfigurationError(
                    f"no thread with an event loop could be started for a run: {error}",
                    "run fewer at once (scenario.run_many(…, limit=…)), or use arun(), which needs none",
                )
            )
            self._free_a_place()

    def stop_idle(self) -> None:
        """End the idle threads."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.stop()
        for worker in idle:
            worker.join(_EXIT_LIMIT)

    def _take_back(self, worker: _WorkerLoop, quiet: bool) -> None:
        with self._lock:
            following = self._waiting.popleft() if self._waiting and quiet else None
            keep = following is None and quiet and len(self._idle) < _KEPT_IDLE
            if keep:
                self._busy -= 1
                self._idle.append(worker)
        if following is not None:
            self._begin(following, worker)
        elif not keep:
            worker.stop()
            self._free_a_place()

    def _free_a_place(self) -> None:
        with self._lock:
            self._busy -= 1
            errand = self._waiting.popleft() if self._waiting else None
        if errand is not None:
            self.start(errand)


async def in_worker_loop(errand: Errand[T]) -> T:
    """Do an errand in a worker loop and return what comes of it.

    Cancelling the caller cancels the work and waits for its end, a few seconds at most; the caller's loop goes on
    meanwhile.
    """
    caller = asyncio.get_running_loop()
    settled = caller.create_future()

    def wake(_: Future[T]) -> None:
        if not caller.is_closed():
            caller.call_soon_threadsafe(lambda: settled.done() or settled.set_result(None))

    errand.outcome.add_done_callback(wake)
    with foreign_work():
        _loops.start(errand)
        try:
            await asyncio.shield(settled)
        except asyncio.CancelledError:
            errand.cancel()
            await asyncio.wait([settled], timeout=CLEAN_UP_LIMIT)
            raise
    return errand.outcome.result()


def await_worker_loop(errand: Errand[T]) -> T:
    """Do an errand in a worker loop, blocking the calling thread, and return what comes of it.

    Ctrl-C cancels the work and waits for its end, a few seconds at most; a second one does not wait.
    """
    _loops.start(errand)
    try:
        return errand.outcome.result()
    except KeyboardInterrupt:
        errand.cancel()
        # Whatever the work still raises is of no interest any more.
        try:
            errand.outcome.exception(CLEAN_UP_LIMIT)
        except (TimeoutError, asyncio.CancelledError):
            _log.warning("the interrupted run did not end within %g s and is given up", CLEAN_UP_LIMIT)
        raise


_loops = WorkerLoops()


def _begin_anew() -> None:
    # Threads do not survive a fork.
    global _loops
    _loops = WorkerLoops()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
atexit.register(lambda: _loops.stop_idle())
