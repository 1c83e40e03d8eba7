"""What is in the cache, and how to empty it."""

from typing import TYPE_CHECKING, TypeVar

from scenario.caching.active_key import scope_of
from scenario.caching.cache_thread import cache_thread
from scenario.caching.entry import CacheInfo
from scenario.caching.place import cache_place
from scenario.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenario.caching.cache_file import CacheFile

T = TypeVar("T")

_LONGEST_WORK = 120.0


def info() -> CacheInfo:
    """Return where the cache is, what is in it, and its limits. It blocks while the file is read.

    Raises:
        StoreError: If the disk does not answer.
    """
    return _done(lambda file: file.info())


def clear(cache_key: str | None = None) -> int:
    """Drop what is in the cache. It blocks while the file is written.

    Args:
        cache_key: Drop only what was kept under this key.

    Returns:
        Number of values dropped.

    Raises:
        StoreError: If the file cannot be changed, or is not a cache of this version of Scenario.
    """
    scope = None if cache_key is None else scope_of(cache_key)
    return _done(lambda file: file.clear(scope))


def _done(work: "Callable[[CacheFile], T]") -> T:
    place = cache_place()
    try:
        return cache_thread().submit(place, work).result(_LONGEST_WORK)
    except TimeoutError as error:
        raise StoreError(
            f"the cache in {place.directory} did not answer within {_LONGEST_WORK:g} s",
            "see whether its disk can be reached, or set SCENARIO_CACHE_DIR",
        ) from error
