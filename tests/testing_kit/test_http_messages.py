"""HTTP/1.1 as the servers of the testing kit read it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.testing.http_messages import BadHttpError, HttpRequest, HttpResponse, RequestReader

POST = b"POST /v1/x?a=%20b HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nX-Twice:  a \r\n\r\nhello"
CHUNKED = (
    b"POST /v1/%C3%A9 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b"3;note=1\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
)
GET = b"GET / HTTP/1.0\r\n\r\n"


def requests_in(*pieces: bytes) -> list[HttpRequest]:
    reader, found = RequestReader(), list[HttpRequest]()
    for piece in pieces:
        reader.feed(piece)
        while request := reader.next_request():
            found.append(request)
    return found


def test_a_request_is_read() -> None:
    (request,) = requests_in(POST)

    assert (request.method, request.path, request.query, request.body) == ("POST", "/v1/x", "a=%20b", b"hello")
    assert request.headers == {"host": "here", "content-length": "5", "x-twice": "a"}
    assert request.keep_alive


def test_a_chunked_body_is_put_together() -> None:
    (request,) = requests_in(CHUNKED)

    assert (request.path, request.body, request.keep_alive) == ("/v1/é", b"hello", False)


def test_a_client_of_http_1_0_closes() -> None:
    assert not requests_in(GET)[0].keep_alive


@given(st.lists(st.integers(0, len(POST + CHUNKED + GET)), max_size=20))
def test_however_the_bytes_arrive_the_requests_are_the_same(cuts: list[int]) -> None:
    whole = POST + CHUNKED + GET
    places = [0, *sorted(cuts), len(whole)]
    pieces = [whole[start:end] for start, end in pairwise(places)]

    assert requests_in(*pieces) == requests_in(POST) + requests_in(CHUNKED) + requests_in(GET)


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x16\x03\x01 TLS\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / SPDY/3\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"a" * 70_000,
    ],
)
def test_what_is_not_http_is_refused(wrong: bytes) -> None:
    with pytest.raises(BadHttpError):
        requests_in(wrong)


def test_a_client_that_waits_for_leave_gets_it_once() -> None:
    reader = RequestReader()
    reader.feed(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")

    assert reader.next_request() is None
    assert reader.expects_continue
    assert not reader.expects_continue
    reader.feed(b"ok")
    request = reader.next_request()
    assert request is not None
    assert request.body == b"ok"


def test_a_response_says_how_long_it_is() -> None:
    (piece,) = HttpResponse(status=429, body=b"{}", headers={"Retry-After": "2"}).pieces()

    assert piece == (
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 2\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )


def test_a_stream_is_sent_in_chunks() -> None:
    pieces = HttpResponse(status=529, body=[b"one", b"", b"more"], content_type="text/event-stream").pieces()

    assert pieces == [
        b"HTTP/1.1 529 Overloaded\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"3\r\none\r\n",
        b"4\r\nmore\r\n",
        b"0\r\n\r\n",
    ]
