"""How requests give way when a service refuses a part of them."""

import logging
from typing import Any

import pytest
from calling import GREET, PART, model_at, request, with_tools

from scenario.errors import ModelRequestError
from scenario.llm import ModelRequest
from scenario.llm.concessions import Concessions, conceded
from scenario.llm.problem import problem_in
from scenario.testing import LocalModelServer, faults, tool_call

GROQS_WORDS = "'messages.0' : for 'role:user' the following must be satisfied"


@pytest.fixture
async def greeter() -> Any:
    async with LocalModelServer([tool_call("greet", name="Ada")] * 4) as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "members", "gone"),
    [
        (faults.unsupported_value("temperature", 0.0), {"temperature": 0.0}, "temperature"),
        (faults.status(400, "`temperature` is deprecated for this model."), {"temperature": 0.3}, "temperature"),
        (faults.unsupported_parameter("seed"), {"seed": 7}, "seed"),
        (faults.status(400, "Argument not supported on this model: seed"), {"seed": 7}, "seed"),
        (faults.status(400, "property 'seed' is unsupported, did you mean 'stop'?"), {"seed": 7}, "seed"),
        (faults.status(400, "Unrecognized request argument supplied: seed"), {"seed": 7}, "seed"),
        (
            faults.raw(
                b'[{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": '
                b'"Invalid JSON payload received. Unknown name \\"seed\\": Cannot find field."}}]',
                400,
            ),
            {"seed": 7},
            "seed",
        ),
        (
            faults.raw(
                b'{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],'
                b'"msg":"Extra inputs are not permitted","input":7}]},"type":"invalid_request_error"}',
                422,
            ),
            {"seed": 7},
            "seed",
        ),
        (
            faults.raw(b'{"code":"Client specified an invalid argument","error":"Unknown field: top_p"}', 400),
            {"extra": {"top_p": 0.5}},
            "top_p",
        ),
        (
            faults.status(400, "Argument not supported on this model: presencePenalty"),
            {"extra": {"presence_penalty": 0.5}},
            "presence_penalty",
        ),
        (
            faults.status(400, "`temperature` and `top_p` cannot both be specified for this model."),
            {"temperature": 0.5, "extra": {"top_p": 0.5}},
            "top_p",
        ),
    ],
)
async def test_a_refused_parameter_is_left_out_then_and_from_then_on(
    server: LocalModelServer, fault: faults.Fault, members: dict[str, Any], gone: str
) -> None:
    server.fail_next(fault)

    reply = await model_at(server).complete(request(**members))
    await model_at(server).complete(request(**members))

    assert reply.text == "hello there"
    assert reply.attempts == 2
    assert [gone in body for body in server.requests] == [True, False, False]


async def test_what_is_left_out_is_said_once(server: LocalModelServer, caplog: pytest.LogCaptureFixture) -> None:
    server.inject(faults.unsupported_value("temperature"), when=lambda body: "temperature" in body)

    with caplog.at_level(logging.WARNING, "scenario"):
        for _ in range(3):
            await model_at(server).complete(request(temperature=0.0))

    (record,) = caplog.records
    assert "temperature is left out" in record.getMessage()
    assert "openai/some-model" in record.getMessage()


async def test_what_one_model_refuses_another_still_gets(server: LocalModelServer) -> None:
    server.fail_next(faults.unsupported_value("temperature"))

    await model_at(server).complete(request(temperature=0.0))
    await model_at(server, "openai/another-model").complete(request(temperature=0.0))

    assert "temperature" in server.requests[-1]


async def test_the_limit_of_tokens_goes_by_the_name_that_the_service_asks_for(server: LocalModelServer) -> None:
    server.inject(
        faults.unsupported_parameter("max_tokens", "max_completion_tokens"), when=lambda body: "max_tokens" in body
    )

    await model_at(server).complete(request(max_tokens=9))
    await model_at(server).complete(request(max_tokens=9))

    limits = [{name: body[name] for name in body if name.startswith("max_")} for body in server.requests]
    assert limits == [{"max_tokens": 9}, {"max_completion_tokens": 9}, {"max_completion_tokens": 9}]


@pytest.mark.parametrize(
    "words",
    [
        "Invalid tool_choice type: 'object'. Supported string values: none, auto, required",
        "No endpoints found that support the provided 'tool_choice' value.",
    ],
)
async def test_a_tool_that_cannot_be_named_is_the_only_one_offered_and_required(
    greeter: LocalModelServer, words: str
) -> None:
    greeter.inject(faults.status(400, words), when=lambda body: isinstance(body["tool_choice"], dict))

    reply = await model_at(greeter).complete(with_tools())

    assert reply.tool_calls[0].name == "greet"
    body = greeter.requests[-1]
    assert body["tool_choice"] == "required"
    assert [tool["function"]["name"] for tool in body["tools"]] == ["greet"]
    assert len(body["messages"]) == 1


