"""A model that says what a test tells it to."""

import asyncio
import json
from typing import Any

import pytest

from scenario.errors import ConfigurationError, RateLimitError
from scenario.llm.chat_model import ChatModel, ModelReply, ModelRequest, Tool
from scenario.testing import ScriptedModel, tool_call
from scenario.usage import TokenUsage

REQUEST = ModelRequest(messages=[{"role": "user", "content": "where is my parcel"}])


async def test_it_gives_its_answers_in_order() -> None:
    model = ScriptedModel(["first", "second"])

    assert [(await model.complete(REQUEST)).text for _ in range(2)] == ["first", "second"]


async def test_it_remembers_what_it_was_asked() -> None:
    model = ScriptedModel(["hi"])

    await model.complete(REQUEST)

    assert model.calls == 1
    assert model.requests == [REQUEST]


async def test_it_says_how_often_it_was_asked_when_its_answers_are_used_up() -> None:
    model = ScriptedModel(["only one"])
    await model.complete(REQUEST)

    with pytest.raises(ConfigurationError, match=r"was asked 2 times and has 1 answers.*where is my parcel"):
        await model.complete(REQUEST)


async def test_answers_can_be_added() -> None:
    model = ScriptedModel()
    model.add("a", "b")

    assert [(await model.complete(REQUEST)).text for _ in range(2)] == ["a", "b"]


async def test_an_exception_in_the_list_is_raised() -> None:
    error = RateLimitError("too many requests")

    with pytest.raises(RateLimitError) as raised:
        await ScriptedModel([error]).complete(REQUEST)

    assert raised.value is error


async def test_a_tool_call_is_given_as_json() -> None:
    reply = await ScriptedModel([tool_call("lookup", order="A-17", limit=3)]).complete(REQUEST)

    (call,) = reply.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("lookup", {"order": "A-17", "limit": 3})
    assert reply.finish_reason == "tool_calls"


async def test_arguments_given_as_text_are_sent_as_they_are() -> None:
    reply = await ScriptedModel([tool_call("lookup", '{"order": ')]).complete(REQUEST)

    assert reply.tool_calls[0].arguments == '{"order": '


async def test_arguments_may_have_any_name() -> None:
    reply = await ScriptedModel([tool_call("lookup", {"name": "x", "arguments": 1})]).complete(REQUEST)

    assert json.loads(reply.tool_calls[0].arguments) == {"name": "x", "arguments": 1}


async def test_several_tool_calls_can_be_one_answer() -> None:
    reply = await ScriptedModel([[tool_call("a"), tool_call("b")]]).complete(REQUEST)

    assert [call.name for call in reply.tool_calls] == ["a", "b"]
    assert len({call.id for call in reply.tool_calls}) == 2


async def test_a_reply_keeps_what_it_says_about_its_usage() -> None:
    usage = TokenUsage(input_tokens=7, output_tokens=3, cost_usd=0.5)

    reply = await ScriptedModel([ModelReply(text="hi", usage=usage)]).complete(REQUEST)

    assert reply.usage == usage


async def test_usage_is_estimated_and_costs_nothing() -> None:
    reply = await ScriptedModel(["12345678"]).complete(REQUEST)

    assert reply.usage == TokenUsage(input_tokens=5, output_tokens=2, cost_usd=0.0)


async def test_a_function_gets_messages_and_tools_in_the_chat_format() -> None:
    tool = Tool(name="lookup", description="finds", parameters={"type": "object"}, strict=True)
    seen: list[Any] = []

    def answer(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        seen.extend([messages, tools])
        return "done"

    reply = await ScriptedModel(answer).complete(ModelRequest(messages=REQUEST.messages, tools=[tool]))

    assert reply.text == "done"
    assert seen == [
        [{"role": "user", "content": "where is my parcel"}],
        [
            {
                "type": "function",
                "function": {
                    "name": "lookup",
                    "description": "finds",
                    "parameters": {"type": "object"},
                    "strict": True,
                },
            }
        ],
    ]


async def test_a_function_may_be_async() -> None:
    async def answer(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        await asyncio.sleep(0)
        return "later"

    assert (await ScriptedModel(answer).complete(REQUEST)).text == "later"


async def test_what_is_no_answer_is_refused() -> None:
    model = ScriptedModel([42])  # type: ignore[list-item]  # what a user might do

    with pytest.raises(ConfigurationError, match="cannot answer with 42"):
        await model.complete(REQUEST)


def test_one_text_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"ScriptedModel\(\['hello'\]\)"):
        ScriptedModel("hello")


def test_answers_cannot_be_added_to_a_function() -> None:
    with pytest.raises(ConfigurationError, match="answers from a function"):
        ScriptedModel(lambda messages, tools: "x").add("y")


def test_it_is_a_chat_model() -> None:
    assert isinstance(ScriptedModel(), ChatModel)
