"""What is said, who has heard it, and how it is taken back."""

from typing import Any

import pytest
from company import agent, judge, play, said, user
from hearing import Ears
from hypothesis import given
from hypothesis import strategies as st

import scenario
from scenario.engine.mailboxes import Mailboxes
from scenario.scenario_state import ScenarioState
from scenario.types import AgentInput


async def test_an_agent_hears_what_is_new_since_its_last_call_and_nothing_of_its_own() -> None:
    player = agent("a1", "a2")

    await play(user("u1", "u2"), player, max_turns=2)

    assert player.heard == [["u1"], ["u2"]]


async def test_agents_of_one_role_hear_each_other() -> None:
    second = agent("b")

    await play(user("u"), agent("a"), second, max_turns=2)

    assert second.heard == [["u", "a"], ["u", "a"]]


async def test_scripted_words_are_heard_by_everybody_even_by_whom_they_stand_for() -> None:
    player = agent("later")

    await play(player, script=[scenario.user("hi"), scenario.agent("scripted"), scenario.agent()])

    assert player.heard == [["hi", "scripted"]]


async def test_what_is_added_during_a_call_is_new_at_the_next_one() -> None:
    def add(input: AgentInput) -> str:
        input.scenario_state.add_message({"role": "system", "content": "meanwhile"})
        return "done"

    player = agent(add, "again")

    await play(player, script=[scenario.user("hi"), scenario.agent(), scenario.agent()])

    assert player.heard == [["hi"], ["meanwhile"]]


async def test_all_messages_of_a_turn_carry_its_trace_and_the_next_turn_has_another() -> None:
    result = await play(user(), agent(), max_turns=2)

    traces = [message.get("trace_id") for message in result.messages]
    assert traces[0] == traces[1] != traces[2] == traces[3]
    assert all(trace is not None and len(trace) == 32 and int(trace, 16) for trace in traces)


async def test_the_callers_message_is_left_as_it_was_and_may_be_used_twice() -> None:
    message = {"role": "user", "content": "again"}

    result = await play(script=[scenario.message(message), scenario.user(message), scenario.succeed()])

    assert message == {"role": "user", "content": "again"}
    assert result.messages[0] is not result.messages[1]


async def test_lists_are_an_agents_own_and_messages_are_those_of_the_run() -> None:
    kept: list[Any] = []

    def clear(input: AgentInput) -> str:
        kept.extend(input.messages)
        input.messages.clear()
        input.new_messages.clear()
        return "cleared"

    result = await play(agent(clear), script=[scenario.user("hi"), scenario.agent(), scenario.succeed()])

    assert said(result) == ["user: hi", "assistant: cleared"]
    assert kept[0] is result.messages[0]


class TestRollback:
    async def test_it_removes_messages_from_the_history_and_from_what_is_still_to_be_heard(self) -> None:
        player = agent("ok")
        removed: list[Any] = []

        result = await play(
            player,
            script=[
                scenario.user("keep"),
                scenario.user("forget"),
                lambda state: removed.extend(state.rollback_messages_to(1)),
                scenario.agent(),
                scenario.succeed(),
            ],
        )

        assert said(result) == ["user: keep", "assistant: ok"]
        assert player.heard == [["keep"]]
        assert [message["content"] for message in removed] == ["forget"]

    async def test_turn_numbers_stay(self) -> None:
        def check(state: ScenarioState) -> None:
            state.rollback_messages_to(0)
            assert state.current_turn == 1

        await play(script=[scenario.user("a"), scenario.user("b"), check])

    async def test_an_index_past_the_end_removes_nothing(self) -> None:
        def check(state: ScenarioState) -> None:
            assert state.rollback_messages_to(99) == []
            assert len(state.messages) == 1

        await play(script=[scenario.user("a"), check])

    async def test_a_negative_index_is_refused(self) -> None:
        with pytest.raises(ValueError, match="index must be >= 0, got -1"):
            await play(script=[lambda state: state.rollback_messages_to(-1)])


async def test_what_was_rolled_back_during_a_call_is_not_heard_again_when_the_call_fails() -> None:
    def forget(input: AgentInput) -> str:
        input.scenario_state.rollback_messages_to(0)
        raise LookupError("no answer")

    player = agent(forget, "fine")

    async def try_twice(state: ScenarioState) -> None:
        with pytest.raises(RuntimeError, match="no answer"):
            await scenario.agent()(state)
        await scenario.user("new")(state)
        await scenario.agent()(state)

    await play(player, script=[scenario.user("gone"), try_twice])

    assert player.heard == [["gone"], ["new"]]


