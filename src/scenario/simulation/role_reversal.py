"""The conversation as a simulated user's model sees it: with the roles changed over.

A model writes the assistant's lines. For it to write the user's, the user's lines become the assistant's and the
agent's become the user's. Models differ in what they accept, so what comes out has the one shape all of them do:
text only, no system message, the two roles in turn, the agent's side first and last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from scenario.transcript.fence import bare_or_quoted, fenced
from scenario.transcript.lines import render_transcript_lines
from scenario.transcript.media import without_media

GREETING = "Hello, what can I do for you?"
"""What the agent's side says where the simulated user has the first word."""

SILENCE = "[the agent has not answered yet]"
"""What the agent's side says between two lines of the user."""

_AUDIO = "[audio message]"
_LONGEST_MESSAGE = 60_000
_LONGEST_ACT = 2_000
_SOUND = frozenset({"input_audio", "audio", "output_audio"})
_ATTACHMENTS = {
    "image": "an image",
    "image_url": "an image",
    "input_image": "an image",
    "video": "a video",
    "video_url": "a video",
    "input_video": "a video",
    "document": "a file",
    "file": "a file",
    "input_file": "a file",
}

_Speaker: TypeAlias = Literal["you", "the agent"]


@dataclass(frozen=True, slots=True)
class _Utterance:
    """Something one side said, or the agent's side did."""

    side: Literal["own", "other"]
    text: str


@dataclass(frozen=True, slots=True)
class _Activity:
    """A message that is not something said, and how many utterances stand before it."""

    place: int
    message: Mapping[str, Any]


def reversed_roles(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return a conversation from the simulated user's place, as messages of OpenAI's chat format.

    The user's lines are the assistant's and the other way round. Tool calls and their results, and messages of any
    other role, stand in fenced sections `<agent_activity>` on the agent's side; sound, images and files are named,
    not shown. Empty messages are left out. Roles alternate, beginning and ending with the agent's side: where the
    agent said nothing, `GREETING` or `SILENCE` takes its place.

    Args:
        messages: The conversation, in OpenAI's chat format; keys beyond the format are ignored.
    """
    conversation: list[dict[str, str]] = []
    for utterance in _utterances(messages):
        if utterance.side == "own":
            if not conversation or conversation[-1]["role"] == "assistant":
                conversation.append({"role": "user", "content": SILENCE if conversation else GREETING})
            conversation.append({"role": "assistant", "content": utterance.text})
        elif conversation and conversation[-1]["role"] == "user":
            conversation[-1]["content"] += f"\n\n{utterance.text}"
        else:
            conversation.append({"role": "user", "content": utterance.text})
    if not conversation or conversation[-1]["role"] == "assistant":
        conversation.append({"role": "user", "content": SILENCE if conversation else GREETING})
    return conversation


def own_lines(conversation: Iterable[Mapping[str, str]]) -> list[str]:
    """Return what the simulated user has said, from a conversation that `reversed_roles` gave."""
    return [message["content"] for message in conversation if message["role"] == "assistant"]


def _utterances(messages: Iterable[Mapping[str, Any]]) -> list[_Utterance]:
    utterances: list[_Utterance] = []
    activity: list[_Activity] = []
    for message in messages:
        role = message.get("role")
        if role == "user":
            said, done = _Utterance("own", _spoken(message, "you")), None
        elif role == "assistant":
            said, done = _Utterance("other", _spoken(message, "the agent")), _tool_calls(message)
        else:
            said, done = None, message
        if said and said.text:
            utterances.append(said)
        if done:
            activity.append(_Activity(len(utterances), done))
    # All at once, because a tool's result is named after a call that may stand far above it.
    lines = render_transcript_lines(act.message for act in activity)
    sections: dict[int, list[str]] = {}
    for act, line in zip(activity, lines, strict=True):
        sections.setdefault(act.place, []).append(_shortened(line, _LONGEST_ACT))
    for place in sorted(sections, reverse=True):
        utterances.insert(place, _Utterance("other", fenced("agent_activity", "\n".join(sections[place]))))
    return utterances


def _tool_calls(message: Mapping[str, Any]) -> dict[str, Any] | None:
    calls = {key: message[key] for key in ("tool_calls", "function_call") if message.get(key)}
    return {"role": "assistant", **calls} if calls else None


def _spoken(message: Mapping[str, Any], speaker: _Speaker) -> str:
    content = message.get("content")
    text = content if isinstance(content, str) and content.strip() else _parts_spoken(content, message, speaker)
    return _shortened(str(without_media(text)).strip(), _LONGEST_MESSAGE)


def _parts_spoken(content: Any, message: Mapping[str, Any], speaker: _Speaker) -> str:
    parts = cast("list[Any]", content) if isinstance(content, (list, tuple)) else [content] if content else []
    texts: list[str] = []
    attached: list[str] = []
    has_sound = False
    for part in parts:
        kind = _kind(part)
        if (text := _text(part)) is not None:
            texts.append(text)
        elif kind in _SOUND:
            has_sound = True
        else:
            attached.append(f"[{speaker} sent {_ATTACHMENTS.get(kind) or f'something of type {bare_or_quoted(kind)}'}]")
    if not texts:
        texts = _said_elsewhere(message)
        has_sound = has_sound or isinstance(message.get("audio"), Mapping)
    said = " ".join(text for text in texts if text.strip())
    if has_sound:
        said = _AUDIO if not said else f"[the agent said: {said}]" if speaker == "the agent" else said
    return "\n".join(line for line in (said, *attached) if line)


def _said_elsewhere(message: Mapping[str, Any]) -> list[str]:
    """Return what a message without text content says in the other members the chat format has for it."""
    audio = message.get("audio")
    transcript = cast("Mapping[str, Any]", audio).get("transcript") if isinstance(audio, Mapping) else None
    return [text for text in (transcript, message.get("refusal")) if isinstance(text, str)]


def _kind(part: Any) -> str:
    kind: Any = cast("Mapping[str, Any]", part).get("type") if isinstance(part, Mapping) else None
    return kind if isinstance(kind, str) else "unknown"


def _text(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        return None
    members = cast("Mapping[str, Any]", part)
    return next((members[key] for key in ("text", "refusal") if isinstance(members.get(key), str)), None)


def _shortened(text: str, limit: int) -> str:
    """Return a text without its middle if it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    kept = limit // 2
    return f"{text[:kept]} [... {len(text) - 2 * kept} characters left out ...] {text[-kept:]}"
