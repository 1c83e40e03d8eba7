"""Answers of the judge's model that are not what it was asked for."""

from typing import Any

import pytest
from courtroom import (
    demanded,
    finish_arguments,
    judge_input,
    judge_of,
    offered,
    prompt,
    result_of,
)

from scenario.errors import (
    ContentFilterError,
    EmptyAnswerError,
    MalformedAnswerError,
    ModelAnswerError,
    ModelError,
    RateLimitError,
    TruncatedAnswerError,
)
from scenario.llm.chat_model import ModelReply, ModelToolCall
from scenario.testing import continue_test, tool_call, verdict
from scenario.types import Outcome

POLITE, NUMBER = "The agent is polite", "The agent asks for the number"


@pytest.mark.parametrize(
    "answer",
    [
        "continue_test",
        "`continue_test()`",
        '{"name": "continue_test", "arguments": {}}',
        tool_call("Continue_Test"),
        tool_call("functions.continue_test"),
        tool_call("continue_test", "null"),
    ],
)
async def test_a_decision_in_an_odd_shape_is_understood(answer: Any):
    judge, model = judge_of(POLITE, answers=[answer])

    assert await judge.call(judge_input()) == []
    assert model.calls == 1


@pytest.mark.parametrize(
    "answer",
    [
        "I think the conversation should go on.",
        "Either continue_test or make_verdict.",
        tool_call("finish_test", "{}"),
        tool_call("expand_transcript", indices=[0]),
        EmptyAnswerError("nothing"),
        MalformedAnswerError("odd"),
        TruncatedAnswerError("cut"),
    ],
)
async def test_a_decision_that_is_none_is_asked_for_once_more(answer: Any):
    judge, model = judge_of(POLITE, answers=[answer, continue_test()])

    assert await judge.call(judge_input()) == []
    role, text = prompt(model.requests[1])[-1]
    assert role == "user"
    assert "could not be used" in text
    assert "`continue_test` or `make_verdict`" in text


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("hm", MalformedAnswerError),
        (tool_call("book"), MalformedAnswerError),
        (EmptyAnswerError("nothing"), EmptyAnswerError),
        (TruncatedAnswerError("cut"), TruncatedAnswerError),
    ],
)
async def test_no_decision_twice_is_an_error_that_names_the_model(answer: Any, error: type[ModelAnswerError]):
    judge, model = judge_of(POLITE, answers=[answer, answer])

    with pytest.raises(error) as raised:
        await judge.call(judge_input())

    assert model.calls == 2
    if error is MalformedAnswerError:
        assert raised.value.model == "offline/scripted"
        assert "offline/scripted" in str(raised.value)


@pytest.mark.parametrize(
    "answer",
    [
        tool_call("finish_test", "{"),
        tool_call("finish_test", "[]"),
        tool_call("finish_test", "null"),
        tool_call("finish_test", finish_arguments(the_agent_is_polite="perhaps")),
        "The agent passed everything.",
        tool_call("book"),
        EmptyAnswerError("nothing"),
        MalformedAnswerError("odd"),
    ],
)
async def test_a_verdict_that_is_none_is_asked_for_once_more_with_what_was_wrong(answer: Any):
    judge, model = judge_of(POLITE, answers=[answer, verdict.all_passed()])

    assert (await result_of(judge, demanded())).success
    role, text = prompt(model.requests[1])[-1]
    assert role == "user"
    assert "could not be used" in text
    assert "`finish_test`" in text
    assert offered(model.requests[1]) == ["finish_test"]


async def test_a_verdict_cut_by_the_token_limit_is_asked_for_again_more_briefly():
    judge, model = judge_of(POLITE, answers=[TruncatedAnswerError("cut"), verdict.all_passed()])

    assert (await result_of(judge, demanded())).success
    assert "one short sentence" in prompt(model.requests[1])[-1][1]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (tool_call("finish_test", "{"), MalformedAnswerError),
        ("The agent passed everything.", MalformedAnswerError),
        (tool_call("book"), MalformedAnswerError),
        (TruncatedAnswerError("cut"), TruncatedAnswerError),
    ],
)
async def test_no_verdict_twice_is_an_error(answer: Any, error: type[ModelAnswerError]):
    judge, model = judge_of(POLITE, answers=[answer, answer])

    with pytest.raises(error):
        await judge.call(demanded())

    assert model.calls == 2


@pytest.mark.parametrize("arguments", ["[]", "null", "{}", '{"criteria": []}', '{"criteria": "no json"}'])
async def test_a_verdict_without_usable_criteria_twice_fails_every_criterion(arguments: str):
    answer = tool_call("finish_test", arguments)
    judge, _ = judge_of(POLITE, NUMBER, answers=[answer, answer])

    result = await result_of(judge, demanded())

    assert result.outcome is Outcome.FAILED
    assert result.failed_criteria == [POLITE, NUMBER]
    assert result.inconclusive_criteria == []


async def test_of_two_incomplete_verdicts_the_fuller_one_counts():
    fuller = tool_call("finish_test", finish_arguments(the_agent_is_polite="passed"))
    judge, _ = judge_of(POLITE, NUMBER, answers=[fuller, tool_call("finish_test", "null")])

    result = await result_of(judge, demanded())

    assert (result.passed_criteria, result.failed_criteria) == ([POLITE], [NUMBER])


async def test_a_status_in_capitals_is_understood_without_asking_again():
    judge, model = judge_of(POLITE, answers=[tool_call("finish_test", finish_arguments(the_agent_is_polite="PASSED"))])

    assert (await result_of(judge, demanded())).success
    assert model.calls == 1


async def test_a_verdict_written_as_text_is_understood():
    judge, _ = judge_of(POLITE, answers=[finish_arguments(the_agent_is_polite="passed")])

    assert (await result_of(judge, demanded())).success


async def test_the_verdict_wins_over_other_calls_beside_it():
    calls = [tool_call("book"), tool_call("finish_test", finish_arguments(the_agent_is_polite="passed"))]
    judge, model = judge_of(POLITE, answers=[calls])

    assert (await result_of(judge, demanded())).success
    assert model.calls == 1


@pytest.mark.parametrize("error", [ContentFilterError("withheld"), RateLimitError("slow down"), ModelError("broken")])
async def test_errors_of_the_model_itself_are_raised_as_they_are(error: ModelError):
    judge, model = judge_of(POLITE, answers=[error])

    with pytest.raises(type(error)) as raised:
        await judge.call(demanded())

    assert raised.value is error
    assert model.calls == 1


async def test_an_answer_the_service_marks_as_cut_is_asked_for_again_more_briefly():
    call = ModelToolCall(id="c", name="finish_test", arguments='{"criteria": {"the_ag')
    judge, model = judge_of(
        POLITE, answers=[ModelReply(tool_calls=[call], finish_reason="length"), verdict.all_passed()]
    )

    assert (await result_of(judge, demanded())).success
    assert "one short sentence" in prompt(model.requests[1])[-1][1]
