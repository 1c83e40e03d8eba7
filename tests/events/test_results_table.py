"""The table that many runs end with."""

from collections.abc import Callable, Sequence

import pytest

from scenario.events import show_results
from scenario.types import Outcome, ScenarioResult, StopReason
from scenario.usage import RunUsage, Usage

Show = Callable[..., list[str]]


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Show:
    def show_all(results: Sequence[ScenarioResult | Exception], *, verbose: bool | int = True) -> list[str]:
        show_results(results, verbose=verbose)
        return capsys.readouterr().out.splitlines()

    return show_all


def passed(name: str | None = "order status", *, cost: float = 0.0) -> ScenarioResult:
    usage = RunUsage(by_role={"user": Usage(calls=6, known_cost_usd=cost)})
    return ScenarioResult(
        success=True,
        messages=[],
        name=name,
        run_id="scenariorun_00000000000000abc123",
        stop_reason=StopReason.VERDICT,
        total_time=1.25,
        usage=usage,
    )


def failed(reason: str | None, outcome: Outcome = Outcome.FAILED) -> ScenarioResult:
    return ScenarioResult(success=False, messages=[], name="a kettle goes back", reasoning=reason, outcome=outcome)


def test_each_run_has_a_row_and_what_did_not_pass_a_reason(show: Show) -> None:
    shown = show([passed(cost=0.0012), failed("It swore.\nTwice."), ValueError("boom")])

    assert shown == [
        "",
        "  scenario            outcome  ended by   run     model calls  cost     time",
        "✓ order status        passed   verdict    abc123  6            $0.0012  1.2 s",
        "✗ a kettle goes back  failed                      0",
        "    Reason: It swore.",
        "        Twice.",
        "✗ run 3               error    exception",
        "    Reason: ValueError: boom",
        "",
        "1 of 3 passed (1 failed, 1 error) · $0.0012",
    ]


def test_when_all_have_passed_nothing_else_is_counted(show: Show) -> None:
    assert show([passed(), passed(None)])[-4:] == [
        "✓ order status  passed   verdict   abc123  6                  1.2 s",
        "✓ run 2         passed   verdict   abc123  6                  1.2 s",
        "",
        "2 of 2 passed",
    ]


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.TRUNCATED, Outcome.INVALID])
def test_what_was_not_decided_is_neither_passed_nor_failed(show: Show, outcome: Outcome) -> None:
    shown = show([failed(None, outcome)])

    assert shown[2].startswith(f"? a kettle goes back  {outcome.value}")
    assert shown[-1] == f"0 of 1 passed (1 {outcome.value})"


def test_names_with_line_breaks_colours_and_other_directions_of_writing_stay_in_their_cells(show: Show) -> None:
    shown = show([passed("late\nparcel \x1b[31m\u202e"), passed("退货"), passed("x" * 200), passed()])

    assert shown[2].startswith(r"✓ late parcel \x1b[31m\u202e ")
    assert shown[4].startswith(f"✓ {'x' * 77}...  passed")
    # Wide characters take two cells: the columns stand below each other all the same.
    assert shown[3].index("passed") == shown[5].index("passed") - 2


def test_of_very_many_runs_only_those_that_did_not_pass_are_listed(show: Show) -> None:
    shown = show([*(passed() for _ in range(500)), failed("late"), *(passed() for _ in range(500))])

    assert [line for line in shown if line.startswith("✗")] == [shown[2]]
    assert "  and 1,000 more" in shown
    assert shown[-1] == "1,000 of 1,001 passed (1 failed)"


def test_very_many_failures_are_cut_short(show: Show) -> None:
    shown = show([failed("x" * 10_000) for _ in range(150)])

    assert sum(line.startswith("✗") for line in shown) == 100
    assert max(map(len, shown)) < 600
    assert "  and 50 more" in shown


@pytest.mark.parametrize("verbose", [False, 0])
def test_nothing_is_shown_when_nobody_asked(show: Show, verbose: bool | int) -> None:
    assert not show([passed()], verbose=verbose)


def test_no_runs_have_no_table(show: Show) -> None:
    assert not show([])
