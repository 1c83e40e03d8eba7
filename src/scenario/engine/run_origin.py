"""What runs begin in: a test, for example, as whoever starts them tells.

Loads nothing, so that those who wait for a first run that may never come cost nothing either.
"""

import logging
from collections.abc import Callable
from typing import TypeAlias

_log = logging.getLogger(__name__)

OriginTeller: TypeAlias = Callable[[str], str]
"""Returns what a run begins in, given the run's id."""

_tellers: list[OriginTeller] = []


def tell_origins(teller: OriginTeller) -> Callable[[], None]:
    """Have `teller` asked what each run of this process begins in, until another one takes its place.

    It is asked on the thread that plays the run, before the run's first event. Whoever wants to listen to runs without
    loading anything before there is one, adds the listener then.

    Args:
        teller: Returns at once; what it raises is logged and changes nothing for the run.

    Returns:
        Ends it; the teller before it is asked again. May be called twice.
    """
    _tellers.append(teller)

    def end() -> None:
        if teller in _tellers:
            _tellers.remove(teller)

    return end


def origin_of(run_id: str) -> str:
    """Return what a run that is about to begin begins in; empty when nobody tells."""
    if not _tellers:
        return ""
    try:
        return _tellers[-1](run_id)
    except Exception:  # a run is not to fail because of those who watch it
        _log.exception("nobody knows what run %s begins in", run_id)
        return ""
