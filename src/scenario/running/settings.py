"""Merges the layers that settings come from: argument, `configure()`, environment, default."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from scenario.config import ScenarioConfig
from scenario.engine.budget import Limits
from scenario.errors import ConfigurationError

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_SWITCHES = {"debug", "headless"}
_WHOLE_NUMBERS = {"max_turns", "min_turns", "max_tokens_total", "seed"}
_NUMBERS = {"agent_timeout", "max_seconds", "max_cost_usd"}
_TEXTS = {"default_model", "cache_key"}


def resolve_settings(arguments: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> ScenarioConfig:
    """Return the settings of a run; of the layers that give a value, the strongest wins.

    Args:
        arguments: What was given to the run; None means "not given".
        environment: Variables `SCENARIO_<SETTING>`.

    Raises:
        ConfigurationError: If a setting has a value it cannot have.
    """
    configured = ScenarioConfig.default_config
    settings = from_environment(environment)
    settings.update(configured.given() if configured else {})
    settings.update({name: value for name, value in arguments.items() if value is not None})
    config = ScenarioConfig(**settings)
    if config.min_turns is not None and config.min_turns > (config.max_turns or 0):
        raise ConfigurationError(
            f"min_turns ({config.min_turns}) cannot exceed max_turns ({config.max_turns})",
            "lower one or raise the other",
        )
    return config


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that the environment gives.

    Raises:
        ConfigurationError: If a variable cannot be read as its setting's value.
    """
    settings: dict[str, Any] = {}
    for name in ScenarioConfig.model_fields:
        variable = f"SCENARIO_{name.upper()}"
        text = environment.get(variable)
        if text is None or (text == "" and name not in _SWITCHES):
            continue
        try:
            value = _read(name, text.strip())
        except ValueError as error:
            raise ConfigurationError(
                f"the environment variable {variable}={text!r} cannot be read: {error}", "correct it, or unset it"
            ) from error
        if value is not None:
            settings[name] = value
    return settings


def limits_of(config: ScenarioConfig) -> Limits:
    """Return the limits that the settings put on a run; under a debugger an agent may take its time."""
    return Limits(
        agent_timeout=None if _debugger_attached() else config.agent_timeout,
        max_seconds=config.max_seconds,
        max_tokens_total=config.max_tokens_total,
        max_cost_usd=config.max_cost_usd,
    )


def _read(name: str, text: str) -> Any:
    if name in _TEXTS:
        return text
    if name in _WHOLE_NUMBERS:
        return int(text)
    if name in _NUMBERS:
        return float(text)
    if name in _SWITCHES or name == "verbose":
        if name == "headless":
            # Any other text than these means yes, as it always has.
            return text.lower() not in {"", "0", "false"}
        if text.lower() in _TRUE:
            return True
        if text.lower() in _FALSE:
            return False
        if name == "verbose":
            return int(text)
        raise ValueError("write 1 or 0")
    return None


def _debugger_attached() -> bool:
    trace = sys.gettrace()
    if trace is not None and trace.__module__.split(".")[0] in {"bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy"}:
        return True
    monitoring = getattr(sys, "monitoring", None)
    return monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None
