"""Watches a run and may overrule its verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scenario.agent_adapter import AgentAdapter
from scenario.types import ScenarioResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What led to an agent's turn, and the turn itself.

    Attributes:
        turn: Number of the turn; the first is 0.
        agent: The agent that spoke.
        heard: The messages that were new to it.
        said: The messages it produced.
        messages: The whole conversation, these included.
    """

    turn: int
    agent: AgentAdapter
    heard: Sequence[Mapping[str, Any]]
    said: Sequence[Mapping[str, Any]]
    messages: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Halt:
    """Asks that nobody speaks any more. The script's checks and the judge still have their say.

    Attributes:
        reason: Why, for the result.
    """

    reason: str


class RunGuard(Protocol):
    """Watches one or several runs at once; what it remembers of a run, it keeps by `thread_id`."""

    async def after_agent_turn(self, exchange: Exchange, thread_id: str) -> Halt | None:
        """See each turn of an agent under test; a `Halt` ends the conversation."""
        ...

    async def before_result(self, result: ScenarioResult) -> ScenarioResult:
        """See the result before anybody else, and give back the one that counts."""
        ...

    def forget(self, thread_id: str) -> None:
        """Let go of what is remembered of a run that has ended, in whatever way."""
        ...
