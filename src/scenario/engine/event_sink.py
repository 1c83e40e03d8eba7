"""Where the engine says what happened."""

from typing import Protocol

from scenario.run_events import RunEvent


class EventSink(Protocol):
    """Takes the events of a run, in order."""

    def emit(self, event: RunEvent) -> None:
        """Take one event. Returns at once, never raises, does no I/O."""
        ...


class NullSink:
    """A sink for runs that nobody listens to."""

    def emit(self, event: RunEvent) -> None:
        """Drop the event."""
