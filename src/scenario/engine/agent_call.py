"""Calls one agent: with its input, inside its span, within its time, and with its errors told apart."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from scenario.agent_adapter import AgentAdapter
from scenario.engine.replies import error_text
from scenario.engine.worker_thread import in_worker_thread
from scenario.errors import AgentError, AgentReplyError, AgentTimeoutError, ScenarioError
from scenario.types import AgentInput


@dataclass(frozen=True, slots=True, kw_only=True)
class CallUnderWay:
    """An agent call that has not returned yet.

    Attributes:
        agent: Name shown for the agent.
        since: When it began, on the system's monotonic clock, in seconds.
        limit: When it must be over, in seconds after `since`; None for no limit.
    """

    agent: str
    since: float
    limit: float | None


class CallsUnderWay:
    """The agent calls of a run that have not returned; read by a watchdog on another thread."""

    def __init__(self) -> None:
        self._calls: dict[int, CallUnderWay] = {}

    def begin(self, key: int, agent: str, limit: float | None) -> None:
        """Note that a call begins."""
        # The watchdog looks from outside the loop, whose own clock may be simulated.
        self._calls[key] = CallUnderWay(agent=agent, since=time.monotonic(), limit=limit)

    def end(self, key: int) -> None:
        """Note that a call is over."""
        self._calls.pop(key, None)

    def oldest(self) -> CallUnderWay | None:
        """Return the call that began first."""
        return min(tuple(self._calls.values()), key=lambda call: call.since, default=None)


def calls_in_a_thread(agent: AgentAdapter) -> bool:
    """Tell whether an agent's `call` is a plain function, which must not run on the loop."""
    call = agent.call
    return not (inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None)))  # noqa: B004


class ThreadedAgent(AgentAdapter):
    """An agent whose plain `call` runs in a worker thread."""

    def __init__(self, agent: AgentAdapter) -> None:
        self._agent = agent
        self._call: Callable[[AgentInput], Any] = agent.call

    async def call(self, input: AgentInput) -> Any:
        """Call the agent in a worker thread; an awaitable that it returns is awaited here."""
        reply = await in_worker_thread(lambda: self._call(input), name=f"scenario-{type(self._agent).__name__}")
        return await reply if inspect.isawaitable(reply) else reply


async def within(limit: float | None, agent: AgentAdapter, work: Awaitable[Any]) -> Any:
    """Await an agent's answer for at most `limit` seconds.

    Raises:
        AgentTimeoutError: If it takes longer.
    """
    deadline = asyncio.timeout(limit)
    try:
        async with deadline:
            return await work
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise AgentTimeoutError(
            f"[{type(agent).__name__}] did not answer within {limit:g} s",
            "raise `agent_timeout`, or find out what the agent waits for",
        ) from error


def agent_error(agent: AgentAdapter, error: Exception) -> AgentError:
    """Return the error that tells which agent failed, and how."""
    if isinstance(error, AgentTimeoutError):
        return error
    kind = AgentReplyError if isinstance(error, AgentReplyError) else AgentError
    fix = error.fix if isinstance(error, ScenarioError) else ""
    return kind(f"[{type(agent).__name__}] {error_text(error)}", fix)
