"""What becomes of the answers of a service, good and bad."""

import contextlib
import json
from typing import Any

import pytest
from calling import model_at, request, with_tools
from hypothesis import given
from hypothesis import strategies as st

from scenario.errors import (
    ContentFilterError,
    ContextTooLongError,
    EmptyAnswerError,
    MalformedAnswerError,
    ModelAuthenticationError,
    ModelError,
    ModelRequestError,
    ModelServerError,
    RateLimitError,
    TruncatedAnswerError,
    UnknownModelError,
)
from scenario.llm import ModelReply, ModelToolCall, parse_arguments
from scenario.llm.reply import ReplyFacts, read_reply
from scenario.testing import LocalModelServer, faults, tool_call
from scenario.usage import TokenUsage

FACTS = ReplyFacts(name="some/model")


def completion(message: dict[str, Any], finish_reason: str | None = "stop", **members: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish_reason}], **members}


async def test_text_usage_and_the_answering_model_are_read() -> None:
    answer = ModelReply(text="hello there", usage=TokenUsage(input_tokens=9, output_tokens=3))
    async with LocalModelServer([answer]) as server:
        reply = await model_at(server).complete(request())

    assert reply.text == "hello there"
    assert reply.finish_reason == "stop"
    assert reply.model == "some-model"
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (9, 3)
    assert reply.attempts == 1
    assert reply.duration > 0


async def test_tool_calls_are_read() -> None:
    async with LocalModelServer([tool_call("greet", name="Ada")]) as server:
        reply = await model_at(server).complete(with_tools())

    (call,) = reply.tool_calls
    assert call.name == "greet"
    assert parse_arguments(call) == {"name": "Ada"}
    assert reply.text == ""
    assert reply.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (faults.unauthorized(), ModelAuthenticationError, "refused the key"),
        (faults.model_not_found(), UnknownModelError, "does not know the model"),
        (faults.context_too_long(), ContextTooLongError, "too long"),
        (faults.content_policy(), ContentFilterError, "content filter"),
        (faults.quota_exceeded(), RateLimitError, "quota or credit is used up"),
        (faults.null_content(), EmptyAnswerError, "neither text nor a tool call"),
        (faults.empty_choices(), EmptyAnswerError, "without any choice"),
        (faults.content_filtered(), ContentFilterError, "withheld"),
        (faults.refused_by_model("I would rather not."), ContentFilterError, "I would rather not."),
        (faults.wrong_shape(), MalformedAnswerError, "not a chat completion"),
        (faults.truncated_json(), MalformedAnswerError, "breaks off"),
        (faults.empty_body(), MalformedAnswerError, "nothing at all"),
        (faults.raw(b"null"), MalformedAnswerError, "not the chat-completions API|not a chat completion"),
        (faults.raw(b"[" * 100_000), MalformedAnswerError, "breaks off"),
        (faults.html(200, "Welcome to nginx"), ModelServerError, "Welcome to nginx"),
        (faults.html(404, "Not here"), ModelServerError, "check `api_base`"),
        (faults.status(404, "Not Found"), ModelServerError, "most end in /v1"),
        (faults.status(307, "moved"), ModelServerError, "check `api_base`"),
        (faults.status(400, "No idea what you mean."), ModelRequestError, "No idea what you mean."),
        (faults.status(403, "Your region is not served."), ModelAuthenticationError, "Your region"),
        (faults.raw(b'{"error": "Unexpected endpoint or method. (POST /chat)"}'), ModelServerError, "check `api_base`"),
        (faults.error_with_status_200("bad sampling", 422), ModelRequestError, "bad sampling"),
    ],
)
async def test_each_bad_answer_is_an_error_of_its_own_after_one_request(
    server: LocalModelServer, fault: faults.Fault, error: type[ModelError], words: str
) -> None:
    server.inject(fault)

    with pytest.raises(error, match=words) as raised:
        await model_at(server).complete(request())

    assert type(raised.value) is error
    assert raised.value.model == "openai/some-model"
    assert raised.value.fix
    assert server.calls == 1


async def test_an_answer_cut_by_length_keeps_its_text_and_says_so(server: LocalModelServer) -> None:
    server.inject(faults.cut_by_length())

    reply = await model_at(server).complete(request())

    assert reply.text
    assert reply.finish_reason == "length"


async def test_a_tool_call_cut_by_length_is_a_truncated_answer() -> None:
    async with LocalModelServer([tool_call("greet", name="Ada Lovelace")]) as server:
        server.inject(faults.cut_by_length())

        with pytest.raises(TruncatedAnswerError, match="max_tokens"):
            await model_at(server).complete(with_tools())


async def test_broken_arguments_are_handed_on_and_named_when_they_are_parsed() -> None:
    async with LocalModelServer([tool_call("greet", name="Ada")]) as server:
        server.inject(faults.broken_tool_arguments('{"name": "Ad'))
        reply = await model_at(server).complete(with_tools())

    assert reply.tool_calls[0].arguments == '{"name": "Ad'
    with pytest.raises(MalformedAnswerError, match="greet"):
        parse_arguments(reply.tool_calls[0])


