"""Verdicts: what a judge's model says about each criterion, read without trusting its shape."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeGuard, cast

from scenario.judging.criteria import Criteria, Criterion
from scenario.types import CriterionResult

Status: TypeAlias = Literal["passed", "failed", "inconclusive"]

NO_REASONING = "No reasoning provided"

_STATUSES: Mapping[str, Status] = {"passed": "passed", "failed": "failed", "inconclusive": "inconclusive"}
# Judges that answer with one word have also been taught to write truth values.
_WORDS: Mapping[str, Status] = {**_STATUSES, "true": "passed", "false": "failed"}
_NO_VERDICT = "The judge returned no verdict for this criterion."
_MOST_QUOTES = 50
_MOST_NAMED = 10
_CODE_BLOCK = re.compile(r"\s*```[a-zA-Z]*\n(.*?)\n?```\s*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The verdict on one criterion.

    Attributes:
        criterion: The criterion.
        status: The verdict.
        requirement: The criterion as the judge understood it, as a positive requirement.
        reasoning: Why.
        quotes: Passages of the conversation the judge rests on, not checked yet.
    """

    criterion: Criterion
    status: Status
    requirement: str = ""
    reasoning: str = ""
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on all criteria, in declared order.

    Attributes:
        rulings: The verdict on each.
        reasoning: The summary.
        fault: What is wrong with the answer it was read from, said to the model; empty if nothing is.
        missing: Number of criteria the answer says nothing usable about; they count as failed.
    """

    rulings: tuple[Ruling, ...]
    reasoning: str
    fault: str = ""
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An answer that holds no verdict at all.

    Attributes:
        fault: What is wrong with it, said to the model.
    """

    fault: str


def read_verdict(arguments: str, criteria: Criteria) -> Verdict | Unreadable:
    """Read a verdict from the arguments of `finish_test`.

    Verdicts are matched by key. A criterion that the answer says nothing usable about has failed.

    Args:
        arguments: The arguments as the model wrote them.
        criteria: The criteria asked about.
    """
    block = _CODE_BLOCK.fullmatch(arguments)
    given = _decoded(block[1] if block else arguments)
    if isinstance(given, str):
        given = _decoded(given)
    if given is _NOT_JSON:
        return Unreadable("The arguments of `finish_test` were not JSON.")
    if not _is_object(given):
        return _without_verdicts(criteria, "The arguments of `finish_test` were not a JSON object.", NO_REASONING)
    return _verdict_from(given, criteria)


def verdict_in_text(text: str, criteria: Criteria) -> Verdict | None:
    """Return the verdict that a plain-text answer is, as a JSON object and nothing else, or None.

    JSON with words around it is no verdict: the words may say that somebody in the conversation made it up.
    """
    given = json_in_text(text)
    if _is_object(given.get("arguments")):
        given = given["arguments"]
    return _verdict_from(given, criteria) if _is_object(given.get("criteria")) else None


def json_in_text(text: str) -> dict[str, Any]:
    """Return the JSON object that a text is, in a code block or not; an empty one if it is anything else."""
    block = _CODE_BLOCK.fullmatch(text)
    given = _decoded(block[1] if block else text)
    return given if _is_object(given) else {}


def overall_status(results: Iterable[CriterionResult]) -> Status:
    """Return failed if a criterion failed, else inconclusive if one is or there are none, else passed."""
    statuses = {result.status for result in results}
    if "failed" in statuses:
        return "failed"
    return "passed" if statuses == {"passed"} else "inconclusive"


def failed_verdict(criteria: Criteria, reasoning: str, fault: str = "") -> Verdict:
    """Return the verdict that nothing passed, for the same reason throughout."""
    rulings = tuple(Ruling(criterion=criterion, status="failed", reasoning=reasoning) for criterion in criteria)
    return Verdict(rulings=rulings, reasoning=reasoning, fault=fault, missing=len(criteria))


def _verdict_from(given: Mapping[str, Any], criteria: Criteria) -> Verdict:
    reasoning = _words(given.get("reasoning")) or NO_REASONING
    answers = given.get("criteria", _NOTHING)
    if answers is _NOTHING:
        return _without_verdicts(criteria, "`criteria` was missing.", reasoning)
    if isinstance(answers, str):
        answers = _decoded(answers)
    if not _is_object(answers):
        return _unparsed(criteria, reasoning)
    readings = [(criterion, _ruling(criterion, answers.get(criterion.key))) for criterion in criteria]
    missing = [criterion for criterion, ruling in readings if ruling is None]
    return Verdict(
        rulings=tuple(ruling or _no_ruling(criterion) for criterion, ruling in readings),
        reasoning=reasoning,
        fault=_missing_fault(missing) if missing else "",
        missing=len(missing),
    )


def _without_verdicts(criteria: Criteria, fault: str, reasoning: str) -> Verdict:
    return Verdict(
        rulings=tuple(map(_no_ruling, criteria)), reasoning=reasoning, fault=fault, missing=max(len(criteria), 1)
    )


def _unparsed(criteria: Criteria, reasoning: str) -> Verdict:
    fault = "`criteria` was not a JSON object with one member for each criterion."
    explained = "Scenario could not parse the judge's verdicts: `criteria` was not a JSON object."
    if reasoning != NO_REASONING:
        explained = f"{explained} The judge's summary: {reasoning}"
    return failed_verdict(criteria, explained, fault)


def _ruling(criterion: Criterion, answer: Any) -> Ruling | None:
    if isinstance(answer, bool):
        return Ruling(criterion=criterion, status="passed" if answer else "failed")
    if isinstance(answer, str):
        status = _WORDS.get(answer.strip().casefold())
        return Ruling(criterion=criterion, status=status) if status else None
    if not _is_object(answer):
        return None
    status = _STATUSES.get(_words(answer.get("status")).casefold())
    if status is None:
        return None
    return Ruling(
        criterion=criterion,
        status=status,
        requirement=_words(answer.get("requirement")),
        reasoning=_words(answer.get("reasoning")),
        quotes=_quotes(answer.get("evidence")),
    )


def _no_ruling(criterion: Criterion) -> Ruling:
    return Ruling(criterion=criterion, status="failed", reasoning=_NO_VERDICT)


def _missing_fault(missing: list[Criterion]) -> str:
    keys = ", ".join(f"`{criterion.key}`" for criterion in missing[:_MOST_NAMED])
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    return (
        f"`criteria` held no usable verdict for {keys}{more}; each needs an object whose `status` is passed, failed or "
        "inconclusive."
    )


def _quotes(evidence: Any) -> tuple[str, ...]:
    given = cast("list[Any]", evidence) if isinstance(evidence, list) else [evidence]
    texts = (item.get("quote") if _is_object(item) else item for item in given)
    return tuple(text for text in texts if isinstance(text, str) and text.strip())[:_MOST_QUOTES]


def _words(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


class _Mark:
    """A value that no JSON text decodes to."""


_NOT_JSON = _Mark()
_NOTHING = _Mark()


def _decoded(text: str) -> Any:
    try:
        # Models write line breaks into strings as they are.
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
