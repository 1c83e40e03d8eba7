"""What is tried again, how often, and for how long."""

import asyncio
import email.utils
import math
import socket
import time
from typing import Any

import pytest
from calling import model_at, request
from hypothesis import given
from hypothesis import strategies as st

from scenario.errors import (
    ModelConnectionError,
    ModelServerError,
    ModelTimeoutError,
    RateLimitError,
)
from scenario.llm import chat_model
from scenario.llm.retries import Retries, Trouble, back_off, retry_after
from scenario.testing import LocalModelServer, faults


@pytest.mark.parametrize(
    "fault",
    [
        faults.rate_limit(0.01),
        faults.server_error(),
        faults.unavailable(0.01),
        faults.overloaded(),
        faults.status(408, "Request timed out.", headers={"retry-after-ms": "5"}),
        faults.status(409, "Conflict.", headers={"retry-after-ms": "5"}),
        faults.html(502),
        faults.reset(),
        faults.reset_halfway(),
        faults.close(),
        faults.error_with_status_200("Upstream is down.", 502),
        faults.error_with_status_200("Slow down.", 429),
    ],
)
async def test_passing_trouble_is_tried_again(server: LocalModelServer, fault: faults.Fault) -> None:
    server.fail_next(fault)

    reply = await model_at(server).complete(request())

    assert reply.text == "hello there"
    assert reply.attempts == 2
    assert server.calls == 2


async def test_retry_after_is_obeyed(server: LocalModelServer) -> None:
    server.fail_next(faults.rate_limit(0.3))
    started = time.monotonic()

    await model_at(server).complete(request())

    assert time.monotonic() - started >= 0.3


async def test_a_limit_that_never_ends_is_an_error_within_the_time_limit(server: LocalModelServer) -> None:
    server.inject(faults.rate_limit(0.1))
    started = time.monotonic()

    with pytest.raises(RateLimitError, match="limits the rate") as raised:
        await model_at(server, total_timeout=0.5).complete(request())

    assert time.monotonic() - started < 2
    assert raised.value.status == 429
    assert 2 <= server.calls <= 5


async def test_nobody_waits_for_a_retry_after_beyond_the_time_limit(server: LocalModelServer) -> None:
    server.inject(faults.rate_limit(3600))
    started = time.monotonic()

    with pytest.raises(RateLimitError, match=r"the next try would be in 36\d\d s"):
        await model_at(server).complete(request())

    assert time.monotonic() - started < 2
    assert server.calls == 1


@pytest.mark.parametrize("name", ["num_retries", "max_retries"])
async def test_the_number_of_retries_can_be_set(server: LocalModelServer, name: str) -> None:
    server.inject(faults.status(503, headers={"retry-after-ms": "1"}))
    extras: dict[str, Any] = {name: 2}

    with pytest.raises(ModelServerError, match="tried 3 times"):
        await model_at(server, **extras).complete(request())

    assert server.calls == 3


async def test_no_retries_is_a_number_of_retries(server: LocalModelServer) -> None:
    server.inject(faults.server_error())

    with pytest.raises(ModelServerError):
        await model_at(server, num_retries=0).complete(request())

    assert server.calls == 1


@pytest.mark.parametrize("fault", [faults.hang(), faults.hang_halfway(), faults.slow(30), faults.trickle(100, 0.1)])
async def test_a_server_that_does_not_come_to_an_end_is_a_timeout(
    server: LocalModelServer, fault: faults.Fault
) -> None:
    server.inject(fault)
    started = time.monotonic()

    with pytest.raises(ModelTimeoutError, match=r"within 0\.2 s") as raised:
        await model_at(server, timeout=0.2, num_retries=0).complete(request())

    assert time.monotonic() - started < 2
    assert isinstance(raised.value, TimeoutError)


async def test_the_whole_time_is_limited_too(server: LocalModelServer) -> None:
    server.inject(faults.hang())
    started = time.monotonic()

    with pytest.raises(ModelTimeoutError):
        await model_at(server, timeout=0.2, total_timeout=0.5, num_retries=50).complete(request())

    assert time.monotonic() - started < 2


async def test_a_server_that_is_down_is_a_connection_error_that_says_where() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    model = chat_model("openai/m", api_base=f"http://127.0.0.1:{port}/v1", extra_params={"num_retries": 1})

    with pytest.raises(ModelConnectionError, match=rf"127\.0\.0\.1:{port}.*tried 2 times") as raised:
        await model.complete(request())

    assert isinstance(raised.value, ConnectionError)


async def test_a_host_that_does_not_exist_is_a_connection_error() -> None:
    model = chat_model(
        "openai/m", api_base="http://no-such-host.invalid/v1", api_key="k", extra_params={"num_retries": 0}
    )

    with pytest.raises(ModelConnectionError, match=r"no-such-host\.invalid"):
        await model.complete(request())


async def test_a_server_that_speaks_no_http_is_a_connection_error() -> None:
    async def nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        model = chat_model("openai/m", api_base=f"http://127.0.0.1:{port}/v1", extra_params={"num_retries": 0})
        with pytest.raises(ModelConnectionError, match="broke off"):
            await model.complete(request())


def test_waits_grow_and_stay_within_their_bounds() -> None:
    for trouble in Trouble:
        for retries in range(40):
            assert 0 <= back_off(trouble, retries) <= 60

    assert max(back_off(Trouble.FAILURE, 0) for _ in range(200)) <= 0.5
    assert max(back_off(Trouble.FAILURE, 5) for _ in range(200)) > 2


def test_each_kind_of_trouble_is_worth_a_number_of_retries() -> None:
    for trouble in Trouble:
        retries = Retries()
        waits = [retries.wait_before_next(trouble, 0.0) for _ in range(trouble.value + 1)]

        assert waits[-1] is None
        assert None not in waits[:-1]


@given(st.floats(0, 1e6))
def test_seconds_and_milliseconds_are_read(seconds: float) -> None:
    assert retry_after({"retry-after": str(seconds)}) == seconds
    assert retry_after({"retry-after-ms": str(seconds), "retry-after": "7"}) == seconds / 1000


@given(st.integers(-1000, 1_000_000))
def test_dates_are_read(seconds: int) -> None:
    date = email.utils.formatdate(time.time() + seconds, usegmt=True)

    wait = retry_after({"retry-after": date})

    assert wait is not None
    assert abs(wait - max(0, seconds)) <= 2


@given(st.text())
def test_anything_else_is_no_wait_or_a_sensible_one(value: str) -> None:
    wait = retry_after({"retry-after": value})

    assert wait is None or (0 <= wait < math.inf)


def test_no_header_is_no_wish() -> None:
    assert retry_after({}) is None
