"""Every event of a run, typed.

The engine emits them in order and goes on; listeners decide what to do about them. `at` is the run's own clock
(seconds since the run began), `wall_time` is Unix time in seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from scenario.types import AgentRole, CriterionResult, Outcome, ScenarioResult, StopReason
from scenario.usage import TokenUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Where and when an event belongs.

    Attributes:
        run_id: Id of the run.
        sequence: 1, 2, 3 … within the run.
        at: Seconds since the run began, on the run's clock.
        wall_time: Unix time, in seconds.
    """

    run_id: str
    sequence: int
    at: float
    wall_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDescription:
    """An agent that takes part in a run.

    Attributes:
        name: Name shown for it.
        role: Who it is in the conversation.
    """

    name: str
    role: AgentRole


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins.

    Attributes:
        origin: What it begins in, the id of a test for example; empty when nobody tells.
    """

    stamp: Stamp
    name: str
    description: str
    agents: Sequence[AgentDescription]
    set_id: str
    batch_run_id: str
    thread_id: str
    seed: int
    verbose: int
    origin: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted:
    """A turn begins; the first is number 0."""

    stamp: Stamp
    turn: int
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted:
    """An agent is asked for its part."""

    stamp: Stamp
    turn: int
    agent: AgentDescription


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFinished:
    """An agent has given its part, or failed to.

    Attributes:
        duration: Seconds it took.
        error: What went wrong; empty when nothing did.
    """

    stamp: Stamp
    turn: int
    agent: AgentDescription
    duration: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCalled:
    """A model answered a call made on behalf of the run.

    Attributes:
        role: Who called it.
        model: Name of the model.
        usage: What the call used.
        duration: Seconds from the first request to the answer.
        attempts: Requests it took, retries included.
    """

    stamp: Stamp
    role: AgentRole
    model: str
    usage: TokenUsage
    duration: float
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdded:
    """A message entered the conversation.

    Attributes:
        index: Its position in the conversation.
        message: The message, not to be changed.
        author: The agent that produced it; None when a script did.
    """

    stamp: Stamp
    index: int
    message: Mapping[str, Any]
    author: AgentDescription | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRemoved:
    """The conversation was rolled back; messages from `index` on are gone."""

    stamp: Stamp
    index: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step of the script returned.

    Attributes:
        step: Its position in the script.
        name: Name of the step's function.
    """

    stamp: Stamp
    step: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointReached:
    """A judge judged criteria given in the script."""

    stamp: Stamp
    criteria: Sequence[CriterionResult]
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a person reading along should know, for example that a limit is near."""

    stamp: Stamp
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run ended. Emitted once, on every path.

    Attributes:
        result: The result; for a run that raised, a failing one that tells what happened.
        error: What was raised, as text; empty when nothing was.
    """

    stamp: Stamp
    outcome: Outcome
    stop_reason: StopReason
    result: ScenarioResult
    error: str = ""


RunEvent: TypeAlias = (
    RunStarted
    | TurnStarted
    | CallStarted
    | CallFinished
    | ModelCalled
    | MessageAdded
    | MessagesRemoved
    | StepFinished
    | CheckpointReached
    | Notice
    | RunFinished
)
