"""What an agent may answer, and what it is told when it answers something else."""

import asyncio
import functools
import threading
from typing import Any

import pytest
from company import Player, agent, judge, play, said, user
from pydantic import BaseModel

import scenario
from scenario.errors import AgentError, AgentReplyError
from scenario.types import AgentInput, AgentRole


async def answer(reply: Any) -> scenario.ScenarioResult:
    return await play(agent(lambda _: reply), script=[scenario.user("hi"), scenario.agent(), scenario.succeed()])


@pytest.mark.parametrize("text", ["hello", "", "多语言 🌍"])
async def test_text_becomes_the_assistants_message(text: str) -> None:
    result = await answer(text)

    assert said(result)[1:] == [f"assistant: {text}"]


async def test_text_of_a_user_agent_becomes_the_users_message() -> None:
    result = await play(user("hi"), script=[scenario.user(), scenario.succeed()])

    assert said(result) == ["user: hi"]


async def test_text_of_a_judge_becomes_an_assistants_message() -> None:
    result = await play(judge("hm"), script=[scenario.judge(), scenario.succeed()])

    assert said(result) == ["assistant: hm"]


async def test_a_message_is_taken_as_it_is() -> None:
    result = await answer({"role": "assistant", "content": "hello", "name": "bot"})

    message = dict(result.messages[1])
    del message["trace_id"]
    assert message == {"role": "assistant", "content": "hello", "name": "bot"}


async def test_several_messages_are_taken_in_order_with_their_tool_calls() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}

    result = await answer(
        [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "found"},
            {"role": "assistant", "content": "here it is"},
        ]
    )

    assert [message["role"] for message in result.messages] == ["user", "assistant", "tool", "assistant"]


async def test_an_empty_list_takes_the_turn_and_says_nothing() -> None:
    result = await answer([])

    assert said(result) == ["user: hi"]


async def test_a_pydantic_message_keeps_role_and_content_that_are_defaults() -> None:
    class Answer(BaseModel):
        role: str = "assistant"
        content: str = "by default"
        refusal: str | None = None

    result = await answer(Answer())

    assert said(result)[1:] == ["assistant: by default"]
    assert "refusal" not in result.messages[1]


async def test_the_message_in_the_history_is_a_copy_of_the_agents() -> None:
    reply = {"role": "assistant", "content": [{"type": "text", "text": "hello"}]}

    result = await answer(reply)

    assert reply == {"role": "assistant", "content": [{"type": "text", "text": "hello"}]}
    assert result.messages[1].get("content") is not reply["content"]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (None, "None"),
        (42, "int"),
        (b"bytes", "bytes"),
        (("a", "b"), "tuple"),
        (["text"], "item 0"),
        ({"text": "hi"}, "has no 'role'"),
        ({"role": "robot", "content": "hi"}, "has the role 'robot'"),
        ({"role": "assistant"}, "neither 'content' nor 'tool_calls'"),
        ({"role": "user"}, "has no 'content'"),
        ({"role": "tool", "content": "x"}, "has no 'tool_call_id'"),
        ({"role": "assistant", "content": 7}, "a 'content' that is an int"),
        ({"role": "assistant", "content": ["x"]}, "items that are not parts"),
        ({"role": "assistant", "content": "x", "tool_calls": "y"}, "tool_calls"),
        ({"role": "assistant", "content": "x", "extra": object()}, "cannot be written as JSON"),
        ({"role": "assistant", "content": "x", "extra": float}, "cannot be written as JSON"),
    ],
)
async def test_something_else_is_refused_with_what_it_is_and_what_to_return(reply: Any, told: str) -> None:
    with pytest.raises(AgentReplyError) as caught:
        await answer(reply)

    assert str(caught.value).startswith("[Player] ")
    assert told in str(caught.value)
    assert "Next: return" in str(caught.value)


async def test_a_coroutine_is_refused_with_the_advice_to_await_it() -> None:
    async def forgotten() -> str:
        return "hi"

    with pytest.raises(AgentReplyError, match="never awaited"):
        await answer(forgotten())


async def test_a_long_reply_is_shown_shortened() -> None:
    with pytest.raises(AgentReplyError) as caught:
        await answer({"text": "x" * 5000})

    assert len(str(caught.value)) < 500


async def test_a_reply_whose_repr_is_broken_is_still_explained() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise LookupError

    with pytest.raises(AgentReplyError, match="whose repr\\(\\) raised LookupError"):
        await answer(Broken())


async def test_a_message_of_five_megabytes_is_carried_whole() -> None:
    result = await answer("x" * 5_000_000)

    assert len(str(result.messages[1].get("content"))) == 5_000_000


