"""The examples pass, offline, for somebody who runs them as their page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_EXAMPLES = Path(__file__).parents[2] / "examples"
_FOLDERS = sorted(folder.name for folder in _EXAMPLES.iterdir() if folder.is_dir() and not folder.name.startswith("_"))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("folder", _FOLDERS)
def test_an_example_passes_without_keys_or_network(folder: str) -> None:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"examples/{folder}"],
        cwd=_EXAMPLES.parent,
        env={**environment, "SCENARIO_ALLOW_MODEL_REQUESTS": "0", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert re.search(r"^\d+ passed", finished.stdout, re.MULTILINE), finished.stdout + finished.stderr
    assert finished.returncode == 0


def test_every_example_has_a_line_in_the_list() -> None:
    listed = re.findall(r"^\| \[`(\w+)`\]\(\1\) \| .+ \|$", (_EXAMPLES / "README.md").read_text("utf-8"), re.MULTILINE)

    assert sorted(listed) == _FOLDERS
