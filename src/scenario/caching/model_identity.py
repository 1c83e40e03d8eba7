"""What tells one chat model from another."""

import inspect
from typing import Any
from weakref import WeakKeyDictionary

from scenario.llm.chat_model import ChatModel

_chat_models: "WeakKeyDictionary[type, bool]" = WeakKeyDictionary()


def is_chat_model(kind: type) -> bool:
    """Tell whether objects of a class are chat models."""
    known = _chat_models.get(kind)
    if known is None:
        complete = getattr(kind, "complete", None)
        takes = list(inspect.signature(complete).parameters) if inspect.iscoroutinefunction(complete) else []
        known = _chat_models[kind] = len(takes) == 2
    return known


def model_identity(model: ChatModel) -> tuple[Any, ...]:
    """Return what tells a model from others: its class, its name, and whatever it gives as `cache_identity`.

    The state of a model, its key among it, says nothing about its answers that its name does not say.
    """
    kind = type(model)
    return (kind.__module__, kind.__qualname__, model.name, getattr(model, "cache_identity", None))
