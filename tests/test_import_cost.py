"""What an import costs: the modules it loads, asked in a fresh interpreter."""

import json
import subprocess
import sys

import pytest

_REPORT = """
import json, sys
before = set(sys.modules)
{code}
print(json.dumps(sorted(set(sys.modules) - before)))
"""

_SLOW_TO_LOAD = {"asyncio", "aiohttp", "pydantic", "ssl", "concurrent", "multiprocessing", "sqlite3", "http", "email"}


def _loaded_by(code: str) -> set[str]:
    """Return the top-level names of the modules that running `code` loads."""
    finished = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", _REPORT.format(code=code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return {name.partition(".")[0] for name in json.loads(finished.stdout)}


def test_importing_the_package_loads_no_third_party_package() -> None:
    culprits = _loaded_by("import scenario") - sys.stdlib_module_names - {"scenario"}

    assert not culprits


def test_importing_the_package_loads_nothing_that_is_slow_to_load() -> None:
    assert not _loaded_by("import scenario") & _SLOW_TO_LOAD


def test_looking_at_the_package_loads_nothing_more() -> None:
    assert not _loaded_by("import scenario; dir(scenario); scenario.__version__; scenario.__all__") & _SLOW_TO_LOAD


@pytest.mark.parametrize("name", ["run", "UserSimulatorAgent", "JudgeAgent", "AgentAdapter", "configure"])
def test_touching_a_name_loads_pydantic_and_none_of_the_edges_packages(name: str) -> None:
    loaded = _loaded_by(f"import scenario; scenario.{name}")

    assert "pydantic" in loaded
    assert not loaded & {"aiohttp", "click", "rich", "openai", "httpx", "litellm", "opentelemetry", "sqlite3", "pytest"}
