"""What model calls cost, where that is known."""

from datetime import date
from typing import Any

import pytest
from calling import model_at, request
from hypothesis import given
from hypothesis import strategies as st

from scenario.errors import ConfigurationError
from scenario.llm import ModelReply, Price, chat_model, price_of, prices, set_price
from scenario.llm.prices import known_price
from scenario.llm.reply import ReplyFacts, read_usage
from scenario.testing import LocalModelServer
from scenario.usage import TokenUsage


@pytest.fixture
async def metered() -> Any:
    answer = ModelReply(text="x", usage=TokenUsage(input_tokens=1000, output_tokens=100))
    async with LocalModelServer([answer] * 2) as running:
        yield running


@pytest.fixture(autouse=True)
def _own_prices(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(prices, "_own", {})


def test_the_price_of_a_known_model_is_known() -> None:
    assert price_of(chat_model("openai/gpt-4.1-mini")) == Price(0.4, 1.6, 0.1)
    assert price_of(chat_model("gpt-4.1-mini")) == Price(0.4, 1.6, 0.1)


@pytest.mark.parametrize("name", ["openai/gpt-4.1-mini-2025-04-14", "anthropic/claude-haiku-4-5-20251001"])
def test_a_dated_name_costs_what_the_model_costs(name: str) -> None:
    assert price_of(chat_model(name)) is not None


@pytest.mark.parametrize("name", ["openai/gpt-of-next-year", "ollama/llama3", "openrouter/openai/gpt-4.1"])
def test_an_unknown_price_is_unknown_not_zero(name: str) -> None:
    assert price_of(chat_model(name)) is None


def test_a_price_list_does_not_hold_behind_another_base_url() -> None:
    assert price_of(chat_model("openai/gpt-4.1-mini", api_base="http://localhost:1/v1")) is None


def test_nor_behind_a_base_url_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")

    assert price_of(chat_model("openai/gpt-4.1-mini")) is None


def test_offline_models_cost_nothing() -> None:
    assert price_of(chat_model("offline/user")) == Price(0.0, 0.0)


def test_what_a_function_costs_is_unknown() -> None:
    assert price_of(chat_model(lambda messages, tools: "x")) is None


async def test_the_cost_of_a_call_is_counted(metered: LocalModelServer) -> None:
    set_price("openai/some-model", input=2.0, output=8.0)

    reply = await model_at(metered).complete(request())

    assert reply.usage.cost_usd == pytest.approx(0.0028)


async def test_the_cost_of_an_unknown_model_is_unknown(metered: LocalModelServer) -> None:
    assert (await model_at(metered).complete(request())).usage.cost_usd is None


async def test_extras_may_say_what_a_token_costs(metered: LocalModelServer) -> None:
    model = model_at(metered, input_cost_per_token=1e-6, output_cost_per_token=1e-5)

    reply = await model.complete(request())

    assert reply.usage.cost_usd == pytest.approx(0.002)
    assert "input_cost_per_token" not in metered.requests[-1]


def test_set_price_wins_over_the_table() -> None:
    set_price("openai/gpt-4.1-mini", input=1.0, output=2.0)

    assert known_price("gpt-4.1-mini", "openai", "gpt-4.1-mini") == Price(1.0, 2.0)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_price_that_cannot_be_is_an_error(value: float) -> None:
    with pytest.raises(ConfigurationError):
        set_price("openai/x", input=value, output=1.0)


def test_a_prompt_beyond_the_size_a_price_is_for_has_no_known_cost() -> None:
    price = Price(1.0, 2.0, up_to_tokens=1000)

    assert price.cost(1000, 1) is not None
    assert price.cost(1001, 1) is None


def test_a_price_that_has_run_out_is_not_known() -> None:
    assert Price(1.0, 1.0, until=date(2020, 1, 1)).cost(1, 1) is None


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_cached_tokens_never_cost_more(read: int, written: int, cached: int) -> None:
    price = Price(2.0, 8.0, 0.5)

    with_cache, without = price.cost(read, written, cached), price.cost(read, written)

    assert with_cache is not None
    assert without is not None
    assert 0 <= with_cache <= without


def test_a_provider_that_names_its_price_is_believed() -> None:
    facts = ReplyFacts(name="openrouter/x", reports_cost=True)

    usage = read_usage({"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.0123}, facts)

    assert usage.cost_usd == 0.0123


def test_cached_tokens_are_priced_as_cached() -> None:
    facts = ReplyFacts(name="m", price=Price(2.0, 8.0, 0.5))
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 1_000_000}}

    assert read_usage(usage, facts).cost_usd == 0.5


def test_every_price_of_the_table_is_dated_and_sensible() -> None:
    assert date.today() >= prices.PRICES_AS_OF
    for table in prices.PRICES.values():
        for price in table.values():
            assert 0 < price.input < price.output
            assert price.cached_input is None or 0 < price.cached_input < price.input
