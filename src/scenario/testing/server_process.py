"""A server as a process of its own: its options, and its life until it is told to stop."""

import argparse
import os
import signal
import stat
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What the command line says.

    Attributes:
        port: Port to listen on; 0 takes a free one.
        latency: Time from a request to its answer, in seconds.
        answer: Text for every request; None for the offline models.
        api_key: Key that requests must carry, if any.
        fast: Whether to answer with prepared bytes.
    """

    port: int
    latency: float
    answer: str | None
    api_key: str | None
    fast: bool


class Serving(Protocol):
    """A server that can be started and closed."""

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        ...

    def start(self) -> object:
        """Start to serve."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


def read_options(arguments: Sequence[str] | None = None) -> ServerOptions:
    """Return the options of a command line, by default this process's."""
    parser = argparse.ArgumentParser(
        prog="python -m scenario.testing.local_model_server",
        description="An OpenAI-compatible model server on loopback. Its first line of output is its URL; it runs until "
        "SIGTERM, SIGINT or the end of a piped standard input.",
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds from a request to its answer")
    parser.add_argument("--answer", help="text for every request; by default the offline models answer")
    parser.add_argument("--api-key", help="key that requests must carry")
    parser.add_argument("--fast", action="store_true", help="answer with prepared bytes, without checking requests")
    given = parser.parse_args(arguments)
    return ServerOptions(given.port, given.latency, given.answer, given.api_key, given.fast)


def serve_until_stopped(server: Serving, path: str) -> None:
    """Serve until SIGTERM, SIGINT or the end of a piped standard input, and print the server's URL first.

    Args:
        server: The server; it is started and closed here.
        path: Path that the printed URL ends in.
    """
    _raise_file_limit()
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    server.start()
    sys.stdout.write(f"{server.origin}{path}\n")
    sys.stdout.flush()
    if _is_piped(0):
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    stop.wait()
    server.close()


def _raise_file_limit() -> None:
    try:
        import resource
    except ImportError:  # there is no such limit on Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _is_piped(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _stop_at_end_of_input(stop: threading.Event) -> None:
    while os.read(0, 4096):
        continue
    stop.set()
