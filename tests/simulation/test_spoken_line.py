"""What is cut from a model's answer, and what is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.simulation.spoken_line import spoken_line

_LINE = "where is my parcel"


@pytest.mark.parametrize(
    "answer",
    [
        f"<think>I should complain.</think>{_LINE}",
        f"<think>\nI should complain.\n\nBriefly.\n</think>\n\n{_LINE}",
        f"<reasoning>hm</reasoning>\n<think>and</think>\n{_LINE}",
        f"{_LINE}\n<think>that should do",
        f"I should complain.\n</think>\n\n{_LINE}",
        f"The user is angry.</think>\n{_LINE}",
        f"<|channel|>analysis<|message|>Complain.<|end|><|start|>assistant<|channel|>final<|message|>{_LINE}<|return|>",
        f"{_LINE}<|im_end|>",
    ],
)
def test_reasoning_is_cut(answer: str) -> None:
    assert spoken_line(answer) == _LINE


@pytest.mark.parametrize("answer", ["<think>only thoughts</think>", "<think>never finished", "", "  \n", "<|end|>"])
def test_an_answer_without_a_line_is_empty(answer: str) -> None:
    assert spoken_line(answer) == ""


@pytest.mark.parametrize(
    "answer",
    [
        f"As the user, I would say: {_LINE}",
        f'As the user, I would say: "{_LINE}"',
        f"Here's the user's next message:\n\n{_LINE}",
        f"Sure! Here is a possible reply: {_LINE}",
        f"Here's my response as the user: {_LINE}",
        f"The user's next message: {_LINE}",
        f'The user says: "{_LINE}"',
        f"The user replies:\n{_LINE}",
    ],
)
def test_an_introduction_is_cut(answer: str) -> None:
    assert spoken_line(answer) == _LINE


@pytest.mark.parametrize("answer", [f"User: {_LINE}", f"**User:** {_LINE}", f"Human: {_LINE}", f"USER: User: {_LINE}"])
def test_the_speakers_name_is_cut(answer: str) -> None:
    assert spoken_line(answer) == _LINE


@pytest.mark.parametrize("answer", [f'"{_LINE}"', f"“{_LINE}”", f"„{_LINE}“", f"«{_LINE}»", f"「{_LINE}」"])
def test_quotation_marks_around_the_whole_are_cut(answer: str) -> None:
    assert spoken_line(answer) == _LINE


@pytest.mark.parametrize(
    "answer", [f"{_LINE}\nAssistant: It is on its way.\nUser: thanks", f"{_LINE}\n\n**Agent:** On its way."]
)
def test_the_other_sides_answer_is_cut(answer: str) -> None:
    assert spoken_line(answer) == _LINE


@pytest.mark.parametrize(
    "line",
    [
        "user: bob",
        'it says "not found" and "try again"',
        '"not found" is what it says',
        "what does <think>x</think> mean in your output",
        "why is there a </think> in your answer",
        "here is my message: error 404",
        "the user says: it crashes",
        "as the user i should be able to see my own data",
        "here's what i need: a refund",
        "ask the Agent: she knows",
        "if x < 3 and y > 4 what happens",
        "'tis late",
        "¿dónde está mi paquete?",
        "我的包裹在哪里",
        "line one\n\nline two",
    ],
)
def test_what_a_person_may_type_is_left_alone(line: str) -> None:
    assert spoken_line(line) == line


_PIECES = st.sampled_from(
    [
        "<think>",
        "</think>",
        "User: ",
        "Assistant: ",
        "\n",
        '"',
        "“",
        "”",
        "hi",
        " ",
        "As the user, I would say: ",
        "<|end|>",
    ]
)


@given(st.lists(st.one_of(_PIECES, st.text(max_size=5)), max_size=12).map("".join))
def test_a_line_is_cut_once_and_for_all(answer: str) -> None:
    line = spoken_line(answer)

    assert spoken_line(line) == line
    assert line == line.strip()


@given(st.lists(st.one_of(_PIECES, st.text(max_size=5)), max_size=12).map("".join))
def test_nothing_is_ever_added(answer: str) -> None:
    remaining = iter(answer)

    assert all(character in remaining for character in spoken_line(answer))
