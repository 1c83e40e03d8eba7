"""HTTP/1.1 messages as bytes: requests read from a connection, responses written to one.

The servers of the testing kit speak HTTP themselves, so that they can break off, stall and babble at any byte, and so
that a bug of the HTTP library under test cannot cancel out against itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

MAX_HEAD_BYTES = 65_536
MAX_BODY_BYTES = 256 * 1024 * 1024
_EXPECTED = "a request line, headers and a body of at most 256 MB"


class BadHttpError(ValueError):
    """What arrived is not an HTTP/1.1 request."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as received.

    Attributes:
        method: The method, in capitals.
        path: The decoded path, without query.
        query: The query, undecoded.
        headers: Header values by lower-case name; of a repeated header the last.
        body: The body, with any transfer encoding undone.
        keep_alive: Whether the client wants to go on using the connection.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """A response to send.

    Attributes:
        status: The status code.
        body: The body; its pieces when it is sent as a stream of chunks.
        content_type: Type of the body.
        headers: Further headers.
    """

    status: int = 200
    body: bytes | Sequence[bytes] = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def pieces(self) -> list[bytes]:
        """Return the response as bytes: one piece, or for a stream its head, each chunk and the end."""
        head = [f"HTTP/1.1 {self.status} {_reason(self.status)}", f"Content-Type: {self.content_type}"]
        head.extend(f"{name}: {value}" for name, value in self.headers.items())
        if isinstance(self.body, bytes):
            head.append(f"Content-Length: {len(self.body)}\r\n\r\n")
            return ["\r\n".join(head).encode("latin-1") + self.body]
        head.append("Transfer-Encoding: chunked\r\n\r\n")
        chunks = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in self.body if chunk]
        return ["\r\n".join(head).encode("latin-1"), *chunks, b"0\r\n\r\n"]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else "Unknown"


class RequestReader:
    """Cuts the bytes of a connection into requests."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._head: _Head | None = None

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for leave to send its body; asking for it once answers it."""
        head = self._head
        if head is None or not head.expects_continue:
            return False
        head.expects_continue = False
        return True

    def feed(self, data: bytes) -> None:
        """Take bytes as they arrive."""
        self._buffer += data

    def next_request(self) -> HttpRequest | None:
        """Return the next request that has arrived whole, or None.

        Raises:
            BadHttpError: If the bytes are not a request that can be served.
        """
        if self._head is None and not self._read_head():
            return None
        head = self._head
        if head is None:
            return None
        body = self._read_chunks() if head.length is None else self._take(head.length)
        if body is None:
            return None
        self._head = None
        return HttpRequest(head.method, head.path, head.query, head.headers, body, head.keep_alive)

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        if end < 0:
            self._searched = len(self._buffer)
            if self._searched > MAX_HEAD_BYTES:
                raise BadHttpError(f"the head of the request is longer than {MAX_HEAD_BYTES} bytes")
            return False
        self._searched = 0
        self._head = _parsed_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        return True

    def _take(self, count: int) -> bytes | None:
        if len(self._buffer) < count:
            return None
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _read_chunks(self) -> bytes | None:
        body, at = bytearray(), 0
        while True:
            line_end = self._buffer.find(b"\r\n", at)
            if line_end < 0:
                return None
            try:
                size = int(self._buffer[at:line_end].split(b";")[0], 16)
            except ValueError as error:
                raise BadHttpError("a chunk of the request has no size") from error
            at = line_end + 2
            if len(self._buffer) < at + size + 2:
                return None
            body += self._buffer[at : at + size]
            at += size + 2
            if len(body) > MAX_BODY_BYTES:
                raise BadHttpError(f"expected {_EXPECTED}")
            if size == 0:
                del self._buffer[:at]
                return bytes(body)


@dataclass(slots=True)
class _Head:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    length: int | None
    keep_alive: bool
    expects_continue: bool


def _parsed_head(head: bytes) -> _Head:
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadHttpError(f"expected {_EXPECTED}, got {first[:80]!r}")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadHttpError(f"expected `name: value` in a header, got {line[:80]!r}")
        headers[name.lower()] = value.strip()
    target = urlsplit(parts[1]) if "?" in parts[1] or "%" in parts[1] else None
    connection = headers.get("connection", "").lower()
    return _Head(
        method=parts[0].upper(),
        path=unquote(target.path) if target else parts[1],
        query=target.query if target else "",
        headers=headers,
        length=_body_length(headers),
        keep_alive=connection != "close" and (parts[2] != "HTTP/1.0" or connection == "keep-alive"),
        expects_continue=headers.get("expect", "").lower() == "100-continue",
    )


def _body_length(headers: Mapping[str, str]) -> int | None:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return None
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        raise BadHttpError(f"expected {_EXPECTED}, got a Content-Length of {length[:20]!r}")
    return int(length)
