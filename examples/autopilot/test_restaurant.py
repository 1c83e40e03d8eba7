"""A simulated guest pursues a goal, and a judge decides when the conversation has shown enough.

The offline models follow rules: the user says the quoted sentences of the description one after the other, and the
judge understands criteria such as `mentions "…"`. Real ones need neither: write `model="openai/gpt-5.4-mini"`, say, or
leave `model` out after `scenario.configure(default_model=…)`, and describe situation and criteria in your own words.
"""

import pytest
from restaurant import Restaurant

import scenario


class RestaurantAgent(scenario.AgentAdapter):
    """Connects the agent to scenarios."""

    def __init__(self, restaurant: Restaurant) -> None:
        self.restaurant = restaurant

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return await self.restaurant.answer(input.last_new_user_message_str())


@pytest.mark.agent_test
async def test_a_guest_books_a_table_and_learns_what_there_is_to_eat() -> None:
    result = await scenario.run(
        name="dinner for two",
        description='A guest plans an evening: "Do you have anything vegan?" Then: "A table for two tonight, please."',
        agents=[
            scenario.UserSimulatorAgent(model="offline/user"),
            RestaurantAgent(Restaurant()),
            scenario.JudgeAgent(
                criteria=[
                    'The agent mentions "vegan menu"',
                    'The agent says "is booked"',
                    'The agent never says "fully booked"',
                ],
                model="offline/judge",
            ),
        ],
        max_turns=5,
    )

    assert result.success, result.reasoning
    assert len(result.passed_criteria) == 3


@pytest.mark.agent_test
async def test_a_full_house_is_not_booked() -> None:
    result = await scenario.run(
        name="full house",
        description='A guest is late: "A table for six, please."',
        agents=[
            scenario.UserSimulatorAgent(model="offline/user"),
            RestaurantAgent(Restaurant(free_tables=0)),
            scenario.JudgeAgent(
                criteria=['The agent says "fully booked"', 'The agent never says "is booked"'], model="offline/judge"
            ),
        ],
    )

    assert result.success, result.reasoning
