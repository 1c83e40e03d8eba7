"""Sessions whose tests are run by workers of pytest-xdist."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from pytest_sessions import XDIST, Session, run_session

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

TESTS = """
import os
import threading


@pytest.mark.parametrize("number", range(6))
def test_passes(number):
    assert scenario.run_sync(**order(f"good {number}")).success


def test_fails():
    script = [scenario.user("\\x1b[31mhi"), scenario.agent(), scenario.fail("no \\n good")]
    assert scenario.run_sync(**order("bad \\u202e\\n name", script=script)).success


def test_forgets():
    scenario.run(**order("lost"))


def test_runs_in_threads():
    def run(number):
        scenario.run_sync(**order(f"thread {number}"))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture(scope="session", autouse=True)
def clean_up():
    yield
    scenario.run_sync(**order("after the last test"))
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("workers")
    return run_session(folder, {"test_workers.py": TESTS}, *XDIST, "-n", "2", "-W", "error", "--junitxml", "junit.xml")


def test_the_table_holds_the_runs_of_all_workers_once(session: Session) -> None:
    for name in [*(f"good {number}" for number in range(6)), *(f"thread {number}" for number in range(4))]:
        assert session.table.count(f". {name} - PASSED in 0.") == 1
    assert session.table.count(". lost - NEVER AWAITED\n") == 1
    assert session.table.count(". after the last test - PASSED") == 2  # one in each worker
    assert session.table.startswith("Total Scenarios: 14\nPassed: 12\nFailed: 1\nNever awaited: 1\n")


def test_a_failing_test_shows_its_run(session: Session) -> None:
    shown = session.section("test_fails")

    assert "FAILED  bad \\u202e  name" in shown
    assert r"    User: \x1b[31mhi" in shown
    assert " pytest test_workers.py::test_fails" in shown


def test_odd_names_come_through(session: Session) -> None:
    assert r". bad \u202e  name - FAILED" in session.table
    assert "   Test: test_workers.py::test_fails" in session.table


def test_a_test_that_forgets_to_await_fails(session: Session) -> None:
    assert "scenario.run(name='lost', ...) was never awaited" in session.section("test_forgets")


def test_junit_has_the_properties(session: Session) -> None:
    cases = {case.get("name"): case for case in ElementTree.parse(session.folder / "junit.xml").iter("testcase")}
    names = [
        each.get("value", "")
        for each in cases["test_runs_in_threads"].iter("property")
        if each.get("name", "").endswith(".name")
    ]

    assert sorted(name for name in names if "thread" in name) == [f"thread {number}" for number in range(4)]


def test_workers_print_nothing_of_their_own(session: Session) -> None:
    assert session.output.count("Scenario Test Report") == 1


def test_the_rest_is_told_when_a_worker_dies(tmp_path: Path) -> None:
    tests = """
    import os

    def test_dies():
        scenario.run_sync(**order("before the end"))
        os._exit(3)

    @pytest.mark.parametrize("number", range(4))
    def test_passes(number):
        assert scenario.run_sync(**order(f"good {number}")).success
    """

    session = run_session(tmp_path, {"test_dies.py": tests}, *XDIST, "-n", "2")

    assert "crashed while running" in session.output
    assert all(f". good {number} - PASSED" in session.table for number in range(4))
