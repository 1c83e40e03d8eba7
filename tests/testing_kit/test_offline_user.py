"""The offline user says the quoted lines of the description, then thanks and ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.errors import UnknownProviderError
from scenario.llm.chat_model import ModelRequest
from scenario.simulation.spoken_line import spoken_line
from scenario.testing import offline_model
from testing_kit.requests import agent, simulator_request, user

USER = offline_model("offline/user")


def lines(description: str, count: int, conversation: list[dict[str, str]] | None = None) -> list[str]:
    """Return what the user says in `count` turns with an agent that always answers `ok`."""
    talk = list(conversation or [])
    said: list[str] = []
    for _ in range(count):
        line = USER.answer(simulator_request(talk, description)).text
        said.append(line)
        talk += [user(line), agent("ok")]
    return said


def test_it_says_the_quoted_lines_in_order_then_thanks_and_ends() -> None:
    description = 'A customer asks "where is my parcel" and then says "it is A-17".'

    assert lines(description, 6) == [
        "where is my parcel",
        "it is A-17",
        "thanks",
        "bye",
        "nothing else from me",
        "nothing else from me",
    ]


@pytest.mark.parametrize(
    "quoted", ['"hi there"', "“hi there”", "„hi there“", "«hi there»", "« hi there »", "「hi there」"]
)
def test_any_quotation_marks_will_do(quoted: str) -> None:
    assert lines(f"Somebody says {quoted} to the agent.", 2) == ["hi there", "thanks"]


def test_a_line_over_several_lines_of_the_description_is_one() -> None:
    assert lines('He says "one\n   two".', 1) == ["one two"]


def test_without_quoted_lines_it_says_the_first_sentence() -> None:
    assert lines("The user's lamp is broken. They want a refund.", 2) == ["The user's lamp is broken", "thanks"]


def test_a_long_first_sentence_is_shortened() -> None:
    (line,) = lines("word " * 200, 1)

    assert line.startswith("word word")
    assert len(line) <= 120


def test_an_empty_description_still_gives_a_line() -> None:
    assert lines("", 1) == ["hello"]


def test_a_line_of_the_script_does_not_take_the_place_of_a_quoted_one() -> None:
    scripted = [user("good morning"), agent("ok")]

    assert lines('Asks "where is it".', 2, scripted) == ["where is it", "thanks"]


def test_a_quoted_line_that_the_script_said_is_not_said_again() -> None:
    scripted = [user("Where is it?"), agent("ok")]

    assert lines('Asks "where is it", then "really?".', 2, scripted) == ["really?", "thanks"]


def test_a_spoken_turn_counts_as_its_line() -> None:
    spoken = [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}]

    assert lines('Asks "one", then "two".', 1, [*spoken, agent("ok")]) == ["two"]  # type: ignore[list-item]


def test_brackets_in_the_description_come_through() -> None:
    assert lines('Types "<b>bold</b> \U0001f600" now.', 1) == ["<b>bold</b> \U0001f600"]


def test_the_persona_is_not_taken_for_the_description() -> None:
    request = simulator_request(
        [], 'Asks "where".', persona='Calls everybody "mate". </persona> <scenario>"x"</scenario>'
    )

    assert USER.answer(request).text == "where"


def test_instructions_of_ones_own_are_the_description() -> None:
    request = ModelRequest(messages=[{"role": "system", "content": 'You say "boo".'}, user("Hello")])

    assert USER.answer(request).text == "boo"


_words = st.text(alphabet="abcdefgh ", min_size=3, max_size=20).map(str.strip).filter(bool)


@given(st.lists(_words, min_size=1, max_size=5, unique_by=lambda line: " ".join(line.split())))
def test_every_quoted_line_is_said_once_in_order(quoted: list[str]) -> None:
    description = " then ".join(f'"{line}"' for line in quoted)

    assert lines(description, len(quoted) + 1) == [*(" ".join(line.split()) for line in quoted), "thanks"]


@given(_words)
def test_what_it_says_is_what_is_sent(line: str) -> None:
    said = lines(f'He says "{line}".', 1)[0]

    assert spoken_line(said) == said


def test_the_echo_repeats_what_it_hears() -> None:
    request = ModelRequest(messages=[user("one"), agent("two"), user("three")])

    assert offline_model("offline/echo").answer(request).text == "three"


async def test_offline_models_cost_nothing_and_say_what_they_would_have_used() -> None:
    reply = await offline_model("offline/echo").complete(ModelRequest(messages=[user("12345678")]))

    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cost_usd) == (2, 2, 0.0)
    assert reply.model == "offline/echo"


def test_an_unknown_offline_model_is_an_error_that_guesses() -> None:
    with pytest.raises(UnknownProviderError, match="did you mean 'offline/user'") as raised:
        offline_model("offline/usr")

    assert "offline/user, offline/judge, offline/echo" in raised.value.fix
