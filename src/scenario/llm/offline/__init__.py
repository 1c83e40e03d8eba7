"""Models that need no network and no key: they follow rules, or a script, and answer at once.

`offline/user` plays the user from the quoted lines of a scenario's description, `offline/judge` decides the criteria
that rules can decide, `offline/echo` repeats what it hears, and a `ScriptedModel` says what a test tells it to say.
"""

import difflib
from collections.abc import Callable, Mapping

from scenario.errors import UnknownProviderError
from scenario.llm.chat_model import ModelReply, ModelRequest
from scenario.llm.offline.judge import OfflineJudge
from scenario.llm.offline.offline_model import OfflineModel, text_of, text_reply
from scenario.llm.offline.scripted_model import (
    AnswerToRequest,
    ScriptedAnswer,
    ScriptedFunction,
    ScriptedModel,
    ToolCallAnswer,
    tool_call,
)
from scenario.llm.offline.user import OfflineUser
from scenario.llm.offline.verdicts import PhaseAnswer, VerdictAnswer, continue_test, make_verdict, verdict

__all__ = [
    "OFFLINE_MODELS",
    "AnswerToRequest",
    "OfflineJudge",
    "OfflineModel",
    "OfflineUser",
    "PhaseAnswer",
    "ScriptedAnswer",
    "ScriptedFunction",
    "ScriptedModel",
    "ToolCallAnswer",
    "VerdictAnswer",
    "continue_test",
    "make_verdict",
    "offline_model",
    "tool_call",
    "verdict",
]


class OfflineEcho(OfflineModel):
    """Repeats the last message of the user.

    Attributes:
        name: `offline/echo`.
    """

    name = "offline/echo"

    def answer(self, request: ModelRequest) -> ModelReply:
        """Answer with the text of the last user message."""
        heard = (text_of(message) for message in reversed(request.messages) if message.get("role") == "user")
        return text_reply(next(heard, ""), request, self.name)


_MODELS: Mapping[str, Callable[[], OfflineModel]] = {
    model.name: model for model in (OfflineUser, OfflineJudge, OfflineEcho)
}

OFFLINE_MODELS = tuple(_MODELS)
"""Names of the offline models."""


def offline_model(name: str) -> OfflineModel:
    """Return the offline model of that name.

    Args:
        name: `offline/user`, `offline/judge` or `offline/echo`.

    Raises:
        UnknownProviderError: If there is no offline model of that name.
    """
    model = _MODELS.get(name)
    if model is None:
        nearest = difflib.get_close_matches(name, OFFLINE_MODELS, n=1, cutoff=0.5)
        meant = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise UnknownProviderError(
            f"there is no offline model {name!r}{meant}",
            f"use one of {', '.join(OFFLINE_MODELS)}, or give a ScriptedModel",
        )
    return model()
