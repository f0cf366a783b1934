"""A file stays open between statements only while it is provably the same, and nothing stays of the statements."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from mcp_daan import sqlite_files
from mcp_daan.d1.guard import LIMITS, PRAGMAS
from mcp_daan.d1.keeping import Held, Keeper
from mcp_daan.d1.statement import answer
from mcp_daan.errors import DaanError

from .conftest import Portal
from .test_pool import wait_until

TABLE = "CREATE TABLE t(id INTEGER PRIMARY KEY, x, token); INSERT INTO t VALUES (1, 10, 'hunter2');"
COUNT = "SELECT count(*) FROM t"
SETTINGS = (
    apsw.SQLITE_DBCONFIG_DEFENSIVE,
    apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA,
    apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER,
    apsw.SQLITE_DBCONFIG_ENABLE_QPSG,
    apsw.SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE,
    apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
)


class Reader:
    """One process's keeper, and what it is asked."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.files = Keeper()

    def told(self, sql: str, **more: Any) -> dict[str, Any]:
        """The whole answer to *sql*."""
        asked: dict[str, Any] = {"parameters": [], "skip": 0, "seen": "", "limit": 100, "room": 60_000, "patterns": []}
        asked |= {"path": str(self.file), "seconds": 5.0, **more}
        told, rows = answer(self.files, sql=sql, **asked)
        return {**json.loads(told), "rows": json.loads(rows)}

    def rows(self, sql: str, **more: Any) -> list[list[Any]]:
        """The rows of *sql*."""
        rows: list[list[Any]] = self.told(sql, **more)["rows"]
        return rows


