"""What a judge's result says, by which criteria."""

import asyncio
from typing import Any

import pytest
from courtroom import (
    CONVERSATION,
    demanded,
    finish_arguments,
    judge_input,
    judge_of,
    prompt,
    result_of,
    section,
)

from scenario.judge_agent import JudgeAgent
from scenario.testing import ScriptedModel, tool_call, verdict
from scenario.types import JudgmentRequest, Outcome

POLITE, NUMBER = "The agent is polite", "The agent asks for the number"


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


async def test_one_judge_of_two_conversations_at_once_keeps_them_apart():
    both_asked = asyncio.Event()
    seen: list[str] = []

    async def answer(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Any:
        seen.append(messages[1]["content"])
        if len(seen) == 2:
            both_asked.set()
        await both_asked.wait()
        return verdict.all_passed() if "first" in messages[1]["content"] else verdict.all_failed()

    judge = JudgeAgent(criteria=[POLITE], model=ScriptedModel(answer))
    inputs = [judge_input([{"role": "user", "content": word}], turn=9) for word in ("first", "second")]

    async with asyncio.timeout(5):
        first, second = await asyncio.gather(*(result_of(judge, input) for input in inputs))

    assert (first.success, second.success) == (True, False)
    assert [result.messages[0].get("content") for result in (first, second)] == ["first", "second"]


async def test_judges_that_differ_in_criteria_or_prompt_send_different_requests():
    requests: list[Any] = []
    for criterion, own_prompt in ((POLITE, None), (NUMBER, None), (POLITE, "Be kind.")):
        judge, model = judge_of(criterion, answers=[verdict.all_passed()], system_prompt=own_prompt)
        await judge.call(judge_input())
        requests.append([prompt(request) for request in model.requests])

    decisions, verdicts = zip(*requests, strict=True)
    assert len({str(decision) for decision in decisions}) == 3
    assert len({str(final) for final in verdicts}) == 3


async def test_a_cancelled_judgment_is_cancelled():
    asked = asyncio.Event()

    async def answer(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        asked.set()
        await asyncio.Event().wait()
        return "never"

    judge = JudgeAgent(criteria=[POLITE], model=ScriptedModel(answer))
    async with asyncio.TaskGroup() as group:
        judging = group.create_task(result_of(judge, demanded()))
        await asked.wait()
        judging.cancel()

    assert judging.cancelled()


async def test_criteria_added_to_the_judge_later_count():
    judge, _ = judge_of(POLITE, answers=[verdict.all_passed()])
    judge.criteria.append(NUMBER)

    assert (await result_of(judge, demanded())).passed_criteria == [POLITE, NUMBER]


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
