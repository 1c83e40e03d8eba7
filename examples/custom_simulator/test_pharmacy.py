"""A user of your own: what real customers have said is said again, and the agent has to cope with it.

Any agent whose role is `USER` is one: it may replay, draw at random, or ask a model of yours.
"""

import json
from pathlib import Path
from typing import TypedDict

import pytest
from pharmacy import Pharmacy

import scenario


class Customer(TypedDict):
    """A customer as they stand in `customers.json`."""

    name: str
    says: list[str]
    gets: str


CUSTOMERS: list[Customer] = json.loads(Path(__file__).with_name("customers.json").read_text("utf-8"))


class PharmacyAgent(scenario.AgentAdapter):
    """Connects the agent to scenarios."""

    def __init__(self) -> None:
        self.pharmacy = Pharmacy()

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return await self.pharmacy.answer(input.last_new_user_message_str())


class ReplayedCustomer(scenario.AgentAdapter):
    """Says one line after the other, and ends the run when the agent has done what it should, or when they run out."""

    role = scenario.AgentRole.USER

    def __init__(self, customer: Customer) -> None:
        self.name = customer["name"]
        self.customer = customer

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        lines, expected = self.customer["says"], self.customer["gets"]
        said = sum(message["role"] == "user" for message in input.messages)
        if any(expected in str(message.get("content")) for message in input.messages):
            return scenario.ScenarioResult(success=True, messages=input.messages, reasoning=f"ordered {expected}")
        if said == len(lines):
            return scenario.ScenarioResult(
                success=False, messages=input.messages, reasoning=f"all was said, and {expected!r} was not ordered"
            )
        return lines[said]


@pytest.mark.agent_test
@pytest.mark.parametrize("customer", CUSTOMERS, ids=lambda customer: customer["name"])
async def test_a_customer_gets_what_they_came_for(customer: Customer) -> None:
    result = await scenario.run(
        name=f"pharmacy: {customer['name']}",
        description="A customer orders a medicine.",
        agents=[ReplayedCustomer(customer), PharmacyAgent()],
    )

    assert result.success, result.reasoning


@pytest.mark.agent_test
async def test_without_a_prescription_nothing_is_ordered() -> None:
    customer: Customer = {"name": "no prescription", "says": ["1 amoxicillin", "I have none"], "gets": "amoxicillin."}

    result = await scenario.run(
        name="pharmacy: no prescription",
        description="A customer orders a medicine that takes a prescription, and has none.",
        agents=[ReplayedCustomer(customer), PharmacyAgent()],
    )

    assert not result.success
    assert "was not ordered" in (result.reasoning or "")
