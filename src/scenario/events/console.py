"""The terminal display: shows conversations and verdicts as they happen."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from scenario.events.listener import EventListener
from scenario.events.message_lines import message_lines
from scenario.events.screen_lines import Line, Piece, block, line
from scenario.events.terminal import Terminal
from scenario.events.verdict_lines import checkpoint_lines, verdict_lines
from scenario.run_events import (
    CheckpointReached,
    MessageAdded,
    MessagesRemoved,
    Notice,
    RunEvent,
    RunFinished,
    RunStarted,
)

_NAME_EACH_LINE = 2
_ID_TAIL = 6

_displays: dict[int, "ConsoleListener"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    run_id: str
    name: str
    verbose: int


class ConsoleListener(EventListener):
    """Shows each message as it comes, and the verdict, on standard output.

    Lines of runs that go on at the same time begin with the scenario's name.
    """

    settles_with_run = True

    def __init__(self) -> None:
        self._terminal = Terminal()
        self._runs: dict[str, _Shown] = {}

    def on_event(self, event: RunEvent) -> None:
        """Show the event, if there is anything to see."""
        if isinstance(event, RunStarted):
            run = _Shown(run_id=event.stamp.run_id, name=event.name, verbose=event.verbose)
            self._runs[run.run_id] = run
            self._show(run, [line()])
            return
        run = self._runs.get(event.stamp.run_id)
        if lines := _lines_of(event, run):
            self._show(run, lines)
        if isinstance(event, RunFinished):
            self._runs.pop(event.stamp.run_id, None)

    def close(self) -> None:
        """Forget runs that were never finished."""
        self._runs.clear()

    def _show(self, run: _Shown | None, lines: Sequence[Line]) -> None:
        if run is not None and (len(self._runs) > 1 or run.verbose == _NAME_EACH_LINE):
            prefix = line(Piece(f"[Scenario: {self._label(run)}] ", "scenario"))
            lines = [prefix + each for each in lines if each]
        if lines:
            self._terminal.write(lines)

    def _label(self, run: _Shown) -> str:
        namesakes = sum(other.name == run.name for other in self._runs.values())
        return run.name if namesakes == 1 else f"{run.name} {run.run_id[-_ID_TAIL:]}"


def terminal_display() -> ConsoleListener:
    """Return the display that all runs of this process share, so that it knows which of them go on together."""
    # By process: a forked child shows other runs than its parent.
    return _displays.setdefault(os.getpid(), ConsoleListener())


def _lines_of(event: RunEvent, run: _Shown | None) -> list[Line]:
    match event:
        case MessageAdded():
            return message_lines(event.message)
        case MessagesRemoved():
            return [line(Piece(f"(taken back: {event.count} message{'s' if event.count != 1 else ''})", "quiet"))]
        case CheckpointReached():
            return checkpoint_lines(event)
        case Notice():
            return block(Piece("Note:", "undecided"), event.text)
        case RunFinished():
            return verdict_lines(event, run.name if run else "")
        case _:
            return []
