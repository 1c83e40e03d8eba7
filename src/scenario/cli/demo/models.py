"""Which models the demo talks to: the configured one, or rules behind a local model server."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenario.cli.demo.shop_rules import shop_answer
from scenario.cli.demo.shop_tools import SHOP_TOOLS
from scenario.config import ModelConfig
from scenario.llm.chat_model import ModelReply, ModelRequest
from scenario.llm.offline import OfflineJudge, OfflineUser, ScriptedModel
from scenario.running.settings import resolve_settings
from scenario.testing import LocalModelServer

if TYPE_CHECKING:
    from scenario.llm.chat_model import ModelSpec

_OFFLINE = "offline/"
_KEY = "_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoModels:
    """The models of the demo.

    Attributes:
        name: What to call them, for people.
        is_offline: Whether rules stand in for a model.
        explanation: Where they come from, and what that means, one line each.
        assistant: Model of the agent under test.
        user: Model of the simulated customer.
        judge: Model of the judge.
    """

    name: str
    is_offline: bool
    explanation: tuple[str, ...]
    assistant: "ModelSpec"
    user: "ModelSpec"
    judge: "ModelSpec"


@contextmanager
def demo_models(named: str | None) -> Generator[DemoModels]:
    """Give the models of the demo, for as long as the block lasts.

    Args:
        named: Name of a model; without one, the configured default is used. A key that merely lies in the environment
            does not make a model the configured one: nobody has asked to spend money with it.
    """
    spec = named or resolve_settings({}).default_model
    if spec is None or str(spec).startswith(_OFFLINE):
        with LocalModelServer(DemoRules()) as server:
            yield _behind(server)
        return
    name = (
        spec if isinstance(spec, str) else getattr(spec, "model", None) or getattr(spec, "name", None) or "your model"
    )
    source = "named with --model" if named else "the default model you configured"
    yield DemoModels(
        name=str(name),
        is_offline=False,
        explanation=(f"Model: {name}, {source}. Its provider may charge for about 25 short calls.",),
        assistant=spec,
        user=spec,
        judge=spec,
    )


class DemoRules:
    """Answers for the models of assistant, customer and judge, whichever a request is meant for."""

    name = "offline/demo"

    def __init__(self) -> None:
        self._assistant = ScriptedModel(shop_answer)
        self._judge = OfflineJudge()
        self._user = OfflineUser()
        self._shop_tools = {tool.name for tool in SHOP_TOOLS}

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer one request."""
        if any(tool.name in self._shop_tools for tool in request.tools):
            return await self._assistant.complete(request)
        return await (self._judge if request.tools else self._user).complete(request)


def _behind(server: LocalModelServer) -> DemoModels:
    model = ModelConfig(model="openai/rules", api_base=server.url, api_key="none-needed")
    explanation = [
        f"No model is configured: rules stand in for one, behind a local model server ({server.url}, over real HTTP).",
        "They call the tools a model would call, but understand no more than the demo needs.",
    ]
    if keys := sorted(name for name, value in os.environ.items() if name.endswith(_KEY) and value):
        explanation.append(f"{keys[0]} is set, but is not used unless you name a model: nothing is spent by accident.")
    return DemoModels(
        name="rules",
        is_offline=True,
        explanation=tuple(explanation),
        assistant=model,
        user=model,
        judge=model,
    )
