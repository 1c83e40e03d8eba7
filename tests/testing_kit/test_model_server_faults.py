"""Faults of the local model server, as the official `openai` client reports them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from scenario.errors import ConfigurationError
from scenario.testing import LocalModelServer, faults, tool_call
from scenario.testing.fault_plan import FaultPlan
from scenario.testing.faults import Fault

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]


@pytest.fixture
def server() -> Iterator[LocalModelServer]:
    with LocalModelServer("hello there") as server:
        yield server


@pytest.fixture
async def client(server: LocalModelServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0, timeout=0.5) as client:
        yield client


async def ask(client: openai.AsyncOpenAI, model: str = "x") -> ChatCompletion:
    return await client.chat.completions.create(model=model, messages=HI)


@pytest.mark.parametrize(
    ("fault", "error", "code", "param"),
    [
        (faults.context_too_long(), openai.BadRequestError, "context_length_exceeded", "messages"),
        (faults.unsupported_parameter("max_tokens"), openai.BadRequestError, "unsupported_parameter", "max_tokens"),
        (faults.unsupported_value("temperature", 0), openai.BadRequestError, "unsupported_value", "temperature"),
        (faults.tool_choice_refused(), openai.BadRequestError, "invalid_request_error", None),
        (faults.tools_need_no_reasoning(), openai.BadRequestError, None, "reasoning_effort"),
        (
            faults.invalid_schema(),
            openai.BadRequestError,
            "invalid_function_parameters",
            "tools[0].function.parameters",
        ),
        (faults.content_policy(), openai.BadRequestError, "content_filter", "prompt"),
        (faults.unauthorized(), openai.AuthenticationError, "invalid_api_key", None),
        (faults.unauthorized(key_given=False), openai.AuthenticationError, None, None),
        (faults.model_not_found("gone"), openai.NotFoundError, "model_not_found", None),
        (faults.rate_limit(), openai.RateLimitError, "rate_limit_exceeded", None),
        (faults.quota_exceeded(), openai.RateLimitError, "insufficient_quota", None),
        (faults.server_error(), openai.InternalServerError, None, None),
        (faults.unavailable(), openai.InternalServerError, None, None),
        (faults.overloaded(), openai.InternalServerError, None, None),
        (faults.html(502), openai.InternalServerError, None, None),
        (faults.status(418, "teapot", type="joke", error_code="t"), openai.APIStatusError, "t", None),
    ],
)
async def test_refusals_have_the_form_of_the_real_service(
    fault: Fault,
    error: type[openai.APIStatusError],
    code: str | None,
    param: str | None,
    server: LocalModelServer,
    client: openai.AsyncOpenAI,
) -> None:
    server.fail_next(fault)

    with pytest.raises(error) as raised:
        await ask(client)

    assert (raised.value.code, raised.value.param) == (code, param)


async def test_a_refusal_names_what_to_use_instead(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.fail_next(faults.unsupported_parameter("max_tokens", instead="max_completion_tokens"))

    with pytest.raises(openai.BadRequestError, match="Use 'max_completion_tokens' instead"):
        await ask(client)


@pytest.mark.parametrize(
    ("given", "sent"), [(None, None), (2, "2"), (0.5, "0.5"), ("Fri, 20 Nov 2026 09:00:00 GMT",) * 2]
)
async def test_a_rate_limit_may_say_when_to_come_back(
    given: Any, sent: str | None, server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    server.fail_next(faults.rate_limit(given))

    with pytest.raises(openai.RateLimitError) as raised:
        await ask(client)

    assert raised.value.response.headers.get("retry-after") == sent


async def test_the_clients_own_retries_get_through(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.fail_next(faults.rate_limit(0.01), faults.reset())

    answer = await ask(client.with_options(max_retries=2))

    assert answer.choices[0].message.content == "hello there"
    assert server.calls == 3


@pytest.mark.parametrize("fault", [faults.hang(), faults.hang_halfway()])
async def test_a_hanging_answer_runs_into_the_clients_limit(
    fault: Fault, server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    server.fail_next(fault)

    with pytest.raises(openai.APITimeoutError):
        await ask(client.with_options(timeout=0.1))


@pytest.mark.parametrize("fault", [faults.reset(), faults.reset_halfway(), faults.close()])
async def test_a_broken_connection_is_a_connection_error(
    fault: Fault, server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    server.fail_next(fault)

    with pytest.raises(openai.APIConnectionError):
        await ask(client)
    assert (await ask(client)).choices


async def test_a_reset_is_a_reset_on_the_wire(server: LocalModelServer) -> None:
    server.fail_next(faults.reset())
    host, port = server.origin.removeprefix("http://").split(":")
    body = json.dumps({"model": "x", "messages": HI}).encode()
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nContent-Type: application/json\r\n"
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )

    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_an_answer_may_trickle(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.fail_next(faults.trickle(pieces=10, interval=0.02))
    started = time.monotonic()

    answer = await ask(client)

    assert answer.choices[0].message.content == "hello there"
    assert time.monotonic() - started >= 0.18


async def test_an_answer_may_be_late(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.fail_next(faults.slow(0.1))
    started = time.monotonic()

    await ask(client)

    assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize("fault", [faults.truncated_json(), faults.empty_body(), faults.raw(b"\xff\xfe")])
async def test_what_is_not_json_cannot_be_read(
    fault: Fault, server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    server.fail_next(fault)

    with pytest.raises((ValueError, openai.APIError)):
        await ask(client)


async def body_with(fault: Fault, server: LocalModelServer, client: openai.AsyncOpenAI) -> dict[str, Any]:
    server.fail_next(fault)
    response = await client.chat.completions.with_raw_response.create(model="x", messages=HI)
    return json.loads(response.text)


async def test_an_error_may_come_with_status_200(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    body = await body_with(faults.error_with_status_200("down", 503), server, client)

    assert body == {"error": {"message": "down", "code": 503}}


async def test_choices_may_be_missing(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    assert (await body_with(faults.empty_choices(), server, client))["choices"] == []
    assert (await body_with(faults.wrong_shape(), server, client))["choices"] == {"0": "hello"}
    assert "usage" not in await body_with(faults.no_usage(), server, client)


async def choice_with(fault: Fault, server: LocalModelServer, client: openai.AsyncOpenAI) -> Any:
    server.fail_next(fault)
    return (await ask(client)).choices[0]


async def test_text_may_be_missing_or_cut(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    empty = await choice_with(faults.null_content(), server, client)
    cut = await choice_with(faults.cut_by_length(), server, client)
    filtered = await choice_with(faults.content_filtered(), server, client)
    refused = await choice_with(faults.refused_by_model("no"), server, client)

    assert (empty.message.content, empty.finish_reason) == (None, "stop")
    assert (cut.message.content, cut.finish_reason) == ("hello", "length")
    assert (filtered.message.content, filtered.finish_reason) == (None, "content_filter")
    assert (refused.message.content, refused.message.refusal) == (None, "no")


async def test_tool_calls_may_be_broken(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.set_answer(lambda messages, tools: tool_call("lookup", order="A-17"))

    broken = await choice_with(faults.broken_tool_arguments("{oops"), server, client)
    renamed = await choice_with(faults.unknown_tool("other"), server, client)
    doubled = await choice_with(faults.duplicate_tool_calls(), server, client)
    cut = await choice_with(faults.cut_by_length(), server, client)

    assert broken.message.tool_calls[0].function.arguments == "{oops"
    assert renamed.message.tool_calls[0].function.name == "other"
    assert len({call.id for call in doubled.message.tool_calls}) == 1
    assert len(doubled.message.tool_calls) == 2
    assert cut.message.tool_calls[0].function.arguments == '{"order"'


@pytest.mark.parametrize(
    "fault", [faults.duplicate_tool_calls(), faults.broken_tool_arguments(), faults.unknown_tool()]
)
async def test_a_fault_of_tool_calls_leaves_text_alone(
    fault: Fault, server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    choice = await choice_with(fault, server, client)

    assert choice.message.content == "hello there"
    assert not choice.message.tool_calls


async def test_a_stream_may_break_off(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.fail_next(faults.reset_halfway())
    stream = await client.chat.completions.create(model="x", messages=HI, stream=True)
    with pytest.raises(openai.APIConnectionError):
        _ = [chunk async for chunk in stream]


async def test_a_stream_may_have_the_wrong_shape(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.fail_next(faults.wrong_shape())
    stream = await client.chat.completions.create(model="x", messages=HI, stream=True)

    (chunk,) = [chunk async for chunk in stream]

    assert chunk.choices == {"0": "hello"}  # type: ignore[comparison-overlap]


async def test_a_change_of_ones_own_may_be_made(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.fail_next(faults.Distorted(lambda answer: {**answer, "model": "other"}))

    assert (await ask(client)).model == "other"


async def test_a_change_that_fails_is_told_to_the_client(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.fail_next(faults.Distorted(lambda answer: answer["no such key"]))

    with pytest.raises(openai.BadRequestError, match="could not be applied"):
        await ask(client)


async def test_faults_come_in_the_order_in_which_they_are_planned(
    server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    server.fail_next(faults.server_error(), None, times=2)
    outcomes: list[bool] = []

    for _ in range(5):
        try:
            await ask(client)
            outcomes.append(True)
        except openai.InternalServerError:
            outcomes.append(False)

    assert outcomes == [False, True, False, True, True]


async def test_a_rule_picks_requests_until_it_is_taken_back(
    server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    server.inject(faults.server_error(), when=lambda body: body["model"] == "bad")

    assert (await ask(client, "good")).choices
    for _ in range(2):
        with pytest.raises(openai.InternalServerError):
            await ask(client, "bad")
    server.heal()
    assert (await ask(client, "bad")).choices


def test_a_rule_may_be_limited() -> None:
    plan = FaultPlan()
    plan.inject(faults.reset(), 1.0, None, 2)

    assert [plan.fault_for({}) is not None for _ in range(4)] == [True, True, False, False]


def test_chance_has_the_given_share_and_repeats_with_its_seed() -> None:
    def outcomes(seed: int) -> list[bool]:
        plan = FaultPlan(seed)
        plan.inject(faults.reset(), 0.3, None, None)
        return [plan.fault_for({}) is not None for _ in range(1_000)]

    assert 250 < sum(outcomes(1)) < 350
    assert outcomes(1) == outcomes(1)
    assert outcomes(1) != outcomes(2)


def test_a_plan_that_makes_no_sense_is_refused() -> None:
    plan = FaultPlan()

    with pytest.raises(ConfigurationError, match="no fault to inject"):
        plan.fail_next((), 1)
    with pytest.raises(ConfigurationError, match=r"probability of 1\.5"):
        plan.inject(faults.reset(), 1.5, None, None)
