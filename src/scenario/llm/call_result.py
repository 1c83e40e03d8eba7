"""How a call over HTTP went."""

from dataclasses import dataclass

from scenario.llm.problem import Problem


@dataclass(frozen=True, slots=True)
class CallResult:
    """What came of a call, after all its attempts.

    Attributes:
        body: Body of the answer, when there is one.
        problem: What the service said instead, when it refused.
        attempts: Number of requests it took.
    """

    body: bytes
    problem: Problem | None
    attempts: int
