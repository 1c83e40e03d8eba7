"""What counts of a run when a call in it is compared with a call in another run."""

from collections.abc import Mapping
from types import FunctionType
from typing import Any

from scenario.caching.canonical import CanonicalWriter, Special
from scenario.caching.chat_messages import answered_calls
from scenario.caching.function_identity import write_callable, write_function
from scenario.caching.model_identity import write_chat_model
from scenario.config import ModelConfig, ScenarioConfig
from scenario.llm.chat_model import ChatModel
from scenario.llm.model_function import FunctionModel
from scenario.scenario_state import ScenarioState
from scenario.types import AgentInput


def _write_input(writer: CanonicalWriter, input: AgentInput) -> None:
    outer = writer.calls
    if outer is None:
        # What is new may hold an answer whose call was heard before.
        writer.calls = answered_calls(input.messages)
    try:
        writer.write_attributes(
            "input",
            {
                "messages": input.messages,
                "new_messages": input.new_messages,
                "judgment_request": input.judgment_request,
                "scenario_state": input.scenario_state,
            },
        )
    finally:
        writer.calls = outer


def _write_state(writer: CanonicalWriter, state: ScenarioState) -> None:
    director = getattr(state, "director", None)
    writer.write_attributes(
        "run state",
        {
            "description": state.description,
            "messages": state.messages,
            "current_turn": state.current_turn,
            "config": state.config,
            "fields": dict(director.fields) if director is not None else {},
        },
    )


def _write_function_model(writer: CanonicalWriter, model: FunctionModel) -> None:
    # Their name is the function's own, which many functions share.
    attributes = vars(model)
    for value in attributes.values():
        if callable(value):
            write_callable(writer, value)
    writer.write_tagged("function model", model.name)


def _write_config(writer: CanonicalWriter, config: ScenarioConfig) -> None:
    model: Any = config.default_model
    if model is not None and not isinstance(model, str | ModelConfig):
        model = getattr(model, "name", None) or getattr(model, "__qualname__", type(model).__qualname__)
    writer.write_attributes(
        "run config",
        {
            "default_model": model,
            "max_turns": config.max_turns,
            "min_turns": config.min_turns,
            "seed": config.seed,
        },
    )


def _write_model_config(writer: CanonicalWriter, config: ModelConfig) -> None:
    settings = {**config.__dict__, **config.extra_params}
    # A new key for the same model changes none of its answers.
    settings.pop("api_key", None)
    writer.write_attributes("model config", settings)


_SPECIALS: Mapping[type, Special] = {
    AgentInput: _write_input,
    ChatModel: write_chat_model,
    FunctionModel: _write_function_model,
    FunctionType: write_function,
    ModelConfig: _write_model_config,
    ScenarioConfig: _write_config,
    ScenarioState: _write_state,
}


def key_writer() -> CanonicalWriter:
    """Return a writer for the key of a call."""
    return CanonicalWriter(_SPECIALS)
