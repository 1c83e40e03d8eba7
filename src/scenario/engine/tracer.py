"""Gives each turn a trace and each agent call a span."""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from scenario.agent_adapter import AgentAdapter


@dataclass(frozen=True, slots=True)
class TurnTrace:
    """The trace of a turn.

    Attributes:
        trace_id: 32 hexadecimal digits.
    """

    trace_id: str


@dataclass(frozen=True, slots=True)
class CallTrace:
    """The span of one agent call.

    Attributes:
        headers: W3C trace context (`traceparent`, `tracestate`) for requests the agent makes.
    """

    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Tracer(Protocol):
    """Traces a run. A turn may be opened in one task and closed in another; a call never is."""

    def turn(self, number: int) -> AbstractContextManager[TurnTrace]:
        """Open the trace of turn `number`; the first is 0."""
        ...

    def call(self, turn: TurnTrace, agent: AgentAdapter) -> AbstractContextManager[CallTrace]:
        """Open the span of a call of `agent`; an exception that leaves it belongs to the span."""
        ...


# Not for secrets: a call to the system for every id would hand the interpreter to other threads each time.
_ids = Random()


class RandomIdTracer:
    """Records nothing, and gives out ids a real tracer could have given (W3C Trace Context, level 1)."""

    @contextmanager
    def turn(self, number: int) -> Generator[TurnTrace]:
        """Give the turn a random trace id."""
        yield TurnTrace(f"{_ids.getrandbits(128):032x}")

    @contextmanager
    def call(self, turn: TurnTrace, agent: AgentAdapter) -> Generator[CallTrace]:
        """Give the call a random span id, marked as not recorded."""
        yield CallTrace({"traceparent": f"00-{turn.trace_id}-{_ids.getrandbits(64):016x}-00"})
