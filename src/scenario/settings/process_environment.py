"""The environment of this process, and what of it comes from a `.env` file."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from scenario.settings.dotenv import Variable

_lock = threading.Lock()
_put_in: dict[str, str] = {}
_last: tuple[Path, Mapping[str, Variable]] | None = None


def put_into_environment(variables: Mapping[str, Variable], root: Path) -> None:
    """Set variables of a project's `.env` file that the environment has not got.

    Once is enough: what is taken out of the environment afterwards stays out until the file changes. What another
    project, or the file before it changed, has put in is taken out, unless somebody changed it since.
    """
    global _last
    with _lock:
        if _last == (root, variables):
            return
        _last = root, variables
        for name, value in list(_put_in.items()):
            if name not in variables or variables[name].value != value:
                del _put_in[name]
                if os.environ.get(name) == value:
                    del os.environ[name]
        for name, variable in variables.items():
            if name not in os.environ:
                os.environ[name] = _put_in[name] = variable.value


def is_put_in(name: str) -> bool:
    """Tell whether a variable of the environment has the value that a `.env` file gave it."""
    return name in _put_in and os.environ.get(name) == _put_in[name]


def environment_without_file() -> dict[str, str]:
    """Return the environment as it would be without a `.env` file."""
    return {name: value for name, value in os.environ.items() if _put_in.get(name) != value}
