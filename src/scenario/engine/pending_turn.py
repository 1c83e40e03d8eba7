"""An agent's turn that goes on while the script does."""

import asyncio
from collections.abc import Awaitable, Callable

from scenario.types import ScenarioResult


class PendingTurn:
    """Runs one agent turn in the background and keeps its result or error until somebody takes it.

    `play` is meant to be a task of the run's task group; it ends without raising anything but its own cancellation.
    """

    def __init__(self, work: Callable[[], Awaitable[ScenarioResult | None]]) -> None:
        self._work = work
        self._over = asyncio.Event()
        self._result: ScenarioResult | None = None
        self._error: Exception | None = None
        self.cancelled = False

    async def play(self) -> None:
        """Take the turn."""
        try:
            self._result = await self._work()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        except Exception as error:  # kept for whoever takes the turn
            self._error = error
        finally:
            self._over.set()

    @property
    def is_over(self) -> bool:
        """Whether the turn has ended, in whatever way."""
        return self._over.is_set()

    async def ended(self) -> None:
        """Wait until the turn has ended, in whatever way."""
        await self._over.wait()

    async def take(self) -> ScenarioResult | None:
        """Wait for the turn and return its result, if the agent gave one.

        Raises:
            Exception: What the turn raised.
        """
        await self._over.wait()
        if self._error is not None:
            raise self._error
        return self._result
