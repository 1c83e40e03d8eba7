"""Every test of this folder has a cache of its own and, unless it says otherwise, a cache key."""

from pathlib import Path

import pytest

from scenario.config import ScenarioConfig


@pytest.fixture
def cache_dir(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def _own_cache(  # pyright: ignore[reportUnusedFunction]
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENARIO_CACHE_DIR", str(cache_dir))
    ScenarioConfig.configure(cache_key="key")
