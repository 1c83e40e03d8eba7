"""The format of `.env` files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.settings.dotenv import DotenvError, parse_dotenv

NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,20}\Z")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=60)


def values(text: str, environment: dict[str, str] | None = None) -> dict[str, str]:
    return {name: each.value for name, each in parse_dotenv(text, environment or {}).items()}


def read_or_refused(text: str) -> tuple[dict[str, str], int]:
    try:
        return values(text), 1
    except DotenvError as error:
        return {}, error.line


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("  A = 1  ", "1"),
        ("export A=1", "1"),
        ("A=", ""),
        ("A=a b c", "a b c"),
        ("A=a#b", "a#b"),
        ("A=a #b", "a"),
        ("A= # nothing", ""),
        ("A=#nothing", ""),
        ("A=sk-proj_abc==", "sk-proj_abc=="),
        ("A=it's", "it's"),
        ("A='a # b'", "a # b"),
        ("A='a' # b", "a"),
        ('A="a # b"  # c', "a # b"),
        ("A='$B ${B} \\n'", "$B ${B} \\n"),
        ("A='it\\'s \\\\'", "it's \\"),
        ('A="two\\nlines\\t\\"\\\\ \\$ \\x"', 'two\nlines\t"\\ $ \\x'),
        ('A="two\nlines"', "two\nlines"),
        ("A='two\nlines'", "two\nlines"),
        ("A=çäß 你好", "çäß 你好"),
    ],
)
def test_a_value_is_read(line: str, value: str) -> None:
    assert values(line) == {"A": value}
    assert values(f"X=0\n{line}\nY=2") == {"X": "0", "A": value, "Y": "2"}


def test_comments_and_blank_lines_say_nothing() -> None:
    assert values("\n# A=1\n   \n\t# B=2\n\nC=3\n\n#") == {"C": "3"}


def test_an_empty_file_has_no_variables() -> None:
    assert values("") == values("\n\n") == values("# nothing") == {}


def test_line_ends_of_any_system_are_line_ends() -> None:
    assert values("A=1\r\nB=2\rC=3") == {"A": "1", "B": "2", "C": "3"}


def test_the_later_of_two_counts() -> None:
    assert values("A=1\nA=2") == {"A": "2"}


def test_exporting_what_is_there_already_says_nothing() -> None:
    assert values("A=1\nexport A\nB=2") == {"A": "1", "B": "2"}


def test_a_reference_is_to_the_environment_else_to_a_line_above_else_to_its_default() -> None:
    text = 'HERE=above\nA=${HERE}\nB="${THERE}/b"\nC=${NOWHERE}\nD=${NOWHERE:-else}\nE=$HERE'

    assert values(text, {"THERE": "outside", "HERE": "outside"}) == {
        "HERE": "above",
        "A": "outside",
        "B": "outside/b",
        "C": "",
        "D": "else",
        "E": "$HERE",
    }


def test_each_variable_knows_its_line() -> None:
    found = parse_dotenv('A=1\n\n# c\nB="two\nlines"\nC=3', {})

    assert {name: each.line for name, each in found.items()} == {"A": 1, "B": 4, "C": 6}


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("A=1\nB", 2, "no = after 'B'"),
        ("A=1\n\nB C=2", 3, "no = after 'B'"),
        ("=1", 1, "does not begin with the name"),
        ("A=1\n'B'=2", 2, "does not begin with the name"),
        ("A=1\nB='open\nC=3\n", 2, "the quote ' that begins the value has no end"),
        ('A="open', 1, 'the quote " that begins the value has no end'),
        ("A='two\nlines' three", 2, "something follows the closing '"),
        ('A="1"2', 1, 'something follows the closing "'),
        ("A=a\0b", 1, "NUL"),
        ("export A B", 1, "no = after 'A'"),
    ],
)
def test_a_broken_line_is_named(text: str, line: int, what: str) -> None:
    with pytest.raises(DotenvError) as raised:
        parse_dotenv(text, {})

    assert raised.value.line == line
    assert what in raised.value.what


@given(st.dictionaries(NAMES, TEXTS, max_size=6))
def test_what_is_written_in_double_quotes_is_read_again(variables: dict[str, str]) -> None:
    def quoted(value: str) -> str:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n")
        return f'"{escaped}"'

    text = "\n".join(f"{name}={quoted(value)}" for name, value in variables.items())

    assert values(text) == variables


@given(st.dictionaries(NAMES, TEXTS, max_size=6))
def test_what_is_written_in_single_quotes_is_read_again(variables: dict[str, str]) -> None:
    def quoted(value: str) -> str:
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    text = "\n".join(f"export {name}={quoted(value)} # {name}" for name, value in variables.items())

    assert values(text) == variables


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_line_of_it(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1

    found, line = read_or_refused(text)

    assert 1 <= line <= lines
    assert all(name and "=" not in name and "\0" not in name + value for name, value in found.items())


def test_a_long_file_is_read_in_no_time() -> None:
    text = "\n".join(f'NAME_{number}="{"x" * 100}" # comment' for number in range(2_000))

    assert len(values(text)) == 2_000
    with pytest.raises(DotenvError):
        values('A="' + "\\a" * 20_000)
