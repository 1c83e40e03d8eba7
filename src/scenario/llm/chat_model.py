"""The seam to models: a request goes in, a reply comes out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, Union, runtime_checkable

from scenario.usage import TokenUsage

if TYPE_CHECKING:
    from scenario.config import ModelConfig

Message: TypeAlias = Mapping[str, Any]
"""A message of OpenAI's chat format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function the model may call.

    Attributes:
        name: Name of the function.
        description: What it does, for the model.
        parameters: JSON schema of its arguments, an object.
        strict: Whether the provider is asked to enforce the schema.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    strict: bool = False


@dataclass(frozen=True, slots=True)
class ForcedTool:
    """A tool choice that leaves the model no choice.

    Attributes:
        name: Name of the tool it must call.
    """

    name: str


ToolChoice: TypeAlias = Literal["auto", "required", "none"] | ForcedTool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """What a model is asked.

    Attributes:
        messages: The prompt, in OpenAI's chat format; keys that are not of the format are not sent.
        tools: Functions the model may call.
        tool_choice: Whether it may, must or must not call one; without `tools` it is ignored.
        temperature: Sampling temperature, or None for the provider's own.
        max_tokens: Limit of tokens of the answer, or None for the provider's own.
        seed: Seed of the sampling, for providers that take one.
        extra: Further members of the request's body, as the provider calls them.
    """

    messages: Sequence[Message]
    tools: Sequence[Tool] = ()
    tool_choice: ToolChoice = "auto"
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelToolCall:
    """A tool call of a model, not yet trusted.

    Attributes:
        id: Id that the tool's answer refers to.
        name: Name of the function.
        arguments: Arguments as the model wrote them; meant to be the JSON text of an object.
        echo: Further members that the provider wants back with the call in later requests.
    """

    id: str
    name: str
    arguments: str
    echo: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """What a model answered.

    Attributes:
        text: Text of the answer, `""` when there is none.
        tool_calls: Tool calls, in the model's order.
        usage: Tokens and cost of the call that succeeded.
        finish_reason: Why the model stopped: `stop`, `length`, `tool_calls`, `content_filter`, or the provider's word.
        model: Name the provider gives for the model that answered.
        attempts: Number of requests it took, retries included.
        duration: Time from the first request to the answer, in seconds.
        echo: Further members that the provider wants back with this message in later requests.
    """

    text: str = ""
    tool_calls: Sequence[ModelToolCall] = ()
    usage: TokenUsage = field(default_factory=TokenUsage)
    finish_reason: str = "stop"
    model: str = ""
    attempts: int = 1
    duration: float = 0.0
    echo: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def as_message(self) -> dict[str, Any]:
        """Return the answer as the assistant message that later requests carry."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None, **self.echo}
        if self.tool_calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                    **call.echo,
                }
                for call in self.tool_calls
            ]
        elif not self.text:
            message["content"] = ""
        return message


@runtime_checkable
class ChatModel(Protocol):
    """A model that holds a conversation."""

    @property
    def name(self) -> str:
        """Name of the model, `provider/model`."""
        ...

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer one request.

        Raises:
            ModelError: If no usable answer could be had; see `scenario.errors` for the kinds.
        """
        ...


ModelFunction: TypeAlias = Callable[
    [list[dict[str, Any]], list[dict[str, Any]]], Awaitable[str | ModelReply] | str | ModelReply
]
"""A function of messages and tools, both in OpenAI's chat format, plain or async, that stands in for a model."""

ModelSpec: TypeAlias = Union[str, "ModelConfig", ChatModel, ModelFunction]  # the quoted name needs it
"""What names a model: `provider/model`, a configuration, a chat model, or a function."""
