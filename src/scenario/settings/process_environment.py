"""The environment of this process, and what of it comes from a `.env` file."""

import os
import threading
from collections.abc import Mapping

from scenario.settings.dotenv import Variable

_lock = threading.Lock()
_put_in: dict[str, str] = {}
_last: Mapping[str, Variable] | None = None


def put_into_environment(variables: Mapping[str, Variable]) -> None:
    """Set variables of a `.env` file that the environment has not got. What is taken out afterwards stays out.

    What an earlier call has set and `variables` no longer holds is taken out again, unless somebody changed it since.
    """
    global _last
    with _lock:
        if variables is _last:
            return
        _last = variables
        for name in [
            name for name, value in _put_in.items() if name not in variables or variables[name].value != value
        ]:
            if os.environ.get(name) == _put_in.pop(name):
                del os.environ[name]
        for name, variable in variables.items():
            if name not in os.environ and name not in _put_in:
                os.environ[name] = _put_in[name] = variable.value


def is_put_in(name: str) -> bool:
    """Tell whether a variable of the environment has the value that a `.env` file gave it."""
    return name in _put_in and os.environ.get(name) == _put_in[name]


def environment_without_file() -> dict[str, str]:
    """Return the environment as it would be without a `.env` file."""
    return {name: value for name, value in os.environ.items() if _put_in.get(name) != value}
