"""What the agent did is in the conversation: which tools it called, with which arguments, and what they said."""

import json

import pytest
from weather_agent import WeatherAgent

import scenario


class Weather(scenario.AgentAdapter):
    """Connects the agent to scenarios. A list of messages is an answer too."""

    def __init__(self) -> None:
        self.agent = WeatherAgent()

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return await self.agent.answer(input.last_new_user_message_str())


@pytest.mark.agent_test
async def test_it_looks_the_weather_up_for_the_right_city() -> None:
    def looked_up_oslo(state: scenario.ScenarioState) -> None:
        call = state.last_tool_call("get_weather")
        assert call, "the weather was not looked up"
        assert json.loads(call["function"]["arguments"]) == {"city": "Oslo"}

    result = await scenario.run(
        name="weather in one city",
        description="Somebody asks for the weather and says where.",
        agents=[Weather()],
        script=[scenario.user("How is the weather in Oslo?"), scenario.agent(), looked_up_oslo, scenario.succeed()],
    )

    assert result.success
    assert "snow" in str(result.messages[-1].get("content"))


@pytest.mark.agent_test
async def test_it_asks_before_it_looks_anything_up() -> None:
    def nothing_was_called(state: scenario.ScenarioState) -> None:
        assert not state.has_tool_call("get_weather")

    result = await scenario.run(
        name="weather somewhere",
        description="Somebody asks for the weather and says where only when asked.",
        agents=[Weather(), scenario.JudgeAgent(criteria=["The agent calls tool get_weather"], model="offline/judge")],
        script=[
            scenario.user("How is the weather?"),
            scenario.agent(),
            nothing_was_called,
            scenario.user("I mean the weather in Lisbon."),
            scenario.agent(),
            scenario.judge(),
        ],
    )

    assert result.success, result.reasoning
