"""The files in which a project says how its scenarios are run: `pyproject.toml` and `.env`."""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import TypeAlias

from scenario.errors import ConfigurationError
from scenario.settings.dotenv import DotenvError, Variable, parse_dotenv
from scenario.settings.process_environment import environment_without_file
from scenario.settings.text_files import bytes_of, place_in, text_of
from scenario.settings.tool_table import ToolTable, tool_table_in

_PYPROJECT = "pyproject.toml"
_DOTENV = ".env"
_REPOSITORY = ".git"

_Stamp: TypeAlias = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFiles:
    """What the files of a project say.

    Attributes:
        root: Folder of the project: the nearest, from the working directory upwards, with a `pyproject.toml` or a
            `.git`, else the working directory.
        table: The table `[tool.scenario]` of the nearest `pyproject.toml` that has one, within the repository.
        variables: What the `.env` in `root` holds.
    """

    root: Path
    table: ToolTable = field(default_factory=ToolTable)
    variables: Mapping[str, Variable] = field(default_factory=dict[str, Variable])

    def place_of_variable(self, name: str) -> str:
        """Return where `.env` gives a variable: file and line."""
        return place_in(self.root / _DOTENV, self.variables[name].line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    root: str
    pyprojects: Sequence[str]
    folders: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """Files as they were read, and how to tell whether they still are what they were."""

    start: str
    stamps: Mapping[str, _Stamp]
    files: ProjectFiles

    def is_current(self, start: str) -> bool:
        return start == self.start and all(_stamp(path) == stamp for path, stamp in self.stamps.items())


_last_reading: _Reading | None = None
_one_at_a_time = threading.Lock()


def project_files() -> ProjectFiles:
    """Return what the files of the project in the working directory say.

    They are read anew only after they, or the folders they are looked for in, have changed.

    Raises:
        ConfigurationError: If a file cannot be read or is broken, or a setting does not exist or has a value it cannot
            have. It names file and line.
    """
    global _last_reading
    try:
        start = os.getcwd()
    except FileNotFoundError:
        return ProjectFiles(root=Path())  # the working directory was removed
    reading = _last_reading
    if reading is not None and reading.is_current(start):
        return reading.files
    with _one_at_a_time:
        _last_reading = reading = _read_from(start)
    return reading.files


def project_root() -> Path:
    """Return the folder of the project in the working directory."""
    return project_files().root


def _read_from(start: str) -> _Reading:
    found = _search(start)
    dotenv = Path(found.root, _DOTENV)
    # The stamps are taken first: a file that changes while it is read is read once more.
    stamps = {path: _stamp(path) for path in (*found.folders, *found.pyprojects, str(dotenv))}
    tables = (tool_table_in(Path(pyproject)) for pyproject in found.pyprojects)
    return _Reading(
        start=start,
        stamps=stamps,
        files=ProjectFiles(
            root=Path(found.root),
            table=next((table for table in tables if table), ToolTable()),
            variables=_variables_in(dotenv),
        ),
    )


def _search(start: str) -> _Found:
    root = None
    pyprojects: list[str] = []
    folders: list[str] = []
    folder = start
    while True:
        folders.append(folder)
        pyproject = os.path.join(folder, _PYPROJECT)
        is_project = _is_file(pyproject)
        is_repository = os.path.exists(os.path.join(folder, _REPOSITORY))
        if is_project:
            pyprojects.append(pyproject)
        if root is None and (is_project or is_repository):
            root = folder
        parent = os.path.dirname(folder)
        if is_repository or parent == folder:
            return _Found(root=root or start, pyprojects=pyprojects, folders=folders)
        folder = parent


def _variables_in(file: Path) -> Mapping[str, Variable]:
    if not _is_file(str(file)):
        return {}  # some projects have a folder of that name
    text = text_of(bytes_of(file), file)
    try:
        return parse_dotenv(text, environment_without_file())
    except DotenvError as error:
        raise ConfigurationError(
            f"{place_in(file, error.line)}: this is no line of a .env file: {error.what}",
            'write NAME=value, and quote a value that needs it: NAME="a value"',
        ) from error


def _is_file(path: str) -> bool:
    try:
        return S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _stamp(path: str) -> _Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
