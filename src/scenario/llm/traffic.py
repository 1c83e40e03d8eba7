"""The one way to models over HTTP that all of the process shares."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from scenario.llm.connection import Connection
from scenario.llm.io_loop import IoLoop
from scenario.llm.model_settings import ModelSettings
from scenario.llm.problem import Problem


@dataclass(frozen=True, slots=True)
class Exchange:
    """How a call went.

    Attributes:
        body: Body of the answer, when there is one.
        problem: What the service said instead, when it refused.
        attempts: Number of requests it took.
    """

    body: bytes
    problem: Problem | None
    attempts: int


class Exchanges(Protocol):
    """Makes calls, on the loop of the traffic."""

    async def make(
        self, connection: Connection, payload: bytes, settings: ModelSettings, name: str, seconds_left: float
    ) -> Exchange:
        """Post a payload until it is answered, refused for good, or the limits are used up."""
        ...


def _opened() -> AbstractAsyncContextManager[Exchanges]:
    # Loaded on the traffic's own thread at the first call: the HTTP client takes long to load, and nobody waits for it
    # who sends no request.
    from scenario.llm.exchange import opened_exchanges

    return opened_exchanges()


MODEL_TRAFFIC: IoLoop[Exchanges] = IoLoop(_opened, "scenario-model-traffic")
"""The loop that all requests to models are sent from."""
