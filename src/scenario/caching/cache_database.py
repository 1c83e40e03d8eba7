"""The database the cache is kept in, as long as nothing is wrong with it."""

import contextlib
import sqlite3
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from urllib.parse import quote

from scenario.caching.entry import Entry

_APPLICATION = 0x53_43_4E_31
_VERSION = 1
_SCHEMA = """
CREATE TABLE entries (
    key BLOB PRIMARY KEY,
    scope BLOB NOT NULL,
    function TEXT NOT NULL,
    value BLOB NOT NULL,
    used REAL NOT NULL
);
CREATE INDEX entries_by_use ON entries (used);
"""

_BUSY_SECONDS = 1.0
_WAL_BYTES = 8_000_000
_SHARE_AFTER_DROPPING = 0.9


class Unusable(Exception):
    """A file is not for us to read or change; the text says what it is."""


class CacheDatabase:
    """An open database. What goes wrong is raised as `sqlite3.Error`.

    Args:
        path: Path of the file, which exists.
        shared: Whether other machines may have it open as well.
        mode: How it is opened: `mode=rw`, or `mode=ro` or `immutable=1` to read only.

    Raises:
        Unusable: If the file is the cache of a newer version, or no cache, or is to be read only and is empty.
    """

    def __init__(self, path: str, *, shared: bool = False, mode: str = "mode=rw") -> None:
        self._connection = sqlite3.connect(
            f"file:{quote(path)}?{mode}", timeout=_BUSY_SECONDS, isolation_level=None, uri=True
        )
        try:
            self._prepare(shared=shared, to_write=mode == "mode=rw")
        except BaseException:
            self.close()
            raise

    def value(self, key: bytes) -> tuple[bytes, float] | None:
        """Return the text of a value and when it was last used, in seconds since the epoch; None if it is not there."""
        return self._connection.execute("SELECT value, used FROM entries WHERE key = ?", (key,)).fetchone()

    def keep(self, entry: Entry, max_bytes: int, uses: Mapping[bytes, float]) -> bool:
        """Keep a value. If that takes more than the room there is, drop those used longest ago.

        Args:
            entry: The value.
            max_bytes: Room there is for the whole file.
            uses: When other values were used; it is written down when values have to be dropped.

        Returns:
            Whether `uses` was written down.
        """
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO entries (key, scope, function, value, used) VALUES (?, ?, ?, ?, ?)",
                (entry.key, entry.scope, entry.function, entry.value, time.time()),
            )
            is_full = self.used_bytes() > max_bytes
            if is_full:
                self._note_uses(uses)
                self._drop_until(max_bytes * _SHARE_AFTER_DROPPING)
        if is_full:
            self._give_back_room()
        return is_full

    def note_uses(self, uses: Mapping[bytes, float]) -> None:
        """Write down when values were used."""
        with self._transaction():
            self._note_uses(uses)

    def drop_unused_since(self, moment: float) -> None:
        """Drop the values that were not used since `moment`, in seconds since the epoch."""
        if self._connection.execute("SELECT 1 FROM entries WHERE used < ? LIMIT 1", (moment,)).fetchone():
            self._connection.execute("DELETE FROM entries WHERE used < ?", (moment,))

    def clear(self, scope: bytes | None) -> int:
        """Drop all values, or those of one scope, give their room back, and return their number."""
        if scope is None:
            dropped = self._connection.execute("DELETE FROM entries").rowcount
        else:
            dropped = self._connection.execute("DELETE FROM entries WHERE scope = ?", (scope,)).rowcount
        self._give_back_room()
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return dropped

    def functions(self) -> dict[str, int]:
        """Return the number of values of each function, most first."""
        return dict(
            self._connection.execute(
                "SELECT function, COUNT(*) AS n FROM entries GROUP BY function ORDER BY n DESC, function"
            ).fetchall()
        )

    def used_bytes(self) -> int:
        """Return the size of the content."""
        return (self._pragma("page_count") - self._pragma("freelist_count")) * self._pragma("page_size")

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _prepare(self, *, shared: bool, to_write: bool) -> None:
        version = self._version()
        if version == _VERSION and not to_write:
            return
        if not to_write:
            raise Unusable("is empty, and cannot be written")
        if not version:
            self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        if not shared:
            # Another process may be doing the same just now; then it is done.
            with contextlib.suppress(sqlite3.OperationalError):
                self._connection.execute("PRAGMA journal_mode = WAL").fetchall()
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}").fetchall()
        if version != _VERSION:
            self._make_tables()

    def _make_tables(self) -> None:
        with self._transaction():
            if self._version() == _VERSION:
                return  # another process was faster
            self._connection.execute("DROP TABLE IF EXISTS entries")
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _version(self) -> int:
        """Return the version of our tables, 0 where there is nothing yet."""
        version = self._pragma("user_version")
        if self._pragma("application_id") == _APPLICATION:
            if version > _VERSION:
                raise Unusable(
                    f"was written by a newer version of Scenario (format {version}; this one has {_VERSION})"
                )
            return version
        (tables,) = self._connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if version or tables:
            raise Unusable("is not a cache of Scenario")
        return 0

    def _pragma(self, name: str) -> int:
        (value,) = self._connection.execute(f"PRAGMA {name}").fetchone()
        return value

    def _note_uses(self, uses: Mapping[bytes, float]) -> None:
        self._connection.executemany(
            "UPDATE entries SET used = ? WHERE key = ?", [(used, key) for key, used in uses.items()]
        )

    def _give_back_room(self) -> None:
        # As a script, because a plain statement would stop after the first free page.
        self._connection.executescript("PRAGMA incremental_vacuum")

    def _drop_until(self, size: float) -> None:
        """Drop the values used longest ago until the content is of that size."""
        while (excess := self.used_bytes() - size) > 0:
            oldest: list[tuple[int]] = []
            for row, length in self._connection.execute("SELECT rowid, length(value) FROM entries ORDER BY used"):
                oldest.append((row,))
                excess -= length
                if excess <= 0:
                    break
            if not oldest:
                return
            self._connection.executemany("DELETE FROM entries WHERE rowid = ?", oldest)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # After some errors there is nothing left to undo.
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            raise
