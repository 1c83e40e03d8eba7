"""The cases, and the budget of each figure."""

from collections.abc import Sequence

from benchmarks.figures import Case, Figure

_MODEL_LATENCY = 0.5
_TURNS = 3
_IMPORT = (
    Figure(key="seconds", title="time", unit="s", target=0.06),
    Figure(key="modules", title="modules", unit="modules"),
    Figure(key="rss_mb", title="memory of the process", unit="MB"),
)
_TOUCHED = (
    Figure(key="seconds", title="time", unit="s", target=0.35),
    Figure(key="modules", title="modules", unit="modules"),
    Figure(key="rss_mb", title="memory of the process", unit="MB", target=60),
)
# The wall clock against the ideal, by how many go on at once.
_RUN_TARGETS = {100: 1.1, 500: 1.2, 1000: 1.4, 2000: 2.0}
_ARUN_TARGETS = {100: 1.05, 500: 1.1, 1000: 1.2, 2000: 1.5}


def _scripted(turns: int) -> Case:
    return Case(
        name=f"scripted-{turns}",
        title=f"scripted run of {turns:,} turns",
        workload="scripted_turns",
        arguments={"turns": turns},
        figures=(
            Figure(key="fixed_ms", title="fixed cost", unit="ms", target=5),
            Figure(key="turn_ms", title="engine per turn", unit="ms", target=0.3),
            Figure(key="rss_mb", title="memory of the process", unit="MB", target=100),
        ),
    )


def _crowd(api: str, conversations: int, target: float, cpu_target: float) -> Case:
    return Case(
        name=f"{api}-{conversations}",
        title=f"{conversations:,} conversations at once through `{api}`, model at 500 ms",
        workload="crowd",
        arguments={"api": api, "conversations": conversations, "turns": _TURNS, "latency": _MODEL_LATENCY},
        figures=(
            Figure(key="ratio", title="time against the ideal", unit="times", target=target),
            Figure(key="cpu_ms", title="own CPU a conversation", unit="ms", target=cpu_target),
            Figure(key="rss_mb", title="memory of the process", unit="MB", target=400),
        ),
        latency=_MODEL_LATENCY,
        is_extra=conversations in {500, 2000},
        # It serialises what `arun` does at once, and has not come back from 1,000 after minutes.
        runs_reference=conversations == min(_RUN_TARGETS) and api == "run",
    )


CASES: Sequence[Case] = (
    Case(
        name="import",
        title="`import scenario`",
        workload="import_cost",
        arguments={"touch": []},
        figures=_IMPORT,
        repeats=9,
    ),
    Case(
        name="import-touched",
        title="`import scenario` with `run`, simulator and judge touched",
        workload="import_cost",
        arguments={"touch": ["run", "UserSimulatorAgent", "JudgeAgent"]},
        figures=_TOUCHED,
        repeats=9,
    ),
    Case(
        name="help",
        title="`scenario --help`",
        workload="command_help",
        figures=(Figure(key="seconds", title="own time", unit="s", target=0.15),),
        repeats=9,
    ),
    Case(
        name="install",
        title="base install",
        workload="install_size",
        figures=(
            Figure(key="packages", title="packages", unit="packages", target=25),
            Figure(key="size_mb", title="size", unit="MB", target=48),
        ),
        repeats=1,
        is_extra=True,
        runs_reference=False,
    ),
    *(_scripted(turns) for turns in (10, 100, 1000)),
    Case(
        name="simulation",
        title="simulation of 5 turns, model at 0 ms",
        workload="simulation",
        arguments={"turns": 5, "runs": 20},
        figures=(
            Figure(key="first_s", title="first run", unit="s", target=0.4),
            Figure(key="steady_ms", title="steady run", unit="ms", target=12),
            Figure(key="cpu_ms", title="own CPU a model call", unit="ms", target=0.5),
        ),
        repeats=5,
        latency=0.0,
    ),
    *(_crowd("run", many, target, 3.5) for many, target in _RUN_TARGETS.items()),
    *(_crowd("arun", many, target, 2.0) for many, target in _ARUN_TARGETS.items()),
    Case(
        name="pytest-200",
        title="200 trivial scenarios under pytest",
        workload="pytest_suite",
        arguments={"tests": 200},
        figures=(Figure(key="seconds", title="time", unit="s", target=2),),
    ),
)
