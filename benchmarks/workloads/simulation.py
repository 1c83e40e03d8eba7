"""Runs simulated conversations one after the other."""

import asyncio
import json
import statistics
import sys
import time
from typing import Any

import scenario


class Parrot(scenario.AgentAdapter):
    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return "so it is"


async def timed_run(url: str, turns: int) -> float:
    model: dict[str, Any] = {"model": "openai/benchmark", "api_base": url, "api_key": "none"}
    began = time.perf_counter()
    result = await scenario.run(
        name="simulation",
        description="somebody talks to somebody who agrees",
        agents=[
            scenario.UserSimulatorAgent(**model),
            Parrot(),
            scenario.JudgeAgent(criteria=["the agent agrees"], **model),
        ],
        max_turns=turns,
        verbose=False,
    )
    seconds = time.perf_counter() - began
    assert result.success, result.reasoning
    return seconds


async def measure(url: str, turns: int, runs: int, latency: float) -> dict[str, float]:
    # The touch of the names belongs to the import, which is measured elsewhere.
    first = await timed_run(url, turns)
    for _ in range(3):
        await timed_run(url, turns)
    cpu_began = time.process_time()
    steady = [await timed_run(url, turns) for _ in range(runs)]
    cpu = time.process_time() - cpu_began
    # Each turn asks the simulator and the judge.
    model_calls = turns * 2
    return {
        "first_s": first,
        "steady_ms": statistics.median(steady) * 1e3,
        "overhead_ms": (statistics.median(steady) - model_calls * latency) * 1e3,
        "cpu_ms": cpu / (runs * model_calls) * 1e3,
    }


def main() -> None:
    print(json.dumps(asyncio.run(measure(**json.loads(sys.argv[1])))))


main()
