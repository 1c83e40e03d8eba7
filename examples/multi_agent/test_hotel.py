"""Several agents take part in one conversation. In each turn they are asked in the order of `agents`.

An agent that has nothing to say returns an empty list. What the others said is in `input.messages`.
"""

from typing import Protocol

import pytest
from hotel import Concierge, Housekeeping, Kitchen

import scenario


class Answers(Protocol):
    async def answer(self, wish: str) -> str: ...


class ConciergeAgent(scenario.AgentAdapter):
    """Is asked first, and always has something to say."""

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return await Concierge().answer(input.last_new_user_message_str())


class SpecialistAgent(scenario.AgentAdapter):
    """Speaks when the concierge has called it by its name just now."""

    def __init__(self, name: str, specialist: Answers) -> None:
        self.name = name
        self.specialist = specialist

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        wish, *others = input.new_messages
        if not any(f"@{self.name}" in str(message.get("content")) for message in others):
            return []
        return await self.specialist.answer(str(wish.get("content")))


@pytest.mark.agent_test
async def test_the_one_who_knows_answers_and_the_others_keep_silent() -> None:
    housekeeping = Housekeeping()

    result = await scenario.run(
        name="two wishes",
        description='A guest has two wishes: "Is there anything vegan to eat?" Then: "Towels for room 12, please."',
        agents=[
            scenario.UserSimulatorAgent(model="offline/user"),
            ConciergeAgent(),
            SpecialistAgent("kitchen", Kitchen()),
            SpecialistAgent("housekeeping", housekeeping),
            scenario.JudgeAgent(
                criteria=['The agent mentions "mushroom risotto"', 'The agent says "on the way to room 12"'],
                model="offline/judge",
            ),
        ],
    )

    assert result.success, result.reasoning
    assert housekeeping.errands == ["12"]
    assert [message["role"] for message in result.messages] == ["user", "assistant", "assistant"] * 2


@pytest.mark.agent_test
async def test_a_guest_is_passed_on_once_and_no_further() -> None:
    def only_the_kitchen_was_called(state: scenario.ScenarioState) -> None:
        called = [str(message.get("content")) for message in state.messages if "@" in str(message.get("content"))]
        assert len(called) == 1
        assert "@kitchen" in called[0]

    result = await scenario.run(
        name="dinner",
        description="A guest wants to know when dinner is served.",
        agents=[
            ConciergeAgent(),
            SpecialistAgent("kitchen", Kitchen()),
            SpecialistAgent("housekeeping", Housekeeping()),
        ],
        script=[
            scenario.user("When is dinner?"),
            scenario.agent(),  # the concierge
            scenario.agent(),  # the kitchen
            only_the_kitchen_was_called,
            scenario.succeed(),
        ],
    )

    assert result.success
