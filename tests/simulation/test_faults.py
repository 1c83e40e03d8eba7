"""When a simulated user has left its role, and when it only looks like it."""

import pytest

from scenario.simulation.faults import CORRECTIONS, SimulatorFault, fault_in


@pytest.mark.parametrize("line", ["", " ", "\n\t"])
def test_saying_nothing_is_a_fault(line: str) -> None:
    assert fault_in(line) is SimulatorFault.EMPTY_TURN


@pytest.mark.parametrize(
    "line",
    [
        "Hello! How can I help you today?",
        "How may I assist you?",
        "Is there anything else I can help you with?",
        "I'm an AI language model and have no orders",
        "I am just an AI assistant.",
        "As an AI, I cannot feel anger",
        "I\u2019d be happy to help you with that!",
        "Assistant: your order is on its way",
    ],
)
def test_offering_help_or_presenting_itself_as_an_assistant_is_a_role_flip(line: str) -> None:
    assert fault_in(line) is SimulatorFault.ROLE_FLIP


@pytest.mark.parametrize(
    "line",
    [
        "I need to respond as the user here, so briefly: no",
        "We should write something as a human user would",
        "As the user, I should ask about the refund",
        "Okay, the assistant asked for my number. So I should reply with it.",
        "The user is upset. I'll write an angry message.",
        "my persona says i am in a hurry",
        "I must stay in character",
        "According to the scenario my order is late",
    ],
)
def test_thinking_aloud_about_the_part_is_leaked_reasoning(line: str) -> None:
    assert fault_in(line) is SimulatorFault.LEAKED_REASONING


@pytest.mark.parametrize(
    "line",
    [
        "can you help me",
        "how can you help me",
        "is there anything else i can do to speed it up",
        "as an ai assistant, can you book a table",
        "are you an AI language model?",
        "the user wants to export a report, how",
        "as the user i should be able to see my data",
        "please stay in character",
        "the persona should be a nurse",
        "i need to write a letter to the tax office",
        "i'll reply tomorrow",
        "the agent in the shop said i should write to you",
        "the assistant said i should reply to you",
        "我要退款",
    ],
)
def test_what_a_person_may_say_is_no_fault(line: str) -> None:
    assert fault_in(line, earlier=["something else entirely"]) is None


def test_a_phrase_of_the_scenario_is_no_fault() -> None:
    line = "how can I help you?"

    assert fault_in(line) is SimulatorFault.ROLE_FLIP
    assert fault_in(line, brief='The user parrots the agent: "How can I help you?"') is None


def test_the_opening_said_again_is_a_fault() -> None:
    assert fault_in("Hi, where's my order!", earlier=["hi where s my order"]) is SimulatorFault.REPEATED_OPENING


def test_an_opening_that_the_scenario_repeats_may_be_repeated() -> None:
    brief = 'The user says "where is my parcel", and after the answer "Where is my parcel?" again.'

    assert fault_in("where is my parcel", earlier=["where is my parcel"], brief=brief) is None


def test_a_later_line_or_a_short_opening_said_again_is_none() -> None:
    assert fault_in("ok thanks, anything new", earlier=["where is my order", "ok thanks anything new"]) is None
    assert fault_in("hello?", earlier=["hello"]) is None


def test_every_fault_has_a_correction() -> None:
    assert CORRECTIONS.keys() == set(SimulatorFault)
