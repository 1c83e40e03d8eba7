"""Equal calls at the same time are made once, wherever they are made."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import scenario
from scenario.caching import cache
from scenario.caching.flights import LONGEST_WAIT, Crash, Flights, flights
from scenario.engine.foreign_work import count_foreign_work, foreign_work_pending
from scenario.types import AgentInput

THREADS = 5


class Counter:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def __call__(self) -> int:
        with self._lock:
            self.count += 1
            return self.count


@pytest.fixture
def made() -> Counter:
    return Counter()


def waiting_calls() -> int:
    """The calls of this process that wait for an equal one."""
    # The callbacks on the future of a flight are the async callers that wait for it.
    return sum(len(flight.landing._done_callbacks) for flight in flights().under_way())  # type: ignore[attr-defined]  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType, reportUnknownArgumentType, reportAttributeAccessIssue]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - threads of the cache have no event of the loop
        await asyncio.sleep(0)


async def test_equal_calls_of_tasks_are_made_once(made: Counter) -> None:
    release = asyncio.Event()

    @cache()
    async def ask(text: str) -> str:
        made()
        await release.wait()
        return text

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask("a")) for _ in range(5)]
        other = group.create_task(ask("b"))
        await until(lambda: waiting_calls() == 4 and made.count == 2)
        release.set()

    assert [task.result() for task in tasks] == ["a"] * 5
    assert other.result() == "b"
    assert made.count == 2


def in_threads(work: Callable[[], Any], count: int = THREADS) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(work) for _ in range(count)]]


def test_equal_calls_of_threads_are_made_once(made: Counter) -> None:
    together = threading.Barrier(THREADS)

    @cache()
    def ask(text: str) -> int:
        return made()

    def work() -> int:
        together.wait()
        return ask("a")

    assert in_threads(work) == [1] * THREADS
    assert made.count == 1


def test_equal_calls_of_loops_are_made_once(made: Counter) -> None:
    together = threading.Barrier(THREADS)

    @cache()
    async def ask(text: str) -> int:
        await asyncio.sleep(0)
        return made()

    async def work() -> int:
        return await ask("a")

    def loop() -> int:
        together.wait()
        return asyncio.run(work())

    assert in_threads(loop) == [1] * THREADS
    assert made.count == 1


@pytest.mark.parametrize("run", [scenario.arun, scenario.run])
async def test_concurrent_runs_with_one_key_make_a_call_once(
    made: Counter, run: Callable[..., Coroutine[Any, Any, Any]]
) -> None:
    class Agent(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            return await self.ask(input)

        @cache()
        async def ask(self, input: AgentInput) -> str:
            await asyncio.sleep(0)
            return f"answer {made()}"

    script = [scenario.user("hi"), scenario.agent(), scenario.succeed()]
    results = await asyncio.gather(
        *(run("run", "", agents=[Agent()], script=script, cache_key="one") for _ in range(5))
    )

    assert {result.messages[-1]["content"] for result in results} == {"answer 1"}
    assert made.count == 1


async def test_when_a_call_raises_one_of_those_who_wait_makes_it(made: Counter) -> None:
    release = asyncio.Event()

    @cache()
    async def ask() -> int:
        if made() == 1:
            await release.wait()
            raise ValueError("no")
        return made.count

    tasks = [asyncio.create_task(ask()) for _ in range(5)]
    await until(lambda: waiting_calls() == 4)
    release.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [ValueError, int, int, int, int]
    assert results[1:] == [2, 2, 2, 2]


async def test_when_a_call_goes_on_raising_those_who_wait_do_not_queue(made: Counter) -> None:
    release = asyncio.Event()

    @cache()
    async def ask() -> int:
        made()
        await release.wait()
        raise ValueError("no")

    tasks = [asyncio.create_task(ask()) for _ in range(6)]
    await until(lambda: waiting_calls() == 5)
    release.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [ValueError] * 6
    assert made.count == 6


async def test_when_a_call_is_cancelled_one_of_those_who_wait_makes_it(made: Counter) -> None:
    release = asyncio.Event()

    @cache()
    async def ask() -> int:
        number = made()
        await release.wait()
        return number

    first, *others = [asyncio.create_task(ask()) for _ in range(4)]
    await until(lambda: waiting_calls() == 3 and made.count == 1)
    first.cancel()
    await until(lambda: made.count == 2)
    release.set()

    assert await asyncio.gather(*others) == [2, 2, 2]
    assert first.cancelled()


async def test_who_is_cancelled_while_waiting_just_leaves(made: Counter) -> None:
    release = asyncio.Event()

    @cache()
    async def ask() -> int:
        await release.wait()
        return made()

    first, second, third = [asyncio.create_task(ask()) for _ in range(3)]
    await until(lambda: waiting_calls() == 2)
    second.cancel()
    await until(second.done)
    release.set()

    assert await first == await third == 1
    assert second.cancelled()


async def test_a_deadline_holds_while_waiting_for_an_equal_call() -> None:
    release = asyncio.Event()

    @cache()
    async def ask() -> int:
        await release.wait()
        return 1

    first = asyncio.create_task(ask())
    await until(release_is_awaited(release))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await ask()
    release.set()

    assert await first == 1


def release_is_awaited(event: asyncio.Event) -> Callable[[], bool]:
    return lambda: bool(event._waiters)  # type: ignore[attr-defined]  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType, reportUnknownArgumentType, reportAttributeAccessIssue]


async def test_when_a_value_cannot_be_kept_everybody_makes_the_call_at_once(made: Counter) -> None:
    release = asyncio.Event()
    at_once = 0
    most = 0

    @cache()
    async def ask() -> object:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        made()
        await release.wait()
        await asyncio.sleep(0)
        at_once -= 1
        return object()

    tasks = [asyncio.create_task(ask()) for _ in range(4)]
    await until(lambda: waiting_calls() == 3)
    release.set()
    await asyncio.gather(*tasks)

    assert made.count == 4
    assert most == 3


async def test_cached_functions_may_call_each_other(made: Counter) -> None:
    @cache()
    async def inner(text: str) -> str:
        made()
        return text.upper()

    @cache()
    async def outer(text: str) -> str:
        return await inner(text) + await inner(text)

    assert await outer("a") == await outer("a") == "AA"
    assert made.count == 1


async def test_a_function_that_calls_itself_with_the_same_arguments_is_called(made: Counter) -> None:
    @cache()
    async def ask(text: str) -> str:
        return text if made() == 3 else f"({await ask(text)})"

    assert await ask("a") == await ask("a") == "((a))"
    assert made.count == 3


@pytest.mark.blocks("a plain function blocks its loop, cached or not")
def test_a_plain_function_may_call_itself(made: Counter) -> None:
    @cache()
    def sum_to(number: int) -> int:
        made()
        return number + sum_to(number - 1) if number else 0

    assert sum_to(30) == sum_to(30) == 465
    assert made.count == 31


async def test_two_calls_that_need_each_other_do_not_wait_for_ever(made: Counter) -> None:
    both = asyncio.Barrier(2)

    @cache()
    async def one(depth: int) -> str:
        if depth and made() <= 2:
            await both.wait()
        return f"one({await other(depth - 1)})" if depth else "one"

    @cache()
    async def other(depth: int) -> str:
        if depth and made() <= 2:
            await both.wait()
        return f"other({await one(depth - 1)})" if depth else "other"

    @cache()
    async def left() -> str:
        await both.wait()
        return "left" if made() > 1 else await right()

    @cache()
    async def right() -> str:
        await both.wait()
        return "right" if made() > 1 else await left()

    async with asyncio.timeout(10):
        assert {*await asyncio.gather(one(1), other(1))} == {"one(other)", "other(one)"}


async def test_a_ring_of_calls_in_tasks_of_their_own_does_not_wait_for_ever() -> None:
    all_began = asyncio.Barrier(3)
    meeting = True

    @cache()
    async def ask(number: int) -> str:
        nonlocal meeting
        if meeting:
            await all_began.wait()
            meeting = False
            async with asyncio.TaskGroup() as group:
                needed = group.create_task(ask((number + 1) % 3))
            return f"{number}{needed.result()}"
        return str(number)

    async with asyncio.timeout(10):
        answers = await asyncio.gather(*(ask(number) for number in range(3)))

    assert [answer[0] for answer in answers] == ["0", "1", "2"]


def test_threads_that_need_each_other_do_not_wait_for_ever() -> None:
    both = threading.Barrier(2)
    first = {"one": True, "other": True}

    @cache()
    def one() -> str:
        if first.pop("one", False):
            both.wait()
            return f"one {other()}"
        return "one"

    @cache()
    def other() -> str:
        if first.pop("other", False):
            both.wait()
            return f"other {one()}"
        return "other"

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(one), pool.submit(other)]

        assert [answer.result(10)[:3] for answer in answers] == ["one", "oth"]


async def test_simulated_time_may_pass_while_a_task_of_the_loop_computes() -> None:
    loop = asyncio.get_running_loop()
    count_foreign_work(loop)
    release = asyncio.Event()

    @cache()
    async def ask() -> int:
        await release.wait()
        return 1

    tasks = [asyncio.create_task(ask()) for _ in range(2)]
    await until(lambda: waiting_calls() == 1 and release_is_awaited(release)())

    assert foreign_work_pending(loop) == 0
    release.set()
    assert await asyncio.gather(*tasks) == [1, 1]


@pytest.mark.blocks("the function that is cached blocks its loop")
async def test_simulated_time_stands_still_while_another_loop_computes() -> None:
    loop = asyncio.get_running_loop()
    count_foreign_work(loop)
    began, release = threading.Event(), threading.Event()

    @cache()
    async def ask() -> int:
        began.set()
        release.wait(10)
        return 1

    async def work() -> int:
        return await ask()

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    await until(began.is_set)
    task = asyncio.create_task(ask())
    await until(lambda: waiting_calls() == 1)

    assert foreign_work_pending(loop) == 1
    release.set()
    assert await task == 1
    assert foreign_work_pending(loop) == 0
    await asyncio.to_thread(thread.join)


def test_a_call_that_takes_for_ever_is_given_up_on() -> None:
    calls = Flights()
    first = calls.board(("", b"key"), [])
    assert first.flight is not None
    assert first.is_mine
    assert not calls.board(("", b"key"), []).is_mine
    first.flight.began -= LONGEST_WAIT + 1

    second = calls.board(("", b"key"), [])
    assert second.is_mine
    calls.land(first.flight, Crash.FAILED)
    assert calls.under_way() == [second.flight]


# Processes

PROGRAM = """
import sys
from scenario.caching import cache
from scenario.config import ScenarioConfig

