"""A model server on this machine that speaks OpenAI's chat completions, for tests and benchmarks.

`python -m scenario.testing.local_model_server` runs one in a process of its own.
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from scenario.errors import ConfigurationError
from scenario.testing.answer_sources import AnswerSource
from scenario.testing.canned_service import CannedService
from scenario.testing.completion_service import CompletionService, ReceivedRequest
from scenario.testing.fault_plan import Predicate
from scenario.testing.faults import Fault
from scenario.testing.listener import Listener
from scenario.testing.server_process import read_options, serve_until_stopped

_CANNED_TEXT = "ok, and then?"


class LocalModelServer:
    """An OpenAI-compatible model server on loopback, as strict as the real service.

    It runs from `with` or `async with` to their end, or from `start` to `close`, on a thread of its own unless told
    otherwise.

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
        own_thread: Whether it runs on a thread of its own. Otherwise it shares the loop it is opened on, with
            `async with`: on a loop of simulated time, its latency is simulated too.

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
        own_thread: bool = True,
    ) -> None:
        self._own_thread = own_thread
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

    def wait_until_idle(self, timeout: float = 5.0) -> None:
        """Block until no request is in flight any more. On an event loop, use `to_thread`.

        Raises:
            TimeoutError: If one still is after `timeout` seconds.
        """
        traffic = self._listener.traffic
        if traffic.in_flight and not traffic.idle.wait(timeout):
            raise TimeoutError(f"{traffic.in_flight} requests are still in flight after {timeout:g} s")

    def start(self) -> Self:
        """Start to answer. The port is open before this returns.

        Raises:
            ConfigurationError: If it was started before, or is not to have a thread of its own.
        """
        if not self._own_thread:
            raise ConfigurationError("this model server is to share an event loop", "open it with `async with`")
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
        if self._own_thread:
            return await asyncio.to_thread(self.start)
        await self._listener.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._own_thread:
            await asyncio.to_thread(self.close)
        else:
            await self._listener.aclose()


def _main() -> None:
    options = read_options()
    if options.fast:
        serving = Listener(CannedService(options.answer or _CANNED_TEXT, options.latency).respond, options.port)
        serve_until_stopped(serving, "/v1")
        return
    server = LocalModelServer(options.answer, latency=options.latency, api_key=options.api_key, port=options.port)
    serve_until_stopped(server, "/v1")


if __name__ == "__main__":
    _main()
