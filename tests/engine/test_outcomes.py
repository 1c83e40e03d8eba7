"""How a run ends, and what its result says about it."""

import asyncio
from typing import Any

import pytest
from company import Player, agent, judge, play, said, user, verdict, when_asked
from hearing import Ears

import scenario
from scenario import Outcome, StopReason
from scenario.scenario_state import ScenarioState
from scenario.types import AgentInput, AgentRole, CriterionResult


async def test_a_judges_verdict_ends_an_automatic_run() -> None:
    result = await play(user(), agent(), judge(verdict(passed=["polite"], reasoning="was polite")))

    assert (result.success, result.outcome, result.stop_reason) == (True, Outcome.PASSED, StopReason.VERDICT)
    assert (result.passed_criteria, result.reasoning) == (["polite"], "was polite")


async def test_the_conversation_is_in_the_result_whatever_the_judge_put_there() -> None:
    result = await play(user("u"), agent("a"), judge(verdict()))

    assert said(result) == ["user: u", "assistant: a"]


async def test_a_result_is_filled_in_every_path() -> None:
    def nothing(_: ScenarioState) -> None: ...

    for step in (scenario.succeed(), scenario.fail(), scenario.proceed(), scenario.judge(), nothing):
        result = await play(user(), agent(), judge(when_asked(verdict())), max_turns=2, script=[step])

        assert result.outcome in Outcome
        assert result.stop_reason in StopReason
        assert result.usage.calls == 0
        assert result.total_time is not None
        assert result.agent_time is not None
        assert result.run_id is not None
        assert result.run_id.startswith("scenariorun_")
        assert result.thread_id is not None
        assert result.thread_id.startswith("scenariothread_")
        assert result.seed is not None
        assert result.name == "a test"


@pytest.mark.parametrize(
    ("step", "success", "reason", "reasoning"),
    [
        (scenario.succeed(), True, StopReason.SUCCEED, "Scenario marked as successful with scenario.succeed()"),
        (scenario.fail(), False, StopReason.FAIL, "Scenario marked as failed with scenario.fail()"),
        (scenario.succeed("good"), True, StopReason.SUCCEED, "good"),
        (scenario.fail("bad"), False, StopReason.FAIL, "bad"),
    ],
)
async def test_a_script_may_end_the_run(step: Any, success: bool, reason: StopReason, reasoning: str) -> None:
    result = await play(script=[scenario.user("hi"), step, scenario.user("never said")])

    assert (result.success, result.stop_reason, result.reasoning) == (success, reason, reasoning)
    assert said(result) == ["user: hi"]


async def test_the_limit_of_turns_truncates_the_run() -> None:
    result = await play(user(), agent(), judge(), max_turns=3)

    assert (result.success, result.outcome) == (False, Outcome.TRUNCATED)
    assert result.stop_reason is StopReason.MAX_TURNS
    assert result.reasoning == "Reached maximum turns (3) without conclusion"
    assert len(result.messages) == 6


async def test_a_script_that_ends_without_a_verdict_is_inconclusive_and_says_how_to_conclude() -> None:
    result = await play(agent(), script=[scenario.user("hi"), scenario.agent()])

    assert (result.success, result.outcome) == (False, Outcome.INCONCLUSIVE)
    assert result.stop_reason is StopReason.SCRIPT_END
    assert result.reasoning is not None
    assert result.reasoning.startswith("Reached end of script without conclusion")


async def test_an_undecided_verdict_is_inconclusive_and_no_success() -> None:
    undecided = scenario.ScenarioResult(success=False, messages=[], failed_criteria=["x"], inconclusive_criteria=["x"])

    result = await play(judge(when_asked(undecided)), script=[scenario.judge()])

    assert (result.success, result.outcome) == (False, Outcome.INCONCLUSIVE)


class TestResultOfOthers:
    """Results that do not come from a judge end the run wherever they appear."""

    @pytest.mark.parametrize("step", [scenario.agent(), scenario.proceed()])
    async def test_of_the_agent_under_test(self, step: Any) -> None:
        result = await play(user(), agent(verdict(reasoning="mine")), script=[step, scenario.fail("later")])

        assert (result.reasoning, result.stop_reason) == ("mine", StopReason.AGENT_RESULT)

    async def test_of_a_user_agent(self) -> None:
        result = await play(user(verdict(False, reasoning="mine")), script=[scenario.user(), scenario.succeed()])

        assert (result.success, result.reasoning) == (False, "mine")

    async def test_of_a_step_of_ones_own(self) -> None:
        async def check(state: ScenarioState) -> scenario.ScenarioResult:
            return verdict(reasoning="step")

        result = await play(script=[check])

        assert (result.reasoning, result.stop_reason) == ("step", StopReason.AGENT_RESULT)


