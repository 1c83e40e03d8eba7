"""The cache file: what it holds, how large it grows, and what happens when something is wrong with it."""

import hashlib
import json
import logging
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from scenario.caching import cache, clear, info
from scenario.caching.cache_file import CacheFile
from scenario.caching.cache_thread import cache_thread
from scenario.caching.entry import Claim, Entry
from scenario.caching.network_drive import is_on_network_drive
from scenario.caching.place import CachePlace, cache_place
from scenario.config import ModelConfig, ScenarioConfig
from scenario.errors import StoreError

BASE = 20_480  # bytes of a file without values
PROGRAM = """
import sys
from scenario.caching import cache
from scenario.config import ScenarioConfig

ScenarioConfig.configure(cache_key="key")

@cache()
def ask(text, size=1):
    print("computing", text)
    return text * size

{then}
"""


def run_program(cache_dir: Path, then: str) -> list[str]:
    """What a program says on its two streams that uses the cache."""
    code = PROGRAM.format(then=then)
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env={"SCENARIO_CACHE_DIR": str(cache_dir)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return [*finished.stdout.splitlines(), *finished.stderr.splitlines()]


@cache()
def ask(text: str, size: int = 1) -> str:
    asked.append(text)
    return text * size


asked: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_asked() -> None:  # pyright: ignore[reportUnusedFunction]
    asked.clear()


@pytest.fixture
def path(cache_dir: Path) -> Path:
    return cache_dir / "cache.db"


def forget_the_open_file() -> None:
    """Close the cache file, as at the end of a process."""
    cache_thread().submit(cache_place(), CacheFile.close).result(5)


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_the_cache_belongs_to_its_user_alone(cache_dir: Path, path: Path) -> None:
    ask("a")

    assert stat.S_IMODE(cache_dir.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in cache_dir.iterdir()} == {0o600}


def test_without_a_setting_it_is_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SCENARIO_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SCENARIO_CACHE_MAX_MB", "3")  # a place that no other test has asked for
    ask("a")

    assert (tmp_path / ".scenario" / "cache" / "cache.db").exists()


def test_no_secret_is_on_disk(cache_dir: Path, path: Path) -> None:
    secret = "sk-very-secret-1234567890"
    ScenarioConfig.configure(cache_key="private-project", default_model=ModelConfig(model="m", api_key=secret))

    class Agent:
        def __init__(self) -> None:
            self.api_key = secret

        @cache()
        def ask(self, config: ModelConfig, password: str) -> str:
            return "answer"

    Agent().ask(ModelConfig(model="m", api_key=secret), password=secret)
    forget_the_open_file()

    data = b"".join(file.read_bytes() for file in cache_dir.iterdir())
    assert b"answer" in data
    for forbidden in (secret, "private-project"):
        assert forbidden.encode() not in data
        assert hashlib.sha256(forbidden.encode()).digest() not in data


def test_a_value_is_kept_as_plain_json(path: Path) -> None:
    ask("a")

    assert query(path, "SELECT function, value FROM entries") == [("test_cache_file.ask", b'"a"')]
    assert json.loads(b'"a"') == "a"


def test_the_next_process_finds_what_this_one_kept(cache_dir: Path) -> None:
    assert run_program(cache_dir, "print(ask('a'))") == ["computing a", "a"]
    assert run_program(cache_dir, "print(ask('a'))") == ["a"]


# Limits


def test_a_full_cache_drops_what_was_used_longest_ago(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setenv("SCENARIO_CACHE_MAX_MB", "0.4")
    for number in range(60):
        ask(f"{number:02}", 5_000)
        ask("00", 5_000)
    size = info().size_bytes
    dropped = 60 - info().entries
    forget_the_open_file()
    asked.clear()
    ask("00", 5_000)
    ask("01", 5_000)

    assert BASE < size <= 400_000
    assert path.stat().st_size <= 440_000
    assert 20 < dropped < 40
    assert asked == ["01"], "the value that was used all the time is there, the next oldest is not"


def test_a_value_that_would_fill_the_cache_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_CACHE_MAX_MB", "0.1")
    ask("a", 50_000)
    ask("b", 1)

    assert info().entries == 1


def test_a_cache_of_size_zero_keeps_nothing(monkeypatch: pytest.MonkeyPatch, cache_dir: Path) -> None:
    monkeypatch.setenv("SCENARIO_CACHE_MAX_MB", "0")

    assert (ask("a"), ask("a")) == ("a", "a")
    assert asked == ["a", "a"]
    assert not cache_dir.exists()


def age(path: Path, seconds: float) -> None:
    """Make all values look as if they were used that long ago."""
    forget_the_open_file()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE entries SET used = ?", (time.time() - seconds,))
        connection.commit()


def test_what_was_not_used_for_90_days_is_forgotten(path: Path) -> None:
    ask("a")
    age(path, 91 * 86_400)
    ask("b")

    assert [text for (text,) in query(path, "SELECT value FROM entries")] == [b'"b"']


def test_what_was_used_in_the_meantime_is_kept(path: Path) -> None:
    ask("a")
    age(path, 89 * 86_400)
    ask("a")
    forget_the_open_file()

    ((used,),) = query(path, "SELECT used FROM entries")
    assert asked == ["a"]
    assert isinstance(used, float)
    assert used > time.time() - 60


def test_the_age_limit_can_be_set_and_switched_off(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setenv("SCENARIO_CACHE_MAX_DAYS", "0")
    ask("a")
    age(path, 10_000 * 86_400)
    ask("a")
    assert asked == ["a"]

    age(path, 3 * 86_400)
    monkeypatch.setenv("SCENARIO_CACHE_MAX_DAYS", "2")
    ask("a")
    assert asked == ["a", "a"]


def test_a_setting_that_is_no_number_is_named_and_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for text in ("lots", "-1", "nan", "inf"):
        monkeypatch.setenv("SCENARIO_CACHE_MAX_MB", text)
        assert cache_place().max_bytes == 500_000_000

    assert "SCENARIO_CACHE_MAX_MB='lots' is not a number from 0 up; 500 is used instead" in caplog.text
    assert len(caplog.records) == 4


# Trouble


def test_a_cache_that_is_removed_while_in_use_is_made_again(cache_dir: Path) -> None:
    ask("a")
    shutil.rmtree(cache_dir)

    assert (ask("a"), ask("a")) == ("a", "a")
    assert asked == ["a", "a"]


def test_a_file_that_is_removed_while_in_use_is_made_again(path: Path) -> None:
    ask("a")
    path.unlink()

    assert (ask("a"), ask("a")) == ("a", "a")
    assert asked == ["a", "a"]


def test_a_cache_that_another_process_empties_is_empty(cache_dir: Path) -> None:
    ask("a")
    ask("a")
    run_program(cache_dir, "from scenario.caching import clear\nassert clear() == 1")
    ask("a")

    assert asked == ["a", "a"]


def test_a_python_without_sqlite_has_no_cache(cache_dir: Path) -> None:
    said = run_program(cache_dir, "sys.modules['sqlite3'] = None\nprint(ask('a'), ask('a'))")

    assert said[:3] == ["computing a", "computing a", "a a"]
    assert len(said) == 4
    assert "the cache does not work (ModuleNotFoundError" in said[3]


@pytest.mark.parametrize("part", [10, 100, 5_000, 12_288])
def test_a_truncated_file_is_moved_away_and_begun_anew(path: Path, part: int, caplog: pytest.LogCaptureFixture) -> None:
    ask("a")
    forget_the_open_file()
    os.truncate(path, part)

    assert [ask("a") for _ in range(3)] == ["a"] * 3
    assert ask("b") == ask("b") == "b"
    assert asked.count("b") <= 2
    assert len(caplog.records) == 1
    assert "is damaged; it was moved to" in caplog.text
    assert path.with_name("cache.db.damaged").stat().st_size == part


def test_a_file_truncated_to_nothing_is_begun_anew(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ask("a")
    forget_the_open_file()
    os.truncate(path, 0)

    assert (ask("a"), ask("a")) == ("a", "a")
    assert asked == ["a", "a"]
    assert not caplog.records


def test_a_file_of_rubbish_is_moved_away_and_begun_anew(
    cache_dir: Path, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache_dir.mkdir()
    path.write_bytes(b"rubbish" * 1000)

    assert [ask("a") for _ in range(3)] == ["a"] * 3
    assert len(asked) < 3
    assert len(caplog.records) == 1


def test_a_value_that_is_damaged_is_computed_anew(path: Path) -> None:
    ask("a")
    forget_the_open_file()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE entries SET value = CAST('{\"$\": 1' AS BLOB)")
        connection.commit()

    assert (ask("a"), ask("a")) == ("a", "a")
    assert asked == ["a", "a"]


def test_the_file_of_a_newer_version_is_left_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ask("a")
    forget_the_open_file()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    assert [ask("a") for _ in range(3)] == ["a"] * 3
    assert asked == ["a"] * 4
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "was written by a newer version of Scenario (format 99; this one has 1); nothing is cached" in caplog.text
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="newer version"):
        clear()


def test_a_database_of_somebody_else_is_left_alone(
    cache_dir: Path, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache_dir.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE entries (mine TEXT)")
    before = path.read_bytes()

    assert (ask("a"), ask("a")) == ("a", "a")
    assert len(caplog.records) == 1
    assert "is not a cache of Scenario; nothing is cached. Remove it, or set SCENARIO_CACHE_DIR" in caplog.text
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="is not a cache of Scenario"):
        clear()


def test_the_file_of_an_older_version_is_begun_anew(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ask("a")
    forget_the_open_file()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE entries")
        connection.execute("CREATE TABLE entries (of TEXT)")
        connection.execute("PRAGMA user_version = 0")

    assert (ask("a"), ask("a")) == ("a", "a")
    assert asked == ["a", "a"]
    assert not caplog.records


def test_where_no_cache_can_be_made_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SCENARIO_CACHE_DIR", str(tmp_path / "file" / "cache"))

    assert (ask("a"), ask("a")) == ("a", "a")
    assert asked == ["a", "a"]
    assert len(caplog.records) == 1
    assert "cannot be opened" in caplog.text


def test_where_the_file_is_a_folder_there_is_no_cache(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.mkdir(parents=True)

    assert (ask("a"), ask("a")) == ("a", "a")
    assert len(caplog.records) == 1


@pytest.fixture
def read_only(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path, path: Path) -> Iterator[Path]:
    """A cache with one value that a program of somebody else may only read."""
    run_program(cache_dir, "ask('a')")
    folders = [cache_dir, *cache_dir.parents]
    modes = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in folders}
    for folder in folders:
        if modes[folder] & 0o077 == 0:
            folder.chmod(0o755)
    cache_dir.chmod(0o555)
    path.chmod(0o444)
    yield cache_dir
    for folder, mode in modes.items():
        folder.chmod(mode)


AS_SOMEBODY_ELSE = """
import os
import scenario.caching.cache_file

if os.getuid() == 0:
    os.setuid(65534)
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_read_only_file_is_read(read_only: Path) -> None:
    said = run_program(read_only, AS_SOMEBODY_ELSE + "print(ask('a'), ask('b'), ask('b'))")

    assert said[:-1] == ["computing b", "computing b", "a b b"]
    assert "cannot be written" in said[-1]
    assert "what is in it is used, and nothing is added" in said[-1]


FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
for text in "bcdef":
    assert ask(text, 20_000) == text * 20_000
print(ask("a"))
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_on_a_full_disk_values_are_given_all_the_same(cache_dir: Path) -> None:
    run_program(cache_dir, "ask('a')")

    said = run_program(cache_dir, FULL)

    assert said[:5] == [f"computing {text}" for text in "bcdef"]
    assert said[5] == "a"
    assert len(said) == 7
    assert "perhaps for lack of space; nothing is added for now" in said[6]


def test_a_busy_file_is_waited_for_once_and_named_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ask("a")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        assert [ask(text) for text in "bcdefgh"] == [*"bcdefgh"]
        assert time.monotonic() - began < 3
        assert ask("a") == "a"
        other.execute("ROLLBACK")

    assert asked == [*"abcdefgh"]
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "is held by another process (database is locked); nothing is added for 15 s at a time" in warning


def test_a_file_that_cannot_be_opened_for_being_busy_is_waited_for_once(path: Path, cache_dir: Path) -> None:
    cache_dir.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        assert [ask(text) for text in "abcdef"] == [*"abcdef"]
        assert time.monotonic() - began < 4
        other.execute("ROLLBACK")


def test_a_busy_file_is_tried_again_after_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenario.caching.cache_file._SECONDS_LEFT_TO_OTHERS", 0.0)
    ask("a")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ask("b")
        other.execute("ROLLBACK")

    ask("c")
    assert info().entries == 2


def test_many_caches_are_used_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        for number in range(12):
            monkeypatch.setenv("SCENARIO_CACHE_DIR", str(tmp_path / str(number)))
            ask("a")

    assert len(asked) == 12


def test_a_link_to_the_folder_is_the_same_cache(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask("a")
    (tmp_path / "link").symlink_to(cache_dir)
    monkeypatch.setenv("SCENARIO_CACHE_DIR", str(tmp_path / "link"))
    ask("a")

    assert asked == ["a"]


def test_uses_are_written_down_now_and_then(cache_dir: Path, path: Path) -> None:
    place = replace(cache_place(), max_age=None)
    file = CacheFile(str(path), place)
    for number in range(300):
        file.keep(Entry(key=number.to_bytes(2, "big"), scope=b"", function="f", value=b"1"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE entries SET used = 0")
        connection.commit()
    for number in range(300):
        assert file.value(number.to_bytes(2, "big")) == b"1"

    assert query(path, "SELECT COUNT(*) FROM entries WHERE used > 0") == [(256,)]
    file.close()
    assert query(path, "SELECT COUNT(*) FROM entries WHERE used > 0") == [(300,)]


def test_a_value_that_comes_while_it_is_being_claimed_is_found_and_not_claimed(cache_dir: Path, path: Path) -> None:
    class Late(CacheFile):
        looks = 0

        def value(self, key: bytes) -> bytes | None:
            self.looks += 1
            return super().value(key) if self.looks > 1 else None

    file = Late(str(path), cache_place())
    assert file.value_or_claim(b"absent" * 2) is Claim.MINE
    file.claims.release(b"absent" * 2)
    file.keep(Entry(key=b"present!", scope=b"", function="f", value=b"1"))
    file.looks = 0

    assert file.value_or_claim(b"present!") == b"1"
    assert not file.is_claimed
    file.close()


def test_a_drive_of_this_machine_is_no_network_drive(tmp_path: Path) -> None:
    assert not is_on_network_drive(str(tmp_path))
    assert not is_on_network_drive("/nowhere/at all")


# What is in it


def test_the_cache_tells_what_is_in_it(path: Path) -> None:
    @cache()
    def other() -> int:
        return 1

    ask("a")
    ask("b")
    other()
    contents = info()

    assert (contents.path, contents.entries, contents.max_bytes) == (str(path), 3, 500_000_000)
    assert contents.size_bytes >= BASE
    assert contents.max_age == 90 * 86_400
    assert next(iter(contents.functions.items())) == ("test_cache_file.ask", 2)


def test_the_cache_tells_why_a_foreign_file_cannot_be_read(path: Path, cache_dir: Path) -> None:
    cache_dir.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")

    for _ in range(2):
        assert "is not a cache of Scenario" in info().problem
    path.unlink()
    assert info().problem == ""


def test_looking_into_the_cache_loads_no_settings(cache_dir: Path) -> None:
    program = """
import sys
from scenario.caching import clear, info
info(), clear()
print([name for name in ("pydantic", "asyncio", "scenario.config") if name in sys.modules])
"""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        env={"SCENARIO_CACHE_DIR": str(cache_dir)},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert finished.stdout == "[]\n"


def test_asking_what_is_in_a_cache_does_not_make_one(cache_dir: Path) -> None:
    assert info().entries == 0
    assert clear() == 0
    assert not cache_dir.exists()


def test_the_cache_can_be_emptied(path: Path) -> None:
    for number in range(20):
        ask(str(number), 5_000)

    assert clear() == 20
    assert path.stat().st_size <= 2 * BASE
    ask("1", 5_000)
    assert asked.count("1") == 2


def test_what_belongs_to_one_cache_key_can_be_dropped_alone() -> None:
    ask("a")
    ScenarioConfig.configure(cache_key="other")
    ask("a")
    ask("b")

    assert (clear("unheard of"), clear("other")) == (0, 2)
    assert info().entries == 1


def test_a_damaged_cache_can_be_emptied(cache_dir: Path, path: Path) -> None:
    cache_dir.mkdir()
    path.write_bytes(b"rubbish" * 1000)

    assert clear() == 0
    assert ask("a") == ask("a") == "a"
    assert asked == ["a"]


def test_the_limits_of_a_place_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_CACHE_DIR", "/a")
    monkeypatch.setenv("SCENARIO_CACHE_MAX_MB", "1.5")
    monkeypatch.setenv("SCENARIO_CACHE_MAX_DAYS", "2")

    assert cache_place() == CachePlace(directory="/a", max_bytes=1_500_000, max_age=172_800)
