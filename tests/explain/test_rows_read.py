"""The rows that d1_explain counts are those that the real D1 engine reports."""

from typing import Any

import pytest

from tests.d1.conftest import ID
from tests.explain.conftest import Shop
from tests.node.engine import in_d1

SAME: list[tuple[str, list[Any]]] = [
    ("SELECT * FROM people WHERE name = 'name77'", []),
    ("SELECT * FROM people WHERE email = ?", ["p5@example.test"]),
    ("SELECT * FROM people WHERE email = ?", ["nobody@example.test"]),
    ("SELECT * FROM people WHERE id = ?", [5]),
    ("SELECT * FROM people LIMIT 20", []),
    ("SELECT * FROM people LIMIT 10 OFFSET 300", []),
    ("SELECT * FROM people ORDER BY created_at LIMIT 20", []),
    ("SELECT * FROM people ORDER BY created_at", []),
    ("SELECT * FROM people WHERE age = ? ORDER BY created_at LIMIT ?", [30, 5]),
    ("SELECT city, count(*) FROM people GROUP BY city", []),
    ("SELECT city, count(*) AS n FROM people WHERE age > ? GROUP BY city ORDER BY n DESC LIMIT 3", [20]),
    ("SELECT count(*) FROM people", []),
    ("SELECT count(*) FROM people WHERE age > 50", []),
    ("SELECT max(id) FROM people", []),
    ("SELECT max(age) FROM people", []),
    ("SELECT * FROM orders WHERE person = ?", [7]),
    ("SELECT * FROM orders WHERE person = ?", [99999]),
    ("SELECT count(*) FROM orders WHERE person BETWEEN 10 AND 500", []),
    ("SELECT p.name, o.amount FROM people p JOIN orders o ON o.person = p.id WHERE p.city = 'city3'", []),
    ("SELECT p.name, o.amount FROM people p LEFT JOIN orders o ON o.person = p.id WHERE p.age = 4", []),
    ("SELECT p.name, count(o.id) FROM people p LEFT JOIN orders o ON o.person = p.id GROUP BY p.id", []),
    ("SELECT p.id, sum(o.amount) AS s FROM people p JOIN orders o ON o.person = p.id GROUP BY p.id ORDER BY s", []),
    ("SELECT * FROM paid WHERE amount > 900", []),
    ("SELECT DISTINCT city FROM people", []),
    ("SELECT count(DISTINCT city) FROM people", []),
    ("SELECT name FROM people WHERE age = 1 UNION ALL SELECT name FROM people WHERE age = 2", []),
    ("SELECT * FROM people a JOIN people b ON a.name = b.city", []),
    ("SELECT * FROM pairs WHERE a = 'name9'", []),
    ("SELECT * FROM pairs WHERE a = 'name9' AND b = 'p9@example.test'", []),
    ("SELECT * FROM pairs", []),
    ("SELECT name FROM people WHERE name LIKE 'name77%'", []),
    ("SELECT * FROM people WHERE age = 3 OR name = 'name8'", []),
    ("SELECT id, rowid FROM people WHERE age = 3", []),
    ("SELECT main.people.id FROM main.people WHERE age = 3", []),
    ("SELECT (SELECT count(*) FROM orders o WHERE o.person = p.id) FROM people p WHERE age = 7", []),
    ("SELECT at, sum(amount) FROM orders WHERE at BETWEEN '2026-02-01' AND '2026-03-01' GROUP BY at", []),
    ("WITH old AS (SELECT * FROM people WHERE age > ?) SELECT count(*) FROM old WHERE city = ?", [60, "city3"]),
    ("SELECT scope, count(*) FROM api_keys GROUP BY scope", []),
    ("SELECT key_hash FROM api_keys WHERE scope = 'read'", []),
    ("SELECT 1", []),
    ("VALUES (1), (2)", []),
]
# (rows as D1 counts them, rows as we do); docs/explain.md says why.
DIFFERENT: dict[str, tuple[int, int]] = {
    "SELECT * FROM people WHERE id > 5 AND id <= 40": (36, 35),
    "SELECT * FROM orders WHERE person IN (1, 2, 3, 4)": (15, 8),
    "SELECT p.name FROM orders o JOIN people p ON o.person = p.id WHERE o.status = 'open'": (2200, 2168),
    "SELECT DISTINCT city FROM people ORDER BY city": (2000, 1000),
    "SELECT * FROM people WHERE id IN (SELECT person FROM orders WHERE status = 'open')": (2240, 2100),
    "SELECT * FROM people p WHERE EXISTS (SELECT 1 FROM orders o WHERE o.person = p.id AND o.status = 'void')": (
        3518,
        3618,
    ),
    "SELECT name FROM people WHERE age = 1 UNION SELECT name FROM people WHERE age = 2": (2024, 2000),
    "SELECT name, row_number() OVER (ORDER BY age) FROM people": (4001, 1000),
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT * FROM n": (51, 0),
    "SELECT value FROM people, json_each('[1,2,3]') LIMIT 7": (9, 10),
}


@pytest.fixture(scope="module")
def billed(shop: Shop) -> dict[str, int]:
    """What D1 reports of each statement."""
    asked = [*SAME, *((sql, []) for sql in DIFFERENT)]
    state = shop.folder / ".wrangler/state/v3"
    answers = in_d1(state, ID, *({"sql": sql, "parameters": parameters} for sql, parameters in asked))
    return {
        f"{sql} {parameters}": answer["meta"]["rows_read"]
        for (sql, parameters), answer in zip(asked, answers, strict=True)
    }


@pytest.mark.parametrize(("sql", "parameters"), SAME)
def test_the_rows_read_are_those_that_d1_bills(
    shop: Shop, billed: dict[str, int], sql: str, parameters: list[Any]
) -> None:
    """Scans, seeks, ranges, joins, sorters and groups are counted as workerd's own counter does."""
    found = shop.explained(sql, parameters=parameters, advise=False)

    assert found["rowsRead"] == billed[f"{sql} {parameters}"]


@pytest.mark.parametrize("sql", DIFFERENT)
def test_what_is_counted_otherwise_is_known(shop: Shop, billed: dict[str, int], sql: str) -> None:
    """The differences that docs/explain.md lists, as they are today."""
    found = shop.explained(sql, advise=False)

    assert (billed[f"{sql} []"], found["rowsRead"]) == DIFFERENT[sql]


def test_text_that_is_not_utf8_is_counted_too(own_shop: Shop) -> None:
    """What stands in the rows does not matter."""
    own_shop.fill("CREATE TABLE t (x TEXT); INSERT INTO t VALUES (CAST(x'ff' AS TEXT)), ('a'), (CAST(x'fe' AS TEXT))")

    assert own_shop.explained("SELECT x FROM t")["rowsRead"] == 3
