"""What models cost. A model that is not in the table has an unknown price, never a price of zero."""

import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

from scenario.errors import ConfigurationError

PRICES_AS_OF = date(2026, 11, 20)
"""Day on which the table was last checked."""

_MILLION = 1_000_000
_DATE_SUFFIX = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars per million tokens.

    Attributes:
        input: Price of tokens read.
        output: Price of tokens written.
        cached_input: Price of tokens read from the provider's prompt cache; None: as other tokens read.
        up_to_tokens: Size of a prompt up to which the price holds, in tokens; None: any.
        until: Last day on which it holds; None: not announced.
    """

    input: float
    output: float
    cached_input: float | None = None
    up_to_tokens: int | None = None
    until: date | None = None

    def cost(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float | None:
        """Return the price of a call in US dollars, or None where this price does not hold.

        Args:
            input_tokens: Tokens read, those of the cache included.
            output_tokens: Tokens written.
            cached_tokens: Tokens read from the provider's prompt cache.
        """
        if self.up_to_tokens is not None and input_tokens > self.up_to_tokens:
            return None
        if self.until is not None and date.today() > self.until:
            return None
        cached = min(cached_tokens, input_tokens)
        cached_price = self.input if self.cached_input is None else self.cached_input
        return ((input_tokens - cached) * self.input + cached * cached_price + output_tokens * self.output) / _MILLION


@runtime_checkable
class PricedModel(Protocol):
    """A chat model that knows what it costs."""

    @property
    def price(self) -> Price | None:
        """Price of its tokens, or None when it is not known."""
        ...


def price_of(model: object) -> Price | None:
    """Return the price of a chat model's tokens, or None when it is not known."""
    if isinstance(model, PricedModel):
        return model.price
    return FREE if str(getattr(model, "name", "")).startswith("offline/") else None


FREE = Price(0.0, 0.0)

_OPENAI: Mapping[str, Price] = {
    "gpt-4.1": Price(2.0, 8.0, 0.5),
    "gpt-4.1-mini": Price(0.4, 1.6, 0.1),
    "gpt-4.1-nano": Price(0.1, 0.4, 0.025),
    "gpt-4o": Price(2.5, 10.0, 1.25),
    "gpt-4o-mini": Price(0.15, 0.6, 0.075),
    "gpt-5": Price(1.25, 10.0, 0.125),
    "gpt-5-mini": Price(0.25, 2.0, 0.025),
    "gpt-5-nano": Price(0.05, 0.4, 0.005),
    "gpt-5.1": Price(1.25, 10.0, 0.125),
    "gpt-5.2": Price(1.75, 14.0, 0.175),
    "gpt-5.4": Price(2.5, 15.0, 0.25, up_to_tokens=272_000),
    "gpt-5.4-mini": Price(0.75, 4.5, 0.075),
    "gpt-5.4-nano": Price(0.2, 1.25, 0.02),
    "gpt-5.5": Price(5.0, 30.0, 0.5, up_to_tokens=272_000),
    "o1": Price(15.0, 60.0, 7.5),
    "o3-mini": Price(1.1, 4.4, 0.55),
    "o4-mini": Price(1.1, 4.4, 0.275),
}

_ANTHROPIC: Mapping[str, Price] = {
    "claude-fable-5": Price(10.0, 50.0, 1.0),
    "claude-fable-5-1": Price(10.0, 50.0),
    "claude-haiku-4-5": Price(1.0, 5.0, 0.1),
    "claude-opus-4-5": Price(5.0, 25.0, 0.5),
    "claude-opus-4-6": Price(5.0, 25.0, 0.5),
    "claude-opus-4-7": Price(5.0, 25.0, 0.5),
    "claude-opus-4-8": Price(5.0, 25.0, 0.5),
    "claude-opus-5": Price(5.0, 25.0, 0.5),
    "claude-opus-5-5": Price(4.0, 20.0),
    "claude-sonnet-4-5": Price(3.0, 15.0, 0.3),
    "claude-sonnet-4-6": Price(3.0, 15.0, 0.3),
    "claude-sonnet-5": Price(2.0, 10.0, 0.2),
    "claude-sonnet-5-5": Price(2.0, 10.0),
}

_GEMINI: Mapping[str, Price] = {
    "gemini-2.5-flash": Price(0.3, 2.5, 0.03),
    "gemini-2.5-flash-lite": Price(0.1, 0.4, 0.01),
    "gemini-2.5-pro": Price(1.25, 10.0, 0.125, up_to_tokens=200_000),
    "gemini-3-flash-preview": Price(0.5, 3.0),
    "gemini-3.1-flash-lite": Price(0.25, 1.5, 0.025),
    "gemini-3.1-pro-preview": Price(2.0, 12.0, 0.2, up_to_tokens=200_000),
    "gemini-3.5-flash": Price(1.5, 9.0, 0.15),
    "gemini-3.5-flash-lite": Price(0.3, 2.5, 0.03),
    "gemini-3.8-flash": Price(0.75, 3.75, 0.075, until=date(2026, 12, 31)),
}

_XAI: Mapping[str, Price] = {
    "grok-4.6": Price(2.0, 6.0, 0.5, up_to_tokens=200_000),
}

_MOONSHOT: Mapping[str, Price] = {
    "kimi-k2.7-code": Price(0.95, 4.0, 0.19),
    "kimi-k3": Price(3.0, 15.0, 0.3),
}

PRICES: Mapping[str, Mapping[str, Price]] = {
    "openai": _OPENAI,
    "anthropic": _ANTHROPIC,
    "gemini": _GEMINI,
    "xai": _XAI,
    "moonshot": _MOONSHOT,
}
"""The table: prices by provider and model."""

_own: dict[str, Price] = {}
_own_lock = threading.Lock()


def set_price(model: str, *, input: float, output: float, cached_input: float | None = None) -> None:
    """Set what a model costs for this process, in place of the built-in table.

    Args:
        model: Name of the model as agents name it, such as `openai/gpt-4.1-mini` or `hosted_vllm/my-model`.
        input: US dollars per million tokens read.
        output: US dollars per million tokens written.
        cached_input: US dollars per million tokens read from the provider's prompt cache; None: as `input`.

    Raises:
        ConfigurationError: If a price is not a number of zero or more.
    """
    for name, value in (("input", input), ("output", output), ("cached_input", cached_input or 0.0)):
        if not math.isfinite(value) or value < 0:
            raise ConfigurationError(
                f"{name}={value!r} cannot be a price of {model}", "give US dollars per million tokens, 0 or more"
            )
    with _own_lock:
        _own[model] = Price(input, output, cached_input)


def known_price(name: str, provider: str | None, model: str) -> Price | None:
    """Return what a model costs, or None when it is not known.

    Args:
        name: Name of the model as the agent names it.
        provider: Prefix of the provider whose own prices apply; None where they do not, as behind a gateway.
        model: Name of the model at the provider.
    """
    own = _own.get(name) or (_own.get(f"{provider}/{model}") if provider else None)
    if own is not None:
        return own
    table = PRICES.get(provider or "", {})
    return table.get(model) or table.get(_DATE_SUFFIX.sub("", model))
