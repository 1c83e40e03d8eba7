"""Short ways to a model behind a server of the test, and to requests."""

from typing import Any

from scenario.llm import ChatModel, ForcedTool, ModelRequest, Tool, chat_model
from scenario.testing import LocalModelServer

GREET = Tool(
    name="greet",
    description="Greets somebody.",
    parameters={
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    },
    strict=True,
)
PART = Tool(name="part", description="Says goodbye.", parameters={"type": "object", "properties": {}})
FORCED = ForcedTool("greet")


def model_at(server: LocalModelServer, name: str = "openai/some-model", **extras: Any) -> ChatModel:
    """Return a model behind the server; `extras` are its extra parameters."""
    return chat_model(name, api_base=server.url, api_key="sk-of-the-test", extra_params=extras)


def request(text: str = "hi", **members: Any) -> ModelRequest:
    """Return a request with one message of a user."""
    return ModelRequest(messages=[{"role": "user", "content": text}], **members)


def with_tools(**members: Any) -> ModelRequest:
    """Return a request that forces the tool `greet`, with another beside it."""
    asked: dict[str, Any] = {"tools": [GREET, PART], "tool_choice": FORCED, **members}
    return request(**asked)
