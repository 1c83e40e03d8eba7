"""Who is told what, by whom, and what a run notices of it."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from scenario import events
from scenario.engine.foreign_work import count_foreign_work
from scenario.errors import ConfigurationError
from scenario.events import EventListener
from scenario.events.delivery import QUEUE_LIMIT
from scenario.events.journal import Journal
from scenario.run_events import RunEvent

_LIMIT = 0.5


class Stalling(EventListener):
    """Stands still at the first event until it is let go."""

    settles_with_run = True

    def __init__(self) -> None:
        self.told = 0
        self.go_on = threading.Event()
        self.has_told_two = threading.Event()

    def on_event(self, event: RunEvent) -> None:
        self.go_on.wait(10)
        self.told += 1
        if self.told == 2:
            self.has_told_two.set()


class Raising(EventListener):
    """Fails at every event, and at being closed."""

    settles_with_run = True

    def __init__(self) -> None:
        self.told = 0

    def on_event(self, event: RunEvent) -> None:
        self.told += 1
        raise LookupError("no such table")

    def close(self) -> None:
        raise OSError("disk full")


def scenario_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("scenario-")}


async def test_a_listener_of_a_run_is_told_its_events_in_order(journal: Journal, story: Any, keeper: Any) -> None:
    run, listener = story(), keeper()
    told = [run.started(), run.message("user", "hi"), run.notice(), run.finished()]
    sink = journal.open_run(run.run_id, [listener])

    for event in told:
        sink.emit(event)
    await sink.settle(_LIMIT)

    assert listener.told == told


async def test_a_listener_of_the_process_is_told_about_every_run_that_begins_later(
    journal: Journal, story: Any, keeper: Any
) -> None:
    early, late, listener = story(), story(), keeper()
    before, after = journal.open_run(early.run_id, []), journal.open_run(late.run_id, [])
    before.emit(early.started())
    journal.add_listener(listener)
    seen = late.started()

    before.emit(early.finished())
    after.emit(seen)
    await after.settle(_LIMIT)
    await before.settle(_LIMIT)

    assert listener.told == [seen]


async def test_a_listener_of_process_and_run_is_told_once(journal: Journal, story: Any, keeper: Any) -> None:
    run, listener = story(), keeper()
    journal.add_listener(listener)
    journal.add_listener(listener)
    sink = journal.open_run(run.run_id, [listener, listener])

    sink.emit(run.started())
    await sink.settle(_LIMIT)

    assert len(listener.told) == 1


async def test_a_removed_listener_hears_the_rest_of_runs_under_way_and_is_closed(
    journal: Journal, story: Any, keeper: Any
) -> None:
    run, listener = story(), keeper()
    handle = journal.add_listener(listener)
    sink = journal.open_run(run.run_id, [])
    sink.emit(run.started())
    handle.remove()
    handle.remove()
    sink.emit(run.finished())
    assert not listener.closed

    await sink.settle(_LIMIT)
    later = journal.open_run("another", [])
    later.emit(run.notice())
    await later.settle(_LIMIT)

    assert len(listener.told) == 2
    assert listener.closed == 1


async def test_a_with_block_removes_its_listener_at_the_end(story: Any, keeper: Any) -> None:
    run, listener = story(), keeper()
    with events.add_listener(listener):
        sink = events.open_run(run.run_id, verbose=False)
        sink.emit(run.started())
    later = events.open_run("later", verbose=False)

    later.emit(run.notice())
    await later.settle(_LIMIT)
    await sink.settle(_LIMIT)

    assert len(listener.told) == 1


async def test_a_listener_of_a_run_is_closed_when_the_run_is_over(journal: Journal, story: Any, keeper: Any) -> None:
    run, listener = story(), keeper()
    sink = journal.open_run(run.run_id, [listener])
    sink.emit(run.started())

    await sink.settle(_LIMIT)

    assert listener.closed == 1


async def test_a_listener_of_two_runs_is_closed_after_the_second(journal: Journal, story: Any, keeper: Any) -> None:
    one, two, listener = story(), story(), keeper()
    first, second = journal.open_run(one.run_id, [listener]), journal.open_run(two.run_id, [listener])
    first.emit(one.started())
    second.emit(two.started())

    await first.settle(_LIMIT)
    assert not listener.closed
    await second.settle(_LIMIT)

    assert listener.closed == 1


async def test_a_listener_may_be_given_to_one_run_after_another(journal: Journal, story: Any, keeper: Any) -> None:
    listener = keeper()
    for _ in range(50):
        run = story()
        sink = journal.open_run(run.run_id, [listener])
        sink.emit(run.started())
        await sink.settle(_LIMIT)

    assert len(listener.told) == 50
    assert listener.closed == 50


async def test_events_after_the_end_of_a_run_are_dropped(journal: Journal, story: Any, keeper: Any) -> None:
    run, listener = story(), keeper()
    sink = journal.open_run(run.run_id, [listener])
    sink.emit(run.started())
    await sink.settle(_LIMIT)

    sink.emit(run.notice())
    await sink.settle(_LIMIT)

    assert len(listener.told) == 1


async def test_a_run_that_never_begins_needs_no_listener(journal: Journal, keeper: Any) -> None:
    listener, before = keeper(), scenario_threads()

    await journal.open_run("never begun", [listener]).settle(_LIMIT)

    assert scenario_threads() <= before
    assert not listener.closed


async def test_a_listener_that_raises_is_told_nothing_more_and_logged_once(
    journal: Journal, story: Any, keeper: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run, faulty, other = story(), Raising(), keeper()
    sink = journal.open_run(run.run_id, [faulty, other])

    sink.emit(run.started())
    sink.emit(run.notice())
    await sink.settle(_LIMIT)

    told = [record for record in caplog.records if "raised" in record.message]
    assert faulty.told == 1
    assert len(other.told) == 2
    assert [record.message for record in told] == ["Raising is dropped: it raised on RunStarted"]
    assert told[0].exc_info
    assert "no such table" in caplog.text
    assert "Raising could not be closed" in caplog.text


async def test_a_stalled_listener_costs_a_run_the_limit_once_and_later_runs_nothing(
    journal: Journal, story: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run, stalling = story(), Stalling()
    journal.add_listener(stalling)
    times: list[float] = []
    for _ in range(3):
        sink = journal.open_run(run.run_id, [])
        sink.emit(run.notice())
        began = time.perf_counter()
        await sink.settle(0.4)
        times.append(time.perf_counter() - began)
    stalling.go_on.set()

    assert times[0] > 0.35
    assert max(times[1:]) < 0.3
    assert sum("is late" in record.message for record in caplog.records) == 1


async def test_a_listener_that_has_caught_up_is_waited_for_again(journal: Journal, story: Any) -> None:
    run, stalling = story(), Stalling()
    journal.add_listener(stalling)
    for _ in range(2):
        sink = journal.open_run(run.run_id, [])
        sink.emit(run.notice())
        await sink.settle(0.01)
    stalling.go_on.set()
    assert await asyncio.to_thread(stalling.has_told_two.wait, 5)

    later = journal.open_run(run.run_id, [])
    for _ in range(200):
        later.emit(run.notice())
    await later.settle(_LIMIT)

    assert stalling.told == 202


async def test_a_listener_with_too_much_to_take_is_dropped_and_logged_once(
    journal: Journal, story: Any, keeper: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run, stalling, other = story(), Stalling(), keeper()
    event = run.notice()
    sink = journal.open_run(run.run_id, [stalling])
    for _ in range(QUEUE_LIMIT + 10):
        sink.emit(event)
    after = journal.open_run(run.run_id, [other])
    after.emit(event)
    await after.settle(_LIMIT)
    stalling.go_on.set()
    await sink.settle(_LIMIT)

    dropped = [record.message for record in caplog.records if "is dropped" in record.message]
    assert len(dropped) == 1
    assert run.run_id in dropped[0]
    assert len(other.told) == 1


async def test_nobody_waits_for_a_listener_that_does_not_settle_with_runs(journal: Journal, story: Any) -> None:
    class Remote(Stalling):
        settles_with_run = False

    run, remote = story(), Remote()
    sink = journal.open_run(run.run_id, [remote])
    sink.emit(run.started())

    began = time.perf_counter()
    await sink.settle(5)
    took = time.perf_counter() - began
    remote.go_on.set()

    assert took < 2


async def test_settling_leaves_the_loop_free(journal: Journal, story: Any) -> None:
    run, stalling = story(), Stalling()
    sink = journal.open_run(run.run_id, [stalling])
    sink.emit(run.started())

    async def let_go() -> None:
        stalling.go_on.set()

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(sink.settle(4))
        group.create_task(let_go())

    assert stalling.told == 1


async def test_a_cancelled_run_closes_its_listeners_all_the_same(journal: Journal, story: Any) -> None:
    closed = threading.Event()

    class Slow(Stalling):
        def close(self) -> None:
            closed.set()

    run, slow = story(), Slow()
    sink = journal.open_run(run.run_id, [slow])
    sink.emit(run.started())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await sink.settle(4)

    slow.go_on.set()

    assert await asyncio.to_thread(closed.wait, 5)


def test_the_limit_of_waiting_is_real_time_where_time_is_simulated(journal: Journal, story: Any) -> None:
    class StoppedLoop(asyncio.SelectorEventLoop):
        def time(self) -> float:
            return 0.0

    run, stalling = story(), Stalling()

    async def settle() -> None:
        count_foreign_work(asyncio.get_running_loop())
        sink = journal.open_run(run.run_id, [stalling])
        sink.emit(run.started())
        await sink.settle(0.05)

    with asyncio.Runner(loop_factory=StoppedLoop) as runner:
        runner.run(settle())
    stalling.go_on.set()


async def test_no_thread_runs_while_nobody_listens(journal: Journal, story: Any) -> None:
    run, before = story(), scenario_threads()
    sink = journal.open_run(run.run_id, [])

    sink.emit(run.started())

    assert scenario_threads() <= before
    await sink.settle(_LIMIT)


async def test_the_thread_of_a_runs_listener_ends_with_the_run(journal: Journal, story: Any, keeper: Any) -> None:
    run, listener, before = story(), keeper(), scenario_threads()
    sink = journal.open_run(run.run_id, [listener])
    sink.emit(run.started())
    (thread,) = scenario_threads() - before

    await sink.settle(_LIMIT)
    await asyncio.to_thread(thread.join, 5)

    assert thread not in scenario_threads()


async def test_runs_of_many_threads_lose_no_event(journal: Journal, story: Any, keeper: Any) -> None:
    listener = keeper()

    def play(run: Any) -> None:
        async def told() -> None:
            sink = journal.open_run(run.run_id, [listener])
            for _ in range(100):
                sink.emit(run.notice())
            await sink.settle(5)

        asyncio.run(told())

    threads = [threading.Thread(target=play, args=(story(),)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)

    assert len(listener.told) == 1600
    by_run: dict[str, list[int]] = {}
    for event in listener.told:
        by_run.setdefault(event.stamp.run_id, []).append(event.stamp.sequence)
    assert all(numbers == list(range(1, 101)) for numbers in by_run.values())


@pytest.mark.parametrize("wrong", [print, object(), "console", EventListener])
def test_what_is_no_listener_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="EventListener"):
        events.add_listener(wrong)
    with pytest.raises(ConfigurationError, match="EventListener"):
        events.open_run("run", verbose=False, listeners=[wrong])


@pytest.mark.parametrize(("listeners", "limit_us"), [(0, 3), (1, 10)])
def test_emitting_costs_microseconds(
    journal: Journal, story: Any, keeper: Callable[[], EventListener], listeners: int, limit_us: float
) -> None:
    run = story()
    event = run.notice()
    sink = journal.open_run(run.run_id, [keeper() for _ in range(listeners)])

    best = min(_seconds_of_a_thousand(sink.emit, event) for _ in range(20))

    assert best * 1000 < limit_us


def _seconds_of_a_thousand(emit: Callable[[RunEvent], None], event: RunEvent) -> float:
    began = time.perf_counter()
    for _ in range(1000):
        emit(event)
    return time.perf_counter() - began


def _run_program(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, **environment},
        check=False,
    )


_PROGRAM = """
    import asyncio, os, sys, time, threading
    from scenario import events
    from scenario.run_events import Notice, Stamp

    class Listener(events.EventListener):
        def on_event(self, event):
            {body}
        def close(self):
            say("closed" if os.getpid() == parent else "closed by child")

    # Not print(): what it has half written when the process forks, both processes would write.
    def say(text):
        os.write(1, (text + chr(10)).encode())

    parent = os.getpid()
    def emit(run_id):
        sink = events.open_run(run_id, verbose=False)
        sink.emit(Notice(stamp=Stamp(run_id=run_id, sequence=1, at=0.0, wall_time=0.0), text=run_id))
        return sink
    events.add_listener(Listener())
    {main}
