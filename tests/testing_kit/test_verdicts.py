"""Scripted verdicts fit the request they answer."""

import json

import pytest

from scenario.errors import ConfigurationError
from scenario.llm.chat_model import ModelReply, ModelRequest
from scenario.testing import ScriptedModel, continue_test, make_verdict, verdict
from testing_kit.requests import agent, decision_request, only_call, user, verdict_request

TALK = [user("hi"), agent("hello")]
POLITE, QUICK = "The agent is polite", "The agent is quick"


def statuses(reply: ModelReply) -> dict[str, str]:
    criteria = json.loads(reply.tool_calls[0].arguments)["criteria"]
    return {answer["requirement"]: answer["status"] for answer in criteria.values()}


async def test_all_criteria_can_pass_in_one_word() -> None:
    reply = await ScriptedModel([verdict.all_passed()]).complete(verdict_request(TALK, POLITE, QUICK))

    assert statuses(reply) == {POLITE: "passed", QUICK: "passed"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (verdict(failed=[QUICK]), {POLITE: "passed", QUICK: "failed"}),
        (verdict(inconclusive=[QUICK]), {POLITE: "passed", QUICK: "inconclusive"}),
        (verdict(passed=[POLITE]), {POLITE: "passed", QUICK: "inconclusive"}),
        (verdict(passed=[POLITE], failed=[QUICK]), {POLITE: "passed", QUICK: "failed"}),
        (verdict(passed=[POLITE], rest="failed"), {POLITE: "passed", QUICK: "failed"}),
        (verdict(failed="polite"), {POLITE: "failed", QUICK: "passed"}),
        (verdict(failed="the_agent_is_quick"), {POLITE: "passed", QUICK: "failed"}),
        (verdict(failed="THE  agent is quick"), {POLITE: "passed", QUICK: "failed"}),
        (verdict.all_failed(), {POLITE: "failed", QUICK: "failed"}),
        (verdict.all_inconclusive(), {POLITE: "inconclusive", QUICK: "inconclusive"}),
    ],
)
async def test_criteria_are_named_by_their_words(answer: object, expected: dict[str, str]) -> None:
    reply = await ScriptedModel([answer]).complete(verdict_request(TALK, POLITE, QUICK))  # type: ignore[list-item]

    assert statuses(reply) == expected


async def test_a_verdict_says_first_that_enough_was_seen_and_is_given_when_asked_for() -> None:
    model = ScriptedModel([verdict.all_passed(), "next"])

    decided = await model.complete(decision_request(TALK, POLITE))
    judged = await model.complete(verdict_request(TALK, POLITE))

    assert [only_call(decided), only_call(judged)] == ["make_verdict", "finish_test"]
    assert (await model.complete(verdict_request(TALK, POLITE))).text == "next"


async def test_a_judge_can_be_made_to_wait() -> None:
    model = ScriptedModel([continue_test(), make_verdict()])

    replies = [await model.complete(decision_request(TALK, POLITE)) for _ in range(2)]

    assert [only_call(reply) for reply in replies] == ["continue_test", "make_verdict"]


async def test_a_criterion_that_nobody_asked_about_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="names 'cheap', which is no criterion") as raised:
        await ScriptedModel([verdict(failed="cheap")]).complete(verdict_request(TALK, POLITE))

    assert POLITE in raised.value.fix


async def test_words_that_several_criteria_have_are_an_error() -> None:
    with pytest.raises(ConfigurationError, match="several criteria contain"):
        await ScriptedModel([verdict(failed="agent")]).complete(verdict_request(TALK, POLITE, QUICK))


@pytest.mark.parametrize("answer", [verdict.all_passed(), continue_test(), make_verdict()])
async def test_a_verdict_for_somebody_else_than_a_judge_is_an_error(answer: object) -> None:
    request = ModelRequest(messages=[user("hi")])

    with pytest.raises(ConfigurationError, match="the request offers no tool"):
        await ScriptedModel([answer]).complete(request)  # type: ignore[list-item]
