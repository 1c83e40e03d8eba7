"""What script steps and agents may see and do in a run."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Annotated, Any, Protocol, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, PrivateAttr, SkipValidation

from scenario.agent_adapter import AgentAdapter
from scenario.config import ScenarioConfig
from scenario.errors import ConfigurationError
from scenario.transcript.text import message_text
from scenario.types import ChatCompletionMessageParamWithTrace, ScenarioResult

_Message: TypeAlias = ChatCompletionMessageParamWithTrace


class Director(Protocol):
    """What script steps and the state ask of the run."""

    agents: Sequence[AgentAdapter]
    fields: Mapping[str, Any]

    @property
    def timeline(self) -> Sequence[Any]:
        """What happened on the line so far."""
        ...

    def add_message(self, message: Any, from_agent_idx: int | None = None) -> None:
        """Add a message to the conversation."""
        ...

    def rollback_messages_to(self, index: int) -> list[Any]:
        """Remove the messages from `index` on."""
        ...

    async def message(self, message: Any) -> ScenarioResult | None:
        """Add a scripted message, taking its author's place in the turn."""
        ...

    async def user(
        self, content: Any = None, *, voice_style: str | None = None, audio_effects: Any = None
    ) -> ScenarioResult | None:
        """Let the user speak."""
        ...

    async def agent(self, content: Any = None, *, wait: bool = True) -> ScenarioResult | None:
        """Let the agent under test speak."""
        ...

    async def judge(
        self, criteria: list[str] | None = None, additional_context: str | None = None
    ) -> ScenarioResult | None:
        """Ask the judge for its verdict."""
        ...

    async def proceed(
        self, turns: int | None = None, on_turn: Any = None, on_step: Any = None
    ) -> ScenarioResult | None:
        """Let the conversation run by itself."""
        ...

    async def send(self, sound: Any) -> ScenarioResult | None:
        """Send sound that is not speech of a turn."""
        ...

    async def interrupt(self, content: Any, cue: Any) -> ScenarioResult | None:
        """Let the user speak into the agent's turn."""
        ...

    async def succeed(self, reasoning: str | None = None) -> ScenarioResult:
        """End the run as passed."""
        ...

    async def fail(self, reasoning: str | None = None) -> ScenarioResult:
        """End the run as failed."""
        ...


class HasCriteria(Protocol):
    """An agent that judges by criteria."""

    criteria: list[str]


class ScenarioState(BaseModel):
    """The state of a run.

    Attributes:
        description: Description of the scenario.
        messages: The conversation so far, in OpenAI's chat format.
        thread_id: Id of the conversation.
        current_turn: Number of the turn; the first is 0.
        config: The run's settings.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    description: str
    messages: Annotated[list[_Message], SkipValidation]
    thread_id: str
    current_turn: int
    config: ScenarioConfig

    _executor: Director = PrivateAttr()

    @property
    def director(self) -> Director:
        """What plays the steps of the run."""
        return self._executor

    def attach(self, director: Director) -> None:
        """Say what plays the steps of the run."""
        self._executor = director

    def add_message(self, message: _Message) -> None:
        """Add a message to the conversation; every agent hears it.

        Args:
            message: A message in OpenAI's chat format; it is copied.

        Raises:
            ConfigurationError: If it is not such a message.
        """
        self._executor.add_message(message)

    def rollback_messages_to(self, index: int) -> list[_Message]:
        """Remove the messages from position `index` on and return them. Turn numbers stay.

        Raises:
            ValueError: If `index` is negative.
        """
        return self._executor.rollback_messages_to(index)

    def last_message(self) -> _Message:
        """Return the last message.

        Raises:
            ValueError: If there is none.
        """
        if not self.messages:
            raise ValueError("No messages found")
        return self.messages[-1]

    def last_user_message(self) -> _Message:
        """Return the last message of the user.

        Raises:
            ValueError: If there is none.
        """
        for message in reversed(self.messages):
            if message["role"] == "user":
                return message
        raise ValueError("No user messages found")

    def last_tool_call(self, tool_name: str) -> dict[str, Any] | None:
        """Return the last call of a tool in the conversation, in OpenAI's format, or None."""
        for message in reversed(cast(list[dict[str, Any]], self.messages)):
            calls: list[dict[str, Any]] = (message.get("tool_calls") if message["role"] == "assistant" else None) or []
            for call in reversed(calls):
                function: dict[str, Any] = call.get("function") or {}
                if function.get("name") == tool_name:
                    return call
        return None

    def has_tool_call(self, tool_name: str) -> bool:
        """Tell whether a tool was called in the conversation."""
        return self.last_tool_call(tool_name) is not None

    def set_effects(self, effects: Sequence[Any]) -> None:
        """Set the audio effects of the simulated users from now on.

        Raises:
            ConfigurationError: As long as the conversation is text.
        """
        raise ConfigurationError("audio effects need a voice, and this conversation is text", "leave them out")

    @property
    def timeline(self) -> list[Any]:
        """What happened on the line so far; empty for text."""
        return list(self._executor.timeline)

    @property
    def fields(self) -> dict[str, Any]:
        """The fields given to the run."""
        return dict(self._executor.fields)

    def field(self, name: str) -> Any:
        """Return one of the fields given to the run; a missing or empty one is None."""
        value = self._executor.fields.get(name)
        return None if value == "" else value

    @property
    def criteria(self) -> list[str]:
        """The criteria of all judges, in declared order."""
        judges = (agent for agent in self._executor.agents if isinstance(getattr(agent, "criteria", None), list))
        return [criterion for judge in judges for criterion in cast(HasCriteria, judge).criteria]

    def first_user_message(self) -> str:
        """Return the text of the first user message, or an empty one."""
        return next((message_text(m) for m in self.messages if m["role"] == "user"), "")

    def last_agent_message(self) -> str:
        """Return the text of the last message of the agent, or an empty one."""
        return next((message_text(m) for m in reversed(self.messages) if m["role"] == "assistant"), "")

    def transcript(self) -> str:
        """Return the conversation as text, one message a line."""
        return "\n".join(f"{message['role']}: {message_text(message)}" for message in self.messages)


# A step that is called without its state finds the run it is in here.
state_in_play: ContextVar[ScenarioState | None] = ContextVar("scenario_state_in_play", default=None)
