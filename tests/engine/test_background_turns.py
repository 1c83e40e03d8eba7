"""An agent's turn that goes on while the script does: `agent(wait=False)`."""

import asyncio
from typing import Any

import pytest
from company import Player, agent, judge, play, said, user, verdict, when_asked
from hearing import Ears

import scenario
from scenario.types import AgentInput


class Waiting(scenario.AgentAdapter):
    """Answers when it is told to."""

    def __init__(self, answer: Any = "finally") -> None:
        self.may_answer = asyncio.Event()
        self.asked = asyncio.Event()
        self.was_cancelled = False
        self.answer = answer

    async def call(self, input: AgentInput) -> Any:
        self.asked.set()
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def release(self, _: Any) -> None:
        self.may_answer.set()


async def test_the_script_goes_on_and_the_next_blocking_step_waits_for_the_answer() -> None:
    waiting = Waiting()

    result = await play(
        waiting,
        script=[
            scenario.user("hi"),
            scenario.agent(wait=False),
            waiting.release,
            scenario.user("next"),
            scenario.succeed(),
        ],
    )

    assert said(result) == ["user: hi", "assistant: finally", "user: next"]


@pytest.mark.parametrize(
    "step",
    [
        scenario.user("x"),
        scenario.agent("x"),
        scenario.judge(),
        scenario.proceed(),
        scenario.succeed(),
        scenario.fail(),
    ],
)
async def test_every_blocking_step_takes_its_error(step: Any) -> None:
    waiting = Waiting(LookupError("lost"))

    with pytest.raises(RuntimeError, match="lost"):
        await play(
            waiting,
            user(),
            judge(when_asked(verdict())),
            script=[scenario.agent(wait=False), waiting.release, step],
        )


async def test_a_result_that_it_gives_ends_the_run_at_the_next_step() -> None:
    waiting = Waiting(verdict(reasoning="from behind"))

    result = await play(waiting, script=[scenario.agent(wait=False), waiting.release, scenario.fail("too late")])

    assert result.reasoning == "from behind"


async def test_a_second_one_while_the_first_goes_on_is_refused() -> None:
    waiting = Waiting()

    with pytest.raises(RuntimeError, match=r"^An async agent turn is already in flight"):
        await play(waiting, script=[scenario.agent(wait=False), scenario.agent(wait=False)])

    assert waiting.was_cancelled or not waiting.asked.is_set()


async def test_one_that_is_not_over_when_the_script_ends_is_cancelled_and_reported() -> None:
    waiting, ears = Waiting(), Ears()

    async def until_asked(_: Any) -> None:
        await waiting.asked.wait()

    result = await play(
        waiting, script=[scenario.user("hi"), scenario.agent(wait=False), until_asked], listeners=[ears]
    )

    assert waiting.was_cancelled
    assert said(result) == ["user: hi"]
    assert any("still under way when the script ended" in notice.text for notice in ears.of("Notice"))


async def test_one_that_has_not_even_begun_when_the_script_ends_is_cancelled() -> None:
    result = await asyncio.wait_for(play(Waiting(), script=[scenario.user("hi"), scenario.agent(wait=False)]), 5)

    assert said(result) == ["user: hi"]


async def test_an_error_of_one_that_is_over_when_the_script_ends_is_raised() -> None:
    waiting = Waiting(LookupError("lost"))

    async def until_over(_: Any) -> None:
        waiting.may_answer.set()
        for _ in range(5):
            await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="lost"):
        await play(waiting, script=[scenario.agent(wait=False), until_over])


async def test_it_is_cancelled_when_a_step_fails() -> None:
    waiting = Waiting()

    async def fail(_: Any) -> None:
        await waiting.asked.wait()
        raise LookupError("elsewhere")

    with pytest.raises(LookupError, match="elsewhere"):
        await play(waiting, script=[scenario.agent(wait=False), fail])

    assert waiting.was_cancelled


async def test_messages_added_meanwhile_are_heard_at_the_next_call() -> None:
    waiting = Waiting()
    second = Player("second")

    await play(
        waiting,
        second,
        script=[
            scenario.user("hi"),
            scenario.agent(wait=False),
            scenario.message({"role": "system", "content": "meanwhile"}),
            waiting.release,
            scenario.agent(),
        ],
    )

    assert second.heard == [["hi", "meanwhile", "finally"]]


async def test_an_agent_that_asks_for_a_step_in_its_own_background_turn_does_not_wait_for_itself() -> None:
    async def steer(input: AgentInput) -> str:
        await scenario.user("from the agent")(input.scenario_state)
        return "done"

    class Steering(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            return await steer(input)

    result = await play(Steering(), script=[scenario.agent(wait=False), scenario.succeed()])

    assert said(result) == ["user: from the agent", "assistant: done"]


async def test_outside_of_a_run_there_is_no_background() -> None:
    executor = scenario.ScenarioExecutor("n", "d", [agent()], verbose=False)

    with pytest.raises(ValueError, match="outside of a run"):
        await executor.agent(wait=False)