async def test_what_listeners_are_told_is_what_was_said_then() -> None:
    ears = Ears()

    def rewrite(input: AgentInput) -> str:
        input.messages[0]["content"] = "rewritten"  # type: ignore[typeddict-item]  # rude on purpose
        return "done"

    await play(agent(rewrite), script=[scenario.user("original"), scenario.agent()], listeners=[ears])

    assert ears.of("MessageAdded")[0].message["content"] == "original"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("hi", "takes a message"),
        (None, "takes a message"),
        ({"content": "hi"}, "has no 'role'"),
        ({"role": "user"}, "has no 'content'"),
        ({"role": "narrator", "content": "x"}, "has the role 'narrator'"),
    ],
)
async def test_something_that_is_no_message_is_not_added(message: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        await play(script=[lambda state: state.add_message(message)])
    with pytest.raises(ValueError, match=told):
        scenario.message(message)


class TestState:
    """What steps may ask of the conversation."""

    @staticmethod
    async def _after(*messages: Any, ask: Any, **options: Any) -> None:
        await play(script=[*(scenario.message(message) for message in messages), ask], **options)

    async def test_last_message_and_last_user_message(self) -> None:
        def check(state: ScenarioState) -> None:
            assert state.last_message().get("content") == "b"
            assert state.last_user_message().get("content") == "a"

        await self._after({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, ask=check)

    async def test_an_empty_conversation_has_neither(self) -> None:
        def check(state: ScenarioState) -> None:
            with pytest.raises(ValueError, match="No messages found"):
                state.last_message()
            with pytest.raises(ValueError, match="No user messages found"):
                state.last_user_message()

        await self._after(ask=check)

    async def test_the_last_of_several_matching_tool_calls_is_found(self) -> None:
        def call(id: str, name: str) -> dict[str, Any]:
            return {"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}

        def check(state: ScenarioState) -> None:
            assert state.has_tool_call("pay")
            assert not state.has_tool_call("refund")
            found = state.last_tool_call("pay")
            assert found is not None
            assert found["id"] == "2"

        await self._after(
            {"role": "assistant", "content": "", "tool_calls": None},
            {"role": "assistant", "tool_calls": [call("1", "pay"), call("2", "pay"), call("3", "log")]},
            ask=check,
        )

    async def test_the_conversation_as_text(self) -> None:
        def check(state: ScenarioState) -> None:
            assert state.transcript() == "user: a\nassistant: b"
            assert (state.first_user_message(), state.last_agent_message()) == ("a", "b")
            assert state.timeline == []

        await self._after({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, ask=check)

    async def test_fields_of_the_run(self) -> None:
        def check(state: ScenarioState) -> None:
            assert state.field("plan") == "gold"
            assert (state.field("empty"), state.field("missing"), state.field("zero")) == (None, None, 0)
            assert state.fields == {"plan": "gold", "empty": "", "zero": 0}

        await self._after(ask=check, fields={"plan": "gold", "empty": "", "zero": 0})

    async def test_effects_need_a_voice(self) -> None:
        with pytest.raises(ValueError, match="need a voice"):
            await play(script=[lambda state: state.set_effects([])])

    async def test_criteria_of_all_judges(self) -> None:
        first, second = judge(), judge()
        first.criteria, second.criteria = ["a"], ["b"]  # type: ignore[attr-defined]  # as judges have

        def check(state: ScenarioState) -> None:
            assert state.criteria == ["a", "b"]

        await play(first, user(), second, script=[check])


class TestInput:
    async def test_the_last_new_user_message(self) -> None:
        def check(input: AgentInput) -> str:
            assert input.last_new_user_message().get("content") == "two"
            return input.last_new_user_message_str()

        result = await play(agent(check), script=[scenario.user("one"), scenario.user("two"), scenario.agent()])

        assert said(result)[-1] == "assistant: two"

    async def test_without_a_new_one_it_says_why(self) -> None:
        with pytest.raises(RuntimeError, match="no new user messages"):
            await play(agent(lambda input: input.last_new_user_message_str()), script=[scenario.agent()])

    async def test_content_that_is_not_text_is_shown(self) -> None:
        parts = [{"type": "text", "text": "hi"}]

        with pytest.raises(RuntimeError, match="'type': 'text'"):
            await play(
                agent(lambda input: input.last_new_user_message_str()),
                script=[scenario.user({"role": "user", "content": parts}), scenario.agent()],
            )

    async def test_it_carries_the_thread_the_state_and_w3c_headers(self) -> None:
        player = agent()

        result = await play(player, script=[scenario.user("hi"), scenario.agent(), scenario.succeed()])

        (input,) = player.inputs
        assert input.thread_id == input.scenario_state.thread_id == result.thread_id
        trace = result.messages[0].get("trace_id")
        assert input.propagation_headers["traceparent"].split("-")[1] == trace

    async def test_usage_that_an_agent_reports_is_counted(self) -> None:
        def spend(input: AgentInput) -> str:
            input.report_usage(input_tokens=10, output_tokens=5, cost_usd=0.25)
            return "done"

        result = await play(agent(spend), script=[scenario.agent(), scenario.succeed()])

        assert result.usage.by_role["agent"].total_tokens == 15
        assert (result.usage.calls, result.usage.cost_usd) == (1, 0.25)


class TestMailboxes:
    @given(st.integers(1, 4), st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=20))
    def test_everybody_hears_every_message_of_others_once_and_in_order(
        self, agents: int, acts: list[tuple[int, bool]]
    ) -> None:
        boxes = Mailboxes(agents)
        said_by: list[tuple[int, dict[str, Any]]] = []
        heard: dict[int, list[dict[str, Any]]] = {index: [] for index in range(agents)}

        for number, (who, speaks) in enumerate(acts):
            who %= agents
            if speaks:
                message = {"number": number}
                said_by.append((who, message))
                boxes.deliver(message, who)
            else:
                heard[who] += boxes.collect(who)
        for index in range(agents):
            heard[index] += boxes.collect(index)

        assert all(heard[i] == [message for author, message in said_by if author != i] for i in range(agents))

    @given(st.lists(st.integers(), max_size=6), st.integers(0, 6))
    def test_what_is_put_back_comes_before_what_came_later(self, numbers: list[int], later: int) -> None:
        boxes = Mailboxes(1)
        messages = [{"n": number} for number in numbers]
        for message in messages:
            boxes.deliver(message, None)
        unheard = boxes.collect(0)
        boxes.deliver({"n": later}, None)

        boxes.put_back(0, unheard)

        assert boxes.collect(0) == [*messages, {"n": later}]
