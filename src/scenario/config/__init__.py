"""Settings as values: `ScenarioConfig` and `ModelConfig`."""

from scenario.config.model_config import ModelConfig
from scenario.config.scenario_config import ScenarioConfig

__all__ = ["ModelConfig", "ScenarioConfig"]
