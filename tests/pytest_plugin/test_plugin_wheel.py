"""The plugin as users get it: out of the wheel, without a line of configuration."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

_ROOT = Path(__file__).parents[2]
_TESTS = """
import pytest
import scenario


class Echo(scenario.AgentAdapter):
    async def call(self, input):
        return input.last_new_user_message_str()


@pytest.mark.agent_test
async def test_echo():
    result = await scenario.run(
        name="an echo",
        description="somebody calls into a valley",
        agents=[Echo()],
        script=[scenario.user("hello"), scenario.agent(), scenario.succeed()],
    )
    assert result.success


@pytest.mark.agent_test
async def test_forgets():
    scenario.run("forgotten", "nobody awaits it", [Echo()])
"""


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel, and what it and pytest need from this one."""
    folder = tmp_path_factory.mktemp("installed")
    built = run(
        sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder / "dist", cwd=_ROOT
    )
    assert built.returncode == 0, built.stderr
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = (folder / "dist").glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--no-compile", wheel)
    installed = run(*pip, cwd=folder)
    assert installed.returncode == 0, installed.stderr
    (packages,) = (folder / "venv").glob("lib/*/site-packages")
    (packages / "of_the_tests.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return python


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "test_echo.py").write_text(_TESTS, "utf-8")
    return tmp_path


def test_it_works_without_configuration(python: Path, project: Path) -> None:
    session = run(
        python, "-m", "pytest", "-p", "no:asyncio", "-p", "no:anyio", "-W", "error", "--strict-markers", cwd=project
    )

    assert "1 failed, 1 passed" in session.stdout, session.stdout + session.stderr
    assert "scenario.run(name='forgotten', ...) was never awaited" in session.stdout
    assert "=== Scenario Test Report ===" in session.stdout
    assert "1. an echo - PASSED in " in session.stdout
    assert "User: hello" not in session.stdout


def test_it_is_the_wheels(python: Path, project: Path) -> None:
    where = run(python, "-c", "import scenario.pytest_plugin as plugin; print(plugin.__file__)", cwd=project)

    assert str(python.parents[1]) in where.stdout


def test_its_options_are_known(python: Path, project: Path) -> None:
    session = run(python, "-m", "pytest", "-q", "--scenario-debug", "--headless", "-k", "echo", "-s", cwd=project)

    assert "scenario: debug mode" in session.stdout
    assert "1 passed" in session.stdout, session.stdout + session.stderr


def test_it_can_be_named_too(python: Path, project: Path) -> None:
    session = run(python, "-m", "pytest", "-q", "-p", "scenario.pytest_plugin", "-k", "echo", cwd=project)

    assert session.stdout.count("Scenario Test Report") == 1
    assert "1 passed" in session.stdout, session.stdout + session.stderr


def test_it_can_be_switched_off(python: Path, project: Path) -> None:
    session = run(python, "-m", "pytest", "-q", "-p", "no:scenario", "-p", "no:cacheprovider", cwd=project)

    assert "Scenario Test Report" not in session.stdout
    assert "Unknown pytest.mark.agent_test" in session.stdout
