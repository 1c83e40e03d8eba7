"""Where a model server gets its answers from."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from scenario.llm.chat_model import ChatModel, ModelReply, ModelRequest
from scenario.llm.offline import (
    OFFLINE_MODELS,
    OfflineModel,
    ScriptedAnswer,
    ScriptedFunction,
    ScriptedModel,
    offline_model,
)
from scenario.llm.offline.judge_tools import CONTINUE_TEST, FINISH_TEST, MAKE_VERDICT
from scenario.llm.offline.offline_model import text_reply

AnswerSource: TypeAlias = str | Sequence[ScriptedAnswer] | ScriptedFunction | ChatModel | None
"""A text for every request, answers in order, a function of messages and tools, or a model; None for offline models."""

Answerer: TypeAlias = Callable[[ModelRequest, str], ModelReply | Awaitable[ModelReply]]

_JUDGE_TOOLS = {FINISH_TEST, MAKE_VERDICT, CONTINUE_TEST}


def answerer(source: AnswerSource) -> Answerer:
    """Return a function of a request and the name of its model that answers from `source`."""
    if source is None:
        return _OfflineAnswers()
    if isinstance(source, str):
        return lambda request, model: text_reply(source, request, model)
    model = source if isinstance(source, ChatModel) else ScriptedModel(source)
    if isinstance(model, OfflineModel):
        return lambda request, name: model.answer(request)
    return lambda request, name: model.complete(request)


class _OfflineAnswers:
    """Answers as the offline model of the requested name, else as the one that the request was made for."""

    def __init__(self) -> None:
        self._models = {name.removeprefix("offline/"): offline_model(name) for name in OFFLINE_MODELS}

    def __call__(self, request: ModelRequest, model: str) -> ModelReply:
        name = model.removeprefix("offline/")
        if name not in self._models:
            name = "judge" if any(tool.name in _JUDGE_TOOLS for tool in request.tools) else "user"
        return self._models[name].answer(request)
