"""The reply of a model, read from the answer of a chat-completions request."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenario.errors import (
    ContentFilterError,
    EmptyAnswerError,
    MalformedAnswerError,
    TruncatedAnswerError,
)
from scenario.llm.chat_model import ModelReply, ModelToolCall
from scenario.llm.json_values import is_array, is_object
from scenario.llm.prices import Price
from scenario.usage import TokenUsage

_FINISH_REASONS = {
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "max_length": "length",
    "model_length": "length",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
}
_THOUGHTS = re.compile(r"\s*<think(?:ing)?>.*?</think(?:ing)?>\s*", re.DOTALL)
_OPEN_THOUGHTS = re.compile(r"\s*<think(?:ing)?>")
_END_OF_THOUGHTS = re.compile(r"</think(?:ing)?>\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFacts:
    """What must be known to read a model's answers.

    Attributes:
        name: Name of the model, for errors.
        price: Price of its tokens, or None when it is not known.
        reports_cost: Whether the answer names its price itself.
        thinks_inline: Whether thoughts may stand in the text.
        echoed: Members of the message that later requests must carry.
        echoed_in_calls: Members of its tool calls that later requests must carry.
    """

    name: str
    price: Price | None = None
    reports_cost: bool = False
    thinks_inline: bool = True
    echoed: frozenset[str] = frozenset()
    echoed_in_calls: frozenset[str] = frozenset()


def read_reply(answer: Mapping[str, Any], facts: ReplyFacts, attempts: int = 1, duration: float = 0.0) -> ModelReply:
    """Return the reply that an answer holds.

    Args:
        answer: The decoded body.
        facts: What is known of the model.
        attempts: Number of requests it took.
        duration: Time it took, in seconds.

    Raises:
        MalformedAnswerError: If the answer does not have the shape of the API.
        ContentFilterError: If the provider withheld it, or the model refused.
        TruncatedAnswerError: If it was cut before there was anything of use.
        EmptyAnswerError: If there is neither text nor a tool call.
    """
    choices: Any = answer.get("choices")
    choice: Any = choices[0] if is_array(choices) and choices else None
    message: Any = choice.get("message") if is_object(choice) else None
    if not is_object(message):
        if is_array(choices) and not choices:
            raise EmptyAnswerError(
                f"{facts.name} answered without any choice", "ask again, or try another model", facts.name
            )
        raise MalformedAnswerError(
            f"{facts.name} answered with JSON that is not a chat completion: {json.dumps(answer)[:200]}",
            "check that `api_base` leads to an OpenAI-compatible chat-completions API",
            facts.name,
        )
    finish = _finish_reason(choice, message)
    calls = _tool_calls(message, facts)
    text, thought_only = _text(message, facts)
    _check(message, text, calls, finish, thought_only, facts)
    return ModelReply(
        text=text,
        tool_calls=calls,
        usage=read_usage(answer.get("usage"), facts),
        finish_reason=finish,
        model=str(answer.get("model") or ""),
        attempts=attempts,
        duration=duration,
        echo={name: message[name] for name in facts.echoed if message.get(name) is not None},
    )


def read_usage(usage: Any, facts: ReplyFacts) -> TokenUsage:
    """Return the tokens that an answer reports, and their price where it is known."""
    if not is_object(usage):
        return TokenUsage()
    read = _count(usage, "prompt_tokens", "input_tokens", "promptTokens")
    written = _count(usage, "completion_tokens", "output_tokens", "completionTokens")
    total = _count(usage, "total_tokens", "totalTokens")
    if read is not None and total is not None and total > read + (written or 0):
        # Some report thoughts in the total only, and charge them as tokens written.
        written = total - read
    return TokenUsage(input_tokens=read, output_tokens=written, cost_usd=_cost(usage, read, written, facts))


def parse_arguments(call: ModelToolCall, model: str = "") -> dict[str, Any]:
    """Return the arguments of a tool call as the model meant them.

    Args:
        call: The call.
        model: Name of the model, for the error.

    Raises:
        MalformedAnswerError: If they are not the JSON text of an object.
    """
    if not call.arguments.strip():
        return {}
    try:
        value = json.loads(call.arguments, strict=False)
        if isinstance(value, str):  # written as JSON twice
            value = json.loads(value, strict=False)
    except ValueError as error:
        raise MalformedAnswerError(
            f"{model or 'the model'} called the tool {call.name!r} with arguments that are not JSON: "
            f"{call.arguments[:200]!r}",
            "ask again, or use a model that is better at calling tools",
            model,
        ) from error
    except RecursionError as error:
        raise MalformedAnswerError(
            f"{model or 'the model'} called the tool {call.name!r} with arguments nested too deeply",
            "ask again, or use a model that is better at calling tools",
            model,
        ) from error
    if not is_object(value):
        raise MalformedAnswerError(
            f"{model or 'the model'} called the tool {call.name!r} with arguments that are not an object: "
            f"{call.arguments[:200]!r}",
            "ask again, or use a model that is better at calling tools",
            model,
        )
    return dict(value)


def _check(
    message: Mapping[str, Any],
    text: str,
    calls: Sequence[ModelToolCall],
    finish: str,
    thought_only: bool,
    facts: ReplyFacts,
) -> None:
    name = facts.name
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal.strip() and not text and not calls:
        raise ContentFilterError(
            f"{name} refused to answer: {refusal.strip()[:300]}", "reword the scenario, or use another model", name
        )
    if finish == "length" and calls and not all(_is_json(call.arguments) for call in calls):
        raise TruncatedAnswerError(
            f"{name} ran out of tokens in the middle of calling {calls[-1].name!r}", "raise `max_tokens`", name
        )
    if text or calls:
        return
    if finish == "content_filter":
        raise ContentFilterError(
            f"the provider's content filter withheld the answer of {name}",
            "reword the scenario, or use another model",
            name,
        )
    if finish == "length":
        spent = " while it was still thinking" if thought_only else ""
        raise TruncatedAnswerError(
            f"{name} ran out of tokens before it had said anything{spent}",
            "raise `max_tokens`, or lower the model's reasoning effort",
            name,
        )
    thinking = "; it only thought" if thought_only else ""
    raise EmptyAnswerError(
        f"{name} answered with neither text nor a tool call{thinking}", "ask again, or try another model", name
    )


def _finish_reason(choice: Mapping[str, Any], message: Mapping[str, Any]) -> str:
    reason = choice.get("finish_reason")
    if not isinstance(reason, str) or not reason:
        return "tool_calls" if message.get("tool_calls") else "stop"
    return _FINISH_REASONS.get(reason.lower(), reason.lower())


def _text(message: Mapping[str, Any], facts: ReplyFacts) -> tuple[str, bool]:
    content = message.get("content")
    text = content if isinstance(content, str) else _joined(content)
    thought = bool(message.get("reasoning_content") or message.get("reasoning"))
    if facts.thinks_inline and "think" in text:
        if found := _THOUGHTS.match(text):
            return text[found.end() :], True
        if _OPEN_THOUGHTS.match(text):
            return "", True
        if found := _END_OF_THOUGHTS.search(text):
            # Templates that open the thoughts for the model leave only their end in the answer.
            return text[found.end() :], True
    return (text if text.strip() else ""), thought


def _joined(content: Any) -> str:
    if not is_array(content):
        return ""
    texts: list[str] = []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif is_object(part) and part.get("type") in {"text", "output_text", None}:
            text: Any = part.get("text")
            if isinstance(text, str):
                texts.append(text)
    return "".join(texts)


def _tool_calls(message: Mapping[str, Any], facts: ReplyFacts) -> tuple[ModelToolCall, ...]:
    calls: Any = message.get("tool_calls")
    if not is_array(calls) or not calls:
        legacy: Any = message.get("function_call")
        calls = [{"function": legacy}] if is_object(legacy) else []
    return tuple(_tool_call(call, index, facts) for index, call in enumerate(calls) if is_object(call))


def _tool_call(call: Mapping[str, Any], index: int, facts: ReplyFacts) -> ModelToolCall:
    function: Any = call.get("function")
    if not is_object(function):
        function = call
    arguments: Any = function.get("arguments")
    if arguments is None:
        arguments = ""
    elif not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return ModelToolCall(
        id=str(call.get("id") or f"call_{index}"),
        name=str(function.get("name") or ""),
        arguments=arguments,
        echo={name: call[name] for name in facts.echoed_in_calls if call.get(name) is not None},
    )


def _is_json(text: str) -> bool:
    if not text.strip():
        return True
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _count(usage: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = usage.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
            return int(value)
    return None


def _cost(usage: Mapping[str, Any], read: int | None, written: int | None, facts: ReplyFacts) -> float | None:
    cost = usage.get("cost")
    if facts.reports_cost and isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < math.inf:
        return float(cost)
    if facts.price is None or read is None or written is None:
        return None
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    cached = _count(details, "cached_tokens") if is_object(details) else None
    return facts.price.cost(read, written, cached or 0)
