"""The demo's shop: its data, its tools, and the rules that stand in for a model."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scenario.cli.demo.shop import RETURN_DAYS, Shop
from scenario.cli.demo.shop_rules import shop_answer
from scenario.cli.demo.shop_tools import SHOP_TOOLS, use_tool
from scenario.llm.offline import ToolCallAnswer

_TODAY = date(2026, 11, 20)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.db", _TODAY)


def used(shop: Shop, name: str, **arguments: str) -> dict[str, Any]:
    return json.loads(use_tool(shop, name, json.dumps(arguments)))


def test_an_order_on_its_way_says_when_it_arrives(shop: Shop) -> None:
    found = used(shop, "find_order", order_number="1001")

    assert (found["status"], found["expected_on"], found["can_be_returned"]) == ("shipped", "2026-11-22", False)


def test_an_order_that_arrived_lately_can_be_returned(shop: Shop) -> None:
    found = used(shop, "find_order", order_number=" 1002 ")

    assert found["can_be_returned"]
    assert found["return_until"] == "2026-12-15"


def test_a_return_is_booked_once(shop: Shop) -> None:
    first = used(shop, "book_return", order_number="1002", reason="it leaks")
    second = used(shop, "book_return", order_number="1002", reason="it still leaks")

    assert first["return_number"] == second["return_number"] == "R0001"
    assert shop.return_of("1002") == 1


@pytest.mark.parametrize(("number", "why"), [("1003", "until"), ("1001", "on its way"), ("9999", "no order")])
def test_what_cannot_be_returned_is_not_booked(shop: Shop, number: str, why: str) -> None:
    assert why in used(shop, "book_return", order_number=number, reason="")["error"]
    assert shop.return_of(number) is None


def test_the_last_day_of_the_return_time_counts(tmp_path: Path) -> None:
    Shop(tmp_path / "shop.db", _TODAY)
    order = Shop(tmp_path / "shop.db").order("1002")
    assert order is not None
    assert order.return_until is not None
    assert order.delivered_on is not None
    assert (order.return_until - order.delivered_on).days == RETURN_DAYS

    assert Shop(tmp_path / "shop.db", order.return_until).can_be_returned(order)


def test_a_product_is_found_by_a_part_of_its_name(shop: Shop) -> None:
    assert used(shop, "check_stock", product="TEAPOT") == {
        "product": "Blue teapot",
        "price_eur": "24.90",
        "in_stock": 3,
    }
    assert "does not sell" in used(shop, "check_stock", product="sofa")["error"]


@pytest.mark.parametrize("arguments", ["", "[]", "null", "{}", '{"order_number": null', '"1001"'])
def test_a_model_that_uses_a_tool_wrongly_is_told(shop: Shop, arguments: str) -> None:
    assert "cannot be used" in json.loads(use_tool(shop, "find_order", arguments))["error"]


def test_a_tool_that_does_not_exist_is_an_answer_to_the_model(shop: Shop) -> None:
    assert "no tool" in used(shop, "fly")["error"]


def asked(*texts: str) -> str | ToolCallAnswer:
    return shop_answer([{"role": "user", "content": text} for text in texts], [])


@pytest.mark.parametrize(
    ("texts", "tool", "arguments"),
    [
        (["where is my order 1001?"], "find_order", {"order_number": "1001"}),
        (["I want to return it", "it is order 1002"], "find_order", {"order_number": "1002"}),
        (["Do you have a blue teapot in stock?"], "check_stock", {"product": "blue teapot"}),
        (["Do you sell teapots?", "And how much is one?"], "check_stock", {"product": "teapot"}),
    ],
)
def test_the_rules_call_a_tool(texts: list[str], tool: str, arguments: dict[str, str]) -> None:
    answer = asked(*texts)

    assert isinstance(answer, ToolCallAnswer)
    assert (answer.name, answer.arguments) == (tool, arguments)
    assert tool in {known.name for known in SHOP_TOOLS}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("hello", "Hello!"),
        ("I want a refund", "number of your order"),
        ("can I talk to a person", "can't put you through"),
        ("thanks, bye", "welcome"),
    ],
)
def test_the_rules_answer_in_words(text: str, answer: str) -> None:
    said = asked(text)

    assert isinstance(said, str)
    assert answer in said


def test_the_rules_book_a_return_only_after_they_looked_the_order_up(shop: Shop) -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "please book the return of order 1002"}]
    called: list[str] = []
    while isinstance(answer := shop_answer(messages, []), ToolCallAnswer):
        called.append(answer.name)
        result = use_tool(shop, answer.name, json.dumps(answer.arguments))
        messages.append({"role": "tool", "tool_call_id": str(len(called)), "content": result})

    assert called == ["find_order", "book_return"]
    assert "R0001" in answer