def later(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on in the next tick of the clock of *file*'s file system, as if none were coarser."""
    probe = file.with_name("probe")
    probe.touch()
    while probe.stat().st_ctime_ns <= file.stat().st_ctime_ns:
        probe.touch()
    probe.unlink()
    monkeypatch.setattr(sqlite_files, "SETTLED_NANOSECONDS", 0)


@pytest.fixture(params=[False, True], ids=["with a rollback journal", "with a write-ahead log"])
def reader(empty: Portal, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """A reader of a file that nobody touched lately, and that it keeps open."""
    reader = Reader(empty.fill(TABLE, wal=request.param))
    later(reader.file, monkeypatch)
    assert (reader.rows(COUNT), reader.files.holds) == ([[1]], True)
    yield reader
    reader.files.let_go()


def test_the_next_statement_finds_the_file_open(reader: Reader) -> None:
    """One connection serves both."""
    with reader.files.reading(str(reader.file), [], seconds=5) as first:
        pass
    with reader.files.reading(str(reader.file), [], seconds=5) as second:
        same = first.connection is second.connection

    assert (same, reader.rows("SELECT * FROM t")) == (True, [[1, 10, "***"]])


def test_what_was_written_since_is_read(reader: Reader, empty: Portal) -> None:
    """With the columns that came, the secret ones masked."""
    empty.write("INSERT INTO t VALUES (2, 20, 's'); ALTER TABLE t ADD COLUMN secret DEFAULT 'hunter3';")

    assert reader.rows("SELECT * FROM t") == [[1, 10, "***", "***"], [2, 20, "***", "***"]]


def test_a_change_that_hides_its_time_is_read(reader: Reader, empty: Portal) -> None:
    """The time of the change itself cannot be set."""
    before = reader.file.stat()
    empty.write("UPDATE t SET x = 11")
    os.utime(reader.file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert reader.rows("SELECT x FROM t") == [[11]]
    assert reader.file.stat().st_size == before.st_size


def test_another_file_under_the_same_name_is_read(reader: Reader, empty: Portal) -> None:
    """As when the folder of the state was made anew."""
    other = reader.file.with_name("other")
    shutil.copy2(reader.file, other)
    connection = apsw.Connection(str(other))
    connection.execute("PRAGMA journal_mode = DELETE; UPDATE t SET x = 12").fetchall()
    connection.close()
    other.replace(reader.file)

    assert reader.rows("SELECT x FROM t") == [[12]]


def test_what_stands_in_the_log_since_is_read_and_its_writer_left_alone(
    empty: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The main file is as it was; beside a running Worker nothing stays open, which would keep its log from ending."""
    reader = Reader(empty.fill(TABLE, wal=True))
    later(reader.file, monkeypatch)
    before = (reader.rows(COUNT), reader.files.holds)
    writer = apsw.Connection(str(reader.file))
    writer.execute("INSERT INTO t VALUES (2, 20, 's')")
    beside = (reader.rows(COUNT), reader.files.holds)
    writer.close()

    assert (before, beside) == (([[1]], True), ([[2]], False))
    assert [file.name for file in reader.file.parent.iterdir()] == [reader.file.name]


def test_a_file_of_the_last_moment_is_opened_anew(empty: Portal) -> None:
    """A second change within one tick of the clock would look like none, whatever time was set."""
    reader = Reader(empty.fill(TABLE))
    os.utime(reader.file, ns=(1, 1))

    assert (reader.rows(COUNT), reader.files.holds) == ([[1]], False)


def test_another_database_and_other_secrets_are_asked_for_anew(reader: Reader) -> None:
    """Whoever has the file open."""
    other = reader.file.with_name("other.sqlite")
    connection = apsw.Connection(str(other))
    connection.execute("CREATE TABLE t(x); INSERT INTO t VALUES ('other')")
    connection.close()

    assert reader.rows("SELECT x FROM t", patterns=["t.x"]) == [["***"]]
    assert reader.rows("SELECT x FROM t") == [[10]]
    assert reader.rows("SELECT x FROM t", path=str(other)) == [["other"]]


def test_nobody_is_kept_from_writing(reader: Reader) -> None:
    """Between statements there is no lock, whether the last one came to its end or not."""
    reader.rows("SELECT a.* FROM t AS a, json_each('[1, 2, 3]')", limit=1)
    writer = apsw.Connection(str(reader.file))
    writer.execute("INSERT INTO t VALUES (2, 20, 's')")
    writer.close()

    assert reader.rows(COUNT) == [[2]]


def test_a_statement_that_failed_closes_the_file(reader: Reader) -> None:
    """Whatever state it left, it is gone."""
    with pytest.raises(DaanError):
        reader.rows("DELETE FROM t")

    assert (reader.files.holds, reader.rows(COUNT)) == (False, [[1]])


def test_virtual_tables_keep_their_file_from_staying_open(empty: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their modules have caches and statements of their own."""
    reader = Reader(empty.fill("CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('word');"))
    later(reader.file, monkeypatch)

    assert (reader.rows("SELECT x FROM f WHERE f MATCH 'word'"), reader.files.holds) == ([["word"]], False)


def state(held: Held) -> list[Any]:
    """All that a statement could have left behind on its connection."""
    connection = held.connection
    pragmas = [connection.execute(f"PRAGMA {name}").fetchall() for name in sorted(PRAGMAS - {"data_version"})]
    own = [connection.execute(f"PRAGMA {name}").get for name in ("query_only", "temp_store", "mmap_size")]
    bounds = [connection.limit(which) for which in LIMITS] + [connection.config(which, -1) for which in SETTINGS]
    changes = [connection.total_changes(), connection.changes(), connection.last_insert_rowid()]
    return [connection.authorizer, connection.in_transaction, connection.exec_trace, pragmas, own, bounds, changes]


def test_nothing_stays_of_a_statement(reader: Reader) -> None:
    """Not of one that is run in other words, nor of one read as bytes, nor of a PRAGMA."""
    statements = [
        "SELECT CAST(x'ff' AS TEXT)",
        "SELECT id FROM t WHERE id > ? ORDER BY token",
        *(f"PRAGMA {name}" for name in sorted(PRAGMAS)),
        "SELECT * FROM json_each('[1]'), pragma_table_info('t')",
        "EXPLAIN QUERY PLAN SELECT * FROM t",
        "SELECT random(), hex(randomblob(9))",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5000) SELECT x FROM c ORDER BY random()",
    ]
    with Keeper().reading(str(reader.file), [], seconds=5) as fresh:
        expected = state(fresh)
    left = {}
    for sql in statements:
        reader.told(sql, parameters=[0] if "?" in sql else [], limit=10)
        assert reader.files.holds, sql
        with reader.files.reading(str(reader.file), [], seconds=5) as held:
            left[sql] = state(held)

    assert [sql for sql, found in left.items() if found != expected] == []


def test_an_open_file_takes_half_a_megabyte_at_most(reader: Reader) -> None:
    """SQLite would keep two of it; a server that has run for a day is as light as one that has just begun."""
    with Keeper().reading(str(reader.file), [], seconds=5) as held:
        kib = -held.connection.pragma("cache_size")

    assert 0 < kib <= 512


def test_a_file_that_nobody_asks_about_is_let_go(portal: Portal) -> None:
    """Who moves or deletes it finds it free after a second."""
    portal.write("DROP TABLE docs_fts")

    def holds() -> bool:
        found = [Path(f"/proc/{each}/fd") for each in portal.app.pool.processes]
        return any(os.path.realpath(link) == str(portal.file.resolve()) for each in found for link in each.iterdir())

    kept = wait_until(lambda: portal.rows("SELECT count(*) FROM users") == [[4]] and holds())

    assert (kept, wait_until(lambda: not holds())) == (True, True)
