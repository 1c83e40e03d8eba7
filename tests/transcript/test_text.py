from typing import Any

import pytest

from scenario.transcript import message_text

CALL = {"id": "c1", "type": "function", "function": {"name": "book", "arguments": '{"città": "Rome"}'}}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"role": "user", "content": "hello"}, "hello"),
        ({"role": "user", "content": "a\nb"}, "a\nb"),
        ({"role": "user", "content": None}, ""),
        ({"role": "user"}, ""),
        ({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "a\nb"),
        ({"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "b"}]}, "b"),
        ({"role": "user", "content": ["a", {"type": "image_url"}]}, 'a\n{"type": "image_url"}'),
        ({"role": "tool", "content": {"température": 3}}, '{"température": 3}'),
        ({"role": "assistant", "tool_calls": None, "content": "x"}, "x"),
    ],
)
def test_the_text_of_a_message(message: dict[str, Any], text: str):
    assert message_text(message) == text


def test_tool_calls_follow_the_content_as_json():
    text = message_text({"role": "assistant", "content": "One moment.", "tool_calls": [CALL]})

    assert text == (
        "One moment.\n"
        '{"id": "c1", "type": "function", "function": {"name": "book", "arguments": "{\\"città\\": \\"Rome\\"}"}}'
    )
