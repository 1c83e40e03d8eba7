"""Fresh processes: workloads, and the model server they talk to."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_LIMIT = 300.0


class WorkloadError(Exception):
    """A workload did not come to its end."""


@contextmanager
def model_server(latency: float) -> Generator[str]:
    """Serve a model, in a process of its own, inside the block, and give its URL."""
    server = subprocess.Popen(
        [sys.executable, "-m", "scenario.testing.local_model_server", "--fast", "--latency", str(latency)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        # It ends with its standard input.
        server.communicate(timeout=10)


def measure_once(python: str, workload: str, arguments: Mapping[str, Any]) -> dict[str, float]:
    """Do a workload in a fresh process of the interpreter `python`, and return what it measured.

    Raises:
        WorkloadError: If it failed or took too long.
    """
    script = _ROOT / "benchmarks" / "workloads" / f"{workload}.py"
    try:
        finished = subprocess.run(
            [python, str(script), json.dumps(dict(arguments))],
            capture_output=True,
            text=True,
            timeout=_LIMIT,
            env=_environment(),
            cwd=_ROOT / "benchmarks" / "results",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WorkloadError(f"{workload} was not done after {_LIMIT:g} s") from error
    if finished.returncode:
        raise WorkloadError(f"{workload} failed:\n{finished.stderr[-2000:]}")
    return json.loads(finished.stdout.splitlines()[-1])


def _environment() -> dict[str, str]:
    """Return the environment without settings and keys, which would change what is measured."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SCENARIO_", "LANGWATCH_", "PYTHON")) and not name.endswith("_API_KEY")
    }
