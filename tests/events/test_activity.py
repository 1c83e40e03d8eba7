"""Who is at work, in a line."""

import pytest

from scenario.events.activity import Activity
from scenario.events.screen_lines import line
from scenario.types import AgentRole


@pytest.fixture
def activity() -> Activity:
    return Activity()


def shown(activity: Activity, runs: int, prefix: str = "") -> str | None:
    status = activity.status(runs, line(prefix) if prefix else ())
    return None if status is None else "".join(piece.text for piece in status.line)


def test_nobody_at_work_is_nothing_to_show(activity: Activity) -> None:
    assert shown(activity, 1) is None

    activity.begin("a", AgentRole.AGENT)
    activity.end("a", AgentRole.AGENT)

    assert shown(activity, 1) is None


@pytest.mark.parametrize(
    ("role", "label"), [(AgentRole.USER, "User:"), (AgentRole.AGENT, "Agent:"), (AgentRole.JUDGE, "Judging...")]
)
def test_the_only_run_shows_who_speaks(activity: Activity, role: AgentRole, label: str) -> None:
    activity.begin("a", role)

    assert shown(activity, 1) == label
    assert shown(activity, 1, "[Scenario: tea] ") == f"[Scenario: tea] {label}"


def test_of_two_who_speak_at_once_the_later_is_shown_and_then_the_other(activity: Activity) -> None:
    activity.begin("a", AgentRole.AGENT)
    activity.begin("a", AgentRole.USER)
    assert shown(activity, 1) == "User:"

    activity.end("a", AgentRole.USER)
    assert shown(activity, 1) == "Agent:"


def test_several_runs_are_summed_up(activity: Activity) -> None:
    for run, role in [("a", AgentRole.AGENT), ("b", AgentRole.AGENT), ("c", AgentRole.JUDGE), ("d", AgentRole.USER)]:
        activity.begin(run, role)

    assert shown(activity, 9) == "9 runs: 1 user, 2 agents, 1 judge"


def test_a_run_that_is_over_is_forgotten(activity: Activity) -> None:
    activity.begin("a", AgentRole.AGENT)
    activity.begin("b", AgentRole.JUDGE)
    assert activity.only_run is None

    activity.forget("a")

    assert activity.only_run == "b"
    assert shown(activity, 1) == "Judging..."


def test_an_end_without_a_beginning_changes_nothing(activity: Activity) -> None:
    activity.end("a", AgentRole.AGENT)
    activity.forget("a")

    assert shown(activity, 1) is None
