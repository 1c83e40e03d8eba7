"""Lets a run that is over wait a moment for those who listen to it."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scenario.engine.foreign_work import foreign_work, foreign_work_pending
from scenario.events.delivery import Delivery


class CatchUp:
    """A wait, on the running loop, until some deliveries have reached a mark.

    Attributes:
        marks: What each delivery has to call, from any thread, once it is there.
    """

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._missing = dict.fromkeys(deliveries)
        self.marks: Mapping[Delivery, Callable[[], None]] = {
            delivery: self._in_loop(self._arrived, delivery) for delivery in deliveries
        }

    async def missed(self, limit: float) -> Sequence[Delivery]:
        """Wait for all of them, `limit` seconds of real time at most, and return those that didn't make it."""
        if not self._missing:
            return ()
        with foreign_work():
            timer = self._timer(limit)
            try:
                await self._done
            finally:
                timer.cancel()
        return tuple(self._missing)

    def _timer(self, limit: float) -> threading.Timer | asyncio.TimerHandle:
        if not foreign_work_pending(self._loop):
            return self._loop.call_later(limit, self._end)
        # A loop on simulated time stands still while foreign work is under way: only a real clock can end the wait.
        timer = threading.Timer(limit, self._in_loop(self._end))
        timer.daemon = True
        timer.start()
        return timer

    def _arrived(self, delivery: Delivery) -> None:
        self._missing.pop(delivery, None)
        if not self._missing:
            self._end()

    def _end(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _in_loop(self, function: Callable[..., None], *arguments: Any) -> Callable[[], None]:
        def call() -> None:
            try:
                self._loop.call_soon_threadsafe(function, *arguments)
            except RuntimeError:
                # The loop was closed in the meantime: nobody waits any more.
                return

        return call
