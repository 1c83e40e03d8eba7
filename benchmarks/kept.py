"""Figures as a JSON file."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES
from benchmarks.figures import Case, Measured


def keep(measured: Sequence[Measured], where: Mapping[str, str], file: Path) -> Path:
    """Write figures and the machine into a file, and return the file."""
    now = datetime.now(UTC)
    kept = {"measured_at": now.isoformat(), "machine": dict(where), "figures": [each.as_json() for each in measured]}
    file.write_text(json.dumps(kept, indent=2), "utf-8")
    return file


def read_kept(file: Path, *, without: Sequence[Case]) -> list[Measured]:
    """Return the figures of a file, but for some cases and those that are no longer measured."""
    kept: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))["figures"]
    figures = {
        (case.name, figure.key): (case, figure) for case in CASES if case not in without for figure in case.figures
    }
    return [
        Measured(
            case=figures[name][0],
            figure=figures[name][1],
            samples=each["samples"],
            reference=each["reference"],
            reference_outcome=each["reference_outcome"],
        )
        for each in kept
        if (name := (each["case"], each["figure"])) in figures
    ]
