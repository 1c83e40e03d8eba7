"""The offline user: says the quoted lines of the scenario's description in order, then thanks and ends."""

import re
from collections.abc import Sequence

from scenario.llm.chat_model import Message, ModelReply, ModelRequest
from scenario.llm.offline.offline_model import OfflineModel, text_of, text_of_role, text_reply
from scenario.llm.offline.prompt_sections import section

_QUOTED = re.compile(r'"([^"]+)"|[“„]([^“”„]+)[“”]|«\s*([^»]+?)\s*»|「([^」]+)」')
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026])\s|(?<=[\u3002\uff01\uff1f])|\n")
_NOT_A_WORD = re.compile(r"[\W_]+")
_MAX_OPENING = 120
_NO_TEXT = "[audio message]"
_CLOSING = ("thanks", "bye")
_AFTERWARDS = "nothing else from me"


class OfflineUser(OfflineModel):
    """A user simulator that follows a script: the quoted lines of the scenario's description.

    Without quoted lines it says the description's first sentence. Afterwards it thanks and says good-bye.

    Attributes:
        name: `offline/user`.
    """

    name = "offline/user"

    def answer(self, request: ModelRequest) -> ModelReply:
        """Answer with the next line of the user."""
        system = text_of_role(request.messages, "system")
        description = section(system, "scenario")
        lines = _lines(system if description is None else description)
        return text_reply(_next_line(lines, _own_lines(request.messages)), request, self.name)


def _lines(description: str) -> list[str]:
    quoted = [" ".join(found[found.lastindex or 0].split()) for found in _QUOTED.finditer(description)]
    return [line for line in quoted if line] or [_opening(description)]


def _opening(description: str) -> str:
    sentence = _SENTENCE_END.split(description.strip(), maxsplit=1)[0].strip().rstrip(".")
    if len(sentence) > _MAX_OPENING:
        sentence = sentence[:_MAX_OPENING].rsplit(" ", 1)[0]
    return sentence or "hello"


def _own_lines(messages: Sequence[Message]) -> list[str]:
    """Return what the simulated user has said: in its own view of the conversation it is the assistant."""
    return [
        text_of(message)
        for message in messages
        if message.get("role") == "assistant" and not message.get("tool_calls") and message.get("content")
    ]


def _next_line(lines: Sequence[str], said: Sequence[str]) -> str:
    done, since = 0, 0
    for line in said:
        since += 1
        if done < len(lines) and (line == _NO_TEXT or _folded(line) == _folded(lines[done])):
            done, since = done + 1, 0
    if done < len(lines):
        return lines[done]
    return _CLOSING[since] if since < len(_CLOSING) else _AFTERWARDS


def _folded(line: str) -> str:
    words = _NOT_A_WORD.sub(" ", line.casefold()).strip()
    return words or line.strip()
