"""The tools a judge offers its model, as the offline models read and call them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from scenario.llm.chat_model import ForcedTool, ModelReply, ModelRequest, Tool
from scenario.llm.offline.offline_model import model_tool_call, tool_reply

CONTINUE_TEST = "continue_test"
MAKE_VERDICT = "make_verdict"
FINISH_TEST = "finish_test"

Status: TypeAlias = Literal["passed", "failed", "inconclusive"]

_NUMBERED = re.compile(r"\s*Criterion\s+\d+\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AskedCriterion:
    """A criterion that a judge asks about.

    Attributes:
        key: Its name in the arguments of `finish_test`.
        text: Its words.
        wants_evidence: Whether quotes may be given for it.
    """

    key: str
    text: str
    wants_evidence: bool


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is said about one criterion.

    Attributes:
        status: The verdict on it.
        reasoning: Why.
        evidence: Quotes from the conversation.
    """

    status: Status
    reasoning: str
    evidence: Sequence[str] = ()


def offered(request: ModelRequest, name: str) -> Tool | None:
    """Return the tool of that name if the request allows calling it."""
    if isinstance(request.tool_choice, ForcedTool) and request.tool_choice.name != name:
        return None
    return next((tool for tool in request.tools if tool.name == name), None)


def asked_criteria(finish_test: Tool) -> list[AskedCriterion]:
    """Return the criteria that the schema of `finish_test` asks about, in order."""
    asked: Mapping[str, Any] = finish_test.parameters.get("properties", {}).get("criteria", {}).get("properties", {})
    return [
        AskedCriterion(
            key=key,
            text=_NUMBERED.sub("", schema.get("description") or key, count=1).strip(),
            wants_evidence="evidence" in schema.get("properties", {}),
        )
        for key, schema in asked.items()
    ]


def finish_test_reply(
    rulings: Mapping[AskedCriterion, Ruling], reasoning: str, request: ModelRequest, model: str
) -> ModelReply:
    """Return the call of `finish_test` that gives these rulings."""
    criteria = {criterion.key: _ruling_values(criterion, ruling) for criterion, ruling in rulings.items()}
    arguments = json.dumps({"criteria": criteria, "reasoning": reasoning}, ensure_ascii=False)
    return tool_reply([model_tool_call(FINISH_TEST, arguments)], request, model)


def phase_reply(name: str, request: ModelRequest, model: str) -> ModelReply:
    """Return a call of a tool that takes no arguments."""
    return tool_reply([model_tool_call(name, "{}")], request, model)


def _ruling_values(criterion: AskedCriterion, ruling: Ruling) -> dict[str, Any]:
    values: dict[str, Any] = {
        "requirement": criterion.text,
        "reasoning": ruling.reasoning,
        "status": ruling.status,
    }
    if criterion.wants_evidence:
        values["evidence"] = list(ruling.evidence)
    return values
