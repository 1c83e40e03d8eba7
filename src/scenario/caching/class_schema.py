"""The fields of a class, as a text that changes when they do."""

import dataclasses
import re
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

_schemas: "WeakKeyDictionary[type, str]" = WeakKeyDictionary()


def class_schema(kind: type) -> str:
    """Return names and types of the fields of a pydantic model or dataclass; nothing for any other class."""
    schema = _schemas.get(kind)
    if schema is None:
        schema = _schemas[kind] = _ADDRESS.sub("", ";".join(_fields(kind)))
    return schema


def _fields(kind: Any) -> list[str]:
    if issubclass(kind, BaseModel):
        return [f"{name}:{field.annotation!r}" for name, field in kind.model_fields.items()]
    if dataclasses.is_dataclass(kind):
        return [f"{field.name}:{field.type!r}" for field in dataclasses.fields(kind)]
    return []
