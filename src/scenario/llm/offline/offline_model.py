"""What the offline models share: they answer at once, from rules, and say what they would have cost."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from scenario.llm.chat_model import Message, ModelReply, ModelRequest, ModelToolCall
from scenario.usage import TokenUsage

_call_numbers = count(1)


class OfflineModel(ABC):
    """A model that follows rules: it answers at once, without any I/O, and always the same.

    Attributes:
        name: Name of the model, `offline/…`.
    """

    name: str

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer one request."""
        return self.answer(request)

    @abstractmethod
    def answer(self, request: ModelRequest) -> ModelReply:
        """Answer one request, without an event loop."""


def text_reply(text: str, request: ModelRequest, model: str) -> ModelReply:
    """Return a text as a reply, with the tokens it would have used."""
    return with_estimates(ModelReply(text=text), request, model)


def tool_reply(calls: Iterable[ModelToolCall], request: ModelRequest, model: str) -> ModelReply:
    """Return tool calls as a reply, with the tokens they would have used."""
    return with_estimates(ModelReply(tool_calls=tuple(calls), finish_reason="tool_calls"), request, model)


def model_tool_call(name: str, arguments: str) -> ModelToolCall:
    """Return a tool call with an id that no other call of this process has."""
    return ModelToolCall(id=f"call_offline{next(_call_numbers):08d}", name=name, arguments=arguments)


def with_estimates(reply: ModelReply, request: ModelRequest, model: str) -> ModelReply:
    """Return a reply with usage estimated and a price of nothing, where it does not say itself, and its model named."""
    usage = reply.usage
    if usage == TokenUsage():
        written = len(reply.text) + sum(len(call.name) + len(call.arguments) for call in reply.tool_calls)
        read = sum(_length(message.get("content")) for message in request.messages)
        usage = TokenUsage(input_tokens=_tokens(read), output_tokens=_tokens(written), cost_usd=0.0)
    return replace(reply, usage=usage, model=reply.model or model)


def text_of(message: Message) -> str:
    """Return the text of a message, the text parts of its content joined by spaces."""
    content: Any = message.get("content")
    if isinstance(content, str):
        return content
    return " ".join(_texts(content))


def text_of_role(messages: Sequence[Message], role: str) -> str:
    """Return the text of the first message of a role, or `""`."""
    return next((text_of(message) for message in messages if message.get("role") == role), "")


def _texts(content: Any) -> Iterable[str]:
    for part in content or ():
        if isinstance(part, Mapping) and isinstance(text := part.get("text"), str):  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # parts come from any provider
            yield text


def _length(content: Any) -> int:
    return len(content) if isinstance(content, str) else sum(len(text) for text in _texts(content))


def _tokens(characters: int) -> int:
    return (characters + 3) // 4
