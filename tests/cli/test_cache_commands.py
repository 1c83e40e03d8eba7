"""`scenario cache`: what is in it, and dropping it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import scenario
from scenario.caching import cache
from scenario.cli import main


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCENARIO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@cache()
def answer(question: str) -> str:
    return question.upper()


class Shouting(scenario.AgentAdapter):
    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return answer(input.last_new_user_message_str())


def fill(*keys: str) -> None:
    for key in keys:
        scenario.run_sync(
            name="shouting",
            description="d",
            agents=[Shouting()],
            script=[scenario.user("hello"), scenario.agent(), scenario.succeed()],
            cache_key=key,
            verbose=False,
        )


def test_info_tells_where_it_is_and_what_it_holds(capsys: pytest.CaptureFixture[str], cache_dir: Path) -> None:
    fill("one", "two")

    assert main(["cache", "info"]) == 0

    where, values, size, dropped, function = capsys.readouterr().out.splitlines()
    assert where.split() == ["Cache", str(cache_dir / "cache.db")]
    assert values == "Values   2"
    assert size.endswith(" MB of 500 MB")
    assert dropped == "Dropped  after 90 days without use"
    assert function.split()[0] == "2"
    assert function.endswith("answer")


def test_info_as_json_is_for_programs(capsys: pytest.CaptureFixture[str], cache_dir: Path) -> None:
    fill("one")

    assert main(["cache", "info", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["path"] == str(cache_dir / "cache.db")
    assert told["entries"] == 1
    assert sum(told["functions"].values()) == 1
    assert 0 < told["size_bytes"] < told["max_bytes"]
    assert told["max_age_seconds"] == 90 * 86_400


def test_a_cache_that_was_never_used_is_empty_and_not_made(capsys: pytest.CaptureFixture[str], cache_dir: Path) -> None:
    assert main(["cache", "info"]) == 0

    assert "Values   0\n" in capsys.readouterr().out
    assert not cache_dir.exists()


def test_limits_of_the_environment_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENARIO_CACHE_MAX_MB", "0")
    monkeypatch.setenv("SCENARIO_CACHE_MAX_DAYS", "0")

    main(["cache", "info"])

    shown = capsys.readouterr().out
    assert "off: SCENARIO_CACHE_MAX_MB is 0" in shown
    assert "Dropped  never" in shown


def test_clear_drops_everything(capsys: pytest.CaptureFixture[str]) -> None:
    fill("one", "two")

    assert main(["cache", "clear"]) == 0
    assert main(["cache", "clear"]) == 0

    assert capsys.readouterr().out == "2 values dropped\n0 values dropped\n"


def test_clear_with_a_key_drops_what_was_kept_under_it(capsys: pytest.CaptureFixture[str]) -> None:
    fill("one", "two")

    assert main(["cache", "clear", "--key", "one", "--json"]) == 0
    assert main(["cache", "clear"]) == 0

    assert capsys.readouterr().out == '{\n  "dropped": 1\n}\n1 value dropped\n'


def test_a_file_that_is_no_cache_is_not_cleared(capsys: pytest.CaptureFixture[str], cache_dir: Path) -> None:
    cache_dir.mkdir()
    (cache_dir / "cache.db").mkdir()

    assert main(["cache", "clear"]) == 1

    said = capsys.readouterr()
    assert not said.out
    assert "Next: " in said.err


def test_a_file_that_is_no_cache_is_told_by_info_with_the_exit_code(
    capsys: pytest.CaptureFixture[str], cache_dir: Path
) -> None:
    cache_dir.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(cache_dir / "cache.db")) as foreign:
        foreign.execute("create table guests (name text)")
        foreign.commit()

    code = main(["cache", "info", "--json"])

    assert code == 1
    assert json.loads(capsys.readouterr().out)["problem"]
