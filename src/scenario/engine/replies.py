"""Turns what an agent returned into messages, or says what is wrong with it."""

import inspect
import json
from collections.abc import Mapping
from typing import Any, cast

from scenario.engine.mailboxes import Message
from scenario.errors import AgentReplyError, ConfigurationError, ScenarioError
from scenario.types import AgentRole, ScenarioResult

_ROLES = ("developer", "system", "user", "assistant", "tool", "function")
_ACCEPTED = (
    "return a string, a message like {'role': 'assistant', 'content': '…'}, a list of such messages, "
    "or a ScenarioResult"
)
_SHOWN = 100


def messages_of_reply(reply: object, role: AgentRole) -> list[Message] | ScenarioResult:
    """Convert what an agent's `call` returned.

    Args:
        reply: What was returned.
        role: Role of the agent, which decides whose message a plain text is.

    Returns:
        The messages, as copies that share nothing with `reply`, or the result that ends the run.

    Raises:
        AgentReplyError: If it is not a reply.
    """
    if isinstance(reply, str):
        return [{"role": "user" if role is AgentRole.USER else "assistant", "content": reply}]
    if isinstance(reply, ScenarioResult):
        return reply
    if isinstance(reply, list):
        items = cast(list[object], reply)
        return [_message(item, f"item {position} of the list") for position, item in enumerate(items)]
    return [_message(reply, "the reply")]


def scripted_message(message: object, where: str) -> Message:
    """Copy a message that a script or a step adds to the conversation, after checking its shape.

    Raises:
        ConfigurationError: If it is not a message in OpenAI's chat format.
    """
    if not isinstance(message, Mapping):
        raise ConfigurationError(
            f"{where} takes a message, not {_shown(message)}", "pass a dict like {'role': 'user', 'content': '…'}"
        )
    copy = dict(cast(Mapping[str, Any], message))
    if fault := _fault(copy):
        raise ConfigurationError(f"{where}: the message {_shown(copy)} {fault}", "use OpenAI's chat message format")
    return copy


def _message(reply: object, where: str) -> Message:
    if inspect.iscoroutine(reply):
        reply.close()
        raise AgentReplyError(f"{where} is a coroutine that was never awaited", "`await` it in `call`")
    message = dict(cast(Mapping[str, Any], reply)) if isinstance(reply, Mapping) else _dumped(reply, where)
    try:
        message = json.loads(json.dumps(message))
    except (TypeError, ValueError) as error:
        raise AgentReplyError(
            f"{where} cannot be written as JSON ({error}): {_shown(message)}", "return plain values in messages"
        ) from error
    if fault := _fault(message):
        raise AgentReplyError(f"{where}, {_shown(message)}, {fault}", _ACCEPTED)
    return message


def _dumped(reply: object, where: str) -> Message:
    dump = getattr(reply, "model_dump", None)
    if not hasattr(reply, "role") or not callable(dump):
        raise AgentReplyError(f"{where} is {_named(reply)}, which is not a message: {_shown(reply)}", _ACCEPTED)
    message: Any = dump(mode="json", exclude_none=True)
    if not isinstance(message, dict):
        raise AgentReplyError(f"{where} does not dump to a message: {_shown(reply)}", _ACCEPTED)
    return cast(Message, message)


def _fault(message: Message) -> str:
    role = message.get("role")
    if role not in _ROLES:
        said = f"has the role {role!r}" if "role" in message else "has no 'role'"
        return f"{said}; it must be one of {', '.join(_ROLES)}"
    content = message.get("content")
    if content is not None and not isinstance(content, str | list):
        return f"has a 'content' that is {_named(content)}; it must be text or a list of parts"
    if isinstance(content, list) and not all(isinstance(part, Mapping) for part in cast(list[object], content)):
        return "has a 'content' list with items that are not parts like {'type': 'text', 'text': '…'}"
    if role == "assistant":
        calls = message.get("tool_calls")
        if calls is not None and (
            not isinstance(calls, list) or not all(isinstance(call, Mapping) for call in cast(list[object], calls))
        ):
            return "has 'tool_calls' that are not a list of tool calls"
        if content is None and not any(message.get(key) for key in ("tool_calls", "function_call", "audio", "refusal")):
            return "has neither 'content' nor 'tool_calls'"
        return ""
    if content is None and role != "function":
        return "has no 'content'"
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        return "has no 'tool_call_id'"
    return ""


def _named(value: object) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:  # a broken __repr__ must not hide what is wrong with the reply
        text = f"<{type(value).__name__} whose repr() raised {type(error).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def error_text(error: BaseException) -> str:
    """Return what an exception says, or the name of its type when it says nothing."""
    text = error.what if isinstance(error, ScenarioError) else str(error)
    return text.strip() or type(error).__name__
