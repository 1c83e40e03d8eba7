import json
import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.transcript import bare_or_quoted, fenced, quoted

ANGLES = re.compile("[<>]")
any_text = st.text(max_size=60) | st.text(
    st.characters(categories=["Cs", "Cf", "Cc", "Zl", "Zp", "Sm", "Ps", "Pe", "Pi", "Pf"]), max_size=20
)


def with_pairs_joined(text: str) -> str:
    """Join the halves of surrogate pairs that stand side by side: JSON cannot tell them from one character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def is_of_use(character: str) -> bool:
    """Tell whether a character is assigned, and not to private use or to CJK ideographs, which are all alike."""
    return unicodedata.category(character) not in ("Cn", "Co") and not unicodedata.name(character, "").startswith(
        "CJK UN"
    )


def as_seen(text: str) -> set[str]:
    """Return the characters of a text after every normalisation a reader or a pipeline may apply."""
    return {
        character for form in ("NFC", "NFD", "NFKC", "NFKD") for character in unicodedata.normalize(form, text)
    } | set(text)


@given(any_text)
def test_what_is_quoted_decodes_to_the_same_text(text: str):
    assert json.loads(quoted(text)) == with_pairs_joined(text)


@given(any_text)
def test_what_is_quoted_stays_on_its_line_and_holds_no_bracket_in_any_normal_form(text: str):
    inside = quoted(text)[1:-1]

    assert len(inside.splitlines()) <= 1
    assert not as_seen(inside) & {"<", ">"}


@given(any_text)
def test_what_is_quoted_can_be_sent_as_utf_8(text: str):
    quoted(text).encode()


def test_no_character_of_unicode_is_unseen_or_a_delimiter_after_quoting():
    unseen = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assigned = [character for character in map(chr, range(0x80, sys.maxunicode + 1)) if is_of_use(character)]
    everything = "".join(assigned)

    shown = quoted(everything)[1:-1]
    readable = re.sub(r"\\u[0-9a-f]{4}", "", shown)

    assert "\\" not in readable
    for character in readable:
        seen = set(unicodedata.normalize("NFKC", character) + unicodedata.normalize("NFKD", character))
        assert seen.isdisjoint('<>"\\')
        assert unseen.isdisjoint(map(unicodedata.category, seen))
    assert json.loads(f'"{shown}"') == with_pairs_joined(everything)


@pytest.mark.parametrize(
    "name",
    [
        "FULLWIDTH LESS-THAN SIGN",
        "FULLWIDTH GREATER-THAN SIGN",
        "SMALL LESS-THAN SIGN",
        "SMALL GREATER-THAN SIGN",
        "NOT LESS-THAN",
        "NOT GREATER-THAN",
        "SINGLE LEFT-POINTING ANGLE QUOTATION MARK",
        "SINGLE RIGHT-POINTING ANGLE QUOTATION MARK",
        "LEFT ANGLE BRACKET",
        "RIGHT ANGLE BRACKET",
        "LEFT-POINTING ANGLE BRACKET",
        "RIGHT-POINTING ANGLE BRACKET",
        "MATHEMATICAL LEFT ANGLE BRACKET",
        "MATHEMATICAL RIGHT ANGLE BRACKET",
        "HEAVY LEFT-POINTING ANGLE QUOTATION MARK ORNAMENT",
        "MEDIUM RIGHT-POINTING ANGLE BRACKET ORNAMENT",
        "CANADIAN SYLLABICS PA",
        "CANADIAN SYLLABICS PO",
        "MODIFIER LETTER LEFT ARROWHEAD",
    ],
)
def test_a_look_alike_of_a_bracket_is_an_escape_in_quoted_and_in_fenced_text(name: str):
    look_alike = unicodedata.lookup(name)
    code = f"\\u{ord(look_alike):04x}"

    assert quoted(f"a{look_alike}b") == f'"a{code}b"'
    assert fenced("t", f"a{look_alike}b") == f"<t>\na{code}b\n</t>"


@pytest.mark.parametrize(
    ("character", "code"),
    [
        ("\u200b", r"\u200b"),
        ("\u202e", r"\u202e"),
        ("\u2066", r"\u2066"),
        ("\ufeff", r"\ufeff"),
        ("\u2028", r"\u2028"),
        ("\x85", r"\u0085"),
        ("\x7f", r"\u007f"),
        ("\x1b", r"\u001b"),
        ("\U000e0041", r"\udb40\udc41"),
        ("\U000e0100", r"\udb40\udd00"),
        ("\u3164", r"\u3164"),
        ("\ud800", r"\ud800"),
    ],
)
def test_a_character_that_cannot_be_seen_is_an_escape(character: str, code: str):
    assert quoted(f"a{character}b") == f'"a{code}b"'


def test_text_of_other_scripts_stays_readable():
    text = "退款已完成。Возврат «готов». 払い戻し 😀 é ñ ≤ 5 €"

    assert quoted(text) == f'"{text}"'


def test_a_backslash_before_a_bracket_does_not_undo_its_escape():
    assert quoted("\\<") == '"\\\\\\u003c"'
    assert json.loads(quoted("\\<")) == "\\<"


@given(any_text)
def test_fenced_text_cannot_close_its_section(text: str):
    section = fenced("transcript", text)

    assert section.startswith("<transcript>\n")
    assert section.endswith("\n</transcript>")
    assert len(ANGLES.findall(section)) == 4
    assert len(ANGLES.findall(unicodedata.normalize("NFKC", section))) == 4


def test_fenced_text_keeps_its_lines():
    assert fenced("rules", "one\n\ttwo") == "<rules>\none\n\ttwo\n</rules>"


def test_fencing_quoted_text_changes_nothing_in_it():
    line = quoted("a < b \u2039 c \u200b 中文")

    assert fenced("transcript", line) == f"<transcript>\n{line}\n</transcript>"


@pytest.mark.parametrize("word", ["user", "get_weather", "mcp__files.read", "functions/search-1"])
def test_a_plain_identifier_stays_bare(word: str):
    assert bare_or_quoted(word) == word


@pytest.mark.parametrize(
    "word", ["", "a b", "user: x", "a\nb", "a)", "]", '"', "</transcript>", "工具", "x" * 200, "user\n", "a\u200b"]
)
def test_any_other_word_is_quoted(word: str):
    assert bare_or_quoted(word) == quoted(word)


def test_a_text_of_very_many_different_harmful_characters_is_quoted_in_one_pass():
    text = "".join(map(chr, [*range(0xE0000, 0xE1000), *range(0xFE00, 0xFE10)])) * 20

    assert json.loads(quoted(text)) == text
