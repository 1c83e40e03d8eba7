"""The package this one stands in for, installed beside it."""

import logging
from pathlib import Path

import pytest

import scenario
from scenario.running.other_distribution import warn_of_the_other_distribution


@pytest.mark.parametrize("installed", [True, False])
def test_it_is_named_in_the_log_with_what_to_do(
    installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if installed:
        (tmp_path / "langwatch_scenario-1.6.0.dist-info").mkdir()
    monkeypatch.setattr(scenario, "__file__", str(tmp_path / "scenario" / "__init__.py"))
    warn_of_the_other_distribution.cache_clear()

    with caplog.at_level(logging.WARNING, "scenario"):
        warn_of_the_other_distribution()
        warn_of_the_other_distribution()

    assert caplog.text.count("pip uninstall langwatch-scenario") == installed
    warn_of_the_other_distribution.cache_clear()
