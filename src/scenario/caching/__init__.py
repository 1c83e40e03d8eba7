"""Answers kept from run to run: of functions marked with `@scenario.cache()`, and of models.

Keys are hashes of a canonical form (`canonical`, `run_values`, `function_identity`), values are JSON (`tagged_json`).
Both are kept in one SQLite file per directory (`cache_file`), which a thread of its own reads and writes
(`cache_thread`). Equal calls under way are made once: `flights` within a process, `claims` between processes.
"""

from typing import TYPE_CHECKING

from scenario.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from scenario.caching.cached_function import cache as cache
    from scenario.caching.contents import clear as clear
    from scenario.caching.contents import info as info
    from scenario.caching.entry import CacheInfo as CacheInfo
    from scenario.caching.model_answers import ask as ask

__all__ = ["CacheInfo", "ask", "cache", "clear", "info"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "CacheInfo": "scenario.caching.entry",
        "ask": "scenario.caching.model_answers",
        "cache": "scenario.caching.cached_function",
        "clear": "scenario.caching.contents",
        "info": "scenario.caching.contents",
    },
)
