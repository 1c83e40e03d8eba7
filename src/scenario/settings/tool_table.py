"""The table `[tool.scenario]` of a `pyproject.toml`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from scenario.config import ModelConfig, ScenarioConfig
from scenario.errors import ConfigurationError
from scenario.settings.text_files import bytes_of, place_in, text_of

# Most files say nothing about scenarios, and parsing one takes longer than a run.
_MAY_HOLD_THE_TABLE = re.compile(rb"(?<![\w-])scenario(?![\w-])")
_ANY_HEADER = re.compile(r"^\s*\[")
_HEADER = re.compile(r"^\s*\[\s*tool\s*\.\s*[\"']?scenario[\"']?\s*(?:\.\s*(?P<below>\w+)[^\]]*)?\]")
_KEY = re.compile(r"^\s*(?P<quote>[\"']?)(?P<key>[\w-]+)(?P=quote)\s*[=.]")
_LINE_IN_MESSAGE = re.compile(r"line (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolTable:
    """The settings in a table.

    Attributes:
        settings: The settings, each with a value it can have.
        file: Where they were read; None if there is no table.
        lines: The line of each setting, as far as they are written one to a line.
    """

    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    file: Path | None = None
    lines: Mapping[str, int] = field(default_factory=dict[str, int])

    def place_of(self, setting: str) -> str:
        """Return where a setting is given: the file, and the line if it is known."""
        return place_in(self.file, self.lines.get(setting))


def tool_table_in(file: Path) -> ToolTable | None:
    """Return the table of a `pyproject.toml`, or None if it has none.

    Raises:
        ConfigurationError: If the file cannot be read or is broken, or a setting does not exist or has a value it
            cannot have. It names file and line.
    """
    raw = bytes_of(file)
    if not _MAY_HOLD_THE_TABLE.search(raw):
        return None
    text = text_of(raw, file)
    tool = _parsed(text, file).get("tool")
    given = cast("dict[str, Any]", tool).get("scenario") if isinstance(tool, dict) else None
    if given is None:
        return None
    if not isinstance(given, dict):
        raise ConfigurationError(f"{file}: tool.scenario is no table", "write [tool.scenario], and the settings below")
    table = ToolTable(settings=cast("dict[str, Any]", given), file=file, lines=_lines_of_settings(text))
    return ToolTable(
        settings={name: _checked(name, value, table.place_of(name)) for name, value in table.settings.items()},
        file=file,
        lines=table.lines,
    )


def _parsed(text: str, file: Path) -> dict[str, Any]:
    # Loaded here: it takes longer than a run, and few projects have settings.
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _LINE_IN_MESSAGE.search(str(error))
        line = int(found[1]) if found else None
        raise ConfigurationError(f"{place_in(file, line)}: this is no TOML: {error}", "correct the file") from error


def _checked(name: str, value: Any, place: str) -> Any:
    try:
        if name == "default_model" and isinstance(value, dict):
            value = ModelConfig(**cast("dict[str, Any]", value))
        return ScenarioConfig(**{name: value}).given()[name]
    except ConfigurationError as error:
        # One of an unknown setting stays one.
        raise type(error)(f"{place}: {error.what}", error.fix) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{place}: default_model.{key}: {first['msg'].lower()}", "correct it") from error


def _lines_of_settings(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if _ANY_HEADER.match(line):
            header = _HEADER.match(line)
            inside = header is not None and not header["below"]
            if header is not None and header["below"]:
                lines.setdefault(header["below"], number)
        elif inside and (found := _KEY.match(line)):
            lines.setdefault(found["key"], number)
    return lines
