"""The one way to models over HTTP that all of the process shares."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from scenario.llm.call_result import CallResult
from scenario.llm.connection import Connection
from scenario.llm.io_loop import IoLoop
from scenario.llm.model_settings import ModelSettings


class Exchanges(Protocol):
    """Makes calls, on the loop of the traffic."""

    async def make(
        self, connection: Connection, payload: bytes, settings: ModelSettings, name: str, seconds_left: float
    ) -> CallResult:
        """Post a payload until it is answered, refused for good, or the limits are used up."""
        ...


def _opened() -> AbstractAsyncContextManager[Exchanges]:
    # Loaded on the traffic's own thread at the first call: the HTTP client takes long to load, and nobody waits for it
    # who sends no request.
    from scenario.llm.exchange import opened_exchanges

    return opened_exchanges()


MODEL_TRAFFIC: IoLoop[Exchanges] = IoLoop(_opened, "scenario-model-traffic")
"""The loop that all requests to models are sent from."""
