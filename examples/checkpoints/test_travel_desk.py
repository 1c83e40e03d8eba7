"""A long conversation is judged in stages: the first stage that goes wrong ends it, and says where."""

import pytest
from travel_desk import TravelDesk

import scenario


class TravelDeskAgent(scenario.AgentAdapter):
    """Connects the agent to scenarios."""

    def __init__(self) -> None:
        self.desk = TravelDesk()

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return await self.desk.answer(input.last_new_user_message_str())


@pytest.mark.agent_test
async def test_a_journey_is_booked_stage_by_stage() -> None:
    result = await scenario.run(
        name="a journey to Bergen",
        description="A traveller books a train.",
        agents=[TravelDeskAgent(), scenario.JudgeAgent(model="offline/judge")],
        script=[
            scenario.user("Good morning."),
            scenario.agent(),
            scenario.judge(criteria=['The agent says "where would you like to go"']),
            scenario.user("To Bergen."),
            scenario.agent(),
            scenario.judge(criteria=['The agent mentions "Bergen"', 'The agent never says "booked"']),
            scenario.user("First class, please."),
            scenario.agent(),
            scenario.user("Yes, please book it."),
            scenario.agent(),
            scenario.judge(criteria=['The agent says "booked: Bergen, first class"']),
        ],
    )

    assert result.success, result.reasoning
    assert len(result.passed_criteria) == 4


@pytest.mark.agent_test
async def test_the_stage_that_goes_wrong_is_named() -> None:
    result = await scenario.run(
        name="a journey without a destination",
        description="A traveller says yes before anything was asked.",
        agents=[TravelDeskAgent(), scenario.JudgeAgent(model="offline/judge")],
        script=[
            scenario.user("Yes, book it."),
            scenario.agent(),
            scenario.judge(criteria=['The agent says "where would you like to go"']),
            scenario.succeed("never reached"),
        ],
    )

    assert not result.success
    assert result.failed_criteria == ['The agent says "where would you like to go"']
