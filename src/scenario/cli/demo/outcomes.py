"""What came out of the demo's scenarios, for people and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scenario.cli.demo.scenarios import DemoScenario
from scenario.events import EventListener
from scenario.events.screen_lines import INDENT, Line, Piece, Style, block, line
from scenario.events.table import aligned
from scenario.events.verdict_lines import criteria_of, seconds
from scenario.run_events import RunEvent, RunFinished
from scenario.types import Outcome


class Ending(EventListener):
    """Keeps how a run ended, also if it raised."""

    settles_with_run = True

    def __init__(self) -> None:
        self.finished: RunFinished | None = None

    def on_event(self, event: RunEvent) -> None:
        """Keep the event if it is the last of a run."""
        if isinstance(event, RunFinished):
            self.finished = event


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutcome:
    """What came out of a scenario.

    Attributes:
        scenario: The scenario.
        finished: How it ended; None if it did not begin.
        error: What was raised, in words; empty if nothing was.
    """

    scenario: DemoScenario
    finished: RunFinished | None
    error: str = ""

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.finished.outcome if self.finished else Outcome.ERROR

    @property
    def is_as_expected(self) -> bool:
        """Whether it ended the way it should."""
        return self.outcome is self.scenario.expected

    @property
    def reason(self) -> str:
        """Why it ended that way."""
        return self.error or (self.finished.result.reasoning if self.finished else None) or "unknown"

    def as_json(self) -> dict[str, Any]:
        """Return everything about it, ready for JSON."""
        values: dict[str, Any] = {
            "name": self.scenario.name,
            "shows": self.scenario.shows,
            "outcome": self.outcome.value,
            "expected": self.scenario.expected.value,
            "as_expected": self.is_as_expected,
            "error": self.error,
        }
        if self.finished is None:
            return values
        result = self.finished.result
        return {
            **values,
            "run_id": self.finished.stamp.run_id,
            "stop_reason": self.finished.stop_reason.value,
            "reasoning": result.reasoning,
            "criteria": [criterion.model_dump() for criterion in criteria_of(result)],
            "messages": len(result.messages),
            "model_calls": result.usage.calls,
            "input_tokens": result.usage.input_tokens,
            "output_tokens": result.usage.output_tokens,
            "cost_usd": result.usage.cost_usd,
            "seconds": _duration(self.finished),
        }


def outcome_table(outcomes: Sequence[DemoOutcome]) -> list[Line]:
    """Return a table of the outcomes, as lines for a display."""
    head = ["scenario", "outcome", "expected", "messages", "model calls", "time"]
    heading, *rows = aligned([head, *(_row(outcome) for outcome in outcomes)])
    lines = [line(), line(Piece(f"  {heading}", "quiet"))]
    for outcome, row in zip(outcomes, rows, strict=True):
        mark, style = _mark(outcome)
        lines.append(line(Piece(mark, style), f" {row}"))
        if not outcome.is_as_expected:
            lines += block(Piece("Reason:", "quiet"), outcome.reason, INDENT)
    expected = sum(outcome.is_as_expected for outcome in outcomes)
    style: Style = "passed" if expected == len(outcomes) else "failed"
    return [*lines, line(), line(Piece(f"{expected} of {len(outcomes)} came out as expected.", style))]


def _row(outcome: DemoOutcome) -> list[str]:
    if outcome.finished is None:
        return [outcome.scenario.name, outcome.outcome.value, outcome.scenario.expected.value, "", "", ""]
    result = outcome.finished.result
    return [
        outcome.scenario.name,
        outcome.outcome.value,
        outcome.scenario.expected.value,
        str(len(result.messages)),
        str(result.usage.calls),
        seconds(_duration(outcome.finished)),
    ]


def _mark(outcome: DemoOutcome) -> tuple[str, Style]:
    return ("✓", "passed") if outcome.is_as_expected else ("✗", "failed")


def _duration(finished: RunFinished) -> float:
    return finished.stamp.at if finished.result.total_time is None else finished.result.total_time
