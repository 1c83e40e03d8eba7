"""Who speaks in which turn, by script and by themselves."""

from typing import Any

import pytest
from company import agent, judge, play, said, user, verdict, when_asked
from hypothesis import given
from hypothesis import strategies as st

import scenario
from scenario import AgentRole
from scenario.engine.turns import Place, TurnOrder
from scenario.scenario_state import ScenarioState


def at_turn(expected: int) -> Any:
    def check(state: ScenarioState) -> None:
        assert state.current_turn == expected

    return check


async def test_everybody_speaks_once_a_turn_in_the_order_user_agent_judge() -> None:
    result = await play(judge([], verdict()), agent("a1", "a2"), user("u1", "u2"))

    assert said(result) == ["user: u1", "assistant: a1", "user: u2", "assistant: a2"]
    assert result.success


async def test_the_first_turn_is_number_zero() -> None:
    player = agent()

    await play(user(), player, judge(), max_turns=3)

    assert player.turns == [0, 1, 2]


async def test_several_agents_of_a_role_speak_in_declared_order() -> None:
    result = await play(user("u"), agent("first"), agent("second"), max_turns=1)

    assert said(result) == ["user: u", "assistant: first", "assistant: second"]


async def test_an_agent_listed_twice_speaks_once_a_turn() -> None:
    twin = agent("a")

    await play(user(), twin, twin, max_turns=2)

    assert twin.calls == 2


async def test_without_agents_an_automatic_run_ends_at_the_limit_of_turns_with_no_messages() -> None:
    result = await play(max_turns=500)

    assert result.messages == []
    assert result.reasoning == "Reached maximum turns (500) without conclusion"


async def test_a_second_user_step_opens_a_turn_and_the_agent_hears_both() -> None:
    player = agent()

    await play(user(), player, script=[scenario.user("one"), scenario.user("two"), scenario.agent(), at_turn(1)])

    assert player.heard == [["one", "two"]]


async def test_the_agent_may_speak_first() -> None:
    result = await play(
        user(),
        agent("welcome", "sure"),
        script=[scenario.agent(), at_turn(0), scenario.user("hi"), at_turn(1), scenario.agent(), at_turn(1)],
    )

    assert said(result) == ["assistant: welcome", "user: hi", "assistant: sure"]


async def test_one_agent_called_twice_has_heard_nothing_new_the_second_time() -> None:
    player = agent()

    await play(user(), player, script=[scenario.user("hi"), scenario.agent(), scenario.agent(), at_turn(1)])

    assert player.heard == [["hi"], []]


async def test_two_agents_share_a_turn_and_a_third_call_opens_the_next() -> None:
    result = await play(
        user(),
        agent("a"),
        agent("b"),
        script=[scenario.user("hi"), scenario.agent(), scenario.agent(), at_turn(0), scenario.agent(), at_turn(1)],
    )

    assert said(result) == ["user: hi", "assistant: a", "assistant: b", "assistant: a"]


async def test_judging_twice_does_not_open_a_turn() -> None:
    referee = judge(when_asked(verdict(passed=["x"])))

    await play(
        user(),
        agent(),
        referee,
        script=[scenario.user("hi"), scenario.agent(), scenario.judge(["x"]), scenario.judge(["x"]), at_turn(0)],
    )

    assert referee.calls == 2


async def test_a_second_judge_step_asks_the_second_judge() -> None:
    first, second = judge(when_asked(verdict(passed=["x"]))), judge(when_asked(verdict(passed=["x"])))

    await play(user(), agent(), first, second, script=[scenario.judge(["x"]), scenario.judge(["x"])])

    assert (first.calls, second.calls) == (1, 1)


async def test_a_judge_step_ends_the_turn_for_user_and_agent() -> None:
    player = agent()

    await play(
        user(),
        player,
        judge(when_asked(verdict(passed=["x"]))),
        script=[scenario.user("hi"), scenario.judge(["x"]), at_turn(0), scenario.agent()],
    )

    assert player.turns == [1]


async def test_a_scripted_assistant_message_takes_the_agents_place() -> None:
    player = agent()

    await play(player, script=[scenario.message({"role": "assistant", "content": "hi"}), at_turn(0), scenario.agent()])

    assert player.turns == [1]


@pytest.mark.parametrize("role", ["system", "developer"])
async def test_a_message_of_another_role_is_added_without_taking_a_place(role: str) -> None:
    result = await play(
        agent("yes"), script=[scenario.message({"role": role, "content": "be kind"}), scenario.agent(), at_turn(0)]
    )

    assert said(result) == [f"{role}: be kind", "assistant: yes"]


async def test_scripted_content_needs_no_agent_of_its_role_and_counts_turns_alike() -> None:
    result = await play(
        agent("sure"),
        script=[scenario.user("one"), scenario.agent(), at_turn(0), scenario.user("two"), at_turn(1), scenario.agent()],
    )

    assert said(result) == ["user: one", "assistant: sure", "user: two", "assistant: sure"]


@pytest.mark.parametrize(
    ("step", "role", "advice"),
    [
        (scenario.user(), "User", "scenario.UserSimulatorAgent()"),
        (scenario.agent(), "Agent", "your agent"),
        (scenario.judge(), "Judge", "scenario.JudgeAgent()"),
    ],
)
async def test_generating_without_an_agent_of_the_role_names_what_to_add(step: Any, role: str, advice: str) -> None:
    with pytest.raises(ValueError, match=f"Cannot generate a message for role `{role}`") as caught:
        await play(script=[step])

    assert advice in str(caught.value)


