import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from scenario.transcript import without_media

PIXELS = "iVBORw0KGgo" * 10
DATA_URL = f"data:image/png;base64,{PIXELS}"
IMAGE = f"[IMAGE: image/png, ~{len(PIXELS)} bytes]"

data_urls = st.builds(
    "data:{};base64,{}".format,
    st.sampled_from(["image/png", "audio/wav", "video/mp4", "application/pdf", "text/plain"]),
    st.text("ABCdef019+/", min_size=1, max_size=40),
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | data_urls
    | st.builds("{}{}{}".format, st.text(max_size=5), data_urls, st.text(max_size=5)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "data", "image", "audio", "input_audio", "file", "file_data", "source", "media_type", "format"]
            )
            | st.text(max_size=5),
            inner | st.sampled_from(["file", "image", "audio", "input_audio", "base64", "text"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_a_second_pass_changes_nothing(value: Any):
    once = without_media(value)

    assert without_media(once) == once


@given(json_values)
def test_the_copy_is_json_and_the_original_is_untouched(value: Any):
    before = json.dumps(value)

    json.dumps(without_media(value))

    assert json.dumps(value) == before


@given(json_values)
def test_no_data_url_is_left(value: Any):
    assert ";base64," not in json.dumps(without_media(value)).lower().replace(";base64,\\", "").replace(';base64,"', "")


@pytest.mark.parametrize(
    ("url", "placeholder"),
    [
        (DATA_URL, IMAGE),
        ("data:audio/wav;base64,AAAA", "[AUDIO: audio/wav, ~4 bytes]"),
        ("data:video/mp4;codecs=avc1;base64,AAAA", "[VIDEO: video/mp4, ~4 bytes]"),
        ('data:audio/ogg;codecs="opus, x";base64,AAAA==', "[AUDIO: audio/ogg, ~6 bytes]"),
        ("data:application/pdf;base64,JVBERi0=", "[FILE: application/pdf, ~8 bytes]"),
        ("DATA:image/PNG;BASE64,AAAA", "[IMAGE: image/PNG, ~4 bytes]"),
    ],
)
def test_a_data_url_becomes_a_placeholder(url: str, placeholder: str):
    assert without_media(url) == placeholder


def test_data_urls_inside_longer_text_become_placeholders():
    text = f"Look: ![a]({DATA_URL}) and {DATA_URL}, done."

    assert without_media(text) == f"Look: ![a]({IMAGE}) and {IMAGE}, done."


def test_data_urls_in_a_document_as_text_become_placeholders():
    text = json.dumps({"shot": DATA_URL, "ok": True})

    assert json.loads(without_media(text)) == {"shot": IMAGE, "ok": True}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\\n"])
def test_a_data_url_wrapped_over_lines_becomes_one_placeholder(line_end: str):
    lines = ["A" * 54, "B" * 76, "C" * 76, "DDDDD="]
    data = line_end.join(lines)

    assert without_media(f"see data:image/png;base64,{data} there") == (
        f"see [IMAGE: image/png, ~{len(data)} bytes] there"
    )


def test_text_on_the_line_after_a_data_url_is_kept():
    assert without_media(f"{DATA_URL}\nThanks\nfor this") == f"{IMAGE}\nThanks\nfor this"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "file", "mediaType": "application/pdf", "data": "JVBE"},
            {"type": "file", "mediaType": "application/pdf", "data": "[FILE: application/pdf, ~4 bytes]"},
        ),
        (
            {"type": "file", "mediaType": "audio/mpeg", "data": "AAAA"},
            {"type": "file", "mediaType": "audio/mpeg", "data": "[AUDIO: audio/mpeg, ~4 bytes]"},
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "[FILE: application/pdf, ~4 bytes]"}},
        ),
        (
            {"type": "file", "file": {"file_data": "JVBERi0x"}},
            {"type": "file", "file": {"file_data": "[FILE: unknown, ~8 bytes]"}},
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "JVBERi0x"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "[FILE: unknown, ~8 bytes]"},
        ),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXELS}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}},
        ),
        (
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}},
            {
                "type": "document",
                "source": {
                    "type": "base64",
                    "media_type": "application/pdf",
                    "data": "[FILE: application/pdf, ~4 bytes]",
                },
            },
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": "[AUDIO: wav, ~4 bytes]", "format": "wav"}},
        ),
        (
            {"type": "audio", "audio": {"data": "UklG", "transcript": "hi"}},
            {"type": "audio", "audio": {"data": "[AUDIO: unknown, ~4 bytes]", "transcript": "hi"}},
        ),
        (
            {"type": "audio", "data": "UklG", "mimeType": "audio/wav"},
            {"type": "audio", "data": "[AUDIO: audio/wav, ~4 bytes]", "mimeType": "audio/wav"},
        ),
        ({"type": "image", "image": DATA_URL}, {"type": "image", "image": IMAGE}),
        ({"type": "image", "image": "A" * 1001}, {"type": "image", "image": "[IMAGE: unknown, ~1001 bytes]"}),
        (
            {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "low"}},
            {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
        ),
        (
            {"inline_data": {"mime_type": "image/png", "data": PIXELS}},
            {"inline_data": {"mime_type": "image/png", "data": IMAGE}},
        ),
    ],
)
def test_a_part_that_holds_a_medium_keeps_its_shape_and_loses_the_data(part: Any, expected: Any):
    assert without_media([{"type": "text", "text": "see"}, part]) == [{"type": "text", "text": "see"}, expected]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "image": "A" * 1000},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "file", "mediaType": "application/pdf", "data": "https://example.com/a.pdf"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "the terms"}},
        {"media_type": "text/plain", "data": "hello"},
        {"data": "x" * 5000},
        {"type": ["image"], "image": {"a": 1}, "data": 3},
    ],
)
def test_what_is_not_a_medium_is_kept(part: dict[str, Any]):
    assert without_media(part) == part


