"""Files are opened for reading only, whatever state they are in."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from mcp_daan.d1.failures import MEANING, translated
from mcp_daan.d1.reading import reading
from mcp_daan.errors import DaanError, NotFound, Refused, TooSlow, Unavailable

from .conftest import Portal, code, contents

COUNT = "SELECT count(*) FROM t"


def count(file: Path) -> int:
    """The rows of t."""
    with reading(file, seconds=2) as connection:
        found: int = connection.execute(COUNT).fetchall()[0][0]
        return found


@pytest.fixture
def log(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A writer like `wrangler dev`: three rows, two of them in the write-ahead log only."""
    writer = sqlite3.connect(tmp_path / "dev.sqlite", isolation_level=None)
    writer.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t(x); INSERT INTO t VALUES (1);")
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer.execute("INSERT INTO t VALUES (2), (3)")
    yield writer
    writer.close()


def test_what_stands_in_the_log_of_a_running_worker_is_read(log: sqlite3.Connection, tmp_path: Path) -> None:
    """And what it writes afterwards too; it can write while it is read."""
    before = count(tmp_path / "dev.sqlite")
    with reading(tmp_path / "dev.sqlite", seconds=2) as connection:
        connection.execute(COUNT).fetchall()
        log.execute("INSERT INTO t VALUES (4)")

    assert (before, count(tmp_path / "dev.sqlite")) == (3, 4)


def test_one_reading_sees_one_state(log: sqlite3.Connection, tmp_path: Path) -> None:
    """Two statements of it cannot disagree."""
    with reading(tmp_path / "dev.sqlite", seconds=2) as connection:
        log.execute("DELETE FROM t")

        assert connection.execute(COUNT).fetchall() == [(3,)]


def test_a_file_at_rest_is_left_as_it_is(log: sqlite3.Connection, tmp_path: Path) -> None:
    """No -wal and no -shm appear beside it."""
    log.close()
    before = contents(tmp_path)

    assert (count(tmp_path / "dev.sqlite"), before) == (3, contents(tmp_path))
    assert list(before) == ["dev.sqlite"]


def test_the_log_that_a_killed_worker_left_is_read(log: sqlite3.Connection, tmp_path: Path) -> None:
    """Its -shm is gone."""
    crashed = tmp_path / "crashed.sqlite"
    shutil.copyfile(tmp_path / "dev.sqlite", crashed)
    shutil.copyfile(tmp_path / "dev.sqlite-wal", f"{crashed}-wal")

    assert count(crashed) == 3


def test_the_log_of_a_killed_worker_is_read_without_leaving_a_trace(log: sqlite3.Connection, tmp_path: Path) -> None:
    """No -shm appears in the workspace."""
    log.execute("INSERT INTO t VALUES (2)")
    log.commit()
    folder = tmp_path / "crashed"
    folder.mkdir()
    for ending in ("", "-wal"):
        shutil.copyfile(tmp_path / f"dev.sqlite{ending}", folder / f"db.sqlite{ending}")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with reading(folder / "db.sqlite", seconds=5) as connection:
        connection.execute("SELECT * FROM t").fetchall()

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_log_in_a_folder_that_is_closed_to_us_is_read_from_a_copy(log: sqlite3.Connection, tmp_path: Path) -> None:
    """Where SQLite cannot make the -shm that it needs."""
    crashed = tmp_path / "crashed.sqlite"
    shutil.copyfile(tmp_path / "dev.sqlite", crashed)
    shutil.copyfile(tmp_path / "dev.sqlite-wal", f"{crashed}-wal")
    # Even root cannot make a file there.
    Path(f"{crashed}-shm").mkdir()
    before = contents(tmp_path)

    assert (count(crashed), before) == (3, contents(tmp_path))


def test_a_file_that_is_rewritten_while_it_is_read_is_not_trusted(log: sqlite3.Connection, tmp_path: Path) -> None:
    """A file at rest is read without locks, so a checkpoint meanwhile could tear what was read."""
    log.close()

    def rewritten() -> None:
        with reading(tmp_path / "dev.sqlite", seconds=2) as connection:
            connection.execute(COUNT).fetchall()
            os.utime(tmp_path / "dev.sqlite", ns=(1, 1))

    with pytest.raises(Unavailable, match="rewritten"):
        rewritten()


