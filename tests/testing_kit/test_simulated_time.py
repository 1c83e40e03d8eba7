"""An event loop on simulated time."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenario.engine.foreign_work import foreign_work
from scenario.errors import DeadlockError
from scenario.testing import SimulatedTimeLoop, on_simulated_time, run_simulated

DELAYS = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=20)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_an_hour_takes_no_time() -> None:
    started = time.monotonic()

    assert run_simulated(asyncio.sleep(3600, "done")) == "done"
    assert time.monotonic() - started < 1


@on_simulated_time
async def test_time_moves_by_what_is_waited_for() -> None:
    assert now() == 0
    await asyncio.sleep(1.5)
    assert now() == 1.5


@on_simulated_time
async def test_nothing_to_wait_for_takes_no_time() -> None:
    for _ in range(100):
        await asyncio.sleep(0)
    assert now() == 0


def test_time_may_begin_anywhere() -> None:
    async def later() -> float:
        await asyncio.sleep(1)
        return now()

    assert run_simulated(later(), start=1_700_000_000.0) == 1_700_000_001.0


@settings(deadline=None)
@given(DELAYS)
def test_sleeps_side_by_side_take_as_long_as_the_longest(delays: list[float]) -> None:
    async def side_by_side() -> float:
        await asyncio.gather(*(asyncio.sleep(delay) for delay in delays))
        return now()

    assert run_simulated(side_by_side()) == max(delays)


@settings(deadline=None)
@given(DELAYS)
def test_sleeps_in_turn_take_as_long_as_their_sum(delays: list[float]) -> None:
    async def in_turn() -> float:
        for delay in delays:
            await asyncio.sleep(delay)
        return now()

    total = 0.0
    for delay in delays:
        total += delay
    assert run_simulated(in_turn()) == total


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.sets(st.integers(0, 39)))
def test_deadlines_come_in_order_and_equal_ones_as_they_were_set(deadlines: list[int], cancelled: set[int]) -> None:
    fired: list[tuple[float, int]] = []

    async def wait_for_all() -> None:
        loop = asyncio.get_running_loop()
        timers = [
            loop.call_at(deadline, lambda index=index: fired.append((now(), index)))
            for index, deadline in enumerate(deadlines)
        ]
        for index in cancelled & set(range(len(timers))):
            timers[index].cancel()
        await asyncio.sleep(10)

    run_simulated(wait_for_all())

    kept = [(float(deadline), index) for index, deadline in enumerate(deadlines) if index not in cancelled]
    assert fired == sorted(kept)


@settings(deadline=None)
@given(DELAYS)
def test_time_never_goes_back(delays: list[float]) -> None:
    seen: list[float] = []

    async def watch(delay: float) -> None:
        for _ in range(3):
            await asyncio.sleep(delay)
            seen.append(now())

    async def all_of_them() -> None:
        await asyncio.gather(*map(watch, delays))

    run_simulated(all_of_them())

    assert seen == sorted(seen)


@on_simulated_time
async def test_limits_go_by_it() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await asyncio.Event().wait()
    assert now() == 60


@on_simulated_time
async def test_what_is_due_at_once_comes_before_time_moves() -> None:
    order: list[str] = []
    loop = asyncio.get_running_loop()
    loop.call_later(1, order.append, "timer")
    loop.call_soon(lambda: loop.call_soon(order.append, "soon"))

    await asyncio.sleep(2)

    assert order == ["soon", "timer"]


@on_simulated_time
async def test_a_worker_thread_holds_the_clock() -> None:
    done = await asyncio.gather(asyncio.to_thread(time.sleep, 0.05), asyncio.sleep(10, "slept"))

    assert done == [None, "slept"]
    assert now() == 10


@on_simulated_time
async def test_time_stands_still_until_a_thread_is_done() -> None:
    release = threading.Event()
    asyncio.get_running_loop().call_soon(release.set)

    await asyncio.to_thread(release.wait, 5)

    assert now() == 0


@pytest.mark.blocks("waits for its own thread to end")
@on_simulated_time
async def test_foreign_work_holds_the_clock() -> None:
    loop = asyncio.get_running_loop()
    answered = loop.create_future()
    timer = threading.Timer(0.05, lambda: loop.call_soon_threadsafe(answered.set_result, "answer"))
    timer.start()

    with foreign_work():
        async with asyncio.timeout(1):
            assert await answered == "answer"

    assert now() == 0
    timer.join()


@pytest.mark.blocks("waits for its own thread to end")
@on_simulated_time
async def test_a_call_from_another_thread_wakes_it() -> None:
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()
    thread = threading.Timer(0.05, lambda: loop.call_soon_threadsafe(woken.set))
    thread.start()

    await woken.wait()

    thread.join()


def test_a_deadlock_is_an_error_that_says_who_waits() -> None:
    async def waits_for_nothing() -> None:
        await asyncio.sleep(5)
        await asyncio.Event().wait()

    with pytest.raises(
        DeadlockError, match=r"at 5 s of simulated time(.|\n)*waits_for_nothing at .*test_simulated_time"
    ):
        run_simulated(waits_for_nothing())


def test_a_deadline_that_never_comes_is_a_deadlock() -> None:
    async def forever() -> None:
        asyncio.get_running_loop().call_later(float("inf"), print)
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError):
        run_simulated(forever())


def test_an_error_comes_out_as_it_is() -> None:
    async def fail() -> None:
        await asyncio.sleep(1)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run_simulated(fail())


def test_what_is_left_is_cancelled_in_the_end() -> None:
    ended: list[float] = []

    async def background() -> None:
        try:
            await asyncio.sleep(1_000)
        except asyncio.CancelledError:
            ended.append(now())
            raise

    async def main() -> None:
        main.task = asyncio.get_running_loop().create_task(background())  # type: ignore[attr-defined]
        await asyncio.sleep(1)

    run_simulated(main())

    assert ended == [1.0]


def test_a_decorated_function_keeps_its_name_and_arguments() -> None:
    @on_simulated_time
    async def double(number: int, *, plus: int = 0) -> int:
        """Doubles."""
        await asyncio.sleep(number)
        return 2 * number + plus

    assert double(4, plus=1) == 9
    assert (double.__name__, double.__doc__) == ("double", "Doubles.")


@pytest.fixture
def answer() -> int:
    return 42


@on_simulated_time
async def test_fixtures_are_passed_on(answer: int) -> None:
    assert answer == 42


def test_two_runs_do_everything_in_the_same_order() -> None:
    def run() -> list[str]:
        log: list[str] = []

        async def worker(name: str, pause: float) -> None:
            for step in range(5):
                await asyncio.sleep(pause)
                log.append(f"{name}{step}@{now():g}")

        async def main() -> None:
            await asyncio.gather(worker("a", 0.2), worker("b", 0.1), worker("c", 0.2))

        run_simulated(main())
        return log

    assert run() == run()


def test_a_closed_loop_takes_no_timers() -> None:
    loop = SimulatedTimeLoop()
    loop.close()

    with pytest.raises(RuntimeError, match="closed"):
        loop.call_at(1, print)


@pytest.mark.timeout(10)
def test_many_deadlines_are_cheap() -> None:
    async def frames() -> float:
        for _ in range(30_000):
            await asyncio.sleep(0.02)
        return now()

    assert run_simulated(frames()) == pytest.approx(600)


def test_it_closes_its_threads_when_it_ends() -> None:
    def work(task: Callable[[], object]) -> None:
        task()

    async def main() -> None:
        await asyncio.to_thread(work, lambda: None)

    before = threading.active_count()
    run_simulated(main())

    assert threading.active_count() == before
