"""How a judge comes to its verdict: asks whether there is enough to judge by, then for the verdict.

Long conversations are shown as an outline that the model looks into; a conversation that does not fit the model is
shown in ever smaller pieces. An answer that cannot be used is asked for again, once in each phase.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from scenario.errors import (
    ContextTooLongError,
    EmptyAnswerError,
    MalformedAnswerError,
    TruncatedAnswerError,
)
from scenario.judging.answers import (
    Decision,
    Lookups,
    Reading,
    better_of,
    cut_short,
    read_decision,
    read_decision_or_lookups,
    read_verdict_or_lookups,
    read_verdict_reply,
    tool_name,
)
from scenario.judging.criteria import Criteria
from scenario.judging.discovery import ExcerptLimits, answer_of_tool, estimate_tokens, outline
from scenario.judging.prompts import (
    LAST_TURN,
    OUTLINE_HINT,
    READ_SO_FAR,
    VERDICT_NOW,
    conversation_prompt,
    correction,
    decision_prompt,
    verdict_prompt,
)
from scenario.judging.tools import CONTINUE_TEST, DISCOVERY_TOOLS, FINISH_TEST, MAKE_VERDICT, finish_test
from scenario.judging.verdict import Verdict
from scenario.llm.chat_model import ForcedTool, ModelReply, ModelToolCall, Tool, ToolChoice
from scenario.transcript import TranscriptLine, bare_or_quoted, fenced, quoted

_Answer = TypeVar("_Answer")
_Result = TypeVar("_Result")
_Message: TypeAlias = dict[str, Any]

_PIN = ForcedTool(FINISH_TEST)
_MOST_LOOKUPS_AT_ONCE = 10
_TOO_MANY = "Error: too many calls at once; this one was not carried out."


class Completion(Protocol):
    """Asks the judge's model."""

    async def __call__(
        self, messages: Sequence[_Message], tools: Sequence[Tool], tool_choice: ToolChoice
    ) -> ModelReply:
        """Return the model's answer.

        Raises:
            ModelError: If there is none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is to be judged, and by what.

    Attributes:
        description: Description of the scenario.
        criteria: The criteria.
        lines: The conversation, one line a message.
        additional_context: Facts that are not in the conversation; empty if none.
        is_last_turn: Whether the conversation cannot go on.
        own_prompt: System prompt that stands in for the judge's introduction.
    """

    description: str
    criteria: Criteria
    lines: Sequence[TranscriptLine]
    additional_context: str = ""
    is_last_turn: bool = False
    own_prompt: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look into the conversation showed."""

    call: str
    result: str


@dataclass(slots=True)
class _Talk:
    """One exchange with the model, from the prompt on."""

    messages: list[_Message]
    tools: tuple[Tool, ...]
    has_re_asked: bool = False


class Deliberation:
    """Comes to one decision and one verdict on a case.

    Args:
        case: What is judged.
        complete: Asks the model.
        model: Name of the model, for errors.
        token_threshold: Estimated tokens above which the transcript is shown as an outline.
        max_discovery_steps: Rounds of looking into the outline, in each phase; with 0 the transcript is always whole.

    Attributes:
        was_shortened: Whether the conversation did not fit the model and was shown in pieces.
        has_used_up_its_steps: Whether looking into the conversation was ended before the model was done.
    """

    def __init__(
        self, case: Case, complete: Completion, *, model: str, token_threshold: int, max_discovery_steps: int
    ) -> None:
        self._case = case
        self._complete = complete
        self._model = model
        self._steps = max_discovery_steps
        self._whole = "\n".join(line.text for line in case.lines)
        is_large = max_discovery_steps > 0 and estimate_tokens(self._whole) > token_threshold
        self._limits = ExcerptLimits() if is_large else None
        self._found: list[_Found] = []
        self.was_shortened = False
        self.has_used_up_its_steps = False

    async def decide(self) -> Decision:
        """Ask whether the conversation can be judged now.

        Raises:
            ModelError: If the model cannot be asked, or did not decide when asked again.
        """
        return await self._fitting(self._decide)

    async def judge(self) -> Verdict:
        """Ask for the verdict.

        Raises:
            ModelError: If the model cannot be asked, or gave no verdict when asked again.
        """
        verdict = None if self.has_used_up_its_steps else await self._fitting(self._judge)
        return verdict or await self._fitting(self._conclude)

    async def _decide(self) -> Decision:
        talk = self._opening(decision_prompt, (CONTINUE_TEST, MAKE_VERDICT), context="")
        for _ in range(self._rounds):
            answer = await self._answer(talk, "required", self._as_decision)
            if isinstance(answer, Decision):
                return answer
            self._look_up(talk, answer)
        self.has_used_up_its_steps = True
        return Decision.JUDGE

    async def _judge(self) -> Verdict | None:
        talk = self._opening(verdict_prompt, (finish_test(self._case.criteria),), context=self._case.additional_context)
        for step in range(self._rounds):
            choice = _PIN if step == self._rounds - 1 else "required"
            answer = await self._answer(talk, choice, self._as_verdict)
            if isinstance(answer, Verdict):
                return answer
            self._look_up(talk, answer)
        self.has_used_up_its_steps = True
        return None

    async def _conclude(self) -> Verdict:
        """Ask for the verdict on the strength of what was found, without further looks."""
        found = "\n\n".join(f"I called {look.call} and read:\n{self._excerpt(look.result)}" for look in self._found)
        talk = _Talk(
            [
                *self._prompt(verdict_prompt, context=self._case.additional_context, hint=READ_SO_FAR),
                {"role": "assistant", "content": found},
                {"role": "user", "content": VERDICT_NOW},
            ],
            (finish_test(self._case.criteria),),
        )
        return await self._answer(talk, _PIN, lambda reply: read_verdict_reply(reply, self._case.criteria))

    def _as_decision(self, reply: ModelReply) -> Reading[Decision | Lookups]:
        return read_decision_or_lookups(reply) if self._limits else read_decision(reply)

    def _as_verdict(self, reply: ModelReply) -> Reading[Verdict | Lookups]:
        read = read_verdict_or_lookups if self._limits else read_verdict_reply
        return read(reply, self._case.criteria)

    @property
    def _rounds(self) -> int:
        return self._steps if self._limits else 1

    def _opening(
        self, system: Callable[[str, Criteria, str | None], str], tools: tuple[Tool, ...], *, context: str
    ) -> _Talk:
        self._found = []
        if self._limits is None:
            return _Talk(self._prompt(system, context=context, hint=""), tools)
        return _Talk(self._prompt(system, context=context, hint=OUTLINE_HINT), (*DISCOVERY_TOOLS, *tools))

    def _prompt(self, system: Callable[[str, Criteria, str | None], str], *, context: str, hint: str) -> list[_Message]:
        case = self._case
        transcript = outline(case.lines, self._limits) if self._limits else self._whole
        messages: list[_Message] = [
            {"role": "system", "content": system(case.description, case.criteria, case.own_prompt)},
            {"role": "user", "content": conversation_prompt(transcript, hint, context)},
        ]
        if case.is_last_turn:
            messages.append({"role": "user", "content": LAST_TURN})
        return messages

    async def _fitting(self, attempt: Callable[[], Awaitable[_Result]]) -> _Result:
        """Ask with ever less of the conversation in view until it fits the model."""
        while True:
            try:
                return await attempt()
            except ContextTooLongError:
                smaller = self._limits.halved() if self._limits else ExcerptLimits()
                if smaller is None or not self._steps:
                    raise
                self._limits = smaller
                self.was_shortened = True

    async def _answer(self, talk: _Talk, choice: ToolChoice, read: Callable[[ModelReply], Reading[_Answer]]) -> _Answer:
        reading = await self._attempt(talk, choice, read)
        if reading.fault and not talk.has_re_asked:
            talk.has_re_asked = True
            names = " or ".join(f"`{tool.name}`" for tool in talk.tools)
            talk.messages.append({"role": "user", "content": correction(reading.fault, names)})
            reading = better_of(reading, await self._attempt(talk, choice, read))
        if reading.answer is not None:
            return reading.answer
        raise reading.error or MalformedAnswerError(
            f"the judge's model {self._model} gave no usable answer, asked twice: {reading.fault}",
            "use a model that is good at calling functions",
            self._model,
        )

    async def _attempt(
        self, talk: _Talk, choice: ToolChoice, read: Callable[[ModelReply], Reading[_Answer]]
    ) -> Reading[_Answer]:
        try:
            reply = await self._complete(list(talk.messages), talk.tools, choice)
        except TruncatedAnswerError as error:
            return cut_short(error)
        except EmptyAnswerError as error:
            return Reading(fault="It was empty.", error=error)
        except MalformedAnswerError as error:
            return Reading(fault="It could not be read.", error=error)
        return read(reply)

    def _look_up(self, talk: _Talk, lookups: Lookups) -> None:
        limits = self._limits or ExcerptLimits()
        calls: list[_Message] = []
        results: list[_Message] = []
        for number, call in enumerate(lookups.reply.tool_calls):
            name = tool_name(call)
            result = _TOO_MANY
            if number < _MOST_LOOKUPS_AT_ONCE:
                result = answer_of_tool(name, call.arguments, self._case.lines, limits)
                self._found.append(_Found(f"{bare_or_quoted(name)}({quoted(call.arguments[:500])})", result))
            id = call.id or f"call_{len(talk.messages)}_{number}"
            calls.append(_echoed(id, name, call))
            results.append({"role": "tool", "tool_call_id": id, "content": result})
        talk.messages.append({**lookups.reply.as_message(), "tool_calls": calls})
        talk.messages.extend(results)

    def _excerpt(self, result: str) -> str:
        limit = (self._limits or ExcerptLimits()).excerpt_chars
        return fenced("excerpt", result if len(result) <= limit else f"{result[:limit]}\n[TRUNCATED]")


def _echoed(id: str, name: str, call: ModelToolCall) -> _Message:
    """Return a call as it may stand in a later request: services refuse odd names and arguments that are not JSON."""
    try:
        arguments = json.loads(call.arguments, strict=False)
    except (ValueError, RecursionError):
        arguments = {}
    function = {
        "name": name if bare_or_quoted(name) == name else "unknown",
        "arguments": json.dumps(arguments if isinstance(arguments, dict) else {}, ensure_ascii=False),
    }
    return {"id": id, "type": "function", "function": function, **call.echo}
