import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.judging import (
    DEFAULT_TOKEN_THRESHOLD,
    JudgeUtils,
    estimate_tokens,
    expand_transcript,
    grep_transcript,
)
from scenario.judging.discovery import ExcerptLimits, answer_of_tool, outline
from scenario.transcript import transcript_lines

MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "Where is my order?"},
    {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "lookup", "arguments": '{"id": 7}'}}]},
    {"role": "tool", "tool_call_id": "c", "content": "shipped"},
    {"role": "assistant", "content": "It was SHIPPED <today>."},
]
LIMITS = ExcerptLimits()


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("é" * 2, 1), ("退" * 4, 3)]
)
def test_tokens_are_a_quarter_of_the_bytes_rounded_up(text: str, tokens: int):
    assert estimate_tokens(text) == tokens


def test_the_threshold_is_8192_tokens():
    assert DEFAULT_TOKEN_THRESHOLD == 8192


def test_a_transcript_is_one_line_a_message():
    assert JudgeUtils.build_transcript_from_messages(MESSAGES) == (
        'user: "Where is my order?"\n'
        'assistant: [tool_call: lookup({"id": 7})]\n'
        'tool (lookup): "shipped"\n'
        'assistant: "It was SHIPPED \\u003ctoday\\u003e."'
    )


def test_messages_are_expanded_in_the_order_of_the_conversation():
    assert expand_transcript(MESSAGES, indices=[2, 0, 2]) == (
        '[0] user: "Where is my order?"\n[2] tool (lookup): "shipped"'
    )


@pytest.mark.parametrize("indices", [[2], ["2"], [" 2 "], 2, "2", [2.0], (2,)])
def test_an_index_may_be_a_number_in_any_form(indices: Any):
    assert expand_transcript(MESSAGES, indices=indices) == '[2] tool (lookup): "shipped"'


def test_indices_that_cannot_be_used_are_named_after_the_others():
    assert expand_transcript(MESSAGES, indices=[0, 9, -1, "x", None, True, 1.5]) == (
        '[0] user: "Where is my order?"\n'
        "[Ignored out-of-range indices: [-1, 9]]\n"
        '[Ignored non-integer indices: ["x", null, true, 1.5]]'
    )


@pytest.mark.parametrize("indices", [None, [], ()])
def test_without_an_index_the_answer_asks_for_one(indices: Any):
    assert expand_transcript(MESSAGES, indices=indices) == "Error: provide at least one message index."


@pytest.mark.parametrize("indices", [[4], [-1, 99], ["x"], {"a": 1}])
def test_if_no_index_can_be_used_the_answer_gives_the_range(indices: Any):
    assert expand_transcript(MESSAGES, indices=indices) == (
        "Error: no messages matched the given indices. Valid range: 0-3."
    )


def test_an_empty_conversation_has_nothing_to_look_into():
    assert expand_transcript([], indices=[0]) == "No messages recorded."
    assert grep_transcript([], "x") == "No messages recorded."


def test_a_search_finds_text_whatever_its_case():
    assert grep_transcript(MESSAGES, "shipped") == (
        '--- [2] tool ---\n  tool (lookup): "shipped"\n\n'
        '--- [3] assistant ---\n  assistant: "It was SHIPPED \\u003ctoday\\u003e."'
    )


@pytest.mark.parametrize("pattern", ["<today>", r"\u003ctoday", "SHIPPED <"])
def test_a_search_takes_text_as_it_was_said_or_as_the_transcript_shows_it(pattern: str):
    assert grep_transcript(MESSAGES, pattern).startswith("--- [3] assistant ---")


def test_a_search_takes_its_text_literally():
    assert grep_transcript(MESSAGES, "o.*r").startswith('No matches found for "o.*r".')


def test_a_search_without_a_hit_says_who_speaks_in_the_conversation():
    assert grep_transcript(MESSAGES, "</transcript>") == (
        'No matches found for "\\u003c/transcript\\u003e". Roles present: user, assistant, tool'
    )


@pytest.mark.parametrize("pattern", ["", None, 3, ["a"]])
def test_a_search_for_nothing_is_refused(pattern: Any):
    assert grep_transcript(MESSAGES, pattern).startswith("Error: ")


