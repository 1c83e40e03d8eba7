"""Messages as the lines of a transcript, one message a line, fit to stand in a prompt whoever wrote them."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from scenario.transcript.fence import bare_or_quoted, quoted
from scenario.transcript.media import as_plain, without_media

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One message of a transcript, every part of it safe to show.

    Attributes:
        text: The whole line.
        role: Whose message it is.
        called: Names of the tools it calls, in order.
        answered: Name of the tool whose result it is; empty for other messages.
    """

    text: str
    role: str
    called: tuple[str, ...] = ()
    answered: str = ""


def render_transcript_lines(messages: Iterable[Any]) -> list[str]:
    """Render messages of OpenAI's chat format, one line each.

    A line is `role: <JSON of the content>`, with `[tool_call: name(arguments)]` for each tool call of the message;
    a tool's result is `tool (name): <JSON>`. Media are replaced by what they are and how large. Nothing in a
    message can begin a line or contain an angle bracket.
    """
    return [line.text for line in transcript_lines(messages)]


def transcript_lines(messages: Iterable[Any]) -> list[TranscriptLine]:
    """Render messages like `render_transcript_lines`, and keep who speaks and which tools are involved."""
    tool_names: dict[str, str] = {}
    return [_line(_as_mapping(message), tool_names) for message in messages]


def _line(message: Mapping[str, Any], tool_names: dict[str, str]) -> TranscriptLine:
    role = message.get("role")
    shown_role = bare_or_quoted(role) if isinstance(role, str) and role else _UNKNOWN
    content = message.get("content")
    if role in ("tool", "function"):
        name = _answered_tool(message, tool_names)
        text = f"tool ({name}): {quoted(without_media(content))}"
        return TranscriptLine(text, shown_role, answered=name)
    calls = [_as_mapping(call) for call in _items(message.get("tool_calls"))]
    if message.get("function_call") is not None:
        calls.append({"function": message["function_call"]})
    if not calls:
        return TranscriptLine(f"{shown_role}: {quoted(without_media(content))}", shown_role)
    parts = [quoted(without_media(content))] if content else []
    called: list[str] = []
    for call in calls:
        name, arguments = _called_tool(call)
        called.append(name)
        parts.append(f"[tool_call: {name}({arguments})]")
        if isinstance(call.get("id"), str):
            tool_names[call["id"]] = name
    return TranscriptLine(f"{shown_role}: {' '.join(parts)}", shown_role, called=tuple(called))


def _answered_tool(message: Mapping[str, Any], tool_names: Mapping[str, str]) -> str:
    call_id = message.get("tool_call_id")
    if isinstance(call_id, str) and call_id in tool_names:
        return tool_names[call_id]
    return _tool_name(message.get("name")) if message.get("role") == "function" else _UNKNOWN


def _called_tool(call: Mapping[str, Any]) -> tuple[str, str]:
    function = _as_mapping(call.get("function") or call.get("custom") or {})
    return _tool_name(function.get("name")), _arguments(function.get("arguments", function.get("input")))


def _tool_name(name: Any) -> str:
    return bare_or_quoted(name) if isinstance(name, str) and name.strip() else _UNKNOWN


def _arguments(arguments: Any) -> str:
    if isinstance(arguments, str):
        with suppress(ValueError, RecursionError):
            arguments = json.loads(arguments)
    return quoted(without_media(arguments))


def _items(value: Any) -> list[Any]:
    return list(cast("list[Any]", value)) if isinstance(value, (list, tuple)) else []


def _as_mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    fields = as_plain(value)
    return cast("Mapping[str, Any]", fields) if isinstance(fields, dict) else {"content": value}
