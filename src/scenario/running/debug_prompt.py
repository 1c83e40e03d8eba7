"""Asks the person at the terminal what the user says."""

import sys
import threading

from scenario.engine.worker_thread import in_worker_thread
from scenario.errors import ConfigurationError

_one_at_a_time = threading.Lock()


async def ask_at_the_terminal() -> str:
    """Read one line from the terminal; an empty one leaves the turn to the simulator.

    Raises:
        ConfigurationError: If there is no terminal to read from.
    """
    try:
        return await in_worker_thread(_ask, name="scenario-debug-prompt")
    except (EOFError, OSError) as error:
        raise ConfigurationError(
            f"debug mode asks what the user says, and nothing can be read from standard input ({error or 'it ended'})",
            "run it at a terminal (with pytest, add -s), or leave `debug` off",
        ) from error


def _ask() -> str:
    with _one_at_a_time:
        sys.stdout.write("[Debug Mode] Type what the user says, or press Enter to let the simulator speak.\nUser: ")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")
