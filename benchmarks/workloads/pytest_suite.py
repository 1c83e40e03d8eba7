"""Runs a suite of trivial scenarios under pytest."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_SUITE = """
import asyncio

import pytest
import scenario


class Parrot(scenario.AgentAdapter):
    async def call(self, input):
        return "so it is"


@pytest.mark.parametrize("number", range({tests}))
def test_it_agrees(number):
    result = asyncio.run(
        scenario.run(
            name=f"trivial {{number}}",
            description="a conversation that is written down",
            agents=[scenario.UserSimulatorAgent(model="openai/never-called"), Parrot()],
            script=[scenario.user("is it so?"), scenario.agent(), scenario.succeed()],
        )
    )
    assert result.success
"""


def main() -> None:
    tests = json.loads(sys.argv[1])["tests"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n", "utf-8")
        Path(folder, "test_suite.py").write_text(_SUITE.format(tests=tests), "utf-8")
        began = time.perf_counter()
        finished = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "test_suite.py"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
    assert f"{tests} passed" in finished.stdout, finished.stdout
    print(json.dumps({"seconds": seconds}))


main()
