"""What commands print on standard output, for people or for programs."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from scenario.errors import ScenarioError
from scenario.events.screen_lines import Line
from scenario.events.screen_text import text_of


class OutputLostError(ScenarioError):
    """Standard output takes nothing more: its reader has gone, or its disk is full."""


def print_lines(lines: Sequence[Line]) -> None:
    """Print lines for people: in colour on a terminal.

    Raises:
        OutputLostError: If they could not be written.
    """
    _print(text_of(lines, sys.stdout))


def print_json(value: Any) -> None:
    """Print a value for programs.

    Raises:
        OutputLostError: If it could not be written.
    """
    _print(json.dumps(value, indent=2, default=str) + "\n")


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        raise OutputLostError(f"standard output cannot be written to ({error.strerror or error})") from error
