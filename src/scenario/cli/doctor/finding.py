"""What the doctor finds."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from scenario.errors import ScenarioError

Health: TypeAlias = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: What it is about.
        health: `ok`, `warning` for what may or may not be meant, `problem` for what will make runs fail.
        text: What was found.
        next: What to do about it; empty where there is nothing to do.
    """

    topic: str
    health: Health
    text: str
    next: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return asdict(self)


def ok(topic: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(topic=topic, health="ok", text=text)


def warning(topic: str, text: str, next: str) -> Finding:
    """Return a finding that may or may not be meant."""
    return Finding(topic=topic, health="warning", text=text, next=next)


def problem(topic: str, text: str, next: str) -> Finding:
    """Return a finding that will make runs fail."""
    return Finding(topic=topic, health="problem", text=text, next=next)


def problem_of(topic: str, error: ScenarioError) -> Finding:
    """Return the finding that a run would end with an error."""
    return problem(topic, error.what, error.fix)
