"""Who listens: to every run of this process, or to a single one."""

from collections.abc import Sequence

from scenario.events.journal import ListenerHandle, RunSink, process_journal
from scenario.events.listener import EventListener


def add_listener(listener: EventListener) -> ListenerHandle:
    """Tell `listener` about every run of this process that begins from now on.

    Args:
        listener: Adding one twice changes nothing.

    Returns:
        A handle with `remove()`; it also removes the listener at the end of a `with` block.

    Raises:
        ConfigurationError: If it is not an `EventListener`.
    """
    return process_journal.add_listener(listener)


def remove_listener(listener: EventListener) -> None:
    """Don't tell `listener` about further runs, and close it once those under way are over.

    Removing one that was not added changes nothing.
    """
    process_journal.remove_listener(listener)


def open_run(run_id: str, *, verbose: bool | int, listeners: Sequence[EventListener] = ()) -> RunSink:
    """Return where the events of a run go.

    Args:
        run_id: Id of the run.
        verbose: Whether to show the conversation on the terminal.
        listeners: Who listens to this run, beside the listeners of the process.

    Raises:
        ConfigurationError: If one of `listeners` is not an `EventListener`.
    """
    if verbose:
        # Loaded here: nobody else needs it.
        from scenario.events.console import ConsoleListener, terminal_display

        shown_by = (*process_journal.listeners, *listeners)
        if not any(isinstance(listener, ConsoleListener) for listener in shown_by):
            listeners = (*listeners, terminal_display())
    return process_journal.open_run(run_id, listeners)
