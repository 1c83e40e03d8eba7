"""The commands `scenario cache info` and `scenario cache clear`."""

from typing import TYPE_CHECKING

import click

from scenario.cli.printed import print_json, print_lines
from scenario.events.screen_lines import INDENT, Line, Piece, line
from scenario.events.table import aligned

if TYPE_CHECKING:
    from scenario.caching import CacheInfo

_MEGABYTE = 1_000_000
_DAY = 86_400
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, and nothing else.")


@click.group()
def cache() -> None:
    """Answers kept from run to run: see what there is, or drop it."""


@cache.command()
@_as_json
def info(as_json: bool) -> int:
    """Show where the cache is, what is in it, and its limits."""
    from scenario.caching import info as cache_info

    found = cache_info()
    if as_json:
        print_json(
            {
                "path": found.path,
                "entries": found.entries,
                "size_bytes": found.size_bytes,
                "max_bytes": found.max_bytes,
                "max_age_seconds": found.max_age,
                "functions": dict(found.functions),
                "problem": found.problem,
            }
        )
    else:
        print_lines(_info_lines(found))
    return 1 if found.problem else 0


@cache.command()
@click.option("--key", metavar="KEY", help="Drop only what was kept under this cache key.")
@_as_json
def clear(key: str | None, as_json: bool) -> int:
    """Drop what is in the cache; the next runs call functions and models again."""
    from scenario.caching import clear as clear_cache

    dropped = clear_cache(key)
    if as_json:
        print_json({"dropped": dropped})
    else:
        print_lines([line(f"{dropped:,} value{'' if dropped == 1 else 's'} dropped")])
    return 0


def _info_lines(found: "CacheInfo") -> list[Line]:
    age = "never" if found.max_age is None else f"after {found.max_age / _DAY:g} days without use"
    limit = f"{found.max_bytes / _MEGABYTE:g} MB" if found.max_bytes else "off: SCENARIO_CACHE_MAX_MB is 0"
    rows = [
        ("Cache", found.path),
        ("Values", f"{found.entries:,}"),
        ("Size", f"{found.size_bytes / _MEGABYTE:.1f} MB of {limit}"),
        ("Dropped", age),
    ]
    if found.problem:
        rows.append(("Problem", found.problem))
    lines = [line(row) for row in aligned(rows)]
    counts = [(f"{count:,}", function) for function, count in found.functions.items()]
    return lines + [line(INDENT, Piece(row)) for row in aligned(counts)] if counts else lines
