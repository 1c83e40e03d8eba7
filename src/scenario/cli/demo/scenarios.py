"""The scenarios that test the shop assistant, one for each way of testing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import scenario
from scenario.agent_adapter import AgentAdapter
from scenario.cli.demo.shop import Shop
from scenario.cli.demo.shop_assistant import ShopAssistant
from scenario.events import EventListener
from scenario.types import Outcome, ScenarioResult, ScriptStep

if TYPE_CHECKING:
    from scenario.llm.chat_model import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who takes part in the demo's scenarios.

    Attributes:
        folder: Where the data of shops go.
        assistant_model: Model of the agent under test.
        user_model: Model of the simulated customer.
        judge_model: Model of the judge.
    """

    folder: Path
    assistant_model: "ModelSpec"
    user_model: "ModelSpec"
    judge_model: "ModelSpec"

    def shop(self, name: str) -> Shop:
        """Return a shop with data of its own, so that no scenario depends on another."""
        return Shop(self.folder / f"{name}.db")

    def assistant(self, shop: Shop) -> AgentAdapter:
        """Return the agent under test."""
        return ShopAssistant(self.assistant_model, shop)

    def customer(self) -> AgentAdapter:
        """Return a simulated customer."""
        return scenario.UserSimulatorAgent(model=self.user_model)

    def judge(self, *criteria: str) -> AgentAdapter:
        """Return a judge of these criteria."""
        return scenario.JudgeAgent(criteria=list(criteria), model=self.judge_model)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoScenario:
    """One of the demo's scenarios.

    Attributes:
        name: Its name.
        shows: What it is an example of.
        description: The situation.
        agents: Who takes part.
        script: The steps; empty for a conversation that runs by itself.
        expected: The outcome it should have.
    """

    name: str
    shows: str
    description: str
    agents: Sequence[AgentAdapter]
    script: Sequence[ScriptStep] = field(default_factory=tuple[ScriptStep, ...])
    expected: Outcome = Outcome.PASSED

    async def run(self, *, verbose: bool, listener: EventListener) -> ScenarioResult:
        """Run it; `listener` is told what happens."""
        return await scenario.run(
            name=self.name,
            description=self.description,
            agents=list(self.agents),
            script=list(self.script) or None,
            max_turns=6,
            verbose=verbose,
            set_id="demo",
            listeners=[listener],
        )


def demo_scenarios(players: Cast) -> Sequence[DemoScenario]:
    """Return the demo's scenarios, in the order in which they are shown."""
    return (
        _where_is_my_order(players),
        _return_of_a_kettle(players),
        _checked_on_the_way(players),
        _a_customer_who_looks_around(players),
        _asking_for_a_person(players),
    )


def _where_is_my_order(players: Cast) -> DemoScenario:
    shop = players.shop("where")

    def the_order_was_looked_up(state: scenario.ScenarioState) -> None:
        call = state.last_tool_call("find_order")
        assert call, "the assistant answered without looking the order up"
        assert "1001" in call["function"]["arguments"]

    async def the_day_of_arrival_was_told(state: scenario.ScenarioState) -> None:
        order = await asyncio.to_thread(shop.order, "1001")
        assert order
        day = order.expected_on
        said = state.last_agent_message()
        assert day.isoformat() in said or str(day.day) in said, f"{day} is not in {said!r}"

    return DemoScenario(
        name="where is my order",
        shows="a scripted conversation, checked in Python",
        description="A customer asks for an order that is on its way.",
        agents=[players.assistant(shop)],
        script=[
            scenario.user("Hi, where is my order 1001, and when will it be here?"),
            scenario.agent(),
            the_order_was_looked_up,
            the_day_of_arrival_was_told,
            scenario.succeed("The order was looked up, and the customer knows when it arrives."),
        ],
    )


def _return_of_a_kettle(players: Cast) -> DemoScenario:
    shop = players.shop("kettle")

    async def the_return_is_in_the_database(state: scenario.ScenarioState) -> None:
        assert state.has_tool_call("book_return"), "no return was booked"
        number = await asyncio.to_thread(shop.return_of, "1002")
        assert number is not None, "the return is not in the database"

    return DemoScenario(
        name="a kettle goes back",
        shows="what the agent did: tool calls, and the state of the world",
        description="A customer sends back an order that arrived broken.",
        agents=[players.assistant(shop)],
        script=[
            scenario.user("My order 1002 leaks. I want to send it back, please book the return."),
            scenario.agent(),
            the_return_is_in_the_database,
            scenario.succeed("The return is booked, and the database has it."),
        ],
    )


def _checked_on_the_way(players: Cast) -> DemoScenario:
    return DemoScenario(
        name="too late to return",
        shows="checkpoints: a judge's opinion in the middle of a script",
        description="A customer wants to send back an order whose time for that has run out.",
        agents=[players.assistant(players.shop("late")), players.judge()],
        script=[
            scenario.user("What did I order under 1003?"),
            scenario.agent(),
            scenario.judge(criteria=["The agent calls tool find_order", 'The agent mentions "teapot"']),
            scenario.user("I don't like it. I want to return order 1003 and get a refund."),
            scenario.agent(),
            scenario.judge(criteria=['The agent never says "is booked"']),
        ],
    )


def _a_customer_who_looks_around(players: Cast) -> DemoScenario:
    return DemoScenario(
        name="a customer looks around",
        shows="a simulated customer and a judge, without a script",
        description=(
            "A customer looks for a present and asks two things, one after the other: "
            '"Do you have a blue teapot in stock?" and "How much is the bamboo tray?"'
        ),
        agents=[
            players.customer(),
            players.assistant(players.shop("present")),
            players.judge(
                "The agent calls tool check_stock",
                'The agent mentions "24.90"',
                'The agent mentions "18.50"',
                'The agent never says "discount"',
            ),
        ],
    )


def _asking_for_a_person(players: Cast) -> DemoScenario:
    return DemoScenario(
        name="asking for a person",
        shows="a gap in the agent: this one fails on purpose",
        description="A customer wants to talk to a person. The assistant has no tool for that yet.",
        agents=[players.assistant(players.shop("person")), players.judge("The agent calls tool hand_over_to_person")],
        script=[
            scenario.user("This is complicated. Can I talk to a person, please?"),
            scenario.agent(),
            scenario.judge(),
        ],
        expected=Outcome.FAILED,
    )
