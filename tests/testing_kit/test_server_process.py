"""The local model server as a process of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from scenario.llm.chat_model import ModelRequest
from testing_kit.requests import decision_request, verdict_request

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]


@contextmanager
def process(*options: str, stdin: int = subprocess.PIPE) -> Generator["subprocess.Popen[str]"]:
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
    with (
        process("--api-key", "sk-1") as running,
        openai.OpenAI(base_url=url_of(running), api_key="sk-2", max_retries=0) as client,
    ):
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model="x", messages=HI)
        with pytest.raises(openai.AuthenticationError):
            client.models.list()


def ask(client: openai.OpenAI, request: ModelRequest) -> Any:
    """Send a judge's request, and return the function that the answer calls."""
    functions = [{"name": tool.name, "parameters": dict(tool.parameters)} for tool in request.tools]
    tools = [{"type": "function", "function": function} for function in functions]
    create: Any = client.chat.completions.create
    answer = create(model="x", messages=list(request.messages), tools=tools)
    (call,) = answer.choices[0].message.tool_calls
    return call.function


def test_the_fast_mode_answers_by_what_is_asked() -> None:
    with process("--fast", "--answer", "next, please") as running:
        with openai.OpenAI(base_url=url_of(running), api_key="none") as client:
            said = client.chat.completions.create(model="x", messages=HI)
            decided = ask(client, decision_request([], "a", "b"))
            judged = ask(client, verdict_request([], "a", "b"))

        assert said.choices[0].message.content == "next, please"
        assert said.usage is not None
        assert decided.name == "continue_test"
        criteria = json.loads(judged.arguments)["criteria"]
        assert [answer["status"] for answer in criteria.values()] == ["passed", "passed"]
