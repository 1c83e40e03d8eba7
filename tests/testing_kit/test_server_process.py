"""The local model server as a process of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam
from testing_kit.requests import decision_request, verdict_request

from scenario.llm.chat_model import ModelRequest

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]


@contextmanager
def process(*options: str, stdin: int = subprocess.PIPE) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", "scenario.testing.local_model_server", *options],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def url_of(running: "subprocess.Popen[str]") -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def ended_quietly(running: "subprocess.Popen[str]") -> bool:
    output, errors = running.communicate(timeout=10)
    return (running.returncode, output, errors) == (0, "", "")


def test_it_prints_its_url_and_ends_with_its_input() -> None:
    with process("--answer", "hello") as running:
        with openai.OpenAI(base_url=url_of(running), api_key="none") as client:
            answer = client.chat.completions.create(model="x", messages=HI)

        assert answer.choices[0].message.content == "hello"
        assert ended_quietly(running)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly(number: signal.Signals) -> None:
    with process(stdin=subprocess.DEVNULL) as running:
        assert url_of(running).startswith("http://127.0.0.1:")
        running.send_signal(number)

        assert ended_quietly(running)


def test_its_options_are_those_of_the_server() -> None:
    with process("--api-key", "sk-1") as running:
        with openai.OpenAI(base_url=url_of(running), api_key="sk-2", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError):
                client.chat.completions.create(model="x", messages=HI)
            with pytest.raises(openai.AuthenticationError):
                client.models.list()


def body_of(request: ModelRequest) -> dict[str, Any]:
    functions = [{"name": tool.name, "parameters": dict(tool.parameters)} for tool in request.tools]
    tools = [{"type": "function", "function": function} for function in functions]
    return {"messages": list(request.messages), "tools": tools}


def test_the_fast_mode_answers_by_what_is_asked() -> None:
    with process("--fast", "--answer", "next, please") as running:
        with openai.OpenAI(base_url=url_of(running), api_key="none") as client:
            said = client.chat.completions.create(model="x", messages=HI)
            decided = client.chat.completions.create(model="x", **body_of(decision_request([], "a", "b")))
            judged = client.chat.completions.create(model="x", **body_of(verdict_request([], "a", "b")))

        assert said.choices[0].message.content == "next, please"
        assert said.usage is not None
        assert function_of(decided).name == "continue_test"
        criteria = json.loads(function_of(judged).arguments)["criteria"]
        assert [answer["status"] for answer in criteria.values()] == ["passed", "passed"]


def function_of(answer: Any) -> Any:
    (call,) = answer.choices[0].message.tool_calls
    return call.function
