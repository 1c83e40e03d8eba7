"""Runs a simulation with a cache key again: in the same process, and in the next one."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any

_RUNS = 10


def calls(url: str) -> int:
    with urllib.request.urlopen(f"{url}/calls", timeout=10) as answer:
        return int(answer.read())


async def timed_run(url: str, turns: int, cache_key: str) -> float:
    import scenario

    class Parrot(scenario.AgentAdapter):
        async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
            return "so it is"

    model: dict[str, Any] = {"model": "openai/benchmark", "api_base": url, "api_key": "none"}
    began = time.perf_counter()
    result = await scenario.run(
        name="cached simulation",
        description="somebody talks to somebody who agrees",
        agents=[
            scenario.UserSimulatorAgent(**model),
            Parrot(),
            scenario.JudgeAgent(criteria=["the agent agrees"], **model),
        ],
        max_turns=turns,
        cache_key=cache_key,
        verbose=False,
    )
    seconds = time.perf_counter() - began
    assert result.success, result.reasoning
    return seconds


async def timed_runs(url: str, turns: int, passes: int) -> list[dict[str, float]]:
    """Run every key once a pass; what a first run loads and opens is measured elsewhere."""
    await timed_run(url, turns, f"warm-up {os.getpid()}")
    measured: list[dict[str, float]] = []
    for _ in range(passes):
        before = calls(url)
        seconds = [await timed_run(url, turns, f"key {number}") for number in range(_RUNS)]
        measured.append({"ms": statistics.median(seconds) * 1e3, "calls": (calls(url) - before) / _RUNS})
    return measured


def in_new_process(arguments: dict[str, Any], folder: str, passes: int) -> list[dict[str, float]]:
    # The home folder too: whoever knows no setting for it keeps things there.
    environment = {**os.environ, "SCENARIO_CACHE_DIR": folder, "HOME": folder, "XDG_CACHE_HOME": folder}
    told = json.dumps({**arguments, "passes": passes})
    printed = subprocess.check_output([sys.executable, __file__, told], env=environment, text=True)
    return json.loads(printed.splitlines()[-1])


def main() -> None:
    arguments = json.loads(sys.argv[1])
    if "passes" in arguments:
        print(json.dumps(asyncio.run(timed_runs(**arguments))))
        return
    with tempfile.TemporaryDirectory() as folder:
        cold, again = in_new_process(arguments, folder, passes=2)
        (warm,) = in_new_process(arguments, folder, passes=1)
    print(
        json.dumps(
            {
                "cold_calls": cold["calls"],
                "cold_ms": cold["ms"],
                "again_calls": again["calls"],
                "again_ms": again["ms"],
                "warm_calls": warm["calls"],
                "warm_ms": warm["ms"],
            }
        )
    )


main()
