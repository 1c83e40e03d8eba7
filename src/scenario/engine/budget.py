"""What a run may spend, and what it has spent."""

from dataclasses import dataclass

from scenario.errors import BudgetExceededError
from scenario.types import AgentRole, StopReason
from scenario.usage import RunUsage, TokenUsage, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a run; None means none.

    Attributes:
        agent_timeout: One call of an agent, in seconds.
        max_seconds: The whole run, in seconds.
        max_tokens_total: Tokens read and written by all models.
        max_cost_usd: Cost of all models, in US dollars.
    """

    agent_timeout: float | None = None
    max_seconds: float | None = None
    max_tokens_total: int | None = None
    max_cost_usd: float | None = None


class LimitReached(Exception):  # ends the script, never leaves the engine
    """A limit ended the run.

    Attributes:
        stop_reason: Which limit.
        reasoning: What was reached, for the result.
    """

    def __init__(self, stop_reason: StopReason, reasoning: str) -> None:
        super().__init__(stop_reason, reasoning)
        self.stop_reason = stop_reason
        self.reasoning = reasoning


class Budget:
    """Counts model calls by role and tells when a limit of spend is used up."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._by_role: dict[str, Usage] = {}

    @property
    def usage(self) -> RunUsage:
        """What was spent so far."""
        return RunUsage(by_role=dict(self._by_role))

    def record(self, role: AgentRole, call: TokenUsage) -> None:
        """Count one model call."""
        name = role.value.lower()
        self._by_role[name] = self._by_role.get(name, Usage()).plus(call)

    @property
    def used_up(self) -> LimitReached | None:
        """The limit of spend that is used up, if one is."""
        limits = self.limits
        if limits.max_tokens_total is None and limits.max_cost_usd is None:
            return None
        spent = Usage.sum(self._by_role.values())
        if limits.max_tokens_total is not None and spent.total_tokens >= limits.max_tokens_total:
            return LimitReached(
                StopReason.MAX_TOKENS,
                f"Reached max_tokens_total ({limits.max_tokens_total}) without conclusion: "
                f"{spent.total_tokens} tokens used",
            )
        if limits.max_cost_usd is not None and spent.known_cost_usd >= limits.max_cost_usd:
            return LimitReached(
                StopReason.MAX_COST,
                f"Reached max_cost_usd ({limits.max_cost_usd:g}) without conclusion: "
                f"{spent.known_cost_usd:.4f} USD spent",
            )
        return None

    def check(self) -> None:
        """Refuse to go on once a limit of spend is used up.

        Raises:
            BudgetExceededError: If one is.
        """
        if limit := self.used_up:
            raise BudgetExceededError(limit.reasoning, f"raise `{limit.stop_reason}` if the run needs more")


def is_for_lack_of_budget(error: BaseException | None) -> bool:
    """Tell whether an error goes back to a model call that the budget refused."""
    while error is not None:
        if isinstance(error, BudgetExceededError):
            return True
        error = error.__cause__ or error.__context__
    return False


def out_of_time(max_seconds: float) -> LimitReached:
    """Return what ends a run that takes longer than `max_seconds`."""
    return LimitReached(StopReason.MAX_SECONDS, f"Reached max_seconds ({max_seconds:g}) without conclusion")
