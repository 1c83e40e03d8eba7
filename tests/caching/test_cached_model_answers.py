"""Answers of models are kept from run to run."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import scenario
from scenario import llm
from scenario.caching import ask
from scenario.config import ScenarioConfig
from scenario.errors import ConfigurationError, ModelServerError
from scenario.llm.chat_model import ForcedTool, ModelReply, ModelRequest, ModelToolCall, Tool
from scenario.testing import LocalModelServer
from scenario.types import AgentInput
from scenario.usage import TokenUsage

REQUEST = ModelRequest(messages=[{"role": "user", "content": "hi"}], temperature=0.0)
TOOL = Tool(name="verdict", description="Give it.", parameters={"type": "object", "properties": {"a": {}}})


class Model:
    """A model that numbers its answers."""

    def __init__(self, name: str = "test/model", **facts: Any) -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        self.failures: list[Exception] = []
        self.echo: dict[str, Any] = {}
        vars(self).update(facts)

    @property
    def calls(self) -> int:
        return len(self.requests)

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        return ModelReply(
            text=f"answer {self.calls}",
            tool_calls=(ModelToolCall(id="call_1", name="verdict", arguments="{}", echo={"x": [1]}),),
            usage=TokenUsage(input_tokens=3, output_tokens=2, cost_usd=0.5),
            finish_reason="tool_calls",
            model="model-2026",
            attempts=2,
            duration=1.5,
            echo=self.echo,
        )


async def test_a_repeated_request_makes_no_model_call() -> None:
    model = Model()
    first = await ask(model, REQUEST)
    second = await ask(model, REQUEST)

    assert model.calls == 1
    assert first.usage == TokenUsage(input_tokens=3, output_tokens=2, cost_usd=0.5)
    assert second == replace(
        first, usage=TokenUsage(input_tokens=0, output_tokens=0, cost_usd=0.0), attempts=0, duration=0.0
    )
    assert second.tool_calls[0].echo == {"x": [1]}


async def test_without_a_cache_key_each_request_is_made() -> None:
    ScenarioConfig.default_config = None
    model = Model()
    await ask(model, REQUEST)
    await ask(model, REQUEST)

    assert model.calls == 2


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "user", "content": "hello"}]},
        {"messages": [{"role": "system", "content": "hi"}]},
        {"messages": [*REQUEST.messages, *REQUEST.messages]},
        {"tools": [TOOL]},
        {"tools": [replace(TOOL, description="Give it now.")]},
        {"tools": [replace(TOOL, parameters={"type": "object", "properties": {"b": {}}})]},
        {"tools": [TOOL], "tool_choice": "required"},
        {"tools": [TOOL], "tool_choice": ForcedTool("verdict")},
        {"temperature": 0.1},
        {"temperature": None},
        {"max_tokens": 10},
        {"seed": 1},
        {"extra": {"reasoning_effort": "low"}},
        {"extra": {"extra_body": {"top_k": 1}}},
    ],
)
async def test_the_whole_request_is_part_of_the_key(change: dict[str, Any]) -> None:
    model = Model()
    request = replace(REQUEST, **change)
    await ask(model, REQUEST)
    await ask(model, request)
    await ask(model, request)

    assert model.calls == 2


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "user", "content": "hi", "trace_id": "abc"}]},
        {"tool_choice": "required"},
        {"extra": {"timeout": 3, "headers": {"x": "y"}, "num_retries": 1}},
    ],
)
async def test_how_a_request_is_sent_is_not_part_of_the_key(change: dict[str, Any]) -> None:
    model = Model()
    await ask(model, REQUEST)
    await ask(model, replace(REQUEST, **change))

    assert model.calls == 1


async def test_ids_that_a_provider_draws_for_answered_tool_calls_are_not_part_of_the_key() -> None:
    model = Model()
    for id in ("call_x", "call_y"):
        call = {"id": id, "type": "function", "function": {"name": "verdict", "arguments": "{}"}}
        answered = [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": id, "content": "again"},
        ]
        await ask(model, replace(REQUEST, messages=[*REQUEST.messages, *answered], tools=[TOOL]))

    assert model.calls == 1


async def test_models_of_other_names_and_places_do_not_share_answers() -> None:
    models = [
        Model("a"),
        Model("b"),
        Model("a", cache_identity="http://one"),
        Model("a", cache_identity={"base": "http://other"}),
    ]
    for model in [*models, Model("a")]:
        await ask(model, REQUEST)

    assert [model.calls for model in models] == [1, 1, 1, 1]
    assert (await ask(Model("a", api_key="another"), REQUEST)).text == "answer 1"


@pytest.fixture
def servers() -> Iterator[list[LocalModelServer]]:
    with LocalModelServer("here") as here, LocalModelServer("there") as there:
        yield [here, there]


async def test_a_model_behind_an_address_counts_by_it_and_not_by_its_key(servers: list[LocalModelServer]) -> None:
    here, there = servers

    def model(server: LocalModelServer, key: str) -> llm.ChatModel:
        return llm.chat_model("openai/some-model", api_base=server.url, api_key=key)

    first = model(here, "one")
    asked = [first, first, model(here, "other"), model(there, "one")]

    assert [(await ask(one, REQUEST)).text for one in asked] == ["here", "here", "here", "there"]
    assert (here.calls, there.calls) == (1, 1)


async def test_a_model_of_ones_own_counts_by_its_code_and_its_texts() -> None:
    class Prompted:
        name = "own/model"

        def __init__(self, prompt: str) -> None:
            self.prompt = prompt
            self.last = ""
            self.calls = 0

        async def complete(self, request: ModelRequest) -> ModelReply:
            self.calls += 1
            self.last = str(request.messages[-1]["content"])
            return ModelReply(text=f"{self.prompt} {self.last}")

    class Louder(Prompted):
        async def complete(self, request: ModelRequest) -> ModelReply:
            return ModelReply(text=(await super().complete(request)).text.upper())

    model = Prompted("a")
    asked: list[Any] = [model, model, Prompted("a"), Prompted("b"), Louder("a")]

    assert [(await ask(one, REQUEST)).text for one in asked] == ["a hi", "a hi", "a hi", "b hi", "A HI"]
    assert [one.calls for one in asked] == [1, 1, 0, 1, 1]


async def test_functions_in_the_place_of_models_do_not_share_answers() -> None:
    def answering(text: str) -> Callable[..., Awaitable[str]]:
        async def answer(messages: list[Any], tools: list[Any]) -> str:
            return text

        return answer

    class Answering:
        def __init__(self, text: str) -> None:
            self.text = text
            self.calls = 0

        async def __call__(self, messages: list[Any], tools: list[Any]) -> str:
            self.calls += 1
            return self.text

    counting = Answering("d")
    specs: list[Any] = [
        answering("a"),
        answering("b"),
        lambda messages, tools: "c",  # pyright: ignore[reportUnknownLambdaType]
        counting,
        Answering("e"),
        Answering("f").__call__,
    ]
    for _ in range(2):
        replies = [await ask(llm.chat_model(spec), REQUEST) for spec in specs]
        assert [reply.text for reply in replies] == ["a", "b", "c", "d", "e", "f"]
    assert counting.calls == 1


class Caller(scenario.AgentAdapter):
    """An agent that asks a model, the given number of times in each turn."""

    def __init__(self, model: Model, times: int = 1) -> None:
        self.model = model
        self.times = times

    async def call(self, input: AgentInput) -> str:
        request = replace(REQUEST, messages=input.messages)
        return " ".join([(await ask(self.model, request)).text for _ in range(self.times)])


async def play(model: Model, times: int = 1, **settings: Any) -> scenario.ScenarioResult:
    return await scenario.arun(
        "asking",
        "a test",
        agents=[Caller(model, times)],
        script=[scenario.user("a"), scenario.agent(), scenario.user("b"), scenario.agent(), scenario.succeed()],
        **settings,
    )


def said(result: scenario.ScenarioResult) -> list[Any]:
    return [message.get("content") for message in result.messages]


async def test_a_second_run_makes_no_model_call_and_costs_nothing() -> None:
    model = Model()
    first, second = await play(model), await play(model)

    assert model.calls == 2
    assert (first.usage.calls, first.usage.input_tokens, first.usage.cost_usd) == (2, 6, 1.0)
    assert (second.usage.calls, second.usage.input_tokens, second.usage.cost_usd) == (0, 0, 0.0)
    assert said(first) == said(second) == ["a", "answer 1", "b", "answer 2"]


async def test_a_kept_answer_is_given_when_the_budget_is_spent() -> None:
    model = Model()
    await play(model)
    result = await play(model, max_tokens_total=1)

    assert result.success
    assert model.calls == 2


async def test_a_run_that_asks_twice_gets_both_answers_again() -> None:
    model = Model()
    first, second = await play(model, times=3), await play(model, times=3)

    assert model.calls == 6
    assert said(first) == said(second)
    assert said(first)[1] == "answer 1 answer 2 answer 3"


async def test_runs_at_the_same_time_ask_once() -> None:
    model = Model()
    results = await asyncio.gather(*(play(model) for _ in range(5)))

    assert model.calls == 2
    assert {tuple(said(result)) for result in results} == {("a", "answer 1", "b", "answer 2")}
    assert sum(result.usage.calls for result in results) == 2


async def test_an_error_is_raised_and_the_next_answer_takes_its_place() -> None:
    model = Model()
    model.failures = [ModelServerError("down", "wait", model.name, 500)]

    class Persistent(Caller):
        async def call(self, input: AgentInput) -> str:
            for _ in range(2):
                try:
                    return await super().call(input)
                except ModelServerError:
                    continue
            return "nothing"

    for _ in range(2):
        result = await scenario.arun(
            "asking",
            "a test",
            agents=[Persistent(model)],
            script=[scenario.user("a"), scenario.agent(), scenario.succeed()],
        )
        assert said(result) == ["a", "answer 2"]
    assert model.calls == 2


async def test_a_spent_budget_still_refuses_a_call() -> None:
    model = Model()
    result = await play(model, times=2, max_tokens_total=3)

    assert result.outcome is scenario.Outcome.TRUNCATED
    assert model.calls == 1


async def test_a_request_that_is_wrong_fails_as_ever() -> None:
    with pytest.raises(ConfigurationError, match="messages cannot be an extra parameter"):
        await ask(
            llm.chat_model("openai/gpt-4.1", api_base="http://127.0.0.1:9/v1"), replace(REQUEST, extra={"messages": []})
        )


async def test_a_request_that_cannot_be_compared_is_made_and_named_once(caplog: pytest.LogCaptureFixture) -> None:
    model = Model("test/streaming")
    request = replace(REQUEST, extra={"stream_options": iter([])})
    await ask(model, request)
    await ask(model, request)

    assert model.calls == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "answers of test/streaming are not cached: `extra['stream_options']` of the request" in caplog.text


async def test_an_answer_that_cannot_be_kept_is_given_and_named_once(caplog: pytest.LogCaptureFixture) -> None:
    model = Model("test/odd", echo={"x": object()})
    for _ in range(2):
        assert (await ask(model, REQUEST)).echo.keys() == {"x"}

    assert model.calls == 2
    assert len(caplog.records) == 1
    assert "holds a value of type object, which cannot be kept" in caplog.text


async def test_a_cache_that_is_off_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_CACHE_MAX_MB", "0")
    model = Model()
    await ask(model, REQUEST)
    await ask(model, REQUEST)

    assert model.calls == 2
