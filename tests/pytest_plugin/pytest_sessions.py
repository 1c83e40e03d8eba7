"""Runs pytest the way a user does, in a process of its own, with the plugins that are named and no others."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ASYNCIO = ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function")
ANYIO = ("-p", "anyio.pytest_plugin")
XDIST = ("-p", "xdist.plugin")

PRELUDE = """
import asyncio
import pytest
import scenario
from scenario.types import CriterionResult, Evidence


class Echo(scenario.AgentAdapter):
    async def call(self, input):
        return "you said " + input.last_new_user_message_str()


def order(name, *agents, script=None, **options):
    script = script or [scenario.user("hi"), scenario.agent(), scenario.succeed("well done")]
    return dict(name=name, description="a test", agents=[Echo(), *agents], script=script, verbose=False) | options
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of pytest that is over.

    Attributes:
        code: Its exit code.
        output: What it printed.
        folder: Where it ran.
    """

    code: int
    output: str
    folder: Path

    @property
    def lines(self) -> Sequence[str]:
        """What it printed, line by line."""
        return self.output.splitlines()

    @property
    def table(self) -> str:
        """The table of runs at its end; empty if there is none."""
        return self.output.partition("\n=== Scenario Test Report ===\n")[2]

    def section(self, test: str) -> str:
        """Return what it printed about a failing test."""
        _, _, after = self.output.partition(f"_ {test} _")
        return after.partition("\n____")[0].partition("\n====")[0]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a session: no keys, no settings, no plugins but those that are named."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "200",
    }


def command(*arguments: str) -> list[str]:
    """Return the command of a session."""
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "scenario.pytest_plugin", *arguments]


def run_session(folder: Path, files: Mapping[str, str], *arguments: str, prelude: str = PRELUDE) -> Session:
    """Run pytest over some files; those of tests begin with the prelude."""
    (folder / ".git").mkdir(exist_ok=True)
    for name, text in files.items():
        begin = prelude if name.startswith("test_") else ""
        (folder / name).write_text(begin + textwrap.dedent(text), "utf-8")
    finished = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Session(code=finished.returncode, output=finished.stdout + finished.stderr, folder=folder)
