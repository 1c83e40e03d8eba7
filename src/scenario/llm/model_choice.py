"""Which model an agent uses, out of its own arguments and the configured default."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scenario.config.model_config import ModelConfig
from scenario.errors import ConfigurationError, MissingModelError
from scenario.llm.chat_model import ChatModel, Message, ModelRequest, ModelSpec, Tool, ToolChoice
from scenario.llm.routing import chat_model

_DEFAULT_TEMPERATURE = 0.0
_NO_EXTRAS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """The model of an agent, and how the agent calls it.

    Attributes:
        name: Name of the model, as it was given.
        chat_model: The model itself.
        api_base: Base URL, or None for the provider's own.
        api_key: Key, or None for the environment's.
        temperature: Sampling temperature.
        max_tokens: Limit of tokens of an answer, or None for the provider's own.
        extra_params: Further parameters of the model.
    """

    name: str
    chat_model: ChatModel
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    temperature: float = _DEFAULT_TEMPERATURE
    max_tokens: int | None = None
    extra_params: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def request(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
        seed: int | None = None,
    ) -> ModelRequest:
        """Return a request with the temperature, the limit and the further parameters of this choice.

        Args:
            messages: The prompt.
            tools: Functions the model may call.
            tool_choice: Whether it may, must or must not call one.
            seed: Seed of the sampling.
        """
        return ModelRequest(
            messages=messages,
            tools=tools,
            tool_choice=tool_choice,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=seed,
            extra=self.extra_params,
        )


def choose_model(
    owner: str,
    *,
    model: "ModelSpec | None",
    api_base: str | None = None,
    api_key: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    extra_params: Mapping[str, Any] = _NO_EXTRAS,
    default: "ModelSpec | None" = None,
) -> ModelChoice:
    """Return the model of an agent: its own arguments first, then the configured default.

    Of a default that is a `ModelConfig` everything is inherited that the agent does not give, even where it names
    another model; of any other default only the model. Neither the environment nor a network is touched.

    Args:
        owner: Name of the agent's class, for the error.
        model: Model that the agent was given, or None.
        api_base: Base URL that the agent was given, or None.
        api_key: Key that the agent was given, or None.
        temperature: Temperature that the agent was given, or None; zero is a temperature.
        max_tokens: Limit that the agent was given, or None.
        extra_params: Further parameters that the agent was given; they win over the default's one by one.
        default: The configured default, or None.

    Raises:
        MissingModelError: If neither the agent nor the configuration names a model.
        UnknownProviderError: If no provider answers to the name.
        ConfigurationError: If an argument has a value it cannot have.
    """
    spec = model if model is not None else default
    if spec is None:
        raise _missing(owner)
    config = _config(model, default)
    name = spec
    if isinstance(spec, ModelConfig):
        name = spec.model
    if config is not None:
        api_base = api_base or config.api_base
        api_key = api_key or config.api_key
        temperature = config.temperature if temperature is None else temperature
        max_tokens = config.max_tokens if max_tokens is None else max_tokens
        extra_params = {**config.extra_params, **extra_params}
    chosen = chat_model(name, api_base=api_base, api_key=api_key, extra_params=extra_params)
    return ModelChoice(
        name=name if isinstance(name, str) else chosen.name,
        chat_model=chosen,
        api_base=api_base,
        api_key=api_key,
        temperature=_checked_temperature(temperature, owner),
        max_tokens=_checked_max_tokens(max_tokens, owner),
        extra_params=dict(extra_params),
    )


def _config(model: "ModelSpec | None", default: "ModelSpec | None") -> ModelConfig | None:
    if isinstance(model, ModelConfig):
        return model
    if isinstance(default, ModelConfig) and (model is None or isinstance(model, str)):
        return default
    return None


def _missing(owner: str) -> MissingModelError:
    return MissingModelError(
        f"{owner} needs a model, and none is configured",
        f'give it one, {owner}(model="openai/gpt-4.1-mini"), '
        'or set one for all agents, scenario.configure(default_model="openai/gpt-4.1-mini"); '
        "models whose names begin with offline/ need neither key nor network",
    )


def _checked_temperature(temperature: Any, owner: str) -> float:
    if temperature is None:
        return _DEFAULT_TEMPERATURE
    if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not 0 <= temperature < math.inf:
        raise ConfigurationError(
            f"{owner}(temperature={temperature!r}) is not a temperature", "give a number, 0 or more"
        )
    return temperature


def _checked_max_tokens(max_tokens: Any, owner: str) -> int | None:
    if max_tokens is not None and (isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 1):
        raise ConfigurationError(f"{owner}(max_tokens={max_tokens!r}) is not a limit", "give a whole number from 1")
    return max_tokens
