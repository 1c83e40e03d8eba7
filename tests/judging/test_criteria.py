import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.errors import ConfigurationError
from scenario.judging.criteria import keyed_criteria
from scenario.judging.tools import finish_test

texts = st.text(max_size=100).filter(str.strip) | st.text("ab '_.", min_size=1, max_size=90).filter(str.strip)
distinct_criteria = st.lists(texts, max_size=12, unique_by=lambda text: " ".join(text.split()))


def keys(*criteria: str) -> list[str]:
    return [criterion.key for criterion in keyed_criteria(criteria)]


@pytest.mark.parametrize(
    ("criterion", "key"),
    [
        ("The agent is polite", "the_agent_is_polite"),
        ("Doesn't ask twice", "doesnt_ask_twice"),
        ("No e-mail, no SMS!", "no_e_mail__no_sms_"),
        ("x" * 100, "x" * 64),
        ("退款", "__"),
        ("'", "criterion_1"),
    ],
)
def test_a_key_is_the_criterion_in_small_letters_without_other_signs(criterion: str, key: str):
    assert keys(criterion) == [key]


def test_criteria_that_would_share_a_key_get_their_number():
    assert keys("已退款", "已道歉", "polite") == ["____1", "____2", "polite"]


def test_long_criteria_that_share_their_beginning_get_keys_of_the_longest_length():
    first, second = keys("a" * 80, "a" * 75)

    assert (first, second) == ("a" * 62 + "_1", "a" * 62 + "_2")


def test_a_number_never_makes_a_key_that_another_criterion_has():
    assert keys("a!", "a?", "a 2", "a  1") == ["a___1", "a__2", "a_2", "a__1"]


@given(distinct_criteria)
def test_keys_are_unique_and_may_stand_in_a_schema(criteria: list[str]):
    found = keys(*criteria)

    assert len(set(found)) == len(criteria)
    assert all(re.fullmatch(r"[a-zA-Z0-9_]{1,64}", key) for key in found)


@given(distinct_criteria)
def test_the_schema_asks_for_each_criterion_once_in_declared_order(criteria: list[str]):
    schema = finish_test(keyed_criteria(criteria)).parameters["properties"]["criteria"]

    assert schema["required"] == list(schema["properties"])
    assert [verdict["description"] for verdict in schema["properties"].values()] == [
        f"Criterion {number}: {text}" for number, text in enumerate(criteria, 1)
    ]


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ("be polite", "list of texts, not 'be polite'"),
        ({"a": 1}, "list of texts"),
        ([""], "criterion 1 is empty"),
        (["a", " \n"], "criterion 2 is empty"),
        (["a", None], "criterion 2 is not text but None"),
        (["a", 3], "criterion 2 is not text but 3"),
        (["a", "b", "a"], "criteria 1 and 3 are the same: 'a'"),
        (["be  polite", "be polite "], "criteria 1 and 2 are the same"),
    ],
)
def test_criteria_that_cannot_be_judged_are_refused(criteria: Any, message: str):
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        keyed_criteria(criteria)


def test_criteria_that_differ_in_case_are_two():
    assert keys("Says OK", "says ok") == ["says_ok_1", "says_ok_2"]
