"""Runs in a nutshell: as properties of a report, in the summary, and in the closing table."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.pytest_plugin import ScenarioReporter
from scenario.pytest_plugin.report_table import ROW_LIMIT, table_lines
from scenario.pytest_plugin.run_row import Criterion, RunRow, properties_of, row_of, rows_in
from scenario.types import CriterionResult, Outcome, ScenarioResult

TEXTS = st.text(max_size=30)
SECONDS = st.none() | st.integers(0, 10**9).map(lambda number: number / 1_000)
ROWS = st.builds(
    RunRow,
    name=TEXTS,
    outcome=st.sampled_from([*(str(outcome) for outcome in Outcome), "never awaited"]),
    run_id=TEXTS,
    test=st.just("test_it"),
    seed=st.none() | st.integers(0, 2**32),
    total_time=SECONDS,
    agent_time=SECONDS,
    reasoning=TEXTS,
    criteria=st.lists(
        st.builds(Criterion, text=TEXTS, status=st.sampled_from(["passed", "failed", "inconclusive"])), max_size=3
    ).map(tuple),
)


class Named:
    def __init__(self, name: str) -> None:
        self.name = name


def result(success: bool = True, **values: Any) -> ScenarioResult:
    return ScenarioResult(success=success, messages=[], **values)


def reporter_of(*outcomes: str) -> ScenarioReporter:
    reporter = ScenarioReporter()
    for number, outcome in enumerate(outcomes, 1):
        ended = result(outcome == "passed", outcome=outcome, run_id=f"run_{number}")
        reporter.add_result(Named(f"number {number}"), ended)
    return reporter


def table_of(reporter: ScenarioReporter) -> list[str]:
    return ["".join(piece.text for piece in line) for line in table_lines(reporter)]


def style_of(reporter: ScenarioReporter, text: str) -> str:
    return next(piece.style for line in table_lines(reporter) for piece in line if piece.text == text)


class TestProperties:
    @given(st.lists(ROWS, max_size=4))
    def test_rows_come_back_from_them(self, rows: list[RunRow]) -> None:
        assert rows_in(properties_of(rows), "test_it") == rows

    @given(st.lists(ROWS, max_size=2))
    def test_properties_of_others_are_left_alone(self, rows: list[RunRow]) -> None:
        others = [("scenario", "x"), ("scenario.mine", "y"), ("outcome", "z"), ("scenario.2.", 3)]

        assert rows_in([*others, *properties_of(rows), *others], "test_it") == rows

    def test_what_is_not_known_has_none(self) -> None:
        assert properties_of([RunRow(name="n", outcome="passed")]) == [
            ("scenario.name", "n"),
            ("scenario.outcome", "passed"),
        ]

    def test_long_texts_are_cut(self) -> None:
        long = "x" * 5_000_000
        criteria = [CriterionResult(criterion=long, status="failed")]

        row = row_of(long, result(success=False, reasoning=long, criteria=criteria))

        assert max(len(value) for _, value in properties_of([row])) < 600


class TestReporter:
    """What code that was written for the reference does with it."""

    def test_a_result_that_is_added_can_be_looked_at(self) -> None:
        reporter, scenario, found = ScenarioReporter(), Named("refund"), result()

        reporter.add_result(scenario, found)

        assert reporter.results == [{"scenario": scenario, "result": found}]

    def test_a_result_that_is_added_twice_counts_twice(self) -> None:
        reporter, scenario, found = ScenarioReporter(), Named("refund"), result(run_id="scenariorun_1")

        reporter.add_result(scenario, found)
        reporter.add_result(scenario, found)

        assert len(reporter.results) == reporter.get_summary()["total"] == 2

    def test_an_empty_summary(self) -> None:
        assert ScenarioReporter().get_summary() == {"total": 0, "passed": 0, "failed": 0, "success_rate": 0}

    def test_a_summary(self) -> None:
        assert reporter_of("passed", "passed", "failed").get_summary() == {
            "total": 3,
            "passed": 2,
            "failed": 1,
            "success_rate": 66.67,
        }

    def test_what_neither_passed_nor_failed_is_counted_by_itself(self) -> None:
        assert reporter_of("passed", "inconclusive", "truncated", "error", "truncated").get_summary() == {
            "total": 5,
            "passed": 1,
            "failed": 0,
            "error": 1,
            "inconclusive": 1,
            "truncated": 2,
            "success_rate": 20.0,
        }

    def test_it_prints_the_table(self, capsys: pytest.CaptureFixture[str]) -> None:
        reporter_of("passed", "failed").print_report()

        printed = capsys.readouterr().out.splitlines()
        assert printed[:6] == [
            "",
            "=== Scenario Test Report ===",
            "Total Scenarios: 2",
            "Passed: 1",
            "Failed: 1",
            "Success Rate: 50.0%",
        ]
        assert "2. number 2 - FAILED" in printed

    def test_it_prints_nothing_when_there_is_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        ScenarioReporter().print_report()

        assert capsys.readouterr().out == ""

    def test_criteria_that_stand_in_lists_only_are_counted(self) -> None:
        reporter = ScenarioReporter()

        reporter.add_result(
            Named("n"),
            result(success=False, passed_criteria=["a", "b"], failed_criteria=["c", "d"], inconclusive_criteria=["d"]),
        )

        assert table_of(reporter)[-3:] == [
            "   Passed Criteria: 2/4",
            "   Failed Criteria: 1",
            "   Inconclusive Criteria: 1",
        ]


class TestTable:
    @pytest.mark.parametrize(
        ("passed", "failed", "rate", "style"),
        [
            (4, 0, "100.0%", "passed"),
            (7, 3, "70.0%", "undecided"),
            (2, 1, "66.67%", "failed"),
            (0, 1, "0.0%", "failed"),
        ],
    )
    def test_the_rate_has_a_colour(self, passed: int, failed: int, rate: str, style: str) -> None:
        assert style_of(reporter_of(*["passed"] * passed, *["failed"] * failed), rate) == style

    def test_times_are_shown_whenever_they_are_known(self) -> None:
        reporter = ScenarioReporter()
        reporter.add_result(Named("both"), result(total_time=1.234, agent_time=0.0))
        reporter.add_result(Named("one"), result(total_time=61.0))

        assert "1. both - PASSED in 1.23s (agent: 0.00s)" in table_of(reporter)
        assert "2. one - PASSED in 61.00s" in table_of(reporter)

    def test_of_thousands_of_runs_it_lists_those_that_did_not_pass(self) -> None:
        outcomes = ["passed"] * 5_000
        outcomes[17] = outcomes[4_000] = "failed"

        lines = table_of(reporter_of(*outcomes))

        assert [line for line in lines if " - " in line] == ["18. number 18 - FAILED", "4001. number 4001 - FAILED"]
        assert lines[-1] == "Not listed: 4,998 that passed"
        assert len(lines) < 20

    def test_of_thousands_that_did_not_pass_it_lists_some(self) -> None:
        lines = table_of(reporter_of(*["failed"] * 3_000, *["passed"] * 7))

        assert sum(" - FAILED" in line for line in lines) == ROW_LIMIT
        assert lines[-1] == "Not listed: 7 that passed, 2,950 that did not"

    def test_long_names_and_reasons_are_cut(self) -> None:
        reporter = ScenarioReporter()
        reporter.add_result(Named("n" * 100_000), result(success=False, reasoning="r" * 100_000))

        assert sum(len(line) for line in table_of(reporter)) < 1_500

    def test_the_same_run_is_listed_once(self) -> None:
        reporter = ScenarioReporter()
        reporter.add_row(RunRow(name="n", outcome="unfinished", run_id="r"))
        reporter.add_row(RunRow(name="n", outcome="passed", run_id="r"))

        assert [row.outcome for row in reporter.rows] == ["passed"]
