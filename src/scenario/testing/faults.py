"""Faults that a model server can be told to have: refusals, overload, broken lines, malformed answers."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from scenario.errors import ConfigurationError
from scenario.testing.api_errors import ApiError, invalid, missing_key, unknown_model, wrong_key
from scenario.testing.http_messages import HttpResponse

Completion: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """The request is answered with an error.

    Attributes:
        error: The error.
    """

    error: ApiError


@dataclass(frozen=True, slots=True)
class Garbled:
    """The request is answered with something that is not a completion.

    Attributes:
        response: What is sent instead.
    """

    response: HttpResponse


@dataclass(frozen=True, slots=True)
class Distorted:
    """The completion is changed before it is sent.

    Attributes:
        change: Takes the completion as JSON values, its own copy, and returns what is sent for it.
    """

    change: Callable[[Completion], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The answer is right, but the line is not.

    Attributes:
        share: Share of the answer's bytes that are sent, from 0 to 1; the head comes first.
        then: What happens after that: `hang` until the client gives up, `reset` the connection, or `close` it.
    """

    share: float
    then: Literal["hang", "reset", "close"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """The answer is right, but late or slow.

    Attributes:
        delay: Wait before the first byte, in seconds, on top of the server's latency.
        pieces: Number of pieces the answer is cut into.
        interval: Time between two pieces, in seconds.
    """

    delay: float = 0.0
    pieces: int = 1
    interval: float = 0.0


Fault: TypeAlias = Refused | Garbled | Distorted | Broken | Slow


def status(
    code: int,
    message: str = "The server had an error while processing your request.",
    *,
    type: str = "server_error",
    param: str | None = None,
    error_code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Fault:
    """Answer with any status and an error body in the API's form."""
    return Refused(
        ApiError(status=code, message=message, type=type, param=param, code=error_code, headers=dict(headers or {}))
    )


def context_too_long(limit: int = 128_000, used: int = 131_072) -> Fault:
    """Answer that the messages do not fit the model: 400, `context_length_exceeded`."""
    message = (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted in {used} tokens. "
        "Please reduce the length of the messages."
    )
    return Refused(invalid(message, "messages", "context_length_exceeded"))


def unsupported_parameter(param: str, instead: str | None = None) -> Fault:
    """Answer that the model does not take a parameter: 400, `unsupported_parameter`.

    Args:
        param: The parameter, for example `max_tokens`.
        instead: The parameter the answer recommends, for example `max_completion_tokens`.
    """
    message = f"Unsupported parameter: '{param}' is not supported with this model."
    hint = f" Use '{instead}' instead." if instead else ""
    return Refused(invalid(message + hint, param, "unsupported_parameter"))


def unsupported_value(param: str = "temperature", value: object = 0, default: object = 1) -> Fault:
    """Answer that the model does not take a parameter's value: 400, `unsupported_value`."""
    message = (
        f"Unsupported value: '{param}' does not support {value} with this model. "
        f"Only the default ({default}) value is supported."
    )
    return Refused(invalid(message, param, "unsupported_value"))


def tool_choice_refused(message: str = "Thinking mode does not support this tool_choice") -> Fault:
    """Answer that the model cannot be made to call a tool: 400."""
    return Refused(invalid(message, code="invalid_request_error"))


def tools_need_no_reasoning() -> Fault:
    """Answer that tools are only taken with `reasoning_effort` set to `none`: 400."""
    message = (
        "Function tools with reasoning_effort are not supported with this model in /v1/chat/completions. "
        "To use function tools, set reasoning_effort to 'none'."
    )
    return Refused(invalid(message, "reasoning_effort"))


def invalid_schema(tool: str = "finish_test", reason: str = "schema must have a 'type' key.") -> Fault:
    """Answer that a tool's schema is not accepted: 400, `invalid_function_parameters`."""
    message = f"Invalid schema for function '{tool}': In context=(), {reason}"
    return Refused(invalid(message, "tools[0].function.parameters", "invalid_function_parameters"))


def content_policy() -> Fault:
    """Answer that the prompt was stopped by the content filter: 400, `content_filter`."""
    message = (
        "The response was filtered due to the prompt triggering the content management policy. Please modify your "
        "prompt and retry."
    )
    return Refused(invalid(message, "prompt", "content_filter"))


def unauthorized(*, key_given: bool = True) -> Fault:
    """Answer 401: a wrong key, or none."""
    return Refused(wrong_key("sk-local-test-key") if key_given else missing_key())


def model_not_found(model: str = "no-such-model") -> Fault:
    """Answer 404, `model_not_found`."""
    return Refused(unknown_model(model))


def rate_limit(retry_after: float | str | None = None) -> Fault:
    """Answer 429, `rate_limit_exceeded`.

    Args:
        retry_after: Value of the `Retry-After` header: seconds, or a date in HTTP's form; None leaves it out.
    """
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after}"}
    message = "Rate limit reached on tokens per min (TPM): Limit 30000, Used 29500, Requested 1200."
    return status(429, message, type="tokens", error_code="rate_limit_exceeded", headers=headers)


def quota_exceeded() -> Fault:
    """Answer 429, `insufficient_quota`: waiting does not help."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return status(429, message, type="insufficient_quota", error_code="insufficient_quota")


def server_error() -> Fault:
    """Answer 500."""
    return status(500)


def unavailable(retry_after: float | None = None) -> Fault:
    """Answer 503."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after}"}
    return status(503, "The engine is currently overloaded, please try again later", headers=headers)


def overloaded() -> Fault:
    """Answer 529, with the body that Anthropic gives it."""
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": None}
    return Garbled(HttpResponse(status=529, body=json.dumps(body).encode()))


