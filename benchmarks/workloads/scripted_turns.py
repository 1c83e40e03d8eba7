"""Plays a script without models: what the engine itself costs."""

import asyncio
import json
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import scenario


class Parrot(scenario.AgentAdapter):
    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return "so it is"


async def timed_run(script: Sequence[Any]) -> float:
    began = time.perf_counter()
    result = await scenario.run(
        name="scripted",
        description="a conversation that is written down",
        # The reference wants somebody to stand for the user, also where every line is given.
        agents=[scenario.UserSimulatorAgent(model="openai/never-called"), Parrot()],
        script=list(script),
        verbose=False,
    )
    seconds = time.perf_counter() - began
    assert result.success, result.reasoning
    return seconds


async def measure(turns: int) -> dict[str, float]:
    await timed_run([scenario.succeed()])
    fixed = statistics.median([await timed_run([scenario.succeed()]) for _ in range(9)])
    script = [step for _ in range(turns) for step in (scenario.user("so it is"), scenario.agent())]
    whole = statistics.median(
        [await timed_run([*script, scenario.succeed()]) for _ in range(3 if turns >= 1000 else 9)]
    )
    return {"fixed_ms": fixed * 1e3, "turn_ms": max(0.0, whole - fixed) / turns * 1e3}


def main() -> None:
    arguments = json.loads(sys.argv[1])
    measured = asyncio.run(measure(arguments["turns"]))
    print(json.dumps({**measured, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}))


main()
