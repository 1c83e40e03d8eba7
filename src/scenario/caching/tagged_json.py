"""Values as JSON text and back, with a tag on what JSON has no form for.

Reading makes nothing but plain values, and instances of pydantic models, dataclasses and enums that the program itself
has loaded and that still have the fields they had. No constructor or validator runs, and nothing is imported that the
program does not use anyway.
"""

import base64
import dataclasses
import datetime
import importlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from types import MemberDescriptorType, NoneType
from typing import Any, cast
from uuid import UUID
from weakref import WeakKeyDictionary

from pydantic import BaseModel

from scenario.caching.class_schema import class_schema

_TAG = "$"
_MODEL_STATE = ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__")
_BUILTINS = (str, bytes, bytearray, int, float, complex, list, tuple, dict, set, frozenset, BaseException)


_slots: "WeakKeyDictionary[type, frozenset[str]]" = WeakKeyDictionary()


class NotKept(Exception):
    """A value cannot be written.

    Attributes:
        kind: Name of the type that has no form.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class NotReadable(Exception):
    """A text is not that of a value, or of one that this program cannot make any more."""


def encoded(value: Any) -> bytes:
    """Return the text of a value.

    Raises:
        NotKept: If the value, or something in it, has no form.
    """
    try:
        text = json.dumps(_to_json(value), ensure_ascii=False, separators=(",", ":"))
    except NotKept:
        raise
    except RecursionError:
        raise NotKept(f"{type(value).__name__}, nested too deeply") from None
    except Exception as error:  # whatever its class raises when it is looked at
        raise NotKept(f"{type(value).__name__} ({error!r})") from error
    return text.encode("utf-8", "surrogatepass")


def decoded(text: bytes) -> Any:
    """Return the value of a text.

    Raises:
        NotReadable: If it cannot be made.
    """
    try:
        return _from_json(json.loads(text.decode("utf-8", "surrogatepass")))
    except NotReadable:
        raise
    except Exception as error:  # whatever a damaged or foreign text leads to
        raise NotReadable(str(error)) from error


def _to_json(value: Any) -> Any:
    kind = cast(type[Any], type(value))
    if value is None or kind in _JSON:
        return value
    if kind is list:
        return [_to_json(item) for item in value]
    if kind is dict:
        return _dict_to_json(value)
    if kind in _COLLECTIONS:
        return {_TAG: kind.__name__, "of": [_to_json(item) for item in value]}
    if kind in _TEXTS:
        return {_TAG: kind.__name__, "of": _TEXTS[kind].write(value)}
    return _instance_to_json(kind, value)


def _dict_to_json(value: dict[Any, Any]) -> Any:
    if _TAG not in value and all(type(key) is str for key in value):
        return {key: _to_json(item) for key, item in value.items()}
    return {_TAG: "dict", "of": [[_to_json(key), _to_json(item)] for key, item in value.items()]}


def _instance_to_json(kind: type[Any], value: Any) -> Any:
    if isinstance(value, Enum):
        if value.name not in kind.__members__:
            raise NotKept(f"{kind.__qualname__}, of which it is no member")
        return {_TAG: "enum", **_named(kind), "of": value.name}
    if isinstance(value, BaseModel):
        state = [_to_json(getattr(value, name)) for name in _MODEL_STATE]
        return {_TAG: "model", **_named(kind), "fields": class_schema(kind), "of": state}
    if dataclasses.is_dataclass(kind) and not issubclass(kind, _BUILTINS):
        attributes = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        attributes |= getattr(value, "__dict__", {})
        return {_TAG: "dataclass", **_named(kind), "fields": class_schema(kind), "of": _to_json(attributes)}
    raise NotKept(kind.__qualname__)


def _named(kind: type) -> dict[str, str]:
    if _loaded_class(kind.__module__, kind.__qualname__) is not kind:
        raise NotKept(f"{kind.__qualname__}, which cannot be found in its module again")
    return {"module": kind.__module__, "class": kind.__qualname__}


def _from_json(text: Any) -> Any:
    if isinstance(text, list):
        return [_from_json(item) for item in cast(list[Any], text)]
    if not isinstance(text, dict):
        return text
    entries = cast(dict[str, Any], text)
    tag = entries.get(_TAG)
    if tag is None:
        return {key: _from_json(item) for key, item in entries.items()}
    of = entries["of"]
    if tag == "dict":
        return {_from_json(key): _from_json(item) for key, item in of}
    if tag in _COLLECTIONS_BY_NAME:
        return _COLLECTIONS_BY_NAME[tag](_from_json(item) for item in of)
    if tag in _TEXTS_BY_NAME:
        return _TEXTS_BY_NAME[tag].read(of)
    return _instance_from_json(tag, entries, of)


def _instance_from_json(tag: str, entries: Mapping[str, Any], of: Any) -> Any:
    name = f"{entries['module']}.{entries['class']}"
    kind: Any = _loaded_class(entries["module"], entries["class"])
    if kind is None:
        raise NotReadable(f"{name} is not there any more")
    if tag == "enum" and issubclass(kind, Enum):
        return kind[of]
    if class_schema(kind) != entries["fields"]:
        raise NotReadable(f"{name} has other fields now")
    if tag == "model" and issubclass(kind, BaseModel):
        model: Any = kind.__new__(kind)
        for attribute, state in zip(_MODEL_STATE, of, strict=True):
            object.__setattr__(model, attribute, _from_json(state))
        return model
    if tag == "dataclass" and not issubclass(kind, _BUILTINS) and dataclasses.is_dataclass(kind):
        return _dataclass_instance(kind, _from_json(of))
    raise NotReadable(f"{name} is not a {tag}")


def _dataclass_instance(kind: Any, attributes: Mapping[str, Any]) -> Any:
    instance: Any = object.__new__(kind)
    slots = _slots.get(kind)
    if slots is None:
        slots = _slots[kind] = _slots_of(kind)
    for name, value in attributes.items():
        if name in slots:
            object.__setattr__(instance, name, value)
        else:
            # Past properties and other descriptors, whose code is not to be run.
            instance.__dict__[name] = value
    return instance


def _slots_of(kind: type) -> frozenset[str]:
    members = [item for base in kind.__mro__ for item in vars(base).items()]
    return frozenset(name for name, member in members if isinstance(member, MemberDescriptorType))


def _loaded_class(module: str, qualname: str) -> type | None:
    """Return a class of a module that is loaded, or that belongs to a package that is loaded; None for any other."""
    if module not in sys.modules:
        package, _, inner = module.partition(".")
        if not inner or package not in sys.modules:
            return None
        importlib.import_module(module)
    found: Any = sys.modules[module]
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return found if isinstance(found, type) else None


@dataclass(frozen=True, slots=True)
class _Text:
    """How values of a type are written as text, and read."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _moment(value: datetime.datetime | datetime.time) -> str:
    # Neither the name of a time zone nor which of two equal hours is meant is in the text.
    if value.fold or not isinstance(value.tzinfo, datetime.timezone | NoneType):
        raise NotKept(f"{type(value).__name__} of a named time zone")
    return value.isoformat()


