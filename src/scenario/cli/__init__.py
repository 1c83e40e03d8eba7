"""The command line: `scenario`, or `python -m scenario`.

Exit codes: 0 when everything came out as expected, 1 when something didn't or could not be done, 2 when the command
was not understood or a setting is wrong, 130 when it was interrupted.
"""

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: The arguments; those of the process by default.
    """
    from scenario.cli.command_line import run_command

    return run_command(argv)