ScenarioConfig.configure(cache_key="key")

@cache()
def ask(text):
    print("computing", flush=True)
    said = sys.stdin.readline().strip()
    if said == "raise":
        raise ValueError(text)
    return f"{text} {said}"

print("ready", flush=True)
for line in sys.stdin:
    try:
        print("answer:", ask(line.strip()), flush=True)
    except ValueError:
        print("raised", flush=True)
"""


class Process:
    """A process that computes when asked to and says what it does."""

    def __init__(self, program: Path, cache_dir: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, program],
            env={"SCENARIO_CACHE_DIR": str(cache_dir)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert self.said() == "ready"

    def told(self, line: str) -> "Process":
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        return self

    def said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def process(tmp_path: Path, cache_dir: Path) -> Iterator[Callable[[], Process]]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, "utf-8")
    started: list[Process] = []

    def start() -> Process:
        started.append(Process(program, cache_dir))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def test_equal_calls_of_processes_are_made_once(process: Callable[[], Process]) -> None:
    first, second = process(), process()
    assert first.told("a").said() == "computing"
    second.told("a")
    # Another value comes and goes, so that the second process has had every chance to compute.
    third = process()
    assert third.told("b").said() == "computing"
    assert third.told("done").said() == "answer: b done"

    assert first.told("done").said() == "answer: a done"
    assert second.said() == "answer: a done"


def test_when_a_process_dies_another_makes_its_call(process: Callable[[], Process]) -> None:
    first, second = process(), process()
    assert first.told("a").said() == "computing"
    second.told("a")
    first.kill()

    assert second.said() == "computing"
    assert second.told("done").said() == "answer: a done"
    assert process().told("a").said() == "answer: a done"


def test_when_a_call_raises_in_a_process_another_makes_it(process: Callable[[], Process]) -> None:
    first, second = process(), process()
    assert first.told("a").said() == "computing"
    second.told("a")
    assert first.told("raise").said() == "raised"

    assert second.said() == "computing"
    assert second.told("done").said() == "answer: a done"


FORKING = """
import os, sys
from scenario.caching import cache
from scenario.config import ScenarioConfig

ScenarioConfig.configure(cache_key="key")

@cache()
def ask(text):
    print("computing", text, flush=True)
    return text

ask("a")
child = os.fork()
if child == 0:
    print("child:", ask("a"), ask("b"), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print("parent:", ask("b"), ask("a"), ask("c"), flush=True)
"""


@pytest.mark.skipif(not hasattr(sys, "getdlopenflags"), reason="the system cannot fork")
def test_a_forked_process_has_the_cache_as_well(cache_dir: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", FORKING],
        env={"SCENARIO_CACHE_DIR": str(cache_dir)},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert finished.stdout.splitlines() == [
        "computing a",
        "computing b",
        "child: a b",
        "computing c",
        "parent: b a c",
    ]


def test_a_value_is_there_for_the_next_process_however_the_first_one_ends(cache_dir: Path) -> None:
    code = FORKING[: FORKING.index("child =")] + "os._exit(1)"

    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"SCENARIO_CACHE_DIR": str(cache_dir)},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        ).stdout
        for _ in range(2)
    ]

    assert outputs == ["computing a\n", ""]
