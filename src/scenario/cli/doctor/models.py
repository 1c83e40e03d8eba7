"""Looks at the settings, the keys and the model that runs would use."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from scenario.cli.doctor.finding import Finding, ok, problem_of, warning
from scenario.errors import ScenarioError

if TYPE_CHECKING:
    from scenario.llm.chat_model import ModelSpec
    from scenario.llm.connection import Connection

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def model_findings(*, online: bool) -> Iterator[Finding]:
    """Look at settings, keys and the default model.

    Args:
        online: Whether to try a service that is not on this machine.
    """
    from scenario.running.settings import resolve_settings

    spec: ModelSpec | None = None
    try:
        spec = resolve_settings({}).default_model
    except ScenarioError as error:
        yield problem_of("Settings", error)
    else:
        yield ok("Settings", "every setting has a value it can have (scenario config shows them)")
        yield from _default_model(spec, online=online)
    yield _keys()
    yield from _permission()
    yield from _surroundings()


def _default_model(spec: "ModelSpec | None", *, online: bool) -> Iterator[Finding]:
    topic = "Default model"
    if spec is None:
        yield warning(
            topic,
            "none: simulators and judges have to name theirs",
            "set SCENARIO_DEFAULT_MODEL=provider/model; models whose names begin with offline/ need neither key "
            "nor network",
        )
        return
    from scenario.llm.litellm_model import LiteLLMModel
    from scenario.llm.model_choice import choose_model
    from scenario.llm.openai_compatible import OpenAICompatibleModel

    try:
        choice = choose_model("The default model", model=spec)
        model = choice.chat_model
        if isinstance(model, LiteLLMModel):
            yield _by_litellm(choice.name)
        elif isinstance(model, OpenAICompatibleModel):
            connection = model.connection()
            yield ok(topic, f"{choice.name} at {connection.base_url}")
            yield from _way_to(connection, online=online)
        else:
            yield ok(topic, f"{choice.name}, which needs neither key nor network")
    except ScenarioError as error:
        yield problem_of(topic, error)


def _by_litellm(name: str) -> Finding:
    if find_spec("litellm") is not None:
        return ok("Default model", f"{name}, by LiteLLM")
    return warning(
        "Default model", f"{name} needs LiteLLM, which is not installed", 'pip install "agent-scenario[litellm]"'
    )


def _way_to(connection: "Connection", *, online: bool) -> Iterator[Finding]:
    from scenario.cli.doctor.network import reachability
    from scenario.llm.permission import is_loopback

    if online or is_loopback(connection.host):
        yield reachability(connection)
    else:
        yield ok("Reachable", f"{connection.host} was not tried: that takes scenario doctor --online")


def _keys() -> Finding:
    from scenario.llm.providers import provider_named, provider_prefixes

    providers = [provider for prefix in provider_prefixes() if (provider := provider_named(prefix)) is not None]
    variables = sorted({variable for provider in providers for variable in provider.key_variables})
    present = [variable for variable in variables if os.environ.get(variable, "").strip()]
    if present:
        return ok("Keys", f"{', '.join(present)} {'is' if len(present) == 1 else 'are'} set (values are not shown)")
    return warning(
        "Keys",
        "no provider's key is set",
        "set the one of your provider, such as OPENAI_API_KEY; offline models and local servers need none",
    )


def _permission() -> Iterator[Finding]:
    from scenario.llm.permission import model_requests_allowed

    if not model_requests_allowed():
        yield warning(
            "Requests",
            "SCENARIO_ALLOW_MODEL_REQUESTS forbids requests to models that are not on this machine",
            "unset it where real models are meant to be used",
        )


def _surroundings() -> Iterator[Finding]:
    """Look at what the environment says about the way to services."""
    proxies = [name for name in _PROXIES if _set(name)]
    if proxies:
        yield ok("Proxies", f"{', '.join(proxies)} {'is' if len(proxies) == 1 else 'are'} in effect")
    for name in _CERTIFICATES:
        if (path := _set(name)) is None:
            continue
        if os.path.exists(path):
            yield ok("Certificates", f"{name}={path}")
        else:
            yield warning("Certificates", f"{name}={path}, which does not exist", "correct it, or unset it")


def _set(name: str) -> str | None:
    # Proxies are also read in small letters, and those come first.
    return os.environ.get(name.lower()) or os.environ.get(name) or None
