"""Columns, and how many rows and cells a terminal takes for a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenario.events.screen_text import rows_of
from scenario.events.table import aligned, cells_of


# A busy machine makes an example slow now and then, and that says nothing about the code.
@settings(deadline=None)
@given(st.lists(st.lists(st.text("abc 你é", max_size=5), min_size=2, max_size=2), min_size=1, max_size=5))
def test_every_column_begins_at_the_same_cell(rows: list[list[str]]) -> None:
    widest = max(cells_of(first) for first, _ in rows)

    for text, (first, second) in zip(aligned(rows), rows, strict=True):
        padding = " " * (widest - cells_of(first))
        assert text == f"{first}{padding}  {second}".rstrip()


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("", 80, 1),
        ("x" * 79, 80, 1),
        ("x" * 80, 80, 1),
        ("x" * 81, 80, 2),
        ("x" * 160, 80, 2),
        ("你" * 40, 80, 1),
        ("你" * 41, 80, 2),
        ("\t" * 10, 80, 1),
        ("\t" * 11, 80, 2),
        ("xyz", 1, 3),
        ("xyz", 0, 3),
    ],
)
def test_a_text_takes_as_many_rows_as_a_terminal_gives_it(text: str, width: int, rows: int) -> None:
    assert rows_of(text, width) == rows
