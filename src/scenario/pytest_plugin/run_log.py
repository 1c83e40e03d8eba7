"""Which runs began in which test, and how they ended."""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenario.pytest_plugin.reporter import ScenarioReporter
from scenario.pytest_plugin.run_row import (
    NEVER_AWAITED,
    UNFINISHED,
    RunRow,
    is_of_run,
    properties_of,
    row_of,
    rows_in,
)
from scenario.pytest_plugin.under_way import Phase, UnderWay

if TYPE_CHECKING:
    from scenario.run_events import RunFinished, RunStarted

_LAG_LIMIT = 1.0


@dataclass(slots=True, kw_only=True)
class LoggedRun:
    """A run of this process.

    Attributes:
        run_id: Id of the run.
        test: Id of the test it began in; empty when it began in none.
        phase: The phase of the test it began in.
        started: What was said when it began; None until then.
        finished: What was said when it ended; None until then.
    """

    run_id: str
    test: str
    phase: Phase
    started: "RunStarted | None" = None
    finished: "RunFinished | None" = None

    def outlived(self, moment: float) -> bool:
        """Tell whether a test that ended at a moment of Unix time has left it behind.

        What fixtures begin before the test is theirs to end; of what they begin after it, what was cancelled.
        """
        if self.started is None or self.phase not in ("call", "teardown"):
            return False
        if self.finished is None:
            return True
        late = self.finished.stamp.wall_time > moment
        return late and (self.phase == "call" or self.finished.stop_reason == "cancelled")


class RunLog:
    """The runs of a test session, as they are told about by whoever starts and plays them.

    Attributes:
        reporter: Where runs are reported to.
    """

    def __init__(self, under_way: UnderWay) -> None:
        self.reporter = ScenarioReporter()
        self._under_way = under_way
        self._runs: dict[str, LoggedRun] = {}
        self._attempt: list[LoggedRun] = []
        self._never_awaited: list[RunRow] = []
        self._test_ended: float | None = None
        self._told_left: list[LoggedRun] = []
        self._in_reports: set[RunRow] = set()
        self._ended = threading.Condition()

    def begin_attempt(self) -> None:
        """Begin a new attempt at a test, or the time between tests."""
        self._attempt, self._never_awaited, self._told_left, self._test_ended = [], [], [], None

    def announce(self, run_id: str) -> str:
        """Take note of a run that is about to begin and return the id of the test it belongs to."""
        run = LoggedRun(run_id=run_id, test=self._under_way.test, phase=self._under_way.phase)
        self._runs[run_id] = run
        self._attempt.append(run)
        return run.test

    def started(self, event: "RunStarted") -> None:
        """Take note that a run has begun; one that was not announced here belongs to another session."""
        run = self._runs.get(event.stamp.run_id)
        if run is not None:
            run.started = event
            self.reporter.add_row(
                RunRow(name=event.name, outcome=UNFINISHED, run_id=run.run_id, test=run.test, seed=event.seed)
            )

    def finished(self, event: "RunFinished") -> None:
        """Take note that a run has ended."""
        run = self._runs.pop(event.stamp.run_id, None)
        if run is None or run.started is None:
            return
        self.reporter.results.append({"scenario": run.started, "result": event.result})
        self.reporter.add_row(row_of(run.started.name, event.result, test=run.test, error=event.error))
        with self._ended:
            run.finished = event
            self._ended.notify_all()

    def never_awaited(self, name: str) -> None:
        """Take note of a run that the test under way ordered and never awaited."""
        row = RunRow(
            name=name,
            outcome=NEVER_AWAITED,
            test=self._under_way.test,
            reasoning="It was ordered and never awaited, so it never ran.",
        )
        self._never_awaited.append(row)
        self.reporter.add_row(row)

    def of_attempt(self, *phases: Phase) -> Sequence[LoggedRun]:
        """Return the runs that began in the current attempt at a test, in all phases or in these."""
        return [run for run in self._attempt if run.started and (not phases or run.phase in phases)]

    def properties_of_attempt(
        self, properties: Sequence[tuple[str, object]], *, is_last: bool
    ) -> list[tuple[str, object]]:
        """Return the properties of a test's report with those of the runs of the current attempt at it.

        Args:
            properties: The properties so far; what they tell of runs is replaced.
            is_last: Whether this is the last report of the attempt, which runs that have not ended stand in, too.
        """
        runs = (self.reporter.row_of_run(run.run_id) for run in self.of_attempt())
        rows = [row for row in (*runs, *self._never_awaited) if row and (is_last or row.outcome != UNFINISHED)]
        self._in_reports.update(rows)
        return [*(each for each in properties if not is_of_run(each[0])), *properties_of(rows)]

    def properties_in_no_report(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return the runs that stand in no report: the test of each, and its properties."""
        return [(row.test, properties_of([row])) for row in self.reporter.rows if row not in self._in_reports]

    def take_over(self, properties: Iterable[tuple[str, object]], test: str, *, is_last: bool) -> None:
        """Add runs of another process.

        Args:
            properties: Properties that tell of them.
            test: Id of the test that they began in.
            is_last: Whether no further report of that test follows.
        """
        for row in rows_in(properties, test):
            # Those without an id cannot be told apart, and stand in each report of their test.
            if not test:
                # No report tells of it, so it is told of once only.
                self.reporter.add_further_row(row)
            elif row.run_id or is_last:
                self.reporter.add_row(row)

    @property
    def has_never_awaited(self) -> bool:
        """Whether any run was never awaited."""
        return any(row.outcome == NEVER_AWAITED for row in self.reporter.rows)

    def test_ended(self) -> None:
        """Take note that the test under way has come to its end without an error. Only the first time counts."""
        if self._test_ended is None:
            self._test_ended = time.time()

    def take_runs_left(self) -> Sequence[LoggedRun]:
        """Return the runs that the test has left behind at its end and that were not returned before."""
        moment = self._test_ended
        if moment is None:
            return ()
        going_on = [run for run in self.of_attempt("call", "teardown") if run.finished is None]
        if going_on:
            # What is said about a run arrives a little later than it happens.
            with self._ended:
                self._ended.wait_for(lambda: all(run.finished for run in going_on), _LAG_LIMIT)
        left = [run for run in self.of_attempt() if run.outlived(moment) and run not in self._told_left]
        self._told_left += left
        return left
