"""The agent under test: a shop assistant that answers customers with the help of tools."""

import asyncio
from typing import TYPE_CHECKING, Any

from scenario.agent_adapter import AgentAdapter
from scenario.cli.demo.shop import Shop
from scenario.cli.demo.shop_tools import SHOP_TOOLS, use_tool
from scenario.llm import ModelReply, ModelRequest, ask, choose_model
from scenario.types import AgentInput, AgentReturnTypes

if TYPE_CHECKING:
    from scenario.llm.chat_model import ModelSpec

_STEPS = 5
_INSTRUCTIONS = """\
You work at the counter of a small tea shop. Answer the customer in one to three friendly sentences.
Look everything up with your tools before you say it; never guess about orders, prices or stock.
When a customer wants to send something back and has told you the order's number, book the return.
If you cannot help, say so. Do not promise anything that your tools have not confirmed."""


class ShopAssistant(AgentAdapter):
    """Answers customers of the shop.

    Args:
        model: Its chat model.
        shop: The shop's data.
    """

    def __init__(self, model: "ModelSpec", shop: Shop) -> None:
        self._model = choose_model(type(self).__name__, model=model).chat_model
        self._shop = shop

    async def call(self, input: AgentInput) -> AgentReturnTypes:
        """Answer the customer, after as many tool calls as the model asks for."""
        produced: list[dict[str, Any]] = []
        for _ in range(_STEPS):
            prompt = [{"role": "system", "content": _INSTRUCTIONS}, *input.messages, *produced]
            reply = await ask(self._model, ModelRequest(messages=prompt, tools=SHOP_TOOLS))
            produced.append(_assistant_message(reply))
            if not reply.tool_calls:
                return produced
            for call in reply.tool_calls:
                result = await asyncio.to_thread(use_tool, self._shop, call.name, call.arguments)
                produced.append({"role": "tool", "tool_call_id": call.id, "content": result})
        return [*produced, {"role": "assistant", "content": "I'm sorry, I could not find that out."}]


def _assistant_message(reply: ModelReply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.tool_calls
        ]
    return message
