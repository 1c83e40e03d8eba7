"""Scripted answers for judges: a verdict on the criteria that are asked about, or the wish to see more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scenario.errors import ConfigurationError
from scenario.llm.chat_model import ModelReply, ModelRequest
from scenario.llm.offline.judge_tools import (
    CONTINUE_TEST,
    FINISH_TEST,
    MAKE_VERDICT,
    AskedCriterion,
    Ruling,
    Status,
    asked_criteria,
    finish_test_reply,
    offered,
    phase_reply,
)

_SCRIPTED = ""  # the scripted model puts its own name in


@dataclass(frozen=True, slots=True)
class VerdictAnswer:
    """A verdict for a scripted model to give; made by `verdict`.

    Asked whether the conversation has shown enough, it says yes; asked for the verdict, it gives it.

    Attributes:
        named: Criteria and what is said about them.
        rest: Status of the criteria that are not named.
        reasoning: The summary.
    """

    named: Sequence[tuple[str, Status]]
    rest: Status
    reasoning: str

    def reply_to(self, request: ModelRequest) -> ModelReply:
        """Return the call that gives the verdict, or that asks to give it."""
        finish_test = offered(request, FINISH_TEST)
        if finish_test is None:
            return _phase_answer(MAKE_VERDICT, request)
        asked = asked_criteria(finish_test)
        statuses: dict[AskedCriterion, Status] = dict.fromkeys(asked, self.rest)
        for words, status in self.named:
            statuses[_criterion_named(words, asked)] = status
        rulings = {criterion: Ruling(status, self._reason(criterion)) for criterion, status in statuses.items()}
        return finish_test_reply(rulings, self.reasoning, request, _SCRIPTED)

    def is_final(self, request: ModelRequest) -> bool:
        """Whether the request asks for the verdict itself."""
        return offered(request, FINISH_TEST) is not None

    def _reason(self, criterion: AskedCriterion) -> str:
        return f"{self.reasoning} ({criterion.text})"


@dataclass(frozen=True, slots=True)
class PhaseAnswer:
    """An answer to the question whether the conversation has shown enough.

    Attributes:
        tool: The tool that says so.
    """

    tool: str

    def reply_to(self, request: ModelRequest) -> ModelReply:
        """Return the call."""
        return _phase_answer(self.tool, request)

    def is_final(self, request: ModelRequest) -> bool:
        """Whether the answer is used up: it always is."""
        return True


class _VerdictMaker:
    """Makes verdicts for scripted judges; see `verdict`."""

    def __call__(
        self,
        *,
        passed: str | Iterable[str] = (),
        failed: str | Iterable[str] = (),
        inconclusive: str | Iterable[str] = (),
        rest: Status | None = None,
        reasoning: str = "scripted verdict",
    ) -> VerdictAnswer:
        """Return a verdict on the criteria named.

        A criterion is named by its words, by a part of them that no other criterion has, or by its key in the
        request.

        Args:
            passed: Criteria that passed.
            failed: Criteria that failed.
            inconclusive: Criteria that could not be judged.
            rest: Status of all others. By default they passed, unless `passed` is given: then they are inconclusive.
            reasoning: The summary.
        """
        passed, failed, inconclusive = _listed(passed), _listed(failed), _listed(inconclusive)
        named: list[tuple[str, Status]] = []
        named.extend((words, "passed") for words in passed)
        named.extend((words, "failed") for words in failed)
        named.extend((words, "inconclusive") for words in inconclusive)
        return VerdictAnswer(tuple(named), rest or ("inconclusive" if passed else "passed"), reasoning)

    def all_passed(self, reasoning: str = "all criteria passed") -> VerdictAnswer:
        """Return the verdict that every criterion passed."""
        return VerdictAnswer((), "passed", reasoning)

    def all_failed(self, reasoning: str = "all criteria failed") -> VerdictAnswer:
        """Return the verdict that every criterion failed."""
        return VerdictAnswer((), "failed", reasoning)

    def all_inconclusive(self, reasoning: str = "nothing could be judged") -> VerdictAnswer:
        """Return the verdict that no criterion could be judged."""
        return VerdictAnswer((), "inconclusive", reasoning)


verdict = _VerdictMaker()
"""Makes verdicts: `verdict(failed=["is polite"])`, `verdict.all_passed()`."""


def continue_test() -> PhaseAnswer:
    """Return the answer that the judge wants to see more of the conversation."""
    return PhaseAnswer(CONTINUE_TEST)


def make_verdict() -> PhaseAnswer:
    """Return the answer that the judge has seen enough."""
    return PhaseAnswer(MAKE_VERDICT)


def _phase_answer(tool: str, request: ModelRequest) -> ModelReply:
    if offered(request, tool) is None:
        names = ", ".join(offer.name for offer in request.tools) or "no tool"
        raise ConfigurationError(
            f"a judge's `{tool}` was scripted, but the request offers {names}",
            "check that the model belongs to a judge, and that its answers are in the order in which it asks",
        )
    return phase_reply(tool, request, _SCRIPTED)


def _listed(words: str | Iterable[str]) -> list[str]:
    return [words] if isinstance(words, str) else list(words)


def _criterion_named(words: str, asked: Sequence[AskedCriterion]) -> AskedCriterion:
    folded = _folded(words)
    same = [criterion for criterion in asked if folded == _folded(criterion.text) or words == criterion.key]
    matching = same or [criterion for criterion in asked if folded in _folded(criterion.text)]
    if len(matching) == 1:
        return matching[0]
    known = "; ".join(criterion.text for criterion in asked) or "none"
    raise ConfigurationError(
        f"the scripted verdict names {words!r}, which {'several criteria contain' if matching else 'is no criterion'}",
        f"name one of the criteria asked about: {known}",
    )


def _folded(words: str) -> str:
    return " ".join(words.casefold().split())