def test_a_search_shows_twenty_messages_and_counts_the_rest():
    found = grep_transcript([{"role": "user", "content": f"ping {number}"} for number in range(33)], "ping")

    assert found.count("--- [") == 20
    assert "[13 more matches omitted." in found


def test_an_answer_is_cut_at_16384_characters():
    messages = [{"role": "user", "content": "x" * 10_000} for _ in range(3)]

    shown = expand_transcript(messages, indices=[0, 1, 2])

    body, _, notice = shown.rpartition("\n")
    assert len(body) == 16_384
    assert notice.startswith("[TRUNCATED]")
    assert "grep_transcript" in notice


def test_a_hit_in_a_huge_message_is_shown_with_what_is_around_it():
    messages = [{"role": "user", "content": "x" * 50_000 + " the needle is here " + "y" * 50_000}]

    found = grep_transcript(messages, "NEEDLE")

    assert "xxx the needle is here yyy" in found
    assert len(found) < 1_000


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("expand_transcript", '{"indices": [0]}', '[0] user: "Where is my order?"'),
        ("expand_transcript", '{"indices": "0"}', '[0] user: "Where is my order?"'),
        ("expand_transcript", '{"indices": null}', "Error: provide at least one message index."),
        ("expand_transcript", "", "Error: provide at least one message index."),
        ("expand_transcript", "{", "Error: could not parse arguments as JSON."),
        ("expand_transcript", "[0]", "Error: could not parse arguments: they must be a JSON object."),
        ("grep_transcript", "null", "Error: could not parse arguments: they must be a JSON object."),
        ("grep_transcript", '{"pattern": ["a"]}', "Error: provide a text to look for as `pattern`."),
        ("drop_table", "{}", "Unknown tool: drop_table"),
    ],
)
def test_a_call_of_a_tool_is_answered_whatever_is_wrong_with_it(name: str, arguments: str, answer: str):
    assert answer_of_tool(name, arguments, transcript_lines(MESSAGES), LIMITS) == answer


def test_an_outline_names_roles_tools_and_sizes():
    assert outline(transcript_lines(MESSAGES)) == (
        "Messages: 4\n"
        "\n"
        "[0] user (~7 tokens)\n"
        "[1] assistant [tool_calls: lookup] (~11 tokens)\n"
        "[2] tool [tool (lookup)] (~6 tokens)\n"
        "[3] assistant (~12 tokens)"
    )


def test_a_long_outline_keeps_head_and_tail_and_says_what_is_left_out():
    shown = outline(transcript_lines([{"role": "user", "content": "hello"}] * 3_000)).splitlines()

    (gap,) = [number for number, line in enumerate(shown) if "omitted" in line]
    head, tail = shown[2:gap], shown[gap + 1 :]
    first, last = re.findall(r"\d+", shown[gap])[1:]
    assert shown[0] == "Messages: 3000"
    assert head[0] == "[0] user (~4 tokens)"
    assert tail[-1] == "[2999] user (~4 tokens)"
    assert f"[{int(first) - 1}] " in head[-1]
    assert f"[{int(last) + 1}] " in tail[0]
    assert 1_900 < estimate_tokens("\n".join(head)) <= 2_048
    assert 1_900 < estimate_tokens("\n".join(tail)) <= 2_048


@given(
    st.lists(st.fixed_dictionaries({"role": st.text(max_size=5), "content": st.text(max_size=50)}), max_size=8),
    st.lists(st.integers() | st.text(max_size=3) | st.none(), max_size=5),
    st.text(max_size=5),
)
def test_no_answer_of_a_tool_holds_a_bracket(messages: list[dict[str, str]], indices: list[Any], pattern: str):
    lines = transcript_lines(messages)
    answers = [
        answer_of_tool("expand_transcript", json.dumps({"indices": indices}), lines, LIMITS),
        answer_of_tool("grep_transcript", json.dumps({"pattern": pattern}), lines, LIMITS),
        outline(lines),
    ]

    assert not {"<", ">"} & set("".join(answers))


def test_limits_are_halved_until_too_little_would_be_shown():
    limits: ExcerptLimits | None = LIMITS
    sizes: list[int] = []
    while limits is not None:
        sizes.append(limits.excerpt_chars)
        limits = limits.halved()

    assert sizes == [16_384, 8_192, 4_096, 2_048]
