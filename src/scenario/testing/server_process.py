"""Runs a local model server as a process: `python -m scenario.testing.local_model_server`."""

import argparse
import os
import signal
import stat
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from scenario.testing.canned_service import CannedService
from scenario.testing.local_model_server import Listener, LocalModelServer

_CANNED_TEXT = "ok, and then?"


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM, SIGINT or the end of a piped standard input; the first line of output is the URL."""
    options = _parser().parse_args(arguments)
    _raise_file_limit()
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    if options.fast:
        serving = Listener(CannedService(options.answer or _CANNED_TEXT, options.latency).respond, options.port)
        serving.start()
        url = f"{serving.origin}/v1"
    else:
        serving = LocalModelServer(options.answer, latency=options.latency, api_key=options.api_key, port=options.port)
        url = serving.start().url
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
    if _is_piped(0):
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    stop.wait()
    serving.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenario.testing.local_model_server",
        description="An OpenAI-compatible model server on loopback.",
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds from a request to its answer")
    parser.add_argument("--answer", help="text for every request; by default the offline models answer")
    parser.add_argument("--api-key", help="key that requests must carry")
    parser.add_argument("--fast", action="store_true", help="answer with prepared bytes, without checking requests")
    return parser


def _raise_file_limit() -> None:
    try:
        import resource
    except ImportError:  # not a POSIX system: there is no such limit
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
