"""Calls plain functions of users without blocking the loop or the interpreter's exit."""

import asyncio
import contextvars
import itertools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from scenario.engine.foreign_work import foreign_work

T = TypeVar("T")

_numbers = itertools.count(1)


async def in_worker_thread(function: Callable[[], T], *, name: str) -> T:
    """Call `function` in a thread of its own, with the caller's context variables, and return what it returns.

    The thread is a daemon: when the caller is cancelled or times out it is left to itself, and the interpreter does
    not wait for it at exit, as it would for the threads of an executor.

    Args:
        function: What to call.
        name: Name of the thread, for stack dumps.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(value: Any, error: BaseException | None) -> None:
        if result.done():
            return
        if error is None:
            result.set_result(value)
        elif isinstance(error, StopIteration):
            # A future refuses StopIteration, which would end the coroutine that awaits it.
            result.set_exception(RuntimeError("the function raised StopIteration"))
        else:
            result.set_exception(error)

    def work() -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            value = context.run(function)
        except BaseException as raised:  # handed to the caller
            error = raised
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:
            # The loop was closed while the function ran: nobody waits for it any more.
            return

    with foreign_work():
        threading.Thread(target=work, name=f"{name}-{next(_numbers)}", daemon=True).start()
        return await result
