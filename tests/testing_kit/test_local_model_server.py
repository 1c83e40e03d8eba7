"""The local model server, as the official `openai` client sees it."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from scenario.errors import ConfigurationError
from scenario.llm.chat_model import ModelReply
from scenario.testing import LocalModelServer, ScriptedModel, offline_model, tool_call

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
LOOKUP: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "finds an order",
        "parameters": {
            "type": "object",
            "properties": {"order": {"type": "string"}},
            "required": ["order"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


@pytest.fixture
def server() -> Iterator[LocalModelServer]:
    with LocalModelServer("hello there") as server:
        yield server


@pytest.fixture
async def client(server: LocalModelServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0, timeout=5) as client:
        yield client


async def test_it_answers_with_the_text(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="gpt-x", messages=HI)

    assert answer.choices[0].message.content == "hello there"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "gpt-x"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (1, 3, 4)


async def test_it_answers_a_list_in_order(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.set_answer(["one", "two"])

    answers = [await client.chat.completions.create(model="x", messages=HI) for _ in range(2)]

    assert [answer.choices[0].message.content for answer in answers] == ["one", "two"]


async def test_a_used_up_list_is_told_to_the_client(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.set_answer([])

    with pytest.raises(openai.BadRequestError, match="was asked 1 times and has 0 answers"):
        await client.chat.completions.create(model="x", messages=HI)


async def test_it_calls_tools(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.set_answer([tool_call("lookup", order="A-17")])

    answer = await client.chat.completions.create(model="x", messages=HI, tools=[LOOKUP], tool_choice="required")

    (call,) = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("lookup", {"order": "A-17"})
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None
    assert answer.usage is not None


async def test_a_tool_call_and_its_result_may_follow(client: openai.AsyncOpenAI) -> None:
    history: list[ChatCompletionMessageParam] = [
        *HI,
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "on its way"},
    ]

    answer = await client.chat.completions.create(model="x", messages=history, tools=[LOOKUP])

    assert answer.choices[0].message.content == "hello there"


async def test_a_function_sees_messages_and_tools(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    def answer(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        return f"{messages[-1]['content']} {[tool['function']['name'] for tool in tools]}"

    server.set_answer(answer)

    reply = await client.chat.completions.create(model="x", messages=HI, tools=[LOOKUP])

    assert reply.choices[0].message.content == "hi ['lookup']"


async def test_an_async_function_may_take_its_time(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    async def answer(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        await asyncio.sleep(0.01)
        return "slowly"

    server.set_answer(answer)

    reply = await client.chat.completions.create(model="x", messages=HI)

    assert reply.choices[0].message.content == "slowly"


@pytest.mark.parametrize("fails_at_once", [True, False])
async def test_a_failing_function_is_told_to_the_client(
    fails_at_once: bool, server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    async def answer(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        if not fails_at_once:
            await asyncio.sleep(0)
        raise LookupError("no idea")

    server.set_answer(answer)

    with pytest.raises(openai.BadRequestError, match="LookupError: no idea"):
        await client.chat.completions.create(model="x", messages=HI)


async def test_a_model_may_answer(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    model = ScriptedModel([ModelReply(text="cut", finish_reason="length", model="special")])
    server.set_answer(model)

    reply = await client.chat.completions.create(model="x", messages=HI, temperature=0.5, max_tokens=3, seed=7)

    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("cut", "length")
    assert reply.model == "special"
    (request,) = model.requests
    assert (request.temperature, request.max_tokens, request.seed) == (0.5, 3, 7)


@pytest.mark.parametrize(
    ("model", "text"), [("offline/echo", "hi"), ("echo", "hi"), ("offline/user", "hello"), ("gpt-4o", "hello")]
)
async def test_by_default_the_offline_models_answer(
    model: str, text: str, server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    server.set_answer(None)

    reply = await client.chat.completions.create(model=model, messages=HI)

    assert reply.choices[0].message.content == text


async def test_an_offline_model_may_be_the_answer(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.set_answer(offline_model("offline/echo"))

    reply = await client.chat.completions.create(model="x", messages=HI)

    assert reply.choices[0].message.content == "hi"


async def test_text_is_streamed_in_pieces(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.set_answer("hello there,\n  you")

    chunks = [chunk async for chunk in await client.chat.completions.create(model="x", messages=HI, stream=True)]

    pieces = [chunk.choices[0].delta.content for chunk in chunks]
    assert "".join(piece for piece in pieces if piece) == "hello there,\n  you"
    assert len(pieces) > 3
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


async def test_a_stream_ends_with_the_usage_when_asked_for(
    server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    server.set_answer(["four"])
    stream = await client.chat.completions.create(
        model="x", messages=HI, stream=True, stream_options={"include_usage": True}
    )

    chunks = [chunk async for chunk in stream]

    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 1
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_tool_calls_are_streamed(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    server.set_answer([[tool_call("lookup", order="A" * 50), tool_call("lookup", order="B")]])

    async with client.chat.completions.stream(model="x", messages=HI, tools=[LOOKUP]) as stream:
        answer = await stream.get_final_completion()

    calls = answer.choices[0].message.tool_calls or []
    assert [json.loads(call.function.arguments) for call in calls] == [{"order": "A" * 50}, {"order": "B"}]


async def test_it_lists_its_models(client: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["offline/user", "offline/judge", "offline/echo"]


async def test_it_knows_only_the_models_it_is_given() -> None:
    async with (
        LocalModelServer("yes", models=["a", "b"]) as server,
        openai.AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0) as client,
    ):
        assert (await client.models.retrieve("b")).id == "b"
        assert (await client.chat.completions.create(model="a", messages=HI)).choices[0].message.content == "yes"
        with pytest.raises(openai.NotFoundError) as unknown:
            await client.chat.completions.create(model="c", messages=HI)
        assert unknown.value.code == "model_not_found"
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("c")


@pytest.mark.parametrize("key", ["sk-wrong", "sk-right-and-more"])
async def test_a_wrong_key_is_refused_and_not_repeated(key: str) -> None:
    async with (
        LocalModelServer("yes", api_key="sk-right") as server,
        openai.AsyncOpenAI(base_url=server.url, api_key=key, max_retries=0) as client,
    ):
        with pytest.raises(openai.AuthenticationError) as refused:
            await client.chat.completions.create(model="x", messages=HI)
        assert refused.value.code == "invalid_api_key"
        assert key not in str(refused.value)


async def test_the_right_key_is_accepted() -> None:
    async with (
        LocalModelServer("yes", api_key="sk-right") as server,
        openai.AsyncOpenAI(base_url=server.url, api_key="sk-right") as client,
    ):
        assert (await client.chat.completions.create(model="x", messages=HI)).choices


async def test_it_serves_deployments_of_azure(server: LocalModelServer) -> None:
    async with openai.AsyncAzureOpenAI(
        azure_endpoint=server.origin, api_key="none", api_version="2024-10-21", azure_deployment="gpt-4o"
    ) as client:
        answer = await client.chat.completions.create(model="gpt-4o", messages=HI)

    assert answer.choices[0].message.content == "hello there"
    assert server.received[0].query == "api-version=2024-10-21"
    assert server.received[0].headers["api-key"] == "none"


async def test_an_unknown_path_is_refused(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        await client.embeddings.create(model="x", input="text")


async def test_it_remembers_the_requests(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    await client.chat.completions.create(model="x", messages=HI, user="me")

    assert server.calls == 1
    assert server.requests == [{"model": "x", "messages": HI, "user": "me"}]
    assert server.received[0].headers["authorization"] == "Bearer none"


async def test_refused_requests_are_remembered_too(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        await client.chat.completions.create(model="x", messages=[])

    assert server.requests == [{"model": "x", "messages": []}]


async def test_it_answers_after_the_latency_and_counts_what_is_in_flight(
    server: LocalModelServer, client: openai.AsyncOpenAI
) -> None:
    server.set_latency(0.2)
    started = time.monotonic()

    await asyncio.gather(*(client.chat.completions.create(model="x", messages=HI) for _ in range(5)))

    assert 0.2 <= time.monotonic() - started < 1.0
    assert server.max_in_flight == 5
    assert server.in_flight == 0


async def test_a_connection_is_used_again(server: LocalModelServer, client: openai.AsyncOpenAI) -> None:
    for _ in range(3):
        await client.chat.completions.create(model="x", messages=HI)

    assert server.connections_accepted == 1


def test_it_can_be_used_without_an_event_loop(server: LocalModelServer) -> None:
    with openai.OpenAI(base_url=server.url, api_key="none") as client:
        answer = client.chat.completions.create(model="x", messages=HI)

    assert answer.choices[0].message.content == "hello there"


def test_a_test_can_wait_for_requests_to_arrive(server: LocalModelServer) -> None:
    server.set_latency(0.05)
    with openai.OpenAI(base_url=server.url, api_key="none") as client:
        asking = threading.Thread(target=lambda: client.chat.completions.create(model="x", messages=HI))
        asking.start()
        server.wait_for_calls(1)
        asking.join()

    with pytest.raises(TimeoutError, match="1 of 2 model requests arrived"):
        server.wait_for_calls(2, timeout=0.01)


def test_many_threads_may_ask_at_once(server: LocalModelServer) -> None:
    def ask() -> None:
        with openai.OpenAI(base_url=server.url, api_key="none") as client:
            client.chat.completions.create(model="x", messages=HI)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert server.calls == 8


def test_closing_drops_requests_in_flight_and_is_allowed_twice() -> None:
    server = LocalModelServer("never", latency=60).start()
    failed: list[Exception] = []

    def ask() -> None:
        with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
            try:
                client.chat.completions.create(model="x", messages=HI)
            except openai.APIConnectionError as error:
                failed.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    server.wait_for_calls(1)
    server.close()
    server.close()
    asking.join()

    assert len(failed) == 1
    assert server.in_flight == 0


def test_it_has_a_url_only_while_it_runs() -> None:
    with pytest.raises(ConfigurationError, match="is not running"):
        _ = LocalModelServer().url


def test_it_is_started_once() -> None:
    with LocalModelServer() as server, pytest.raises(ConfigurationError, match="already started"):
        server.start()


async def test_it_can_share_the_running_loop() -> None:
    async with (
        LocalModelServer("here", own_thread=False) as server,
        openai.AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0) as client,
    ):
        answer = await client.chat.completions.create(model="x", messages=HI)
        assert "local-model-server" not in {thread.name for thread in threading.enumerate()}

    assert answer.choices[0].message.content == "here"


async def test_an_error_in_the_block_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError, match="mine"):
        async with LocalModelServer("here", own_thread=False):
            raise LookupError("mine")


def test_a_shared_loop_needs_an_event_loop() -> None:
    with pytest.raises(ConfigurationError, match="async with"):
        LocalModelServer(own_thread=False).start()


async def test_requests_that_are_given_up_are_no_longer_in_flight(server: LocalModelServer) -> None:
    server.set_latency(60)
    async with openai.AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0, timeout=0.1) as client:
        with pytest.raises(openai.APITimeoutError):
            await client.chat.completions.create(model="x", messages=HI)

    assert await asyncio.to_thread(server.wait_until_idle) is None


def test_waiting_for_the_end_of_all_requests_has_a_limit(server: LocalModelServer) -> None:
    server.set_latency(60)

    def ask_in_vain() -> None:
        with (
            openai.OpenAI(base_url=server.url, api_key="none", max_retries=0, timeout=1) as client,
            pytest.raises(openai.APITimeoutError),
        ):
            client.chat.completions.create(model="x", messages=HI)

    asking = threading.Thread(target=ask_in_vain)
    asking.start()
    server.wait_for_calls(1)
    with pytest.raises(TimeoutError, match="1 requests are still in flight"):
        server.wait_until_idle(timeout=0.01)
    asking.join()
