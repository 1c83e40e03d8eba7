"""The judge against a model server that checks requests as strictly as the real service does."""

from collections.abc import Iterator

import pytest
from courtroom import demanded, judge_input, result_of

from scenario.config import ModelConfig
from scenario.judge_agent import JudgeAgent
from scenario.testing import LocalModelServer, tool_call, verdict

LONG = [{"role": "user" if i % 2 == 0 else "assistant", "content": f"line {i} " + "word " * 200} for i in range(40)]


@pytest.fixture
def server() -> Iterator[LocalModelServer]:
    with LocalModelServer() as server:
        yield server


@pytest.fixture
def judge(server: LocalModelServer) -> JudgeAgent:
    model = ModelConfig(model="openai/any", api_base=server.url, api_key="none")
    criteria = ["The agent is polite", "客服很有礼貌", "客服问了单号"]
    return JudgeAgent(criteria=criteria, model=model, max_discovery_steps=2)


async def test_both_phases_are_requests_the_service_takes(server: LocalModelServer, judge: JudgeAgent):
    server.set_answer([verdict(failed=["客服问了单号"])])

    result = await result_of(judge, judge_input())

    assert result.passed_criteria == ["The agent is polite", "客服很有礼貌"]
    assert result.failed_criteria == ["客服问了单号"]
    decision, final = server.requests
    assert decision["tool_choice"] == "required"
    assert final["tool_choice"] == {"type": "function", "function": {"name": "finish_test"}}
    assert final["tools"][0]["function"]["strict"] is True


async def test_looking_into_a_long_conversation_is_a_dialogue_the_service_takes(
    server: LocalModelServer, judge: JudgeAgent
):
    look = [tool_call("expand_transcript", indices=[3]), tool_call("grep_transcript", "{oops")]
    server.set_answer([look, look, verdict.all_passed()])

    assert (await result_of(judge, judge_input(LONG, turn=9))).success
    assert server.calls == 3


async def test_the_offline_judge_understands_the_prompt():
    judge = JudgeAgent(criteria=['says "order number"', 'never says "refunded"'], model="offline/judge")

    result = await result_of(judge, demanded())

    assert result.success
    assert [passage.verified for passage in result.criteria[0].evidence] == [True]


async def test_the_offline_judge_looks_a_long_conversation_up():
    judge = JudgeAgent(criteria=['says "line 21 "', 'never says "line 99"'], model="offline/judge")

    assert (await result_of(judge, judge_input(LONG, turn=9))).success
