import inspect
from typing import Any
from unittest.mock import MagicMock

import pytest
from courtroom import (
    CONVERSATION,
    demanded,
    finish_arguments,
    judge_input,
    judge_of,
    offered,
    prompt,
    result_of,
    section,
)

from scenario.agent_adapter import AgentAdapter
from scenario.config import ModelConfig, ScenarioConfig
from scenario.errors import (
    ConfigurationError,
    MissingModelError,
)
from scenario.judge_agent import JudgeAgent
from scenario.llm.chat_model import ForcedTool
from scenario.testing import ScriptedModel, continue_test, tool_call, verdict
from scenario.types import AgentInput, AgentRole, JudgmentRequest, Outcome

POLITE, NUMBER = "The agent is polite", "The agent asks for the number"


# What a judge is made of


def test_a_judge_is_an_agent_of_the_judges_role():
    judge, _ = judge_of(POLITE)

    assert isinstance(judge, AgentAdapter)
    assert judge.role is AgentRole.JUDGE


def test_what_a_judge_was_given_can_be_read():
    model = ScriptedModel(name="offline/mine")
    judge = JudgeAgent(
        criteria=[POLITE],
        model=model,
        temperature=0.3,
        max_tokens=500,
        system_prompt="Be kind.",
        token_threshold=100,
        max_discovery_steps=3,
    )

    assert judge.criteria == [POLITE]
    assert judge.model == "offline/mine"
    assert judge.chat_model is model
    assert (judge.temperature, judge.max_tokens) == (0.3, 500)
    assert judge.system_prompt == "Be kind."
    assert (judge.token_threshold, judge.max_discovery_steps) == (100, 3)


def test_a_judge_keeps_its_own_list_of_criteria():
    criteria = [POLITE]
    judge = JudgeAgent(criteria=criteria, model=ScriptedModel())
    criteria.append(NUMBER)

    assert judge.criteria == [POLITE]


def test_without_criteria_a_judge_has_an_empty_list():
    assert JudgeAgent(model=ScriptedModel()).criteria == []


def test_the_temperature_a_judge_is_not_given_reads_as_zero():
    parameter = inspect.signature(JudgeAgent).parameters["temperature"]

    assert parameter.default == 0.0
    assert repr(parameter.default) == "0.0"


def test_an_explicit_temperature_of_zero_is_told_from_none_given():
    ScenarioConfig.configure(default_model=ModelConfig(model="offline/echo", temperature=0.7))

    assert JudgeAgent(temperature=0.0).temperature == 0.0
    assert JudgeAgent().temperature == 0.7


def test_without_any_model_a_judge_cannot_be_made():
    with pytest.raises(MissingModelError, match="JudgeAgent"):
        JudgeAgent(criteria=[POLITE])


async def test_settings_of_the_model_go_with_each_request():
    judge, model = judge_of(POLITE, answers=[verdict.all_passed()], temperature=0.4, max_tokens=77, top_p=0.5)

    await judge.call(judge_input())

    for request in model.requests:
        assert (request.temperature, request.max_tokens, dict(request.extra)) == (0.4, 77, {"top_p": 0.5})


@pytest.mark.parametrize(
    "setting",
    [
        {"span_collector": object()},
        {"include_audio": False},
        {"include_timeline": True},
        {"include_traces": True},
        {"remote_trace_fetcher": print},
        {"modality": "text"},
    ],
)
def test_a_parameter_whose_part_is_not_there_is_refused(setting: dict[str, Any]):
    (name,) = setting

    with pytest.raises(ConfigurationError, match=f"leave `{name}` out"):
        JudgeAgent(criteria=[POLITE], model=ScriptedModel(), **setting)


@pytest.mark.parametrize(
    "setting",
    [{"token_threshold": -1}, {"max_discovery_steps": -1}, {"token_threshold": 1.5}, {"max_discovery_steps": True}],
)
def test_a_limit_that_is_no_whole_number_is_refused(setting: dict[str, Any]):
    with pytest.raises(ConfigurationError, match=next(iter(setting))):
        JudgeAgent(criteria=[POLITE], model=ScriptedModel(), **setting)


@pytest.mark.parametrize("criteria", ["be polite", [""], [None], ["same", "same"]])
def test_criteria_that_cannot_be_judged_are_refused_when_the_judge_is_made(criteria: Any):
    with pytest.raises(ConfigurationError):
        JudgeAgent(criteria=criteria, model=ScriptedModel())


async def test_inline_criteria_that_cannot_be_judged_are_refused_before_the_model_is_asked():
    judge, model = judge_of()

    with pytest.raises(ConfigurationError, match="criteria 1 and 2 are the same"):
        await judge.call(demanded(criteria=["same", "same"]))

    assert model.calls == 0


# Which phase


async def test_a_judge_first_asks_whether_there_is_enough_and_lets_the_conversation_go_on():
    judge, model = judge_of(POLITE, answers=[continue_test()])

    assert await judge.call(judge_input()) == []
    (request,) = model.requests
    assert offered(request) == ["continue_test", "make_verdict"]
    assert request.tool_choice == "required"


