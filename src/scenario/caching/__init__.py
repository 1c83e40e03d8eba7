"""Answers kept from run to run: of functions marked with `@scenario.cache()`, and of models.

Keys are hashes of a canonical form (`canonical`, `run_values`, `function_identity`), values are JSON (`tagged_json`).
Both are kept in one SQLite file per directory (`cache_file`), which a thread of its own reads and writes
(`cache_thread`). Equal calls under way are made once: `flights` within a process, `claims` between processes.
"""

from scenario.caching.cached_function import cache
from scenario.caching.contents import clear, info
from scenario.caching.entry import CacheInfo
from scenario.caching.model_answers import ask

__all__ = ["CacheInfo", "ask", "cache", "clear", "info"]
