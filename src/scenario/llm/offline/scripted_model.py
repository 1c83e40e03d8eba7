"""A model that says what a test tells it to say."""

import inspect
import json
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

from scenario.errors import ConfigurationError
from scenario.llm.chat_model import ModelReply, ModelRequest, Tool
from scenario.llm.offline.offline_model import model_tool_call, text_reply, tool_reply, with_estimates


@dataclass(frozen=True, slots=True)
class ToolCallAnswer:
    """An answer that calls a tool; made by `tool_call`.

    Attributes:
        name: Name of the tool.
        arguments: Arguments: JSON values, or the text to send as it is.
    """

    name: str
    arguments: Mapping[str, Any] | str


def tool_call(name: str, arguments: Mapping[str, Any] | str | None = None, /, **named: Any) -> ToolCallAnswer:
    """Return an answer that calls a tool.

    Args:
        name: Name of the tool.
        arguments: Its arguments; a string is sent as it is, even when it is not JSON.
        **named: Its arguments, where they are given by name.
    """
    if isinstance(arguments, str):
        return ToolCallAnswer(name, arguments)
    return ToolCallAnswer(name, {**(arguments or {}), **named})


@runtime_checkable
class AnswerToRequest(Protocol):
    """An answer that depends on the request, such as a verdict on the criteria asked about."""

    def reply_to(self, request: ModelRequest) -> ModelReply:
        """Return the reply to `request`.

        Raises:
            ConfigurationError: If the request is not of the kind the answer was meant for.
        """
        ...

    def is_final(self, request: ModelRequest) -> bool:
        """Whether the answer is used up once it has answered `request`."""
        ...


ScriptedAnswer: TypeAlias = str | ModelReply | Exception | ToolCallAnswer | Sequence[ToolCallAnswer] | AnswerToRequest
"""What a scripted model may answer: text, a reply, tool calls, a verdict, or an exception, which is raised."""

ScriptedFunction: TypeAlias = Callable[
    [list[dict[str, Any]], list[dict[str, Any]]], ScriptedAnswer | Awaitable[ScriptedAnswer]
]
"""A function of messages and tools, both in OpenAI's chat format, plain or async."""


class ScriptedModel:
    """A model that answers from a list, in order, or from a function of messages and tools.

    It may be used from several threads. A verdict of the list also answers the question whether the judge has seen
    enough, and is used up when the judge asks for the verdict itself.

    Args:
        answers: The answers in order, or a function that gives one.
        name: Name of the model.

    Attributes:
        name: Name of the model.

    Example:
        ```python
        model = ScriptedModel(["hello", tool_call("lookup", order="A-17"), TimeoutError("no answer")])
        ```
    """

    def __init__(
        self, answers: Iterable[ScriptedAnswer] | ScriptedFunction = (), name: str = "offline/scripted"
    ) -> None:
        if isinstance(answers, str):
            raise ConfigurationError(
                "a scripted model takes a list of answers, not one text", f"write ScriptedModel([{answers!r}])"
            )
        self.name = name
        self._function = answers if callable(answers) else None
        self._answers = deque(() if callable(answers) else answers)
        self._given = len(self._answers)
        self._requests: list[ModelRequest] = []
        self._lock = threading.Lock()

    @property
    def requests(self) -> list[ModelRequest]:
        """The requests so far, oldest first."""
        return list(self._requests)

    @property
    def calls(self) -> int:
        """Number of requests so far."""
        return len(self._requests)

    def add(self, *answers: ScriptedAnswer) -> None:
        """Append answers to the list.

        Raises:
            ConfigurationError: If the model answers from a function.
        """
        if self._function is not None:
            raise ConfigurationError(f"{self.name} answers from a function", "make it with a list to add answers")
        with self._lock:
            self._answers.extend(answers)
            self._given += len(answers)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer one request.

        Raises:
            ConfigurationError: If the list of answers is used up, or the answer does not fit the request.
        """
        if self._function is None:
            answer = self._next_answer(request)
        else:
            self._requests.append(request)
            made = self._function([dict(message) for message in request.messages], [_as_dict(t) for t in request.tools])
            answer = await made if inspect.isawaitable(made) else made
        return self._reply(answer, request)

    def _next_answer(self, request: ModelRequest) -> ScriptedAnswer:
        with self._lock:
            self._requests.append(request)
            if not self._answers:
                raise ConfigurationError(
                    f"{self.name} was asked {len(self._requests)} times and has {self._given} answers; "
                    f"the last request ended with {_ending(request)}",
                    "add an answer to the list, or give a function of messages and tools",
                )
            answer = self._answers[0]
            if not isinstance(answer, AnswerToRequest) or answer.is_final(request):
                self._answers.popleft()
            return answer

    def _reply(self, answer: ScriptedAnswer, request: ModelRequest) -> ModelReply:
        if isinstance(answer, str):
            return text_reply(answer, request, self.name)
        if isinstance(answer, ModelReply):
            return with_estimates(answer, request, self.name)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, AnswerToRequest):
            return with_estimates(answer.reply_to(request), request, self.name)
        calls = _tool_calls(answer)
        if not calls:
            raise ConfigurationError(
                f"{self.name} cannot answer with {answer!r}",
                "answer with text, tool_call(...), verdict(...), a ModelReply or an exception",
            )
        return tool_reply([model_tool_call(call.name, _arguments_text(call)) for call in calls], request, self.name)


def _tool_calls(answer: object) -> list[ToolCallAnswer]:
    """Return the tool calls of an answer, none if it is something else."""
    parts = list(cast("Sequence[object]", answer)) if isinstance(answer, Sequence) else [answer]
    calls = [part for part in parts if isinstance(part, ToolCallAnswer)]
    return calls if len(calls) == len(parts) else []


def _arguments_text(call: ToolCallAnswer) -> str:
    return call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, ensure_ascii=False)


def _as_dict(tool: Tool) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": tool.strict,
    }
    return {"type": "function", "function": function}


def _ending(request: ModelRequest) -> str:
    if not request.messages:
        return "no message"
    last = request.messages[-1]
    return f"a {last.get('role')} message {str(last.get('content'))[-120:]!r}"
