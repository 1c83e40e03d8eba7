"""What goes on beside a script, and who waits for it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from scenario.errors import ConfigurationError
from scenario.types import ScenarioResult

if TYPE_CHECKING:
    from collections.abc import Generator

Turn: TypeAlias = Callable[[], Coroutine[Any, Any, ScenarioResult | None]]


class Background:
    """The tasks of one run that are not its script: at most one pending turn, and whatever a medium does.

    They live in the run's task group, which awaits them all.
    """

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._pending: asyncio.Task[_Ending] | None = None

    def within(self, group: asyncio.TaskGroup) -> AbstractContextManager[None]:
        """Let tasks run in `group` inside the block, and cancel what is left of them at its end."""
        return self._within(group)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run `work` beside the script.

        Raises:
            ConfigurationError: If no run is in progress.
        """
        if self._group is None:
            work.close()
            raise ConfigurationError(
                "nothing can go on in the background outside of a run", "play the step as part of a script"
            )
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def begin_turn(self, turn: Turn) -> None:
        """Play a turn beside the script; its result or error is kept for `settle`.

        Raises:
            RuntimeError: If another one is still under way.
        """
        if self.has_pending_turn:
            raise pending_turn_in_flight()
        self._pending = self.spawn(_ended(turn))

    @property
    def has_pending_turn(self) -> bool:
        """Whether a turn is under way."""
        return self._pending is not None and not self._pending.done()

    async def cancel_turn(self) -> bool:
        """Cancel the pending turn, if one is under way, and wait for its end."""
        if self._pending is None or self._pending.done():
            return False
        self._pending.cancel()
        await asyncio.wait([self._pending])
        return True

    async def settle(self) -> ScenarioResult | None:
        """Wait for the pending turn, if there is one, and take its result.

        Inside of that turn there is nothing to wait for.

        Raises:
            Exception: What the turn raised.
        """
        pending = self._pending
        if pending is None or pending is asyncio.current_task():
            return None
        await asyncio.wait([pending])
        self._pending = None
        if pending.cancelled():
            return None
        ending = pending.result()
        if isinstance(ending, Exception):
            raise ending
        return ending

    @contextmanager
    def _within(self, group: asyncio.TaskGroup) -> "Generator[None]":
        self._group = group
        try:
            yield
        finally:
            self._group = None
            for task in tuple(self._tasks):
                task.cancel()


_Ending: TypeAlias = ScenarioResult | Exception | None


async def _ended(turn: Turn) -> _Ending:
    """Play a turn and return how it ended, so that its error doesn't end the task group it is in."""
    try:
        return await turn()
    except Exception as error:  # kept for whoever takes the turn
        return error


def pending_turn_in_flight() -> RuntimeError:
    """Return the error of a second background turn while the first is under way."""
    return RuntimeError("An async agent turn is already in flight; wait for it with a step such as agent()")
