"""What a function is: its name, its code, and the code and data that it leans on.

Of what is outside of the function, its closure counts, and of its own module the functions, constants and plain
collections that it names, the classes with the methods and defaults it may lean on, and the objects with the attributes
that are named; for a method also the methods and class attributes that it names. Of other modules of the program the
constants count that are named as `module.CONSTANT`. What the function keeps for itself, such as a counter, does not
count, nor does what has no canonical form.
"""

import dataclasses
from collections.abc import Collection, Set
from enum import Enum
from functools import partial
from types import FunctionType, MappingProxyType, MethodType, ModuleType, NoneType
from typing import Any, cast
from weakref import WeakKeyDictionary, ref

from pydantic import BaseModel

from scenario.caching.canonical import CanonicalWriter
from scenario.caching.code_facts import CodeFacts, facts_of
from scenario.caching.program_modules import is_of_the_program

_PLAIN = frozenset(
    {NoneType, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, MappingProxyType}
)
_FRAMEWORKS = frozenset({"abc", "builtins", "enum", "pydantic", "scenario", "typing"})
_OUR_WRAPPERS = "scenario.caching.cached_function"
_MISSING = object()
_IMPLICIT = frozenset({"__call__", "__init__", "__new__", "__post_init__", "__repr__", "__str__"})
_CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__"})
_MOST_PARTS = 100

_Snapshot = tuple["ref[Any]", bytes | None]
_bases: "WeakKeyDictionary[type, tuple[tuple[type, ...], tuple[type, ...]]]" = WeakKeyDictionary()
_defaults: "WeakKeyDictionary[type, tuple[bytes | None, tuple[FunctionType, ...]]]" = WeakKeyDictionary()
_first_sights: "WeakKeyDictionary[FunctionType, dict[str, _Snapshot]]" = WeakKeyDictionary()


def write_function(writer: CanonicalWriter, function: FunctionType) -> None:
    """Write what a function is."""
    walk = FunctionWalk(writer, function)
    walk.write()
    walk.write_met()


def write_callable(writer: CanonicalWriter, target: Any) -> None:
    """Write what a function, a method or an object that is called like a function is, with the object's state.

    Raises:
        NotCanonical: If the object has no canonical form.
    """
    if isinstance(target, FunctionType):
        write_function(writer, target)
        return
    bound = isinstance(target, MethodType)
    owner: Any = target.__self__ if bound else target
    function: Any = target.__func__ if bound else own_member(cast(Any, type(owner)), "__call__")
    if isinstance(function, FunctionType):
        write_method(writer, function, owner)
    writer.write_part(owner, "self")


def write_method(writer: CanonicalWriter, function: FunctionType, owner: object, ignored: Collection[str] = ()) -> None:
    """Write what a method is, and have what it keeps for itself left out of its object when that is written.

    Args:
        writer: Takes it.
        function: The method's function.
        owner: The object or class it is called on.
        ignored: Further attributes of the object to leave out.
    """
    writer.leave_out(owner, kept_by_method(writer, function, owner).union(ignored))


def kept_by_method(writer: CanonicalWriter, function: FunctionType, owner: object) -> frozenset[str]:
    """Write what a method is, and return the attributes that it keeps for itself."""
    walk = FunctionWalk(writer, function)
    walk.write()
    walk.write_members(owner if isinstance(owner, type) else type(owner))
    kept = frozenset(walk.kept_attributes)
    if not isinstance(owner, type):
        walk.meet_parts(owner)
    walk.write_met()
    return kept


