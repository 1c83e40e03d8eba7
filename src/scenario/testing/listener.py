"""Listens on loopback, on a thread with an event loop of its own."""

import asyncio
import socket
import threading
from contextlib import suppress

from scenario.errors import ConfigurationError
from scenario.testing.connection import Connection, Responder, Traffic

_BACKLOG = 4096
_CLOSING_SECONDS = 5.0


class Listener:
    """Accepts connections on loopback and serves them on a thread with an event loop of its own.

    Args:
        respond: Answers requests.
        port: Port to listen on; 0 takes a free one.
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

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        if self._socket is None:
            raise ConfigurationError("the model server is not running", "use it inside `with`, or call start() first")
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Open the port and start the thread."""
        if self._thread is not None:
            raise ConfigurationError("the model server was already started", "make a new one for each use")
        self._socket = socket.create_server(("127.0.0.1", self._port), backlog=_BACKLOG)
        self._port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(self._socket,), name="local-model-server", daemon=True)
        self._thread.start()
        self._running.wait(_CLOSING_SECONDS)

    def close(self) -> None:
        """Stop, and wait for the thread to end."""
        if self._thread is None or self._socket is None:
            return
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # the loop is closed: the thread ended already
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_CLOSING_SECONDS)
        self._socket.close()

    def _run(self, listening: socket.socket) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            server = await self._loop.create_server(
                lambda: Connection(self._respond, self.traffic, tasks), sock=listening, backlog=_BACKLOG
            )
            self._running.set()
            await self._stop.wait()
            server.close()
            for connection in list(self.traffic.connections):
                connection.abort()
