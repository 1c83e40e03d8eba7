"""What script steps and agents may see and do in a run."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class ScenarioState(BaseModel):
    """The state of a run."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    description: str
    messages: list[Any]
    thread_id: str
    current_turn: int
    config: Any