class FunctionWalk:
    """Walks from a function to what it leans on, and writes each function once.

    Attributes:
        kept_attributes: Attributes that the functions met so far keep for themselves.
    """

    def __init__(self, writer: CanonicalWriter, function: FunctionType) -> None:
        self._writer = writer
        self._function = _unwrapped(function)
        self._home = self._function.__module__
        self._attributes: set[str] = set()
        self._classes: dict[type, None] = {}
        self._objects: dict[str, Any] = {}
        self.kept_attributes: set[str] = set()

    def write(self) -> None:
        """Write the function."""
        self._write_function(self._function)

    def write_members(self, kind: type) -> None:
        """Write the methods and data of a class that the functions met so far name."""
        written: set[str] = set()
        while names := sorted(self._attributes - written):
            written.update(names)
            for name in names:
                self._write_member(kind, name)

    def meet_parts(self, owner: object) -> None:
        """Note the classes of the function's own module that the state of an object is made of."""
        waiting: list[Any] = [owner]
        seen: set[int] = set()
        while waiting and len(seen) < _MOST_PARTS:
            value = waiting.pop()
            kind = cast("type[Any]", type(value))
            if id(value) in seen:
                continue
            if kind is list or kind is tuple:
                parts = cast("list[Any]", value)[:_MOST_PARTS]
            elif kind is dict:
                parts = list(value.values())[:_MOST_PARTS]
            elif kind.__module__ == self._home:
                if value is not owner:
                    self._classes[kind] = None
                attributes: dict[str, Any] = getattr(value, "__dict__", {})
                parts = [attributes[name] for name in sorted(attributes)]
            else:
                continue
            seen.add(id(value))
            waiting += parts

    def write_met(self) -> None:
        """Write what the functions met so far may use of the classes and objects met so far."""
        written: dict[type, set[str]] = {}
        named = -1
        while named != len(self._attributes) or len(written) != len(self._classes):
            named = len(self._attributes)
            names = self._attributes | _IMPLICIT
            for kind in list(self._classes):
                if kind not in written:
                    written[kind] = set()
                    self._write_defaults(kind)
                new = _own_names(kind, names) - written[kind]
                written[kind] |= new
                for name in sorted(new):
                    self._write_member(kind, name)
        for name in sorted(self._objects):
            self._writer.write(name)
            self._writer.write(self._object_at_first_sight(name, self._objects[name]))

    def _write_defaults(self, kind: Any) -> None:
        known = _defaults.get(kind)
        if known is None:
            fields = _defaults_of(kind)
            values = {name: default for name, (default, _) in fields.items() if _is_a_value(default)}
            makers = tuple(_unwrapped(maker) for _, maker in fields.values() if isinstance(maker, FunctionType))
            forms = {name: self._writer.form_of_small(value, alone=True) for name, value in values.items()}
            known = _defaults[kind] = (self._writer.form_of_small(forms, alone=True), makers)
        form, makers = known
        self._writer.write(form)
        for maker in makers:
            self._write_function(maker)

    def _object_at_first_sight(self, name: str, value: Any) -> bytes | None:
        """Return the form that the attributes in use of an object of the module had when it was first met."""
        sights = _first_sights.setdefault(self._function, {})
        known = sights.get(f"{name}.")
        if known is not None and known[0]() is value:
            return known[1]
        try:
            seen_object = ref(value)
        except TypeError:
            return None  # objects of this class cannot be remembered without keeping them alive
        form = b""
        attributes: dict[str, Any] = getattr(value, "__dict__", {})
        for attribute in sorted(self._attributes - self.kept_attributes):
            if _is_a_value(attributes.get(attribute, _MISSING)):
                named = (form, attribute, attributes[attribute])
                form = self._writer.form_of_small(named, alone=True) or form
        sights[f"{name}."] = (seen_object, form)
        return form

    def _write_function(self, function: FunctionType) -> None:
        facts = facts_of(function.__code__)
        # In one piece, because each value that is written takes its time.
        self._writer.write(f"function {function.__module__}\0{function.__qualname__}\0".encode() + facts.digest)
        if id(function) in self._writer.seen:
            return
        self._writer.seen.add(id(function))
        self._attributes |= facts.attributes
        if function.__name__ not in _CONSTRUCTORS:
            self.kept_attributes |= facts.kept_attributes
        if function.__defaults__ or function.__kwdefaults__:
            self._write_value((function.__defaults__, function.__kwdefaults__))
        self._write_closure(function, facts)
        if function.__module__ == self._home:
            self._write_globals(function, facts)

    def _write_closure(self, function: FunctionType, facts: CodeFacts) -> None:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if name in facts.kept_variables:
                continue
            try:
                value = cell.cell_contents
            except ValueError:
                continue  # the variable has no value yet
            self._writer.write(name)
            if isinstance(value, FunctionType):
                self._write_function(_unwrapped(value))
            elif _is_a_value(value):
                self._write_value(value)
            else:
                self._writer.write(self._first_sight(function, name, value, facts))

    def _write_globals(self, function: FunctionType, facts: CodeFacts) -> None:
        for name in facts.globals:
            value = function.__globals__.get(name, _MISSING)
            if value is _MISSING or name in facts.kept_variables:
                continue
            if isinstance(value, FunctionType):
                if value.__module__ == self._home:
                    self._write_function(_unwrapped(value))
            elif isinstance(value, type):
                if value.__module__ == self._home:
                    self._write_value(value)
                    self._classes[value] = None
            elif _is_a_value(value):
                self._writer.write(name)
                self._write_value(value)
                if type(value).__module__ == self._home:
                    self._classes[type(value)] = None
            elif isinstance(value, partial):
                self._writer.write(name)
                self._writer.write(self._first_sight(function, name, cast(Any, value), facts))
            elif type(value).__module__ == self._home:
                self._objects[name] = value
                self._classes[type(value)] = None
                self.meet_parts(value)
        for chain in facts.global_chains:
            self._write_constant(function, chain)

    def _write_constant(self, function: FunctionType, chain: tuple[str, ...]) -> None:
        """Write what `module.CONSTANT` names, if the module is one of the program."""
        value = function.__globals__.get(chain[0])
        if not isinstance(value, ModuleType):
            return
        for name in chain[1:]:
            if not isinstance(value, ModuleType):
                break
            if not is_of_the_program(value) or name in self.kept_attributes:
                return
            value = vars(value).get(name, _MISSING)
        if _is_a_value(value):
            self._writer.write(chain)
            self._write_value(value)

    def _write_member(self, kind: type, name: str) -> None:
        member = own_member(kind, name)
        if isinstance(member, property):
            member = member.fget
        elif isinstance(member, classmethod | staticmethod):
            member = cast(Any, member).__func__
        if isinstance(member, FunctionType):
            self._write_function(_unwrapped(member))
        elif name not in self.kept_attributes and _is_a_value(member):
            self._writer.write(name)
            self._write_value(member)

    def _write_value(self, value: Any) -> None:
        """Write a value, or that it has no form; it belongs to the function, not to the call."""
        self._writer.write(self._writer.form_of_small(value))

    def _first_sight(self, function: FunctionType, name: str, value: Any, facts: CodeFacts) -> bytes | None:
        """Return the form an object of a closure had when it was first met.

        An object may change with each call, as one that holds a conversation does; the same object in the next
        process begins as this one began.
        """
        sights = _first_sights.setdefault(function, {})
        known = sights.get(name)
        if known is not None and known[0]() is value:
            return known[1]
        try:
            sights[name] = (ref(value), None)  # for objects that lead back to the function
        except TypeError:
            return None  # objects of this class cannot be remembered without keeping them alive
        self._writer.leave_out(value, facts.kept_attributes)
        form = self._writer.form_of_small(value, alone=True)
        sights[name] = (ref(value), form)
        return form


