"""A model server on this machine that speaks OpenAI's chat completions, for tests and benchmarks.

`python -m scenario.testing.local_model_server` runs one in a process of its own.
"""

import asyncio
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from scenario.errors import ConfigurationError
from scenario.testing.answer_sources import AnswerSource
from scenario.testing.completion_service import CompletionService, ReceivedRequest
from scenario.testing.connection import Connection, Responder, Traffic
from scenario.testing.fault_plan import Predicate
from scenario.testing.faults import Fault

_BACKLOG = 4096
_CLOSING_SECONDS = 5.0


class LocalModelServer:
    """An OpenAI-compatible model server on loopback, as strict as the real service.

    It runs on a thread of its own from `with` or `async with` to their end, or from `start` to `close`.

    Args:
        answer: What it answers: a text for every request; a list, answered in order; a function of messages and tools;
            a model. By default the offline models do: the one the request names (`offline/user`, `judge`, …), else the
            judge if the request offers a judge's tools and the user if not.
        latency: Time from a request to its answer, in seconds.
        api_key: Key that requests must carry; by default none is needed.
        models: Names of the models it has; by default it knows every name.
        strict: Whether requests are checked as the real service checks them.
        port: Port to listen on; 0 takes a free one.
        seed: Seed of the faults that happen by chance.

    Example:
        ```python
        with LocalModelServer(["hello", "goodbye"]) as server:
            model = scenario.ModelConfig(model="openai/any", api_base=server.url, api_key="none")
        ```
    """

    def __init__(
        self,
        answer: AnswerSource = None,
        *,
        latency: float = 0.0,
        api_key: str | None = None,
        models: Sequence[str] = (),
        strict: bool = True,
        port: int = 0,
        seed: int = 0,
    ) -> None:
        self._service = CompletionService(
            answer, latency=latency, api_key=api_key, models=models, strict=strict, seed=seed
        )
        self._listener = Listener(self._service.respond, port)

    @property
    def url(self) -> str:
        """Base URL for clients; it ends in `/v1`."""
        return f"{self.origin}/v1"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self._listener.origin

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Bodies of the chat completion requests so far, oldest first; refused ones included."""
        return [request.body for request in self._service.received]

    @property
    def received(self) -> list[ReceivedRequest]:
        """The chat completion requests so far, with path and headers."""
        return list(self._service.received)

    @property
    def calls(self) -> int:
        """Number of chat completion requests so far."""
        return len(self._service.received)

    @property
    def in_flight(self) -> int:
        """Number of requests that are waiting for their answer."""
        return self._listener.traffic.in_flight

    @property
    def max_in_flight(self) -> int:
        """The most requests that waited at the same time."""
        return self._listener.traffic.max_in_flight

    @property
    def connections(self) -> int:
        """Number of open connections."""
        return len(self._listener.traffic.connections)

    @property
    def connections_accepted(self) -> int:
        """Number of connections so far."""
        return self._listener.traffic.accepted

    def set_answer(self, answer: AnswerSource) -> None:
        """Answer from something else from now on."""
        self._service.set_answer(answer)

    def set_latency(self, latency: float) -> None:
        """Answer `latency` seconds after the request from now on."""
        self._service.set_latency(latency)

    def fail_next(self, *faults: Fault | None, times: int = 1) -> None:
        """Plan faults for the next requests that would be answered.

        Args:
            *faults: One fault a request, in order; None lets a request pass.
            times: How often the whole row is planned.
        """
        self._service.faults.fail_next(faults, times)

    def inject(
        self, fault: Fault, *, probability: float = 1.0, when: Predicate | None = None, times: int | None = None
    ) -> None:
        """Plan a fault for all requests that a rule picks, until `heal`.

        Args:
            fault: The fault.
            probability: Share of the picked requests that meet it, drawn from the server's seed.
            when: Picks requests by their body; by default all.
            times: How many requests meet it at most; by default no limit.
        """
        self._service.faults.inject(fault, probability, when, times)

    def heal(self) -> None:
        """Forget all planned faults."""
        self._service.faults.clear()

    def wait_for_calls(self, count: int, timeout: float = 5.0) -> None:
        """Block until `count` chat completion requests have arrived. On an event loop, use `to_thread`.

        Raises:
            TimeoutError: If they have not within `timeout` seconds.
        """
        self._service.wait_for_calls(count, timeout)

    def start(self) -> Self:
        """Start to answer. The port is open before this returns.

        Raises:
            ConfigurationError: If it was started before.
        """
        self._listener.start()
        return self

    def close(self) -> None:
        """Drop all connections and stop. Closing twice is allowed."""
        self._listener.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)


class Listener:
    """Accepts connections on loopback and serves them on a thread with an event loop of its own.

    Args:
        respond: Answers requests.
        port: Port to listen on; 0 takes a free one.
    """

    def __init__(self, respond: Responder, port: int = 0) -> None:
        self.traffic = Traffic(set())
        self._respond = respond
        self._port = port
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._running = threading.Event()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        if self._socket is None:
            raise ConfigurationError("the model server is not running", "use it inside `with`, or call start() first")
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Open the port and start the thread."""
        if self._thread is not None:
            raise ConfigurationError("the model server was already started", "make a new one for each use")
        self._socket = socket.create_server(("127.0.0.1", self._port), backlog=_BACKLOG)
        self._port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(self._socket,), name="local-model-server", daemon=True)
        self._thread.start()
        self._running.wait(_CLOSING_SECONDS)

    def close(self) -> None:
        """Stop, and wait for the thread to end."""
        if self._thread is None or self._socket is None:
            return
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # the loop is closed: the thread ended already
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_CLOSING_SECONDS)
        self._socket.close()

    def _run(self, listening: socket.socket) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            server = await self._loop.create_server(
                lambda: Connection(self._respond, self.traffic, tasks), sock=listening, backlog=_BACKLOG
            )
            self._running.set()
            await self._stop.wait()
            server.close()
            for connection in list(self.traffic.connections):
                connection.abort()


def _main() -> None:
    from scenario.testing.server_process import main

    main()


if __name__ == "__main__":
    _main()
