"""What tests of the judge share: judges with a scripted model, inputs for them, and what their model was asked."""

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from scenario.judge_agent import JudgeAgent
from scenario.llm.chat_model import ModelRequest
from scenario.testing import ScriptedModel
from scenario.types import AgentInput, JudgmentRequest, ScenarioResult

CONVERSATION: list[dict[str, Any]] = [
    {"role": "user", "content": "I want my money back"},
    {"role": "assistant", "content": "Of course. What is your order number?"},
]


def judge_input(
    messages: Sequence[dict[str, Any]] = CONVERSATION,
    *,
    turn: int = 0,
    max_turns: int | None = 10,
    min_turns: int | None = None,
    request: JudgmentRequest | None = None,
    description: str = "A customer wants a refund.",
) -> AgentInput:
    """Return what a judge is called with after `messages`."""
    state: Any = SimpleNamespace(
        description=description,
        current_turn=turn,
        config=SimpleNamespace(max_turns=max_turns, min_turns=min_turns),
    )
    history: Any = list(messages)
    return AgentInput(
        thread_id="thread", messages=history, new_messages=[], judgment_request=request, scenario_state=state
    )


def demanded(criteria: list[str] | None = None, additional_context: str | None = None) -> AgentInput:
    """Return the input of a script's `judge()` step."""
    return judge_input(request=JudgmentRequest(criteria=criteria, additional_context=additional_context))


def judge_of(*criteria: str, answers: Any = (), **settings: Any) -> tuple[JudgeAgent, ScriptedModel]:
    """Return a judge and the scripted model it asks."""
    model = ScriptedModel(answers)
    return JudgeAgent(criteria=list(criteria), model=model, **settings), model


async def result_of(judge: JudgeAgent, input: AgentInput) -> ScenarioResult:
    """Return the result a judge gives, which it has to give."""
    result = await judge.call(input)
    assert isinstance(result, ScenarioResult)
    return result


def finish_arguments(reasoning: str = "all in all", **verdicts: Any) -> str:
    """Return arguments of `finish_test`; a verdict is given whole or as its status."""
    criteria: dict[str, Any] = {
        key: {"requirement": "r", "reasoning": "because", "evidence": [], "status": verdict}
        if isinstance(verdict, str)
        else verdict
        for key, verdict in verdicts.items()
    }
    return json.dumps({"criteria": criteria, "reasoning": reasoning})


def offered(request: ModelRequest) -> list[str]:
    """Return the names of the tools a request offers, in order."""
    return [tool.name for tool in request.tools]


def prompt(request: ModelRequest) -> list[tuple[str, str]]:
    """Return role and text of each message of a request."""
    return [(message["role"], message["content"]) for message in request.messages]


def section(text: str, tag: str) -> str:
    """Return what stands between the tags of a section that is there once."""
    assert text.count(f"<{tag}>") == text.count(f"</{tag}>") == 1, tag
    return text.partition(f"<{tag}>\n")[2].partition(f"\n</{tag}>")[0]
