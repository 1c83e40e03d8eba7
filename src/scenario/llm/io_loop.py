"""One event loop of the process for the traffic with models, reached from every other loop and thread.

A run may live on any loop, and a thousand runs on a thousand loops of a thousand threads. Their requests meet here,
so that they share connections, and no caller pays for a client of its own.
"""

import asyncio
import atexit
import os
import threading
from asyncio import AbstractEventLoop, CancelledError, Future, Task, TaskGroup
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from scenario.engine.foreign_work import foreign_work
from scenario.errors import ModelConnectionError

R = TypeVar("R")
T = TypeVar("T")

_GOODBYE_SECONDS = 2.0
_MOST_STARTS = 3


class IoLoop(Generic[R]):
    """An event loop on a daemon thread, and a resource that lives on it.

    The thread starts with the first piece of work. After a fork the child starts one of its own. At the end of the
    process the work under way is cancelled and the resource is closed.
    """

    def __init__(self, opened: Callable[[], AbstractAsyncContextManager[R]], name: str) -> None:
        """Prepare a loop; nothing is started yet.

        Args:
            opened: Returns what opens the resource on the loop; called on the loop's thread, and may take its time.
            name: Name of the thread.
        """
        self._opened = opened
        self._name = name
        self._lock = threading.Lock()
        self._thread: _IoThread[R] | None = None
        self._is_registered = False

    async def run(self, work: Callable[[R], Coroutine[Any, Any, T]]) -> T:
        """Carry out work on the loop and return its result; cancelling the caller cancels the work.

        Args:
            work: Makes the coroutine, given the resource.
        """
        caller = asyncio.get_running_loop()
        thread, job = self._submitted(work, caller)
        with foreign_work():
            try:
                return await job.outcome
            except CancelledError:
                thread.cancel(job)
                raise

    def stop(self) -> None:
        """Cancel the work under way, close the resource and end the thread. The next work starts another."""
        self._end(silently=False)

    def _at_exit(self) -> None:
        # Only daemon threads can still wait for an answer now, and they end with the process: an error would be noise.
        self._end(silently=True)

    def _end(self, *, silently: bool) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop(silently=silently)

    def _submitted(
        self, work: Callable[[R], Coroutine[Any, Any, T]], caller: AbstractEventLoop
    ) -> "tuple[_IoThread[R], _Job[R, T]]":
        for _ in range(_MOST_STARTS):
            thread = self._thread
            if thread is None or not thread.is_serving:
                thread = self._started()
            job = _Job(work, caller)
            try:
                thread.submit(job)
            except RuntimeError:  # it stopped in this very moment, so another is started, unless it never could
                job.outcome.cancel()
                if thread.failure is not None:
                    raise thread.failure from None
            else:
                return thread, job
        raise _stopped()

    def _started(self) -> "_IoThread[R]":
        with self._lock:
            if not self._is_registered:
                self._is_registered = True
                atexit.register(self._at_exit)
                if hasattr(os, "register_at_fork"):
                    os.register_at_fork(after_in_child=self._forget)
            if self._thread is None or not self._thread.is_serving:
                self._thread = _IoThread(self._opened, self._name)
            return self._thread

    def _forget(self) -> None:
        # The thread is not in the child, and its sockets are the parent's: nothing of it may be touched or closed.
        global _returns_lock
        self._lock = threading.Lock()
        _returns_lock = threading.Lock()
        self._thread = None
        _returns.clear()


