"""How many requests may be under way at once to one service with one key.

There is no limit until the service asks for one. After a refusal for load the number is halved; each answer then
raises it a little, until it no longer matters (additive increase, multiplicative decrease).
"""

import asyncio
import logging
import math
from collections import deque

_log = logging.getLogger(__name__)

_CALM_SECONDS = 30.0


class Gate:
    """Lets requests through to one service, in the order they came, as many at once as it takes.

    It belongs to one event loop.
    """

    def __init__(self, service: str, ceiling: int | None = None) -> None:
        """Open a gate.

        Args:
            service: Name of the service, for the log.
            ceiling: Number of requests at once that was asked for; None: no limit.
        """
        self._service = service
        self._ceiling = math.inf if ceiling is None else float(ceiling)
        self._limit = self._ceiling
        self._under_way = 0
        self._most = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._lowered_at = -math.inf
        self._has_warned = False

    @property
    def limit(self) -> float:
        """Number of requests that may be under way at once; infinite when there is no limit."""
        return self._limit

    @property
    def under_way(self) -> int:
        """Number of requests under way."""
        return self._under_way

    async def enter(self) -> None:
        """Wait for a turn and take a place; whoever has taken it must `leave`."""
        if not self._waiting and self._under_way < _places(self._limit):
            self._under_way += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place back."""
        self._under_way -= 1
        self._let_in()

    def answered(self) -> None:
        """Note that the service took a request."""
        if self._limit >= self._ceiling:
            return
        calm = asyncio.get_running_loop().time() - self._lowered_at > _CALM_SECONDS
        self._limit += 1.0 if calm else 1.0 / self._limit
        if self._limit > 2 * self._most or self._limit >= self._ceiling:
            self._limit = self._ceiling
            self._most = 0
        self._let_in()

    def refused(self, sent_at: float) -> None:
        """Note that the service refused a request for load.

        Args:
            sent_at: The loop's time at which the request was sent.
        """
        if sent_at < self._lowered_at:
            return  # one of a crowd, which has been answered for already
        self._most = max(self._most, self._under_way)
        self._limit = max(1.0, min(self._limit, float(self._under_way)) / 2)
        self._lowered_at = asyncio.get_running_loop().time()
        _log.log(
            logging.INFO if self._has_warned else logging.WARNING,
            "%s limits the rate: at most %d requests at once for now; `max_concurrency` of the model avoids the waits",
            self._service,
            int(self._limit),
        )
        self._has_warned = True

    def _let_in(self) -> None:
        while self._waiting and self._under_way < _places(self._limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self._under_way += 1
                turn.set_result(None)


def _places(limit: float) -> float:
    return limit if limit == math.inf else max(1.0, math.floor(limit))
