"""Runs that nobody awaits, caught when Python lets go of them."""

import asyncio
import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import scenario
from scenario.pytest_plugin.unawaited_runs import UnawaitedRuns, closed_run, unawaited_runs_alive


@pytest.fixture
def unawaited() -> Iterator[UnawaitedRuns]:
    with UnawaitedRuns() as unawaited:
        yield unawaited


def found(unawaited: UnawaitedRuns) -> list[str]:
    return [str(run) for run in unawaited.taken()]


@pytest.mark.parametrize("call", ["run", "arun"])
def test_a_run_that_is_thrown_away_is_named(unawaited: UnawaitedRuns, call: str) -> None:
    getattr(scenario, call)(name="refund", description="d", agents=[])
    getattr(scenario, call)("by position", "d", [])

    assert found(unawaited) == [f"scenario.{call}(name='refund', ...)", f"scenario.{call}(name='by position', ...)"]


def test_so_is_an_executors(unawaited: UnawaitedRuns) -> None:
    executor = scenario.ScenarioExecutor("refund", "d", [])

    executor.run()  # pyright: ignore[reportUnusedCoroutine]  # that is what is tested

    assert found(unawaited) == ["ScenarioExecutor.run(name='refund', ...)"]


def test_many_are_named_one_by_one(unawaited: UnawaitedRuns) -> None:
    scenario.run_many([scenario.run("a", "d", []), scenario.run("b", "d", [])])  # pyright: ignore[reportUnusedCoroutine]  # that is what is tested

    assert sorted(found(unawaited)) == [
        "scenario.run(name='a', ...)",
        "scenario.run(name='b', ...)",
        "scenario.run_many(...)",
    ]


@pytest.mark.parametrize("action", ["ignore", "error", "once"])
def test_filters_of_warnings_change_nothing(action: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        with UnawaitedRuns() as unawaited:
            for _ in range(3):
                scenario.run("refund", "d", [])  # pyright: ignore[reportUnusedCoroutine]  # that is what is tested

    assert len(found(unawaited)) == 3


async def test_one_that_is_awaited_is_not_found(unawaited: UnawaitedRuns) -> None:
    await scenario.run("n", "d", [], script=[scenario.succeed()], verbose=False)
    await asyncio.gather(scenario.arun("n", "d", [], script=[scenario.succeed()], verbose=False))

    assert found(unawaited) == []


def test_one_that_is_closed_is_not_found(unawaited: UnawaitedRuns) -> None:
    scenario.run("n", "d", []).close()

    assert found(unawaited) == []


def test_coroutines_of_others_go_where_they_would_go(unawaited: UnawaitedRuns) -> None:
    async def run() -> None: ...
    async def walk() -> None: ...

    with pytest.warns(RuntimeWarning, match="coroutine '.*walk' was never awaited"):
        walk()  # pyright: ignore[reportUnusedCoroutine]  # that is what is tested
    run().close()

    assert found(unawaited) == []


def test_a_run_in_a_cycle_is_found_when_the_cycle_is_collected(unawaited: UnawaitedRuns) -> None:
    cycle: list[Any] = [scenario.run("refund", "d", [])]
    cycle.append(cycle)
    del cycle

    gc.collect()

    assert found(unawaited) == ["scenario.run(name='refund', ...)"]


def test_one_that_is_kept_is_found_among_everything_alive_and_closed(unawaited: UnawaitedRuns) -> None:
    kept = [scenario.run("kept", "d", [])]

    alive = [str(run) for run in unawaited_runs_alive()]
    kept.clear()

    assert "scenario.run(name='kept', ...)" in alive
    assert found(unawaited) == []


async def test_only_what_never_began_is_closed() -> None:
    begun = asyncio.Event()

    async def step(state: object) -> scenario.ScenarioResult:
        begun.set()
        await asyncio.sleep(0)
        return scenario.ScenarioResult(success=True, messages=[])

    going_on = scenario.arun("n", "d", [], script=[step], verbose=False)
    task = asyncio.ensure_future(going_on)
    await begun.wait()

    assert closed_run(going_on) is None
    assert closed_run("no coroutine") is None
    assert (await task).success


def test_the_hook_and_the_filters_are_as_before_afterwards() -> None:
    import sys

    hook, filters = sys.unraisablehook, list(warnings.filters)
    with UnawaitedRuns():
        assert sys.unraisablehook is not hook

    assert sys.unraisablehook is hook
    assert list(warnings.filters) == filters
