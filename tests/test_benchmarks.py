"""The benchmarks measure what they say, and keep it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[1]


def measure(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "benchmarks", *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def figures_of(file: Path) -> dict[str, dict[str, Any]]:
    return {figure["figure"]: figure for figure in json.loads(file.read_text("utf-8"))["figures"]}


def test_each_case_is_listed_with_a_name_of_its_own() -> None:
    names = [line.split()[0] for line in measure("--list").stdout.splitlines()]

    assert {"import", "install", "scripted-1000", "simulation", "run-1000", "arun-1000", "pytest-200"} <= set(names)
    assert len(names) == len(set(names))


def test_figures_are_kept_with_their_targets_and_the_machine(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"

    measure("import", "--repeat", "1", "--output", str(file))

    figures = figures_of(file)
    assert set(figures) == {"seconds", "modules", "rss_mb"}
    assert figures["seconds"]["target"] == 0.06
    assert 0 < figures["seconds"]["value"] < 5
    assert "Python" in json.loads(file.read_text("utf-8"))["machine"]["python"]


@pytest.mark.slow
@pytest.mark.timeout(110)
@pytest.mark.parametrize("case", ["import-touched", "help", "scripted-10", "simulation", "run-100", "arun-100"])
def test_a_case_can_be_measured(case: str, tmp_path: Path) -> None:
    # Whether the budgets are kept is not asked here: other tests run on this machine at the same time.
    finished = measure(case, "--repeat", "1", "--output", str(tmp_path / "figures.json"))

    assert all(figure["value"] > 0 for figure in figures_of(tmp_path / "figures.json").values()), finished.stderr


def test_another_interpreter_is_measured_in_turns(tmp_path: Path) -> None:
    measure("import", "--repeat", "2", "--reference", sys.executable, "--output", str(tmp_path / "figures.json"))

    assert all(len(figure["reference"]) == 2 for figure in figures_of(tmp_path / "figures.json").values())


def test_an_unknown_case_is_told() -> None:
    finished = measure("no-such-case")

    assert finished.returncode == 2
    assert "no-such-case" in finished.stderr


def test_the_documentation_gets_one_table_however_often_it_is_written(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text((_ROOT / "docs" / "benchmarks.md").read_text("utf-8"), "utf-8")

    for _ in range(2):
        measure("import", "--repeat", "1", "--output", str(tmp_path / "figures.json"), "--write-docs", str(page))

    written = page.read_text("utf-8")
    assert written.count("| `import scenario` | time | 0.0") == 1
    assert "≤ 0.060 s |" in written
    assert written.count("Measured on 20") == 1
    assert written.count("## How they are measured") == 1
