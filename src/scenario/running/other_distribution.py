"""Notices that the package this one stands in for is installed beside it."""

import logging
from functools import cache
from pathlib import Path

import scenario

_log = logging.getLogger(__name__)

_OTHER = "langwatch_scenario-*.dist-info"


@cache
def warn_of_the_other_distribution() -> None:
    """Say once, in the log, when `langwatch-scenario` is installed in the same place."""
    if any(Path(scenario.__file__).parent.parent.glob(_OTHER)):
        _log.warning(
            "langwatch-scenario is installed beside agent-scenario, and both own the package `scenario`: which of them "
            "runs is a matter of chance. Next: pip uninstall langwatch-scenario, then pip install --force-reinstall "
            "agent-scenario"
        )
