"""What OpenAI's API refuses in a chat completion request.

The rules are those of the real service, in its order and with its words and codes where clients act on them. Where
another large service is stricter (names of schema properties), its rule holds.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from scenario.testing.api_errors import ApiError, invalid
from scenario.testing.strict_schema import schema_fault

_PARAMETERS = frozenset(
    {
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
_MESSAGE_KEYS: Mapping[str, frozenset[str]] = {
    "developer": frozenset({"role", "content", "name"}),
    "system": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": frozenset({"role", "content", "name", "refusal", "audio", "tool_calls", "function_call"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
    "function": frozenset({"role", "content", "name"}),
}
_PARTS: Mapping[str, frozenset[str]] = {
    "developer": frozenset({"text"}),
    "system": frozenset({"text"}),
    "user": frozenset({"text", "image_url", "input_audio", "file"}),
    "assistant": frozenset({"text", "refusal"}),
    "tool": frozenset({"text"}),
    "function": frozenset[str](),
}
_RANGES = {"temperature": (0, 2), "top_p": (0, 1), "frequency_penalty": (-2, 2), "presence_penalty": (-2, 2)}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MAX_TOOLS = 128


def refusal(body: Any) -> ApiError | None:
    """Return why the API would refuse a request body, or None when it would not."""
    return next(_faults(body), None)


def _faults(body: Any) -> Iterator[ApiError]:
    if not _is_object(body):
        yield invalid("Invalid type for request body: expected an object.", code="invalid_type")
        return
    for name in body:
        if name not in _PARAMETERS:
            yield invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield invalid("you must provide a model parameter")
    yield from _number_faults(body)
    yield from _message_list_faults(body.get("messages"))
    yield from _tool_faults(body)
    yield from _tool_choice_faults(body)
    if body.get("stream_options") is not None and not body.get("stream"):
        yield invalid(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
            "invalid_value",
        )


def _number_faults(body: Mapping[str, Any]) -> Iterator[ApiError]:
    for name, (low, high) in _RANGES.items():
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield _wrong_type(name, "a decimal", value)
        elif value > high:
            message = (
                f"Invalid '{name}': decimal above maximum value. Expected a value <= {high}, but got {value} instead."
            )
            yield invalid(message, name, "decimal_above_max_value")
        elif not value >= low:
            message = (
                f"Invalid '{name}': decimal below minimum value. Expected a value >= {low}, but got {value} instead."
            )
            yield invalid(message, name, "decimal_below_min_value")
    for name in ("max_tokens", "max_completion_tokens", "seed", "n"):
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            yield _wrong_type(name, "an integer", value)
        elif name != "seed" and value < 1:
            message = f"Invalid '{name}': integer below minimum value. Expected a value >= 1, but got {value} instead."
            yield invalid(message, name, "integer_below_min_value")


def _message_list_faults(messages: Any) -> Iterator[ApiError]:
    if messages is None:
        yield invalid("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    elif not _is_array(messages):
        yield _wrong_type("messages", "an array of objects", messages)
    elif not messages:
        yield _empty_array("messages")
    else:
        for index, message in enumerate(messages):
            yield from _message_faults(f"messages[{index}]", message)
        yield from _pairing_faults(messages)


def _message_faults(at: str, message: Any) -> Iterator[ApiError]:
    if not _is_object(message):
        yield _wrong_type(at, "an object", message)
        return
    role = message.get("role")
    if role is None:
        yield _missing(f"{at}.role")
    elif role not in _MESSAGE_KEYS:
        known = ", ".join(f"'{name}'" for name in _MESSAGE_KEYS)
        yield invalid(f"Invalid value: '{role}'. Supported values are: {known}.", f"{at}.role", "invalid_value")
    else:
        for key in message:
            if key not in _MESSAGE_KEYS[role]:
                yield invalid(f"Unknown parameter: '{at}.{key}'.", f"{at}.{key}", "unknown_parameter")
        yield from _content_faults(f"{at}.content", role, message)
        yield from _tool_call_faults(f"{at}.tool_calls", message)
        if role == "tool" and not isinstance(message.get("tool_call_id"), str):
            yield _missing(f"{at}.tool_call_id")
        name = message.get("name")
        if name is not None and not _matches(_NAME, name):
            yield _pattern_fault(f"{at}.name", "^[^\\s<|\\\\/>]+$")


def _content_faults(at: str, role: str, message: Mapping[str, Any]) -> Iterator[ApiError]:
    content = message.get("content")
    if content is None:
        speaks_otherwise = any(message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio"))
        if role == "assistant" and speaks_otherwise:
            return
        if "content" in message:
            yield invalid("Invalid value for 'content': expected a string, got null.", at)
        else:
            yield _missing(at)
    elif isinstance(content, str):
        return
    elif not _is_array(content):
        yield _wrong_type(at, "one of a string or array of objects", content)
    elif not content:
        yield _empty_array(at)
    else:
        for index, part in enumerate(content):
            yield from _part_faults(f"{at}[{index}]", role, part)


def _part_faults(at: str, role: str, part: Any) -> Iterator[ApiError]:
    if not _is_object(part):
        yield _wrong_type(at, "an object", part)
        return
    kind = part.get("type")
    if kind is None:
        yield _missing(f"{at}.type")
    elif kind not in _PARTS[role]:
        known = ", ".join(f"'{name}'" for name in sorted(_PARTS[role]))
        yield invalid(f"Invalid value: '{kind}'. Supported values are: {known}.", f"{at}.type", "invalid_value")
    elif kind not in part:
        yield _missing(f"{at}.{kind}")
    elif kind == "input_audio" and not (
        _is_object(part[kind])
        and isinstance(part[kind].get("data"), str)
        and part[kind].get("format") in {"wav", "mp3"}
    ):
        yield invalid("Invalid value for 'input_audio': expected base64 'data' and a 'format' of 'wav' or 'mp3'.", at)


def _tool_call_faults(at: str, message: Mapping[str, Any]) -> Iterator[ApiError]:
    calls = message.get("tool_calls")
    if calls is None:
        return
    if not _is_array(calls):
        yield _wrong_type(at, "an array of objects", calls)
        return
    if not calls:
        yield _empty_array(at)
    for index, call in enumerate(calls):
        here = f"{at}[{index}]"
        if not _is_object(call):
            yield _wrong_type(here, "an object", call)
            continue
        for key in ("id", "type", "function"):
            if call.get(key) is None:
                yield _missing(f"{here}.{key}")
        function = call.get("function")
        if not _is_object(function):
            continue
        if not _matches(_NAME, function.get("name")):
            yield _pattern_fault(f"{here}.function.name", "^[a-zA-Z0-9_-]+$")
        if not isinstance(function.get("arguments"), str):
            yield _wrong_type(f"{here}.function.arguments", "a string", function.get("arguments"))


def _pairing_faults(messages: Sequence[Mapping[str, Any]]) -> Iterator[ApiError]:
    open_ids: dict[str, None] = {}
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_ids:
                yield invalid(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'.",
                    f"messages.[{index}].role",
                )
            open_ids.pop(message["tool_call_id"], None)
            continue
        if open_ids:
            yield _unanswered(open_ids, index)
        open_ids = {call["id"]: None for call in message.get("tool_calls") or ()}
    if open_ids:
        yield _unanswered(open_ids, len(messages))


def _unanswered(ids: Mapping[str, None], index: int) -> ApiError:
    return invalid(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {', '.join(ids)}",
        f"messages.[{index}].role",
    )


def _tool_faults(body: Mapping[str, Any]) -> Iterator[ApiError]:
    tools = body.get("tools")
    if tools is None:
        return
    if not _is_array(tools):
        yield _wrong_type("tools", "an array of objects", tools)
        return
    if not tools:
        yield invalid("[] is too short - 'tools'")
    if len(tools) > _MAX_TOOLS:
        message = (
            f"expected an array with maximum length {_MAX_TOOLS}, but got an array with length {len(tools)} instead."
        )
        yield invalid(f"Invalid 'tools': array too long, {message}", "tools", "array_above_max_length")
    for index, tool in enumerate(tools):
        at = f"tools[{index}]"
        if not _is_object(tool) or tool.get("type") is None:
            yield _missing(f"{at}.type")
        elif tool["type"] != "function":
            message = f"Invalid value: '{tool['type']}'. Supported values are: 'function' and 'custom'."
            yield invalid(message, f"{at}.type", "invalid_value")
        elif not _is_object(tool.get("function")):
            yield _missing(f"{at}.function")
        else:
            yield from _function_faults(f"{at}.function", tool["function"])


def _function_faults(at: str, function: Mapping[str, Any]) -> Iterator[ApiError]:
    name = function.get("name")
    for key in function:
        if key not in {"name", "description", "parameters", "strict"}:
            yield invalid(f"Unknown parameter: '{at}.{key}'.", f"{at}.{key}", "unknown_parameter")
    if name is None:
        yield _missing(f"{at}.name")
    elif not _matches(_NAME, name):
        yield _pattern_fault(f"{at}.name", "^[a-zA-Z0-9_-]+$")
    fault = schema_fault(function.get("parameters"), strict=function.get("strict") is True)
    if fault:
        message = f"Invalid schema for function '{name}': {fault}"
        yield invalid(message, f"{at}.parameters", "invalid_function_parameters")


def _tool_choice_faults(body: Mapping[str, Any]) -> Iterator[ApiError]:
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not body.get("tools"):
        message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."
        yield invalid(message, "tool_choice")
    elif isinstance(choice, str):
        if choice not in {"auto", "required", "none"}:
            message = f"Invalid value: '{choice}'. Supported values are: 'none', 'auto', and 'required'."
            yield invalid(message, "tool_choice", "invalid_value")
    elif not _is_object(choice) or not _is_object(choice.get("function")) or choice.get("type") != "function":
        yield _wrong_type("tool_choice", "one of 'none', 'auto', 'required' or an object naming a function", choice)
    elif choice["function"].get("name") not in {tool["function"].get("name") for tool in body["tools"]}:
        message = f"Invalid value for 'tool_choice': the function '{choice['function'].get('name')}' is not in 'tools'."
        yield invalid(message, "tool_choice")


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _missing(at: str) -> ApiError:
    return invalid(f"Missing required parameter: '{at}'.", at, "missing_required_parameter")


def _empty_array(at: str) -> ApiError:
    message = f"Invalid '{at}': empty array. Expected an array with minimum length 1, but got an empty array instead."
    return invalid(message, at, "empty_array")


def _pattern_fault(at: str, pattern: str) -> ApiError:
    message = f"Invalid '{at}': string does not match pattern. Expected a string that matches the pattern '{pattern}'."
    return invalid(message, at, "invalid_value")


def _wrong_type(at: str, expected: str, value: Any) -> ApiError:
    got = (
        (dict, "an object"),
        (list, "an array"),
        (str, "a string"),
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a decimal"),
    )
    kind = next((name for kind_of, name in got if isinstance(value, kind_of)), "null")
    return invalid(f"Invalid type for '{at}': expected {expected}, but got {kind} instead.", at, "invalid_type")
