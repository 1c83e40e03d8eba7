"""The text of a message."""

import json
from collections.abc import Mapping
from typing import Any, cast

_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


def message_text(message: Mapping[str, Any]) -> str:
    """Return what a message says, tool calls included.

    The text of its content, one line per text part, parts that are not text as JSON; then each tool call as JSON
    on a line of its own.
    """
    content = message.get("content")
    lines = [content] if isinstance(content, str) else [_part_text(part) for part in _items(content)]
    lines += [_encode(call) for call in _items(message.get("tool_calls"))]
    return "\n".join(line for line in lines if line)


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(cast("list[Any]", value)) if isinstance(value, (list, tuple)) else [value]


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping):
        text = cast("Mapping[str, Any]", part).get("text")
        if isinstance(text, str):
            return text
    return _encode(part)
