"""From what names a model to the model."""

import re
from collections.abc import Mapping
from typing import Any

from scenario.config.model_config import ModelConfig
from scenario.errors import ConfigurationError
from scenario.llm.chat_model import ChatModel, ModelSpec
from scenario.llm.connection import checked_base_url
from scenario.llm.litellm_model import LiteLLMModel
from scenario.llm.model_function import FunctionModel
from scenario.llm.model_settings import NEEDS_LITELLM, settings_from
from scenario.llm.openai_compatible import OpenAICompatibleModel
from scenario.llm.providers import SERVED_BY_LITELLM, Provider, family_of, provider_named, unknown_provider

_ANY_COMPATIBLE = "openai_like"
_NO_EXTRAS: Mapping[str, Any] = {}


def chat_model(
    spec: ModelSpec,
    *,
    api_base: str | None = None,
    api_key: str | None = None,
    extra_params: Mapping[str, Any] = _NO_EXTRAS,
) -> ChatModel:
    """Return the chat model that a name, a configuration, a function or a chat model stands for.

    Args:
        spec: `provider/model`, a name whose provider is known without saying, `offline/…`, a `ModelConfig`, a function
            of messages and tools, or a chat model.
        api_base: Base URL of an OpenAI-compatible API, in place of the provider's own.
        api_key: Key, in place of the environment's.
        extra_params: Further parameters of the model.

    Raises:
        UnknownProviderError: If no provider answers to the name.
        ConfigurationError: If `spec` is nothing of the kind, or a parameter has a value it cannot have.
    """
    if isinstance(spec, ModelConfig):
        return _named(
            spec.model,
            api_base or spec.api_base,
            api_key or spec.api_key,
            {**spec.extra_params, **extra_params},
        )
    if isinstance(spec, str):
        return _named(spec, api_base, api_key, extra_params)
    if isinstance(spec, type):
        raise ConfigurationError(f"model={spec.__name__} is a class", f"give an object of it: {spec.__name__}(...)")
    if isinstance(spec, ChatModel):
        return spec
    if callable(spec):
        return FunctionModel(spec)
    raise ConfigurationError(
        f"model={spec!r} is {type(spec).__name__}, which names no model",
        "give `provider/model`, a ModelConfig, a ChatModel, or a function of messages and tools",
    )


def _named(name: str, api_base: str | None, api_key: str | None, extras: Mapping[str, Any]) -> ChatModel:
    name = name.strip()
    if not name or re.search(r"\s", name) or name.endswith("/"):
        raise ConfigurationError(f"{name!r} cannot be the name of a model", "write it as provider/model")
    prefix, slash, model = name.partition("/")
    if slash and prefix == "offline":
        from scenario.llm.offline import offline_model

        return offline_model(name)
    if api_base:
        checked_base_url(api_base)
    settings = settings_from(extras)
    if prefix == "litellm" or NEEDS_LITELLM & extras.keys() or (prefix in SERVED_BY_LITELLM and not api_base):
        return LiteLLMModel(
            name, model if prefix == "litellm" else name, api_base=api_base, api_key=api_key, extras=extras
        )
    provider = provider_named(prefix) if slash else None
    if provider is None:
        provider, model = (provider_named(_ANY_COMPATIBLE) if api_base else None) or _of_family(name), name
    elif api_base and provider.elsewhere:
        provider = provider_named(provider.elsewhere) or provider
    return OpenAICompatibleModel(name, provider, model, api_base=api_base, api_key=api_key, settings=settings)


def _of_family(name: str) -> Provider:
    provider = provider_named(family_of(name).provider) if "/" not in name else None
    if provider is None:
        raise unknown_provider(name)
    return provider
