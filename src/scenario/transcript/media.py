"""Replaces images, sound and files in messages by a few words that say what was there."""

import re
from collections.abc import Mapping
from typing import Any, TypeGuard, cast

_DATA_URL = re.compile(
    r"""data:
        (?P<type>[\w.+-]{1,100}/[\w.+-]{1,100})
        (?:;[\w.+-]{1,100}=(?:[^;,\s"'<>]{0,200}|"[^"\r\n]{0,200}"))*
        ;base64,
        (?P<data>
            [\w+/%-]+={0,2}
            # Further lines of wrapped base64: nothing else on the line, and long or padded.
            (?:(?:\r?\n|(?:\\r)?\\n)[ \t]*(?:[\w+/-]{20,}={0,2}|[\w+/-]+={1,2})(?=[\s\\"']|$))*
        )
    """,
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)
_BASE64 = re.compile(r"[\w+/\r\n-]+={0,2}\s*", re.ASCII)
_PLACEHOLDER = re.compile(r"\[[A-Z]+: [\w.+/-]+, ~[0-9]+ bytes\]", re.ASCII)
_WORD = re.compile(r"[\w.+-]{1,100}(?:/[\w.+-]{1,100})?", re.ASCII)
_MEDIA_TYPE_KEYS = ("media_type", "mediaType", "mime_type", "mimeType")
_KINDS = frozenset({"image", "audio", "video"})
_SOUND_PARTS = frozenset({"audio", "input_audio"})
_PARTS_WITH_DATA = _KINDS | {"base64", "file", "input_audio"}
_LONG = 1_000
_DEEPEST = 64
_BIG_INTEGER_BITS = 10_000


def without_media(value: Any) -> Any:
    """Return a JSON-ready copy of a value in which media are replaced by what they are and how large.

    An image becomes `[IMAGE: image/png, ~5120 bytes]`; sound, video and files alike. The number counts base64
    characters. Data URLs are found inside longer text as well, base64 data by the parts of the common chat
    formats. Keys become strings, objects JSON has no form for become text, circles and what is nested more than
    64 deep are cut.
    """
    if isinstance(value, str):
        return _text_without_media(value)
    return _Copier().copied(value, 0)


def _text_without_media(text: str) -> str:
    if ";base64," not in text and ";base64," not in text.lower():
        return text
    return _DATA_URL.sub(lambda url: _placeholder(url["type"], len(url["data"])), text)


def _placeholder(media_type: str, size: int) -> str:
    kind = media_type.partition("/")[0].lower()
    return f"[{kind.upper() if kind in _KINDS else 'FILE'}: {media_type}, ~{size} bytes]"


class _Copier:
    """Copies one value; remembers what it is inside of, to notice circles."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def copied(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return _text_without_media(value)
        if value is None or isinstance(value, (bool, float)):
            return value
        if isinstance(value, int):
            return value if value.bit_length() <= _BIG_INTEGER_BITS else hex(value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"[FILE: unknown, ~{len(cast(bytes, value))} bytes]"
        if not isinstance(value, (Mapping, list, tuple)):
            value = as_plain(value)
            if isinstance(value, str):
                return _text_without_media(value)
        return self._container(cast("Mapping[Any, Any] | list[Any]", value), depth)

    def _container(self, value: Mapping[Any, Any] | list[Any], depth: int, *, is_sound: bool = False) -> Any:
        if id(value) in self._open:
            return "[CIRCLE]"
        if depth >= _DEEPEST:
            return "[NESTED TOO DEEPLY]"
        self._open.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self._mapping(value, depth, is_sound=is_sound)
            return [self.copied(item, depth + 1) for item in value]
        finally:
            self._open.discard(id(value))

    def _mapping(self, value: Mapping[Any, Any], depth: int, *, is_sound: bool) -> dict[str, Any]:
        replaced = _replaced(value, is_sound=is_sound)
        holds_sound = value.get("type") in ("audio", "input_audio")
        copy: dict[str, Any] = {}
        for key, item in value.items():
            if key in replaced:
                copy[key] = replaced[key]
            elif holds_sound and key in ("audio", "input_audio") and isinstance(item, Mapping):
                copy[key] = self._container(cast("Mapping[Any, Any]", item), depth + 1, is_sound=True)
            else:
                copy[str(key)] = self.copied(item, depth + 1)
        return copy


def as_plain(value: Any) -> dict[Any, Any] | str:
    """Return the fields of an object that can tell them (pydantic models), else its text."""
    try:
        dump = getattr(value, "model_dump", None)
        fields = dump() if callable(dump) and not isinstance(value, type) else None
        return cast("dict[Any, Any]", fields) if isinstance(fields, dict) else str(value)
    except Exception:  # an object of the user's that cannot even be shown must not end the run
        return f"[{type(value).__name__}]"


def _replaced(part: Mapping[Any, Any], *, is_sound: bool) -> dict[str, str]:
    """Return the members of a mapping that hold media by the shape of the mapping, with what replaces them."""
    kind = part.get("type") if isinstance(part.get("type"), str) else None
    media_type = next((part[key] for key in _MEDIA_TYPE_KEYS if isinstance(part.get(key), str)), None)
    data, image, file_data = part.get("data"), part.get("image"), part.get("file_data")
    replaced: dict[str, str] = {}
    if _is_blob(data):
        if is_sound or (kind in _SOUND_PARTS and not media_type):
            replaced["data"] = f"[AUDIO: {_word(part.get('format'))}, ~{len(data)} bytes]"
        elif kind in _PARTS_WITH_DATA or (
            kind != "text" and media_type and (_is_medium(media_type) or _is_long_base64(data))
        ):
            replaced["data"] = _blob(kind, media_type, data)
    if kind == "image" and _is_blob(image) and _is_long_base64(image):
        replaced["image"] = _blob(kind, None, image)
    if _is_blob(file_data):
        replaced["file_data"] = _blob("file", media_type, file_data)
    return replaced


def _is_blob(value: Any) -> TypeGuard[str]:
    """Tell whether a value may hold a medium itself: neither a link to one, nor what has replaced one."""
    return isinstance(value, str) and not value.startswith(("http:", "https:")) and not _PLACEHOLDER.fullmatch(value)


def _blob(kind: str | None, media_type: str | None, data: str) -> str:
    url = _DATA_URL.fullmatch(data)
    if url:
        return _placeholder(url["type"], len(url["data"]))
    if media_type:
        return _placeholder(_word(media_type), len(data))
    return f"[{kind.upper() if kind in _KINDS else 'FILE'}: unknown, ~{len(data)} bytes]"


def _word(value: Any) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "unknown"


def _is_medium(media_type: str) -> bool:
    media_type = media_type.lower()
    return media_type.partition("/")[0] in _KINDS or media_type == "application/pdf"


def _is_long_base64(data: str) -> bool:
    return len(data) > _LONG and _BASE64.fullmatch(data) is not None
