"""An event loop on simulated time: nobody waits for anything, and everything happens in the same order each time."""

import asyncio
import functools
import heapq
import itertools
import logging
import math
import os
import selectors
import socket
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, ParamSpec, TypeVar

from scenario.engine.foreign_work import count_foreign_work, foreign_work_pending
from scenario.errors import DeadlockError
from scenario.testing.simulated_network import FencedDatagrams, SimulatedNetwork, has_bytes_under_way, refused

_logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

_SETTLING_SECONDS = 0.001
_PATIENCE_SECONDS = 1.0
_STANDSTILL_SECONDS = 10.0
_SHOWN_TASKS = 10


class SimulatedTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next deadline as soon as nothing is left to do before it.

    `asyncio.sleep`, `asyncio.timeout`, `call_later` and `time()` go by it. Deadlines come in order, equal ones in the
    order in which they were set. While the loop waits for work outside of it (worker threads, model requests, whatever
    is inside `scenario.engine.foreign_work.foreign_work`), its time stands still.

    Its sockets reach only servers on the same loop: others would answer in real time. Opening any other connection, a
    pipe or a child process raises a `ConfigurationError`.

    Args:
        start: The time at the beginning, in seconds.

    Raises:
        DeadlockError: From whatever runs the loop, when nothing on it can ever go on.
    """

    _scheduled: list[asyncio.TimerHandle]  # the base class's heap of timers

    def __init__(self, start: float = 0.0) -> None:
        self._order = itertools.count()
        self._threads_at_work = 0
        self._network = SimulatedNetwork()
        super().__init__(_JumpingSelector(self._next_events))
        self._set_time(start)
        count_foreign_work(self)

    def time(self) -> float:
        """Return the simulated time, in seconds."""
        return self._now

    def call_at(  # pyright: ignore[reportIncompatibleMethodOverride]  # the callback's type variables are of no use here
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call `callback` at the simulated time `when`, after those that were asked for earlier at the same time."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        timer = _OrderedTimer(when, next(self._order), callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        return timer

    def _set_time(self, now: float) -> None:
        self._now = now
        # The base class runs what is due before `time() + resolution`: exactly what is due now.
        self._clock_resolution = math.ulp(now)

    def _next_events(self, selector: selectors.BaseSelector, timeout: float | None) -> list[Any]:
        """Stand in for the selector's wait: return what is ready, or let time jump when nothing can be."""
        events = selector.select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        if self._threads_at_work or foreign_work_pending(self):
            return self._events_of_real_time(selector)
        if has_bytes_under_way(selector):
            events = selector.select(_SETTLING_SECONDS)
            if events:
                return events
        deadline = self._scheduled[0].when() if self._scheduled else math.inf
        if deadline < math.inf:
            self._set_time(max(self._now, deadline))
            return []
        events = selector.select(_PATIENCE_SECONDS) if threading.active_count() > 1 else []
        if not events:
            raise DeadlockError(*self._explained_deadlock())
        return events

    def _events_of_real_time(self, selector: selectors.BaseSelector) -> list[Any]:
        events = selector.select(_STANDSTILL_SECONDS)
        if not events:
            _logger.warning(
                "simulated time has stood still for %g s of real time: the loop waits for threads or model requests",
                _STANDSTILL_SECONDS,
            )
        return events or selector.select(None)

    def _explained_deadlock(self) -> tuple[str, str]:
        waiting = sorted(_place_of(task) for task in asyncio.all_tasks(self) if not task.done())
        shown = "\n".join(f"    {place}" for place in waiting[:_SHOWN_TASKS]) or "    no task"
        return (
            f"nothing can happen any more at {self._now:g} s of simulated time: no deadline is set, nobody else is at "
            f"work, and these wait:\n{shown}",
            "set what they wait for, or give the wait a limit; if another thread does it, wait for that thread inside "
            "`scenario.engine.foreign_work.foreign_work()`",
        )

    # What runs in real time beside the loop holds the clock.

    def run_in_executor(self, executor: Executor | None, func: Callable[..., _T], *args: Any) -> asyncio.Future[_T]:  # pyright: ignore[reportIncompatibleMethodOverride]  # as in the base class, without its type variables
        """Run `func` in a thread; simulated time stands still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._threads_at_work += 1
        future.add_done_callback(self._thread_is_done)
        return future

    def _thread_is_done(self, future: "asyncio.Future[Any]") -> None:
        self._threads_at_work -= 1

    async def shutdown_default_executor(self, *args: Any, **options: Any) -> None:
        """Wait for the worker threads to end."""
        self._threads_at_work += 1
        try:
            await super().shutdown_default_executor(*args, **options)
        finally:
            self._threads_at_work -= 1

    # Other ends of sockets have to be on this loop.

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        """Serve on a TCP port; connections to it are allowed."""
        server = await super().create_server(*args, **options)
        self._network.serve(server.sockets)
        return server

    async def create_unix_server(self, *args: Any, **options: Any) -> asyncio.Server:
        """Serve on a UNIX socket; connections to it are allowed."""
        server = await super().create_unix_server(*args, **options)
        self._network.serve(server.sockets)
        return server

    async def sock_accept(self, sock: socket.socket) -> Any:
        """Accept a connection."""
        self._network.serve([sock])
        return await super().sock_accept(sock)

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect to an address served by this loop."""
        self._network.check(address)
        await super().sock_connect(sock, address)

    async def create_connection(self, protocol_factory: Any, host: Any = None, *args: Any, **options: Any) -> Any:
        """Connect to a TCP port served by this loop."""
        self._network.check_host(host)
        if options.get("sock") is not None:
            self._network.check_socket(options["sock"])
        return await super().create_connection(protocol_factory, host, *args, **options)

    async def create_unix_connection(self, *args: Any, **options: Any) -> Any:
        """Connect to a UNIX socket served by this loop."""
        if options.get("sock") is not None:
            self._network.check_socket(options["sock"])
        return await super().create_unix_connection(*args, **options)

    async def connect_accepted_socket(self, protocol_factory: Any, sock: socket.socket, **options: Any) -> Any:
        """Serve a connection that was accepted from a listening socket of this loop."""
        self._network.check_socket(sock)
        return await super().connect_accepted_socket(protocol_factory, sock, **options)

    async def create_datagram_endpoint(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """Open a datagram socket that sends to others of this loop only."""
        if options.get("sock") is not None:
            self._network.check_socket(options["sock"])
        _, fenced = await super().create_datagram_endpoint(
            lambda: FencedDatagrams(protocol_factory(), self._network), *args, **options
        )
        return fenced.transport, fenced.inner

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """Look up the address of a name that can only be this machine's."""
        self._network.check_host(host)
        return await super().getaddrinfo(host, port, **options)

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
        """Watch a socket connected to this loop for something to read."""
        self._check_watched(fd)
        super().add_reader(fd, callback, *args)

    def add_writer(self, fd: Any, callback: Any, *args: Any) -> None:
        """Watch a socket connected to this loop for room to write."""
        self._check_watched(fd)
        super().add_writer(fd, callback, *args)

    def _check_watched(self, fd: Any) -> None:
        try:
            watched = socket.socket(fileno=os.dup(fd if isinstance(fd, int) else fd.fileno()))
        except OSError as error:
            raise refused("watching something that is no socket") from error
        with watched:
            self._network.check_socket(watched)

    async def connect_read_pipe(self, *args: Any, **options: Any) -> Any:
        """Refuse: whoever writes to a pipe does so in real time."""
        raise refused("a pipe")

    async def connect_write_pipe(self, *args: Any, **options: Any) -> Any:
        """Refuse: whoever reads from a pipe does so in real time."""
        raise refused("a pipe")

    async def subprocess_exec(self, *args: Any, **options: Any) -> Any:
        """Refuse: a child process runs in real time."""
        raise refused("a child process")

    async def subprocess_shell(self, *args: Any, **options: Any) -> Any:
        """Refuse: a child process runs in real time."""
        raise refused("a child process")


def run_simulated(main: Coroutine[Any, Any, _T], *, start: float = 0.0) -> _T:
    """Run a coroutine on a loop of simulated time and return what it returns.

    Args:
        main: The coroutine.
        start: The time at the beginning, in seconds.

    Raises:
        DeadlockError: If nothing on the loop can ever go on.
    """
    with asyncio.Runner(loop_factory=lambda: SimulatedTimeLoop(start)) as runner:
        return runner.run(main)


def on_simulated_time(test: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, _T]:
    """Make a coroutine function one that is called without `await` and runs on a loop of simulated time.

    It is meant for tests; fixtures are passed on.

    Example:
        ```python
        @on_simulated_time
        async def test_the_agent_is_given_a_minute():
            await asyncio.sleep(59)
        ```
    """

    @functools.wraps(test)
    def run(*args: _P.args, **options: _P.kwargs) -> _T:
        return run_simulated(test(*args, **options))

    return run


class _OrderedTimer(asyncio.TimerHandle):
    """A timer that comes after those set earlier for the same time."""

    __slots__ = ("_number",)
    _scheduled: bool

    def __init__(
        self,
        when: float,
        number: int,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self._number = number
        self._scheduled = True

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, _OrderedTimer):
            return NotImplemented
        return (self.when(), self._number) < (other.when(), other._number)


class _JumpingSelector(selectors.BaseSelector):
    """A selector whose wait is decided by somebody else.

    Args:
        next_events: Takes the real selector and the longest wait, and returns what is ready.
    """

    def __init__(self, next_events: Callable[[selectors.BaseSelector, float | None], list[Any]]) -> None:
        self._next_events = next_events
        self._real = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[Any]:
        return self._next_events(self._real, timeout)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.get_key(fileobj)

    def close(self) -> None:
        self._real.close()


def _place_of(task: "asyncio.Task[Any]") -> str:
    frames = task.get_stack(limit=1)
    where = f" at {frames[0].f_code.co_filename}:{frames[0].f_lineno}" if frames else ""
    coroutine = task.get_coro()
    return f"{task.get_name()}: {getattr(coroutine, '__qualname__', coroutine)}{where}"
