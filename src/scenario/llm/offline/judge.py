"""The offline judge: decides what rules can decide, and says of the rest that it needs a model."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from scenario.llm.chat_model import ModelReply, ModelRequest, ModelToolCall
from scenario.llm.offline.criterion_parsing import rule_for
from scenario.llm.offline.criterion_rules import Rule, evidence_for
from scenario.llm.offline.judge_tools import (
    CONTINUE_TEST,
    FINISH_TEST,
    MAKE_VERDICT,
    Ruling,
    asked_criteria,
    finish_test_reply,
    offered,
    phase_reply,
)
from scenario.llm.offline.offline_model import OfflineModel, model_tool_call, text_of_role, text_reply, tool_reply
from scenario.llm.offline.prompt_sections import section
from scenario.llm.offline.transcript_reading import Transcript, read_transcript

_EXPAND_TRANSCRIPT = "expand_transcript"
_TOKENS_AT_ONCE = 3_000
_UNKNOWN_TOKENS = 50
_CAUTIOUS_BYTES_PER_TOKEN = 5
_CALLS_AT_ONCE = 8
_NUMBERED = re.compile(r"^\d+\. ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Finding:
    rule: Rule
    evidence: Sequence[str] | None

    @property
    def is_broken(self) -> bool:
        return self.rule.forbidden and self.evidence is not None

    @property
    def is_satisfied(self) -> bool:
        return not self.rule.forbidden and self.evidence is not None


class OfflineJudge(OfflineModel):
    """A judge that follows rules. It reads everything it knows from the prompt.

    It understands criteria such as `says "X"`, `never mentions "X"`, `user says "X"`, `matches /re/` and
    `calls tool x`; it finds any other criterion inconclusive.

    Attributes:
        name: `offline/judge`.
    """

    name = "offline/judge"

    def answer(self, request: ModelRequest) -> ModelReply:
        """Answer a judge's request through one of the tools it offers."""
        finish_test = offered(request, FINISH_TEST)
        deciding = offered(request, MAKE_VERDICT) is not None
        if finish_test is None and not deciding:
            return text_reply("The offline judge answers through a judge's tools only.", request, self.name)
        transcript = read_transcript(request.messages)
        if transcript.unread and offered(request, _EXPAND_TRANSCRIPT) is not None:
            calls = _expansions(transcript, _already_asked(request))
            if calls:
                return tool_reply(calls, request, self.name)
        if finish_test is None:
            criteria = _criteria_of_prompt(text_of_role(request.messages, "system"))
            tool = MAKE_VERDICT if _is_settled(criteria, transcript) else CONTINUE_TEST
            return phase_reply(tool, request, self.name)
        rulings = {asked: _ruling(asked.text, transcript) for asked in asked_criteria(finish_test)}
        return finish_test_reply(rulings, _summary(list(rulings.values())), request, self.name)


def _criteria_of_prompt(system: str) -> list[str]:
    numbered = _NUMBERED.split(section(system, "criteria") or "")[1:]
    return ["\n".join(line.strip() for line in criterion.strip().splitlines()) for criterion in numbered]


def _finding(criterion: str, transcript: Transcript) -> _Finding | None:
    rule = rule_for(criterion)
    return None if rule is None else _Finding(rule, evidence_for(rule, transcript.happenings))


def _is_settled(criteria: Sequence[str], transcript: Transcript) -> bool:
    findings = [_finding(criterion, transcript) for criterion in criteria]
    if any(finding is not None and finding.is_broken for finding in findings):
        return True
    wished = [finding for finding in findings if finding is None or not finding.rule.forbidden]
    return bool(wished) and all(finding is not None and finding.is_satisfied for finding in wished)


def _ruling(criterion: str, transcript: Transcript) -> Ruling:
    finding = _finding(criterion, transcript)
    if finding is None:
        return Ruling("inconclusive", f"needs a model: no rule of the offline judge decides {criterion!r}")
    if finding.evidence is not None:
        found = "; ".join(f"{quote!r}" for quote in finding.evidence)
        if finding.rule.forbidden:
            return Ruling("failed", f"it happened, although it must not: {found}", finding.evidence)
        return Ruling("passed", f"it happened: {found}", finding.evidence)
    if not transcript.is_whole:
        return Ruling("inconclusive", "it does not occur in the part of the conversation that could be read")
    if finding.rule.forbidden:
        return Ruling("passed", "it does not occur anywhere in the conversation")
    return Ruling("failed", "it does not occur anywhere in the conversation")


def _summary(rulings: Sequence[Ruling]) -> str:
    counts = {
        status: sum(ruling.status == status for ruling in rulings) for status in ("passed", "failed", "inconclusive")
    }
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    needing = " A model is needed for the inconclusive ones." if counts["inconclusive"] else ""
    return f"Decided by the rules of the offline judge: {told or 'no criteria'}.{needing}"


def _already_asked(request: ModelRequest) -> set[str]:
    """Return the arguments of expansions that were asked for before."""
    calls = (call for message in request.messages for call in message.get("tool_calls") or ())
    return {call["function"]["arguments"] for call in calls if call["function"]["name"] == _EXPAND_TRANSCRIPT}


def _expansions(transcript: Transcript, already_asked: set[str]) -> list[ModelToolCall]:
    """Return calls that show the unread messages, those together that fit into one answer.

    A group that was asked for and did not come is asked for one by one; a single message that did not come is too
    long to be shown.
    """
    wanted: list[str] = []
    for group in _groups(transcript):
        arguments = _indices(group)
        wanted.extend([arguments] if arguments not in already_asked else [_indices([index]) for index in group])
    calls = [arguments for arguments in dict.fromkeys(wanted) if arguments not in already_asked]
    return [model_tool_call(_EXPAND_TRANSCRIPT, arguments) for arguments in calls[:_CALLS_AT_ONCE]]


def _groups(transcript: Transcript) -> list[list[int]]:
    known = [size for size in transcript.unread.values() if size is not None]
    guess = max(sum(known) // len(known), 1) if known else _UNKNOWN_TOKENS
    limit = transcript.excerpt_chars
    at_once = _TOKENS_AT_ONCE if limit is None else min(_TOKENS_AT_ONCE, limit // _CAUTIOUS_BYTES_PER_TOKEN)
    groups: list[list[int]] = []
    room = 0
    for index, tokens in transcript.unread.items():
        size = tokens or guess
        if not groups or size > room:
            groups.append([])
            room = at_once
        groups[-1].append(index)
        room -= size
    return groups


def _indices(indices: Sequence[int]) -> str:
    return json.dumps({"indices": indices})
