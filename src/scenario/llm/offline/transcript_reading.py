"""Reads a conversation back out of a judge's prompt."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from scenario.llm.chat_model import Message
from scenario.llm.offline.offline_model import text_of, text_of_role

_ROLE = re.compile(r"(?P<role>[A-Za-z_]+)(?: \((?P<tool>[^)]*)\))?:(?: |$)")
_INDEX = re.compile(r"\[(?P<index>\d+)\] ")
_TOOL_CALL = re.compile(r"\[tool_call: (?P<name>[^(\s]+)\(")
_SKELETON = re.compile(r"Messages: (?P<count>\d+)\s*$", re.MULTILINE)
_SKELETON_LINE = re.compile(r"\[(?P<index>\d+)\] .*\(~(?P<tokens>\d+) tokens\)\s*$", re.MULTILINE)
_CUT = "[TRUNCATED]"
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
        is_whole: Whether nothing is missing.
    """

    happenings: Sequence[Happening]
    unread: Mapping[int, int | None]
    is_whole: bool


def section(text: str, name: str) -> str | None:
    """Return what stands between the tags `<name>` and `</name>` of a prompt, or None."""
    opening, closing = f"<{name}>", f"</{name}>"
    start = text.find(opening)
    end = text.find(closing, start)
    return None if start < 0 or end < 0 else text[start + len(opening) : end].strip("\n")


def read_transcript(messages: Sequence[Message]) -> Transcript:
    """Return the conversation that a judge's prompt shows, and what later messages fetched of it."""
    shown = section(text_of_role(messages, "user"), "transcript") or ""
    listed = _SKELETON.match(shown)
    if listed is None:
        return Transcript(tuple(_happenings(shown.splitlines())), {}, is_whole=True)
    fetched = _fetched_lines(messages)
    sizes = {int(line["index"]): int(line["tokens"]) for line in _SKELETON_LINE.finditer(shown)}
    missing = {index: sizes.get(index) for index in range(int(listed["count"])) if index not in fetched}
    lines = [line for index in sorted(fetched) for line in fetched[index]]
    return Transcript(tuple(_happenings(lines)), missing, is_whole=not missing)


def _fetched_lines(messages: Sequence[Message]) -> dict[int, list[str]]:
    """Return the lines of messages fetched in full, by number.

    They are looked for in every message after the prompt, since a judge whose steps are used up repeats what its tools
    said as plain text.
    """
    fetched: dict[int, list[str]] = {}
    first_user = next((at for at, message in enumerate(messages) if message.get("role") == "user"), len(messages))
    for message in messages[first_user + 1 :]:
        current: list[str] | None = None
        entries: list[tuple[int, list[str]]] = []
        text = text_of(message)
        for line in text.splitlines():
            numbered = _INDEX.match(line)
            if numbered and _ROLE.match(line, numbered.end()):
                current = [line[numbered.end() :]]
                entries.append((int(numbered["index"]), current))
            elif numbered is None and current is not None and _TOOL_CALL.match(line):
                current.append(line)
        if _CUT in text and entries:
            entries.pop()
        for index, lines in entries:
            fetched.setdefault(index, lines)
    return fetched


def _happenings(lines: Sequence[str]) -> Iterator[Happening]:
    for line in lines:
        opening = _ROLE.match(line)
        rest = line[opening.end() :] if opening else line
        if opening and not rest.startswith("[tool_call: "):
            content, end = _leading_json(rest)
            if opening["tool"] is None:
                yield Said(opening["role"], _content_text(content))
            rest = rest[end:]
        yield from _tool_calls(rest)


def _tool_calls(text: str) -> Iterator[CalledTool]:
    at = 0
    while call := _TOOL_CALL.search(text, at):
        arguments, end = _leading_json(text[call.end() :])
        at = call.end() + end
        if text.startswith(")]", at):
            at += 2
        yield CalledTool(call["name"], arguments, text[call.start() : at])


def _leading_json(text: str) -> tuple[Any, int]:
    try:
        return _decoder.raw_decode(text)
    except ValueError:
        return text, len(text)


def _content_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not _is_list(content):
        return ""
    return " ".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


def _is_list(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list)
