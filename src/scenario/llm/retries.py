"""When a request is sent again, and how long that waits."""

import email.utils
import math
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Trouble(Enum):
    """What kept a request from being answered, each with the retries it is worth by default."""

    LOAD = 10
    FAILURE = 4
    UNREACHABLE = 3
    SLOW = 2


_FIRST_SECONDS = {Trouble.LOAD: 1.0, Trouble.FAILURE: 0.5, Trouble.UNREACHABLE: 0.5, Trouble.SLOW: 0.5}
_LONGEST_SECONDS = {Trouble.LOAD: 60.0, Trouble.FAILURE: 30.0, Trouble.UNREACHABLE: 10.0, Trouble.SLOW: 10.0}

_jitter = random.Random()


@dataclass(slots=True)
class Retries:
    """Counts the attempts of one call and says how long to wait for the next.

    Attributes:
        allowed: Number of retries, or None for the default of each kind of trouble.
        attempts: Number of attempts begun.
    """

    allowed: int | None = None
    attempts: int = 0
    _spent: int = 0

    def wait_before_next(self, trouble: Trouble, retry_after: float | None = None) -> float | None:
        """Return the seconds to wait before the next attempt, or None when there shall be none.

        Args:
            trouble: What kept the last one from being answered.
            retry_after: Seconds that the service asked to wait.
        """
        if self._spent >= (trouble.value if self.allowed is None else self.allowed):
            return None
        wait = back_off(trouble, self._spent)
        self._spent += 1
        if retry_after is None:
            return wait
        # Those who were sent away together shall not all come back at the same moment.
        return retry_after + min(wait, 0.1 * retry_after)


def back_off(trouble: Trouble, retries: int) -> float:
    """Return a random wait that grows with the number of retries: anything from zero to twice the last upper end."""
    return _jitter.uniform(0.0, min(_LONGEST_SECONDS[trouble], _FIRST_SECONDS[trouble] * 2.0 ** min(retries, 16)))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to wait, or None when it does not say.

    Args:
        headers: The answer's headers; names may be looked up in lower case.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000.0
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    try:
        date = email.utils.parsedate_to_datetime(value)
        return max(0.0, date.timestamp() - time.time())
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < math.inf else None
