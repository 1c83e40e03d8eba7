"""The steps a script is made of.

Each function returns a step: a callable that takes the run's state. Inside a step of your own, call it with the
state or without anything: `return scenario.succeed("done")`, `await scenario.user("hi")(state)` and
`await scenario.user("hi")()` all work.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from scenario.engine.replies import scripted_message
from scenario.errors import ConfigurationError
from scenario.scenario_state import ScenarioState, state_in_play
from scenario.types import ChatCompletionMessageParamWithTrace, ScenarioResult

Message: TypeAlias = ChatCompletionMessageParamWithTrace | Mapping[str, Any]
Callback: TypeAlias = Callable[[ScenarioState], None] | Callable[[ScenarioState], Awaitable[None]]


class Step:
    """A step of a script.

    Attributes:
        name: What was written to get it, for displays and logs.
    """

    __slots__ = ("_play", "name")

    def __init__(self, name: str, play: Callable[[ScenarioState], Awaitable[ScenarioResult | None]]) -> None:
        self.name = name
        self._play = play

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, state: ScenarioState | None = None) -> Awaitable[ScenarioResult | None]:
        """Play the step in a run.

        Args:
            state: State of the run; left out, the run in which the caller is.

        Raises:
            ConfigurationError: If there is no run.
        """
        if state is None:
            state = state_in_play.get()
        if state is None:
            raise ConfigurationError(
                f"the step {self.name}() was called outside of a run",
                "put it into `script=[…]`, or call it inside of a step with the state",
            )
        return self._play(state)

    def __repr__(self) -> str:
        return f"<step {self.name}>"


def message(message: Message) -> Step:
    """Add a message to the conversation as it is.

    A user's or an assistant's message takes the place of the user or the agent in the turn; any other message is
    only added.

    Args:
        message: A message in OpenAI's chat format.

    Raises:
        ConfigurationError: If it is not such a message.
    """
    entry = scripted_message(message, "scenario.message()")
    return Step("message", lambda state: state.director.message(entry))


def user(
    content: str | Message | None = None,
    *,
    voice_style: str | None = None,
    audio_effects: Sequence[Callable[[bytes], bytes]] | None = None,
) -> Step:
    """Let the user speak.

    Args:
        content: What the user says, as text or as a message; left out, the user simulator decides.
        voice_style: How it is said, in a voice conversation.
        audio_effects: What is done to the sound, in a voice conversation.

    Raises:
        ConfigurationError: If `content` is neither text nor a message.
    """
    said = _content(content, "scenario.user()")
    return Step(
        "user",
        lambda state: state.director.user(said, voice_style=voice_style, audio_effects=audio_effects),
    )


def agent(content: str | Message | None = None, *, wait: bool = True) -> Step:
    """Let the agent under test speak.

    Args:
        content: What the agent says, as text or as a message; left out, the agent is called.
        wait: Whether the script waits for the answer. If not, the turn goes on in the background and the next step
            that needs the conversation takes it.

    Raises:
        ConfigurationError: If `content` is neither text nor a message.
    """
    said = _content(content, "scenario.agent()")
    return Step("agent", lambda state: state.director.agent(said, wait=wait))


def judge(criteria: list[str] | None = None, additional_context: str | None = None) -> Step:
    """Ask the judge for its verdict now.

    Without criteria the verdict is final. With criteria it is a checkpoint: if they are met, the script goes on; if
    not, the run ends as failed.

    Args:
        criteria: Criteria of the checkpoint, in place of the judge's own.
        additional_context: Facts for this judgment that are not in the conversation.

    Raises:
        ConfigurationError: If `criteria` is not a list of texts.
    """
    if criteria is not None and (
        isinstance(criteria, str) or not all(isinstance(criterion, str) for criterion in criteria)  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not all typed
    ):
        raise ConfigurationError(
            f"scenario.judge() takes a list of criteria, not {criteria!r}", 'write judge(criteria=["…"])'
        )
    if criteria is not None and not all(criterion.strip() for criterion in criteria):
        raise ConfigurationError("one of the criteria of scenario.judge() is empty", "say what the agent must do")
    asked = None if criteria is None else list(criteria)
    return Step("judge", lambda state: state.director.judge(asked, additional_context))


def proceed(turns: int | None = None, on_turn: Callback | None = None, on_step: Callback | None = None) -> Step:
    """Let the conversation run by itself.

    Args:
        turns: Number of turns, a partly used current turn included; left out, until a verdict or the limit of turns.
        on_turn: Called with the state when a new turn has begun, before anybody speaks in it.
        on_step: Called with the state after each agent has spoken.

    Raises:
        ConfigurationError: If `turns` is not a positive number, or a callback cannot be called.
    """
    if turns is not None and (not isinstance(turns, int) or isinstance(turns, bool) or turns < 1):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not all typed
        raise ConfigurationError(f"proceed(turns={turns!r}): turns must be 1 or more", "leave the step out instead")
    for name, callback in (("on_turn", on_turn), ("on_step", on_step)):
        if callback is not None and not callable(callback):
            raise ConfigurationError(f"proceed({name}={callback!r}) is not callable", "pass a function of the state")
    return Step("proceed", lambda state: state.director.proceed(turns, on_turn, on_step))


def succeed(reasoning: str | None = None) -> Step:
    """End the run as passed.

    Args:
        reasoning: Why, for the result.
    """
    return Step("succeed", lambda state: state.director.succeed(reasoning))


def fail(reasoning: str | None = None) -> Step:
    """End the run as failed.

    Args:
        reasoning: Why, for the result.
    """
    return Step("fail", lambda state: state.director.fail(reasoning))


def _content(content: str | Message | None, where: str) -> str | dict[str, Any] | None:
    return content if content is None or isinstance(content, str) else scripted_message(content, where)
