"""Where settings come from: `configure()`, the environment, the project's `.env` and `pyproject.toml`, the defaults."""

from scenario.settings.layers import (
    SettingOrigin,
    check_variable_names,
    default_model,
    settings_below_arguments,
    settings_with_origin,
)
from scenario.settings.project_files import ProjectFiles, project_files, project_root

__all__ = [
    "ProjectFiles",
    "SettingOrigin",
    "check_variable_names",
    "default_model",
    "project_files",
    "project_root",
    "settings_below_arguments",
    "settings_with_origin",
]
