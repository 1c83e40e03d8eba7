"""A listener for tests."""

from typing import Any

from scenario.events import EventListener
from scenario.run_events import RunEvent


class Ears(EventListener):
    """Keeps every event it hears."""

    settles_with_run = True

    def __init__(self) -> None:
        self.events: list[RunEvent] = []

    def on_event(self, event: RunEvent) -> None:
        self.events.append(event)

    def of(self, kind: str) -> list[Any]:
        """The events of one type, by its name."""
        return [event for event in self.events if type(event).__name__ == kind]

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]
