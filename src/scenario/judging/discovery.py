"""Long conversations: an outline of the transcript, and the tools that look into it.

A conversation too long to be shown whole is shown as one short line a message; the judge then asks for messages by
index or for those that contain a text. All results are bounded.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from scenario.judging.tools import EXPAND_TRANSCRIPT, GREP_TRANSCRIPT
from scenario.transcript import (
    TranscriptLine,
    bare_or_quoted,
    quoted,
    render_transcript_lines,
    transcript_lines,
    without_media,
)

DEFAULT_TOKEN_THRESHOLD = 8_192
"""Estimated tokens above which a transcript is shown as an outline."""

_MOST_MATCHES = 20
# A line longer than this is shown around its matches only; otherwise one huge message would hide all others.
_LONG_LINE = 2_000
_AROUND_A_MATCH = 300
_MOST_PASSAGES = 5
_SMALLEST_EXCERPT = 2_048
_BYTES_PER_TOKEN = 4
_LONG_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcerptLimits:
    """How much of a long transcript is shown at once.

    Attributes:
        outline_tokens: Size of the outline, in estimated tokens; what is in the middle gives way.
        excerpt_chars: Size of one answer of a discovery tool, in characters.
    """

    outline_tokens: int = 4_096
    excerpt_chars: int = 16_384

    def halved(self) -> "ExcerptLimits | None":
        """Return limits half as large, or None when that would show too little to judge by."""
        if self.excerpt_chars <= _SMALLEST_EXCERPT:
            return None
        return ExcerptLimits(outline_tokens=self.outline_tokens // 2, excerpt_chars=self.excerpt_chars // 2)


_LIMITS = ExcerptLimits()


class JudgeUtils:
    """What judges of one's own may use to show a conversation to a model."""

    @staticmethod
    def build_transcript_from_messages(messages: Sequence[Any]) -> str:
        """Render messages of OpenAI's chat format as a transcript, one line a message."""
        return "\n".join(render_transcript_lines(messages))


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text: its UTF-8 bytes divided by four, rounded up."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // _BYTES_PER_TOKEN)


def expand_transcript(messages: Sequence[Any], indices: Any = None) -> str:
    """Show messages by index.

    Args:
        messages: The conversation, in OpenAI's chat format.
        indices: Indices of the messages to show, the first being 0; numbers as text are taken too.

    Returns:
        A line `[<index>] <transcript line>` for each message in the order of the conversation, followed by notes on
        indices that could not be used; a text that begins with `Error` if none could.
    """
    return expanded(transcript_lines(messages), indices, _LIMITS)


def grep_transcript(messages: Sequence[Any], pattern: Any) -> str:
    """Show the messages that contain a text.

    Args:
        messages: The conversation, in OpenAI's chat format.
        pattern: Text to look for, literally, whatever its case.

    Returns:
        `--- [<index>] <role> ---` and the transcript line for each of the first 20 messages that contain it.
    """
    return matching(transcript_lines(messages), pattern, _LIMITS)


def answer_of_tool(name: str, arguments: str, lines: Sequence[TranscriptLine], limits: ExcerptLimits) -> str:
    """Answer a judge's call of a discovery tool; whatever is wrong with the call is said in the answer."""
    if name not in (EXPAND_TRANSCRIPT.name, GREP_TRANSCRIPT.name):
        return f"Unknown tool: {_short(bare_or_quoted(name))}"
    try:
        given: Any = json.loads(arguments, strict=False) if arguments.strip() else {}
    except (ValueError, RecursionError):
        return "Error: could not parse arguments as JSON."
    if not isinstance(given, dict):
        return "Error: could not parse arguments: they must be a JSON object."
    members = cast("dict[str, Any]", given)
    if name == EXPAND_TRANSCRIPT.name:
        return expanded(lines, members.get("indices"), limits)
    return matching(lines, members.get("pattern"), limits)


