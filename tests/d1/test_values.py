"""Whatever a table holds comes out as it is, each row once."""

import math
import sqlite3
from pathlib import Path
from random import Random
from typing import Any

import pytest

from .conftest import Portal

TEXTS = ("", "a", "é漢😀", "a\0b", "\u2028", '"quoted"', "1", "null", "\ufffd", "x" * 300, "\ud7ff\ue000", "Infinity")
INTEGERS = (0, 1, -1, 2**31, 2**53 - 1, 2**53, -(2**53), 2**63 - 1, -(2**63))
FLOATS = (0.0, -0.0, 0.1, 1e308, 5e-324, math.pi, math.inf, -math.inf, 2.0**53)
BROKEN = (b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xf5" * 40)


def test_strict_tables_keep_their_types(empty: Portal) -> None:
    """ANY keeps each value's own; the others are what they were declared."""
    empty.fill(
        "CREATE TABLE s(i INTEGER, r REAL, t TEXT, b BLOB, a ANY) STRICT;"
        "INSERT INTO s VALUES (9007199254740993, 1, 2, x'03', '4'), (NULL, NULL, NULL, NULL, 5.0);"
    )

    assert empty.rows("SELECT * FROM s") == [
        ["9007199254740993", 1.0, "2", {"blob": 1, "hex": "03"}, "4"],
        [None, None, None, None, 5.0],
    ]
    assert empty.rows("SELECT typeof(i), typeof(r), typeof(t), typeof(b), typeof(a) FROM s LIMIT 1") == [
        ["integer", "real", "text", "blob", "text"]
    ]
    assert empty.rows("SELECT strict FROM pragma_table_list('s')") == [[1]]


def test_generated_columns_are_read_stored_or_not(empty: Portal) -> None:
    """By name, by star, in a filter, and masked where they draw on a secret."""
    empty.fill(
        "CREATE TABLE g(a, token, twice AS (a * 2), kept TEXT AS ('n' || a) STORED, half AS (substr(token, 1, 2)));"
        "CREATE INDEX gi ON g(twice); INSERT INTO g(a, token) VALUES (1, 'hunter2'), (2, 'hunter3');"
    )

    assert empty.rows("SELECT * FROM g WHERE twice = 4") == [[2, "***", 4, "n2", "***"]]
    assert empty.rows("SELECT kept, twice FROM g ORDER BY twice DESC") == [["n2", 4], ["n1", 2]]


def test_views_are_read_as_tables_are(empty: Portal) -> None:
    """Over tables, over views, with names of their own, joins, windows and WITH; masked through all of it."""
    empty.fill(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, x, token); INSERT INTO t VALUES (1, 10, 's'), (2, 20, 's');"
        "CREATE VIEW one (number, value, hidden) AS SELECT id, x, token FROM t;"
        "CREATE VIEW two AS WITH c AS (SELECT number, value FROM one) SELECT a.number, b.value, sum(a.value) OVER () AS"
        " total FROM c a JOIN c b ON b.number <> a.number;"
        "CREATE VIEW gone AS SELECT * FROM nowhere;"
    )

    assert empty.rows("SELECT * FROM one ORDER BY value DESC") == [[2, 20, "***"], [1, 10, "***"]]
    assert empty.rows("SELECT * FROM two ORDER BY number") == [[1, 20, 30], [2, 10, 30]]
    assert empty.query("SELECT * FROM gone").summary == "There is no table `main.nowhere`."


def test_columns_of_one_name_stay_apart_by_the_page(empty: Portal) -> None:
    """Also where one of them is masked and the other is not."""
    empty.fill("CREATE TABLE t(a, token); INSERT INTO t VALUES (1, 's'), (2, 's'), (3, 's');")
    sql = "SELECT a AS n, token AS n, a + 1 AS n FROM t ORDER BY a"

    first = empty.query(sql, limit=2)
    second = empty.query(sql, limit=2, cursor=first.data["nextCursor"])

    assert [each.data["columns"] for each in (first, second)] == [["n"] * 3] * 2
    assert first.data["rows"] + second.data["rows"] == [[1, "***", 2], [2, "***", 3], [3, "***", 4]]


def written(file: Path, random: Random, rows: int) -> list[list[Any]]:
    """Rows of chance in table t, and how they travel."""
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c)")
    expected = []
    for number in range(rows):
        cells = [one(random) for _ in range(3)]
        marks = ", ".join("CAST(? AS TEXT)" if broken else "?" for _, _, broken in cells)
        connection.execute(f"INSERT INTO t VALUES (?, {marks})", [number, *(value for value, _, _ in cells)])
        expected.append([number, *(wire for _, wire, _ in cells)])
    connection.commit()
    connection.close()
    return expected


def one(random: Random) -> tuple[Any, Any, bool]:
    """A value, its wire form, and whether it is text that is not UTF-8."""
    kind = random.randrange(6)
    if kind == 0:
        number = random.choice(INTEGERS)
        return number, number if abs(number) < 2**53 else str(number), False
    if kind == 1:
        real = random.choice(FLOATS)
        return real, {math.inf: "Infinity", -math.inf: "-Infinity"}.get(real, real), False
    if kind == 2:
        text = random.choice(TEXTS)
        return text, text, False
    if kind == 3:
        blob = random.randbytes(random.randrange(80))
        return blob, {"blob": len(blob), "hex": blob[:32].hex()}, False
    if kind == 4:
        broken = random.choice(BROKEN)
        return broken, {"bytes": len(broken), "hex": broken[:32].hex()}, True
    return None, None, False


@pytest.mark.parametrize("seed", range(12))
def test_every_value_comes_once_by_pages_of_any_size(empty: Portal, seed: int) -> None:
    """Whatever the rows hold and wherever a page ends, the pages together are the table."""
    random = Random(seed)
    empty.file.parent.mkdir(parents=True)
    expected = written(empty.file, random, random.randrange(1, 120))
    rows: list[list[Any]] = []
    cursor: str | None = None
    while cursor is not None or not rows:
        limit = random.randrange(1, 40)
        answer = empty.query("SELECT * FROM t ORDER BY id", limit=limit, **({"cursor": cursor} if cursor else {}))
        assert answer.error is None, answer.error
        rows += answer.data["rows"]
        cursor = answer.data["nextCursor"]

    assert rows == expected
