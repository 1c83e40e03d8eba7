"""Tells a test session's log what happens in runs."""

from scenario.events import EventListener, ListenerHandle, add_listener
from scenario.pytest_plugin.run_log import RunLog
from scenario.run_events import RunEvent, RunFinished, RunStarted


class RunRecorder(EventListener):
    """Listens to the runs of this process for a test session."""

    settles_with_run = True

    def __init__(self, log: RunLog) -> None:
        self._log = log

    def on_event(self, event: RunEvent) -> None:
        """Pass on when runs begin and end."""
        if isinstance(event, RunStarted):
            self._log.started(event)
        elif isinstance(event, RunFinished):
            self._log.finished(event)


def listen(log: RunLog) -> ListenerHandle:
    """Tell `log` about all runs of this process that begin from now on."""
    return add_listener(RunRecorder(log))