def hang() -> Fault:
    """Never answer; the connection stays open until the client gives up."""
    return Broken(share=0.0, then="hang")


def hang_halfway() -> Fault:
    """Send the head and half of the answer, then nothing more."""
    return Broken(share=0.5, then="hang")


def reset() -> Fault:
    """Reset the connection instead of answering."""
    return Broken(share=0.0, then="reset")


def reset_halfway() -> Fault:
    """Reset the connection in the middle of the answer."""
    return Broken(share=0.5, then="reset")


def close() -> Fault:
    """Close the connection instead of answering."""
    return Broken(share=0.0, then="close")


def slow(delay: float) -> Fault:
    """Answer `delay` seconds later than otherwise."""
    return Slow(delay=delay)


def trickle(pieces: int = 20, interval: float = 0.05) -> Fault:
    """Send the answer in `pieces` pieces, `interval` seconds apart."""
    return Slow(pieces=pieces, interval=interval)


def html(code: int = 502, title: str = "Bad Gateway") -> Fault:
    """Answer with a proxy's error page; `code` may be 200."""
    page = f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Garbled(HttpResponse(status=code, body=page.encode(), content_type="text/html; charset=utf-8"))


def raw(body: bytes, code: int = 200, content_type: str = "application/json") -> Fault:
    """Answer with exactly these bytes as body."""
    return Garbled(HttpResponse(status=code, body=body, content_type=content_type))


def truncated_json() -> Fault:
    """Answer with 200 and JSON that stops in the middle, though the length in the head is right."""
    return raw(b'{"id": "chatcmpl-cut", "object": "chat.completion", "choices": [{"index": 0, "mess')


def empty_body() -> Fault:
    """Answer with 200 and no body."""
    return raw(b"")


def error_with_status_200(message: str = "Provider returned error", code: int = 502) -> Fault:
    """Answer with 200 and an error in the body, as some gateways do."""
    return raw(json.dumps({"error": {"message": message, "code": code}}).encode())


def wrong_shape() -> Fault:
    """Answer with JSON that is no completion: `choices` is an object."""
    return Distorted(lambda answer: {**answer, "choices": {"0": "hello"}})


def empty_choices() -> Fault:
    """Answer with an empty list of choices."""
    return Distorted(lambda answer: {**answer, "choices": []})


def null_content() -> Fault:
    """Answer with neither text nor tool calls."""
    return _message_fault(lambda message: {**_without(message, "tool_calls"), "content": None}, finish_reason="stop")


def refused_by_model(text: str = "I can't help with that.") -> Fault:
    """Answer with a refusal in place of text."""
    return _message_fault(
        lambda message: {**_without(message, "tool_calls"), "content": None, "refusal": text}, finish_reason="stop"
    )


def cut_by_length() -> Fault:
    """Cut text and tool arguments in half, with `finish_reason` `length`."""
    return _message_fault(_halved, finish_reason="length")


def content_filtered() -> Fault:
    """Withhold the answer, with `finish_reason` `content_filter`."""
    return _message_fault(
        lambda message: {**_without(message, "tool_calls"), "content": None}, finish_reason="content_filter"
    )


def broken_tool_arguments(arguments: str = '{"reasoning": "cut off he') -> Fault:
    """Give every tool call arguments that are not JSON."""
    return _message_fault(lambda message: _with_calls(message, lambda call: _with_arguments(call, arguments)))


def unknown_tool(name: str = "no_such_tool") -> Fault:
    """Rename the tools that the answer calls."""
    return _message_fault(
        lambda message: _with_calls(message, lambda call: {**call, "function": {**call["function"], "name": name}})
    )


def duplicate_tool_calls() -> Fault:
    """Repeat every tool call, with the same id."""

    def doubled(message: dict[str, Any]) -> dict[str, Any]:
        calls: Sequence[dict[str, Any]] = message.get("tool_calls") or ()
        return {**message, "tool_calls": [call for call in calls for _ in range(2)]} if calls else message

    return _message_fault(doubled)


def no_usage() -> Fault:
    """Leave out how many tokens were used."""
    return Distorted(lambda answer: _without(answer, "usage"))


def _message_fault(change: Callable[[dict[str, Any]], dict[str, Any]], finish_reason: str | None = None) -> Fault:
    def changed(answer: Completion) -> Completion:
        for choice in answer["choices"]:
            choice["message"] = change(choice["message"])
            choice["finish_reason"] = finish_reason or choice["finish_reason"]
        return answer

    return Distorted(changed)


def _without(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != key}


def _with_calls(message: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    calls: Sequence[dict[str, Any]] = message.get("tool_calls") or ()
    return {**message, "tool_calls": [change(call) for call in calls]} if calls else message


def _with_arguments(call: dict[str, Any], arguments: str) -> dict[str, Any]:
    return {**call, "function": {**call["function"], "arguments": arguments}}


def _halved(message: dict[str, Any]) -> dict[str, Any]:
    text: str = message.get("content") or ""

    def cut(call: dict[str, Any]) -> dict[str, Any]:
        arguments: str = call["function"]["arguments"]
        return _with_arguments(call, arguments[: len(arguments) // 2])

    return _with_calls({**message, "content": text[: len(text) // 2] or None}, cut)


def distorted(fault: Distorted, answer: Completion) -> Any:
    """Return what a distorting fault makes of a completion.

    Raises:
        ConfigurationError: If the fault cannot be applied to it.
    """
    try:
        return fault.change(copy.deepcopy(answer))
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"the fault could not be applied to the answer: {error!r}", "check the function given to `Distorted`"
        ) from error
