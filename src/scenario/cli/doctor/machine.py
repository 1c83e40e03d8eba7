"""Looks at the folders, the limits and the terminal of this machine."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from scenario.cli.doctor.finding import Finding, ok, warning

_FEW_FILES = 1024


def machine_findings() -> Iterator[Finding]:
    """Look at folders, limits and terminal."""
    yield _cache_folder()
    yield from _open_files()
    yield _terminal()
    yield from _encoding()


def _cache_folder() -> Finding:
    from scenario.caching import info
    from scenario.caching.place import cache_place

    place = cache_place()
    if place.is_off:
        return ok("Cache", "off: SCENARIO_CACHE_MAX_MB is 0")
    folder = existing = Path(place.directory).absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if folder.is_dir() and (problem := info().problem):
        return warning("Cache", problem, "until then nothing is kept from run to run")
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return ok("Cache", f"{folder} can be written")
    return warning(
        "Cache",
        f"{folder} cannot be written: nothing is kept from run to run",
        "make it writable, or set SCENARIO_CACHE_DIR to a folder that is",
    )


def _open_files() -> Iterator[Finding]:
    if sys.platform == "win32":
        return
    import resource

    from scenario.running.file_limit import loops_that_fit

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    shown = "no limit" if hard == resource.RLIM_INFINITY else f"{hard:,}"
    text = f"{soft:,} at first, raised to {shown} by the first run: about {loops_that_fit():,} runs at once"
    if hard != resource.RLIM_INFINITY and hard < _FEW_FILES:
        yield warning("Open files", text, "raise the hard limit (ulimit -Hn), or run fewer scenarios at once")
    else:
        yield ok("Open files", text)


def _terminal() -> Finding:
    from scenario.events.screen_text import can_be_erased, has_colours, is_in_ci, is_interactive, width_of

    if is_in_ci():
        return ok("Terminal", "CI is set: conversations are shown only when asked for (verbose=True)")
    stream = sys.stdout
    if not is_interactive(stream):
        return ok("Terminal", "standard output is no terminal: plain text, without colours")
    colours = "colours" if has_colours(stream) else "no colours (NO_COLOR or TERM=dumb)"
    moving = "shows who is speaking" if can_be_erased(stream) else "does not show who is speaking"
    return ok("Terminal", f"{width_of(stream)} x {shutil.get_terminal_size().lines} cells, {colours}, {moving}")


def _encoding() -> Iterator[Finding]:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "✓ 你好".encode(encoding)
    except (LookupError, UnicodeError):
        yield warning(
            "Encoding",
            f"standard output is {encoding}: characters it lacks are shown as escapes",
            "set PYTHONUTF8=1, or a UTF-8 locale such as LANG=C.UTF-8",
        )