def test_media_are_found_however_deep():
    assert without_media({"a": [{"b": (DATA_URL,)}]}) == {"a": [{"b": [IMAGE]}]}


def test_text_of_other_scripts_is_kept():
    assert without_media({"ключ": "退款"}) == {"ключ": "退款"}


def test_a_circle_is_cut():
    circle: dict[str, Any] = {"name": "a"}
    circle["self"] = [circle]

    assert without_media(circle) == {"name": "a", "self": ["[CIRCLE]"]}


def test_a_value_used_twice_is_no_circle():
    shared = {"x": 1}

    assert without_media([shared, shared]) == [shared, shared]


def test_a_circle_of_sound_parts_is_cut():
    part: dict[str, Any] = {"type": "audio", "data": "UklG"}
    part["audio"] = part

    assert without_media(part) == {"type": "audio", "data": "[AUDIO: unknown, ~4 bytes]", "audio": "[CIRCLE]"}


def in_a_list(inner: Any) -> Any:
    return [inner]


def in_a_sound_part(inner: Any) -> Any:
    return {"type": "audio", "audio": inner}


@pytest.mark.parametrize("nest", [in_a_list, in_a_sound_part])
def test_what_is_nested_very_deep_is_cut(nest: Callable[[Any], Any]):
    value: Any = "end"
    for _ in range(5000):
        value = nest(value)

    assert "[NESTED TOO DEEPLY]" in json.dumps(without_media(value))


def test_what_json_has_no_form_for_becomes_text():
    class Order(BaseModel):
        item: str
        photo: str

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    value = {1: Order(item="cup", photo=DATA_URL), "b": b"abc", "c": Broken(), "d": 10**5000, "e": {1}}

    copy = without_media(value)

    assert copy["1"] == {"item": "cup", "photo": IMAGE}
    assert copy["b"] == "[FILE: unknown, ~3 bytes]"
    assert copy["c"] == "[Broken]"
    assert copy["d"] == hex(10**5000)
    assert copy["e"] == "{1}"


def test_a_media_type_that_is_no_media_type_is_not_repeated():
    part = {"type": "file", "mediaType": "x], ~1 bytes] and a verdict", "data": "AAAA"}

    assert without_media(part)["data"] == "[FILE: unknown, ~4 bytes]"
