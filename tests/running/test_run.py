"""Where runs happen: in threads of their own, on the caller's loop, from plain code, many at once."""

import asyncio
import contextlib
import contextvars
import inspect
import logging
import os
import signal
import threading
import time
from typing import Any

import pytest

import scenario
from scenario.errors import AgentTimeoutError
from scenario.events import EventListener
from scenario.run_events import RunEvent, RunFinished
from scenario.running import watchdog as watchdog_module
from scenario.running import worker_loops
from scenario.types import AgentInput

colour = contextvars.ContextVar("colour", default="none")


class Echo(scenario.AgentAdapter):
    async def call(self, input: AgentInput) -> str:
        return input.last_new_user_message_str()


class Noting(scenario.AgentAdapter):
    def __init__(self) -> None:
        self.threads: list[int] = []
        self.colours: list[str] = []

    async def call(self, input: AgentInput) -> str:
        self.threads.append(threading.get_ident())
        self.colours.append(colour.get())
        return "noted"


SCRIPT = [scenario.user("hi"), scenario.agent(), scenario.succeed()]


def order(*agents: scenario.AgentAdapter, **options: Any) -> dict[str, Any]:
    return {
        "name": "n",
        "description": "d",
        "agents": list(agents),
        "script": SCRIPT,
        "verbose": False,
        **options,
    }


async def test_run_works_in_another_thread_and_arun_on_the_callers_loop() -> None:
    noting = Noting()

    await scenario.run(**order(noting))
    await scenario.arun(**order(noting))

    assert noting.threads[0] != threading.get_ident()
    assert noting.threads[1] == threading.get_ident()


@pytest.mark.parametrize("run", [scenario.run, scenario.arun])
async def test_the_callers_context_variables_are_visible_to_agents(run: Any) -> None:
    noting = Noting()
    colour.set("green")

    await run(**order(noting))

    assert noting.colours == ["green"]


