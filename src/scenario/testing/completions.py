"""OpenAI's chat completions on the server's side: request bodies read, replies written, whole or as a stream."""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, cast

from scenario.llm.chat_model import ForcedTool, ModelReply, ModelRequest, Tool, ToolChoice

_KNOWN = {"model", "messages", "tools", "tool_choice", "temperature", "max_tokens", "max_completion_tokens", "seed"}
_numbers = count(1)


def model_request(body: Mapping[str, Any]) -> ModelRequest:
    """Return a request body as what it asks of a model. The body must be one that the API accepts."""
    return ModelRequest(
        messages=cast("Sequence[Mapping[str, Any]]", body.get("messages") or ()),
        tools=[_tool(tool["function"]) for tool in body.get("tools") or () if tool.get("type") == "function"],
        tool_choice=_tool_choice(body.get("tool_choice")),
        temperature=body.get("temperature"),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        seed=body.get("seed"),
        extra={name: value for name, value in body.items() if name not in _KNOWN},
    )


def _tool(function: Mapping[str, Any]) -> Tool:
    return Tool(
        name=function["name"],
        description=function.get("description") or "",
        parameters=function.get("parameters") or {"type": "object", "properties": {}},
        strict=bool(function.get("strict")),
    )


def _tool_choice(choice: Any) -> ToolChoice:
    if isinstance(choice, Mapping):
        function = cast("Mapping[str, Any]", choice).get("function")
        return ForcedTool(function["name"]) if function else "auto"
    return choice if choice in ("auto", "required", "none") else "auto"


def completion(reply: ModelReply, model: str) -> dict[str, Any]:
    """Return a reply as the JSON object of a whole answer."""
    number = next(_numbers)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": reply.text or (None if reply.tool_calls else ""),
        "refusal": None,
        "annotations": [],
    }
    if reply.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.tool_calls
        ]
    finish_reason = "tool_calls" if reply.tool_calls and reply.finish_reason == "stop" else reply.finish_reason
    answer: dict[str, Any] = {
        "id": f"chatcmpl-local{number:08d}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model if reply.model.startswith("offline/") else reply.model or model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
        "system_fingerprint": None,
        "service_tier": "default",
    }
    read, written = reply.usage.input_tokens, reply.usage.output_tokens
    if read is not None or written is not None:
        answer["usage"] = {
            "prompt_tokens": read or 0,
            "completion_tokens": written or 0,
            "total_tokens": (read or 0) + (written or 0),
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }
    return answer


def stream_events(answer: Mapping[str, Any], *, include_usage: bool) -> list[bytes]:
    """Return a whole answer as the server-sent events of a stream, `[DONE]` included."""
    head: dict[str, Any] = {name: answer.get(name) for name in ("id", "created", "model", "system_fingerprint")}
    head["object"] = "chat.completion.chunk"
    if not isinstance(answer.get("choices"), list):
        return [b"data: %b\n\n" % json.dumps(answer).encode(), b"data: [DONE]\n\n"]
    events = [{**head, "choices": [_choice_delta(delta, reason)]} for delta, reason in _deltas(answer)]
    if include_usage:
        for event in events:
            event["usage"] = None
        events.append({**head, "choices": [], "usage": answer.get("usage")})
    return [*(b"data: %b\n\n" % json.dumps(event).encode() for event in events), b"data: [DONE]\n\n"]


def _choice_delta(delta: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


def _deltas(answer: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    for choice in answer.get("choices") or ():
        message: Mapping[str, Any] = choice.get("message") or {}
        yield {"role": "assistant", "content": None if message.get("tool_calls") else "", "refusal": None}, None
        for words in re.findall(r"\s*\S+\s*", message.get("content") or ""):
            yield {"content": words}, None
        for index, call in enumerate(message.get("tool_calls") or ()):
            function: Mapping[str, Any] = call["function"]
            opening = {"index": index, "id": call["id"], "type": "function"}
            yield {"tool_calls": [{**opening, "function": {"name": function["name"], "arguments": ""}}]}, None
            arguments: str = function["arguments"]
            for start in range(0, len(arguments), 24):
                piece = {"index": index, "function": {"arguments": arguments[start : start + 24]}}
                yield {"tool_calls": [piece]}, None
        yield {}, choice.get("finish_reason")
