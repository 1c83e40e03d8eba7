"""The examples pass, offline, for somebody who runs them as their page says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_EXAMPLES = Path(__file__).parents[2] / "examples"
_FOLDERS = sorted(folder.name for folder in _EXAMPLES.iterdir() if folder.is_dir() and not folder.name.startswith("_"))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("folder", _FOLDERS)
def test_an_example_passes_on_its_own_without_keys_network_or_settings(folder: str, tmp_path: Path) -> None:
    shutil.copytree(_EXAMPLES / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    finished = subprocess.run(
        # Neither this repository's settings nor other plugins than ours.
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", folder],
        cwd=tmp_path,
        env={**environment, "SCENARIO_ALLOW_MODEL_REQUESTS": "0", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert re.search(r"^\d+ passed", finished.stdout, re.MULTILINE), finished.stdout + finished.stderr
    assert finished.returncode == 0


@pytest.mark.timeout(60)
def test_all_examples_pass_together() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "examples"],
        cwd=_EXAMPLES.parent,
        env={**os.environ, "SCENARIO_ALLOW_MODEL_REQUESTS": "0"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_every_example_has_a_line_in_the_list() -> None:
    listed = re.findall(r"^\| \[`(\w+)`\]\(\1\) \| .+ \|$", (_EXAMPLES / "README.md").read_text("utf-8"), re.MULTILINE)

    assert sorted(listed) == _FOLDERS
