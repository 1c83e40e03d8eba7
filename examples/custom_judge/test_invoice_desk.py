"""A judge of your own: what can be computed needs no model to decide it.

Any agent whose role is `JUDGE` is one. It returns `[]` to let the conversation go on, or a `ScenarioResult` to end it.
"""

import re

import pytest
from invoice_desk import InvoiceDesk

import scenario

CRITERION = "The total of each invoice is the sum of its lines"


class InvoiceDeskAgent(scenario.AgentAdapter):
    """Connects the agent to scenarios."""

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return await InvoiceDesk().answer(input.last_new_user_message_str())


class Auditor(scenario.AgentAdapter):
    """Adds up what the agent has written."""

    role = scenario.AgentRole.JUDGE

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        invoices = [
            str(message.get("content")) for message in input.messages if "total: " in str(message.get("content"))
        ]
        if not invoices and input.judgment_request is None:
            return []  # nothing to judge yet, and nobody demands a verdict
        wrong = [invoice for invoice in invoices if not adds_up(invoice)]
        verdict = scenario.CriterionResult(
            criterion=CRITERION,
            status="failed" if wrong else "passed" if invoices else "inconclusive",
            reasoning=f"This does not add up: {wrong[0]}" if wrong else f"{len(invoices)} invoices looked at",
        )
        return scenario.ScenarioResult(
            success=verdict.status == "passed",
            messages=input.messages,
            reasoning=verdict.reasoning,
            criteria=[verdict],
            passed_criteria=[CRITERION] if verdict.status == "passed" else [],
            failed_criteria=[] if verdict.status == "passed" else [CRITERION],
            inconclusive_criteria=[CRITERION] if verdict.status == "inconclusive" else [],
        )


def adds_up(invoice: str) -> bool:
    """Tell whether the amounts of an invoice make its total, to the cent."""
    amounts = [round(float(amount) * 100) for amount in re.findall(r": (-?\d+\.\d\d)$", invoice, re.MULTILINE)]
    return sum(amounts[:-1]) == amounts[-1]


@pytest.mark.agent_test
async def test_an_invoice_adds_up() -> None:
    result = await scenario.run(
        name="pens and a stapler",
        description='A customer says "Hello!" and then orders: "3 pens and 1 stapler, please."',
        agents=[scenario.UserSimulatorAgent(model="offline/user"), InvoiceDeskAgent(), Auditor()],
    )

    assert result.success, result.reasoning
    assert result.passed_criteria == [CRITERION]
    assert len(result.messages) == 4  # the judge has let the first turn pass


@pytest.mark.agent_test
async def test_a_wrong_total_is_found() -> None:
    result = await scenario.run(
        name="pens with a rebate",
        description="A customer orders with a rebate, which the agent gets wrong.",
        agents=[InvoiceDeskAgent(), Auditor()],
        script=[scenario.user("3 pens with the rebate, please."), scenario.agent(), scenario.judge()],
    )

    assert not result.success
    assert result.failed_criteria == [CRITERION]
    assert "rebate" in (result.reasoning or "")


@pytest.mark.agent_test
async def test_without_an_invoice_nothing_is_decided() -> None:
    result = await scenario.run(
        name="only looking",
        description="A customer orders nothing.",
        agents=[InvoiceDeskAgent(), Auditor()],
        script=[scenario.user("I am only looking."), scenario.agent(), scenario.judge()],
    )

    assert result.outcome is scenario.Outcome.INCONCLUSIVE
