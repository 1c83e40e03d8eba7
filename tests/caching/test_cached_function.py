"""What `@scenario.cache()` does to a function."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import scenario
from scenario.caching import cache
from scenario.config import ScenarioConfig
from scenario.errors import ConfigurationError
from scenario.types import AgentInput


@dataclass
class Answer:
    text: str
    tags: set[str]


class Asked:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


@pytest.fixture
def asked() -> Asked:
    return Asked()


async def test_an_async_function_is_called_once(asked: Asked) -> None:
    @cache()
    async def ask(text: str) -> Answer:
        asked()
        return Answer(text, {text})

    assert await ask("a") == await ask("a") == Answer("a", {"a"})
    assert asked.count == 1


def test_a_plain_function_is_called_once(asked: Asked) -> None:
    @cache()
    def ask(text: str) -> Answer:
        asked()
        return Answer(text, {text})

    assert ask("a") == ask("a") == Answer("a", {"a"})
    assert asked.count == 1


@pytest.mark.blocks("a plain function blocks its loop, cached or not")
async def test_a_plain_function_may_be_called_on_a_loop(asked: Asked) -> None:
    @cache()
    def ask(text: str) -> int:
        return asked()

    assert (ask("a"), ask("a")) == (1, 1)


async def test_none_is_an_answer_too(asked: Asked) -> None:
    @cache()
    async def ask() -> None:
        asked()

    assert await ask() is None
    assert await ask() is None
    assert asked.count == 1


async def test_each_caller_has_an_answer_of_its_own() -> None:
    @cache()
    async def ask() -> list[str]:
        return ["a"]

    first = await ask()
    first.append("changed")
    second = await ask()
    second.append("changed")

    assert await ask() == ["a"]


def test_the_decorated_function_looks_like_the_function() -> None:
    async def ask(text: str) -> str:
        """Ask."""
        return text

    decorated = cache()(ask)

    assert (decorated.__name__, decorated.__doc__) == ("ask", "Ask.")
    assert inspect.iscoroutinefunction(decorated)
    assert inspect.signature(decorated) == inspect.signature(ask)


def test_another_cache_key_is_another_cache(asked: Asked) -> None:
    @cache()
    def ask() -> int:
        return asked()

    answers: list[int] = []
    for key in ("a", "b", "a"):
        ScenarioConfig.configure(cache_key=key)
        answers.append(ask())

    assert answers == [1, 2, 1]


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_cache_key_the_function_is_called_as_ever(asked: Asked, key: str | None, cache_dir: Path) -> None:
    ScenarioConfig.default_config = None if key is None else ScenarioConfig(cache_key=key)

    @cache()
    def ask(anything: object) -> int:
        return asked()

    assert (ask(iter([])), ask(iter([]))) == (1, 2)
    assert not cache_dir.exists()


async def test_it_works_outside_of_a_run_and_after_one(asked: Asked) -> None:
    ScenarioConfig.default_config = None

    @cache()
    async def ask() -> int:
        return asked()

    class Agent(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            return str(await ask())

    assert await ask() == 1
    result = await scenario.arun("run", "", agents=[Agent()], script=_ONE_TURN, cache_key="of the run")
    assert result.messages[-1]["content"] == "2"  # type: ignore[typeddict-item]  # the agent's message has one
    assert await ask() == 3, "the run is over, and so is its cache key"


async def test_the_key_of_the_run_holds_in_agents_and_steps_of_both_kinds_of_run(asked: Asked) -> None:
    @cache()
    async def ask(who: str) -> int:
        return asked()

    class Agent(scenario.AgentAdapter):
        async def call(self, input: AgentInput) -> str:
            return str(await ask("agent"))

    async def check(state: scenario.ScenarioState) -> None:
        await ask("step")

    for run in (scenario.arun, scenario.run, scenario.arun):
        await run("run", "", agents=[Agent()], script=[*_ONE_TURN[:-1], check, _ONE_TURN[-1]], cache_key="of the run")
    assert asked.count == 2

    await ask("step")
    assert asked.count == 3, "outside of the run the configured key holds"


async def test_a_plain_agent_in_a_worker_thread_has_the_key_of_its_run(asked: Asked) -> None:
    ScenarioConfig.default_config = None

    @cache()
    def ask() -> int:
        return asked()

    class Agent(scenario.AgentAdapter):
        def call(self, input: AgentInput) -> str:  # type: ignore[override]  # runs in a thread
            return str(ask())

    for _ in range(2):
        await scenario.arun("run", "", agents=[Agent()], script=_ONE_TURN, cache_key="of the run")

    assert asked.count == 1


_ONE_TURN: list[Any] = [scenario.user("hi"), scenario.agent(), scenario.succeed()]


async def test_an_exception_is_raised_as_it_was_and_not_kept(asked: Asked) -> None:
    class Refused(Exception):
        pass

    @cache()
    async def ask() -> int:
        if asked() < 3:
            raise Refused("no")
        return asked.count

    for _ in range(2):
        with pytest.raises(Refused, match="no") as caught:
            await ask()
        assert caught.traceback[-1].name == "ask"
    assert await ask() == await ask() == 3


def test_a_plain_function_may_raise_anything(asked: Asked) -> None:
    @cache()
    def ask(error: type[BaseException]) -> None:
        asked()
        raise error("no")

    for error in (StopIteration, KeyboardInterrupt, ValueError):
        for _ in range(2):
            with pytest.raises(error):
                ask(error)
    assert asked.count == 6


def test_a_value_that_cannot_be_kept_is_given_and_named_once(asked: Asked, caplog: pytest.LogCaptureFixture) -> None:
    @cache()
    def ask() -> Iterator[int]:
        asked()
        return iter([1])

    assert [*ask(), *ask()] == [1, 1]
    assert asked.count == 2
    assert len(caplog.records) == 1
    assert "gave a value of type list_iterator, which cannot be kept" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


def test_decorating_without_parentheses_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"write `@scenario\.cache\(\)`"):

        @cache  # type: ignore[arg-type]  # what is tested
        def _ask() -> None: ...


def test_decorating_what_is_no_function_is_refused() -> None:
    async def stream() -> AsyncIterator[int]:
        yield 1

    def count() -> Iterator[int]:
        yield 1

    wrongs: list[tuple[Any, str]] = [
        (classmethod(repr), "write it below"),
        (staticmethod(repr), "write it below"),
        (Asked, "takes a function or a method"),
        (3, "takes a function or a method"),
        (stream, "is a generator"),
        (count, "is a generator"),
    ]
    for wrong, said in wrongs:
        with pytest.raises(ConfigurationError, match=said):
            cache()(wrong)


async def test_a_slow_function_does_not_keep_its_loop_from_other_work(asked: Asked) -> None:
    released = asyncio.Event()

    @cache()
    async def ask(text: str) -> str:
        await released.wait()
        return text

    async with asyncio.TaskGroup() as group:
        slow = group.create_task(ask("a"))
        while not slow.done():
            await asyncio.sleep(0)
            released.set()

    assert slow.result() == "a"
