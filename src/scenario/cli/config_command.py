"""The command `scenario config`."""

from collections.abc import Mapping
from typing import Any, cast

import click

from scenario.cli.printed import print_json, print_lines
from scenario.events.screen_lines import Piece, line
from scenario.events.table import aligned


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON, and nothing else.")
def config(as_json: bool) -> int:
    """Show each setting as runs find it, and where its value comes from.

    Arguments of a run come before all of these. Keys and other secrets are not shown.
    """
    from scenario.settings import settings_with_origin

    settings = settings_with_origin()
    if as_json:
        print_json(
            [
                {"setting": each.name, "value": _plain(each.value), "layer": each.layer, "where": each.where}
                for each in settings
            ]
        )
        return 0
    head, *rows = aligned(
        [
            ("setting", "value", "from", "where"),
            *((each.name, _shown(each.value), each.layer, each.where) for each in settings),
        ]
    )
    lines = [line(Piece(head, "quiet"))]
    for each, row in zip(settings, rows, strict=True):
        lines.append(line(Piece(row, "quiet" if each.layer == "default" else "")))
    print_lines(lines)
    return 0


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; an object of the caller's own as its text."""
    dump = getattr(value, "model_dump", None)
    return dump(exclude_none=True) if dump else value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    plain = _plain(value)
    if not isinstance(plain, Mapping):
        return str(plain)
    return ", ".join(f"{name}={each}" for name, each in cast("Mapping[str, Any]", plain).items())
