"""Requests as judges and simulated users send them."""

from collections.abc import Mapping, Sequence
from typing import Any

from scenario.judging.criteria import keyed_criteria
from scenario.judging.prompts import conversation_prompt, decision_prompt, verdict_prompt
from scenario.judging.tools import CONTINUE_TEST, MAKE_VERDICT, finish_test
from scenario.llm.chat_model import ForcedTool, ModelReply, ModelRequest
from scenario.simulation.prompt import simulator_prompt
from scenario.simulation.role_reversal import reversed_roles
from scenario.transcript import render_transcript_lines

Messages = Sequence[Mapping[str, Any]]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def agent(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def calling(name: str, arguments: str, text: str | None = None) -> dict[str, Any]:
    call = {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": text, "tool_calls": [call]}


def result_of(name: str, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": f"call_{name}", "content": content}


def decision_request(conversation: Messages, *criteria: str, description: str = "a test") -> ModelRequest:
    """What a judge asks after each turn."""
    return ModelRequest(
        messages=_prompt(decision_prompt(description, keyed_criteria(criteria), None), conversation),
        tools=(CONTINUE_TEST, MAKE_VERDICT),
        tool_choice="required",
    )


def verdict_request(conversation: Messages, *criteria: str, description: str = "a test") -> ModelRequest:
    """What a judge asks when it wants the verdict."""
    keyed = keyed_criteria(criteria)
    return ModelRequest(
        messages=_prompt(verdict_prompt(description, keyed, None), conversation),
        tools=(finish_test(keyed),),
        tool_choice=ForcedTool("finish_test"),
    )


def simulator_request(conversation: Messages, description: str, persona: str | None = None) -> ModelRequest:
    """What a simulated user asks for its next line."""
    system = {"role": "system", "content": simulator_prompt(description, persona)}
    return ModelRequest(messages=[system, *reversed_roles(conversation)])


def only_call(reply: ModelReply) -> str:
    (call,) = reply.tool_calls
    return call.name


def _prompt(system: str, conversation: Messages) -> list[dict[str, Any]]:
    transcript = "\n".join(render_transcript_lines(conversation))
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": conversation_prompt(transcript, "", "")},
    ]
