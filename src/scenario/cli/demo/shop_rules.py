"""What stands in for the shop assistant's model offline: rules that call the same tools a model would."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from scenario.llm.chat_model import Message
from scenario.llm.offline import ToolCallAnswer, tool_call

_NUMBER = re.compile(r"\b\d{4}\b")
_PRODUCT = re.compile(r"\b(?:blue )?teapots?\b|\b(?:copper )?kettles?\b|\b(?:bamboo )?trays?\b", re.IGNORECASE)
_RETURN = re.compile(r"\b(?:return|refund|sen[dt] (?:it|this|them)? ?back|money back|leaks?|broken)\b", re.IGNORECASE)
_PERSON = re.compile(r"\b(?:human|person|someone|somebody|manager|supervisor)\b", re.IGNORECASE)
_GOODS = re.compile(r"\b(?:stock|price|cost|how much|sell|buy|have)\b", re.IGNORECASE)
_GOODBYE = re.compile(r"\b(?:thanks?|thank you|bye|goodbye|that'?s all|cheers)\b", re.IGNORECASE)


def shop_answer(messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> str | ToolCallAnswer:
    """Answer as the shop assistant: with a tool call, or with what the tools have said."""
    if messages and messages[-1].get("role") == "tool":
        return _after_tool(messages)
    said = [_text(message) for message in messages if message.get("role") == "user"]
    latest = said[-1] if said else ""
    number, product = _latest(_NUMBER, said), _latest(_PRODUCT, said)
    if _PERSON.search(latest):
        return "I'm afraid I can't put you through to anybody from here, but I'm glad to help as far as I can."
    if _RETURN.search(latest) or (_NUMBER.search(latest) and not _GOODS.search(latest)):
        return _looked_up(number)
    if product and (_PRODUCT.search(latest) or _GOODS.search(latest)):
        return tool_call("check_stock", product=product.lower().removesuffix("s"))
    if _GOODBYE.search(latest):
        return "You're welcome. Enjoy your tea!"
    if number or "order" in latest.lower():
        return _looked_up(number)
    return "Hello! Do you have a question about an order, or are you looking for something in the shop?"


def _looked_up(number: str | None) -> str | ToolCallAnswer:
    if number is None:
        return "Gladly. What is the number of your order? It has four digits."
    return tool_call("find_order", order_number=number)


def _after_tool(messages: Sequence[Message]) -> str | ToolCallAnswer:
    result = cast("dict[str, Any]", json.loads(_text(messages[-1])))
    if error := result.get("error"):
        return f"I'm sorry, I can't do that: {error}."
    if "return_number" in result:
        return (
            f"Your return is booked under {result['return_number']}. Please send order {result['order_number']} to "
            f"{result['send_to']}; the money is on its way once it arrives."
        )
    if "in_stock" in result:
        stock = f"we have {result['in_stock']} in stock" if result["in_stock"] else "it is sold out at the moment"
        return f"The {result['product']} costs {result['price_eur']} euros, and {stock}."
    wish = _latest_user_text(messages)
    if _RETURN.search(wish) and result["can_be_returned"]:
        return tool_call("book_return", order_number=result["order_number"], reason=wish)
    return _about_order(result, wants_return=bool(_RETURN.search(wish)))


def _about_order(order: Mapping[str, Any], *, wants_return: bool) -> str:
    name = f"Order {order['order_number']} ({order['product']})"
    if order["delivered_on"] is None:
        return f"{name} is on its way with {order['carrier']} and should reach you on {order['expected_on']}."
    if wants_return:
        return f"I'm sorry, the time to send it back has run out: for {name} it ended on {order['return_until']}."
    may = "can" if order["can_be_returned"] else "could"
    return f"{name} was delivered on {order['delivered_on']}. You {may} send it back until {order['return_until']}."


def _latest(pattern: re.Pattern[str], texts: Sequence[str]) -> str | None:
    found = [match.group() for text in texts for match in pattern.finditer(text)]
    return found[-1] if found else None


def _latest_user_text(messages: Sequence[Message]) -> str:
    return next((_text(message) for message in reversed(messages) if message.get("role") == "user"), "")


def _text(message: Message) -> str:
    content: Any = message.get("content")
    if isinstance(content, str):
        return content
    parts = cast("Iterable[Mapping[str, Any]]", content or ())
    return " ".join(str(part.get("text", "")) for part in parts)
