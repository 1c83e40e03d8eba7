"""How many requests are let through at once."""

import asyncio
import logging
import math

import pytest
from calling import model_at, request
from hypothesis import given
from hypothesis import strategies as st

from scenario.llm.congestion import Gate
from scenario.testing import LocalModelServer, faults


async def entered(gate: Gate, number: int) -> None:
    for _ in range(number):
        await gate.enter()


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_nothing_is_limited_until_a_service_asks_for_it() -> None:
    gate = Gate("service")

    await entered(gate, 5000)

    assert gate.under_way == 5000
    assert gate.limit == math.inf


async def test_a_refusal_halves_what_is_under_way_and_a_crowd_of_them_counts_once() -> None:
    gate = Gate("service")
    await entered(gate, 100)
    sent_at = now()
    await asyncio.sleep(0.001)

    for _ in range(100):
        gate.refused(sent_at)

    assert gate.limit == 50


async def test_a_limit_of_the_service_is_said_aloud_once(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate("https://models.example/v1")
    caplog.set_level(logging.INFO, "scenario")
    for _ in range(3):
        await gate.enter()
        gate.refused(now())
        gate.leave()

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "INFO"]
    assert "max_concurrency" in caplog.text


async def test_at_least_one_request_is_always_let_through() -> None:
    gate = Gate("service")
    for _ in range(20):
        await gate.enter()
        gate.refused(now())
        gate.leave()

    assert gate.limit == 1
    async with asyncio.timeout(1):
        await gate.enter()


async def test_answers_raise_the_limit_until_there_is_none() -> None:
    gate = Gate("service")
    await entered(gate, 8)
    gate.refused(now())
    for _ in range(8):
        gate.leave()

    limits = [gate.limit]
    for _ in range(300):
        gate.answered()
        limits.append(gate.limit)

    assert limits == sorted(limits)
    assert limits[1] - limits[0] == pytest.approx(1 / 4)
    assert limits[-1] == math.inf


async def test_the_limit_that_was_asked_for_is_never_passed() -> None:
    gate = Gate("service", ceiling=2)
    await entered(gate, 2)
    gate.answered()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(gate.enter(), 0.02)

    gate.leave()
    await asyncio.wait_for(gate.enter(), 1)
    assert gate.limit == 2


async def test_turns_come_in_order() -> None:
    gate = Gate("service", ceiling=1)
    await gate.enter()
    order: list[int] = []

    async def take_a_turn(number: int) -> None:
        await gate.enter()
        order.append(number)
        gate.leave()

    async with asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(take_a_turn(number))
        await asyncio.sleep(0)
        gate.leave()

    assert order == list(range(10))


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_whoever_stops_waiting_takes_no_place(cancelled: list[bool]) -> None:
    async def scene() -> None:
        gate = Gate("service", ceiling=1)
        await gate.enter()
        tasks = [asyncio.ensure_future(gate.enter()) for _ in cancelled]
        await asyncio.sleep(0)
        gate.leave()  # the first now has its turn, and may be cancelled all the same
        for task, is_cancelled in zip(tasks, cancelled, strict=True):
            if is_cancelled:
                task.cancel()
        for task, is_cancelled in zip(tasks, cancelled, strict=True):
            if is_cancelled:
                await asyncio.gather(task, return_exceptions=True)
            else:
                await asyncio.wait_for(task, 1)
            if not task.cancelled():
                gate.leave()
        assert gate.under_way == 0

    asyncio.run(scene())


async def test_under_a_limit_of_the_service_everybody_is_served_in_the_end(server: LocalModelServer) -> None:
    server.set_latency(0.005)
    server.inject(faults.status(429, "Slow down.", headers={"retry-after-ms": "20"}), probability=0.3)
    model = model_at(server, num_retries=100)

    replies = await asyncio.gather(*(model.complete(request()) for _ in range(60)))

    assert {reply.text for reply in replies} == {"hello there"}
    assert sum(reply.attempts for reply in replies) == server.calls
