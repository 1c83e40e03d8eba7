"""A function that stands in for a model."""

import asyncio
import inspect
from functools import partial
from typing import Any

from scenario.engine.worker_thread import in_worker_thread
from scenario.errors import EmptyAnswerError, MalformedAnswerError
from scenario.llm.chat_model import ModelFunction, ModelReply, ModelRequest
from scenario.llm.message_format import api_messages, api_tools


class FunctionModel:
    """A chat model that is a function of messages and tools, both in OpenAI's chat format.

    A plain function runs in a worker thread, so that it may block.
    """

    def __init__(self, function: ModelFunction) -> None:
        self._function = function
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - an object whose `__call__` is async
        )
        self.name = f"function/{getattr(function, '__name__', type(function).__name__)}"

    def __repr__(self) -> str:
        return f"FunctionModel({self.name})"

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the function.

        Raises:
            EmptyAnswerError: If it returned no text.
            MalformedAnswerError: If it returned something that is no answer.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        answer = await self._called([dict(message) for message in api_messages(request.messages)], request)
        if isinstance(answer, str):
            if not answer.strip():
                raise EmptyAnswerError(
                    f"{self.name} returned no text", "let the function return what is said", self.name
                )
            answer = ModelReply(text=answer, model=self.name, duration=loop.time() - started)
        if not isinstance(answer, ModelReply):
            raise MalformedAnswerError(
                f"{self.name} returned {type(answer).__name__}", "return a string or a ModelReply", self.name
            )
        return answer

    async def _called(self, messages: list[dict[str, Any]], request: ModelRequest) -> Any:
        tools = api_tools(request.tools)
        if self._is_async:
            return await self._awaited(self._function(messages, tools))
        answer = await in_worker_thread(partial(self._function, messages, tools), name="scenario-model-function")
        return await self._awaited(answer)

    @staticmethod
    async def _awaited(answer: Any) -> Any:
        return await answer if inspect.isawaitable(answer) else answer
