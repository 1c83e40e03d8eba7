"""Text from elsewhere cannot do anything to a terminal but be read."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.events.visible_text import encodable, shortened, visible, visible_line

_ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(_ANY_TEXT)
def test_no_control_character_is_left_but_tab_and_line_feed(text: str) -> None:
    left = {character for character in visible(text) if unicodedata.category(character) in {"Cc", "Cs"}}

    assert left <= {"\t", "\n"}


@given(_ANY_TEXT)
def test_no_control_of_writing_direction_is_left(text: str) -> None:
    controls = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}

    assert not {unicodedata.bidirectional(character) for character in visible(text)} & controls


@given(_ANY_TEXT)
def test_what_was_made_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(_ANY_TEXT)
def test_one_line_stays_one_line(text: str) -> None:
    assert len(visible_line(text).splitlines() or [""]) == 1


@given(_ANY_TEXT, st.sampled_from(["ascii", "latin-1", "cp1252", "utf-8", "utf-16", "no-such-encoding"]))
def test_whatever_is_shown_can_be_encoded(text: str, encoding: str) -> None:
    encodable(visible(text), encoding).encode("ascii" if encoding == "no-such-encoding" else encoding)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Grüße, 你好, שלום, 👩‍💻", "Grüße, 你好, שלום, 👩‍💻"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("\x9b31m", r"\x9b31m"),
        ("one\r\ntwo\rthree", "one\ntwo\\rthree".replace("\\r", "\\x0d")),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("a\u2028b", r"a\u2028b"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("\ud800", r"\ud800"),
    ],
)
def test_text_is_shown_as(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    assert shortened("x" * 12_345, 3) == "xxx ... (12,345 characters in all)"
    assert shortened("xyz", 3) == "xyz"
