"""Agents that play their part in the engine's tests."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import scenario
from scenario.types import AgentInput, AgentReturnTypes, AgentRole, ScriptStep

Line: TypeAlias = Callable[[AgentInput], Any] | str | dict[str, Any] | list[Any] | scenario.ScenarioResult


class Player(scenario.AgentAdapter):
    """Says its lines one after the other, the last one again and again, and remembers what it was given.

    A line may also be a function of the input.
    """

    def __init__(self, *lines: Line, role: AgentRole = AgentRole.AGENT, name: str | None = None) -> None:
        self.lines = lines or ("ok",)
        self.role = role
        self.name = name
        self.inputs: list[AgentInput] = []
        self.turns: list[int] = []

    @property
    def calls(self) -> int:
        return len(self.inputs)

    @property
    def heard(self) -> list[list[str]]:
        """The texts that were new at each call."""
        return [texts(input.new_messages) for input in self.inputs]

    async def call(self, input: AgentInput) -> AgentReturnTypes:
        self.inputs.append(input)
        self.turns.append(input.scenario_state.current_turn)
        line = self.lines[min(len(self.inputs), len(self.lines)) - 1]
        return line(input) if callable(line) else line


def user(*lines: Line, name: str | None = None) -> Player:
    return Player(*lines or ("hi",), role=AgentRole.USER, name=name)


def agent(*lines: Line, name: str | None = None) -> Player:
    return Player(*lines or ("hello",), role=AgentRole.AGENT, name=name)


def judge(*lines: Line, name: str | None = None) -> Player:
    return Player(*lines or ([],), role=AgentRole.JUDGE, name=name)


def verdict(
    success: bool = True,
    *,
    passed: Sequence[str] = (),
    failed: Sequence[str] = (),
    reasoning: str = "because",
) -> scenario.ScenarioResult:
    return scenario.ScenarioResult(
        success=success,
        messages=[],
        reasoning=reasoning,
        passed_criteria=list(passed),
        failed_criteria=list(failed),
    )


def when_asked(result: scenario.ScenarioResult) -> Callable[[AgentInput], Any]:
    """Judge only when a script asks for it."""
    return lambda input: result if input.judgment_request else []


def texts(messages: Sequence[Any]) -> list[str]:
    return [str(message["content"]) for message in messages]


def said(result: scenario.ScenarioResult) -> list[str]:
    """The conversation of a result, one `role: text` each."""
    return [f"{message['role']}: {message.get('content')}" for message in result.messages]


async def play(
    *agents: scenario.AgentAdapter, script: Sequence[ScriptStep] | None = None, **options: Any
) -> scenario.ScenarioResult:
    """Run a scenario of these agents on the test's own loop."""
    return await scenario.arun("a test", "somebody tests", list(agents), verbose=False, script=script, **options)
