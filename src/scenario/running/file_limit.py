"""How many files this process may have open, and so how many runs fit side by side."""

import contextlib
import sys
from functools import cache

# An event loop holds an epoll object and a pair of sockets.
FILES_PER_LOOP = 3
_KEPT_FOR_OTHERS = 256
_WITHOUT_LIMIT = 10_000


@cache
def loops_that_fit() -> int:
    """Raise the soft limit of open files to the hard one, once, and return how many event loops fit below it."""
    if sys.platform == "win32":
        return _WITHOUT_LIMIT
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # Some systems report a hard limit that they do not grant.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    if soft == resource.RLIM_INFINITY:
        return _WITHOUT_LIMIT
    return max(1, (soft - _KEPT_FOR_OTHERS) // FILES_PER_LOOP // 2)
