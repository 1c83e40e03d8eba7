"""The simulated user: a model that plays the person who talks to the agent."""

import logging
from typing import TYPE_CHECKING, Any

from scenario.agent_adapter import AgentAdapter, display_name
from scenario.caching import ask
from scenario.engine.run_context import current_run
from scenario.errors import ConfigurationError, EmptyAnswerError
from scenario.llm import ModelRequest, choose_model
from scenario.settings import default_model
from scenario.simulation.faults import CORRECTIONS, SimulatorFault, fault_in
from scenario.simulation.prompt import corrected, simulator_prompt
from scenario.simulation.role_reversal import own_lines, reversed_roles
from scenario.simulation.spoken_line import spoken_line
from scenario.types import AgentInput, AgentRole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenario.engine.medium import AudioEffect
    from scenario.llm import ModelSpec

_logger = logging.getLogger(__name__)


class UserSimulatorAgent(AgentAdapter):
    """Plays the user: reads the scenario's description and says what such a person would say next.

    Attributes:
        model: Name of the model.
        chat_model: The model itself.
        api_base: Base URL of the provider, where it is not the provider's own.
        api_key: API key, where it is not read from the provider's environment variable.
        temperature: Sampling temperature.
        max_tokens: Limit of tokens of a message.
        system_prompt: Instructions in place of our own.
        persona: Who the user is and how they behave.
        voice: Voice of the user; None for text.
        audio_effects: Effects on the user's speech.
        interrupt_probability: How likely the user cuts the agent short, 0 to 1.
        modality: What the user's model takes in.

    Example:
        ```python
        scenario.UserSimulatorAgent(model="openai/gpt-5.4-mini", persona="in a hurry, types without commas")
        ```
    """

    role = AgentRole.USER

    def __init__(
        self,
        *,
        model: "ModelSpec | None" = None,
        api_base: str | None = None,
        api_key: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        system_prompt: str | None = None,
        voice: str | None = None,
        persona: str | None = None,
        audio_effects: "Sequence[AudioEffect] | None" = None,
        interrupt_probability: float = 0.0,
        modality: str | None = None,
        **extra_params: Any,
    ) -> None:
        """Choose the model and say who the user is.

        Args:
            model: A name (`provider/model`), a `ModelConfig`, a chat model or a function; the configured
                `default_model` where none is given.
            api_base: Base URL of the provider.
            api_key: API key.
            temperature: Sampling temperature; the configured model's where none is given, else 0.
            max_tokens: Limit of tokens of a message.
            system_prompt: Instructions in place of our own; scenario and persona are added to them.
            voice: Not available yet.
            persona: Who the user is and how they behave.
            audio_effects: Not available yet.
            interrupt_probability: Not available yet.
            modality: Not available yet.
            **extra_params: Further parameters of each model call, as the provider calls them.

        Raises:
            ConfigurationError: If there is no model, or a value cannot be used; it is a ValueError too.
        """
        _refuse_voice(voice, audio_effects, interrupt_probability, modality)
        choice = choose_model(
            type(self).__name__,
            model=model,
            api_base=api_base,
            api_key=api_key,
            temperature=temperature,
            max_tokens=max_tokens,
            extra_params=extra_params,
            default=default_model(),
        )
        self.model = choice.name
        self.chat_model = choice.chat_model
        self.api_base = choice.api_base
        self.api_key = choice.api_key
        self.temperature = choice.temperature
        self.max_tokens = choice.max_tokens
        self.system_prompt = system_prompt
        self.persona = persona
        self.voice = voice
        self.audio_effects = list(audio_effects or ())
        self.interrupt_probability = interrupt_probability
        self.modality = modality
        self._extra_params = dict(choice.extra_params)

    async def call(self, input: AgentInput) -> dict[str, str]:
        """Return the user's next message.

        A line that is empty, tells the model's thoughts, is the agent's or repeats the user's opening is asked for
        once more. A second such line is used as it is, and the run says so; a second empty one is an error.

        Raises:
            EmptyAnswerError: If the model gave no text twice.
            ModelError: If the model could not be asked.
        """
        description = str(input.scenario_state.description)
        prompt = simulator_prompt(description, self.persona, self.system_prompt)
        brief = "\n".join([description, self.persona or "", self.system_prompt or ""])
        conversation = reversed_roles(input.messages)
        earlier = own_lines(conversation)

        line = await self._line(prompt, conversation)
        fault = fault_in(line, earlier=earlier, brief=brief)
        if fault:
            _logger.debug("%s: %s, asked again: %.200r", display_name(self), fault.value, line)
            line = await self._line(corrected(prompt, CORRECTIONS[fault]), conversation)
            fault = fault_in(line, earlier=earlier, brief=brief)
        if fault is SimulatorFault.EMPTY_TURN:
            raise EmptyAnswerError(
                f"{self.model} gave the user no line to say, twice",
                "raise `max_tokens` if it is low, or use another model for the user",
                self.model,
            )
        if fault:
            self._tell(fault)
        return {"role": "user", "content": line}

    async def _line(self, prompt: str, conversation: list[dict[str, str]]) -> str:
        request = ModelRequest(
            messages=[{"role": "system", "content": prompt}, *conversation],
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            extra=self._extra_params,
        )
        try:
            reply = await ask(self.chat_model, request)
        except EmptyAnswerError:
            return ""
        return spoken_line(reply.text)

    def _tell(self, fault: SimulatorFault) -> None:
        said = f"{display_name(self)} ({self.model}) may have left its role, also when asked again: {fault.value}"
        run = current_run()
        if run:
            run.notice(said)
        else:
            _logger.warning("%s; try another model for the user", said)


def _refuse_voice(
    voice: str | None,
    audio_effects: "Sequence[AudioEffect] | None",
    interrupt_probability: float | None,
    modality: str | None,
) -> None:
    if interrupt_probability is not None and not 0.0 <= interrupt_probability <= 1.0:
        raise ConfigurationError(
            f"interrupt_probability={interrupt_probability!r} is not a probability", "give a number from 0 to 1"
        )
    given = {
        "voice": voice is not None,
        "audio_effects": bool(audio_effects),
        "interrupt_probability": bool(interrupt_probability),
        "modality": modality is not None,
    }
    asked_for = [f"`{name}`" for name, is_given in given.items() if is_given]
    if asked_for:
        raise ConfigurationError(
            f"a simulated user cannot speak yet, and {' and '.join(asked_for)} would need it to",
            "leave it out: this version holds conversations in text",
        )
