"""Which cache key holds for the caller."""

import hashlib


def active_cache_key() -> str | None:
    """Return the cache key of the run the caller works for; outside of runs, the configured one; None for neither."""
    # Loaded here, because to look into the cache takes none of it.
    from scenario.config import ScenarioConfig
    from scenario.engine.run_context import current_run
    from scenario.scenario_state import state_in_play

    run = current_run()
    if run is not None:
        return run.cache_key or None
    state = state_in_play.get()
    config = state.config if state is not None else ScenarioConfig.default_config
    return config.cache_key or None if config is not None else None


def scope_of(cache_key: str) -> bytes:
    """Return what stands for a cache key in the cache file, which does not hold the key itself."""
    return hashlib.sha256(b"scenario cache key\0" + cache_key.encode("utf-8", "surrogatepass")).digest()
