"""What the API refuses in the schema of a function's arguments."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard, cast

_PROPERTY_KEY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_TYPES = {"object", "array", "string", "number", "integer", "boolean", "null"}
_NEEDS_NO_TYPE = ("anyOf", "$ref", "enum", "const", "allOf", "oneOf", "not")


def schema_fault(schema: Any, *, strict: bool) -> str | None:
    """Return what is wrong with the schema of a function's arguments, or None.

    Args:
        schema: The schema; None stands for a function without arguments.
        strict: Whether the function asks for strict adherence, which allows less.
    """
    if schema is None:
        return "In context=(), schema must be given when 'strict' is true." if strict else None
    if not _is_object(schema):
        return "schema must be a JSON Schema of 'type: \"object\"', got something else."
    if schema.get("type") != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
    return next(_faults(schema, (), strict), None)


def _faults(schema: Any, context: tuple[str, ...], strict: bool) -> Iterator[str]:
    where = f"In context={context!r}"
    if not _is_object(schema):
        yield f"{where}, schema must be an object."
        return
    types = schema.get("type")
    named = cast("list[Any]", types) if isinstance(types, list) else [types]
    if types is None and strict and not any(key in schema for key in _NEEDS_NO_TYPE):
        yield f"{where}, schema must have a 'type' key."
    if types is not None and not all(name in _TYPES for name in named):
        yield f"{where}, {types!r} is not a type."
    if "array" in named and "items" not in schema:
        yield f"{where}, array schema missing items."
    if "object" in named:
        yield from _object_faults(schema, where, strict)
    for key, value in _properties(schema).items():
        yield from _faults(value, (*context, "properties", key), strict)
    if "items" in schema:
        yield from _faults(schema["items"], (*context, "items"), strict)
    for index, option in enumerate(cast("list[Any]", schema.get("anyOf") or [])):
        yield from _faults(option, (*context, "anyOf", str(index)), strict)
    for key, value in cast("dict[str, Any]", schema.get("$defs") or {}).items():
        yield from _faults(value, (*context, "$defs", key), strict)


def _object_faults(schema: Mapping[str, Any], where: str, strict: bool) -> Iterator[str]:
    properties = _properties(schema)
    required: list[Any] = schema.get("required") or []
    for key in properties:
        if not _PROPERTY_KEY.fullmatch(key):
            yield f"{where}, property keys should match pattern '^[a-zA-Z0-9_.-]{{1,64}}$', got {key!r}."
    if not strict:
        return
    for key in required:
        if key not in properties:
            yield f"{where}, 'required' must only name keys in properties. Extra required key {key!r} supplied."
    if schema.get("additionalProperties") is not False:
        yield f"{where}, 'additionalProperties' is required to be supplied and to be false."
    for key in properties:
        if key not in required:
            yield (
                f"{where}, 'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing '{key}'."
            )


def _properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    return properties if _is_object(properties) else {}


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