async def test_a_judge_that_has_seen_enough_gives_its_verdict_at_once():
    judge, model = judge_of(POLITE, answers=[verdict.all_passed()])

    result = await result_of(judge, judge_input())

    assert result.success
    assert [offered(request) for request in model.requests] == [["continue_test", "make_verdict"], ["finish_test"]]
    assert model.requests[1].tool_choice == ForcedTool("finish_test")


async def test_on_the_last_turn_the_verdict_is_asked_for_directly_and_announced():
    judge, model = judge_of(POLITE, answers=[verdict.all_passed()])

    await judge.call(judge_input(turn=3, max_turns=4))

    (request,) = model.requests
    assert offered(request) == ["finish_test"]
    assert [role for role, _ in prompt(request)] == ["system", "user", "user"]
    assert "last turn" in section(prompt(request)[2][1], "finish_test")


async def test_without_a_limit_of_turns_the_tenth_is_the_last():
    judge, model = judge_of(POLITE, answers=[continue_test(), verdict.all_passed()])

    await judge.call(judge_input(turn=8, max_turns=None))
    await judge.call(judge_input(turn=9, max_turns=None))

    assert [offered(request)[-1] for request in model.requests] == ["make_verdict", "finish_test"]


async def test_a_script_that_asks_for_judgment_gets_the_verdict_directly():
    judge, model = judge_of(POLITE, answers=[verdict.all_passed()])

    await judge.call(demanded())

    (request,) = model.requests
    assert offered(request) == ["finish_test"]
    assert len(request.messages) == 2


async def test_below_the_least_number_of_turns_no_model_is_asked():
    judge, model = judge_of(POLITE, answers=[continue_test()])

    for turn in range(4):
        assert await judge.call(judge_input(turn=turn, min_turns=4)) == []
    assert model.calls == 0

    await judge.call(judge_input(turn=4, min_turns=4))
    assert model.calls == 1


async def test_the_last_turn_is_judged_even_below_the_least_number_of_turns():
    judge, _ = judge_of(POLITE, answers=[verdict.all_passed()])

    assert (await result_of(judge, judge_input(turn=1, max_turns=2, min_turns=5))).success


async def test_a_stand_in_for_the_state_will_do():
    state = MagicMock()
    state.description, state.current_turn, state.config.max_turns = "d", 9, 10
    judge, _ = judge_of(POLITE, answers=[verdict.all_passed()])
    input = AgentInput(thread_id="t", messages=[], new_messages=[], scenario_state=state)

    assert (await result_of(judge, input)).success


# No criteria


async def test_a_judgment_by_no_criteria_fails_without_asking_the_model():
    judge, model = judge_of()

    result = await result_of(judge, demanded())

    assert not result.success
    assert result.outcome is Outcome.FAILED
    assert "no criteria" in (result.reasoning or "")
    assert model.calls == 0


async def test_an_empty_list_of_inline_criteria_stands_in_for_the_judges_own():
    judge, model = judge_of(POLITE)

    result = await result_of(judge, demanded(criteria=[]))

    assert "no criteria" in (result.reasoning or "")
    assert model.calls == 0


async def test_a_judge_without_criteria_lets_a_conversation_run_and_decides_nothing_in_the_end():
    judge, model = judge_of()

    assert await judge.call(judge_input(turn=0)) == []
    result = await result_of(judge, judge_input(turn=9))

    assert result.outcome is Outcome.INCONCLUSIVE
    assert not result.success
    assert model.calls == 0


# What the result says


async def test_the_result_holds_the_conversation_and_a_verdict_on_each_criterion():
    arguments = finish_arguments(
        the_agent_is_polite={
            "requirement": "polite",
            "reasoning": "it is",
            "evidence": ["of COURSE"],
            "status": "passed",
        },
        the_agent_asks_for_the_number="failed",
        reasoning="half of it",
    )
    judge, _ = judge_of(POLITE, NUMBER, answers=[tool_call("finish_test", arguments)])
    input = demanded()

    result = await result_of(judge, input)

    assert result.messages == CONVERSATION
    assert all(kept is given for kept, given in zip(result.messages, input.messages, strict=True))
    assert not result.success
    assert result.outcome is Outcome.FAILED
    assert result.reasoning == "half of it"
    assert (result.passed_criteria, result.failed_criteria, result.inconclusive_criteria) == ([POLITE], [NUMBER], [])
    assert [entry.model_dump() for entry in result.criteria] == [
        {
            "criterion": POLITE,
            "requirement": "polite",
            "status": "passed",
            "reasoning": "it is",
            "evidence": [{"quote": "of COURSE", "verified": True, "message_index": 1}],
        },
        {"criterion": NUMBER, "requirement": "r", "status": "failed", "reasoning": "because", "evidence": []},
    ]


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        (("passed", "passed"), Outcome.PASSED),
        (("passed", "failed"), Outcome.FAILED),
        (("inconclusive", "failed"), Outcome.FAILED),
        (("inconclusive", "passed"), Outcome.INCONCLUSIVE),
        (("inconclusive", "inconclusive"), Outcome.INCONCLUSIVE),
    ],
)
async def test_one_failure_fails_the_run_and_one_doubt_leaves_it_open(statuses: tuple[str, str], outcome: Outcome):
    first, second = statuses
    arguments = finish_arguments(the_agent_is_polite=first, the_agent_asks_for_the_number=second)
    judge, _ = judge_of(POLITE, NUMBER, answers=[tool_call("finish_test", arguments)])

    result = await result_of(judge, demanded())

    assert result.outcome is outcome
    assert result.success == (outcome is Outcome.PASSED)
    assert result.stop_reason is None


