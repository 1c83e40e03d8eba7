"""Which criteria the offline judge understands, and what it takes them to mean."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.llm.offline.criterion_parsing import rule_for
from scenario.llm.offline.criterion_rules import CallsRule, MatchesRule, SaysRule, evidence_for
from scenario.llm.offline.transcript_reading import CalledTool, Happening, Said


@pytest.mark.parametrize(
    "criterion",
    [
        'says "hello"',
        'The agent says "hello".',
        'AGENT SHOULD SAY "hello"',
        "the assistant must mention “hello”",
        "it mentions 'hello'",
        "the bot writes `hello`",
        'the agent has to use the word "hello"',
        'the agent\'s reply contains "hello"',
        'greets the user with "hello"',
        'a message includes the phrase "hello"',
        'The agent should say "hello" at some point in the conversation',
        "mentions «hello»",
    ],
)
def test_words_that_must_be_said(criterion: str) -> None:
    assert rule_for(criterion) == SaysRule(speaker="assistant", texts=["hello"], all_of=True)


@pytest.mark.parametrize(
    "criterion",
    [
        'never says "hello"',
        'The agent does not say "hello"',
        "the agent doesn't mention 'hello'",
        "it must not mention “hello”",
        'the agent should never say "hello"',
        'cannot say "hello"',
        'avoids saying "hello"',
        'at no point mentions "hello"',
        'the agent must never use the phrase "hello"',
    ],
)
def test_words_that_must_not_be_said(criterion: str) -> None:
    assert rule_for(criterion) == SaysRule(speaker="assistant", texts=["hello"], forbidden=True)


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ('user says "a"', SaysRule(speaker="user", texts=["a"], all_of=True)),
        ('the customer never mentions "a"', SaysRule(speaker="user", texts=["a"], forbidden=True)),
        ('says "a" or "b"', SaysRule(speaker="assistant", texts=["a", "b"])),
        ('says "a", "b" and "c"', SaysRule(speaker="assistant", texts=["a", "b", "c"], all_of=True)),
        ('says either "a" or "b"', SaysRule(speaker="assistant", texts=["a", "b"])),
        ('never says "a" or "b"', SaysRule(speaker="assistant", texts=["a", "b"], forbidden=True)),
        (r"matches /order \d+/", MatchesRule(speaker="assistant", pattern=re.compile(r"order \d+"))),
        ("reply matches /a/", None),
        ("the reply matches /a/i", MatchesRule(speaker="assistant", pattern=re.compile("a", re.IGNORECASE))),
        ("the user says something matching /a/", MatchesRule(speaker="user", pattern=re.compile("a"))),
        ("never matches /a/", MatchesRule(speaker="assistant", pattern=re.compile("a"), forbidden=True)),
        (
            r"matches /[(+]+(ab)+(a+)?\(x*/",
            MatchesRule(speaker="assistant", pattern=re.compile(r"[(+]+(ab)+(a+)?\(x*")),
        ),
        ("matches the regex `a+`", MatchesRule(speaker="assistant", pattern=re.compile("a+"))),
        ('matches /say "x"/', MatchesRule(speaker="assistant", pattern=re.compile('say "x"'))),
        ("calls tool lookup", CallsRule(tool="lookup", values={}, texts=[])),
        ("The agent calls the tool `lookup`.", CallsRule(tool="lookup", values={}, texts=[])),
        ("it should call the get_order tool", CallsRule(tool="get_order", values={}, texts=[])),
        ("calls lookup()", CallsRule(tool="lookup", values={}, texts=[])),
        ("uses `lookup`", CallsRule(tool="lookup", values={}, texts=[])),
        ("never calls tool lookup", CallsRule(tool="lookup", values={}, texts=[], forbidden=True)),
        ("does not call the `lookup` tool", CallsRule(tool="lookup", values={}, texts=[], forbidden=True)),
        ("the tool `lookup` is called", CallsRule(tool="lookup", values={}, texts=[])),
        ("the tool `lookup` must not be called", CallsRule(tool="lookup", values={}, texts=[], forbidden=True)),
        ("calls a tool", CallsRule(tool=None, values={}, texts=[])),
        ("does not call any tool", CallsRule(tool=None, values={}, texts=[], forbidden=True)),
        ("calls no tools", CallsRule(tool=None, values={}, texts=[], forbidden=True)),
        ('calls `x` with {"id": 7}', CallsRule(tool="x", values={"id": 7}, texts=[])),
        ('calls `x` with id=7 and name="bob"', CallsRule(tool="x", values={"id": 7, "name": "bob"}, texts=[])),
        ('calls `x` with "A-17"', CallsRule(tool="x", values={}, texts=["A-17"])),
    ],
)
def test_what_a_criterion_means(criterion: str, expected: object) -> None:
    assert rule_for(criterion) == expected


@pytest.mark.parametrize(
    "criterion",
    [
        "The agent is polite",
        'says "hello" before asking for a name',
        'says "hello" twice',
        'always says "hello"',
        'mentions "a" and "b" or "c"',
        "says nothing",
        "asks for the order number",
        "calls `lookup` twice",
        "calls `lookup` with the right id",
        "calls the right tool",
        "calls the tool first",
        "uses tools correctly",
        'uses "please"',
        "the user calls `lookup`",
        "matches /(a+)+$/",
        r"matches /(\w+\s?)*$/",
        "matches /((a|b)c)*/",
        "matches /(?:(?P<x>.*)y)+/",
        "matches /(a{1,}){2,}/",
        "matches /(/",
        f"matches /{'a' * 301}/",
        "matches /a/q",
        "",
        '""',
    ],
)
def test_a_criterion_that_says_more_has_no_rule(criterion: str) -> None:
    assert rule_for(criterion) is None


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(criterion: str) -> None:
    rule_for(criterion)


@given(st.text(alphabet="abc '\"`/()\\ andorwithcallssays", max_size=60))
def test_any_mixture_of_its_own_words_is_read_without_an_error(criterion: str) -> None:
    rule_for(f"the agent says {criterion}")
    rule_for(f"calls `x` with {criterion}")


@pytest.mark.timeout(5)
@pytest.mark.parametrize("criterion", ["says " * 20_000, "calls " + "a" * 100_000, 'says "' + "a " * 50_000])
def test_a_very_long_criterion_is_read_quickly(criterion: str) -> None:
    assert rule_for(criterion) is None


def found(criterion: str, *happenings: Happening) -> list[str] | None:
    rule = rule_for(criterion)
    assert rule is not None
    return evidence_for(rule, happenings)


def said(text: str) -> Said:
    return Said("assistant", text)


def called(name: str, arguments: Any) -> CalledTool:
    return CalledTool(name, arguments, f"[tool_call: {name}(...)]")


@pytest.mark.parametrize(
    ("criterion", "text"),
    [
        ('says "hello there"', "well, HELLO   there!"),
        ('says "it\'s done"', "it\u2019s done"),
        ('says "fi"', "ﬁ"),
        ('says "no"', "no."),
        ('says "退款"', "我要退款了"),
        ('says "$5"', "that is $5"),
        (r"matches /A-\d+/", "it is A-17"),
        ("says 'a-b'", "a–b"),  # noqa: RUF001
    ],
)
def test_words_are_found_however_they_are_written(criterion: str, text: str) -> None:
    assert found(criterion, said(text)) is not None


@pytest.mark.parametrize(
    ("criterion", "text"),
    [
        ('says "no"', "I know"),
        ('says "refund"', "refundable"),
        ('says "a" and "b"', "a only"),
        ("matches /a/", "A"),
    ],
)
def test_words_are_not_found_inside_others(criterion: str, text: str) -> None:
    assert found(criterion, said(text)) is None


def test_only_the_right_speaker_counts() -> None:
    assert found('user says "hi"', said("hi")) is None
    assert found('says "hi"', Said("user", "hi")) is None
    assert found('says "hi"', Said("system", "hi")) is None


def test_evidence_is_a_passage_around_the_words() -> None:
    evidence = found('says "arrives tomorrow"', said("A-17 left the depot.\nIt arrives tomorrow."))

    assert evidence == ["A-17 left the depot. It arrives tomorrow."]


def test_evidence_from_a_long_message_is_short() -> None:
    evidence = found('says "needle"', said("hay " * 5_000 + "needle" + " hay" * 5_000))

    assert evidence is not None
    assert "needle" in evidence[0]
    assert len(evidence[0]) < 400


def test_there_is_evidence_for_each_text() -> None:
    assert found('says "a" and "b"', said("a!"), said("b!")) == ["a!", "b!"]


@pytest.mark.parametrize("criterion", ["matches /^x/", "matches /x$/"])
def test_only_the_ends_of_a_message_are_its_ends(criterion: str) -> None:
    assert found(criterion, said(" " + "x" * 100_000 + " ")) is None


@pytest.mark.timeout(10)
def test_an_expression_of_many_wildcards_is_searched_in_reasonable_time() -> None:
    assert found("matches /a.*b.*c/", said("a" * 20_000)) is None


def test_a_match_far_into_a_huge_message_is_found() -> None:
    assert found(r"matches /needle \d/", said("x " * 300_000 + "needle 7")) is not None


@pytest.mark.parametrize(
    ("criterion", "call"),
    [
        ("calls tool lookup", called("lookup", {})),
        ('calls `lookup` with {"id": 7}', called("lookup", {"id": 7, "more": 1})),
        ("calls `lookup` with id=7", called("lookup", {"id": "7"})),
        ('calls `lookup` with {"a": {"b": 1}}', called("lookup", {"a": {"b": 1, "c": 2}})),
        ('calls `lookup` with "A-17"', called("lookup", {"orders": ["A-17"]})),
        ('calls `lookup` with "cut"', called("lookup", '{"half": "cut')),
        ("calls a tool", called("anything", None)),
    ],
)
def test_a_call_that_is_meant_is_found(criterion: str, call: CalledTool) -> None:
    assert found(criterion, call) == [call.line]


@pytest.mark.parametrize(
    ("criterion", "call"),
    [
        ("calls tool lookup", called("lookup_all", {})),
        ('calls `lookup` with {"id": 7}', called("lookup", {"id": 8})),
        ("calls `lookup` with id=7", called("lookup", {"order": 7})),
        ("calls `lookup` with id=7", called("lookup", "not an object")),
        ('calls `lookup` with "A-1"', called("lookup", {"order": "A-17"})),
    ],
)
def test_another_call_is_not_taken_for_it(criterion: str, call: CalledTool) -> None:
    assert found(criterion, call) is None
