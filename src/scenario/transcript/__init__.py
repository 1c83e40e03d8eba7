"""The conversation as text: what a message says, and messages as lines that are safe to show to a model."""

from scenario.transcript.fence import bare_or_quoted, fenced, quoted
from scenario.transcript.lines import TranscriptLine, render_transcript_lines, transcript_lines
from scenario.transcript.media import without_media
from scenario.transcript.text import message_text

__all__ = [
    "TranscriptLine",
    "bare_or_quoted",
    "fenced",
    "message_text",
    "quoted",
    "render_transcript_lines",
    "transcript_lines",
    "without_media",
]