async def test_a_doubtful_criterion_is_listed_as_failed_and_as_inconclusive():
    judge, _ = judge_of(POLITE, NUMBER, answers=[verdict(inconclusive=[NUMBER])])

    result = await result_of(judge, demanded())

    assert (result.passed_criteria, result.failed_criteria, result.inconclusive_criteria) == (
        [POLITE],
        [NUMBER],
        [NUMBER],
    )


async def test_a_doubtful_verdict_nobody_demanded_lets_the_conversation_go_on():
    judge, model = judge_of(POLITE, answers=[verdict.all_inconclusive()])

    assert await judge.call(judge_input()) == []
    assert model.calls == 2


async def test_a_doubtful_verdict_on_the_last_turn_is_final():
    judge, _ = judge_of(POLITE, answers=[verdict.all_inconclusive()])

    assert (await result_of(judge, judge_input(turn=9))).outcome is Outcome.INCONCLUSIVE


async def test_a_pass_that_quotes_only_what_nobody_said_is_inconclusive():
    entry = {"requirement": "r", "reasoning": "It is.", "evidence": ["I refunded you"], "status": "passed"}
    judge, _ = judge_of(POLITE, answers=[tool_call("finish_test", finish_arguments(the_agent_is_polite=entry))])

    result = await result_of(judge, demanded())

    assert result.outcome is Outcome.INCONCLUSIVE
    assert result.criteria[0].reasoning.startswith("It is. None of the passages")


async def test_a_quote_of_the_additional_context_counts():
    entry = {"requirement": "r", "reasoning": "It is.", "evidence": ["42 EUR refunded"], "status": "passed"}
    judge, _ = judge_of(POLITE, answers=[tool_call("finish_test", finish_arguments(the_agent_is_polite=entry))])

    assert (await result_of(judge, demanded(additional_context="ledger: 42 EUR refunded"))).success


# Inline criteria and several judges


async def test_inline_criteria_stand_in_for_the_judges_own_and_leave_them_as_they_are():
    judge, model = judge_of(POLITE, answers=[verdict.all_passed()])

    result = await result_of(judge, demanded(criteria=[NUMBER]))

    assert result.passed_criteria == [NUMBER]
    assert judge.criteria == [POLITE]
    assert section(prompt(model.requests[0])[0][1], "criteria") == f"1. {NUMBER}"


async def test_a_request_without_criteria_means_the_judges_own():
    judge, _ = judge_of(POLITE, answers=[verdict.all_passed()])

    assert (await result_of(judge, judge_input(request=JudgmentRequest()))).passed_criteria == [POLITE]


async def test_two_judges_of_one_conversation_each_judge_by_their_own_criteria():
    first, _ = judge_of(POLITE, answers=[verdict.all_passed()])
    second, _ = judge_of(NUMBER, answers=[verdict.all_failed()])

    results = [await result_of(judge, demanded()) for judge in (first, second)]

    assert [result.passed_criteria for result in results] == [[POLITE], []]
    assert [result.failed_criteria for result in results] == [[], [NUMBER]]


async def test_criteria_added_to_the_judge_later_count():
    judge, _ = judge_of(POLITE, answers=[verdict.all_passed()])
    judge.criteria.append(NUMBER)

    assert (await result_of(judge, demanded())).passed_criteria == [POLITE, NUMBER]


# Criteria that broke other judges


async def test_two_chinese_criteria_of_the_same_length_get_a_verdict_each():
    judge, model = judge_of("客服很有礼貌", "客服问了单号", answers=[verdict(failed=["客服问了单号"])])

    result = await result_of(judge, demanded())

    assert (result.passed_criteria, result.failed_criteria) == (["客服很有礼貌"], ["客服问了单号"])
    assert section(prompt(model.requests[0])[0][1], "criteria") == "1. 客服很有礼貌\n2. 客服问了单号"


async def test_criteria_of_ten_thousand_characters_get_a_verdict_each():
    long = ["The agent " + "really " * 1_430 + ending for ending in ("helps", "listens")]
    judge, _ = judge_of(*long, answers=[verdict(failed=[long[1]])])

    result = await result_of(judge, demanded())

    assert (result.passed_criteria, result.failed_criteria) == ([long[0]], [long[1]])


async def test_verdicts_are_matched_by_key_and_a_criterion_left_out_has_failed():
    only_second = tool_call("finish_test", finish_arguments(the_agent_asks_for_the_number="passed"))
    judge, model = judge_of(POLITE, NUMBER, answers=[only_second, only_second])

    result = await result_of(judge, demanded())

    assert (result.passed_criteria, result.failed_criteria) == ([NUMBER], [POLITE])
    assert not result.success
    assert model.calls == 2
