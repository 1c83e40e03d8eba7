"""Conversations that are long, or longer than the model can take."""

import json
from typing import Any

import pytest
from courtroom import (
    judge_input,
    judge_of,
    offered,
    prompt,
    result_of,
    section,
)

from scenario.errors import (
    ContextTooLongError,
)
from scenario.judge_agent import JudgeAgent
from scenario.llm.chat_model import ForcedTool, ModelReply, ModelToolCall
from scenario.testing import ScriptedModel, continue_test, tool_call, verdict
from scenario.types import Outcome

POLITE, NUMBER = "The agent is polite", "The agent asks for the number"


LONG = [{"role": "user" if i % 2 == 0 else "assistant", "content": f"line {i} " + "word " * 200} for i in range(40)]


async def test_a_conversation_at_the_threshold_is_shown_whole_and_above_it_as_an_outline():
    messages = [{"role": "user", "content": "x" * 388}]  # 396 bytes with the role: 99 tokens

    for threshold, is_whole in ((99, True), (98, False)):
        judge, model = judge_of(POLITE, answers=[continue_test()], token_threshold=threshold)
        await judge.call(judge_input(messages))
        assert section(prompt(model.requests[0])[1][1], "transcript").startswith("user: ") == is_whole


async def test_a_long_conversation_is_an_outline_with_tools_to_look_into_it():
    judge, model = judge_of(POLITE, answers=[continue_test()])

    await judge.call(judge_input(LONG))

    (request,) = model.requests
    assert offered(request) == ["expand_transcript", "grep_transcript", "continue_test", "make_verdict"]
    user = prompt(request)[1][1]
    assert section(user, "transcript").startswith("Messages: 40\n\n[0] user (~254 tokens)")
    assert "expand_transcript" in user.partition("</transcript>")[2]


async def test_what_the_judge_looks_up_is_answered_call_by_call():
    looks = [tool_call("expand_transcript", indices=[3]), tool_call("grep_transcript", pattern="line 7 ")]
    judge, model = judge_of(POLITE, answers=[looks, verdict.all_passed()])

    result = await result_of(judge, judge_input(LONG, turn=9))

    first, second = model.requests
    assert result.success
    assert first.tool_choice == second.tool_choice == "required"
    assistant, expanded, found = second.messages[-3:]
    assert [call["function"]["name"] for call in assistant["tool_calls"]] == ["expand_transcript", "grep_transcript"]
    assert [call["id"] for call in assistant["tool_calls"]] == [expanded["tool_call_id"], found["tool_call_id"]]
    assert expanded["content"].startswith('[3] assistant: "line 3 word')
    assert found["content"].startswith('--- [7] assistant ---\n  assistant: "line 7 word')


@pytest.mark.parametrize(
    ("look", "answer"),
    [
        (tool_call("expand_transcript", "{"), "Error: could not parse arguments"),
        (tool_call("expand_transcript", '{"indices": null}'), "Error: provide at least one message index."),
        (tool_call("grep_transcript", "[]"), "Error: could not parse arguments"),
        (tool_call("drop_table", "{}"), "Unknown tool: drop_table"),
    ],
)
async def test_a_look_that_is_wrong_is_answered_with_what_is_wrong(look: Any, answer: str):
    judge, model = judge_of(POLITE, answers=[look, verdict.all_passed()])

    assert (await result_of(judge, judge_input(LONG, turn=9))).success
    assistant, told = model.requests[1].messages[-2:]
    assert told["content"].startswith(answer)
    assert isinstance(json.loads(assistant["tool_calls"][0]["function"]["arguments"]), dict)


async def test_what_the_service_wants_back_with_a_call_comes_back():
    call = ModelToolCall(
        id="c", name="grep_transcript", arguments='{"pattern": "x"}', echo={"extra_content": {"s": "1"}}
    )
    reply = ModelReply(text="hm", tool_calls=[call], echo={"reasoning_content": "…"})
    judge, model = judge_of(POLITE, answers=[reply, verdict.all_passed()])

    await judge.call(judge_input(LONG, turn=9))

    assistant = model.requests[1].messages[-2]
    assert (assistant["content"], assistant["reasoning_content"]) == ("hm", "…")
    assert assistant["tool_calls"][0]["extra_content"] == {"s": "1"}


async def test_very_many_looks_at_once_are_all_answered_and_ten_carried_out():
    looks = [tool_call("expand_transcript", indices=[0])] * 30
    judge, model = judge_of(POLITE, answers=[looks, verdict.all_passed()])

    assert (await result_of(judge, judge_input(LONG, turn=9))).success
    answers = [message["content"] for message in model.requests[1].messages if message["role"] == "tool"]
    assert [answer.startswith("[0] user") for answer in answers] == [True] * 10 + [False] * 20
    assert "not carried out" in answers[10]


async def test_on_the_last_allowed_look_the_verdict_is_demanded():
    look = tool_call("grep_transcript", pattern="line")
    judge, model = judge_of(POLITE, answers=[look, look, verdict.all_passed()], max_discovery_steps=3)

    assert (await result_of(judge, judge_input(LONG, turn=9))).success
    assert [request.tool_choice for request in model.requests] == ["required", "required", ForcedTool("finish_test")]


