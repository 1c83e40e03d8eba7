"""Extra parameters of a model: those that are settings of ours, those that need LiteLLM, and those for the body."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scenario.errors import ConfigurationError
from scenario.llm.json_values import is_object
from scenario.llm.prices import Price

ATTEMPT_SECONDS = 120.0
TOTAL_SECONDS = 600.0

NEEDS_LITELLM = frozenset({"client", "fallbacks", "mock_response"})
"""Extras that only LiteLLM can carry out."""

_SETTINGS = frozenset(
    {
        "api_version",
        "azure_ad_token",
        "drop_params",
        "extra_body",
        "extra_headers",
        "headers",
        "input_cost_per_token",
        "max_concurrency",
        "max_retries",
        "num_retries",
        "organization",
        "output_cost_per_token",
        "request_timeout",
        "stream",
        "timeout",
        "total_timeout",
    }
)
_RESERVED = frozenset({"messages", "model", "tool_choice", "tools"})
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """How requests to a model are made.

    Attributes:
        attempt_seconds: Limit of one request, from sending it to the end of the answer.
        total_seconds: Limit of a call with its retries and the waits between them.
        max_retries: Number of retries, or None for the defaults of each kind of trouble.
        max_concurrency: Number of requests under way at once to the same service with the same key; None: no limit.
        headers: Further headers.
        api_version: Version of the API, for services that want one.
        organization: Organization that the key acts for.
        azure_ad_token: Bearer token that stands in for the key at Azure.
        price: Price of the model's tokens, when the extras give it.
        body: Further members of each request's body.
    """

    attempt_seconds: float = ATTEMPT_SECONDS
    total_seconds: float = TOTAL_SECONDS
    max_retries: int | None = None
    max_concurrency: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    api_version: str | None = None
    organization: str | None = None
    azure_ad_token: str | None = field(default=None, repr=False)
    price: Price | None = None
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])


def settings_from(extras: Mapping[str, Any]) -> ModelSettings:
    """Return the settings that a model's extra parameters ask for; what is not a setting goes into the body.

    Raises:
        ConfigurationError: If a setting has a value it cannot have.
    """
    if not extras:
        return _DEFAULTS
    attempt = _seconds(extras, "timeout", "request_timeout") or ATTEMPT_SECONDS
    total = _seconds(extras, "total_timeout")
    return ModelSettings(
        attempt_seconds=attempt,
        total_seconds=total if total is not None else max(TOTAL_SECONDS, attempt),
        max_retries=_count(extras, 0, "num_retries", "max_retries"),
        max_concurrency=_count(extras, 1, "max_concurrency"),
        headers={**_headers(extras, "headers"), **_headers(extras, "extra_headers")},
        api_version=_text(extras, "api_version"),
        organization=_text(extras, "organization"),
        azure_ad_token=_text(extras, "azure_ad_token"),
        price=_price(extras),
        body=body_members(extras),
    )


def body_members(extras: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the extra parameters that are members of the request's body, those of `extra_body` among them.

    Raises:
        ConfigurationError: If `extra_body` is not a mapping, or a parameter would replace the request itself.
    """
    if not extras:
        return extras
    members = {name: value for name, value in extras.items() if name not in _SETTINGS and name not in NEEDS_LITELLM}
    further: Any = extras.get("extra_body") or {}
    if not is_object(further):
        raise ConfigurationError(f"extra_body={further!r} is not a mapping", "give a dict of body members")
    members |= further
    if reserved := _RESERVED.intersection(members):
        raise ConfigurationError(
            f"{', '.join(sorted(reserved))} cannot be an extra parameter of a model", "leave it out; agents set it"
        )
    return members


def _seconds(extras: Mapping[str, Any], *names: str) -> float | None:
    value, name = _first(extras, *names)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ConfigurationError(f"{name}={value!r} is not a time limit", "give seconds, more than 0")
    return float(value)


def _count(extras: Mapping[str, Any], least: int, *names: str) -> int | None:
    value, name = _first(extras, *names)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(f"{name}={value!r} is not a number of that kind", f"give a whole number from {least}")
    return value


def _text(extras: Mapping[str, Any], name: str) -> str | None:
    value = extras.get(name)
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"{name} is {type(value).__name__}, not text", f"give `{name}` as a string")
    return value


def _headers(extras: Mapping[str, Any], name: str) -> dict[str, str]:
    value = extras.get(name)
    if value is None:
        return {}
    headers = {str(key): str(item) for key, item in value.items()} if is_object(value) else None
    if headers is None or any("\r" in item or "\n" in item for pair in headers.items() for item in pair):
        raise ConfigurationError(f"`{name}` is not a mapping of HTTP headers", "give a dict of single-line strings")
    return headers


def _price(extras: Mapping[str, Any]) -> Price | None:
    read, written = extras.get("input_cost_per_token"), extras.get("output_cost_per_token")
    if read is None and written is None:
        return None
    for name, value in (("input_cost_per_token", read), ("output_cost_per_token", written)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise ConfigurationError(
                f"{name}={value!r} is not a price", "give both costs in US dollars per token, 0 or more"
            )
    return Price(float(read or 0.0) * _MILLION, float(written or 0.0) * _MILLION)


def _first(extras: Mapping[str, Any], *names: str) -> tuple[Any, str]:
    for name in names:
        if extras.get(name) is not None:
            return extras[name], name
    return None, names[0]


_DEFAULTS = ModelSettings()