def _unwrapped(function: FunctionType) -> FunctionType:
    """Return the function that one of our own wrappers stands for."""
    while function.__globals__.get("__name__") == _OUR_WRAPPERS:
        inner = getattr(function, "__wrapped__", None)
        if not isinstance(inner, FunctionType):
            break
        function = inner
    return function


def _is_a_value(value: Any) -> bool:
    return (
        type(value) in _PLAIN
        or isinstance(value, Enum | BaseModel)
        or (dataclasses.is_dataclass(value) and not isinstance(value, type))
    )


def own_member(kind: type, name: str) -> Any:
    """Return a member of a class as it is stored there, unless it comes from a framework or is missing."""
    for base in _own_bases(kind):
        if name in base.__dict__:
            return base.__dict__[name]
    return _MISSING


def _defaults_of(kind: Any) -> dict[str, tuple[Any, Any]]:
    """Return default and default factory of the fields of a pydantic model or dataclass; nothing for other classes."""
    if issubclass(kind, BaseModel):
        return {name: (field.default, field.default_factory) for name, field in kind.model_fields.items()}
    if dataclasses.is_dataclass(kind):
        return {field.name: (field.default, field.default_factory) for field in dataclasses.fields(kind)}
    return {}


def _own_names(kind: type, names: Set[str]) -> set[str]:
    return {name for base in _own_bases(kind) for name in names & base.__dict__.keys()}


def _own_bases(kind: type) -> tuple[type, ...]:
    bases = _bases.get(kind)
    if bases is None or bases[0] is not kind.__mro__:
        own = tuple(base for base in kind.__mro__ if base.__module__.partition(".")[0] not in _FRAMEWORKS)
        bases = _bases[kind] = (kind.__mro__, own)
    return bases[1]
