"""Catches runs that were ordered and never awaited: they never ran, and whoever ordered them believes they did."""

import gc
import inspect
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CoroutineType, TracebackType
from typing import Any, cast

_RUNS = {"run": "scenario.run", "arun": "scenario.arun", "run_many": "scenario.run_many"}
_BY_HAND = "ScenarioExecutor.run"
_HOMES = ("scenario.scenario_executor", "scenario.running.executor")
_COLLECTIONS = (list, tuple, set, frozenset)
_MESSAGE = rf"coroutine '({'|'.join(_RUNS)}|{_BY_HAND.replace('.', '[.]')})' was never awaited"


@dataclass(frozen=True, slots=True)
class UnawaitedRun:
    """A call that made a run which nobody awaited.

    Attributes:
        call: The function that was called, as its caller writes it.
        name: Name of the scenario; empty for several.
        names: Names of the scenarios that nothing but this call would have run. Runs that are handed to `run_many` as
            coroutines are found one by one.
    """

    call: str
    name: str
    names: Sequence[str]

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
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        if sys.unraisablehook is self._hook:
            sys.unraisablehook = self._hook_before
        self._filters.__exit__(kind, error, stack)

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


def close_runs_of_frames(error: BaseException) -> None:
    """Close the runs that are variables of the functions an error came through, or stand in lists and such there.

    What a function was handed is left as it is: it may be somebody else's, such as the value of a fixture.
    """
    known: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in known:
        known.add(id(found))
        for frame, _ in traceback.walk_tb(found.__traceback__):
            variables = frame.f_locals
            if variables is frame.f_globals:
                continue
            handed = inspect.getargs(frame.f_code)
            names = {*handed.args, handed.varargs, handed.varkw}
            for value in [value for name, value in variables.items() if name not in names]:
                _close_runs_in(value)
        found = found.__cause__ or found.__context__


def _close_runs_in(value: object) -> None:
    closed_run(value)
    # A subclass may do anything when it is gone through.
    if type(value) is dict:
        value = list(cast("dict[object, object]", value).values())  # of whatever its owner put there
    if type(value) in _COLLECTIONS:
        for each in cast("Iterable[object]", value):  # likewise
            closed_run(each)


def _run_of(thing: object) -> UnawaitedRun | None:
    if type(thing) is not CoroutineType:
        return None
    coroutine = cast("CoroutineType[Any, Any, Any]", thing)  # whatever it yields and returns
    code, frame = coroutine.cr_code, coroutine.cr_frame
    if code.co_filename not in _files():
        return None
    variables: Mapping[str, Any] = {} if frame is None else frame.f_locals  # pyright: ignore[reportUnnecessaryComparison]  # ended
    if coroutine.__qualname__ == _BY_HAND:
        name = getattr(variables.get("self"), "name", "")
        return UnawaitedRun("ScenarioExecutor.run", name, [name])
    call = _RUNS.get(coroutine.__qualname__)
    if call is None:
        return None
    if call == "scenario.run_many":
        return UnawaitedRun(call, "", _names_of_many(variables.get("runs")))
    arguments, named = variables.get("args", ()), variables.get("kwargs", {})
    name = named.get("name", arguments[0] if arguments else "")
    name = name if isinstance(name, str) else ""
    return UnawaitedRun(call, name, [name])


def _names_of_many(runs: object) -> Sequence[str]:
    if not isinstance(runs, _COLLECTIONS):
        # Only playing them would tell.
        return ["several runs"]
    each_run = cast("Iterable[object]", runs)  # of whatever was handed over
    return [str(getattr(run, "name", "")) for run in each_run if hasattr(type(run), "run_in")]


def _files() -> set[str]:
    modules = (sys.modules.get(home) for home in _HOMES)
    return {module.__file__ for module in modules if module is not None and module.__file__}
