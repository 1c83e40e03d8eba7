"""Measures the cases and says whether the budgets are kept."""

import argparse
import fnmatch
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.comparison import Reference, measure
from benchmarks.figures import Case, Measured
from benchmarks.kept import keep, read_kept
from benchmarks.machine import machine
from benchmarks.processes import WorkloadError, model_server
from benchmarks.report import PAGE, line, write_page

_RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 if a budget is exceeded or a case could not be measured."""
    options = _parser().parse_args(arguments)
    if options.list:
        print(
            "\n".join(f"{case.name:<16} {case.title}{' (asked for only)' if case.is_extra else ''}" for case in CASES)
        )
        return 0
    cases = _chosen(options.cases, everything=options.all)
    if not cases:
        print(f"no case is called {' or '.join(options.cases)}; --list shows them", file=sys.stderr)
        return 2
    began, where = time.perf_counter(), machine()
    failures: list[str] = []
    measured: list[Measured] = []
    with ExitStack() as stack:
        reference = None
        if options.reference:
            reference = Reference(python=options.reference, collector=stack.enter_context(model_server(0.0)))
        for case in cases:
            try:
                figures = measure(case, sys.executable, repeats=options.repeat or case.repeats, reference=reference)
            except WorkloadError as error:
                failures.append(f"{case.name}: {error}")
                print(f"{case.name}: could not be measured: {error}", file=sys.stderr)
                continue
            for figure in figures:
                print(line(figure), flush=True)
            measured += figures
    missed = [each for each in measured if each.is_met is False]
    counts = f"{len(measured)} figures, {len(missed)} over budget, {len(failures)} cases failed"
    print(f"\n{counts}, {time.perf_counter() - began:.0f} s")
    if options.add_to:
        measured = read_kept(options.add_to, without=cases) + measured
        # As they are listed, wherever they come from.
        measured.sort(key=lambda each: CASES.index(each.case))
    kept = keep(measured, where, options.output or _RESULTS / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}.json")
    print(f"kept in {kept}")
    if options.write_docs:
        write_page(options.write_docs, measured, where, datetime.now(UTC).date().isoformat())
        print(f"written to {options.write_docs}")
    return 1 if missed or failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure time and memory against the budgets."
    )
    parser.add_argument(
        "cases", nargs="*", help="cases to measure, as names or patterns (run-*); by default the usual ones"
    )
    parser.add_argument(
        "--all", action="store_true", help="measure also what is left out otherwise: installation, bigger crowds"
    )
    parser.add_argument("--list", action="store_true", help="list the cases")
    parser.add_argument("--repeat", type=int, metavar="N", help="processes a case; the median counts")
    parser.add_argument(
        "--reference", metavar="PYTHON", help="interpreter that has the reference; measured in turns with ours"
    )
    parser.add_argument(
        "--add-to", type=Path, metavar="FILE", help="keep and write also the figures of other cases in this JSON"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the figures go as JSON")
    parser.add_argument(
        "--write-docs", nargs="?", type=Path, const=PAGE, metavar="PAGE", help="put the figures into docs/benchmarks.md"
    )
    return parser


def _chosen(patterns: Sequence[str], *, everything: bool) -> list[Case]:
    if not patterns:
        return [case for case in CASES if everything or not case.is_extra]
    return [case for case in CASES if any(fnmatch.fnmatch(case.name, pattern) for pattern in patterns)]


if __name__ == "__main__":
    sys.exit(main())
