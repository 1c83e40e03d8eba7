"""What the cache holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A value to keep.

    Attributes:
        key: Key of the call that gave it.
        scope: Hash of the cache key it belongs to.
        function: Name of the function.
        value: Text of the value.
    """

    key: bytes
    scope: bytes
    function: str
    value: bytes


class Claim(Enum):
    """Who computes a value that is not there.

    Attributes:
        MINE: This process, from now on.
        TAKEN: Another process.
    """

    MINE = auto()
    TAKEN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheInfo:
    """What is in the cache.

    Attributes:
        path: Path of the cache file.
        entries: Number of values kept.
        size_bytes: Size of the file's content.
        max_bytes: Size beyond which the values used longest ago are dropped.
        max_age: Seconds after which a value that was not used is dropped; None for never.
        functions: Number of values by the function that gave them, most first.
        problem: Why the file could not be read, and what to do; empty if nothing is wrong with it.
    """

    path: str
    entries: int
    size_bytes: int
    max_bytes: int
    max_age: float | None
    functions: Mapping[str, int]
    problem: str = ""
