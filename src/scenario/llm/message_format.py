"""Messages and tools as OpenAI's chat format wants them: its members and no others."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scenario.llm.chat_model import Message, Tool
from scenario.llm.json_values import is_array, is_object

_SPOKEN = frozenset({"role", "content", "name"})
_MEMBERS = {
    "system": _SPOKEN,
    "developer": _SPOKEN,
    "user": _SPOKEN,
    "assistant": _SPOKEN | {"tool_calls", "function_call", "refusal", "audio"},
    "tool": frozenset({"role", "content", "tool_call_id"}),
    "function": _SPOKEN,
}
_ANY_MEMBER = frozenset(member for members in _MEMBERS.values() for member in members)
_CALL_MEMBERS = frozenset({"id", "type", "function", "custom"})
_FUNCTION_MEMBERS = frozenset({"name", "arguments"})
_PART_MEMBERS = {
    "text": frozenset({"type", "text"}),
    "refusal": frozenset({"type", "refusal"}),
    "image_url": frozenset({"type", "image_url"}),
    "input_audio": frozenset({"type", "input_audio"}),
    "file": frozenset({"type", "file"}),
}
_NOTHING: frozenset[str] = frozenset()


def api_messages(
    messages: Iterable[Message],
    *,
    echoed: frozenset[str] = _NOTHING,
    echoed_in_calls: frozenset[str] = _NOTHING,
    left_out: frozenset[str] = _NOTHING,
    text_only: bool = False,
) -> list[Mapping[str, Any]]:
    """Return messages with the members of OpenAI's chat format only.

    What is not of the format, is None or is an empty list of calls is left out; arguments of tool calls become text.
    A message that needs no change is returned as it is, not copied.

    Args:
        messages: The messages.
        echoed: Further members that assistant messages may keep.
        echoed_in_calls: Further members that their tool calls may keep.
        left_out: Members that are left out although the format has them.
        text_only: Whether content that is a list of texts becomes one text.
    """
    return [_message(message, echoed, echoed_in_calls, left_out, text_only) for message in messages]


def api_tools(
    tools: Sequence[Tool], *, strict: bool = True, left_out: frozenset[str] = _NOTHING
) -> list[dict[str, Any]]:
    """Return tools in OpenAI's chat format.

    Args:
        tools: The tools.
        strict: Whether a tool may ask for its schema to be enforced.
        left_out: Keywords that are taken out of the schemas, at any depth.
    """
    return [_tool(tool, strict, left_out) for tool in tools]


def _message(
    message: Message,
    echoed: frozenset[str],
    echoed_in_calls: frozenset[str],
    left_out: frozenset[str],
    text_only: bool,
) -> Mapping[str, Any]:
    role, content = message.get("role"), message.get("content")
    if type(content) is str and role is not None:
        # What nearly every message of a conversation looks like.
        if len(message) == 2:
            return message
        if len(message) == 3 and "trace_id" in message:
            return {"role": role, "content": content}
    allowed = _MEMBERS.get(role, _ANY_MEMBER) if isinstance(role, str) else _ANY_MEMBER
    if role == "assistant":
        allowed |= echoed
    kept = {
        name: value for name, value in message.items() if name in allowed and value is not None and name not in left_out
    }
    if "content" not in kept:
        kept["content"] = None if role == "assistant" else ""
    elif is_array(content):
        kept["content"] = _content(content, text_only)
    calls = kept.get("tool_calls")
    if is_array(calls):
        kept["tool_calls"] = [_call(call, echoed_in_calls) for call in calls]
        if not calls:
            del kept["tool_calls"]  # services refuse an empty list
    return kept


def _content(parts: Sequence[Any], text_only: bool) -> str | list[Any]:
    if text_only and all(is_object(part) and part.get("type") == "text" for part in parts):
        return "\n".join(str(part.get("text") or "") for part in parts)
    return [_part(part) for part in parts]


def _part(part: Any) -> Any:
    allowed = _PART_MEMBERS.get(part.get("type", "")) if is_object(part) else None
    if allowed is None or part.keys() <= allowed:
        return part
    return {name: value for name, value in part.items() if name in allowed}


def _call(call: Any, echoed: frozenset[str]) -> Any:
    if not is_object(call):
        return call
    kept: dict[str, Any] = {
        str(name): value
        for name, value in call.items()
        if (name in _CALL_MEMBERS or name in echoed) and value is not None
    }
    kept.setdefault("type", "function")
    function = kept.get("function")
    if is_object(function):
        members: dict[str, Any] = {str(name): value for name, value in function.items() if name in _FUNCTION_MEMBERS}
        arguments = members.get("arguments")
        if not isinstance(arguments, str):
            members["arguments"] = "{}" if arguments is None else json.dumps(arguments, ensure_ascii=False)
        kept["function"] = members
    return kept


def _tool(tool: Tool, strict: bool, left_out: frozenset[str]) -> dict[str, Any]:
    parameters = _without(tool.parameters, left_out) if left_out else tool.parameters
    function: dict[str, Any] = {"name": tool.name, "description": tool.description, "parameters": parameters}
    if tool.strict and strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _without(schema: Any, keywords: frozenset[str], names_properties: bool = False) -> Any:
    if is_object(schema):
        return {
            name: _without(value, keywords, name == "properties" and not names_properties)
            for name, value in schema.items()
            if names_properties or name not in keywords
        }
    if is_array(schema):
        return [_without(item, keywords) for item in schema]
    return schema