def _timedelta(text: str) -> datetime.timedelta:
    days, seconds, microseconds = map(int, text.split())
    return datetime.timedelta(days, seconds, microseconds)


_JSON = frozenset({bool, int, float, str})
_COLLECTIONS = frozenset({tuple, set, frozenset})
_COLLECTIONS_BY_NAME: Mapping[str, Callable[[Any], Any]] = {kind.__name__: kind for kind in _COLLECTIONS}
_TEXTS: Mapping[type, _Text] = {
    bytes: _Text(_base64, lambda text: base64.b64decode(text, validate=True)),
    complex: _Text(repr, complex),
    Decimal: _Text(str, Decimal),
    UUID: _Text(str, UUID),
    datetime.datetime: _Text(_moment, datetime.datetime.fromisoformat),
    datetime.date: _Text(datetime.date.isoformat, datetime.date.fromisoformat),
    datetime.time: _Text(_moment, datetime.time.fromisoformat),
    datetime.timedelta: _Text(
        lambda value: f"{value.days} {value.seconds} {value.microseconds}",
        _timedelta,
    ),
    **{kind: _Text(str, kind) for kind in (PosixPath, WindowsPath, PurePosixPath, PureWindowsPath)},
}
_TEXTS_BY_NAME: Mapping[str, _Text] = {kind.__name__: text for kind, text in _TEXTS.items()}
