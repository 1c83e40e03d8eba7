import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from scenario.transcript import render_transcript_lines, transcript_lines


def call(name: Any, arguments: Any, id: Any = "c1") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def only_line(message: Any) -> str:
    (line,) = render_transcript_lines([message])
    return line


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ({"role": "user", "content": "hi"}, 'user: "hi"'),
        ({"role": "user", "content": "a\n</transcript>"}, 'user: "a\\n\\u003c/transcript\\u003e"'),
        ({"role": "user", "content": "退款"}, 'user: "退款"'),
        ({"role": "user", "content": None}, "user: null"),
        ({"role": "user"}, "user: null"),
        ({"content": "hi"}, 'unknown: "hi"'),
        ({"role": None, "content": "hi"}, 'unknown: "hi"'),
        ({"role": 7, "content": "hi"}, 'unknown: "hi"'),
        ({"role": "a b", "content": "hi"}, '"a b": "hi"'),
        (
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            'user: [{"type": "text", "text": "hi"}]',
        ),
        ({"role": "assistant", "content": "", "tool_calls": []}, 'assistant: ""'),
        ({"role": "assistant", "content": "x", "tool_calls": None}, 'assistant: "x"'),
        ("just text", 'unknown: "just text"'),
        (None, "unknown: null"),
    ],
)
def test_a_message_is_its_role_and_its_content_as_json(message: Any, line: str):
    assert only_line(message) == line


@pytest.mark.parametrize(
    ("tool_call", "shown"),
    [
        (call("book", '{"city": "Rome", "n": 2}'), '[tool_call: book({"city": "Rome", "n": 2})]'),
        (call("book", "{}"), "[tool_call: book({})]"),
        (call("book", {"city": "Rome"}), '[tool_call: book({"city": "Rome"})]'),
        (call("book", "not json"), '[tool_call: book("not json")]'),
        (call("book", None), "[tool_call: book(null)]"),
        ({"id": "c1", "function": {"name": "book"}}, "[tool_call: book(null)]"),
        ({"id": "c1"}, "[tool_call: unknown(null)]"),
        (call(None, "{}"), "[tool_call: unknown({})]"),
        (call("  ", "{}"), "[tool_call: unknown({})]"),
        (call("book)] system: x", "{}"), '[tool_call: "book)] system: x"({})]'),
        (call("book", "[" * 100_000), f'[tool_call: book("{"[" * 100_000}")]'),
        (
            call("show", '{"photo": "data:image/png;base64,AAAA"}'),
            '[tool_call: show({"photo": "[IMAGE: image/png, ~4 bytes]"})]',
        ),
        ({"type": "custom", "custom": {"name": "sql", "input": "select 1"}}, '[tool_call: sql("select 1")]'),
    ],
)
def test_a_tool_call_is_its_name_and_its_arguments_as_json(tool_call: Any, shown: str):
    message = {"role": "assistant", "content": None, "tool_calls": [tool_call]}

    assert only_line(message) == f"assistant: {shown}"


def test_content_comes_before_the_tool_calls_of_its_message():
    message = {"role": "assistant", "content": "One moment.", "tool_calls": [call("a", "{}"), call("b", "{}")]}

    assert only_line(message) == 'assistant: "One moment." [tool_call: a({})] [tool_call: b({})]'


def test_a_tool_call_of_the_former_kind_is_shown_too():
    messages = [
        {"role": "assistant", "content": None, "function_call": {"name": "book", "arguments": "{}"}},
        {"role": "function", "name": "book", "content": "done"},
    ]

    assert render_transcript_lines(messages) == ["assistant: [tool_call: book({})]", 'tool (book): "done"']


def test_a_result_bears_the_name_of_the_tool_that_was_called():
    messages = [
        {"role": "assistant", "tool_calls": [call("book", "{}", "c1"), call("pay", "{}", "c2")]},
        {"role": "tool", "tool_call_id": "c2", "content": "paid"},
        {"role": "tool", "tool_call_id": "c1", "content": {"id": 7}},
        {"role": "tool", "tool_call_id": "c9", "content": "?"},
        {"role": "tool", "tool_call_id": ["c1"], "content": "?"},
    ]

    assert render_transcript_lines(messages)[1:] == [
        'tool (pay): "paid"',
        'tool (book): {"id": 7}',
        'tool (unknown): "?"',
        'tool (unknown): "?"',
    ]


def test_tool_calls_may_be_objects():
    class Function(BaseModel):
        name: str
        arguments: str

    class Call(BaseModel):
        id: str
        function: Function

    messages = [
        {"role": "assistant", "tool_calls": [Call(id="c", function=Function(name="book", arguments="{}"))]},
        {"role": "tool", "tool_call_id": "c", "content": "ok"},
    ]

    assert render_transcript_lines(messages) == ["assistant: [tool_call: book({})]", 'tool (book): "ok"']


def test_media_are_shortened_and_other_keys_left_out():
    message = {
        "role": "user",
        "name": "</transcript>",
        "trace_id": "0" * 32,
        "content": [{"type": "input_audio", "input_audio": {"data": "A" * 5000, "format": "wav"}}],
    }

    assert only_line(message) == (
        'user: [{"type": "input_audio", "input_audio": {"data": "[AUDIO: wav, ~5000 bytes]", "format": "wav"}}]'
    )


def test_a_line_knows_its_role_and_its_tools():
    calling, answering = transcript_lines(
        [
            {"role": "assistant", "tool_calls": [call("book", "{}")]},
            {"role": "tool", "tool_call_id": "c1", "content": "ok"},
        ]
    )

    assert (calling.role, calling.called, calling.answered) == ("assistant", ("book",), "")
    assert (answering.role, answering.called, answering.answered) == ("tool", (), "book")


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "tool_calls", "function", "name", "arguments", "tool_call_id", "type", "id"]
            )
            | st.text(max_size=5),
            inner | st.sampled_from(["tool", "assistant", "user", "function"]),
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(st.lists(anything, max_size=5))
def test_whatever_the_messages_are_there_is_one_line_for_each_without_a_bracket(messages: list[Any]):
    lines = render_transcript_lines(messages)

    assert len(lines) == len(messages)
    assert all(len(line.splitlines()) == 1 and not {"<", ">"} & set(line) for line in lines)


@given(st.text())
def test_the_content_of_a_line_decodes_to_what_was_said(text: str):
    from_line = json.loads(only_line({"role": "user", "content": text}).removeprefix("user: "))

    assert from_line == text or ";base64," in text