class TestErrors:
    async def test_an_agents_error_names_the_agent_and_keeps_its_cause(self) -> None:
        def fail(_: AgentInput) -> str:
            raise KeyError("order 7")

        with pytest.raises(RuntimeError, match=r"\[Player\] 'order 7'") as caught:
            await play(agent(fail), script=[scenario.agent()])

        assert isinstance(caught.value, AgentError)
        assert isinstance(caught.value.__cause__, KeyError)

    async def test_an_error_without_text_is_named_by_its_type(self) -> None:
        def fail(_: AgentInput) -> str:
            raise NotImplementedError

        with pytest.raises(RuntimeError, match=r"\[Player\] NotImplementedError"):
            await play(agent(fail), script=[scenario.agent()])

    async def test_a_failed_assertion_inside_an_agent_is_the_agents_error(self) -> None:
        def fail(_: AgentInput) -> str:
            raise AssertionError("inner")

        with pytest.raises(RuntimeError, match="inner"):
            await play(agent(fail), script=[scenario.agent()])

    async def test_a_cancellation_that_comes_from_inside_the_agent_is_its_error(self) -> None:
        def fail(_: AgentInput) -> str:
            raise asyncio.CancelledError

        with pytest.raises(RuntimeError, match="cancelled from inside the agent"):
            await play(agent(fail), script=[scenario.agent()])


class TestPlainCall:
    """A `call` that is a plain function."""

    async def test_it_runs_in_a_thread_of_its_own(self) -> None:
        threads: list[threading.Thread] = []

        class Plain(scenario.AgentAdapter):
            def call(self, input: AgentInput) -> str:  # type: ignore[override]  # plain on purpose
                threads.append(threading.current_thread())
                return "done"

        result = await play(Plain(), script=[scenario.user("hi"), scenario.agent(), scenario.succeed()])

        assert said(result)[1:] == ["assistant: done"]
        assert threads[0] is not threading.current_thread()

    async def test_an_awaitable_that_it_returns_is_awaited(self) -> None:
        async def later() -> str:
            return "later"

        class Decorated(scenario.AgentAdapter):
            def call(self, input: AgentInput) -> Any:  # type: ignore[override]  # plain on purpose
                return later()

        result = await play(Decorated(), script=[scenario.agent(), scenario.succeed()])

        assert said(result) == ["assistant: later"]

    async def test_a_plain_wrapper_of_an_async_function_runs_on_the_loop(self) -> None:
        def logged(function: Any) -> Any:
            @functools.wraps(function)
            def wrapper(*args: Any) -> Any:
                return asyncio.ensure_future(function(*args))

            return wrapper

        class Wrapped(scenario.AgentAdapter):
            @logged
            async def call(self, input: AgentInput) -> str:
                return "wrapped"

        result = await play(Wrapped(), script=[scenario.agent(), scenario.succeed()])

        assert said(result) == ["assistant: wrapped"]

    async def test_usage_that_it_reports_from_its_thread_is_counted(self) -> None:
        class Plain(scenario.AgentAdapter):
            def call(self, input: AgentInput) -> str:  # type: ignore[override]  # plain on purpose
                input.report_usage(input_tokens=7)
                return "counted"

        result = await play(Plain(), script=[scenario.agent(), scenario.succeed()])

        assert result.usage.input_tokens == 7

    @pytest.mark.parametrize("error", [StopIteration, SystemError, LookupError])
    async def test_its_error_is_the_agents_error(self, error: type[Exception]) -> None:
        class Plain(scenario.AgentAdapter):
            def call(self, input: AgentInput) -> str:  # type: ignore[override]  # plain on purpose
                raise error

        with pytest.raises(RuntimeError, match=r"\[Plain\]"):
            await play(Plain(), script=[scenario.agent()])


class TestFromFunction:
    async def test_an_async_function_answers_as_an_agent(self) -> None:
        async def bot(input: AgentInput) -> str:
            return input.last_new_user_message_str().upper()

        wrapped = scenario.agent_adapter.from_function(bot)
        result = await play(wrapped, script=[scenario.user("hi"), scenario.agent(), scenario.succeed()])

        assert said(result)[1:] == ["assistant: HI"]
        assert wrapped.name == "bot"

    async def test_a_plain_function_may_play_the_user(self) -> None:
        def greet(_: AgentInput) -> str:
            return "hi"

        wrapped = scenario.agent_adapter.from_function(greet, role=AgentRole.USER)

        result = await play(wrapped, script=[scenario.user(), scenario.succeed()])

        assert said(result) == ["user: hi"]

    @pytest.mark.parametrize("wrong", [None, "text", Player])
    def test_something_else_is_refused(self, wrong: Any) -> None:
        with pytest.raises(ValueError, match="takes a function"):
            scenario.agent_adapter.from_function(wrong)
