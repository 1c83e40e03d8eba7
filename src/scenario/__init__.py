"""Test AI agents by simulating the people who talk to them.

Everything below is loaded on first use, so that importing the package costs nothing.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from scenario.version import __version__ as __version__

if TYPE_CHECKING:
    from scenario.agent_adapter import AgentAdapter as AgentAdapter
    from scenario.caching import cache as cache
    from scenario.config import ModelConfig as ModelConfig
    from scenario.config import ScenarioConfig as ScenarioConfig
    from scenario.judge_agent import JudgeAgent as JudgeAgent
    from scenario.scenario_executor import ScenarioExecutor as ScenarioExecutor
    from scenario.scenario_executor import arun as arun
    from scenario.scenario_executor import run as run
    from scenario.scenario_executor import run_many as run_many
    from scenario.scenario_executor import run_sync as run_sync
    from scenario.scenario_state import ScenarioState as ScenarioState
    from scenario.script import agent as agent
    from scenario.script import fail as fail
    from scenario.script import judge as judge
    from scenario.script import message as message
    from scenario.script import proceed as proceed
    from scenario.script import succeed as succeed
    from scenario.script import user as user
    from scenario.types import AgentInput as AgentInput
    from scenario.types import AgentReturnTypes as AgentReturnTypes
    from scenario.types import AgentRole as AgentRole
    from scenario.types import CriterionResult as CriterionResult
    from scenario.types import JudgmentRequest as JudgmentRequest
    from scenario.types import Outcome as Outcome
    from scenario.types import ScenarioResult as ScenarioResult
    from scenario.types import StopReason as StopReason
    from scenario.user_simulator_agent import UserSimulatorAgent as UserSimulatorAgent

    default_config: ScenarioConfig | None
    configure = ScenarioConfig.configure

_HOMES = {
    "AgentAdapter": "scenario.agent_adapter",
    "AgentInput": "scenario.types",
    "AgentReturnTypes": "scenario.types",
    "AgentRole": "scenario.types",
    "CriterionResult": "scenario.types",
    "JudgeAgent": "scenario.judge_agent",
    "JudgmentRequest": "scenario.types",
    "ModelConfig": "scenario.config",
    "Outcome": "scenario.types",
    "ScenarioConfig": "scenario.config",
    "ScenarioExecutor": "scenario.scenario_executor",
    "ScenarioResult": "scenario.types",
    "ScenarioState": "scenario.scenario_state",
    "StopReason": "scenario.types",
    "UserSimulatorAgent": "scenario.user_simulator_agent",
    "agent": "scenario.script",
    "arun": "scenario.scenario_executor",
    "cache": "scenario.caching",
    "fail": "scenario.script",
    "judge": "scenario.script",
    "message": "scenario.script",
    "proceed": "scenario.script",
    "run": "scenario.scenario_executor",
    "run_many": "scenario.scenario_executor",
    "run_sync": "scenario.scenario_executor",
    "succeed": "scenario.script",
    "user": "scenario.script",
}

# Modules that may be reached as attributes of the package without being imported first.
_MODULES = frozenset(
    [
        "agent_adapter",
        "caching",
        "config",
        "errors",
        "events",
        "ids",
        "judging",
        "llm",
        "script",
        "testing",
        "types",
        "usage",
    ]
)

__all__ = [*sorted([*_HOMES, "configure", "default_config"])]  # pyright: ignore[reportUnsupportedDunderAll]  # lazy


def __getattr__(name: str) -> Any:
    if name == "scenario_cache":
        # The name the reference gives the decorator outside of `__all__`.
        return import_module("scenario.caching").cache
    if name == "configure":
        return import_module("scenario.config").ScenarioConfig.configure
    if name in _MODULES:
        return import_module(f"scenario.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})


class _Package(ModuleType):
    """The package itself: `default_config` is always what `configure()` has made of it."""

    @property
    def default_config(self) -> "ScenarioConfig | None":
        """The settings that all runs begin with; None until something is configured."""
        return import_module("scenario.config").ScenarioConfig.default_config

    @default_config.setter
    def default_config(self, config: "ScenarioConfig | None") -> None:
        import_module("scenario.config").ScenarioConfig.default_config = config


sys.modules[__name__].__class__ = _Package
