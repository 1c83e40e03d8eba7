"""Who starts runs tells what they begin in."""

import logging

import pytest

import scenario
from scenario.engine.run_origin import origin_of, tell_origins
from scenario.run_events import RunEvent, RunStarted


class Origins(scenario.events.EventListener):
    settles_with_run = True

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def on_event(self, event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            self.told.append((event.stamp.run_id, event.origin))


async def test_a_run_says_what_it_began_in() -> None:
    asked: list[str] = []
    origins = Origins()
    end = tell_origins(lambda run_id: (asked.append(run_id), "a test")[1])

    result = await scenario.run("n", "d", [], script=[scenario.succeed()], verbose=False, listeners=[origins])
    end()

    assert origins.told == [(result.run_id, "a test")]
    assert asked == [result.run_id]


async def test_a_listener_that_is_added_when_asked_hears_the_run() -> None:
    origins = Origins()

    def teller(run_id: str) -> str:
        scenario.events.add_listener(origins)
        return "here"

    end = tell_origins(teller)
    await scenario.run("n", "d", [], script=[scenario.succeed()], verbose=False)
    end()
    scenario.events.remove_listener(origins)

    assert [origin for _, origin in origins.told] == ["here"]


def test_the_last_teller_is_asked_until_it_ends() -> None:
    end_first = tell_origins(lambda run_id: "first")
    end_second = tell_origins(lambda run_id: "second")
    assert origin_of("r") == "second"

    end_second()
    end_second()
    assert origin_of("r") == "first"

    end_first()


def test_a_teller_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(run_id: str) -> str:
        raise KeyError(run_id)

    end = tell_origins(broken)
    with caplog.at_level(logging.ERROR, "scenario"):
        assert origin_of("r") == ""
    end()

    assert "run r" in caplog.text
