"""What commands print on standard output, for people or for programs."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from scenario.events.screen_lines import Line
from scenario.events.screen_text import text_of


def print_lines(lines: Sequence[Line]) -> None:
    """Print lines for people: in colour on a terminal.

    Raises:
        OSError: If nobody reads them any more.
    """
    sys.stdout.write(text_of(lines, sys.stdout))
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """Print a value for programs."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")
    sys.stdout.flush()