async def test_missing_usage_is_unknown_not_zero(server: LocalModelServer) -> None:
    server.inject(faults.no_usage())

    reply = await model_at(server).complete(request())

    assert reply.usage.input_tokens is None
    assert reply.usage.output_tokens is None
    assert reply.usage.cost_usd is None


async def test_a_key_that_the_service_repeats_is_not_shown(server: LocalModelServer) -> None:
    server.inject(faults.status(401, "Incorrect API key provided: sk-of-the-test. Find yours in the settings."))

    with pytest.raises(ModelAuthenticationError) as raised:
        await model_at(server).complete(request())

    assert "sk-of-the-test" not in str(raised.value)
    assert "***" in str(raised.value)


def test_text_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}, {"type": "image_url"}]

    assert read_reply(completion({"content": parts}), FACTS).text == "one two"


def test_thoughts_are_no_part_of_the_text() -> None:
    message = {"content": "The answer.", "reasoning_content": "Let me think."}

    assert read_reply(completion(message), FACTS).text == "The answer."


@pytest.mark.parametrize(
    "content", ["<think>\nLet me see.\n</think>\n\nThe answer.", "Let me see.\n</think>\n\nThe answer."]
)
def test_thoughts_inside_the_text_are_taken_out(content: str) -> None:
    assert read_reply(completion({"content": content}), FACTS).text == "The answer."


def test_providers_that_never_think_aloud_may_speak_of_thinking() -> None:
    facts = ReplyFacts(name="some/model", thinks_inline=False)

    assert read_reply(completion({"content": "<think>a tag</think> of XML"}), facts).text.startswith("<think>")


def test_thoughts_that_use_up_all_tokens_are_a_truncated_answer() -> None:
    with pytest.raises(TruncatedAnswerError, match="still thinking"):
        read_reply(completion({"content": "<think>Let me"}, "length"), FACTS)


def test_the_old_form_of_a_call_is_read() -> None:
    message = {"content": None, "function_call": {"name": "greet", "arguments": '{"name": "Ada"}'}}

    reply = read_reply(completion(message, "function_call"), FACTS)

    assert reply.tool_calls == (ModelToolCall(id="call_0", name="greet", arguments='{"name": "Ada"}'),)
    assert reply.finish_reason == "tool_calls"


def test_arguments_as_an_object_and_a_missing_id_are_put_up_with() -> None:
    message = {"tool_calls": [{"function": {"name": "greet", "arguments": {"name": "Zoë"}}}]}

    (call,) = read_reply(completion(message, None), FACTS).tool_calls

    assert call.id == "call_0"
    assert json.loads(call.arguments) == {"name": "Zoë"}


def test_thoughts_reported_in_the_total_only_count_as_output() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 150}

    reply = read_reply(completion({"content": "x"}, usage=usage), FACTS)

    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (100, 50)


def test_members_that_the_provider_wants_back_come_back_with_the_message() -> None:
    facts = ReplyFacts(name="m", echoed=frozenset({"reasoning_content"}), echoed_in_calls=frozenset({"extra_content"}))
    call = {"id": "c1", "function": {"name": "greet", "arguments": "{}"}, "extra_content": {"google": {"x": "y"}}}

    reply = read_reply(completion({"tool_calls": [call], "reasoning_content": "Hm."}), facts)

    assert reply.as_message() == {
        "role": "assistant",
        "content": None,
        "reasoning_content": "Hm.",
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "greet", "arguments": "{}"},
                "extra_content": {"google": {"x": "y"}},
            }
        ],
    }


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text()), max_size=5))
def test_arguments_are_what_the_model_wrote(arguments: dict[str, Any]) -> None:
    call = ModelToolCall(id="1", name="greet", arguments=json.dumps(arguments))

    assert parse_arguments(call) == arguments


@given(st.text())
def test_any_other_text_of_arguments_is_an_error_that_names_the_tool(text: str) -> None:
    try:
        json.loads(text, strict=False)
    except ValueError:
        if text.strip():
            with pytest.raises(MalformedAnswerError, match="greet"):
                parse_arguments(ModelToolCall(id="1", name="greet", arguments=text))


@pytest.mark.parametrize("text", ["[]", "null", "3", '"text"', "[" * 100_000])
def test_arguments_that_are_no_object_are_an_error(text: str) -> None:
    with pytest.raises(MalformedAnswerError, match="greet"):
        parse_arguments(ModelToolCall(id="1", name="greet", arguments=text))


def test_arguments_written_as_json_twice_are_read() -> None:
    call = ModelToolCall(id="1", name="greet", arguments=json.dumps('{"name": "Ada"}'))

    assert parse_arguments(call) == {"name": "Ada"}


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"choices": st.one_of(_json, st.lists(st.fixed_dictionaries({"message": _json, "finish_reason": _json})))},
        optional={"usage": st.one_of(_json, st.dictionaries(st.sampled_from(["prompt_tokens", "cost"]), _json))},
    )
)
def test_whatever_json_comes_it_is_a_reply_or_a_model_error(answer: dict[str, Any]) -> None:
    with contextlib.suppress(ModelError):
        reply = read_reply(answer, FACTS)
        assert reply.text or reply.tool_calls
