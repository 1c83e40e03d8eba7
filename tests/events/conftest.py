"""Events as a run emits them, and listeners that keep what they are told."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from scenario import events
from scenario.events.journal import Journal
from scenario.run_events import MessageAdded, Notice, RunEvent, RunFinished, RunStarted, Stamp
from scenario.types import Outcome, ScenarioResult, StopReason


@dataclass
class Story:
    """Makes the events of one run."""

    run_id: str
    name: str = "order status"
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def stamp(self) -> Stamp:
        number = next(self.numbers)
        return Stamp(run_id=self.run_id, sequence=number, at=number / 10, wall_time=1_795_000_000.0 + number / 10)

    def started(self, verbose: int = 1) -> RunStarted:
        return RunStarted(
            stamp=self.stamp(),
            name=self.name,
            description="",
            agents=[],
            set_id="default",
            batch_run_id="batch",
            thread_id="thread",
            seed=1,
            verbose=verbose,
        )

    def message(self, role: str, content: Any = None, **fields: Any) -> MessageAdded:
        message: Mapping[str, Any] = {"role": role, "content": content, **fields}
        return MessageAdded(stamp=self.stamp(), index=0, message=message, author=None)

    def notice(self, text: str = "turn 9 of 10") -> Notice:
        return Notice(stamp=self.stamp(), text=text)

    def finished(self, result: ScenarioResult | None = None, error: str = "") -> RunFinished:
        result = result or ScenarioResult(success=True, messages=[])
        return RunFinished(
            stamp=self.stamp(),
            outcome=Outcome.ERROR if error else result.outcome,
            stop_reason=StopReason.EXCEPTION if error else StopReason.VERDICT,
            result=result,
            error=error,
        )


class Keeper(events.EventListener):
    """Keeps what it is told; a run waits for it."""

    settles_with_run = True

    def __init__(self) -> None:
        self.told: list[RunEvent] = []
        self.closed = 0

    def on_event(self, event: RunEvent) -> None:
        self.told.append(event)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def story() -> Callable[..., Story]:
    numbers = count(1)

    def of_a_new_run(name: str = "order status") -> Story:
        return Story(run_id=f"scenariorun_{next(numbers):027d}", name=name)

    return of_a_new_run


@pytest.fixture
def keeper() -> Callable[[], Keeper]:
    return Keeper


@pytest.fixture
def journal() -> Iterator[Journal]:
    journal = Journal()
    yield journal
    journal.flush(2.0)
