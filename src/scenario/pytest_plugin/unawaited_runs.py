"""Catches runs that were ordered and never awaited: they never ran, and whoever ordered them believes they did."""

import gc
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CoroutineType, TracebackType
from typing import Any, cast

_RUNS = {"run": "scenario.run", "arun": "scenario.arun", "run_many": "scenario.run_many"}
_BY_HAND = "ScenarioExecutor.run"
_HOMES = ("scenario.scenario_executor", "scenario.running.executor")
_MESSAGE = rf"coroutine '({'|'.join(_RUNS)}|{_BY_HAND.replace('.', '[.]')})' was never awaited"


@dataclass(frozen=True, slots=True)
class UnawaitedRun:
    """A call that made a run which nobody awaited.

    Attributes:
        call: The function that was called, as its caller writes it.
        name: Name of the scenario; empty for several.
    """

    call: str
    name: str

    def __str__(self) -> str:
        return f"{self.call}(name={self.name!r}, ...)" if self.name else f"{self.call}(...)"


class UnawaitedRuns:
    """While it is entered, runs that are thrown away un-awaited end up here, whatever the warning filters say.

    Python says so when it lets go of the coroutine, by a warning. As an error, where nobody can catch it, that warning
    goes to `sys.unraisablehook` together with the coroutine, which knows what was ordered.
    """

    def __init__(self) -> None:
        self._found: list[UnawaitedRun] = []
        self._filters = warnings.catch_warnings()
        self._hook: Callable[[sys.UnraisableHookArgs], object] = self._take
        self._hook_before: Callable[[sys.UnraisableHookArgs], object] = sys.unraisablehook

    def __enter__(self) -> "UnawaitedRuns":
        self._filters.__enter__()
        warnings.filterwarnings("error", message=_MESSAGE, category=RuntimeWarning)
        self._hook_before, sys.unraisablehook = sys.unraisablehook, self._hook
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if sys.unraisablehook is self._hook:
            sys.unraisablehook = self._hook_before
        self._filters.__exit__(kind, error, traceback)

    def taken(self) -> list[UnawaitedRun]:
        """Return what was found since the last time."""
        found, self._found = self._found, []
        return found

    def _take(self, unraisable: "sys.UnraisableHookArgs") -> None:
        run = _run_of(unraisable.object)
        if run is None or not isinstance(unraisable.exc_value, RuntimeWarning):
            self._hook_before(unraisable)
        else:
            self._found.append(run)


def runs_can_exist() -> bool:
    """Tell whether anything has been loaded that makes runs."""
    return any(home in sys.modules for home in _HOMES)


def unawaited_runs_alive() -> Iterator[UnawaitedRun]:
    """Close every run that is alive and was never awaited, and return it. Takes as long as a collection."""
    for thing in gc.get_objects():
        run = closed_run(thing)
        if run is not None:
            yield run


def closed_run(thing: object) -> UnawaitedRun | None:
    """Close a coroutine that is a run which was never awaited, so that nobody warns of it once more, and return it.

    Returns:
        None if it is anything else, which is left as it is.
    """
    run = _run_of(thing)
    if run is None:
        return None
    coroutine = cast("CoroutineType[Any, Any, Any]", thing)  # what a run is of
    if inspect.getcoroutinestate(coroutine) != inspect.CORO_CREATED:
        return None
    coroutine.close()
    return run


def _run_of(thing: object) -> UnawaitedRun | None:
    if type(thing) is not CoroutineType:
        return None
    coroutine = cast("CoroutineType[Any, Any, Any]", thing)  # whatever it yields and returns
    code, frame = coroutine.cr_code, coroutine.cr_frame
    if code.co_filename not in _files():
        return None
    variables: Mapping[str, Any] = {} if frame is None else frame.f_locals  # pyright: ignore[reportUnnecessaryComparison]  # ended
    if coroutine.__qualname__ == _BY_HAND:
        return UnawaitedRun("ScenarioExecutor.run", getattr(variables.get("self"), "name", ""))
    call = _RUNS.get(coroutine.__qualname__)
    if call is None:
        return None
    arguments, named = variables.get("args", ()), variables.get("kwargs", {})
    name = named.get("name", arguments[0] if arguments else "")
    return UnawaitedRun(call, name if isinstance(name, str) else "")


def _files() -> set[str]:
    modules = (sys.modules.get(home) for home in _HOMES)
    return {module.__file__ for module in modules if module is not None and module.__file__}
