"""Where the cache lives and how much it may hold, as the environment says."""

import logging
import math
import os
from dataclasses import dataclass
from functools import lru_cache

_log = logging.getLogger(__name__)

_DIRECTORY = "SCENARIO_CACHE_DIR"
_MAX_MB = "SCENARIO_CACHE_MAX_MB"
_MAX_DAYS = "SCENARIO_CACHE_MAX_DAYS"

_DEFAULT_DIRECTORY = "~/.scenario/cache"
_DEFAULT_MAX_MB = 500.0
_DEFAULT_MAX_DAYS = 90.0

_FILE = "cache.db"
_MEGABYTE = 1_000_000
_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePlace:
    """Where the cache lives and how much it may hold.

    Attributes:
        directory: Directory of the cache file, as given, or its default.
        max_bytes: Size beyond which the values used longest ago are dropped; 0 keeps none.
        max_age: Seconds after which a value that was not used is dropped; None for never.
    """

    directory: str
    max_bytes: int
    max_age: float | None

    @property
    def path(self) -> str:
        """Path of the cache file."""
        return os.path.join(self.directory, _FILE)

    @property
    def is_off(self) -> bool:
        """Whether nothing is kept."""
        return self.max_bytes <= 0


def cache_place() -> CachePlace:
    """Return the place that the environment names now."""
    environment = os.environ
    return _place(environment.get(_DIRECTORY), environment.get(_MAX_MB), environment.get(_MAX_DAYS))


@lru_cache(maxsize=16)
def _place(directory: str | None, max_mb: str | None, max_days: str | None) -> CachePlace:
    days = _number(_MAX_DAYS, max_days, _DEFAULT_MAX_DAYS)
    return CachePlace(
        directory=os.path.expanduser(directory or _DEFAULT_DIRECTORY),
        max_bytes=int(_number(_MAX_MB, max_mb, _DEFAULT_MAX_MB) * _MEGABYTE),
        max_age=days * _DAY if days else None,
    )


def _number(name: str, text: str | None, default: float) -> float:
    if not text or not text.strip():
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if 0 <= number < math.inf:
        return number
    # A run is not ended for the sake of a cache.
    _log.warning("%s=%r is not a number from 0 up; %g is used instead", name, text, default)
    return default