class TestStepsOfOnesOwn:
    async def test_a_returned_step_is_played(self) -> None:
        result = await play(script=[lambda _: scenario.succeed("found it"), scenario.fail()])

        assert (result.success, result.reasoning) == (True, "found it")

    async def test_a_step_may_be_called_without_the_state(self) -> None:
        async def check(_: ScenarioState) -> Any:
            return await scenario.succeed("found it")()

        result = await play(script=[check, scenario.fail()])

        assert result.reasoning == "found it"

    async def test_a_step_may_be_called_with_the_state(self) -> None:
        def check(state: ScenarioState) -> Any:
            return scenario.user("from inside")(state)

        result = await play(script=[check, scenario.succeed()])

        assert said(result) == ["user: from inside"]

    async def test_a_step_outside_of_a_run_says_so(self) -> None:
        with pytest.raises(ValueError, match="outside of a run"):
            await scenario.succeed()()

    async def test_a_value_that_means_nothing_is_ignored_aloud(self) -> None:
        ears = Ears()

        result = await play(script=[lambda _: False, scenario.succeed()], listeners=[ears])

        assert result.success
        assert any("returned a value of type bool" in notice.text for notice in ears.of("Notice"))

    @pytest.mark.parametrize("step", [3, None, "judge", {"role": "user", "content": "hi"}])
    async def test_something_that_cannot_be_called_is_refused_before_the_run(self, step: Any) -> None:
        with pytest.raises(ValueError, match="step 1 of the script"):
            await play(script=[scenario.user("hi"), step])

    async def test_a_step_function_without_parentheses_is_refused_before_the_run(self) -> None:
        with pytest.raises(ValueError, match=r"call it: scenario\.judge\(\)"):
            await play(script=[scenario.judge])  # type: ignore[list-item]  # what is tested


class TestChecks:
    """AssertionError in steps and callbacks."""

    async def test_it_is_raised_and_recorded_as_a_failed_check(self) -> None:
        ears = Ears()

        def check(_: ScenarioState) -> None:
            raise AssertionError("price is wrong")

        with pytest.raises(AssertionError, match="price is wrong"):
            await play(script=[check], listeners=[ears])

        (finished,) = ears.of("RunFinished")
        assert (finished.outcome, finished.stop_reason) == (Outcome.FAILED, StopReason.CHECK)
        assert finished.result.reasoning == "Scenario failed with error: price is wrong"
        assert finished.result.failed_criteria == ["price is wrong"]

    async def test_one_without_text_is_described_by_its_source_line(self) -> None:
        ears = Ears()
        blank = AssertionError()

        def check(_: ScenarioState) -> None:
            raise blank

        with pytest.raises(AssertionError):
            await play(script=[check], listeners=[ears])

        (finished,) = ears.of("RunFinished")
        assert "raise blank" in finished.result.failed_criteria[0]
        assert "test_outcomes.py" in finished.result.failed_criteria[0]

    async def test_one_in_a_callback_of_proceed_counts_too(self) -> None:
        def on_step(_: ScenarioState) -> None:
            raise AssertionError("too long")

        with pytest.raises(AssertionError, match="too long"):
            await play(user(), agent(), script=[scenario.proceed(on_step=on_step)])


async def test_any_other_exception_of_a_step_is_raised_unchanged() -> None:
    ears = Ears()
    error = LookupError("no such order")

    def broken(_: ScenarioState) -> None:
        raise error

    with pytest.raises(LookupError) as caught:
        await play(script=[broken], listeners=[ears])

    assert caught.value is error
    (finished,) = ears.of("RunFinished")
    assert (finished.outcome, finished.stop_reason) == (Outcome.ERROR, StopReason.EXCEPTION)
    assert finished.error == "LookupError: no such order"


