"""What the local model server refuses, as the real service does."""

import copy
from typing import TYPE_CHECKING, Any

import openai
import pytest

from scenario.testing import LocalModelServer
from scenario.testing.request_rules import refusal
from testing_kit.requests import agent, decision_request, user, verdict_request

if TYPE_CHECKING:
    from scenario.llm.chat_model import ModelRequest

PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"order": {"type": "string"}},
    "required": ["order"],
    "additionalProperties": False,
}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "lookup", "parameters": PARAMETERS, "strict": True}}
CALL: dict[str, Any] = {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": "{}"}}
HI = {"role": "user", "content": "hi"}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "found"}


def body(**changes: Any) -> dict[str, Any]:
    return {"model": "x", "messages": [HI], **changes}


def tool(**changes: Any) -> dict[str, Any]:
    return {"type": "function", "function": {**TOOL["function"], **changes}}


def schema(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(PARAMETERS), **changes}


@pytest.mark.parametrize(
    "accepted",
    [
        body(),
        body(temperature=2, top_p=1, seed=-1, max_tokens=1, stream=True, stream_options={"include_usage": True}),
        body(messages=[{"role": "developer", "content": "be brief"}, HI]),
        body(messages=[{"role": "system", "content": [{"type": "text", "text": "x"}]}, HI]),
        body(messages=[{"role": "user", "content": "hi", "name": "bob"}]),
        body(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;"}}]}]),
        body(
            messages=[
                {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}
            ]
        ),
        body(messages=[HI, CALLING, RESULT]),
        body(messages=[HI, {"role": "assistant", "content": "", "refusal": None}]),
        body(tools=[TOOL], tool_choice="required", parallel_tool_calls=False),
        body(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "lookup"}}),
        body(tools=[tool(strict=False, parameters={"type": "object", "properties": {"a": {}}})]),
        body(tools=[{"type": "function", "function": {"name": "no_arguments"}}]),
        body(tools=[tool(parameters=schema(properties={"order": {"type": ["string", "null"]}}))]),
        body(tools=[tool(parameters=schema(properties={"order": {"anyOf": [{"type": "string"}, {"type": "null"}]}}))]),
    ],
)
def test_a_right_request_is_accepted(accepted: dict[str, Any]) -> None:
    assert refusal(accepted) is None


