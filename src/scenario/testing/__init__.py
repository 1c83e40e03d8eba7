"""Tools for tests of agents, yours and ours: models without a network, a model server, simulated time.

Nothing of it is loaded before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scenario.llm.offline import ScriptedModel as ScriptedModel
    from scenario.llm.offline import continue_test as continue_test
    from scenario.llm.offline import make_verdict as make_verdict
    from scenario.llm.offline import offline_model as offline_model
    from scenario.llm.offline import tool_call as tool_call
    from scenario.llm.offline import verdict as verdict
    from scenario.testing.local_model_server import LocalModelServer as LocalModelServer

_HOMES = {
    "LocalModelServer": "scenario.testing.local_model_server",
    "ScriptedModel": "scenario.llm.offline",
    "continue_test": "scenario.llm.offline",
    "make_verdict": "scenario.llm.offline",
    "offline_model": "scenario.llm.offline",
    "tool_call": "scenario.llm.offline",
    "verdict": "scenario.llm.offline",
}

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]  # the names are listed once


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
