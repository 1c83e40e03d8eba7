"""Answers of models, kept from run to run."""

from collections import Counter
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from scenario.caching.active_key import active_cache_key, scope_of
from scenario.caching.cached_call import CachedCall, call_async
from scenario.caching.canonical import NotCanonical
from scenario.caching.place import cache_place
from scenario.caching.run_values import key_writer
from scenario.engine.run_context import RunContext, current_run
from scenario.llm.chat_model import ChatModel, ModelReply, ModelRequest
from scenario.usage import TokenUsage
