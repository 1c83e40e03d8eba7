"""One connection of a server: takes requests in turn and delivers each answer as it is told to."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

from scenario.testing.http_messages import BadHttpError, HttpRequest, HttpResponse, RequestReader

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An answer and the way it reaches the client.

    Attributes:
        pieces: The bytes to send, in pieces.
        delay: Wait before the first piece, in seconds.
        interval: Wait between two pieces, in seconds.
        then: What happens to the connection afterwards; `hang` keeps it open and silent.
    """

    pieces: Sequence[bytes]
    delay: float = 0.0
    interval: float = 0.0
    then: Literal["keep", "close", "hang", "reset"] = "keep"


Responder: TypeAlias = Callable[[HttpRequest], Delivery | Coroutine[Any, Any, Delivery]]


@dataclass(slots=True)
class Traffic:
    """What is going on at a server.

    Attributes:
        connections: The open connections.
        accepted: Number of connections accepted so far.
        in_flight: Requests received and not yet answered.
        max_in_flight: The most requests that were in flight at once.
        idle: Set while no request is in flight, once there was one.
    """

    connections: "set[Connection]"
    accepted: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    idle: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """Count a request as being in flight."""
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        if self.in_flight == 1:
            self.idle.clear()

    def end(self) -> None:
        """Count a request as answered or given up."""
        self.in_flight -= 1
        if self.in_flight == 0:
            self.idle.set()


class Connection(asyncio.Protocol):
    """Serves one client.

    Args:
        respond: Answers a request at once, or with a coroutine that does.
        traffic: Where connections and requests are counted.
        tasks: Runs the coroutines.
    """

    def __init__(self, respond: Responder, traffic: Traffic, tasks: asyncio.TaskGroup) -> None:
        self._respond = respond
        self._traffic = traffic
        self._tasks = tasks
        self._reader = RequestReader()
        self._request: HttpRequest | None = None
        self._waiting: asyncio.TimerHandle | asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        self._transport = cast("asyncio.Transport", transport)  # a stream server makes no other kind
        self._traffic.connections.add(self)
        self._traffic.accepted += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the request in work: nobody waits for its answer any more."""
        self._transport = None
        self._traffic.connections.discard(self)
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._request is not None:
            self._end_request()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and serve the request they complete."""
        self._reader.feed(data)
        if self._request is None:
            self._serve_next()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _serve_next(self) -> None:
        try:
            request = self._reader.next_request()
        except BadHttpError as error:
            self._send(HttpResponse(status=400, body=str(error).encode(), content_type="text/plain").pieces())
            self._finish("close")
            return
        if request is None:
            if self._reader.expects_continue:
                self._send([b"HTTP/1.1 100 Continue\r\n\r\n"])
            return
        self._request = request
        self._traffic.begin()
        answer = self._respond(request)
        if isinstance(answer, Delivery):
            self._deliver(answer)
        else:
            self._waiting = self._tasks.create_task(self._deliver_later(answer))

    async def _deliver_later(self, answer: Coroutine[Any, Any, Delivery]) -> None:
        delivery = await answer
        self._waiting = None
        self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        if delivery.delay > 0:
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_later(delivery.delay, self._send_from, delivery, 0)
        else:
            self._send_from(delivery, 0)

    def _send_from(self, delivery: Delivery, index: int) -> None:
        self._waiting = None
        if delivery.interval > 0 and index < len(delivery.pieces):
            self._send(delivery.pieces[index : index + 1])
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_later(delivery.interval, self._send_from, delivery, index + 1)
            return
        self._send(delivery.pieces[index:])
        if delivery.then != "hang":
            keep = self._end_request() and delivery.then == "keep"
            self._finish("keep" if keep else "close" if delivery.then == "keep" else delivery.then)

    def _send(self, pieces: Sequence[bytes]) -> None:
        if self._transport is not None and pieces:
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _end_request(self) -> bool:
        keep_alive = self._request is not None and self._request.keep_alive
        self._request = None
        self._traffic.end()
        return keep_alive

    def _finish(self, then: Literal["keep", "close", "reset"]) -> None:
        if self._transport is None:
            return
        if then == "keep":
            self._serve_next()
        elif then == "close":
            self._transport.close()
        else:
            line: socket.socket = self._transport.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()
