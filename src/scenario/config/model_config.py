"""Which model an agent uses, and how it is called."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class ModelConfig(BaseModel):
    """A model and how to call it. Further keywords are kept and passed on with each call.

    Attributes:
        model: Name of the model, `provider/model`.
        api_base: Base URL of the provider, where it is not the provider's own.
        api_key: API key, where it is not to be read from the provider's environment variable.
        temperature: Sampling temperature.
        max_tokens: Limit of tokens of an answer.
    """

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    model: str
    api_base: str | None = None
    api_key: str | None = None
    temperature: float = 0.0
    max_tokens: int | None = None

    @property
    def extra_params(self) -> dict[str, Any]:
        """The further keywords, as given."""
        return dict(self.__pydantic_extra__ or {})

    def __repr_args__(self) -> Any:
        for name, value in super().__repr_args__():
            yield name, "***" if name == "api_key" and value else value
