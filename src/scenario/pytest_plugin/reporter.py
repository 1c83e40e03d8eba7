"""Collects the runs of a test session."""

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, TypedDict

from scenario.pytest_plugin.run_row import NEVER_AWAITED, UNFINISHED, RunRow, row_of

if TYPE_CHECKING:
    from scenario.pytest_plugin.report_table import Writer
    from scenario.types import ScenarioResult


class ReportedRun(TypedDict):
    """A run that has ended.

    Attributes:
        scenario: What was run; it has a `name` and a `description`.
        result: What came of it. For a run that raised, a failing result that tells what happened.
    """

    scenario: Any
    result: "ScenarioResult"


class ScenarioReporter:
    """The runs of a test session, and the table that is printed at its end.

    The fixture `scenario_reporter` gives the session's. In a worker of pytest-xdist it knows that worker's runs.

    Attributes:
        results: The runs that have ended, each with `"scenario"` and `"result"`.
    """

    def __init__(self) -> None:
        self.results: list[ReportedRun] = []
        self._rows: dict[str, RunRow] = {}
        self._further = count(1)

    @property
    def rows(self) -> Sequence[RunRow]:
        """All runs in a nutshell, in the order in which they began."""
        return list(self._rows.values())

    def add_result(self, scenario: Any, result: "ScenarioResult") -> None:
        """Add a run that has ended. Each time counts.

        Args:
            scenario: What was run: a `ScenarioExecutor`, or anything else with a name.
            result: What came of it.
        """
        self.results.append({"scenario": scenario, "result": result})
        self.add_further_row(row_of(str(getattr(scenario, "name", scenario)), result))

    def add_row(self, row: RunRow) -> None:
        """Add a run, or put the row in the place of the one with the same run id."""
        if row.run_id:
            self._rows[row.run_id] = row
        else:
            self.add_further_row(row)

    def add_further_row(self, row: RunRow) -> None:
        """Add a run, even if there is one with the same run id."""
        self._rows[f"further {next(self._further)}"] = row

    def row_of_run(self, run_id: str) -> RunRow | None:
        """Return the row of a run, or None."""
        return self._rows.get(run_id)

    def get_summary(self) -> dict[str, int | float]:
        """Return how many runs there were and how many of them passed.

        Returns:
            `total`, `passed`, `failed`, and `success_rate`: the percentage that passed, 0 when there were none. A
            further outcome, such as `inconclusive`, has an entry of its own when it occurred; it is no failure of the
            agent, and no success either.
        """
        rows = self.rows
        counts: dict[str, int | float] = {"total": len(rows), "passed": 0, "failed": 0}
        others = ("error", "inconclusive", "truncated", "invalid", NEVER_AWAITED, UNFINISHED)
        for outcome in ("passed", "failed", *others):
            number = sum(row.outcome == outcome for row in rows)
            if number:
                counts[outcome] = number
        counts["success_rate"] = round(100 * counts["passed"] / len(rows), 2) if rows else 0
        return counts

    def print_report(self, writer: "Writer | None" = None) -> None:
        """Print the table of all runs; nothing when there were none.

        Args:
            writer: What to print it with, such as pytest's terminal writer; left out, it goes to standard output.
        """
        if not self._rows:
            return
        # Loaded here: it takes a while, and most sessions of pytest have no runs to tell of.
        from scenario.pytest_plugin.report_table import print_table

        print_table(self, writer)
