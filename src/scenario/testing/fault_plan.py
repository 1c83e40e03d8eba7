"""Decides which requests of a server meet a fault: the next ones, some by chance, or those a test picks."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from scenario.errors import ConfigurationError
from scenario.testing.faults import Fault

Predicate: TypeAlias = Callable[[Mapping[str, Any]], bool]


@dataclass(slots=True)
class _Rule:
    fault: Fault
    probability: float
    when: Predicate | None
    remaining: int | None


class FaultPlan:
    """The faults a server is told to have. Faults of the next requests come before standing rules.

    Args:
        seed: Seed of the draws that decide by chance.
    """

    def __init__(self, seed: int = 0) -> None:
        self._next: deque[Fault | None] = deque()
        self._rules: list[_Rule] = []
        self._random = Random(seed)

    def fail_next(self, faults: tuple[Fault | None, ...], times: int) -> None:
        """Plan faults for the next requests, in order, the whole row `times` times; None lets a request pass."""
        if not faults or times < 1:
            raise ConfigurationError(
                "no fault to inject", "give fail_next() one or more faults, and `times` of at least 1"
            )
        for _ in range(times):
            self._next.extend(faults)

    def inject(self, fault: Fault, probability: float, when: Predicate | None, times: int | None) -> None:
        """Plan a fault for all requests that a rule picks."""
        if not 0 <= probability <= 1:
            raise ConfigurationError(f"a probability of {probability:g} does not exist", "give one from 0 to 1")
        self._rules.append(_Rule(fault, probability, when, times))

    def clear(self) -> None:
        """Forget all planned faults."""
        self._next.clear()
        self._rules.clear()

    def fault_for(self, body: Mapping[str, Any]) -> Fault | None:
        """Return the fault that a request meets, if any, and count it as met."""
        if self._next:
            return self._next.popleft()
        for rule in self._rules:
            if rule.remaining == 0 or (rule.when is not None and not rule.when(body)):
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
                continue
            if rule.remaining is not None:
                rule.remaining -= 1
            return rule.fault
        return None
