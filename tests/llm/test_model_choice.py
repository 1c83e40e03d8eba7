"""Which model an agent uses, and with what."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from calling import model_at, request

from scenario.config import ModelConfig
from scenario.errors import ConfigurationError, MissingExtraError, MissingKeyError, MissingModelError, ModelServerError
from scenario.llm import ModelReply, ModelRequest, choose_model
from scenario.testing import LocalModelServer, faults

_EXTRAS: dict[str, Any] = {"timeout": 7, "top_p": 0.5}
DEFAULT = ModelConfig(
    model="openai/gpt-4.1",
    api_base="http://localhost:9/v1",
    api_key="k-default",
    temperature=0.7,
    max_tokens=99,
    **_EXTRAS,
)


def test_without_any_model_the_error_names_the_agent_and_both_ways() -> None:
    with pytest.raises(MissingModelError) as raised:
        choose_model("JudgeAgent", model=None)

    text = str(raised.value)
    assert "JudgeAgent(model=" in text
    assert "scenario.configure(default_model=" in text
    assert "offline/" in text


def test_a_default_that_is_a_name_gives_the_model_only() -> None:
    choice = choose_model("X", model=None, default="openai/gpt-4.1")

    assert (choice.name, choice.api_base, choice.api_key) == ("openai/gpt-4.1", None, None)
    assert (choice.temperature, choice.max_tokens, choice.extra_params) == (0.0, None, {})


def test_everything_of_a_default_configuration_is_inherited() -> None:
    choice = choose_model("X", model=None, default=DEFAULT)

    assert (choice.name, choice.api_base, choice.api_key) == ("openai/gpt-4.1", "http://localhost:9/v1", "k-default")
    assert (choice.temperature, choice.max_tokens) == (0.7, 99)
    assert choice.extra_params == {"timeout": 7, "top_p": 0.5}


def test_it_is_inherited_by_an_agent_that_names_another_model_too() -> None:
    choice = choose_model("X", model="openai/other", default=DEFAULT)

    assert (choice.name, choice.api_base, choice.temperature) == ("openai/other", "http://localhost:9/v1", 0.7)


def test_what_an_agent_gives_wins_even_a_temperature_of_zero() -> None:
    choice = choose_model(
        "X",
        model=None,
        api_base="http://localhost:10/v1",
        api_key="mine",
        temperature=0.0,
        max_tokens=1,
        extra_params={"top_p": 0.9, "seed": 3},
        default=DEFAULT,
    )

    assert (choice.api_base, choice.api_key) == ("http://localhost:10/v1", "mine")
    assert (choice.temperature, choice.max_tokens) == (0.0, 1)
    assert choice.extra_params == {"timeout": 7, "top_p": 0.9, "seed": 3}


def test_a_configuration_of_ones_own_replaces_the_default_whole() -> None:
    choice = choose_model("X", model=ModelConfig(model="anthropic/claude-sonnet-5"), default=DEFAULT)

    assert (choice.name, choice.api_base, choice.temperature) == ("anthropic/claude-sonnet-5", None, 0.0)
    assert choice.extra_params == {}


def test_a_model_object_of_ones_own_inherits_nothing() -> None:
    async def mine(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        return "x"

    choice = choose_model("X", model=mine, default=DEFAULT)

    assert choice.name == "function/mine"
    assert (choice.api_base, choice.api_key, choice.temperature) == (None, None, 0.0)


def test_a_default_may_be_an_object() -> None:
    class Mine:
        name = "mine/own"

        async def complete(self, request: ModelRequest) -> ModelReply:
            return ModelReply(text="x")

    mine = Mine()

    assert choose_model("X", model=None, default=mine).chat_model is mine


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": -1},
        {"temperature": float("nan")},
        {"temperature": "warm"},
        {"temperature": True},
        {"max_tokens": 0},
        {"max_tokens": 1.5},
        {"api_base": "nonsense"},
        {"extra_params": {"timeout": 0}},
        {"extra_params": {"timeout": "long"}},
        {"extra_params": {"num_retries": -1}},
        {"extra_params": {"max_concurrency": 0}},
        {"extra_params": {"extra_headers": "X: y"}},
        {"extra_params": {"extra_headers": {"X": "a\r\nb"}}},
        {"extra_params": {"extra_body": 3}},
        {"extra_params": {"messages": []}},
        {"extra_params": {"input_cost_per_token": "cheap"}},
        {"extra_params": {"api_version": 2024}},
    ],
)
def test_a_value_that_cannot_be_is_an_error_at_once(given: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"model": "openai/gpt-4.1", **given}

    with pytest.raises(ConfigurationError) as raised:
        choose_model("JudgeAgent", **arguments)

    assert raised.value.fix


def test_the_key_is_not_in_the_repr() -> None:
    choice = choose_model("X", model=None, default=DEFAULT, extra_params={"extra_headers": {"X-Key": "k-secret"}})

    assert "k-default" not in repr(choice)
    assert "k-secret" not in repr(choice)


async def test_a_missing_key_is_an_error_of_the_first_call_only() -> None:
    choice = choose_model("X", model="openai/gpt-4.1-mini")

    with pytest.raises(MissingKeyError, match=r"gpt-4\.1-mini"):
        await choice.chat_model.complete(request())


async def test_requests_of_a_choice_carry_what_was_chosen(server: LocalModelServer) -> None:
    choice = choose_model(
        "X",
        model="openai/m",
        api_base=server.url,
        temperature=0.4,
        max_tokens=12,
        extra_params={"top_p": 0.9, "timeout": 5, "num_retries": 1, "extra_body": {"user": "u-1"}},
    )

    await choice.chat_model.complete(choice.request([{"role": "user", "content": "hi"}], seed=3))

    assert server.requests == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "hi"}],
            "temperature": 0.4,
            "max_tokens": 12,
            "seed": 3,
            "top_p": 0.9,
            "user": "u-1",
        }
    ]


async def test_extra_headers_are_sent(server: LocalModelServer) -> None:
    await model_at(server, headers={"X-One": "1"}, extra_headers={"X-Two": "2"}).complete(request())

    assert server.received[-1].headers["x-one"] == "1"
    assert server.received[-1].headers["x-two"] == "2"


async def test_concurrency_is_limited_where_that_is_asked_for(server: LocalModelServer) -> None:
    server.set_latency(0.02)
    model = model_at(server, max_concurrency=3)

    await asyncio.gather(*(model.complete(request()) for _ in range(12)))

    assert server.max_in_flight == 3


@pytest.mark.parametrize("extra", [{"client": object()}, {"fallbacks": ["openai/x"]}, {"mock_response": "hi"}])
async def test_extras_that_only_litellm_understands_say_that_it_is_needed(extra: dict[str, Any]) -> None:
    choice = choose_model("X", model="openai/gpt-4.1", extra_params=extra)

    with pytest.raises(MissingExtraError, match=r"agent-scenario\[litellm\]") as raised:
        await choice.chat_model.complete(request())

    assert isinstance(raised.value, ImportError)


@pytest.mark.parametrize("name", ["bedrock/anthropic.claude-sonnet-5", "vertex_ai/gemini-2.5-pro", "litellm/any/thing"])
async def test_providers_that_only_litellm_reaches_say_so(name: str) -> None:
    with pytest.raises(MissingExtraError, match=r"agent-scenario\[litellm\]"):
        await choose_model("X", model=name).chat_model.complete(request())


def test_choosing_loads_no_http_client() -> None:
    code = (
        "import sys; from scenario.llm import choose_model; choose_model('X', model='openai/gpt-4.1');"
        "print([name for name in ('aiohttp', 'litellm') if name in sys.modules])"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True).stdout

    assert shown == "[]\n"


async def test_a_failing_model_is_no_secret_teller(server: LocalModelServer, caplog: pytest.LogCaptureFixture) -> None:
    server.inject(faults.server_error())
    caplog.set_level("DEBUG", "scenario")
    with pytest.raises(ModelServerError) as raised:
        await model_at(server, num_retries=1).complete(request())

    assert "sk-of-the-test" not in caplog.text
    assert "sk-of-the-test" not in str(raised.value)
