"""Coroutine tests marked `agent_test`: without another plugin, and beside those that run coroutines too."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_sessions import ANYIO, ASYNCIO, PRELUDE, Session, command, environment, run_session

pytestmark = pytest.mark.timeout(60)

TESTS = """
import contextvars

seen = []
colour = contextvars.ContextVar("colour", default="none")
before = None


@pytest.fixture
def name(tmp_path):
    colour.set("green")
    return tmp_path.name


@pytest.mark.agent_test
async def test_marked(name, number=3):
    seen.append((name, number, colour.get()))
    assert (await scenario.run(**order("marked"))).success


class TestMethods:
    @pytest.mark.agent_test
    async def test_a_method(self, name):
        seen.append(name)
        assert (await scenario.arun(**order("a method"))).success


@pytest.mark.agent_test
@pytest.mark.parametrize("number", [1, 2])
async def test_with_parameters(number):
    seen.append(number)


@pytest.mark.agent_test
def test_a_plain_function():
    seen.append("plain")
    assert scenario.run_sync(**order("plain")).success


def test_each_was_run_once():
    assert seen == [("test_marked0", 3, "green"), "test_a_method0", 1, 2, "plain"]
"""

OF_ASYNCIO = """
@pytest.fixture(scope="session")
def loops():
    return []


@pytest.mark.agent_test
@pytest.mark.asyncio
async def test_marked_twice(loops):
    loops.append(asyncio.get_running_loop())
    assert (await scenario.arun(**order("marked twice"))).success


@pytest.mark.asyncio(loop_scope="session")
async def test_on_the_loop_of_the_session(loops):
    loops.append(asyncio.get_running_loop())


@pytest.mark.agent_test
async def test_between(loops):
    assert asyncio.get_running_loop() not in loops


@pytest.mark.asyncio(loop_scope="session")
async def test_the_loop_of_the_session_is_still_there(loops):
    assert asyncio.get_running_loop() is loops[1]
"""

OF_ANYIO = """
@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
async def kept_open(anyio_backend):
    yield


@pytest.mark.agent_test
@pytest.mark.anyio
@pytest.mark.parametrize("number", [1, 2])
async def test_marked_twice(kept_open, number):
    assert (await scenario.arun(**order(f"anyio {number}"))).success


def test_runs_belong_to_their_tests(request):
    hooks = request.config.pluginmanager.get_plugin("scenario_session")
    assert [(row.name, row.test) for row in hooks.log.reporter.rows[-2:]] == [
        (f"anyio {number}", f"test_anyio.py::test_marked_twice[{number}]") for number in (1, 2)
    ]
"""


def passed(session: Session, number: int) -> bool:
    return session.code == 0 and f"{number} passed" in session.output and "warning" not in session.output


def test_they_need_no_other_plugin(tmp_path: Path) -> None:
    session = run_session(tmp_path, {"test_alone.py": TESTS}, "-W", "error", "--strict-markers")

    assert passed(session, 6), session.output


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_they_get_on_with_pytest_asyncio(tmp_path: Path, mode: str) -> None:
    files = {"test_both.py": TESTS}
    if mode == "strict":
        files["test_more.py"] = OF_ASYNCIO

    session = run_session(tmp_path, files, *ASYNCIO, "-o", f"asyncio_mode={mode}", "-W", "error", "--strict-markers")

    assert passed(session, 10 if mode == "strict" else 6), session.output


def test_they_get_on_with_anyio(tmp_path: Path) -> None:
    files = {"test_alone.py": TESTS, "test_anyio.py": OF_ANYIO}

    session = run_session(tmp_path, files, *ANYIO, "-W", "error", "--strict-markers")

    assert passed(session, 9), session.output


def test_without_the_marker_they_are_left_to_others(tmp_path: Path) -> None:
    session = run_session(tmp_path, {"test_unmarked.py": "async def test_unmarked(): pass"})

    assert session.code == 1
    assert "async def functions are not natively supported" in session.output


def test_tasks_that_a_test_leaves_behind_are_ended_with_it(tmp_path: Path) -> None:
    tests = """
    ended = []

    async def wait():
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(True)

    @pytest.mark.agent_test
    async def test_leaves_a_task():
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)

    def test_it_has_ended():
        assert ended == [True]
    """

    assert passed(run_session(tmp_path, {"test_tasks.py": tests}, "-W", "error"), 2)


INTERRUPTED = """
from pathlib import Path


class Stuck(scenario.AgentAdapter):
    async def call(self, input):
        Path("asked").touch()
        await asyncio.Event().wait()


class Stubborn(scenario.AgentAdapter):
    async def call(self, input):
        Path("asked").touch()
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                Path("ignored").touch()


SCRIPT = [scenario.user("hi"), scenario.agent()]


@pytest.mark.agent_test
@pytest.mark.parametrize("run", [scenario.run, scenario.arun])
@pytest.mark.parametrize("agent", [Stuck, Stubborn])
async def test_coroutine(run, agent):
    await run(**order("interrupted", script=SCRIPT) | {"agents": [agent()]})


def test_plain():
    scenario.run_sync(**order("interrupted", script=SCRIPT) | {"agents": [Stuck()]})
"""


def interrupted(folder: Path, test: str, *, times: int) -> tuple[Session, float]:
    """Interrupt a session once an agent has been asked; return it, and how many seconds it took from then on."""
    (folder / "test_interrupted.py").write_text(PRELUDE + INTERRUPTED, "utf-8")
    process = subprocess.Popen(
        command("-W", "error", f"test_interrupted.py::{test}"),
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    appears(folder / "asked")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    if times == 2:
        appears(folder / "ignored")
        process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    return Session(code=process.returncode, output=output, folder=folder), time.monotonic() - began


def appears(file: Path) -> None:
    end = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < end, f"{file.name} did not come"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
class TestInterrupts:
    @pytest.mark.parametrize("test", ["test_coroutine[Stuck-run]", "test_coroutine[Stuck-arun]", "test_plain"])
    def test_once_ends_the_run_and_the_session(self, tmp_path: Path, test: str) -> None:
        session, seconds = interrupted(tmp_path, test, times=1)

        assert session.code == 2
        assert "KeyboardInterrupt" in session.output
        assert "1. interrupted - ERROR in" in session.table
        assert "never retrieved" not in session.output
        assert seconds < 10

    @pytest.mark.parametrize("test", ["test_coroutine[Stubborn-run]", "test_coroutine[Stubborn-arun]"])
    def test_twice_does_not_wait_for_an_agent_that_ignores_it(self, tmp_path: Path, test: str) -> None:
        session, seconds = interrupted(tmp_path, test, times=2)

        assert session.code == 2
        assert "1. interrupted - UNFINISHED" in session.table
        assert seconds < 10
