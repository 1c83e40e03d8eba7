"""The body of a chat-completions request."""

import json
from collections.abc import Mapping, Set
from typing import Any, cast

from scenario.errors import ConfigurationError
from scenario.llm.chat_model import ForcedTool, ModelRequest, Tool
from scenario.llm.concessions import Concessions
from scenario.llm.json_values import is_object
from scenario.llm.message_format import api_messages, api_tools
from scenario.llm.providers import Provider

_WITH_TOOLS_ONLY = frozenset({"tool_choice", "parallel_tool_calls"})


def request_body(
    request: ModelRequest, model: str, extras: Mapping[str, Any], provider: Provider, concessions: Concessions
) -> dict[str, Any]:
    """Return the body that asks a model for an answer, with members of the API only.

    Args:
        request: What is asked.
        model: Name of the model at the provider.
        extras: Further members, stronger than those of the request.
        provider: Who is asked.
        concessions: What the model does not take.
    """
    messages = api_messages(
        request.messages,
        echoed=concessions.echoed,
        echoed_in_calls=provider.echoed_in_calls,
        left_out=concessions.refused_in_messages,
        text_only=concessions.text_only,
    )
    body: dict[str, Any] = {"model": model, "messages": messages}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body[concessions.token_limit] = request.max_tokens
    if request.seed is not None:
        body["seed"] = request.seed
    body |= extras
    if request.tools:
        _add_tools(body, request, concessions)
    else:
        for name in _WITH_TOOLS_ONLY & body.keys():
            del body[name]
    for name in concessions.refused & body.keys():
        del body[name]
    for name in provider.renamed.keys() & body.keys():
        body[provider.renamed[name]] = body.pop(name)
    return body


def encoded(body: Mapping[str, Any]) -> bytes:
    """Return a body as JSON in UTF-8.

    Raises:
        ConfigurationError: If it holds something that JSON cannot express.
    """
    try:
        # Half of a surrogate pair has no UTF-8; a question mark is better than no request.
        return _encode(body).encode("utf-8", "replace")
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"a request to the model cannot be written as JSON: {error}",
            "pass only strings, numbers, booleans, lists and dicts in messages and extra parameters",
        ) from error


def _add_tools(body: dict[str, Any], request: ModelRequest, concessions: Concessions) -> None:
    choice, forcing = request.tool_choice, concessions.tool_forcing
    tools = request.tools
    if isinstance(choice, ForcedTool) and forcing != "named":
        # Where one tool cannot be named, it is the only one that is offered.
        tools = [tool for tool in tools if tool.name == choice.name] or tools
    body["tools"] = api_tools(tools, strict=concessions.strict_schemas, left_out=concessions.refused_in_schemas)
    if isinstance(choice, ForcedTool) and forcing == "named":
        body["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
    elif choice in {"auto", "none"}:
        body["tool_choice"] = choice
    else:
        body["tool_choice"] = "auto" if forcing == "auto" else "required"
        if forcing == "auto":
            body["messages"] = [*body["messages"], _request_in_words(tools)]
    if concessions.reasoning_off:
        body.setdefault("reasoning_effort", "none")


def _request_in_words(tools: "list[Tool] | tuple[Tool, ...] | Any") -> dict[str, str]:
    names = ", ".join(f"`{tool.name}`" for tool in tools)
    which = f"the tool {names}" if len(tools) == 1 else f"one of the tools {names}"
    return {"role": "user", "content": f"Give your answer only by calling {which}. Do not write any other text."}


def _plain(value: Any) -> Any:
    if is_object(value):
        return dict(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_none=True)
    if isinstance(value, Set):
        return list(cast("Set[Any]", value))
    raise TypeError(f"{type(value).__name__} has no form in JSON")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain).encode
