"""Runs many simulated conversations at once against a slow model."""

import asyncio
import json
import resource
import sys
import time
from typing import Any

import scenario


class Parrot(scenario.AgentAdapter):
    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return "so it is"


async def conversation(number: int, api: str, url: str, turns: int) -> bool:
    model: dict[str, Any] = {"model": "openai/benchmark", "api_base": url, "api_key": "none"}
    run = scenario.run if api == "run" else scenario.arun
    result = await run(
        name=f"crowd {number}",
        description="somebody talks to somebody who agrees",
        agents=[
            scenario.UserSimulatorAgent(**model),
            Parrot(),
            scenario.JudgeAgent(criteria=["the agent agrees"], **model),
        ],
        max_turns=turns,
        verbose=False,
    )
    return result.success


def used_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(api: str, conversations: int, url: str, turns: int, latency: float) -> dict[str, float]:
    # What a first run loads and opens is measured elsewhere.
    assert await conversation(0, api, url, 1)
    cpu_began, began = used_cpu(), time.perf_counter()
    passed = await asyncio.gather(*(conversation(number, api, url, turns) for number in range(conversations)))
    seconds, cpu = time.perf_counter() - began, used_cpu() - cpu_began
    assert all(passed), f"{passed.count(False)} of {conversations} did not pass"
    ideal = turns * 2 * latency
    return {"ratio": seconds / ideal, "cpu_ms": cpu / conversations * 1e3}


def main() -> None:
    measured = asyncio.run(measure(**json.loads(sys.argv[1])))
    print(json.dumps({**measured, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}))


main()