"""


def test_what_is_under_way_arrives_before_the_interpreter_exits() -> None:
    finished = _run_program(
        _PROGRAM.format(body="time.sleep(0.2); say(event.text)", main="emit('first'); emit('second')")
    )

    assert finished.stdout.split() == ["first", "second", "closed"]
    assert not finished.stderr


def test_the_interpreters_exit_waits_two_seconds_for_a_listener_that_stands_still() -> None:
    began = time.perf_counter()

    finished = _run_program(_PROGRAM.format(body="time.sleep(60)", main="emit('first')"))

    assert time.perf_counter() - began < 10
    assert finished.returncode == 0
    assert "did not take its last events within 2 s" in finished.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_listeners_of_its_own_and_none_of_its_parents_events() -> None:
    finished = _run_program(
        _PROGRAM.format(
            body="time.sleep(0.05); say(event.text + (' in the parent' if os.getpid() == parent else ' in the child'))",
            main="""
    for number in range(3): left = emit(f"parent{number}")
    child = os.fork()
    if not child:
        left.emit(Notice(stamp=Stamp(run_id="x", sequence=2, at=0.0, wall_time=0.0), text="of the parent's run"))
        emit("child")
        from scenario.events.journal import process_journal
        process_journal.flush(2)
        os._exit(0)
    os.waitpid(child, 0)
""",
        )
    )

    assert not finished.stderr
    assert sorted(finished.stdout.splitlines()) == [
        "child in the child",
        "closed",
        "closed by child",
        "parent0 in the parent",
        "parent1 in the parent",
        "parent2 in the parent",
    ]


async def test_a_run_can_wait_in_the_middle_until_its_listeners_have_seen_everything(
    journal: Journal, keeper: Callable[[], Any], story: Callable[..., Any]
) -> None:
    listener, run = keeper(), story()
    sink = journal.open_run(run.run_id, [listener])
    for _ in range(200):
        sink.emit(run.notice())
    await sink.caught_up(5)
    told = len(listener.told)
    sink.emit(run.finished())
    await sink.settle(5)

    assert told == 200
    assert len(listener.told) == 201


async def test_a_run_that_nobody_listens_to_waits_for_nobody(journal: Journal, story: Callable[..., Any]) -> None:
    sink = journal.open_run(story().run_id, [])

    await sink.caught_up(5)
    sink.emit(story().notice())
    await sink.caught_up(5)
    await sink.settle(1)
