"""Identifiers."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario import ids


@pytest.mark.parametrize(
    ("make", "prefix"),
    [
        (ids.generate_thread_id, "scenariothread"),
        (ids.generate_scenario_run_id, "scenariorun"),
        (ids.generate_scenario_id, "scenario"),
        (ids.generate_message_id, "scenariomsg"),
        (ids.get_batch_run_id, "scenariobatch"),
    ],
)
def test_an_id_is_a_prefix_and_a_ksuid(make: Callable[[], str], prefix: str) -> None:
    assert re.fullmatch(rf"{prefix}_[0-9A-Za-z]{{27}}", make())
    assert ids.safe_parse_ksuid(make())


def test_ids_of_one_second_differ() -> None:
    assert len({ids.generate_message_id() for _ in range(1000)}) == 1000


def test_all_runs_of_a_process_share_a_batch() -> None:
    assert ids.get_batch_run_id() == ids.get_or_create_batch_run_id()


def test_the_environment_may_name_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_BATCH_RUN_ID", "nightly 7")

    assert ids.get_batch_run_id() == "nightly 7"


@given(st.text(max_size=40))
def test_parsing_any_text_gives_an_answer(text: str) -> None:
    parsed = ids.safe_parse_ksuid(text)

    body = text.rpartition("_")[2]
    assert not parsed or (len(body) == 27 and body.isalnum() and body.isascii())


def test_a_number_too_large_for_a_ksuid_is_none() -> None:
    assert not ids.safe_parse_ksuid("scenario_" + "z" * 27)
