"""What a run spent on models: calls, tokens and cost, in total and by role."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """What one model call used.

    Attributes:
        input_tokens: Tokens read, or None when the provider did not say.
        output_tokens: Tokens written, or None when the provider did not say.
        cost_usd: Price in US dollars, or None when the model's price is not known.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The sum of some model calls.

    Attributes:
        calls: Number of model calls that were answered.
        input_tokens: Tokens read, by the calls whose provider reported them.
        output_tokens: Tokens written, by the calls whose provider reported them.
        cost_usd: Price in US dollars; None as soon as one call's price is not known.
        known_cost_usd: Price of the calls whose price is known.
        unmetered_calls: Calls whose provider reported no tokens.
        unpriced_calls: Calls whose price is not known.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    known_cost_usd: float = 0.0
    unmetered_calls: int = 0
    unpriced_calls: int = 0

    @property
    def total_tokens(self) -> int:
        """Tokens read and written."""
        return self.input_tokens + self.output_tokens

    @property
    def cost_usd(self) -> float | None:
        """Price in US dollars, or None when one call's price is not known."""
        return None if self.unpriced_calls else self.known_cost_usd

    def plus(self, call: TokenUsage) -> "Usage":
        """Return this sum with one more call in it."""
        metered = call.input_tokens is not None or call.output_tokens is not None
        return Usage(
            calls=self.calls + 1,
            input_tokens=self.input_tokens + (call.input_tokens or 0),
            output_tokens=self.output_tokens + (call.output_tokens or 0),
            known_cost_usd=self.known_cost_usd + (call.cost_usd or 0.0),
            unmetered_calls=self.unmetered_calls + (not metered),
            unpriced_calls=self.unpriced_calls + (call.cost_usd is None),
        )

    @staticmethod
    def sum(parts: "Iterable[Usage]") -> "Usage":
        """Return the sum of several sums."""
        total = Usage()
        for part in parts:
            total = Usage(
                calls=total.calls + part.calls,
                input_tokens=total.input_tokens + part.input_tokens,
                output_tokens=total.output_tokens + part.output_tokens,
                known_cost_usd=total.known_cost_usd + part.known_cost_usd,
                unmetered_calls=total.unmetered_calls + part.unmetered_calls,
                unpriced_calls=total.unpriced_calls + part.unpriced_calls,
            )
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUsage:
    """What a run spent, by the role that spent it.

    Attributes:
        by_role: Sums keyed by role: `user`, `agent`, `judge`. A role that called no model is absent.
    """

    by_role: Mapping[str, Usage] = field(default_factory=dict[str, Usage])

    @property
    def total(self) -> Usage:
        """The sum over all roles."""
        return Usage.sum(self.by_role.values())

    @property
    def calls(self) -> int:
        """Number of model calls that were answered."""
        return self.total.calls

    @property
    def input_tokens(self) -> int:
        """Tokens read."""
        return self.total.input_tokens

    @property
    def output_tokens(self) -> int:
        """Tokens written."""
        return self.total.output_tokens

    @property
    def total_tokens(self) -> int:
        """Tokens read and written."""
        return self.total.total_tokens

    @property
    def cost_usd(self) -> float | None:
        """Price in US dollars, or None when one call's price is not known."""
        return self.total.cost_usd
