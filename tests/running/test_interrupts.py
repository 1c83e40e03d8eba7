"""Ctrl-C in a run, once and twice, seen from outside."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")]

AGENTS = """
import asyncio, sys, time, threading
import scenario

def say(text):
    sys.stdout.write(text + "\\n"); sys.stdout.flush()

class Stuck(scenario.AgentAdapter):
    async def call(self, input):
        say("asked")
        try:
            await asyncio.Event().wait()
        finally:
            say("cleaned up")

class Stubborn(scenario.AgentAdapter):
    async def call(self, input):
        say("asked")
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                say("ignored")

class Ears(scenario.events.EventListener):
    settles_with_run = True
    def on_event(self, event):
        if type(event).__name__ == "RunFinished":
            say(f"finished {event.stop_reason.value}")

order = dict(name="n", description="d", script=[scenario.agent()], verbose=False, listeners=[Ears()])
"""


def interrupted(program: str, tmp_path: Path, *, times: int = 1) -> tuple[str, str, int, float]:
    """Run a program, interrupt it once it says "asked"; return output, errors, exit code and seconds since then."""
    script = tmp_path / "program.py"
    script.write_text(AGENTS + textwrap.dedent(program))
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "asked\n"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    if times == 2:
        assert process.stdout.readline() == "ignored\n"
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=25)
    return output, errors, process.returncode, time.monotonic() - began


@pytest.mark.parametrize(
    "call",
    [
        "asyncio.run(scenario.run(agents=[Stuck()], **order))",
        "asyncio.run(scenario.arun(agents=[Stuck()], **order))",
        "scenario.run_sync(agents=[Stuck()], **order)",
        "asyncio.run(scenario.run_many([scenario.run(agents=[Stuck()], **order)]))",
    ],
)
def test_once_ends_the_run_cleanly(call: str, tmp_path: Path) -> None:
    output, errors, code, seconds = interrupted(call, tmp_path)

    assert output == "cleaned up\nfinished cancelled\n"
    assert "KeyboardInterrupt" in errors
    assert "Task was destroyed" not in errors
    assert "never retrieved" not in errors
    assert code != 0
    assert seconds < 5


@pytest.mark.parametrize(
    "call",
    [
        "asyncio.run(scenario.run(agents=[Stubborn()], **order))",
        "scenario.run_sync(agents=[Stubborn()], **order)",
    ],
)
def test_twice_does_not_wait_for_an_agent_that_ignores_it(call: str, tmp_path: Path) -> None:
    _, errors, code, seconds = interrupted(call, tmp_path, times=2)

    assert "KeyboardInterrupt" in errors
    assert code != 0
    assert seconds < 5


def test_once_gives_up_a_run_that_ignores_it_after_a_few_seconds(tmp_path: Path) -> None:
    _, errors, code, seconds = interrupted("scenario.run_sync(agents=[Stubborn()], **order)", tmp_path)

    assert "KeyboardInterrupt" in errors
    assert code != 0
    assert seconds < 10