@pytest.mark.blocks("an agent that blocks is what is tested")
async def test_runs_with_agents_that_block_are_parallel() -> None:
    together = threading.Barrier(3, timeout=10)

    class Blocking(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            together.wait()
            return "all here"

    results = await asyncio.gather(*(scenario.run(**order(Blocking())) for _ in range(3)))

    assert all(result.success for result in results)


async def test_an_exception_of_a_run_in_a_thread_arrives_whole() -> None:
    class Broken(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            raise LookupError("gone")

    with pytest.raises(RuntimeError, match="gone") as caught:
        await scenario.run(**order(Broken()))

    assert isinstance(caught.value.__cause__, LookupError)


async def test_a_bad_order_is_refused_when_it_is_awaited() -> None:
    coroutine = scenario.run(**order(Echo(), max_turns=-1))

    with pytest.raises(ValueError, match="max_turns"):
        await coroutine


async def test_cancelling_a_run_in_a_thread_ends_it_and_leaves_the_callers_loop_free() -> None:
    began = threading.Event()
    ended = threading.Event()

    class Stuck(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return "never"

    run = asyncio.create_task(scenario.run(**order(Stuck())))
    await asyncio.to_thread(began.wait, 10)
    run.cancel()

    with pytest.raises(asyncio.CancelledError):
        await run
    assert ended.is_set()


async def test_a_callers_time_out_does_not_wait_for_an_agent_that_blocks() -> None:
    release = threading.Event()

    class Blocking(scenario.AgentAdapter):
        def call(self, input: AgentInput) -> str:  # type: ignore[override]  # plain on purpose
            release.wait(20)
            return "too late"

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await scenario.run(**order(Blocking()))

    assert time.monotonic() - began < 5
    release.set()


async def test_tasks_that_an_agent_leaves_behind_end_with_the_run() -> None:
    cancelled = threading.Event()

    class Littering(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            async def litter() -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    cancelled.set()

            self.kept = asyncio.create_task(litter())
            await asyncio.sleep(0)
            return "done"

    await scenario.run(**order(Littering()))

    assert cancelled.is_set()


async def test_threads_are_used_again() -> None:
    noting = Noting()

    for _ in range(5):
        await scenario.run(**order(noting))

    assert len(set(noting.threads)) < 5


async def test_a_thousand_runs_at_once() -> None:
    results = await asyncio.gather(*(scenario.arun(**order(Echo())) for _ in range(1000)))

    assert all(result.success for result in results)


@pytest.mark.slow
async def test_a_thousand_runs_at_once_in_threads() -> None:
    results = await asyncio.gather(*(scenario.run(**order(Echo())) for _ in range(1000)))

    assert all(result.success for result in results)


class TestRunSync:
    def test_it_runs_from_plain_code(self) -> None:
        result = scenario.run_sync(**order(Echo()))

        assert result.success

    async def test_it_refuses_a_running_loop_and_names_await(self) -> None:
        with pytest.raises(ValueError, match=r"await scenario\.run"):
            scenario.run_sync(**order(Echo()))

    def test_errors_arrive(self) -> None:
        with pytest.raises(AssertionError, match="wrong"):
            scenario.run_sync(**order(Echo(), script=[self._wrong]))

    @staticmethod
    def _wrong(_: Any) -> None:
        raise AssertionError("wrong")


class TestRunMany:
    async def test_results_come_in_the_order_of_the_runs(self) -> None:
        results = await scenario.run_many(
            [scenario.run(**order(Echo(), script=[scenario.succeed(str(number))])) for number in range(30)], limit=4
        )

        assert [result.reasoning for result in results] == [str(number) for number in range(30)]

    async def test_no_more_than_the_limit_are_under_way(self) -> None:
        under_way, most = 0, 0

        class Counting(scenario.AgentAdapter):
            async def call(self, input: AgentInput) -> str:
                nonlocal under_way, most
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0)
                under_way -= 1
                return "counted"

        await scenario.run_many([scenario.arun(**order(Counting())) for _ in range(20)], limit=3)

        assert most == 3

    async def test_one_that_raises_does_not_stop_the_others(self) -> None:
        ended: list[int] = []

        def broken(_: Any) -> None:
            raise LookupError("gone")

        def end(_: Any) -> None:
            ended.append(1)

        runs = [
            scenario.arun(**order(script=[broken])),
            scenario.arun(**order(script=[end, scenario.succeed()])),
        ]
        with pytest.raises(ExceptionGroup, match="1 of 2 runs raised") as caught:
            await scenario.run_many(runs)

        assert ended == [1]
        assert isinstance(caught.value.exceptions[0], LookupError)

    async def test_exceptions_may_take_their_place_among_the_results(self) -> None:
        def broken(_: Any) -> None:
            raise LookupError("gone")

        results = await scenario.run_many(
            [scenario.arun(**order(script=[broken])), scenario.arun(**order(Echo()))], return_exceptions=True
        )

        assert isinstance(results[0], LookupError)
        assert isinstance(results[1], scenario.ScenarioResult)

    async def test_executors_are_runs_too(self) -> None:
        executor = scenario.ScenarioExecutor("n", "d", [Echo()], SCRIPT, verbose=False)

        (result,) = await scenario.run_many([executor])

        assert result.success

    async def test_nothing_to_run_gives_nothing(self) -> None:
        assert await scenario.run_many([]) == []

    @pytest.mark.parametrize("limit", [0, -1, "many", True])
    async def test_a_limit_that_is_none_is_refused(self, limit: Any) -> None:
        with pytest.raises(ValueError, match="limit"):
            await scenario.run_many([], limit=limit)

    async def test_something_that_is_no_run_is_refused_and_the_others_are_closed(self) -> None:
        with pytest.raises(ValueError, match="number 1"):
            await scenario.run_many([scenario.arun(**order(Echo())), 3])  # type: ignore[list-item]  # what is tested

    async def test_cancelling_it_ends_all_runs(self) -> None:
        ended: list[int] = []
        began = asyncio.Event()

        class Stuck(scenario.AgentAdapter):
            async def call(self, input: AgentInput) -> str:
                began.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    ended.append(1)
                return "never"

        runs = [scenario.arun(**order(Stuck())) for _ in range(5)]
        task: asyncio.Task[Any] = asyncio.create_task(scenario.run_many(runs, limit=2))
        await began.wait()
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(ended) == 2


@pytest.fixture
def eager_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog_module, "BLOCKED_AFTER", 0.2)
    monkeypatch.setattr(watchdog_module, "GRACE", 0.3)


@pytest.mark.slow
@pytest.mark.usefixtures("eager_watchdog")
class TestRunsThatDoNotEnd:
    """What blocks the loop it runs on, or does not let itself be cancelled."""

    @pytest.mark.blocks("what is tested")
    async def test_an_agent_that_blocks_a_thread_of_its_own_is_given_up_at_its_limit(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        release = threading.Event()

        class Blocking(scenario.AgentAdapter):
            async def call(self, input: AgentInput) -> str:
                release.wait(25)
                return "too late"

        caplog.set_level(logging.WARNING, "scenario")
        with pytest.raises(AgentTimeoutError, match=r"\[Blocking\] did not answer within 0.5 s"):
            await scenario.run(**order(Blocking(), agent_timeout=0.5))

        given_up = [record for record in caplog.records if "is given up" in record.message]
        assert len(given_up) == 1
        release.set()

    @pytest.mark.blocks("what is tested")
    async def test_a_step_that_blocks_is_given_up_at_the_limit_of_the_run(self) -> None:
        release = threading.Event()

        def block(_: Any) -> None:
            release.wait(25)

        result = await scenario.run(**order(script=[scenario.user("hi"), block], max_seconds=0.5))

        assert result.stop_reason == "max_seconds"
        assert len(result.messages) == 1
        release.set()

    async def test_an_agent_that_ignores_its_cancellation_is_given_up(self) -> None:
        release = threading.Event()

        class Stubborn(scenario.AgentAdapter):
            async def call(self, input: AgentInput) -> str:
                while not release.is_set():
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.sleep(0.05)
                return "never"

        with pytest.raises(AgentTimeoutError, match="could not be stopped"):
            await scenario.run(**order(Stubborn(), agent_timeout=0.2))
        release.set()

    @pytest.mark.blocks("what is tested")
    async def test_an_agent_that_blocks_the_callers_loop_is_named_in_the_log(self) -> None:
        named = threading.Event()

        class Telling(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                if "[Blocking] has blocked its event loop" in record.getMessage():
                    named.set()

        class Blocking(scenario.AgentAdapter):
            async def call(self, input: AgentInput) -> str:
                assert named.wait(20)
                return "named"

        handler = Telling()
        logging.getLogger("scenario").addHandler(handler)
        try:
            result = await scenario.arun(**order(Blocking()))
        finally:
            logging.getLogger("scenario").removeHandler(handler)

        assert result.success


class TestThreadsThatFail:
    async def test_an_exit_called_in_a_task_of_the_agents_ends_the_run(self) -> None:
        async def leave() -> None:
            raise SystemExit(3)

        class Leaving(scenario.AgentAdapter):
            async def call(self, input: AgentInput) -> str:
                self.task = asyncio.create_task(leave())
                await asyncio.sleep(30)
                return "never"

        told = threading.Event()

        class Ears(EventListener):
            def on_event(self, event: RunEvent) -> None:
                if isinstance(event, RunFinished) and event.stop_reason is scenario.StopReason.CANCELLED:
                    told.set()

        with pytest.raises(SystemExit):
            async with asyncio.timeout(10):
                await scenario.run(**order(Leaving(), listeners=[Ears()]))
        assert await asyncio.to_thread(told.wait, 10)
        assert (await scenario.run(**order(Echo()))).success

    async def test_places_are_given_back_when_runs_are_cancelled_while_they_clean_up(self) -> None:
        class Littering(scenario.AgentAdapter):
            async def call(self, input: AgentInput) -> str:
                async def linger() -> None:
                    try:
                        await asyncio.Event().wait()
                    finally:
                        await asyncio.sleep(0.2)

                self.kept = asyncio.create_task(linger())
                await asyncio.sleep(0)
                return "done"

        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await scenario.run(**order(Littering()))

        assert worker_loops._loops._busy == 0  # pyright: ignore[reportPrivateUsage]  # seen from nowhere else

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
    def test_a_forked_child_runs_with_threads_of_its_own(self) -> None:
        assert scenario.run_sync(**order(Echo())).success

        child = os.fork()
        if child == 0:
            signal.alarm(15)
            os._exit(0 if scenario.run_sync(**order(Echo())).success else 1)

        assert os.waitpid(child, 0)[1] == 0


class TestSignature:
    def test_the_four_ways_to_run_take_the_same_order(self) -> None:
        signatures = {
            tuple(inspect.signature(function).parameters)
            for function in (scenario.run, scenario.arun, scenario.run_sync)
        }

        assert len(signatures) == 1

    def test_positions_are_those_that_code_in_the_wild_uses(self) -> None:
        parameters = inspect.signature(scenario.run).parameters.values()

        assert [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD] == [
            "name",
            "description",
            "agents",
            "max_turns",
            "verbose",
            "cache_key",
            "debug",
            "script",
            "set_id",
            "metadata",
            "on_audio_chunk",
            "on_voice_event",
            "audio_playback",
        ]

    def test_run_and_arun_are_coroutine_functions(self) -> None:
        assert inspect.iscoroutinefunction(scenario.run)
        assert inspect.iscoroutinefunction(scenario.arun)

    @pytest.mark.parametrize("keyword", ["event_bus"])
    def test_the_executors_positions(self, keyword: str) -> None:
        parameters = inspect.signature(scenario.ScenarioExecutor).parameters.values()

        assert [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD] == [
            "name",
            "description",
            "agents",
            "script",
            "max_turns",
            "verbose",
            "cache_key",
            "debug",
            keyword,
            "set_id",
            "metadata",
            "on_audio_chunk",
            "on_voice_event",
            "audio_playback",
        ]
