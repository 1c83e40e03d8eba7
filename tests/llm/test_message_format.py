"""Messages and tools are sent as OpenAI's format has them, and nothing else is."""

import json
from typing import Any

import pytest
from calling import GREET, model_at, request
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import TypeAdapter

from scenario.errors import ConfigurationError
from scenario.llm import ModelRequest
from scenario.llm.concessions import Concessions
from scenario.llm.message_format import api_messages, api_tools
from scenario.llm.providers import provider_named
from scenario.llm.request_body import encoded, request_body
from scenario.testing import LocalModelServer

_MESSAGES = TypeAdapter(list[ChatCompletionMessageParam])
_TOOLS = TypeAdapter(list[ChatCompletionToolParam])

_MEMBERS = ("role", "content", "name", "tool_calls", "tool_call_id", "refusal", "trace_id", "id", "metadata", "audio")


def body_of(asked: ModelRequest, prefix: str = "openai_like", **concessions: Any) -> dict[str, Any]:
    provider = provider_named(prefix)
    assert provider is not None
    return request_body(asked, "m", {}, provider, Concessions(**concessions))


async def test_internal_members_of_messages_are_not_sent(server: LocalModelServer) -> None:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief.", "trace_id": "ab" * 16},
        {"role": "user", "content": "hi", "trace_id": "ab" * 16, "id": "msg_1", "name": "Ada"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"index": 0, "id": "c1", "type": "function", "function": {"name": "greet", "arguments": {"name": "Ada"}}}
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": "done", "name": "greet", "trace_id": None},
        {"role": "assistant", "content": "ok", "tool_calls": [], "reasoning_content": "hm", "refusal": None},
        {"role": "user", "content": [{"type": "text", "text": "bye", "id": 7}], "trace_id": "x"},
    ]  # fmt: skip

    await model_at(server).complete(ModelRequest(messages=messages))

    assert server.requests[-1]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi", "name": "Ada"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "greet", "arguments": '{"name": "Ada"}'}}
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
        {"role": "assistant", "content": "ok"},
        {"role": "user", "content": [{"type": "text", "text": "bye"}]},
    ]  # fmt: skip


async def test_without_tools_nothing_about_tools_is_sent(server: LocalModelServer) -> None:
    asked = request(tool_choice="required", extra={"parallel_tool_calls": False})

    await model_at(server).complete(asked)

    assert server.requests[-1].keys() == {"model", "messages"}


def test_the_callers_messages_stay_as_they_were() -> None:
    messages = [{"role": "user", "content": "hi", "trace_id": "x"}]

    api_messages(messages)

    assert messages == [{"role": "user", "content": "hi", "trace_id": "x"}]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(_MEMBERS),
            st.one_of(st.none(), st.text(max_size=5), st.sampled_from(["user", "assistant", "tool", "system"])),
        )
    )
)
def test_no_message_keeps_what_is_not_of_the_format(messages: list[dict[str, Any]]) -> None:
    for message, sent in zip(messages, api_messages(messages), strict=True):
        assert not sent.keys() & {"trace_id", "id", "metadata"}
        assert all(sent[name] == message[name] for name in sent.keys() & message.keys() if message[name] is not None)


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(["user", "system", "developer", "assistant"]))
def test_what_is_sent_is_what_the_official_client_would_send(text: str, name: str, role: str) -> None:
    message = {"role": role, "content": text, "name": name, "trace_id": "ab" * 16}

    _MESSAGES.validate_python(api_messages([message]))


def test_tools_are_what_the_official_client_would_send() -> None:
    (tool,) = api_tools([GREET])

    _TOOLS.validate_python([tool])
    assert tool["function"]["strict"] is True


def test_a_property_may_bear_the_name_of_a_keyword() -> None:
    schema = {"type": "object", "title": "T", "properties": {"title": {"type": "string", "title": "inner"}}}
    tool = type(GREET)(name="t", description="", parameters=schema)

    (sent,) = api_tools([tool], left_out=frozenset({"title"}))

    assert sent["function"]["parameters"] == {"type": "object", "properties": {"title": {"type": "string"}}}


def test_mistral_gets_its_own_name_for_the_seed() -> None:
    assert body_of(request(seed=5), "mistral")["random_seed"] == 5


def test_what_a_provider_wants_back_is_kept() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"a": 1}}
    asked = ModelRequest(messages=[{"role": "assistant", "content": None, "tool_calls": [call]}])

    assert body_of(asked, "gemini")["messages"][0]["tool_calls"] == [call]
    assert "extra_content" not in body_of(asked, "openai")["messages"][0]["tool_calls"][0]


@given(st.text(st.characters(codec="utf-16-be", exclude_categories=[])))
def test_any_text_can_be_sent(text: str) -> None:
    sent = json.loads(encoded(body_of(request(text))))["messages"][0]["content"]

    assert sent == text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("value", [object(), float("nan"), b"bytes"])
def test_what_json_cannot_say_is_an_error(value: object) -> None:
    with pytest.raises(ConfigurationError, match="JSON"):
        encoded({"model": "m", "extra": value})


async def test_a_message_of_five_megabytes_is_sent(server: LocalModelServer) -> None:
    text = "long " * 1_000_000

    await model_at(server).complete(request(text))

    assert server.requests[-1]["messages"][0]["content"] == text
