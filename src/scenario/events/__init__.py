"""Listeners: who is told what happens in runs, in this process or in a single run.

Nothing of it is loaded before it is used: what only writes to the terminal needs none of the rest.
"""

from typing import TYPE_CHECKING

from scenario.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from scenario.events.console import ConsoleListener as ConsoleListener
    from scenario.events.journal import ListenerHandle as ListenerHandle
    from scenario.events.journal import RunSink as RunSink
    from scenario.events.listener import EventListener as EventListener
    from scenario.events.registration import add_listener as add_listener
    from scenario.events.registration import open_run as open_run
    from scenario.events.registration import remove_listener as remove_listener
    from scenario.events.results_table import show_results as show_results

__all__ = [
    "ConsoleListener",
    "EventListener",
    "ListenerHandle",
    "RunSink",
    "add_listener",
    "open_run",
    "remove_listener",
    "show_results",
]

_HOMES = {
    "ConsoleListener": "scenario.events.console",
    "EventListener": "scenario.events.listener",
    "ListenerHandle": "scenario.events.journal",
    "RunSink": "scenario.events.journal",
    "add_listener": "scenario.events.registration",
    "open_run": "scenario.events.registration",
    "remove_listener": "scenario.events.registration",
    "show_results": "scenario.events.results_table",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
