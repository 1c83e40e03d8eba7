"""How connections of the local model server behave on the wire."""

import asyncio
import json

from scenario.testing import LocalModelServer

BODY = json.dumps({"model": "offline/echo", "messages": [{"role": "user", "content": "hi"}]}).encode()


def post(headers: str = "", body: bytes = BODY) -> bytes:
    head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def exchange(server: LocalModelServer, *sent: bytes) -> bytes:
    host, port = server.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for piece in sent:
        writer.write(piece)
        await writer.drain()
    received = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return received


async def test_requests_sent_at_once_are_answered_in_turn() -> None:
    async with LocalModelServer(["one", "two"]) as server:
        received = await exchange(server, post() + post("Connection: close\r\n"))

    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.index(b'"one"') < received.index(b'"two"')


async def test_a_client_that_asks_for_it_is_closed_on() -> None:
    async with LocalModelServer("x") as server:
        received = await exchange(server, post("Connection: close\r\n"))
        assert received.startswith(b"HTTP/1.1 200 OK")


async def test_a_client_that_waits_for_leave_to_send_gets_it() -> None:
    async with LocalModelServer("x") as server:
        request = post("Expect: 100-continue\r\nConnection: close\r\n")
        head = request.index(b"\r\n\r\n") + 4
        received = await exchange(server, request[:head], request[head:])

    assert received.endswith(b"}")
    assert b"HTTP/1.1 200 OK" in received


async def test_something_else_than_http_is_answered_and_closed_on() -> None:
    async with LocalModelServer("x") as server:
        received = await exchange(server, b"\x16\x03\x01\x02\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 400 Bad Request")


async def test_a_large_body_is_taken() -> None:
    text = "blah " * 1_000_000
    body = json.dumps({"model": "offline/echo", "messages": [{"role": "user", "content": text}]}).encode()
    async with LocalModelServer() as server:
        received = await exchange(server, post("Connection: close\r\n", body))

    answer = json.loads(received[received.index(b"\r\n\r\n") + 4 :])
    assert answer["choices"][0]["message"]["content"] == text
