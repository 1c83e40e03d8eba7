"""What tells one chat model from another."""

import re
from types import FunctionType
from typing import Any

from scenario.caching.canonical import CanonicalWriter, class_name
from scenario.caching.function_identity import kept_by_method, own_member
from scenario.llm.chat_model import ChatModel

_SECRET = re.compile("key|token|secret|password", re.IGNORECASE)


def write_chat_model(writer: CanonicalWriter, model: ChatModel) -> None:
    """Write what tells a model from others: its class, its name, its texts, and what it gives as `cache_identity`.

    Its texts are those of its attributes that hold text, such as the address it is found at. Keys do not count, nor
    does what the model notes about its calls. For a class of the caller's own the code of `complete` counts as well.
    """
    kind: type[Any] = model.__class__
    writer.write_tagged("chat model", class_name(kind), model.name, getattr(model, "cache_identity", None))
    complete = own_member(kind, "complete")
    kept = kept_by_method(writer, complete, model) if isinstance(complete, FunctionType) else frozenset[str]()
    attributes: dict[str, Any] = getattr(model, "__dict__", {})
    texts = {name: value for name, value in attributes.items() if type(value) is str}
    writer.write_attributes(
        "texts", {name: text for name, text in texts.items() if name not in kept and not _SECRET.search(name)}
    )
