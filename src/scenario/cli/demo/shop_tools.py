"""What the shop assistant may do with the shop's data, as tools of a chat model."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from scenario.cli.demo.shop import RETURN_DAYS, Shop
from scenario.llm.chat_model import Tool

_ORDER_NUMBER = {"type": "string", "description": "Number of the order, four digits."}


def _tool(name: str, description: str, **parameters: Mapping[str, Any]) -> Tool:
    schema = {
        "type": "object",
        "properties": parameters,
        "required": list(parameters),
        "additionalProperties": False,
    }
    return Tool(name=name, description=description, parameters=schema)


SHOP_TOOLS: Sequence[Tool] = (
    _tool(
        "find_order", "Look up an order: what, where it is, until when it can be sent back.", order_number=_ORDER_NUMBER
    ),
    _tool(
        "check_stock",
        "Look up a product: its price and how many are in stock.",
        product={"type": "string", "description": "Name of the product, or a part of it."},
    ),
    _tool(
        "book_return",
        f"Book the return of an order, within {RETURN_DAYS} days of its delivery.",
        order_number=_ORDER_NUMBER,
        reason={"type": "string", "description": "Why the customer sends it back, in their words."},
    ),
)


def use_tool(shop: Shop, name: str, arguments: str) -> str:
    """Use a tool, and return the JSON text that goes back to the model; mistakes of the model are told to it.

    Args:
        shop: The shop's data.
        name: Name of the tool.
        arguments: Arguments as the model wrote them.
    """
    try:
        given = cast("dict[str, Any]", json.loads(arguments))
        match name:
            case "find_order":
                answer = _find_order(shop, str(given["order_number"]))
            case "check_stock":
                answer = _check_stock(shop, str(given["product"]))
            case "book_return":
                answer = _book_return(shop, str(given["order_number"]), str(given["reason"]))
            case _:
                answer = {"error": f"there is no tool {name!r}"}
    except (ValueError, KeyError, TypeError) as error:
        answer = {"error": f"these arguments of {name} cannot be used: {error!r}"}
    return json.dumps(answer)


def _find_order(shop: Shop, number: str) -> dict[str, Any]:
    order = shop.order(number)
    if order is None:
        return {"error": f"there is no order {number}"}
    return {
        "order_number": order.number,
        "product": order.product,
        "status": order.status,
        "carrier": order.carrier,
        "expected_on": order.expected_on.isoformat(),
        "delivered_on": order.delivered_on.isoformat() if order.delivered_on else None,
        "can_be_returned": shop.can_be_returned(order),
        "return_until": order.return_until.isoformat() if order.return_until else None,
    }


def _check_stock(shop: Shop, name: str) -> dict[str, Any]:
    product = shop.product(name)
    if product is None:
        return {"error": f"the shop does not sell {name!r}"}
    return {"product": product.name, "price_eur": f"{product.price_eur:.2f}", "in_stock": product.in_stock}


def _book_return(shop: Shop, number: str, reason: str) -> dict[str, Any]:
    order = shop.order(number)
    if order is None:
        return {"error": f"there is no order {number}"}
    if not shop.can_be_returned(order):
        until = f"it could be sent back until {order.return_until}" if order.return_until else "it is still on its way"
        return {"error": f"order {number} cannot be returned: {until}"}
    return {
        "return_number": f"R{shop.book_return(order, reason):04d}",
        "order_number": number,
        "send_to": "Tea Shop, Leeds",
    }
