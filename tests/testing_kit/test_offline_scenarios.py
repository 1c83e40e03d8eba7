"""Whole scenarios with offline models, by name, as objects and behind the local model server."""

import asyncio
from typing import Any

import pytest

import scenario
from scenario.testing import (
    LocalModelServer,
    ScriptedModel,
    continue_test,
    faults,
    forbid_model_requests,
    on_simulated_time,
    run_simulated,
    verdict,
)

ARRIVES, NEVER_SORRY = 'the agent says "arrives tomorrow"', 'never says "sorry"'


class ParcelDesk(scenario.AgentAdapter):
    """Tells when a parcel arrives, once it knows its number."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        await asyncio.sleep(self.pause)
        if "A-17" in input.last_new_user_message_str():
            return "A-17 left our depot this morning and arrives tomorrow."
        return "Happy to look. What is the number of the parcel?"


def late_parcel(user: Any = "offline/user", judge: Any = "offline/judge", **changes: Any) -> dict[str, Any]:
    """Return the arguments of a run in which a customer asks for a parcel."""
    criteria = changes.pop("criteria", [ARRIVES, NEVER_SORRY])
    settings: dict[str, Any] = {
        "name": "late parcel",
        "description": 'A customer asks "where is my parcel" and, when asked for its number, says "it is A-17".',
        "agents": [
            ParcelDesk(changes.pop("pause", 0.0)),
            scenario.UserSimulatorAgent(model=user),
            scenario.JudgeAgent(model=judge, criteria=criteria),
        ],
        "max_turns": 5,
        "verbose": False,
    }
    return {**settings, **changes}


def said(result: scenario.ScenarioResult) -> list[Any]:
    return [message.get("content") for message in result.messages]


async def test_a_scenario_needs_no_network() -> None:
    with forbid_model_requests():
        result = await scenario.arun(**late_parcel())

    assert result.success
    assert said(result) == [
        "where is my parcel",
        "Happy to look. What is the number of the parcel?",
        "it is A-17",
        "A-17 left our depot this morning and arrives tomorrow.",
    ]
    assert [evidence.verified for criterion in result.criteria for evidence in criterion.evidence] == [True]
    assert result.usage.cost_usd == 0.0


async def test_what_needs_a_model_is_inconclusive() -> None:
    result = await scenario.arun(**late_parcel(criteria=[ARRIVES, "The agent is polite"]))

    assert not result.success
    assert result.outcome is scenario.Outcome.INCONCLUSIVE
    assert result.inconclusive_criteria == ["The agent is polite"]
    assert "needs a model" in result.criteria[1].reasoning


async def test_a_broken_prohibition_ends_the_conversation() -> None:
    result = await scenario.arun(**late_parcel(criteria=['never says "Happy"', ARRIVES]))

    assert result.failed_criteria == ['never says "Happy"', ARRIVES]
    assert len(result.messages) == 2


async def test_a_long_conversation_is_read_through_the_outline() -> None:
    class Talkative(scenario.AgentAdapter):
        async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
            return "blah " * 2_400 + "needle"

    settings = late_parcel(criteria=['says "needle"', 'says "thread"', 'never says "needle"', "user says 'A-17'"])
    settings["agents"][0] = Talkative()

    result = await scenario.arun(**settings, script=[*[scenario.user(), scenario.agent()] * 3, scenario.judge()])

    assert [criterion.status for criterion in result.criteria] == ["passed", "failed", "failed", "passed"]


async def test_the_same_models_answer_over_the_wire() -> None:
    async with LocalModelServer(api_key="sk-1") as server:
        models = [
            scenario.ModelConfig(model=f"openai/{name}", api_base=server.url, api_key="sk-1")
            for name in ("gpt-4o", "offline/judge")
        ]
        with forbid_model_requests():
            result = await scenario.arun(**late_parcel(*models))

    assert result.success, result.reasoning
    assert server.calls == result.usage.calls == 5


async def test_a_model_that_recovers_does_not_change_the_verdict() -> None:
    async with LocalModelServer(seed=3) as server:
        server.inject(faults.rate_limit(0.01), probability=0.4)
        server.fail_next(faults.reset())
        model = scenario.ModelConfig(model="openai/gpt-4o", api_base=server.url, api_key="none")
        result = await scenario.arun(**late_parcel(model, model))

    assert result.success, result.reasoning
    assert server.calls > 5


async def test_scripted_models_play_user_and_judge() -> None:
    user = ScriptedModel(["hello", "it is A-17"])
    judge = ScriptedModel([continue_test(), verdict(failed=["sorry"], reasoning="it never apologised")])

    result = await scenario.arun(**late_parcel(user, judge))

    assert result.failed_criteria == [NEVER_SORRY]
    assert result.passed_criteria == [ARRIVES]
    assert result.reasoning == "it never apologised"
    assert (user.calls, judge.calls) == (2, 3)


async def test_a_scripted_judge_that_is_asked_too_often_is_an_error() -> None:
    with pytest.raises(scenario.errors.AgentError, match="was asked 1 times and has 0 answers"):
        await scenario.arun(**late_parcel(judge=ScriptedModel()))


def test_minutes_take_no_time_on_a_simulated_loop() -> None:
    result = run_simulated(scenario.arun(**late_parcel(pause=120.0)))

    assert result.success
    assert result.total_time == pytest.approx(240.0)
    assert result.agent_time == pytest.approx(240.0)


@on_simulated_time
async def test_a_limit_on_an_agent_goes_by_simulated_time() -> None:
    with pytest.raises(scenario.errors.AgentTimeoutError):
        await scenario.arun(**late_parcel(pause=120.0, agent_timeout=60.0))

    assert asyncio.get_running_loop().time() == pytest.approx(60.0)


@on_simulated_time
async def test_the_wire_holds_the_clock() -> None:
    async with LocalModelServer() as server:
        model = scenario.ModelConfig(model="openai/gpt-4o", api_base=server.url, api_key="none")
        result = await scenario.arun(**late_parcel(model, model, pause=30.0))

    assert result.success
    assert result.total_time == pytest.approx(60.0)
