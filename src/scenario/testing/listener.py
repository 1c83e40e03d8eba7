"""Listens on loopback and serves connections, on a thread of its own or on the running loop."""

import asyncio
import socket
import threading
from contextlib import suppress

from scenario.errors import ConfigurationError
from scenario.testing.connection import Connection, Responder, Traffic

_BACKLOG = 4096
_CLOSING_SECONDS = 5.0


class Listener:
    """Accepts connections on loopback and answers their requests, on a thread of its own or on the running loop.

    Args:
        respond: Answers requests.
        port: Port to listen on; 0 takes a free one.

    Attributes:
        traffic: What is going on.
    """

    def __init__(self, respond: Responder, port: int = 0) -> None:
        self.traffic = Traffic(set())
        self._respond = respond
        self._port = port
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._running = threading.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._server: asyncio.Server | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port.

        Raises:
            ConfigurationError: If nothing listens yet.
        """
        if self._socket is None:
            raise ConfigurationError("the model server is not running", "use it inside `with`, or call start() first")
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Open the port and serve it from a thread.

        Raises:
            ConfigurationError: If it was started before.
        """
        listening = self._listen()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="local-model-server", daemon=True)
        self._thread.start()
        self._running.wait(_CLOSING_SECONDS)

    def close(self) -> None:
        """Stop the thread, and wait for its end."""
        if self._thread is None or self._socket is None:
            return
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # the loop is closed: the thread ended already
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_CLOSING_SECONDS)
        self._socket.close()

    async def open(self) -> None:
        """Open the port and serve it from the running loop, until `aclose`.

        Raises:
            ConfigurationError: If it was started before.
        """
        await self._open(self._listen())

    async def aclose(self) -> None:
        """Drop all connections and stop to serve from the running loop."""
        if self._server is None or self._tasks is None:
            return
        self._server.close()
        for connection in list(self.traffic.connections):
            connection.abort()
        # An error of the caller's block is not ours to wrap, so the group does not hear of it.
        await self._tasks.__aexit__(None, None, None)
        self._server = self._tasks = None

    async def _open(self, listening: socket.socket) -> None:
        tasks = self._tasks = await asyncio.TaskGroup().__aenter__()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._respond, self.traffic, tasks), sock=listening, backlog=_BACKLOG
        )

    def _listen(self) -> socket.socket:
        if self._socket is not None:
            raise ConfigurationError("the model server was already started", "make a new one for each use")
        self._socket = socket.create_server(("127.0.0.1", self._port), backlog=_BACKLOG)
        self._port = self._socket.getsockname()[1]
        return self._socket

    def _run(self, listening: socket.socket) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await self._open(listening)
        self._running.set()
        await self._stop.wait()
        await self.aclose()