async def test_empty_scripted_content_is_said_and_not_generated() -> None:
    speaker, player = user("generated"), agent("generated")

    result = await play(speaker, player, script=[scenario.user(""), scenario.agent("")])

    assert said(result) == ["user: ", "assistant: "]
    assert speaker.calls == player.calls == 0


async def test_the_script_may_run_past_the_limit_of_turns_until_it_proceeds() -> None:
    steps = [step for _ in range(4) for step in (scenario.user("hi"), scenario.agent())]

    result = await play(user(), agent(), max_turns=2, script=[*steps, scenario.proceed()])

    assert len(result.messages) == 8
    assert result.reasoning == "Reached maximum turns (2) without conclusion"


class TestProceed:
    """How many turns `proceed` covers, a partly used one included."""

    @staticmethod
    async def _turns(*script: Any, with_judge: bool = True) -> tuple[list[int], list[int], list[int]]:
        speaker, player, referee = user(), agent(), judge()
        agents = [speaker, player, referee] if with_judge else [speaker, player]
        await play(*agents, script=list(script))
        return speaker.turns, player.turns, referee.turns

    async def test_one_turn_at_the_start_is_a_whole_one(self) -> None:
        assert await self._turns(scenario.proceed(1)) == ([0], [0], [0])

    async def test_two_turns_at_the_start(self) -> None:
        assert await self._turns(scenario.proceed(2)) == ([0, 1], [0, 1], [0, 1])

    async def test_after_a_scripted_user_it_finishes_the_turn(self) -> None:
        assert await self._turns(scenario.user("x"), scenario.proceed(1)) == ([], [0], [0])

    async def test_after_user_and_agent_only_the_judge_is_left(self) -> None:
        assert await self._turns(scenario.user("x"), scenario.agent(), scenario.proceed(1)) == ([], [0], [0])

    async def test_a_used_up_turn_does_not_count(self) -> None:
        turns = await self._turns(scenario.user("x"), scenario.agent(), scenario.proceed(1), with_judge=False)

        assert turns == ([1], [0, 1], [])

    async def test_the_judge_of_the_turn_counts_as_one_of_two(self) -> None:
        assert await self._turns(scenario.user("x"), scenario.agent(), scenario.proceed(2)) == ([1], [0, 1], [0, 1])

    async def test_twice_one_turn_is_two_turns(self) -> None:
        assert await self._turns(scenario.proceed(1), scenario.proceed(1)) == ([0, 1], [0, 1], [0, 1])

    async def test_on_turn_is_called_when_a_new_turn_has_begun_and_never_for_the_first(self) -> None:
        turns: list[int] = []

        await play(
            user(), agent(), script=[scenario.proceed(3, on_turn=lambda state: turns.append(state.current_turn))]
        )

        assert turns == [1, 2]

    async def test_on_turn_is_also_called_for_the_turn_that_trips_the_limit(self) -> None:
        turns: list[int] = []

        await play(
            user(),
            agent(),
            max_turns=2,
            script=[scenario.proceed(on_turn=lambda state: turns.append(state.current_turn))],
        )

        assert turns == [1, 2]

    async def test_on_step_is_called_after_each_agent_and_after_the_one_that_ends_the_run(self) -> None:
        lengths: list[int] = []

        async def on_step(state: ScenarioState) -> None:
            lengths.append(len(state.messages))

        await play(user(), agent(), judge(verdict()), script=[scenario.proceed(on_step=on_step)])

        assert lengths == [1, 2, 2]

    @pytest.mark.parametrize("turns", [0, -1, 1.5, "two", True])
    def test_a_number_of_turns_that_is_none_is_refused(self, turns: Any) -> None:
        with pytest.raises(ValueError, match="turns must be 1 or more"):
            scenario.proceed(turns)

    def test_a_callback_that_cannot_be_called_is_refused(self) -> None:
        with pytest.raises(ValueError, match="on_turn"):
            scenario.proceed(on_turn=3)  # type: ignore[arg-type]  # what is tested


_MAKERS = {AgentRole.USER: user, AgentRole.AGENT: agent, AgentRole.JUDGE: judge}
_roles = st.sampled_from(list(AgentRole))


class TestTurnOrder:
    """The state machine by itself."""

    @given(st.lists(_roles, max_size=6))
    def test_left_to_itself_everybody_speaks_exactly_once_grouped_by_role(self, roles: list[AgentRole]) -> None:
        order = TurnOrder([_MAKERS[role]() for role in roles])
        order.open()

        spoken: list[int] = []
        while (index := order.next()) is not None:
            spoken.append(index)

        assert sorted(spoken) == list(range(len(roles)))
        ranks = [list(AgentRole).index(roles[index]) for index in spoken]
        assert ranks == sorted(ranks)

    @given(st.lists(_roles, max_size=6), st.lists(_roles, max_size=12))
    def test_no_place_is_claimed_twice_in_a_turn(self, roles: list[AgentRole], claims: list[AgentRole]) -> None:
        order = TurnOrder([_MAKERS[role]() for role in roles])
        order.open()

        places = [(role, order.claim(role)) for role in claims]

        taken = [(role, place.index) for role, place in places if place is not None]
        assert len(taken) == len(set(taken))
        assert all(place is None or place.index is None or roles[place.index] is role for role, place in places)

    def test_a_role_nobody_plays_has_one_place_a_turn(self) -> None:
        order = TurnOrder([agent()])
        order.open()

        assert order.claim(AgentRole.USER) == Place(None)
        assert order.claim(AgentRole.USER) is None