@pytest.mark.parametrize(
    "words",
    [
        "Thinking mode does not support this tool_choice",
        "Thinking may not be enabled when tool_choice forces tool use.",
        'tool_choice: type "tool" and "any" are not supported for this model.',
        "The tool_choice parameter does not support being set to required or object in thinking mode",
        "deepseek-reasoner does not support this tool_choice",
    ],
)
async def test_where_no_call_can_be_forced_it_is_asked_for_in_words(greeter: LocalModelServer, words: str) -> None:
    greeter.inject(faults.tool_choice_refused(words), when=lambda body: body["tool_choice"] != "auto")

    reply = await model_at(greeter).complete(with_tools())
    await model_at(greeter).complete(with_tools())

    assert reply.tool_calls[0].name == "greet"
    for body in (greeter.requests[-2], greeter.requests[-1]):
        assert body["tool_choice"] == "auto"
        assert [tool["function"]["name"] for tool in body["tools"]] == ["greet"]
        assert body["messages"][-1]["role"] == "user"
        assert "greet" in body["messages"][-1]["content"]
    assert greeter.calls <= 4


async def test_a_free_choice_among_tools_stays_free(greeter: LocalModelServer) -> None:
    greeter.inject(faults.tool_choice_refused(), when=lambda body: body["tool_choice"] == "required")

    await model_at(greeter).complete(with_tools(tool_choice="required"))

    body = greeter.requests[-1]
    assert body["tool_choice"] == "auto"
    assert [tool["function"]["name"] for tool in body["tools"]] == ["greet", "part"]


async def test_tools_that_want_no_reasoning_get_none(greeter: LocalModelServer) -> None:
    greeter.inject(faults.tools_need_no_reasoning(), when=lambda body: body.get("reasoning_effort") != "none")

    await model_at(greeter).complete(with_tools())
    greeter.set_answer(["fine"])
    greeter.heal()
    await model_at(greeter).complete(request())

    assert greeter.requests[1]["reasoning_effort"] == "none"
    assert "reasoning_effort" not in greeter.requests[-1]


async def test_a_reasoning_effort_that_was_asked_for_is_not_overruled(greeter: LocalModelServer) -> None:
    greeter.inject(faults.tools_need_no_reasoning())

    with pytest.raises(ModelRequestError, match="reasoning_effort"):
        await model_at(greeter, reasoning_effort="high").complete(with_tools())

    assert greeter.calls == 1


@pytest.mark.parametrize(
    "fault",
    [
        faults.invalid_schema("greet"),
        faults.status(400, "Unknown name \"strict\" at 'tools[0].function': Cannot find field."),
        faults.status(422, "tools.0.function.strict: Extra inputs are not permitted"),
    ],
)
async def test_a_schema_that_cannot_be_enforced_is_sent_without(greeter: LocalModelServer, fault: faults.Fault) -> None:
    greeter.inject(fault, when=lambda body: any("strict" in tool["function"] for tool in body["tools"]))

    reply = await model_at(greeter).complete(with_tools())

    assert reply.tool_calls
    assert greeter.calls == 2


async def test_keywords_that_a_schema_may_not_have_are_taken_out(greeter: LocalModelServer) -> None:
    words = "Unknown name \"additionalProperties\" at 'tools[0].function_declarations[0].parameters': Cannot find it."
    greeter.inject(
        faults.status(400, words),
        when=lambda body: "additionalProperties" in body["tools"][0]["function"]["parameters"],
    )

    await model_at(greeter).complete(with_tools(tools=[PART, GREET], tool_choice="auto"))
    await model_at(greeter).complete(with_tools())

    assert "additionalProperties" not in greeter.requests[-1]["tools"][0]["function"]["parameters"]


async def test_content_in_parts_becomes_text_where_only_text_is_taken(server: LocalModelServer) -> None:
    words = f"{GROQS_WORDS}[('messages.0.content' : value must be a string)]"
    server.fail_next(faults.status(400, words))
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]

    await model_at(server).complete(_said(parts))

    assert server.requests[-1]["messages"] == [{"role": "user", "content": "one\ntwo"}]


async def test_a_member_that_messages_may_not_have_is_left_out(server: LocalModelServer) -> None:
    words = f"{GROQS_WORDS}[('messages.0' : property 'name' is unsupported)]"
    server.fail_next(faults.status(400, words))

    await model_at(server).complete(_said("hi", name="Ada"))

    assert server.requests[-1]["messages"] == [{"role": "user", "content": "hi"}]


async def test_a_refusal_that_nothing_helps_against_is_raised_as_it_is(server: LocalModelServer) -> None:
    server.inject(faults.unsupported_parameter("messages"))

    with pytest.raises(ModelRequestError, match="'messages' is not supported"):
        await model_at(server).complete(request())

    assert server.calls == 1


async def test_a_service_that_refuses_everything_is_given_up(server: LocalModelServer) -> None:
    server.inject(faults.status(400, "Unsupported parameter: temperature, seed, top_p, max_tokens are not supported"))

    with pytest.raises(ModelRequestError):
        await model_at(server, top_p=0.5).complete(request(temperature=0.0, seed=1, max_tokens=5))

    assert server.calls <= 8


def test_servers_that_were_started_without_tools_are_not_argued_with() -> None:
    problem = problem_in(
        400, {"message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'}
    )

    assert conceded(problem, {"tools": [], "tool_choice": "required"}, (), Concessions()) is None


def test_reasoning_that_a_service_wants_back_is_sent_back() -> None:
    problem = problem_in(
        400, {"error": {"message": "The `reasoning_content` in the thinking mode must be passed back to the API."}}
    )

    after = conceded(problem, {"messages": []}, (), Concessions())

    assert after is not None
    assert after.echoed == {"reasoning_content"}


def _said(content: Any, **members: Any) -> ModelRequest:
    return ModelRequest(messages=[{"role": "user", "content": content, **members}])
