"""Judging conversations: criteria, prompts, verdicts, evidence, and looking into long transcripts.

What judges of one's own may use is exported here; the judge itself is `scenario.judge_agent.JudgeAgent`.
"""

from typing import TYPE_CHECKING

from scenario.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from scenario.judging.discovery import DEFAULT_TOKEN_THRESHOLD as DEFAULT_TOKEN_THRESHOLD
    from scenario.judging.discovery import JudgeUtils as JudgeUtils
    from scenario.judging.discovery import estimate_tokens as estimate_tokens
    from scenario.judging.discovery import expand_transcript as expand_transcript
    from scenario.judging.discovery import grep_transcript as grep_transcript
    from scenario.transcript import fenced as fenced
    from scenario.transcript import quoted as quoted
    from scenario.transcript import render_transcript_lines as render_transcript_lines

_HOMES = {
    "DEFAULT_TOKEN_THRESHOLD": "scenario.judging.discovery",
    "JudgeUtils": "scenario.judging.discovery",
    "estimate_tokens": "scenario.judging.discovery",
    "expand_transcript": "scenario.judging.discovery",
    "grep_transcript": "scenario.judging.discovery",
    "fenced": "scenario.transcript",
    "quoted": "scenario.transcript",
    "render_transcript_lines": "scenario.transcript",
}

__all__ = [
    "DEFAULT_TOKEN_THRESHOLD",
    "JudgeUtils",
    "estimate_tokens",
    "expand_transcript",
    "fenced",
    "grep_transcript",
    "quoted",
    "render_transcript_lines",
]

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