def test_a_locked_database_is_unavailable(portal: Portal) -> None:
    """After a second's patience."""
    portal.write("PRAGMA journal_mode = DELETE")
    writer = sqlite3.connect(portal.file, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")

    answer = portal.query("SELECT 1 FROM users")
    writer.close()

    assert (code(answer), answer.summary) == ("unavailable", "The database is locked by a writer.")
    assert answer.error is not None
    assert answer.error.retryable


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"not a database, but longer than a header is: " * 100, "The file is not a SQLite database."),
        (b"SQLite format 3\0" + b"\xff" * 4080, "The file is not a SQLite database."),
    ],
)
def test_a_file_that_is_no_database_is_unavailable(empty: Portal, content: bytes, told: str) -> None:
    """Not found would send people to make another."""
    empty.file.parent.mkdir(parents=True)
    empty.file.write_bytes(content)

    answers = [empty.query("SELECT 1"), empty.call("d1_schema", database="portal-db")]

    assert [(code(answer), answer.summary) for answer in answers] == [("unavailable", told)] * 2
    assert [answer.error and answer.error.retryable for answer in answers] == [False, False]


def test_a_damaged_database_is_unavailable(portal: Portal) -> None:
    """Whichever page it is."""
    whole = portal.file.read_bytes()
    portal.file.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))

    assert code(portal.query("SELECT * FROM users")) == "unavailable"


def test_a_damaged_rtree_keeps_us_from_no_other_table(empty: Portal) -> None:
    """It is opened before the guard stands, and whoever reads it is told."""
    empty.fill("CREATE TABLE t(x); INSERT INTO t VALUES (1); CREATE VIRTUAL TABLE area USING rtree(id, low, high);")
    empty.write("DELETE FROM area_node")

    assert count(empty.file) == 1
    assert code(empty.query("SELECT * FROM area")) == "unavailable"


def test_a_cut_off_database_is_unavailable(portal: Portal) -> None:
    """Its last pages are missing."""
    whole = portal.file.read_bytes()
    portal.file.write_bytes(whole[: len(whole) // 2])

    assert code(portal.query("SELECT * FROM invoices, docs_fts")) == "unavailable"


def test_an_empty_file_is_a_database_without_tables(empty: Portal) -> None:
    """SQLite says so too."""
    empty.fill("")
    empty.file.write_bytes(b"")

    assert (empty.rows("SELECT 1"), empty.file.read_bytes()) == ([[1]], b"")
    assert empty.call("d1_schema", database="portal-db").data["tables"] == []


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_opened(empty: Portal, make: object) -> None:
    """A pipe would keep its reader waiting for ever."""
    empty.file.parent.mkdir(parents=True)
    make(empty.file)  # type: ignore[operator]

    assert code(empty.query("SELECT 1")) == "not_found"
    with pytest.raises(NotFound), reading(empty.file, seconds=1):
        pass


@pytest.mark.parametrize(
    "sql", ["DELETE FROM users", "ATTACH ':memory:' AS x", "PRAGMA query_only = 0", "COMMIT", "SELECT * FROM _cf_KV"]
)
def test_our_own_statements_are_guarded_too(portal: Portal, sql: str) -> None:
    """A mistake of ours must not write either."""
    with pytest.raises(Refused), reading(portal.file, seconds=2) as connection:
        connection.execute(sql)


def test_our_own_statements_have_a_deadline(portal: Portal) -> None:
    """A large table cannot hold the server."""
    started = time.monotonic()
    with pytest.raises(TooSlow), reading(portal.file, seconds=0.2) as connection:
        connection.execute(
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
        ).fetchall()

    assert time.monotonic() - started < 1


def test_a_missing_file_is_not_found_and_not_made(tmp_path: Path) -> None:
    """Reading makes nothing."""
    with pytest.raises(NotFound), reading(tmp_path / "none.sqlite", seconds=1):
        pass

    assert contents(tmp_path) == {}


def subclasses(kind: type[apsw.Error]) -> Iterator[type[apsw.Error]]:
    """*kind* and everything below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from subclasses(below)


@pytest.mark.parametrize("kind", list(subclasses(apsw.Error)))
def test_every_failure_of_sqlite_has_words_of_our_own(kind: type[apsw.Error]) -> None:
    """SQLite's could quote a value of the database."""
    failure = translated(kind("UNIQUE constraint failed: hunter2"))

    assert isinstance(failure, DaanError)
    assert "hunter2" not in failure.message + failure.advice
    assert failure.advice


def test_each_meaning_is_a_failure_that_callers_may_see() -> None:
    """With a message and advice."""
    assert [
        kind for kind, (failure, message, advice) in MEANING.items() if not (failure.code and message and advice)
    ] == []
