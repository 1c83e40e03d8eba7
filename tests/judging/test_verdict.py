import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.judging.criteria import keyed_criteria
from scenario.judging.verdict import NO_REASONING, Unreadable, Verdict, read_verdict, verdict_in_text

CRITERIA = keyed_criteria(["is polite", "asks for the number"])
NO_VERDICT = "The judge returned no verdict for this criterion."


def judged(status: str, **more: Any) -> dict[str, Any]:
    return {"requirement": "r", "reasoning": "because", "evidence": [], "status": status, **more}


def arguments(criteria: Any, **more: Any) -> str:
    return json.dumps({"criteria": criteria, "reasoning": "all in all", **more})


def read(text: str) -> Verdict:
    verdict = read_verdict(text, CRITERIA)
    assert isinstance(verdict, Verdict)
    return verdict


def statuses(verdict: Verdict) -> list[str]:
    return [ruling.status for ruling in verdict.rulings]


def test_verdicts_are_matched_by_key_whatever_their_order():
    verdict = read(arguments({"asks_for_the_number": judged("failed"), "is_polite": judged("passed")}))

    assert [(ruling.criterion.text, ruling.status) for ruling in verdict.rulings] == [
        ("is polite", "passed"),
        ("asks for the number", "failed"),
    ]
    assert verdict.fault == ""
    assert verdict.reasoning == "all in all"


def test_a_criterion_left_out_has_failed_and_takes_no_other_verdict_with_it():
    verdict = read(arguments({"asks_for_the_number": judged("passed")}))

    assert statuses(verdict) == ["failed", "passed"]
    assert verdict.rulings[0].reasoning == NO_VERDICT
    assert "`is_polite`" in verdict.fault


def test_what_the_judge_says_about_a_criterion_is_kept():
    ruling = read(arguments({"is_polite": judged("passed", evidence=["thank you"])})).rulings[0]

    assert (ruling.requirement, ruling.reasoning, ruling.quotes) == ("r", "because", ("thank you",))


@pytest.mark.parametrize("text", ["", "passed", "{", "{'criteria': 1}", "[" * 100_000, "1" * 10_000 + "}"])
def test_arguments_that_are_not_json_are_unreadable(text: str):
    assert isinstance(read_verdict(text, CRITERIA), Unreadable)


@pytest.mark.parametrize("value", ["[]", "null", "3", "true", '"[]"'])
def test_arguments_that_are_no_object_judge_nothing(value: str):
    verdict = read(value)

    assert statuses(verdict) == ["failed", "failed"]
    assert [ruling.reasoning for ruling in verdict.rulings] == [NO_VERDICT, NO_VERDICT]
    assert verdict.fault


def test_without_criteria_in_the_answer_every_criterion_has_failed():
    verdict = read('{"reasoning": "fine"}')

    assert statuses(verdict) == ["failed", "failed"]
    assert {ruling.reasoning for ruling in verdict.rulings} == {NO_VERDICT}
    assert verdict.reasoning == "fine"


def test_criteria_as_json_text_are_read():
    verdict = read(arguments(json.dumps({"is_polite": judged("passed"), "asks_for_the_number": judged("passed")})))

    assert statuses(verdict) == ["passed", "passed"]


@pytest.mark.parametrize("criteria", [[], None, 7, True, "no json", '"twice"', "[]"])
def test_criteria_that_are_no_object_fail_all_and_say_so(criteria: Any):
    verdict = read(arguments(criteria))

    assert statuses(verdict) == ["failed", "failed"]
    assert "could not parse" in verdict.reasoning
    assert "could not parse" in verdict.rulings[0].reasoning
    assert verdict.fault


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (judged("passed"), "passed"),
        (judged("failed"), "failed"),
        (judged("inconclusive"), "inconclusive"),
        (judged("PASSED"), "passed"),
        (judged(" Inconclusive "), "inconclusive"),
        ("passed", "passed"),
        ("FAILED", "failed"),
        ("inconclusive", "inconclusive"),
        ("true", "passed"),
        ("false", "failed"),
        (True, "passed"),
        (False, "failed"),
    ],
)
def test_a_status_is_understood_in_any_case_and_as_a_bare_word(answer: Any, status: str):
    verdict = read(arguments({"is_polite": answer, "asks_for_the_number": "passed"}))

    assert statuses(verdict)[0] == status
    assert verdict.fault == ""


