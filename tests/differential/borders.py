"""Statements at D1's limits and one past each, and those that take parameters."""

from collections.abc import Iterator

from .statement import Statement

BYTES = 100_000
VALUE = 8 * 1024 * 1024 + 34


def borders() -> Iterator[Statement]:
    """At each limit and one past it."""
    for size in (1, 0, 50, 51):
        yield _one(f"SELECT 'a' LIKE '{'a' * size}'")
        yield _one(f"SELECT 'a' GLOB '{'*' * size}'")
    # Bytes, not characters.
    yield _one(f"SELECT 'a' LIKE '{'é' * 25}'")
    yield _one(f"SELECT 'a' LIKE '{'é' * 25}a'")
    yield _one(f"SELECT count(*) FROM people WHERE name LIKE '{'a' * 51}'")
    yield _one(f"SELECT like('{'a' * 51}', 'a'), glob('{'a' * 51}', 'a')")
    yield _one(f"SELECT NULL LIKE '{'a' * 51}'")
    for terms in (5, 6):
        yield _one(" UNION ALL ".join(["SELECT 1"] * terms))
        yield _one(" INTERSECT ".join(["SELECT 1"] * terms))
        yield _one("VALUES " + ", ".join(["(1)"] * terms))
        yield _one("SELECT * FROM (" + " UNION ".join(["SELECT 1"] * terms) + ")")
    for terms in (600, 1500):
        yield _one("VALUES " + ", ".join(["(1)"] * terms) + " LIMIT 3")
    for depth in (96, 97, 98, 99, 100, 101):
        yield _one("SELECT " + "abs(" * depth + "1" + ")" * depth)
        yield _one("SELECT " + " + ".join(["1"] * depth))
        yield _one("SELECT " + "~" * depth + "1")
        yield _one("SELECT id FROM people WHERE " + " AND ".join(["id > 0"] * depth) + " ORDER BY id")
    for depth in (100, 900, 2500):
        yield _one("SELECT " + "(" * depth + "1" + ")" * depth)
    for depth in (10, 30, 50):
        yield _one("SELECT * FROM (" * depth + "SELECT 1 AS a" + ")" * depth)
        yield _one("SELECT " + "(SELECT " * depth + "1" + ")" * depth)
    for columns in (100, 101):
        yield _one("SELECT " + ", ".join(f"{n} AS c{n}" for n in range(columns)))
        yield _one("SELECT 1 FROM people ORDER BY " + ", ".join(["id"] * columns))
        yield _one("SELECT 1 FROM people GROUP BY " + ", ".join(["id"] * columns))
        yield _one("SELECT 1 IN (" + ", ".join(["1"] * columns) + ")")
        yield _one("WITH a(" + ", ".join(f"c{n}" for n in range(columns)) + ") AS (SELECT 1) SELECT 1")
    yield _one("SELECT *, * FROM people, people, people, people, people, people")
    for arguments in (32, 33, 100, 101, 127, 128):
        yield _one("SELECT max(" + ", ".join(["1"] * arguments) + ")")
    for joined in (20, 64, 65):
        yield _one("SELECT count(*) FROM " + ", ".join(f"(SELECT 1) AS t{n}" for n in range(joined)))
    for size in (BYTES, BYTES + 1):
        yield _one("SELECT length('" + "x" * (size - 22) + "') AS n")
        yield _one("SELECT length('" + "é" * ((size - 22) // 2) + "y" * ((size - 22) % 2) + "') AS n")
        yield _one("SELECT 1 AS n --" + "x" * (size - 16))
    for size in (2_000_000, 2_000_001, VALUE, VALUE + 1):
        yield _one(f"SELECT length(zeroblob({size}))")
        yield _one(f"SELECT length(hex(zeroblob({(size + 1) // 2})))")
        yield _one(f"SELECT octet_length(zeroblob({size - 1000}) || hex(zeroblob(500)))")
    for size in (100_000, 100_001):
        yield _one(f"SELECT length(printf('%.*c', {size}, 'x'))")
    yield _one("SELECT length(replace(hex(zeroblob(1000)), '0', hex(zeroblob(1200))))")
    yield _one("SELECT length(group_concat(hex(zeroblob(1000000)), '')) FROM people")


def parameters() -> Iterator[Statement]:
    """With values for each kind of placeholder."""
    for count in (1, 99, 100, 101):
        yield _one("SELECT " + " + ".join(["?"] * min(count, 99)) + (", ?" * (count - 99)), *range(count))
    yield _one("SELECT ?1, ?2, ?1", 1, "two")
    yield _one("SELECT ?2, ?1", 1, 2)
    yield _one("SELECT ?3", 1, 2, 3)
    yield _one("SELECT ?100", *range(100))
    yield _one("SELECT ?101", *range(101))
    yield _one("SELECT ?0", 1)
    yield _one("SELECT ?, ?", 1)
    yield _one("SELECT ?", 1, 2)
    yield _one("SELECT 1", 1)
    yield _one("SELECT :a, @b, $c", 1, 2, 3)
    yield _one("SELECT :a, :a", 1)
    yield _one("SELECT ?, ?, ?, ?, ?, ?, ?", None, 0, -1.5, "é", "", True, False)
    yield _one("SELECT typeof(?), typeof(?), typeof(?), typeof(?), typeof(?)", None, 1.5, "x", True, 0.5)
    yield _one("SELECT ? || '', ? + 1", 9007199254740991, "9007199254740993")
    yield _one("SELECT ? = 9007199254740993", 9007199254740993)
    yield _one("SELECT name FROM people WHERE id = ?", "2")
    yield _one('SELECT count(*) FROM odd WHERE "a b" = ?', 1)
    yield _one("SELECT ? / 2, ? || '!', ? << 1, substr('abc', ?)", 5, 5, 5, 2)
    yield _one("SELECT name FROM people WHERE name = ? AND city LIKE ?", "ANN", "u%")
    yield _one("SELECT 'a' LIKE ?", "a" * 50)
    yield _one("SELECT 'a' LIKE ?", "a" * 51)
    yield _one("SELECT 'a' GLOB ?", "a" * 51)
    yield _one("SELECT id FROM people LIMIT ? OFFSET ?", 2, 1)
    yield _one("SELECT id FROM people LIMIT ?", "x")
    yield _one("SELECT id FROM people LIMIT ?", None)
    yield _one("SELECT title FROM docs WHERE docs MATCH ?", "polic*")
    yield _one("SELECT title FROM docs WHERE docs MATCH ?", "(")
    yield _one("SELECT value FROM json_each(?)", '["a",1]')
    yield _one("SELECT ?1 ->> '$.a'", '{"a":"b"}')
    yield _one("SELECT * FROM pragma_table_info(?)", "tags")
    yield _one("SELECT * FROM pragma_table_info(?)", "_cf_METADATA")
    yield _one("PRAGMA table_info(?)", "people")
    yield _one("SELECT * FROM ?", "people")
    yield _one("SELECT length(?)", "x" * 300_000)
    yield _one("SELECT length(?), hex(?)", "a\0b", "é")
    yield _one("SELECT ? ORDER BY ?", 1, 2)
    yield _one("EXPLAIN QUERY PLAN SELECT name FROM people WHERE id = ?", 1)


def _one(sql: str, *values: str | float | bool | None) -> Statement:
    return Statement("borders", sql, values)
