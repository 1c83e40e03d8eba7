"""A run as the closing table and the report of its test tell of it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NEVER_AWAITED = "never awaited"
"""Outcome of a run that was ordered and never awaited, and so never ran."""

UNFINISHED = "unfinished"
"""Outcome of a run that has begun and of whose end nothing was heard."""

_TEXT_LIMIT = 500
_PREFIX = "scenario"
_PROPERTY = re.compile(
    rf"{_PREFIX}(?:\.(?P<run>\d+))?"
    r"\.(?P<field>name|outcome|run_id|seed|total_time|agent_time|reasoning|criterion\.\d+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """The verdict on one criterion.

    Attributes:
        text: The criterion.
        status: `passed`, `failed` or `inconclusive`.
    """

    text: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run in a nutshell.

    Attributes:
        name: Name of the scenario.
        outcome: The outcome's value, or one of `NEVER_AWAITED` and `UNFINISHED`.
        run_id: Id of the run; empty for one that never was.
        test: Id of the test that it began in; empty when it began in none.
        seed: Its seed, if known.
        total_time: Seconds it took, if known.
        agent_time: Seconds of it spent in the agents under test, if known.
        reasoning: Why it ended as it did; long ones are cut.
        criteria: The verdict on each criterion; long ones are cut.
    """

    name: str
    outcome: str
    run_id: str = ""
    test: str = ""
    seed: int | None = None
    total_time: float | None = None
    agent_time: float | None = None
    reasoning: str = ""
    criteria: Sequence[Criterion] = ()

    def count(self, status: str) -> int:
        """Return how many criteria have that status."""
        return sum(each.status == status for each in self.criteria)


def row_of(name: str, result: Any, *, test: str = "", error: str = "") -> RunRow:
    """Return the row of a run with a result.

    Args:
        name: Name of the scenario.
        result: The `ScenarioResult`.
        test: Id of the test that the run began in.
        error: What the run raised, if anything.
    """
    outcome = str(result.outcome)
    reason = error if outcome == "error" and error else result.reasoning
    return RunRow(
        name=_cut(name),
        outcome=outcome,
        run_id=result.run_id or "",
        test=test,
        seed=result.seed,
        total_time=result.total_time,
        agent_time=result.agent_time,
        reasoning=_cut(reason or ""),
        criteria=tuple(_criteria_of(result)),
    )


def properties_of(rows: Sequence[RunRow]) -> list[tuple[str, str]]:
    """Return the properties that tell of the runs of a test: `scenario.outcome`, `scenario.2.outcome`, ..."""
    properties: list[tuple[str, str]] = []
    for number, row in enumerate(rows, 1):
        prefix = _PREFIX if number == 1 else f"{_PREFIX}.{number}"
        fields: dict[str, object] = {
            "name": row.name,
            "outcome": row.outcome,
            "run_id": row.run_id,
            "seed": row.seed,
            "total_time": None if row.total_time is None else f"{row.total_time:.6f}",
            "agent_time": None if row.agent_time is None else f"{row.agent_time:.6f}",
            "reasoning": row.reasoning,
        }
        for position, criterion in enumerate(row.criteria, 1):
            fields[f"criterion.{position}"] = f"{criterion.status}: {criterion.text}"
        properties += [(f"{prefix}.{field}", str(value)) for field, value in fields.items() if value not in (None, "")]
    return properties


def rows_in(properties: Iterable[tuple[str, object]], test: str) -> list[RunRow]:
    """Return the rows that `properties_of` made properties of; those of others are left alone."""
    runs: dict[str, dict[str, str]] = {}
    for name, value in properties:
        if found := _PROPERTY.fullmatch(name):
            runs.setdefault(found["run"] or "1", {})[found["field"]] = str(value)
    return [_row_from(fields, test) for fields in runs.values() if "outcome" in fields]


def is_of_run(property_name: str) -> bool:
    """Tell whether a property is one of those that tell of runs."""
    return _PROPERTY.fullmatch(property_name) is not None


def _row_from(fields: Mapping[str, str], test: str) -> RunRow:
    verdicts = [value.partition(": ") for field, value in fields.items() if field.startswith("criterion.")]
    return RunRow(
        name=fields.get("name", ""),
        outcome=fields["outcome"],
        run_id=fields.get("run_id", ""),
        test=test,
        seed=int(fields["seed"]) if "seed" in fields else None,
        total_time=float(fields["total_time"]) if "total_time" in fields else None,
        agent_time=float(fields["agent_time"]) if "agent_time" in fields else None,
        reasoning=fields.get("reasoning", ""),
        criteria=tuple(Criterion(text=text, status=status) for status, _, text in verdicts),
    )


def _criteria_of(result: Any) -> Iterable[Criterion]:
    if result.criteria:
        return [Criterion(text=_cut(each.criterion), status=each.status) for each in result.criteria]
    undecided = set(result.inconclusive_criteria)
    passed = [Criterion(text=_cut(each), status="passed") for each in result.passed_criteria]
    return passed + [
        Criterion(text=_cut(each), status="inconclusive" if each in undecided else "failed")
        for each in result.failed_criteria
    ]


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]} ..."
