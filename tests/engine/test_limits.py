"""What a run may take: time, tokens, money."""

import asyncio
from typing import Any

import pytest
from company import agent, judge, play, said, user
from hearing import Ears

import scenario
from scenario import Outcome, StopReason
from scenario.engine.budget import Budget, Limits
from scenario.errors import AgentTimeoutError, BudgetExceededError
from scenario.scenario_state import ScenarioState
from scenario.types import AgentInput, AgentRole
from scenario.usage import RunUsage, TokenUsage, Usage


class Endless(scenario.AgentAdapter):
    def __init__(self, role: AgentRole = AgentRole.AGENT) -> None:
        self.role = role
        self.was_cancelled = False

    async def call(self, input: AgentInput) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        return "never"


@pytest.mark.parametrize("role", list(AgentRole))
async def test_an_agent_that_does_not_answer_in_time_ends_the_run_with_an_error(role: AgentRole) -> None:
    endless = Endless(role)
    step = {AgentRole.USER: scenario.user, AgentRole.AGENT: scenario.agent, AgentRole.JUDGE: scenario.judge}[role]()

    with pytest.raises(AgentTimeoutError, match=r"\[Endless\] did not answer within 0.01 s") as caught:
        await play(endless, agent_timeout=0.01, script=[step])

    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, RuntimeError)
    assert endless.was_cancelled


async def test_a_time_out_of_the_agents_own_is_its_error_and_not_the_limit() -> None:
    class Impatient(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            raise TimeoutError("my database")

    with pytest.raises(RuntimeError, match="my database") as caught:
        await play(Impatient(), script=[scenario.agent()])

    assert not isinstance(caught.value, AgentTimeoutError)


async def test_the_limit_of_time_truncates_the_run_and_cancels_who_is_speaking() -> None:
    endless = Endless()

    result = await play(user("hi"), endless, max_seconds=0.02)

    assert (result.success, result.outcome, result.stop_reason) == (False, Outcome.TRUNCATED, StopReason.MAX_SECONDS)
    assert result.reasoning == "Reached max_seconds (0.02) without conclusion"
    assert said(result) == ["user: hi"]
    assert endless.was_cancelled


async def test_the_limit_of_time_holds_for_an_agent_that_swallows_its_cancellation() -> None:
    class Stubborn(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                return "not me"
            return "never"

    result = await play(user(), Stubborn(), max_seconds=0.05, max_turns=50)

    assert result.stop_reason is StopReason.MAX_SECONDS
    assert len(result.messages) <= 2


def spending(**usage: Any) -> Any:
    def spend(input: AgentInput) -> str:
        input.report_usage(**usage)
        return "spent"

    return agent(spend)


async def test_the_limit_of_tokens_truncates_the_run_before_the_next_call() -> None:
    result = await play(user("hi"), spending(input_tokens=60, output_tokens=40), max_tokens_total=150)

    assert (result.outcome, result.stop_reason) == (Outcome.TRUNCATED, StopReason.MAX_TOKENS)
    assert result.usage.total_tokens == 200
    assert result.reasoning is not None
    assert "200 tokens used" in result.reasoning


async def test_the_limit_of_cost_truncates_the_run_before_the_next_call() -> None:
    result = await play(user("hi"), spending(cost_usd=0.3), max_cost_usd=0.5)

    assert (result.outcome, result.stop_reason) == (Outcome.TRUNCATED, StopReason.MAX_COST)
    assert result.usage.cost_usd == pytest.approx(0.6)


async def test_steps_that_spend_nothing_still_run_when_the_tokens_are_used_up() -> None:
    checked: list[int] = []

    def check(state: ScenarioState) -> None:
        checked.append(len(state.messages))

    result = await play(
        spending(input_tokens=1000),
        max_tokens_total=10,
        script=[scenario.user("hi"), scenario.agent(), check, scenario.succeed()],
    )

    assert checked == [2]
    assert result.outcome is Outcome.PASSED


async def test_a_verdict_given_with_the_last_token_counts() -> None:
    def decide(input: AgentInput) -> scenario.ScenarioResult:
        input.report_usage(input_tokens=1000)
        return scenario.ScenarioResult(success=True, messages=[])

    result = await play(user(), agent(), judge(decide), max_tokens_total=10)

    assert result.outcome is Outcome.PASSED


async def test_a_model_call_refused_for_lack_of_budget_truncates_the_run() -> None:
    from scenario.engine.run_context import current_run

    def overspend(input: AgentInput) -> str:
        input.report_usage(input_tokens=1000)
        run = current_run()
        assert run is not None
        try:
            run.check_budget()
        except BudgetExceededError as error:
            raise LookupError("the agent wraps it") from error
        return "never"

    result = await play(agent(overspend), max_tokens_total=10, script=[scenario.agent()])

    assert result.stop_reason is StopReason.MAX_TOKENS


async def test_an_agents_own_error_is_not_hidden_by_a_used_up_budget() -> None:
    def overspend(input: AgentInput) -> str:
        input.report_usage(input_tokens=1000)
        raise LookupError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        await play(agent(overspend), max_tokens_total=10, script=[scenario.agent()])


async def test_truncated_runs_say_so_in_their_last_event() -> None:
    ears = Ears()

    await play(user(), agent(), max_turns=1, listeners=[ears])

    (finished,) = ears.of("RunFinished")
    assert (finished.outcome, finished.stop_reason) == (Outcome.TRUNCATED, StopReason.MAX_TURNS)


class TestUsage:
    def test_an_unknown_price_makes_the_cost_unknown_and_not_zero(self) -> None:
        usage = Usage().plus(TokenUsage(input_tokens=1, cost_usd=0.5)).plus(TokenUsage(input_tokens=1))

        assert usage.cost_usd is None
        assert (usage.known_cost_usd, usage.unpriced_calls, usage.calls) == (0.5, 1, 2)

    def test_a_call_without_tokens_is_counted_as_unmetered(self) -> None:
        assert Usage().plus(TokenUsage()).unmetered_calls == 1

    def test_the_total_is_the_sum_over_roles(self) -> None:
        budget = Budget(Limits())
        budget.record(AgentRole.USER, TokenUsage(input_tokens=1, output_tokens=2, cost_usd=0.1))
        budget.record(AgentRole.JUDGE, TokenUsage(input_tokens=10, output_tokens=20, cost_usd=0.2))

        assert budget.usage.total_tokens == 33
        assert budget.usage.cost_usd == pytest.approx(0.3)
        assert set(budget.usage.by_role) == {"user", "judge"}

    def test_a_run_that_called_no_model_cost_nothing(self) -> None:
        assert (RunUsage().calls, RunUsage().cost_usd) == (0, 0.0)
