"""Models through LiteLLM, where the extra is installed; what happens without it is tested beside the other extras."""

import importlib.util
from typing import Any

import pytest
from calling import request, with_tools

from scenario.errors import (
    ContentFilterError,
    ContextTooLongError,
    EmptyAnswerError,
    ModelAuthenticationError,
    ModelError,
    ModelServerError,
    ModelTimeoutError,
    RateLimitError,
    UnknownModelError,
)
from scenario.llm import ChatModel, ModelReply, chat_model
from scenario.testing import LocalModelServer, faults, tool_call
from scenario.usage import TokenUsage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.blocks("LiteLLM reads files on its loop, which is not the caller's"),
    pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="needs the extra `litellm`"),
    pytest.mark.filterwarnings("default"),
]


def through_litellm(server: LocalModelServer, **extras: Any) -> ChatModel:
    return chat_model("litellm/openai/m", api_base=server.url, api_key="sk-of-the-test", extra_params=extras)


async def test_text_and_usage_are_read_and_only_the_format_is_sent() -> None:
    answer = ModelReply(text="hello there", usage=TokenUsage(input_tokens=9, output_tokens=3))
    async with LocalModelServer([answer]) as server:
        reply = await through_litellm(server, top_p=0.5).complete(request(temperature=0.0))

    assert reply.text == "hello there"
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (9, 3)
    assert server.requests[-1]["top_p"] == 0.5


async def test_tools_are_called_and_a_choice_that_cannot_be_forced_is_asked_for_in_words() -> None:
    async with LocalModelServer([tool_call("greet", name="Ada")]) as server:
        server.inject(faults.tool_choice_refused(), when=lambda body: body.get("tool_choice") != "auto")
        reply = await through_litellm(server).complete(with_tools())

    assert reply.tool_calls[0].name == "greet"
    assert server.requests[-1]["tool_choice"] == "auto"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.unauthorized(), ModelAuthenticationError),
        (faults.model_not_found(), UnknownModelError),
        (faults.context_too_long(), ContextTooLongError),
        (faults.content_policy(), ContentFilterError),
        (faults.html(502), ModelServerError),
        (faults.hang(), ModelTimeoutError),
        (faults.null_content(), EmptyAnswerError),
        (faults.rate_limit(0.01), RateLimitError),
    ],
)
async def test_its_errors_are_ours(server: LocalModelServer, fault: faults.Fault, error: type[ModelError]) -> None:
    server.inject(fault)

    with pytest.raises(error) as raised:
        await through_litellm(server, timeout=1, num_retries=0).complete(request())

    assert "sk-of-the-test" not in str(raised.value)


async def test_passing_trouble_is_tried_again(server: LocalModelServer) -> None:
    server.fail_next(faults.server_error())

    assert (await through_litellm(server).complete(request())).attempts == 2


async def test_a_mocked_response_asks_nobody() -> None:
    reply = await chat_model("openai/gpt-4.1", extra_params={"mock_response": "mocked"}).complete(request())

    assert reply.text == "mocked"
    assert reply.usage.cost_usd == 0.0