def outline(lines: Sequence[TranscriptLine], limits: ExcerptLimits = _LIMITS) -> str:
    """Show a transcript as who spoke, which tools were involved and how long each message is."""
    entries = [_outline_entry(index, line) for index, line in enumerate(lines)]
    head = _fitting(entries, limits.outline_tokens)
    if len(head) < len(entries):
        head = _fitting(entries, limits.outline_tokens // 2)
        tail = _fitting(entries[len(head) :][::-1], limits.outline_tokens // 2)[::-1]
        omitted = len(entries) - len(head) - len(tail)
        head = [*head, f"[{omitted} messages omitted: {len(head)} to {len(head) + omitted - 1}]", *tail]
    return "\n".join([f"Messages: {len(lines)}", "", *head])


def expanded(lines: Sequence[TranscriptLine], indices: Any, limits: ExcerptLimits) -> str:
    """Show lines by index; see `expand_transcript`."""
    if not lines:
        return "No messages recorded."
    asked = _as_indices(indices)
    if not asked.whole and not asked.other:
        return "Error: provide at least one message index."
    valid = sorted({index for index in asked.whole if 0 <= index < len(lines)})
    outside = sorted({index for index in asked.whole if not 0 <= index < len(lines)})
    notes: list[str] = []
    if outside:
        notes.append(f"[Ignored out-of-range indices: {_short(quoted(outside))}]")
    if asked.other:
        notes.append(f"[Ignored non-integer indices: {_short(quoted(without_media(asked.other)))}]")
    if not valid:
        return f"Error: no messages matched the given indices. Valid range: 0-{len(lines) - 1}."
    shown = "\n".join([f"[{index}] {lines[index].text}" for index in valid] + notes)
    return _clipped(shown, limits, "Ask for fewer indices, or use grep_transcript to find the passage.")


def matching(lines: Sequence[TranscriptLine], pattern: Any, limits: ExcerptLimits) -> str:
    """Show the lines that contain a text; see `grep_transcript`."""
    if not lines:
        return "No messages recorded."
    if not isinstance(pattern, str) or not pattern:
        return "Error: provide a text to look for as `pattern`."
    # The pattern may be given as it was said or as the transcript shows it.
    forms = {pattern, quoted(pattern)[1:-1]}
    search = re.compile("|".join(map(re.escape, forms)), re.IGNORECASE)
    shown: list[str] = []
    found = 0
    for index, line in enumerate(lines):
        if not search.search(line.text):
            continue
        found += 1
        if found <= _MOST_MATCHES:
            shown.append(f"--- [{index}] {_short(line.role)} ---\n  {_around(line.text, search)}\n")
    if not found:
        roles = ", ".join(dict.fromkeys(_short(line.role) for line in lines))
        return _clipped(f"No matches found for {_short(quoted(pattern))}. Roles present: {roles}", limits, "")
    if found > _MOST_MATCHES:
        shown.append(f"[{found - _MOST_MATCHES} more matches omitted. Use a more specific pattern.]")
    return _clipped(
        "\n".join(shown).rstrip("\n"), limits, "Use a more specific pattern, or expand_transcript for one message."
    )


@dataclass(frozen=True, slots=True)
class _Indices:
    whole: list[int]
    other: list[Any]


def _as_indices(given: Any) -> _Indices:
    items = cast("list[Any]", given) if isinstance(given, (list, tuple)) else [] if given is None else [given]
    indices = _Indices([], [])
    for item in items:
        index = _as_index(item)
        if index is None:
            indices.other.append(item)
        else:
            indices.whole.append(index)
    return indices


def _as_index(item: Any) -> int | None:
    if isinstance(item, str) and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", item):
        return int(item)
    if isinstance(item, float) and item.is_integer() and abs(item) < 1e9:
        return int(item)
    if isinstance(item, int) and not isinstance(item, bool) and abs(item) < 10**9:
        return item
    return None


def _outline_entry(index: int, line: TranscriptLine) -> str:
    tools = f" [tool_calls: {_short(', '.join(line.called))}]" if line.called else ""
    if line.answered:
        tools = f" [tool ({_short(line.answered)})]"
    return f"[{index}] {_short(line.role)}{tools} (~{estimate_tokens(line.text)} tokens)"


def _fitting(entries: Sequence[str], tokens: int) -> list[str]:
    fitting: list[str] = []
    room = tokens * _BYTES_PER_TOKEN
    for entry in entries:
        room -= len(entry.encode("utf-8", "surrogatepass")) + 1
        if room < 0:
            break
        fitting.append(entry)
    return fitting


def _around(text: str, search: re.Pattern[str]) -> str:
    if len(text) <= _LONG_LINE:
        return text
    passages: list[str] = []
    start = end = 0
    for match in search.finditer(text):
        if match.start() - _AROUND_A_MATCH <= end and passages:
            end = max(end, min(match.end() + _AROUND_A_MATCH, start + _LONG_LINE))
            passages[-1] = text[start:end]
            continue
        if len(passages) == _MOST_PASSAGES:
            break
        start, end = max(match.start() - _AROUND_A_MATCH, 0), match.end() + _AROUND_A_MATCH
        passages.append(text[start:end])
    return "… " + " … ".join(passages) + " …"


def _clipped(text: str, limits: ExcerptLimits, advice: str) -> str:
    if len(text) <= limits.excerpt_chars:
        return text
    return f"{text[: limits.excerpt_chars]}\n[TRUNCATED] {advice}"


def _short(text: str) -> str:
    return text if len(text) <= _LONG_NAME else f"{text[:_LONG_NAME]}…"
