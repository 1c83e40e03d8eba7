import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.judging.criteria import keyed_criteria
from scenario.judging.evidence import Sources, with_checked_evidence
from scenario.judging.verdict import Ruling, Status
from scenario.transcript import render_transcript_lines, transcript_lines
from scenario.types import Evidence

MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "Hi!\nI'd like to return   my order."},
    {
        "role": "assistant",
        "content": "Of course \u2014 one moment\u2026",
        "tool_calls": [
            {"id": "c", "function": {"name": "lookup", "arguments": '{"order": "A-17", "path": "C:\\\\new"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c", "content": '{"status": "shipped", "note": "<b>Straße</b>"}'},
    {"role": "assistant", "content": "Your order was “shipped” to the STRASSE in 東京 ① today."},
]
LINES = transcript_lines(MESSAGES)
(CRITERION,) = keyed_criteria(["is polite"])


def check(quote: str, context: str = "") -> Evidence:
    return Sources(LINES, context).checked(quote)


@pytest.mark.parametrize(
    ("quote", "index"),
    [
        ("I'd like to return", 0),
        ("hi! i'd LIKE", 0),
        ("Hi! I'd like to return my order.", 0),
        ("I\u2019d like to return\u00a0my order", 0),
        (r"Hi!\nI'd like", 0),
        ('user: "Hi!', 0),
        ("[0] user: \"Hi!\\nI'd", 0),
        ('"I\'d like to return my order."', 0),
        ("\u00abI'd like to return my order\u00bb", 0),
        ("I'd li\u200bke", 0),
        ("I'd like ... my order", 0),
        ("I'd like to return my order. [...]".replace("[...]", "..."), 0),
        ("Of course - one moment...", 1),
        ('[tool_call: lookup({"order": "A-17"', 1),
        (r"C:\new", 1),
        ('{"status": "shipped"', 2),
        (r"{\"status\": \"shipped\"", 2),
        (r"\u003cb\u003eStraße", 2),
        ("<b>straße</b>", 2),
        ('"shipped" to the straße', 3),
        ("in 東京 1 today", 3),
    ],
)
def test_a_passage_is_found_whatever_was_lost_in_copying(quote: str, index: int):
    assert check(quote) == Evidence(quote=quote, verified=True, message_index=index)


@pytest.mark.parametrize(
    "quote",
    [
        "I never said this",
        "return my money",
        "my order ... I'd like",
        "I'd like ... shipped",
        "a...b",
        "...",
        'assistant: "Hi!',
        "\u200b",
        '""',
    ],
)
def test_a_passage_that_nobody_said_is_not_found(quote: str):
    assert check(quote) == Evidence(quote=quote, verified=False, message_index=None)


def test_a_passage_of_the_additional_context_is_found_outside_of_the_messages():
    assert check("refunded  42 EUR", "The ledger says: Refunded 42 eur.") == Evidence(
        quote="refunded  42 EUR", verified=True, message_index=None
    )


def judged(status: Status, *quotes: str) -> Any:
    ruling = Ruling(criterion=CRITERION, status=status, requirement="r", reasoning="It is.", quotes=quotes)
    return with_checked_evidence(ruling, Sources(LINES))


def test_a_pass_with_a_true_quote_passes_and_keeps_the_false_one_as_unverified():
    result = judged("passed", "I never said this", "Of course")

    assert result.status == "passed"
    assert [(passage.verified, passage.message_index) for passage in result.evidence] == [(False, None), (True, 1)]


def test_a_pass_all_of_whose_quotes_are_false_becomes_inconclusive_and_says_why():
    result = judged("passed", "I never said this", "nor this")

    assert result.status == "inconclusive"
    assert result.reasoning == (
        "It is. None of the passages quoted for this is in the conversation, so it does not count as passed."
    )


def test_a_pass_without_quotes_passes():
    assert judged("passed").status == "passed"


@pytest.mark.parametrize("status", ["failed", "inconclusive"])
def test_false_quotes_change_no_other_verdict(status: Status):
    result = judged(status, "I never said this")

    assert (result.status, result.reasoning) == (status, "It is.")


visible_text = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]) | st.just("\n"), max_size=40)


@given(st.lists(visible_text, min_size=1, max_size=4), st.data())
def test_whatever_was_said_is_found_as_it_was_said_and_as_the_transcript_shows_it(
    contents: list[str], data: st.DataObject
):
    # Letters make it a passage; a backslash is taken for the start of an escape where it could be one.
    said = data.draw(st.sampled_from(contents)).replace("\\", "/") + "abc"
    sources = Sources(transcript_lines([{"role": "user", "content": content} for content in [*contents, said]]))

    (shown,) = render_transcript_lines([{"role": "user", "content": said}])

    assert sources.checked(said).verified or ";base64," in said
    assert sources.checked(shown).verified
    assert sources.checked(shown.removeprefix("user: ")).verified


@given(st.text(), st.lists(st.text(), max_size=3))
def test_looking_for_any_passage_raises_nothing(quote: str, contents: list[str]):
    sources = Sources(transcript_lines([{"role": "user", "content": content} for content in contents]))

    assert sources.checked(quote).quote == quote
    assert json.loads(sources.checked(quote).model_dump_json())["verified"] in (True, False)
