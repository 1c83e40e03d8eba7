"""Kinds of objects that are not compared by their state.

Some carry a program's work and say nothing about its results, as locks, threads and loops do; clients say with whom a
program speaks, chat models who answers.
"""

import inspect
from typing import Any
from weakref import WeakKeyDictionary

_PLUMBING = frozenset(
    {
        "_contextvars",
        "_ssl",
        "_thread",
        "asyncio.base_events",
        "asyncio.events",
        "asyncio.locks",
        "asyncio.queues",
        "concurrent.futures._base",
        "concurrent.futures.process",
        "concurrent.futures.thread",
        "multiprocessing.synchronize",
        "queue",
        "ssl",
        "threading",
        "uvloop",
    }
)
"""Modules of the standard library whose classes are of that kind."""

_CLIENT_PACKAGES = frozenset(
    {
        "aiohttp",
        "anthropic",
        "boto3",
        "botocore",
        "cohere",
        "google",
        "groq",
        "httpx",
        "litellm",
        "mistralai",
        "ollama",
        "openai",
        "requests",
        "unittest",
    }
)
_CLIENT_NAMES = ("Client", "ClientSession", "Session", "SDK", "APIResource", "Router", "Mock")

_plumbing: "WeakKeyDictionary[type, bool]" = WeakKeyDictionary()
_clients: "WeakKeyDictionary[type, bool]" = WeakKeyDictionary()
_chat_models: "WeakKeyDictionary[type, bool]" = WeakKeyDictionary()


def is_plumbing(kind: type) -> bool:
    """Tell whether objects of a class are locks, threads, loops or the like."""
    known = _plumbing.get(kind)
    if known is None:
        known = _plumbing[kind] = any(base.__module__ in _PLUMBING for base in kind.__mro__)
    return known


def is_client(kind: type) -> bool:
    """Tell whether objects of a class are clients of a known library, or mocks."""
    known = _clients.get(kind)
    if known is None:
        known = _clients[kind] = any(
            base.__module__.partition(".")[0] in _CLIENT_PACKAGES and base.__name__.endswith(_CLIENT_NAMES)
            for base in kind.__mro__
        )
    return known


def client_address(client: Any) -> str:
    """Return the address a client talks to, or an empty text when it does not say."""
    attributes: dict[str, Any] = getattr(client, "__dict__", {})
    return str(attributes.get("base_url") or attributes.get("_base_url") or "")


def is_chat_model(kind: type) -> bool:
    """Tell whether objects of a class are chat models."""
    known = _chat_models.get(kind)
    if known is None:
        complete = getattr(kind, "complete", None)
        takes = list(inspect.signature(complete).parameters) if inspect.iscoroutinefunction(complete) else []
        known = _chat_models[kind] = len(takes) == 2
    return known
