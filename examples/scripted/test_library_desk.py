"""Every line of the user is written down; plain Python checks what the agent says."""

import pytest
from library_desk import LibraryDesk

import scenario
from scenario.types import ScriptStep


class LibraryDeskAgent(scenario.AgentAdapter):
    """Connects the agent to scenarios."""

    def __init__(self) -> None:
        self.desk = LibraryDesk()

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return await self.desk.answer(input.last_new_user_message_str())


def says(*words: str) -> ScriptStep:
    """A step of our own: any function of the state is one."""

    def check(state: scenario.ScenarioState) -> None:
        answer = state.last_agent_message()
        for word in words:
            assert word in answer, f"{word!r} is not in {answer!r}"

    return check


@pytest.mark.agent_test
async def test_it_asks_for_the_card_before_it_renews() -> None:
    result = await scenario.run(
        name="renewal without a card number",
        description="A reader wants to renew loans and forgets to say who they are.",
        agents=[LibraryDeskAgent()],
        script=[
            scenario.user("Can you renew my books, please?"),
            scenario.agent(),
            says("library card"),
            scenario.user("Please renew them, my card is AB123."),
            scenario.agent(),
            says("AB123", "three weeks"),
            scenario.succeed(),
        ],
    )

    assert result.success


@pytest.mark.agent_test
async def test_it_renews_twice_at_most() -> None:
    agent = LibraryDeskAgent()
    renewal = [scenario.user("Please renew AB123."), scenario.agent()]

    result = await scenario.run(
        name="third renewal",
        description="A reader renews for the third time.",
        agents=[agent],
        script=[*renewal, *renewal, *renewal, says("renewed twice already"), scenario.succeed()],
    )

    assert result.success
    assert agent.desk.renewals == {"AB123": 2}