@pytest.mark.parametrize(
    "answer",
    [judged("maybe"), judged("true"), {"reasoning": "x"}, {"status": True}, {"status": None}, "yes", 1, None, [], ""],
)
def test_any_other_status_counts_as_none(answer: Any):
    verdict = read(arguments({"is_polite": answer, "asks_for_the_number": "passed"}))

    assert statuses(verdict) == ["failed", "passed"]
    assert verdict.missing == 1


def test_keys_nobody_asked_for_are_ignored():
    verdict = read(
        arguments({"is_polite": "passed", "asks_for_the_number": "passed", "extra": "failed"}, verdict="failure")
    )

    assert statuses(verdict) == ["passed", "passed"]


@pytest.mark.parametrize("reasoning", [None, "", "  ", 3])
def test_without_a_summary_the_verdict_says_that_there_is_none(reasoning: Any):
    assert read(json.dumps({"criteria": {}, "reasoning": reasoning})).reasoning == NO_REASONING


@pytest.mark.parametrize(
    ("evidence", "quotes"),
    [
        (["a", "b"], ("a", "b")),
        ("a", ("a",)),
        ([{"quote": "a"}, {"text": "b"}], ("a",)),
        (["", "  ", None, 3], ()),
        (None, ()),
        ({"quote": "a"}, ("a",)),
    ],
)
def test_quotes_are_read_from_whatever_shape_they_come_in(evidence: Any, quotes: tuple[str, ...]):
    assert read(arguments({"is_polite": judged("passed", evidence=evidence)})).rulings[0].quotes == quotes


def test_arguments_in_a_code_block_or_encoded_twice_are_read():
    plain = arguments({"is_polite": "passed", "asks_for_the_number": "passed"})

    assert read(f"```json\n{plain}\n```") == read(plain) == read(json.dumps(plain))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_verdict_in_plain_text_is_found(wrapped: bool):
    verdict: Any = {"criteria": {"is_polite": "passed", "asks_for_the_number": "failed"}, "reasoning": "so"}
    if wrapped:
        verdict = {"name": "finish_test", "arguments": verdict}

    found = verdict_in_text(f"```json\n{json.dumps(verdict)}\n```\n", CRITERIA)

    assert found is not None
    assert statuses(found) == ["passed", "failed"]


def test_line_breaks_written_into_a_string_as_they_are_do_no_harm():
    text = '{"criteria": {"is_polite": "passed", "asks_for_the_number": "passed"}, "reasoning": "one\ntwo"}'

    assert read(text).reasoning == "one\ntwo"


def test_a_verdict_that_plain_text_talks_about_is_none():
    quoted = json.dumps({"criteria": {"is_polite": "passed", "asks_for_the_number": "passed"}})

    assert verdict_in_text(f"The user pretends that you said {quoted}.", CRITERIA) is None


@pytest.mark.parametrize("text", ["", "all criteria passed", '{"is_polite": "passed"}', '{"criteria": []}', "{}{}"])
def test_other_plain_text_holds_no_verdict(text: str):
    assert verdict_in_text(text, CRITERIA) is None


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(["passed", "[]"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "criteria",
                    "reasoning",
                    "status",
                    "evidence",
                    "requirement",
                    "is_polite",
                    "asks_for_the_number",
                    "quote",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(json_values.filter(lambda value: not isinstance(value, str)))
def test_any_json_is_read_without_an_error_and_judges_every_criterion_once(value: Any):
    verdict = read(json.dumps(value))

    assert [ruling.criterion for ruling in verdict.rulings] == list(CRITERIA)
    assert bool(verdict.fault) == bool(verdict.missing)


@given(st.text())
def test_any_text_is_read_without_an_error(text: str):
    read_verdict(text, CRITERIA)
    verdict_in_text(text, CRITERIA)
