"""Reads a conversation back out of a judge's prompt."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeGuard

from scenario.llm.chat_model import Message
from scenario.llm.offline.offline_model import text_of, text_of_role
from scenario.llm.offline.prompt_sections import raw_section

_ROLE = re.compile(r"(?P<role>[A-Za-z_]+)(?: \((?P<tool>[^)]*)\))?:(?: |$)")
_INDEX = re.compile(r"\[(?P<index>\d+)\] ")
_TOOL_CALL = "[tool_call: "
_EXCERPT = re.compile(r"^<excerpt>\n(.*?)\n</excerpt>$", re.MULTILINE | re.DOTALL)
_SKELETON = re.compile(r"Messages: (?P<count>\d+)\s*$", re.MULTILINE)
_SKELETON_LINE = re.compile(r"\[(?P<index>\d+)\] .*\(~(?P<tokens>\d+) tokens\)\s*$", re.MULTILINE)
_CUT = "[TRUNCATED]"
_LONGEST_REMEMBERED = 2_000
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Said:
    """What a message of the conversation said.

    Attributes:
        role: Who said it: `user`, `assistant`, or another role of the format.
        text: The words.
    """

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class CalledTool:
    """A tool call in the conversation.

    Attributes:
        name: Name of the tool.
        arguments: Its arguments as JSON values; whatever stood there if they were not JSON.
        line: The call as the transcript shows it.
    """

    name: str
    arguments: Any
    line: str


Happening = Said | CalledTool


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation as far as the prompt shows it.

    Attributes:
        happenings: What was said and called, in order.
        unread: Number and size in tokens, where known, of each message that is only listed.
        excerpt_chars: The most that one look into the conversation has shown so far, in characters, where a look was
            cut off.
    """

    happenings: Sequence[Happening]
    unread: Mapping[int, int | None]
    excerpt_chars: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return not self.unread


def read_transcript(messages: Sequence[Message]) -> Transcript:
    """Return the conversation that a judge's prompt shows, and what later messages fetched of it."""
    shown = raw_section(text_of_role(messages, "user"), "transcript") or ""
    listed = _SKELETON.match(shown)
    if listed is None:
        return Transcript(tuple(_happenings(shown.splitlines())), {})
    readings = _readings(messages)
    fetched = _lines_by_number(readings)
    sizes = {int(line["index"]): int(line["tokens"]) for line in _SKELETON_LINE.finditer(shown)}
    missing = {index: sizes.get(index) for index in range(int(listed["count"])) if index not in fetched}
    happenings = tuple(_happenings(fetched[index] for index in sorted(fetched)))
    return Transcript(happenings, missing, min((len(reading) for reading in readings if _CUT in reading), default=None))


def _readings(messages: Sequence[Message]) -> list[str]:
    """Return what was fetched of a conversation that is only listed.

    It is looked for in every message after the prompt, since a judge whose steps are used up repeats what its tools
    said as excerpts in plain text.
    """
    first_user = next((at for at, message in enumerate(messages) if message.get("role") == "user"), len(messages))
    texts = map(text_of, messages[first_user + 1 :])
    return [reading for text in texts for reading in _EXCERPT.findall(text) or [text]]


def _lines_by_number(readings: Sequence[str]) -> dict[int, str]:
    fetched: dict[int, str] = {}
    for reading in readings:
        entries = [(numbered, line) for line in reading.splitlines() if (numbered := _INDEX.match(line))]
        if _CUT in reading and entries:
            entries.pop()
        for numbered, line in entries:
            fetched.setdefault(int(numbered["index"]), line[numbered.end() :])
    return fetched


def _happenings(lines: Iterable[str]) -> Iterator[Happening]:
    # A judge sees the same lines turn after turn.
    for line in lines:
        yield from _remembered(line) if len(line) <= _LONGEST_REMEMBERED else _happenings_of(line)


def _happenings_of(line: str) -> Iterator[Happening]:
    opening = _ROLE.match(line)
    rest = line[opening.end() :] if opening else line
    if opening and not rest.startswith(_TOOL_CALL):
        content = _leading_json(rest)
        if opening["tool"] is None:
            yield Said(opening["role"], _content_text(content.value))
        rest = rest[content.end :].lstrip()
    yield from _tool_calls(rest)


@lru_cache(maxsize=4096)
def _remembered(line: str) -> tuple[Happening, ...]:
    return tuple(_happenings_of(line))


def _tool_calls(text: str) -> Iterator[CalledTool]:
    """Return the tool calls that a text begins with. What follows anything else was written by somebody."""
    while text.startswith(_TOOL_CALL):
        name = _called_name(text[len(_TOOL_CALL) :])
        opening = len(_TOOL_CALL) + name.end
        if not text.startswith("(", opening):
            return
        arguments = _leading_json(text[opening + 1 :])
        end = opening + 1 + arguments.end + len(")]")
        yield CalledTool(name.value, arguments.value, text[:end])
        text = text[end:].lstrip()


def _called_name(text: str) -> "_Read":
    if text.startswith('"'):
        return _leading_json(text)
    end = text.find("(")
    return _Read(text[:end], end) if end >= 0 else _Read(text, len(text))


@dataclass(frozen=True, slots=True)
class _Read:
    value: Any
    end: int


def _leading_json(text: str) -> _Read:
    try:
        value, end = _decoder.raw_decode(text)
    except (ValueError, RecursionError):
        return _Read(text, len(text))
    return _Read(value, end)


def _content_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not _is_list(content):
        return ""
    return " ".join(part["text"] for part in content if _is_object(part) and isinstance(part.get("text"), str))


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
