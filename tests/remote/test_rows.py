"""Rows of our own statements, for use inside the process: all of them, once, secrets included."""

from collections.abc import Callable

import pytest

from mcp_daan.d1.remote.access import Remote
from mcp_daan.d1.remote.rows import read_rows
from mcp_daan.errors import DaanError, TooSlow

from .conftest import IDS, Account

FILL = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2500) INSERT INTO t SELECT i, 'token ' || i, x'00ff' FROM n"


@pytest.fixture
def remote(account: Account, scratch: Callable[..., None]) -> Remote:
    """The database `scratch` with a table of sealed tokens."""
    scratch("CREATE TABLE t (id INTEGER PRIMARY KEY, access_token TEXT, sealed BLOB)", FILL)
    database = account.app.for_call().database("scratch")
    return account.app.remote(database)


def test_every_row_comes_once_by_rowid(account: Account, remote: Remote) -> None:
    """In pages, from the least rowid to the greatest; each is read, and billed, once."""
    account.write(
        "scratch", "INSERT INTO t VALUES (-9223372036854775808, 'first', NULL), (9223372036854775807, 'last', NULL)"
    )
    rows = []
    sent = account.sent(lambda: rows.extend(read_rows(remote, 'SELECT access_token, sealed FROM "t"', by="t")))

    assert rows == [("first", None), *((f"token {n}", b"\x00\xff") for n in range(1, 2501)), ("last", None)]
    assert len(sent) == 3


def test_without_a_table_all_rows_come_in_one_answer(account: Account, remote: Remote) -> None:
    """Counts, for example, and tables without rowid; with parameters."""
    sent = account.sent(lambda: list(read_rows(remote, "SELECT count(*) FROM t")))

    assert list(read_rows(remote, "SELECT count(*) FROM t WHERE id > ?", [500])) == [(2000,)]
    assert len(sent) == 1


def test_rows_that_are_large_come_in_smaller_pages(account: Account, remote: Remote) -> None:
    """What exceeds an answer is asked for again in parts."""
    account.write("scratch", "UPDATE t SET access_token = hex(zeroblob(20000)) WHERE id <= 1000")
    rows = list(read_rows(remote, "SELECT id, access_token FROM t", by="t"))

    assert [row[0] for row in rows] == list(range(1, 2501))
    assert {len(str(row[1])) for row in rows[:1000]} == {40_000}


def test_text_that_is_not_utf8_is_told_as_sqlite_tells_it(account: Account, remote: Remote) -> None:
    """Read as bytes it is whole."""
    account.write("scratch", "INSERT INTO t VALUES (0, CAST(x'ff41' AS TEXT), NULL)")

    with pytest.raises(UnicodeDecodeError):
        list(read_rows(remote, "SELECT access_token FROM t", by="t"))
    assert next(read_rows(remote, "SELECT CAST(access_token AS BLOB) FROM t", by="t")) == (b"\xff\x41",)


def test_it_ends_at_its_deadline_and_tells_what_fails(remote: Remote) -> None:
    """And runs nothing but SELECT."""
    with pytest.raises(TooSlow):
        list(read_rows(remote, "SELECT id FROM t", by="t", seconds=0))
    with pytest.raises(DaanError):
        list(read_rows(remote, "SELECT nothing FROM t", by="t"))
    with pytest.raises(ValueError, match="SELECT"):
        list(read_rows(remote, "DELETE FROM t"))


def test_a_remote_database_is_named_by_its_id(account: Account) -> None:
    """Below its account."""
    database = account.app.for_call().database("scratch")

    assert account.app.remote(database).path.endswith(f"/d1/database/{IDS['scratch']}")