class TestCheckpoints:
    async def test_a_passed_one_lets_the_script_go_on(self) -> None:
        result = await play(
            judge(when_asked(verdict(passed=["A"]))), script=[scenario.judge(["A"]), scenario.user("go on")]
        )

        assert said(result) == ["user: go on"]
        assert (result.success, result.passed_criteria) == (True, ["A"])
        assert result.reasoning == "All inline criteria checkpoints passed"

    async def test_passes_are_counted_once_in_front_of_the_final_verdicts(self) -> None:
        referee = judge(verdict(passed=["A"]), verdict(passed=["final"]))

        result = await play(referee, script=[scenario.judge(["A"]), scenario.judge()])

        assert result.passed_criteria == ["A", "final"]

    async def test_a_failed_one_ends_the_run_with_all_that_was_judged(self) -> None:
        referee = judge(verdict(passed=["A"]), verdict(False, passed=["B"], failed=["C"]))

        result = await play(referee, script=[scenario.judge(["A"]), scenario.judge(["B", "C"]), scenario.succeed()])

        assert (result.success, result.stop_reason) == (False, StopReason.CHECKPOINT)
        assert (result.passed_criteria, result.failed_criteria) == (["A", "B"], ["C"])

    async def test_they_count_in_what_succeed_reports(self) -> None:
        result = await play(judge(verdict(passed=["A"])), script=[scenario.judge(["A"]), scenario.succeed()])

        assert result.passed_criteria == ["A"]

    async def test_a_judge_that_gives_no_result_leaves_no_checkpoint(self) -> None:
        result = await play(judge([]), script=[scenario.judge(["A"])])

        assert result.stop_reason is StopReason.SCRIPT_END
        assert not result.success

    async def test_a_result_object_that_a_judge_uses_again_does_not_accumulate(self) -> None:
        reused = verdict(passed=["A"])

        result = await play(judge(reused), script=[scenario.judge(["A"]), scenario.judge(["A"]), scenario.judge()])

        assert result.passed_criteria == ["A", "A", "A"]
        assert reused.passed_criteria == ["A"]

    async def test_verdicts_by_criterion_are_collected_in_order(self) -> None:
        def judged(name: str) -> scenario.ScenarioResult:
            return scenario.ScenarioResult(
                success=True,
                messages=[],
                passed_criteria=[name],
                criteria=[CriterionResult(criterion=name, status="passed")],
            )

        result = await play(judge(judged("A"), judged("B")), script=[scenario.judge(["A"]), scenario.judge()])

        assert [each.criterion for each in result.criteria] == ["A", "B"]

    async def test_the_request_reaches_the_judge(self) -> None:
        referee = judge(verdict())

        await play(referee, script=[scenario.judge([], additional_context="it is Monday")])

        request = referee.inputs[0].judgment_request
        assert request is not None
        assert (request.criteria, request.additional_context) == ([], "it is Monday")

    @pytest.mark.parametrize("criteria", ["be kind", [1], [None]])
    def test_criteria_that_are_not_a_list_of_texts_are_refused(self, criteria: Any) -> None:
        with pytest.raises(ValueError, match="list of criteria"):
            scenario.judge(criteria)

    def test_an_empty_criterion_is_refused(self) -> None:
        with pytest.raises(ValueError, match="is empty"):
            scenario.judge(["be kind", " "])


class TestOutcomesOfTestFrameworks:
    """pytest.fail, xfail and skip are no Exception, and mean what they mean outside of runs."""

    @pytest.mark.parametrize("outcome", [pytest.fail, pytest.xfail, pytest.skip])
    @pytest.mark.parametrize("run", [scenario.run, scenario.arun])
    async def test_they_are_raised_unchanged_from_steps(self, outcome: Any, run: Any) -> None:
        ears = Ears()

        def step(_: ScenarioState) -> None:
            outcome("on purpose")

        with pytest.raises(outcome.Exception, match="on purpose"):
            await run("n", "d", [], script=[step], verbose=False, listeners=[ears])

        assert ears.of("RunFinished")[0].stop_reason is StopReason.EXCEPTION


class TestResultType:
    def test_a_result_in_short_says_what_matters(self) -> None:
        result = scenario.ScenarioResult(success=True, messages=[])

        assert repr(result) == str(result) == "ScenarioResult(success=True, status=PASSED, reasoning='None')"

    @pytest.mark.parametrize(
        ("given", "outcome"),
        [
            ({"success": True}, Outcome.PASSED),
            ({"success": False}, Outcome.FAILED),
            ({"success": False, "failed_criteria": ["a"], "inconclusive_criteria": ["a"]}, Outcome.INCONCLUSIVE),
            ({"success": False, "failed_criteria": ["a", "b"], "inconclusive_criteria": ["a"]}, Outcome.FAILED),
        ],
    )
    def test_the_outcome_follows_from_success_and_criteria(self, given: dict[str, Any], outcome: Outcome) -> None:
        assert scenario.ScenarioResult(messages=[], **given).outcome is outcome

    @pytest.mark.parametrize(("success", "outcome"), [(True, Outcome.FAILED), (False, Outcome.PASSED)])
    def test_an_outcome_that_contradicts_success_is_refused(self, success: bool, outcome: Outcome) -> None:
        with pytest.raises(ValueError, match="contradicts"):
            scenario.ScenarioResult(success=success, messages=[], outcome=outcome)

    def test_a_result_survives_json(self) -> None:
        result = scenario.ScenarioResult(success=True, messages=[{"role": "user", "content": "hi"}])

        assert scenario.ScenarioResult.model_validate_json(result.model_dump_json()) == result


async def test_times_are_measured_apart_for_the_run_and_the_agent() -> None:
    class Slow(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            await asyncio.sleep(0.02)
            return "done"

    class SlowJudge(Slow):
        role = AgentRole.JUDGE

    result = await play(Slow(), SlowJudge(), script=[scenario.agent(), scenario.judge(), scenario.succeed()])

    assert result.agent_time is not None
    assert result.total_time is not None
    assert 0.015 < result.agent_time < result.total_time
    assert result.total_time > 0.035


def test_a_player_is_an_agent() -> None:
    assert isinstance(Player(), scenario.AgentAdapter)
