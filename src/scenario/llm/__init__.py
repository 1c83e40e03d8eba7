"""The one door to models: name one, ask it, know what it cost.

Importing this package loads neither an HTTP client nor pydantic; what needs them is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from scenario.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from scenario.llm.asking import ask as ask
    from scenario.llm.chat_model import ChatModel as ChatModel
    from scenario.llm.chat_model import ForcedTool as ForcedTool
    from scenario.llm.chat_model import Message as Message
    from scenario.llm.chat_model import ModelFunction as ModelFunction
    from scenario.llm.chat_model import ModelReply as ModelReply
    from scenario.llm.chat_model import ModelRequest as ModelRequest
    from scenario.llm.chat_model import ModelSpec as ModelSpec
    from scenario.llm.chat_model import ModelToolCall as ModelToolCall
    from scenario.llm.chat_model import Tool as Tool
    from scenario.llm.chat_model import ToolChoice as ToolChoice
    from scenario.llm.model_choice import ModelChoice as ModelChoice
    from scenario.llm.model_choice import choose_model as choose_model
    from scenario.llm.permission import allow_model_requests as allow_model_requests
    from scenario.llm.permission import model_requests_allowed as model_requests_allowed
    from scenario.llm.prices import PRICES_AS_OF as PRICES_AS_OF
    from scenario.llm.prices import Price as Price
    from scenario.llm.prices import price_of as price_of
    from scenario.llm.prices import set_price as set_price
    from scenario.llm.providers import Provider as Provider
    from scenario.llm.providers import provider_prefixes as provider_prefixes
    from scenario.llm.providers import register_provider as register_provider
    from scenario.llm.reply import parse_arguments as parse_arguments
    from scenario.llm.routing import chat_model as chat_model

_SEAM = "scenario.llm.chat_model"
_HOMES = {
    "PRICES_AS_OF": "scenario.llm.prices",
    "ChatModel": _SEAM,
    "ForcedTool": _SEAM,
    "Message": _SEAM,
    "ModelChoice": "scenario.llm.model_choice",
    "ModelFunction": _SEAM,
    "ModelReply": _SEAM,
    "ModelRequest": _SEAM,
    "ModelSpec": _SEAM,
    "ModelToolCall": _SEAM,
    "Price": "scenario.llm.prices",
    "Provider": "scenario.llm.providers",
    "Tool": _SEAM,
    "ToolChoice": _SEAM,
    "allow_model_requests": "scenario.llm.permission",
    "ask": "scenario.llm.asking",
    "chat_model": "scenario.llm.routing",
    "choose_model": "scenario.llm.model_choice",
    "model_requests_allowed": "scenario.llm.permission",
    "parse_arguments": "scenario.llm.reply",
    "price_of": "scenario.llm.prices",
    "provider_prefixes": "scenario.llm.providers",
    "register_provider": "scenario.llm.providers",
    "set_price": "scenario.llm.prices",
}

# The module of the seam and the function have one name. A module becomes an attribute of its package only when it is
# loaded for the first time: so it is loaded now, and the name is free for the function ever after.
import_module(_SEAM)
globals().pop("chat_model", None)

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)


__all__ = [
    "PRICES_AS_OF",
    "ChatModel",
    "ForcedTool",
    "Message",
    "ModelChoice",
    "ModelFunction",
    "ModelReply",
    "ModelRequest",
    "ModelSpec",
    "ModelToolCall",
    "Price",
    "Provider",
    "Tool",
    "ToolChoice",
    "allow_model_requests",
    "ask",
    "chat_model",
    "choose_model",
    "model_requests_allowed",
    "parse_arguments",
    "price_of",
    "provider_prefixes",
    "register_provider",
    "set_price",
]
