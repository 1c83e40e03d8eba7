"""Asking a model on behalf of a run: within its budget, and on its bill."""

import asyncio

from scenario.engine.run_context import current_run
from scenario.errors import ConfigurationError
from scenario.llm.chat_model import ChatModel, ModelReply, ModelRequest


async def ask(model: ChatModel, request: ModelRequest) -> ModelReply:
    """Return a model's reply to a request; inside a run, check its budget before and count the call after.

    Args:
        model: The model.
        request: What it is asked.

    Raises:
        BudgetExceededError: If the run's budget is spent; the model is not called.
        ConfigurationError: If the model is one of the caller's own and returns something that is not a reply.
        ModelError: If no usable answer could be had.
    """
    run = current_run()
    if run is None:
        return _checked(await model.complete(request), model)
    run.check_budget()
    loop = asyncio.get_running_loop()
    started = loop.time()
    reply = _checked(await model.complete(request), model)
    run.record_model_call(model.name, reply.usage, reply.duration or loop.time() - started, reply.attempts)
    return reply


def _checked(reply: object, model: ChatModel) -> ModelReply:
    if isinstance(reply, ModelReply):
        return reply
    raise ConfigurationError(
        f"{type(model).__name__}.complete() returned {type(reply).__name__}", "return a scenario.llm.ModelReply"
    )
