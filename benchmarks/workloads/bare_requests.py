"""Makes the model requests of many conversations with aiohttp alone: what nobody who uses it can undercut."""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

import aiohttp

import scenario
from scenario.testing.canned_service import CannedService
from scenario.testing.connection import Delivery
from scenario.testing.http_messages import HttpRequest
from scenario.testing.listener import Listener


class Parrot(scenario.AgentAdapter):
    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return "so it is"


def requests_of_a_conversation(turns: int) -> list[bytes]:
    """Run a conversation for once, and return the requests it makes."""
    bodies: list[bytes] = []
    canned = CannedService("ok, and then?", latency=0.0)

    def respond(request: HttpRequest) -> Delivery:
        bodies.append(request.body)
        return canned.respond(request)

    server = Listener(respond)
    server.start()
    model: dict[str, Any] = {"model": "openai/benchmark", "api_base": f"{server.origin}/v1", "api_key": "none"}
    try:
        result = scenario.run_sync(
            name="recorded",
            description="somebody talks to somebody who agrees",
            agents=[
                scenario.UserSimulatorAgent(**model),
                Parrot(),
                scenario.JudgeAgent(criteria=["the agent agrees"], **model),
            ],
            max_turns=turns,
            verbose=False,
        )
    finally:
        server.close()
    assert result.success
    return bodies


async def conversation(session: aiohttp.ClientSession, url: str, bodies: Sequence[bytes]) -> bool:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer none"}
    for body in bodies:
        async with session.post(f"{url}/chat/completions", data=body, headers=headers) as answer:
            completion = json.loads(await answer.read())
            if not completion["choices"]:
                return False
    return True


def used_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(bodies: Sequence[bytes], conversations: int, url: str, latency: float) -> dict[str, float]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        assert await conversation(session, url, bodies[:1])
        cpu_began, began = used_cpu(), time.perf_counter()
        done = await asyncio.gather(*(conversation(session, url, bodies) for _ in range(conversations)))
        seconds, cpu = time.perf_counter() - began, used_cpu() - cpu_began
    assert all(done)
    return {
        "ratio": seconds / (len(bodies) * latency),
        "call_ms": cpu / conversations / len(bodies) * 1e3,
        "cpu_ms": cpu / conversations * 1e3,
    }


def main() -> None:
    arguments = json.loads(sys.argv[1])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    bodies = requests_of_a_conversation(arguments["turns"])
    assert len(bodies) == 2 * arguments["turns"], f"{len(bodies)} requests"
    measured = asyncio.run(measure(bodies, arguments["conversations"], arguments["url"], arguments["latency"]))
    print(json.dumps({**measured, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}))


main()
