"""The decorator that keeps a function's answers from run to run."""

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from types import FunctionType, MethodType
from typing import Any, ParamSpec, TypeVar, cast

from scenario.caching.active_key import active_cache_key, scope_of
from scenario.caching.cached_call import CachedCall, call_async, call_plain
from scenario.caching.canonical import NotCanonical
from scenario.caching.function_identity import write_function, write_method
from scenario.caching.place import cache_place
from scenario.caching.run_values import key_writer
from scenario.errors import ConfigurationError

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)

_FORMAT = "call 1"
_OWNERS = ("self", "cls")


def cache(ignore: Sequence[str] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep what a function gives for its arguments, and give it again when a run with the same `cache_key` asks.

    Without a `cache_key`, of the run or outside of runs in `configure`, the function is called as ever. A call counts
    by the function's code, by its arguments and, for a method, by the state of its object. Equal calls at the same
    time are made once, in whatever task, thread or process. Exceptions are not kept.

    Args:
        ignore: Names of parameters that do not count, or of attributes as in `self.client`.

    Returns:
        The decorator, for plain and async functions and methods.

    Raises:
        ConfigurationError: If it is used without parentheses, or on something that is not a function.

    Example:
        ```python
        class MyAgent(scenario.AgentAdapter):
            @scenario.cache(ignore=["self.client"])
            async def ask_model(self, messages): ...
        ```
    """
    if callable(ignore) or isinstance(ignore, classmethod | staticmethod):
        raise ConfigurationError("@scenario.cache was used without parentheses", "write `@scenario.cache()`")
    ignored = (ignore,) if isinstance(ignore, str) else tuple(ignore)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        cached = CachedFunction(function, ignored)
        wrapper = _async_wrapper(cached) if inspect.iscoroutinefunction(function) else _plain_wrapper(cached)
        return cast(Callable[P, R], update_wrapper(wrapper, function))

    return decorate


def _plain_wrapper(cached: "CachedFunction") -> Callable[..., Any]:
    function = cached.function

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = cached.call(args, kwargs)
        return (
            function(*args, **kwargs) if call is None else call_plain(call, lambda: function(*args, **kwargs)).result()
        )

    return wrapper


def _async_wrapper(cached: "CachedFunction") -> Callable[..., Any]:
    function = cached.function

    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = cached.call(args, kwargs)
        if call is None:
            return await function(*args, **kwargs)
        return (await call_async(call, lambda: function(*args, **kwargs))).result()

    return wrapper


class CachedFunction:
    """A function whose answers are kept.

    Args:
        function: The function.
        ignored: Names of parameters, or of attributes of arguments, that do not count.

    Raises:
        ConfigurationError: If it is not a function, or one whose answers cannot be kept.
    """

    def __init__(self, function: Callable[..., Any], ignored: Sequence[str]) -> None:
        _refuse_what_is_no_function(function)
        self.function = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._plain = cast(FunctionType, function.__func__ if isinstance(function, MethodType) else function)
        self._owner = (function.__self__,) if isinstance(function, MethodType) else ()
        self._signature = inspect.signature(self._plain)
        self._ignored = frozenset(name for name in ignored if "." not in name)
        self._ignored_attributes = _attributes_by_parameter(ignored)
        self._said: set[str] = set()
        self._warn_of_unknown(ignored)

    def call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> CachedCall | None:
        """Return a call as one that is kept; None if it is only to be made."""
        cache_key = active_cache_key()
        if cache_key is None:
            return None
        place = cache_place()
        if place.is_off:
            return None
        try:
            bound = self._signature.bind(*self._owner, *args, **kwargs)
        except TypeError:
            return None  # the call itself says best what is wrong with it
        bound.apply_defaults()
        try:
            key = self._key(cache_key, bound.arguments)
        except NotCanonical as error:
            self._say(
                error.way,
                f"`{error.way}` of {self.name} is {error.kind}, which cannot be compared: calls are not cached. If the "
                f"answer does not depend on it, write @scenario.cache(ignore=[{_to_ignore(error)!r}])",
            )
            return None
        except Exception as error:  # whatever an argument raises when it is looked at; the call may well not mind
            self._say(type(error).__name__, f"calls of {self.name} cannot be compared ({error!r}), and are not cached")
            return None
        return CachedCall(
            place=place,
            key=key,
            scope=scope_of(cache_key),
            function=self.name,
            on_not_kept=self._say_not_kept,
        )

    def _key(self, cache_key: str, arguments: Mapping[str, Any]) -> bytes:
        writer = key_writer()
        writer.write(_FORMAT)
        writer.write(cache_key)
        left_out = dict(self._ignored_attributes)
        first = next(iter(arguments), "")
        if first in _OWNERS and first not in self._ignored:
            ignored = left_out.pop(first, set[str]()) | self._ignored
            write_method(writer, self._plain, arguments[first], ignored)
        else:
            write_function(writer, self._plain)
        for name, attributes in left_out.items():
            if name in arguments:
                writer.leave_out(arguments[name], attributes)
        for name, value in arguments.items():
            if name not in self._ignored:
                writer.write(name)
                writer.write_part(self._without_ignored(name, value), name)
        return writer.digest()

    def _without_ignored(self, name: str, value: Any) -> Any:
        if self._signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            return {key: item for key, item in value.items() if key not in self._ignored}
        return value

    def _say_not_kept(self, kind: str) -> None:
        self._say(
            "",
            f"{self.name} gave a value of type {kind}, which cannot be kept: it is not cached. Return plain "
            "values, pydantic models or dataclasses",
        )

    def _say(self, about: str, text: str) -> None:
        if about not in self._said:
            self._said.add(about)
            _log.warning("%s", text)

    def _warn_of_unknown(self, ignored: Sequence[str]) -> None:
        parameters = self._signature.parameters
        takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
        if takes_any or next(iter(parameters), None) in _OWNERS:
            return
        for name in ignored:
            if name.partition(".")[0] not in parameters:
                _log.warning("%s has no parameter %r to ignore; it has %s", self.name, name, ", ".join(parameters))


def _refuse_what_is_no_function(function: Any) -> None:
    if isinstance(function, classmethod | staticmethod):
        raise ConfigurationError(
            "@scenario.cache() stands above @classmethod or @staticmethod", "write it below, next to the `def`"
        )
    if not isinstance(function, FunctionType | MethodType):
        raise ConfigurationError(
            f"@scenario.cache() takes a function or a method, not {function!r}", "decorate the function that is called"
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(
            f"{function.__qualname__} is a generator, and what it yields cannot be kept", "return a list instead"
        )


def _attributes_by_parameter(ignored: Sequence[str]) -> dict[str, set[str]]:
    attributes: dict[str, set[str]] = {}
    for name in ignored:
        parameter, dot, attribute = name.partition(".")
        if dot:
            attributes.setdefault(parameter, set()).add(attribute)
    return attributes


def _to_ignore(error: NotCanonical) -> str:
    """Return the shortest name that leaves out what cannot be compared: a parameter, or an attribute of one."""
    steps = [*reversed(error.steps)]
    return "".join(steps[:2]) if len(steps) > 1 and steps[1].startswith(".") and "(" not in steps[1] else steps[0]
