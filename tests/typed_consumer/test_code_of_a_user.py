"""Code as users write it, against the public API alone: it has to type-check strictly, and to run."""

from collections.abc import Awaitable, Callable
from typing import assert_type

import pytest

import scenario
from scenario.config import ModelConfig
from scenario.types import (
    AgentInput,
    AgentReturnTypes,
    AgentRole,
    CriterionResult,
    JudgmentRequest,
    ScenarioResult,
    ScriptStep,
)


class Shop(scenario.AgentAdapter):
    """An agent under test with a state of its own."""

    def __init__(self, stock: dict[str, int]) -> None:
        self.stock = stock

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        assert_type(input.thread_id, str)
        assert_type(input.judgment_request, JudgmentRequest | None)
        wanted = input.last_new_user_message_str()
        if not input.scenario_state.has_tool_call("stock"):
            return [
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "call_1", "type": "function", "function": {"name": "stock", "arguments": "{}"}}
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": str(self.stock)},
                {"role": "assistant", "content": f"{wanted}? We have 3."},
            ]
        return f"Done: {wanted}"


class Customer(scenario.AgentAdapter):
    """A user of one's own."""

    role = AgentRole.USER

    async def call(self, input: AgentInput) -> AgentReturnTypes:
        return {"role": "user", "content": "two lamps please"}


def looked_up_the_stock(state: scenario.ScenarioState) -> None:
    assert state.has_tool_call("stock")
    call = state.last_tool_call("stock")
    assert call is not None
    assert call["function"]["name"] == "stock"
    assert_type(state.current_turn, int)
    assert_type(state.description, str)


async def adds_a_note(state: scenario.ScenarioState) -> None:
    state.add_message({"role": "system", "content": "a note"})


async def ends_it(state: scenario.ScenarioState) -> ScenarioResult | None:
    return await scenario.succeed("all good")(state)


def sees_a_turn(state: scenario.ScenarioState) -> None:
    assert state.messages


async def sees_a_step(state: scenario.ScenarioState) -> None:
    assert state.messages


@pytest.mark.parametrize("play", [scenario.run, scenario.arun])
async def test_a_script_with_steps_of_ones_own(play: Callable[..., Awaitable[ScenarioResult]]) -> None:
    script: list[ScriptStep] = [
        scenario.user("lamps?"),
        scenario.agent(),
        looked_up_the_stock,
        scenario.message({"role": "user", "content": "one more thing"}),
        scenario.agent("Go on."),
        adds_a_note,
        scenario.proceed(turns=1, on_turn=sees_a_turn, on_step=sees_a_step),
        ends_it,
    ]

    result = await play(
        name="shopping", description="Somebody buys lamps.", agents=[Shop({"lamp": 3}), Customer()], script=script
    )

    assert result.success
    assert result.reasoning == "all good"


async def test_a_result_tells_its_parts() -> None:
    result = await scenario.run(
        "greeting",
        'A customer says "hello".',
        [
            Shop({}),
            scenario.UserSimulatorAgent(model="offline/user", temperature=0.2, persona="friendly"),
            scenario.JudgeAgent(model="offline/judge", criteria=['the agent says "We have 3"']),
        ],
        3,
        verbose=False,
        set_id="typed",
        metadata={"team": "lamps"},
    )

    assert_type(result, ScenarioResult)
    assert_type(result.success, bool)
    assert_type(result.reasoning, str | None)
    assert_type(result.passed_criteria, list[str])
    assert_type(result.failed_criteria, list[str])
    assert_type(result.inconclusive_criteria, list[str])
    assert_type(result.criteria, list[CriterionResult])
    assert_type(result.total_time, float | None)
    assert_type(result.agent_time, float | None)
    assert [message["role"] for message in result.messages][:1] == ["user"]
    assert result.passed_criteria == ['the agent says "We have 3"']


async def test_a_judge_in_a_script_takes_criteria_of_its_own() -> None:
    result = await scenario.arun(
        name="lamps",
        description="Somebody buys lamps.",
        agents=[Shop({"lamp": 3}), scenario.JudgeAgent(model="offline/judge", criteria=['says "gone"'])],
        script=[scenario.user("lamps?"), scenario.agent(), scenario.judge(criteria=['calls tool "stock"'])],
    )

    assert result.success


def test_the_defaults_of_later_runs_can_be_set() -> None:
    scenario.configure(
        default_model=ModelConfig(model="openai/gpt-5.4-mini", temperature=0.1),
        max_turns=7,
        verbose=False,
        cache_key="typed",
        debug=False,
        headless=True,
    )

    config = scenario.default_config
    assert config is not None
    assert config.max_turns == 7
