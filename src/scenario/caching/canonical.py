"""One form for equal values, so that they can be compared by a hash.

Every value is written with its type and its length, so that no two different values are written alike. What pickle
would keep of an object is what counts of it; what pickle cannot keep has no form, and neither have iterators.
"""

import copyreg
import hashlib
import types
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from enum import Enum
from functools import cached_property
from typing import Any, TypeAlias, cast

from pydantic import BaseModel

from scenario.caching.chat_messages import answered_calls, essence, is_chat_message
from scenario.caching.class_schema import class_schema
from scenario.caching.object_kinds import client_address, is_chat_model, is_client, is_plumbing
from scenario.llm.chat_model import ChatModel

_PICKLE_PROTOCOL = 4
_NO_LIMIT = 1 << 62
_type_of: "Callable[[Any], type[Any]]" = type
_SMALL = 1000
_STEPS_SHOWN = 10


class NotCanonical(Exception):
    """A value has no canonical form.

    Attributes:
        kind: Name of its type.
        steps: The way to it from the outermost value, innermost step first.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.steps: list[str] = []

    @property
    def way(self) -> str:
        """The way to the value, such as `self.client`; a long one is cut."""
        shown = self.steps[: -_STEPS_SHOWN - 1 : -1]
        return "".join(shown) + "…" * (len(self.steps) > _STEPS_SHOWN)


Special: TypeAlias = "Callable[[CanonicalWriter, Any], None]"
"""Writes values of a type that has a form of its own."""


class CanonicalWriter:
    """Writes the canonical forms of values, one after the other.

    Args:
        specials: Types with a form of their own, with what writes it; it holds for subclasses too.
        limit: Number of values after which it gives up.

    Attributes:
        calls: Names that stand in for ids of tool calls; None to find them in each list of messages.
        seen: Ids of the functions that were written already.
    """

    def __init__(self, specials: Mapping[type, Special], limit: int = _NO_LIMIT) -> None:
        self._specials = specials
        self._left = limit
        self._parts: list[bytes] = []
        self._open: dict[int, int] = {}
        self._without: dict[int, frozenset[str]] = {}
        self.calls: Mapping[str, str] | None = None
        self.seen: set[int] = set()

    def digest(self) -> bytes:
        """Return the hash of all that was written, 32 bytes."""
        return hashlib.sha256(b"".join(self._parts)).digest()

    def write(self, value: Any) -> None:
        """Write a value.

        Raises:
            NotCanonical: If it, or something in it, has no canonical form.
        """
        if self._wrote_plain(value):
            return
        place = self._open.get(id(value))
        if place is not None:
            self._parts.append(b"^%d;" % place)
            return
        self._open[id(value)] = len(self._open)
        try:
            self._write_compound(_type_of(value), value)
        except RecursionError:
            raise NotCanonical(f"{_type_of(value).__name__}, nested too deeply") from None
        finally:
            del self._open[id(value)]

    def _wrote_plain(self, value: Any) -> bool:
        """Write a value that has no parts; tell whether it is one."""
        self._left -= 1
        if self._left < 0:
            raise NotCanonical("a large collection")
        plain = _PLAIN.get(_type_of(value))
        if plain is None:
            return False
        self._parts.append(plain(value))
        return True

    def write_part(self, value: Any, step: str, name: object = "") -> None:
        """Write a part of a value.

        Args:
            value: The part.
            step: How it is reached, for errors, such as `.client` or `[{}]`.
            name: What stands for the braces in `step`.
        """
        try:
            self.write(value)
        except NotCanonical as error:
            error.steps.append(step.format(name))
            raise

    def write_tagged(self, tag: str, *values: Any) -> None:
        """Write values as the parts of something of the kind `tag`."""
        self._parts.append(b"<%b %d>" % (tag.encode(), len(values)))
        for value in values:
            self.write(value)

    def write_attributes(self, tag: str, attributes: Mapping[str, Any]) -> None:
        """Write the attributes of an object of the kind `tag`, whatever their order."""
        self._parts.append(b"<%b {%d}>" % (tag.encode(), len(attributes)))
        for name in sorted(attributes):
            self._parts.append(_text(name))
            self.write_part(attributes[name], ".{}", name)

    def form_of_small(self, value: Any, *, alone: bool = False) -> bytes | None:
        """Return a hash of a value that may be left out of account; None if it is large or has no canonical form.

        Args:
            value: The value.
            alone: Whether the hash is to be the same whatever else is written.
        """
        writer = CanonicalWriter(self._specials, _SMALL)
        writer._without = self._without
        if not alone:
            writer.seen = self.seen
        try:
            writer.write(value)
        except NotCanonical:
            return None
        return writer.digest()

    def leave_out(self, owner: object, names: Iterable[str]) -> None:
        """Leave out some attributes of an object that is written later."""
        self._without[id(owner)] = frozenset(names)

    def _write_compound(self, kind: type[Any], value: Any) -> None:
        if kind is list or kind is tuple:
            self._write_sequence(b"l" if kind is list else b"t", value)
        elif kind is dict or kind is types.MappingProxyType:
            self._write_mapping(essence(value, self.calls or {}) if is_chat_message(value) else value)
        elif kind is set or kind is frozenset:
            self._write_set(kind, value)
        else:
            self._write_object(kind, value)

    def _write_sequence(self, tag: bytes, items: Sequence[Any]) -> None:
        outer = self.calls
        if outer is None and items and isinstance(items[0], Mapping) and is_chat_message(cast(Any, items[0])):
            self.calls = answered_calls(items)
        self._parts.append(b"%b%d:" % (tag, len(items)))
        try:
            for position, item in enumerate(items):
                if not self._wrote_plain(item):
                    self.write_part(item, "[{}]", position)
        finally:
            self.calls = outer

    def _write_mapping(self, entries: Mapping[Any, Any]) -> None:
        self._parts.append(b"d%d:" % len(entries))
        if all(type(key) is str for key in entries):
            keys = [(_text(key), key) for key in sorted(entries)]
        else:
            keys = sorted(((self._form_of(key), key) for key in entries), key=_first)
        for form, key in keys:
            self._parts.append(form)
            value = entries[key]
            if not self._wrote_plain(value):
                self.write_part(value, "[{!r}]", key)

    def _write_set(self, kind: type[Any], items: Set[Any]) -> None:
        self._parts.append(b"%b%d:" % (b"f" if issubclass(kind, frozenset) else b"u", len(items)))
        self._parts += sorted(map(self._form_of, items))

    def _form_of(self, value: Any) -> bytes:
        outer, self._parts = self._parts, []
        try:
            self.write(value)
            return b"".join(self._parts)
        finally:
            self._parts = outer

    def _write_object(self, kind: type[Any], value: Any) -> None:
        for base in kind.__mro__:
            special = self._specials.get(base)
            if special is not None:
                special(self, value)
                return
        if isinstance(value, Enum):
            self.write_tagged("enum", class_name(kind), value.name, value.value)
        elif isinstance(value, type):
            self.write_tagged("class", class_name(value), class_schema(value))
        elif isinstance(value, types.ModuleType):
            self.write_tagged("module", value.__name__)
        elif isinstance(value, types.BuiltinFunctionType):
            self._write_builtin(value)
        elif isinstance(value, types.MethodType):
            self.write_tagged("method", value.__self__, value.__func__)
        elif is_plumbing(kind):
            self.write_tagged("plumbing", class_name(kind))
        elif is_chat_model(kind) and ChatModel in self._specials:
            self._specials[ChatModel](self, value)
        elif isinstance(value, BaseModel):
            self.write_tagged("model", kind)
            extra, private = value.__pydantic_extra__, value.__pydantic_private__
            self._write_state(value, {**value.__dict__, **(extra or {}), **(private or {})})
        elif is_client(kind):
            self.write_tagged("client", class_name(kind), client_address(value))
        elif issubclass(kind, set | frozenset):
            self.write_tagged("set", kind)
            self._write_set(cast(type[Any], kind), value)
            self._write_state(value, getattr(value, "__dict__", {}))
        else:
            self._write_reduced(kind, value)

    def _write_builtin(self, value: types.BuiltinFunctionType) -> None:
        if not isinstance(value.__self__, types.ModuleType | types.NoneType):
            raise NotCanonical("builtin_function_or_method")
        self.write_tagged("builtin", value.__module__ or "builtins", value.__qualname__)

    def _write_reduced(self, kind: type[Any], value: Any) -> None:
        if hasattr(kind, "__next__") or hasattr(kind, "__await__"):
            raise NotCanonical(kind.__name__)
        try:
            reduce = copyreg.dispatch_table.get(kind)
            reduced: Any = reduce(value) if reduce else value.__reduce_ex__(_PICKLE_PROTOCOL)
        except Exception as error:  # whatever the class raises, it is not to be kept
            raise NotCanonical(kind.__name__) from error
        if isinstance(reduced, str):
            self.write_tagged("global", class_name(kind), reduced)
            return
        make, arguments, state, items, entries = (*reduced, None, None, None)[:5]
        is_function = isinstance(make, types.FunctionType)
        self.write_tagged("object", f"{make.__module__}.{make.__qualname__}" if is_function else make, arguments)
        self._write_state(value, state)
        self.write(None if items is None else list(items))
        if entries is not None:
            pairs = list(entries)
            self.write(pairs if isinstance(value, OrderedDict) else dict(pairs))

    def _write_state(self, owner: object, state: Any) -> None:
        attributes = _attributes(state)
        if attributes is None:
            self.write_part(state, ".__getstate__()")
            return
        without = self._without.get(id(owner), frozenset())
        kind = type(owner)
        self.write_attributes(
            "state",
            {
                name: value
                for name, value in attributes.items()
                # What is derived from the rest is there or not, depending on who has asked for it.
                if name not in without and not isinstance(getattr(kind, name, None), cached_property)
            },
        )


def class_name(kind: type) -> str:
    """Return the full name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _attributes(state: Any) -> dict[str, Any] | None:
    """Return the attributes that a state consists of; None when it is a state of another kind."""
    # Objects with slots give two: what is in `__dict__`, and what is in the slots.
    parts = cast("tuple[Any, ...]", state) if isinstance(state, tuple) else ()
    attributes: dict[str, Any] = {}
    for part in parts if len(parts) == 2 else cast("tuple[Any, ...]", (state,)):
        if part is None:
            continue
        if not isinstance(part, dict) or not all(isinstance(name, str) for name in cast(Any, part)):
            return None
        attributes |= cast("dict[str, Any]", part)
    return attributes


def _first(pair: tuple[bytes, Any]) -> bytes:
    return pair[0]


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(data), data)


_PLAIN: Mapping[type, Callable[[Any], bytes]] = {
    types.NoneType: lambda value: b"N",
    bool: lambda value: b"T" if value else b"F",
    int: lambda value: b"i%d;" % value,
    float: lambda value: b"r%b;" % repr(value).encode(),
    complex: lambda value: b"c%b;" % repr(value).encode(),
    str: _text,
    bytes: lambda value: b"b%d:%b" % (len(value), value),
    types.EllipsisType: lambda value: b"E",
    types.NotImplementedType: lambda value: b"I",
}
