"""Answers of models, kept from run to run."""

import logging
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from scenario.caching.active_key import active_cache_key, scope_of
from scenario.caching.cached_call import CachedCall, Made, call_async
from scenario.caching.canonical import NotCanonical
from scenario.caching.place import cache_place
from scenario.caching.run_values import key_writer
from scenario.engine.run_context import RunContext, current_run
from scenario.errors import ConfigurationError
from scenario.llm.asking import ask as ask_model
from scenario.llm.chat_model import ChatModel, ModelReply, ModelRequest
from scenario.llm.model_settings import NEEDS_LITELLM, body_members
from scenario.usage import TokenUsage

_log = logging.getLogger(__name__)

_FORMAT = "model answer 1"
_NOTHING_USED = TokenUsage(input_tokens=0, output_tokens=0, cost_usd=0.0)

_asked: "WeakKeyDictionary[RunContext, Counter[bytes]]" = WeakKeyDictionary()


async def ask(model: ChatModel, request: ModelRequest) -> ModelReply:
    """Return a model's reply to a request: the one it gave in an earlier run with the same cache key, if there is one.

    A kept reply costs nothing and is not counted: its usage is zero, and so are its attempts and its duration. A run
    that makes the same request several times gets the replies in the order in which they were first given. Without a
    cache key the model is simply asked.

    Args:
        model: The model.
        request: What it is asked.

    Raises:
        BudgetExceededError: If the model would have to be called, and the run's budget is spent.
        ConfigurationError: If the model is one of the caller's own and returns something that is not a reply.
        ModelError: If no usable answer could be had.
    """
    call = _cached_call(model, request)
    if call is None:
        return await ask_model(model, request)
    asked = _asked_in_this_run()
    asked[call.key] += 1
    made: Made | None = None
    try:
        numbered = replace(call, key=_numbered(call.key, asked[call.key]))
        made = await call_async(numbered, lambda: ask_model(model, request))
        reply: ModelReply = made.result()
        return replace(reply, usage=_NOTHING_USED, attempts=0, duration=0.0) if made.is_cached else reply
    finally:
        if made is None or made.error is not None:
            # Whoever tries again asks for the same answer.
            asked[call.key] -= 1


def _cached_call(model: ChatModel, request: ModelRequest) -> CachedCall | None:
    cache_key = active_cache_key()
    if cache_key is None:
        return None
    place = cache_place()
    if place.is_off:
        return None
    try:
        key = _key(cache_key, model, request)
    except ConfigurationError:
        return None  # asking the model says what is wrong with the request
    except NotCanonical as error:
        _warn(model.name, f"`{error.way}` of the request is {error.kind}, which cannot be compared")
        return None
    return CachedCall(
        place=place,
        key=key,
        scope=scope_of(cache_key),
        function=model.name,
        on_not_kept=lambda kind: _warn(model.name, f"the reply holds a value of type {kind}, which cannot be kept"),
    )


def _key(cache_key: str, model: ChatModel, request: ModelRequest) -> bytes:
    writer = key_writer()
    writer.write(_FORMAT)
    writer.write(cache_key)
    writer.write_part(model, "model")
    extra = request.extra
    asked: dict[str, Any] = {
        "messages": request.messages,
        "tools": request.tools,
        "tool_choice": request.tool_choice if request.tools else None,
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
        # How a request is sent, with which headers and limits, does not change what is answered.
        "extra": {**body_members(extra), **{name: extra[name] for name in NEEDS_LITELLM & extra.keys()}},
    }
    for name, value in asked.items():
        writer.write_part(value, name)
    return writer.digest()


def _asked_in_this_run() -> Counter[bytes]:
    """Return how often each request was made in the run the caller works for."""
    run = current_run()
    return Counter() if run is None else _asked.setdefault(run, Counter())


def _numbered(key: bytes, number: int) -> bytes:
    """Return the key of a request that is made again: who asks again wants another answer than the first."""
    if number == 1:
        return key
    writer = key_writer()
    writer.write((key, number))
    return writer.digest()


@cache
def _warn(model: str, why: str) -> None:
    _log.warning("answers of %s are not cached: %s", model, why)