@pytest.mark.parametrize(
    ("refused", "param", "code", "words"),
    [
        ([], None, "invalid_type", "expected an object"),
        (body(model=None), None, None, "must provide a model"),
        (body(top_k=3), "top_k", "unknown_parameter", "Unknown parameter: 'top_k'"),
        ({"model": "x"}, "messages", "missing_required_parameter", "'messages'"),
        (body(messages="hi"), "messages", "invalid_type", "expected an array"),
        (body(messages=[]), "messages", "empty_array", "empty array"),
        (body(messages=["hi"]), "messages[0]", "invalid_type", "got a string"),
        (body(messages=[{**HI, "trace_id": "1"}]), "messages[0].trace_id", "unknown_parameter", "Unknown parameter"),
        (body(messages=[{**RESULT, "name": "x"}]), "messages[0].name", "unknown_parameter", "Unknown parameter"),
        (body(messages=[{"content": "hi"}]), "messages[0].role", "missing_required_parameter", "role"),
        (body(messages=[{"role": "human", "content": "hi"}]), "messages[0].role", "invalid_value", "Supported values"),
        (body(messages=[{"role": "user"}]), "messages[0].content", "missing_required_parameter", "content"),
        (body(messages=[{"role": "user", "content": None}]), "messages[0].content", None, "got null"),
        (body(messages=[HI, {"role": "assistant"}]), "messages[1].content", "missing_required_parameter", "content"),
        (body(messages=[{"role": "user", "content": 5}]), "messages[0].content", "invalid_type", "an integer"),
        (body(messages=[{"role": "user", "content": []}]), "messages[0].content", "empty_array", "empty"),
        (
            body(messages=[{"role": "user", "content": [{"text": "x"}]}]),
            "messages[0].content[0].type",
            "missing_required_parameter",
            "type",
        ),
        (
            body(messages=[{"role": "assistant", "content": [{"type": "image_url", "image_url": {}}]}]),
            "messages[0].content[0].type",
            "invalid_value",
            "'refusal', 'text'",
        ),
        (
            body(messages=[{"role": "user", "content": [{"type": "text"}]}]),
            "messages[0].content[0].text",
            "missing_required_parameter",
            "text",
        ),
        (
            body(messages=[{"role": "user", "content": [{"type": "input_audio", "input_audio": {"format": "ogg"}}]}]),
            "messages[0].content[0]",
            None,
            "'wav' or 'mp3'",
        ),
        (body(messages=[{**HI, "name": "not a name"}]), "messages[0].name", "invalid_value", "pattern"),
        (body(messages=[RESULT]), "messages.[0].role", None, "must be a response to a preceeding message"),
        (body(messages=[HI, CALLING]), "messages.[2].role", None, "did not have response messages: c1"),
        (body(messages=[HI, CALLING, HI]), "messages.[2].role", None, "did not have response messages: c1"),
        (body(messages=[HI, CALLING, RESULT, RESULT]), "messages.[3].role", None, "preceeding"),
        (
            body(messages=[HI, {"role": "assistant", "content": "x", "tool_calls": []}]),
            "messages[1].tool_calls",
            "empty_array",
            "empty array",
        ),
        (
            body(
                messages=[
                    HI,
                    {**CALLING, "tool_calls": [{**CALL, "function": {"name": "a b", "arguments": ""}}]},
                    RESULT,
                ]
            ),
            "messages[1].tool_calls[0].function.name",
            "invalid_value",
            "pattern",
        ),
        (
            body(
                messages=[HI, {**CALLING, "tool_calls": [{**CALL, "function": {"name": "a", "arguments": {}}}]}, RESULT]
            ),
            "messages[1].tool_calls[0].function.arguments",
            "invalid_type",
            "an object",
        ),
        (body(tools=[]), None, None, "[] is too short - 'tools'"),
        (body(tools={}), "tools", "invalid_type", "an array"),
        (body(tools=[TOOL] * 129), "tools", "array_above_max_length", "128"),
        (body(tools=[{"function": {}}]), "tools[0].type", "missing_required_parameter", "type"),
        (body(tools=[{"type": "magic"}]), "tools[0].type", "invalid_value", "magic"),
        (body(tools=[tool(name="bad name")]), "tools[0].function.name", "invalid_value", "pattern"),
        (body(tools=[tool(name="a" * 65)]), "tools[0].function.name", "invalid_value", "pattern"),
        (body(tools=[tool(returns="x")]), "tools[0].function.returns", "unknown_parameter", "Unknown"),
        (body(tool_choice="auto"), "tool_choice", None, "only allowed when 'tools' are specified"),
        (body(tools=[TOOL], tool_choice="any"), "tool_choice", "invalid_value", "'any'"),
        (body(tools=[TOOL], tool_choice=["auto"]), "tool_choice", "invalid_type", "array"),
        (
            body(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "other"}}),
            "tool_choice",
            None,
            "'other' is not in 'tools'",
        ),
        (body(temperature=2.1), "temperature", "decimal_above_max_value", "<= 2"),
        (body(temperature=-0.1), "temperature", "decimal_below_min_value", ">= 0"),
        (body(temperature=float("nan")), "temperature", "decimal_below_min_value", ">= 0"),
        (body(temperature="hot"), "temperature", "invalid_type", "a string"),
        (body(temperature=True), "temperature", "invalid_type", "a boolean"),
        (body(max_tokens=0), "max_tokens", "integer_below_min_value", ">= 1"),
        (body(max_tokens=1.5), "max_tokens", "invalid_type", "a decimal"),
        (body(stream_options={}), "stream_options", "invalid_value", "'stream' is enabled"),
    ],
)
def test_a_wrong_request_is_refused_by_name(refused: Any, param: str | None, code: str | None, words: str) -> None:
    error = refusal(refused)

    assert error is not None
    assert (error.status, error.param, error.code) == (400, param, code)
    assert words in error.message


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("text", "JSON Schema"),
        ({"type": "string"}, "got 'type: \"string\"'"),
        (schema(additionalProperties=True), "'additionalProperties' is required to be supplied and to be false"),
        (schema(required=[]), "including every key in properties. Missing 'order'"),
        (schema(required=["order", "more"]), "Extra required key 'more'"),
        (schema(properties={"order": {}}), "In context=('properties', 'order'), schema must have a 'type' key"),
        (schema(properties={"order": {"type": "text"}}), "'text' is not a type"),
        (schema(properties={"order": {"type": "array"}}), "array schema missing items"),
        (
            schema(properties={"order": {"type": "array", "items": {"type": "object"}}}),
            "In context=('properties', 'order', 'items'), 'additionalProperties'",
        ),
        (schema(properties={"order": {"anyOf": [{"type": "object"}]}}), "'anyOf', '0'"),
        (schema(properties={"a b": {"type": "string"}}, required=["a b"]), "should match pattern"),
        (schema(properties={"k" * 65: {"type": "string"}}, required=["k" * 65]), "should match pattern"),
    ],
)
def test_a_schema_that_cannot_be_enforced_is_refused(parameters: Any, words: str) -> None:
    error = refusal(body(tools=[tool(parameters=parameters)]))

    assert error is not None
    assert (error.code, error.param) == ("invalid_function_parameters", "tools[0].function.parameters")
    assert words in error.message


async def test_a_body_that_is_not_json_is_refused_by_the_server() -> None:
    async with LocalModelServer("x") as server, openai.AsyncOpenAI(base_url=server.url, api_key="k") as client:
        with pytest.raises(openai.BadRequestError, match="could not parse the JSON body"):
            await client.post("/chat/completions", cast_to=object, content=b"{not json", options={"headers": JSON})
        with pytest.raises(openai.BadRequestError, match="Unsupported content type: 'text/plain'"):
            await client.post("/chat/completions", cast_to=object, content=b"{}", options={"headers": TEXT})
        with pytest.raises(openai.APIStatusError, match="Not allowed to GET"):
            await client.get("/chat/completions", cast_to=object)


JSON = {"content-type": "application/json; charset=utf-8"}
TEXT = {"content-type": "text/plain"}


async def test_a_lenient_server_takes_what_other_services_take() -> None:
    async with (
        LocalModelServer("x", strict=False) as server,
        openai.AsyncOpenAI(base_url=server.url, api_key="k") as client,
    ):
        answer = await client.chat.completions.create(
            model="x", messages=[{"role": "user", "content": "x"}], extra_body={"top_k": 3}
        )

    assert answer.choices[0].message.content == "x"


@pytest.mark.parametrize(
    "sent",
    [
        request_of([user("hi"), agent("hello")], "is polite", "is quick")
        for request_of in (decision_request, verdict_request)
    ],
)
def test_what_our_judges_send_is_accepted(sent: "ModelRequest") -> None:
    tools = [
        {
            "type": "function",
            "function": {"name": t.name, "description": t.description, "parameters": t.parameters, "strict": t.strict},
        }
        for t in sent.tools
    ]

    assert refusal(body(messages=list(sent.messages), tools=tools, tool_choice="required")) is None
