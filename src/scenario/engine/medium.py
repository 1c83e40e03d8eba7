"""What carries the conversation: text here, voice elsewhere.

The engine decides who speaks; the medium decides how it reaches the others and when it is over.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from scenario.agent_adapter import AgentAdapter
from scenario.errors import ConfigurationError
from scenario.run_events import RunEvent, Stamp
from scenario.types import AgentInput, AgentReturnTypes, ScenarioResult

if TYPE_CHECKING:
    from asyncio import Task

AudioEffect: TypeAlias = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How something is said, where the medium has a voice.

    Attributes:
        style: Manner of speaking.
        effects: What is done to the sound, in order.
    """

    style: str | None = None
    effects: Sequence[AudioEffect] = ()

    @property
    def is_plain(self) -> bool:
        """Whether nothing special is asked for."""
        return self.style is None and not self.effects


@dataclass(frozen=True, slots=True)
class Cue:
    """When the user speaks into an agent's turn.

    Attributes:
        after: Seconds of the agent's speech; None to wait for its beginning only.
        after_words: Words of the agent's speech, in place of seconds.
        wait_for_speech: Seconds to wait for the agent to speak at all.
    """

    after: float | None = None
    after_words: int | None = None
    wait_for_speech: float = 8.0


class RunView(Protocol):
    """What a medium may do to the run it carries."""

    @property
    def agents(self) -> Sequence[AgentAdapter]:
        """The agents, in declared order."""
        ...

    def rng(self, name: str) -> Random:
        """Return the random generator that belongs to `name` in the current turn."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> "Task[None]":
        """Run `work` beside the script; it is cancelled and awaited when the run ends."""
        ...

    def add_message(self, message: Mapping[str, Any], author: int | None = None) -> None:
        """Add a message to the conversation; `author` is the index of the agent that does not hear it."""
        ...

    def drop_queue(self, index: int) -> None:
        """Make agent `index` forget what it has not yet heard."""
        ...

    def stamp(self) -> Stamp:
        """Return the stamp of an event that happens now."""
        ...

    def emit(self, event: RunEvent) -> None:
        """Tell listeners what happened on the line."""
        ...

    def notice(self, text: str) -> None:
        """Tell listeners something a person should know."""
        ...

    async def cancel_pending_turn(self) -> bool:
        """Cancel the background turn of an agent, if there is one, and await its end."""
        ...

    @property
    def has_pending_turn(self) -> bool:
        """Whether an agent's background turn is under way."""
        ...


class Medium(Protocol):
    """Carries one run's conversation."""

    @property
    def can_interrupt(self) -> bool:
        """Whether what the user says may reach an agent that is still answering."""
        ...

    @property
    def limits_agent_turns(self) -> bool:
        """Whether the medium bounds agents' turns by limits of its own, in place of the run's `agent_timeout`."""
        ...

    @property
    def timeline(self) -> Sequence[Any]:
        """What happened on the line so far; empty for text."""
        ...

    def check(self) -> None:
        """Refuse what this medium cannot carry, before anything is opened.

        Raises:
            ConfigurationError: If the agents do not fit the medium.
        """
        ...

    async def open(self, run: RunView) -> None:
        """Connect everything the conversation needs."""
        ...

    async def user_turn(self, text: str, delivery: Delivery) -> Mapping[str, Any]:
        """Say `text` as the user and return the message that stands for it in the conversation."""
        ...

    def agent_turn(self, index: int, input: AgentInput, delivery: Delivery) -> Awaitable[AgentReturnTypes]:
        """Have agent `index`, of whatever role, take its turn and return its answer."""
        ...

    async def send(self, sound: Any) -> None:
        """Send sound that is not speech of a turn: silence, a clip, tones."""
        ...

    async def interrupt(self, message: Mapping[str, Any], delivery: Delivery, cue: Cue | None) -> Mapping[str, Any]:
        """Say the user's `message` into an agent's pending turn.

        The medium decides when it lands (at the cue, if there is one) and whether the turn is cut; what was heard of
        a cut turn it adds itself.

        Returns:
            The message that stands for it in the conversation, which the engine then adds.
        """
        ...

    async def finish(self, result: ScenarioResult) -> ScenarioResult:
        """Add to the result what only the medium knows; also to that of a run that raised."""
        ...

    async def aclose(self) -> None:
        """Close everything; called once, also after a failed `open`."""
        ...


MediumFactory: TypeAlias = Callable[[Sequence[AgentAdapter]], Medium]


class TextMedium:
    """Carries text: what is said is heard at once and whole."""

    can_interrupt = False
    limits_agent_turns = False

    def __init__(self, agents: Sequence[AgentAdapter]) -> None:
        self._agents = agents
        self.timeline: Sequence[Any] = ()

    def check(self) -> None:
        """Accept every agent."""

    async def open(self, run: RunView) -> None:
        """Connect nothing: text needs no line."""

    async def user_turn(self, text: str, delivery: Delivery) -> Mapping[str, Any]:
        """Return the text as a user message."""
        _require_plain(delivery)
        return {"role": "user", "content": text}

    def agent_turn(self, index: int, input: AgentInput, delivery: Delivery) -> Awaitable[AgentReturnTypes]:
        """Call the agent and return its answer."""
        _require_plain(delivery)
        return self._agents[index].call(input)

    async def send(self, sound: Any) -> None:
        """Refuse: text has no sound."""
        raise ConfigurationError(
            "sound cannot be sent in a text conversation", "use a voice agent, or leave out the step"
        )

    async def interrupt(self, message: Mapping[str, Any], delivery: Delivery, cue: Cue | None) -> Mapping[str, Any]:
        """Refuse: text arrives whole."""
        raise ConfigurationError(
            "a text conversation cannot be interrupted", "use a voice agent, or leave out the step"
        )

    async def finish(self, result: ScenarioResult) -> ScenarioResult:
        """Return the result as it is."""
        return result

    async def aclose(self) -> None:
        """Close nothing."""


def _require_plain(delivery: Delivery) -> None:
    if not delivery.is_plain:
        raise ConfigurationError(
            "`voice_style` and `audio_effects` need a voice, and this conversation is text",
            "leave them out, or use a voice agent and a simulator with a voice",
        )
