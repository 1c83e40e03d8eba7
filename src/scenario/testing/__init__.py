"""Tools for tests of agents, yours and ours: models without a network, a model server, simulated time.

Nothing of it is loaded before it is used.
"""

from typing import TYPE_CHECKING

from scenario.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from scenario.llm.offline import ScriptedModel as ScriptedModel
    from scenario.llm.offline import continue_test as continue_test
    from scenario.llm.offline import make_verdict as make_verdict
    from scenario.llm.offline import offline_model as offline_model
    from scenario.llm.offline import tool_call as tool_call
    from scenario.llm.offline import verdict as verdict
    from scenario.llm.permission import allow_model_requests as allow_model_requests
    from scenario.testing import faults as faults
    from scenario.testing.local_model_server import LocalModelServer as LocalModelServer
    from scenario.testing.model_requests import forbid_model_requests as forbid_model_requests
    from scenario.testing.simulated_time import SimulatedTimeLoop as SimulatedTimeLoop
    from scenario.testing.simulated_time import on_simulated_time as on_simulated_time
    from scenario.testing.simulated_time import run_simulated as run_simulated

__all__ = [
    "LocalModelServer",
    "ScriptedModel",
    "SimulatedTimeLoop",
    "allow_model_requests",
    "continue_test",
    "faults",
    "forbid_model_requests",
    "make_verdict",
    "offline_model",
    "on_simulated_time",
    "run_simulated",
    "tool_call",
    "verdict",
]

_HOMES = {
    "LocalModelServer": "scenario.testing.local_model_server",
    "ScriptedModel": "scenario.llm.offline",
    "SimulatedTimeLoop": "scenario.testing.simulated_time",
    "allow_model_requests": "scenario.llm.permission",
    "continue_test": "scenario.llm.offline",
    "faults": "scenario.testing.faults",
    "forbid_model_requests": "scenario.testing.model_requests",
    "make_verdict": "scenario.llm.offline",
    "offline_model": "scenario.llm.offline",
    "run_simulated": "scenario.testing.simulated_time",
    "on_simulated_time": "scenario.testing.simulated_time",
    "tool_call": "scenario.llm.offline",
    "verdict": "scenario.llm.offline",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