async def test_a_judge_that_only_looks_is_asked_for_the_verdict_on_what_it_has_read():
    look = tool_call("expand_transcript", indices=[2])
    judge, model = judge_of(POLITE, answers=[look, look, verdict.all_passed()], max_discovery_steps=2)

    assert (await result_of(judge, judge_input(LONG, turn=9))).success
    last = model.requests[2]
    assert offered(last) == ["finish_test"]
    assert last.tool_choice == ForcedTool("finish_test")
    assert [message["role"] for message in last.messages] == ["system", "user", "user", "assistant", "user"]
    assert not any("tool_calls" in message or message["role"] == "tool" for message in last.messages)
    read = last.messages[3]["content"]
    assert read.count('I called expand_transcript("{\\"indices\\": [2]}") and read:') == 2
    assert '[2] user: "line 2 word' in read


async def test_a_judge_that_looks_instead_of_deciding_has_to_give_its_verdict():
    look = tool_call("expand_transcript", indices=[2])
    judge, model = judge_of(POLITE, answers=[look, look, verdict.all_inconclusive()], max_discovery_steps=2)

    result = await result_of(judge, judge_input(LONG))

    assert result.outcome is Outcome.INCONCLUSIVE
    assert [offered(request)[-1] for request in model.requests] == ["make_verdict", "make_verdict", "finish_test"]
    assert '[2] user: "line 2 word' in model.requests[2].messages[2]["content"]


async def test_a_judge_that_never_stops_looking_fails_every_criterion():
    look = tool_call("expand_transcript", indices=[2])
    judge, _ = judge_of(POLITE, answers=[look] * 4, max_discovery_steps=2)

    result = await result_of(judge, judge_input(LONG, turn=9))

    assert result.outcome is Outcome.FAILED
    assert "did not converge" in (result.reasoning or "")


async def test_without_discovery_steps_the_conversation_is_always_shown_whole():
    judge, model = judge_of(POLITE, answers=[continue_test()], max_discovery_steps=0)

    await judge.call(judge_input(LONG))

    assert offered(model.requests[0]) == ["continue_test", "make_verdict"]
    assert section(prompt(model.requests[0])[1][1], "transcript").count("\n") == 39


class SmallModel:
    """A model that refuses prompts above a size, and otherwise answers like a scripted one."""

    name = "offline/small"

    def __init__(self, room: int, answers: list[Any]) -> None:
        self.room, self.script, self.sizes = room, ScriptedModel(answers), list[int]()

    async def complete(self, request: Any) -> Any:
        size = sum(len(message["content"] or "") for message in request.messages)
        self.sizes.append(size)
        if size > self.room:
            raise ContextTooLongError(f"{size} characters are too many")
        return await self.script.complete(request)


async def test_a_conversation_that_does_not_fit_is_judged_from_an_outline_and_the_result_says_so():
    model = SmallModel(20_000, [tool_call("expand_transcript", indices=[3]), verdict.all_passed()])
    judge = JudgeAgent(criteria=[POLITE], model=model, token_threshold=1_000_000)

    result = await result_of(judge, judge_input(LONG, turn=9))

    assert result.success
    assert "did not fit" in (result.reasoning or "")
    assert len(model.sizes) == 3


async def test_excerpts_shrink_until_they_fit():
    looks = [tool_call("expand_transcript", indices=list(range(40)))]
    model = SmallModel(10_000, [looks, looks, looks, verdict.all_passed()])
    judge = JudgeAgent(criteria=[POLITE], model=model)

    result = await result_of(judge, judge_input(LONG, turn=9))

    assert result.success
    assert "did not fit" in (result.reasoning or "")
    assert max(size for size in model.sizes if size <= model.room) > 4_000


async def test_what_was_read_is_cut_if_it_does_not_fit_when_the_judge_has_to_come_to_an_end():
    look = tool_call("expand_transcript", indices=list(range(40)))
    model = SmallModel(14_000, [look, verdict.all_passed()])
    judge = JudgeAgent(criteria=[POLITE], model=model, max_discovery_steps=1)

    result = await result_of(judge, judge_input(LONG, turn=9))

    assert result.success
    assert "did not fit" in (result.reasoning or "")
    first, whole, half = model.sizes
    assert first < model.room < whole
    assert half < whole - 8_000


async def test_a_conversation_that_never_fits_is_an_error_after_a_bounded_number_of_tries():
    model = SmallModel(10, [])
    judge = JudgeAgent(criteria=[POLITE], model=model)

    with pytest.raises(ContextTooLongError):
        await judge.call(judge_input(LONG, turn=9))

    assert len(model.sizes) <= 5


async def test_a_conversation_that_fits_is_judged_without_a_word_about_it():
    judge, _ = judge_of(POLITE, answers=[verdict.all_passed(reasoning="fine")])

    assert (await result_of(judge, judge_input(LONG, turn=9))).reasoning == "fine"
