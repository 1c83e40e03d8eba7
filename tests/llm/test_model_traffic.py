"""One way to models for all loops and threads of the process."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable

import pytest
from calling import model_at, request

from scenario.llm.traffic import MODEL_TRAFFIC
from scenario.testing import LocalModelServer, faults

THREADS = 40


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another thread brings about."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - what is waited for is on another thread, which has no event of this loop
            await asyncio.sleep(0.005)


def run_in_fresh_interpreter(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )


async def test_many_calls_at_once_are_under_way_at_once(server: LocalModelServer) -> None:
    server.set_latency(0.3)
    model = model_at(server)

    replies = await asyncio.gather(*(model.complete(request()) for _ in range(100)))

    assert {reply.text for reply in replies} == {"hello there"}
    assert server.max_in_flight == 100


async def test_connections_are_used_again(server: LocalModelServer) -> None:
    for model in (model_at(server), model_at(server, "openai/another")):
        for _ in range(5):
            await model.complete(request())

    assert server.connections_accepted == 1


async def test_cancelling_a_call_ends_its_request(server: LocalModelServer) -> None:
    server.inject(faults.hang())
    call = asyncio.ensure_future(model_at(server).complete(request()))
    await until(lambda: server.in_flight == 1)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    await until(lambda: server.connections == 0)


async def test_a_call_that_is_cancelled_at_once_leaves_nothing_under_way(server: LocalModelServer) -> None:
    await model_at(server).complete(request())
    call = asyncio.ensure_future(model_at(server).complete(request()))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert (await model_at(server).complete(request())).text == "hello there"
    await until(lambda: server.in_flight == 0)


def test_threads_with_loops_of_their_own_share_the_connections(server: LocalModelServer) -> None:
    model = model_at(server)
    texts: list[str] = []

    def work() -> None:
        texts.append(asyncio.run(model.complete(request())).text)

    for _ in range(2):
        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert texts == ["hello there"] * 2 * THREADS
    assert server.connections_accepted <= THREADS


def test_loops_may_come_and_go(server: LocalModelServer) -> None:
    model = model_at(server)

    replies = [asyncio.run(model.complete(request())) for _ in range(3)]

    assert [reply.text for reply in replies] == ["hello there"] * 3
    assert server.connections_accepted == 1


def test_a_loop_that_is_closed_over_a_call_harms_nobody(server: LocalModelServer) -> None:
    server.set_latency(0.1)
    model = model_at(server)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(model.complete(request()), 0.02)

    asyncio.run(give_up())

    assert asyncio.run(model.complete(request())).text == "hello there"


async def test_errors_of_the_work_reach_the_caller_and_end_nothing_else(server: LocalModelServer) -> None:
    async def broken(_: object) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await MODEL_TRAFFIC.run(broken)

    assert (await model_at(server).complete(request())).text == "hello there"


async def test_stopping_ends_the_calls_under_way_and_the_next_starts_anew(server: LocalModelServer) -> None:
    server.fail_next(faults.hang())
    model = model_at(server)
    call = asyncio.ensure_future(model.complete(request()))
    await until(lambda: server.in_flight == 1)

    await asyncio.to_thread(MODEL_TRAFFIC.stop)

    with pytest.raises(ConnectionError, match="stopped"):
        await call
    assert (await model.complete(request())).text == "hello there"


CALL = """
import asyncio, os, sys, threading
from scenario.llm import ModelRequest, chat_model

model = chat_model("openai/m", api_base=sys.argv[1], api_key="k")

async def ask():
    return (await model.complete(ModelRequest(messages=[{"role": "user", "content": "hi"}]))).text
"""


@pytest.mark.slow
def test_an_interpreter_ends_in_silence_after_calls(server: LocalModelServer) -> None:
    finished = run_in_fresh_interpreter(CALL + "print(asyncio.run(ask()))", server.url)

    assert finished.stdout == "hello there\n"
    assert finished.stderr == ""
    assert finished.returncode == 0


@pytest.mark.slow
def test_an_interpreter_ends_in_silence_in_the_middle_of_calls(server: LocalModelServer) -> None:
    server.inject(faults.hang())
    code = """
async def one_of_many():
    tasks = [asyncio.ensure_future(ask()) for _ in range(5)]
    await asyncio.sleep(0.3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

asyncio.run(one_of_many())
threading.Thread(target=lambda: asyncio.run(ask()), daemon=True).start()
import time
time.sleep(0.3)
"""
    finished = run_in_fresh_interpreter(CALL + code, server.url)

    assert finished.stderr == ""
    assert finished.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_parent_and_child_both_go_on_after_a_fork(server: LocalModelServer) -> None:
    code = """
print(asyncio.run(ask()), flush=True)
child = os.fork()
print(asyncio.run(ask()), flush=True)
print(asyncio.run(ask()), flush=True)
if child:
    assert os.waitpid(child, 0)[1] == 0
    print(asyncio.run(ask()), "parent", flush=True)
"""
    # Python warns of forks in a process with threads from 3.12 on; that they work is what is tested.
    finished = run_in_fresh_interpreter(
        "import warnings\nwarnings.simplefilter('ignore', DeprecationWarning)" + CALL + code, server.url
    )

    assert finished.stderr == ""
    assert finished.stdout.count("hello there") == 6
    assert finished.stdout.endswith("hello there parent\n")


@pytest.mark.slow
async def test_a_thousand_calls_at_once_are_answered(server: LocalModelServer) -> None:
    model = model_at(server)

    replies = await asyncio.gather(*(model.complete(request(str(number))) for number in range(1000)))

    assert len(replies) == 1000
    assert server.calls == 1000