class _Job(Generic[R, T]):
    """A piece of work, its caller and its outcome."""

    __slots__ = ("caller", "is_cancelled", "outcome", "returns", "task", "work")

    def __init__(self, work: Callable[[R], Coroutine[Any, Any, T]], caller: AbstractEventLoop) -> None:
        self.work = work
        self.caller = caller
        self.returns = _returns_to(caller)
        self.outcome: Future[T] = caller.create_future()
        self.task: Task[None] | None = None
        self.is_cancelled = False

    async def carry_out(self, resource: R) -> None:
        try:
            result = await self.work(resource)
        except Exception as error:  # it is the caller's: told there, and the other work goes on
            self.fail(error)
        else:
            self.returns.put(self.caller, self._succeed, result)

    def fail(self, error: Exception) -> None:
        self.returns.put(self.caller, self._fail, error)

    def _succeed(self, result: T) -> None:
        if not self.outcome.done():
            self.outcome.set_result(result)

    def _fail(self, error: Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


class _Returns:
    """Outcomes on their way back to one calling loop; many arrive with one wake-up."""

    __slots__ = ("_is_woken", "_outcomes")

    def __init__(self) -> None:
        self._outcomes: deque[tuple[Callable[[Any], None], object]] = deque()
        self._is_woken = False

    def put(self, caller: AbstractEventLoop, callback: Callable[[Any], None], argument: object) -> None:
        self._outcomes.append((callback, argument))
        if self._is_woken:
            return
        self._is_woken = True
        try:
            caller.call_soon_threadsafe(self._deliver)
        except RuntimeError:
            if not caller.is_closed():  # a closed loop has nobody left who waits
                raise

    def _deliver(self) -> None:
        self._is_woken = False
        while self._outcomes:
            callback, argument = self._outcomes.popleft()
            callback(argument)


_returns: "WeakKeyDictionary[AbstractEventLoop, _Returns]" = WeakKeyDictionary()
_returns_lock = threading.Lock()


def _returns_to(caller: AbstractEventLoop) -> _Returns:
    returns = _returns.get(caller)
    if returns is None:
        with _returns_lock:
            returns = _returns.setdefault(caller, _Returns())
    return returns


class _Stopped(Exception):
    """Ends the task group of a loop that is told to stop."""


def _stopped() -> ModelConnectionError:
    return ModelConnectionError("the traffic with models was stopped", "ask again")


class _IoThread(Generic[R]):
    """One life of the loop: its thread, and the jobs handed to it."""

    def __init__(self, opened: Callable[[], AbstractAsyncContextManager[R]], name: str) -> None:
        self._opened = opened
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self.failure: Exception | None = None  # why the resource could not be opened
        self._handed_in: deque[_Job[R, Any]] = deque()
        self._is_woken = False
        self._is_silent = False
        self._begin_all: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def is_serving(self) -> bool:
        return self._thread.is_alive() and not self._loop.is_closed()

    def submit(self, job: "_Job[R, Any]") -> None:
        """Hand in a job.

        Raises:
            RuntimeError: If the loop has stopped.
        """
        self._handed_in.append(job)
        # Waking a loop costs a system call, so one that is about to look is not woken again.
        if not self._is_woken:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._begin)
        elif self._loop.is_closed():
            raise RuntimeError("the loop stopped before it looked")

    def cancel(self, job: "_Job[R, Any]") -> None:
        job.is_cancelled = True
        try:
            self._loop.call_soon_threadsafe(self._cancel, job)
        except RuntimeError:
            if not self._loop.is_closed():  # closed, and the work cancelled with it
                raise

    def stop(self, *, silently: bool) -> None:
        if not self.is_serving:
            return
        self._is_silent = silently
        self._loop.call_soon_threadsafe(self._stopping.set)
        if threading.current_thread() is not self._thread:
            self._thread.join(_GOODBYE_SECONDS)

    def _begin(self) -> None:
        self._is_woken = False
        if self._begin_all is not None:
            self._begin_all()

    def _cancel(self, job: "_Job[R, Any]") -> None:
        if job.task is not None:
            job.task.cancel()

    def _work(self) -> None:
        # `self` stays on this thread's stack, so that a forked child, where the thread is gone but its stack is kept,
        # never closes the parent's sockets by collecting them.
        try:
            self._loop.run_until_complete(self._serve(self._opened()))
        except Exception as error:  # the resource could not be opened: whoever waits for it is told
            self.failure = error
        finally:
            self._end_leftovers()
            self._loop.close()
            while self._handed_in and not self._is_silent:
                self._handed_in.popleft().fail(self.failure or _stopped())

    def _end_leftovers(self) -> None:
        # Libraries start tasks of their own on the loop, and destroying them unfinished is noisy.
        leftovers = asyncio.all_tasks(self._loop)
        for task in leftovers:
            task.cancel()
        if leftovers:
            self._loop.run_until_complete(asyncio.wait(leftovers, timeout=_GOODBYE_SECONDS / 2))

    async def _carry_out(self, job: "_Job[R, Any]", resource: R) -> None:
        try:
            await job.carry_out(resource)
        except CancelledError:
            if not self._is_silent:  # a caller who was cancelled listens no more; this is for all others
                job.fail(_stopped())
            raise

    async def _serve(self, opened: AbstractAsyncContextManager[R]) -> None:
        async with opened as resource:
            try:
                async with TaskGroup() as group:

                    def begin_all() -> None:
                        while self._handed_in:
                            job = self._handed_in.popleft()
                            if not job.is_cancelled:
                                job.task = group.create_task(self._carry_out(job, resource))

                    self._begin_all = begin_all
                    begin_all()
                    await self._stopping.wait()
                    raise _Stopped
            except* _Stopped:
                self._begin_all = None
