"""Indexes are advised only where they were tried and lower the rows that are read."""

from typing import Any

import pytest

from mcp_daan.d1.explaining.scratch import COPY_BYTES
from tests.d1.conftest import ID
from tests.explain.conftest import SCRIPT, Shop
from tests.node.engine import in_d1

ADVISED: list[tuple[str, list[Any], list[str]]] = [
    ("SELECT * FROM people WHERE name = ?", ["name7"], ["CREATE INDEX idx_people_name ON people(name);"]),
    (
        "SELECT * FROM people WHERE city = 'city3' AND age > 80",
        [],
        ["CREATE INDEX idx_people_city_age ON people(city, age);"],
    ),
    (
        "SELECT * FROM people p WHERE p.age = ? ORDER BY p.created_at DESC LIMIT ?",
        [30, 5],
        ["CREATE INDEX idx_people_age_created_at ON people(age, created_at);"],
    ),
    (
        "SELECT * FROM people ORDER BY city, age DESC LIMIT 5",
        [],
        ["CREATE INDEX idx_people_city_age ON people(city, age DESC);"],
    ),
    ("SELECT * FROM people ORDER BY age, id LIMIT 5", [], ["CREATE INDEX idx_people_age ON people(age);"]),
    ("SELECT * FROM paid WHERE amount > 900", [], ["CREATE INDEX idx_orders_status_amount ON orders(status, amount);"]),
    (
        "SELECT p.name FROM people p JOIN orders o ON o.person = p.id WHERE p.city = 'city3'",
        [],
        ["CREATE INDEX idx_people_city ON people(city);"],
    ),
    (
        "SELECT * FROM people a JOIN orders b ON a.name = b.status WHERE a.age = 7",
        [],
        ["CREATE INDEX idx_orders_status ON orders(status);", "CREATE INDEX idx_people_age ON people(age);"],
    ),
    (
        "SELECT name FROM people WHERE name LIKE 'name77%'",
        [],
        ["CREATE INDEX idx_people_name ON people(name COLLATE NOCASE);"],
    ),
    ("SELECT name FROM people WHERE name GLOB 'name77*'", [], ["CREATE INDEX idx_people_name ON people(name);"]),
    (
        "SELECT * FROM people AS p WHERE lower(p.name) = ?",
        ["name7"],
        ["CREATE INDEX idx_people_lower_name ON people(lower(name));"],
    ),
    (
        "SELECT * FROM orders WHERE lines ->> '$.kind' = 3",
        [],
        ["CREATE INDEX idx_orders_lines_kind ON orders(lines ->> '$.kind');"],
    ),
    (
        "SELECT * FROM people WHERE age = 3 OR name = 'name8'",
        [],
        ["CREATE INDEX idx_people_age ON people(age); CREATE INDEX idx_people_name ON people(name);"],
    ),
    ("SELECT * FROM pairs WHERE v = 7", [], ["CREATE INDEX idx_pairs_v ON pairs(v);"]),
]
NOT_ADVISED = [
    "SELECT * FROM people",
    "SELECT count(*) FROM people",
    "SELECT * FROM people WHERE id = 7",
    "SELECT * FROM people WHERE email = 'x'",
    "SELECT * FROM orders WHERE person = 7",
    "SELECT * FROM pairs WHERE a = 'name9'",
    "SELECT * FROM people WHERE age >= 0",
    "SELECT * FROM people WHERE name LIKE '%7'",
    "SELECT * FROM people WHERE random() = age + name",
    "SELECT name FROM sqlite_master WHERE type = 'table'",
    "SELECT 1",
]


@pytest.mark.parametrize(("sql", "parameters", "indexes"), ADVISED)
def test_the_index_that_helps_is_advised(shop: Shop, sql: str, parameters: list[Any], indexes: list[str]) -> None:
    """The narrowest one that reads the fewest rows, and those that help beside it."""
    found = shop.explained(sql, parameters=parameters)["advice"]

    assert [each["createIndex"] for each in found] == indexes
    assert all(each["verified"] and each["rowsReadAfter"] < each["rowsReadBefore"] for each in found)


@pytest.mark.parametrize("sql", NOT_ADVISED)
def test_no_index_is_advised_that_exists_or_does_not_help(shop: Shop, sql: str) -> None:
    """Neither an index again, nor the beginning of one, nor one that the planner leaves aside."""
    assert shop.indexes(sql) == []


def test_the_beginning_of_an_index_is_not_advised_again(own_shop: Shop) -> None:
    """Be it read backwards, or that of a partial index, which does not serve every row."""
    own_shop.fill(
        SCRIPT + "CREATE INDEX one ON people(city DESC, age DESC); CREATE INDEX part ON people(name) WHERE age > 50;"
    )

    assert own_shop.indexes("SELECT * FROM people WHERE city = 'city3'") == []
    assert own_shop.indexes("SELECT * FROM people WHERE name = 'name3'") == [
        "CREATE INDEX idx_people_name ON people(name);"
    ]


def test_a_name_that_is_taken_is_not_given_again(own_shop: Shop) -> None:
    """Names of indexes and tables are of one kind."""
    own_shop.fill(SCRIPT + "CREATE INDEX idx_people_name ON people(id);")

    assert own_shop.indexes("SELECT * FROM people WHERE name = 'x'") == [
        "CREATE INDEX idx_people_name2 ON people(name);"
    ]


def test_names_that_need_quotes_have_them(own_shop: Shop) -> None:
    """Keywords and spaces."""
    own_shop.fill(
        'CREATE TABLE "My Orders" (id INTEGER PRIMARY KEY, "order" INTEGER);'
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
        ' INSERT INTO "My Orders" SELECT i, i FROM n;'
    )

    assert own_shop.indexes('SELECT * FROM "my orders" WHERE "order" = 7') == [
        'CREATE INDEX idx_My_Orders_order ON "My Orders"("order");'
    ]


def test_without_advise_nothing_is_tried(shop: Shop) -> None:
    """Plan and rows only."""
    assert shop.indexes("SELECT * FROM people WHERE name = 'x'", advise=False) == []


@pytest.mark.parametrize("analyzed", [False, True])
def test_the_index_reads_on_d1_what_was_promised(own_shop: Shop, analyzed: bool) -> None:
    """Before and after, on the real engine."""
    own_shop.fill(SCRIPT)
    own_shop.write("ANALYZE" if analyzed else "SELECT 1")
    sql = "SELECT * FROM people WHERE city = 'city3' AND age > 80"
    (advice,) = own_shop.explained(sql)["advice"]
    asked = ({"sql": each} for each in (sql, advice["createIndex"], sql))
    before, _, after = in_d1(own_shop.folder / ".wrangler/state/v3", ID, *asked)

    assert (advice["rowsReadBefore"], advice["rowsReadAfter"]) == (
        before["meta"]["rows_read"],
        after["meta"]["rows_read"],
    )
    assert advice["speedup"] == round(advice["rowsReadBefore"] / advice["rowsReadAfter"], 1)


def test_a_database_too_large_to_copy_is_advised_from_its_plan(own_shop: Shop) -> None:
    """Unverified, and said to be."""
    own_shop.fill(SCRIPT + f"CREATE TABLE blobs (b); INSERT INTO blobs VALUES (zeroblob({COPY_BYTES // 64}));")
    own_shop.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 64)"
        " INSERT INTO blobs SELECT b FROM blobs, n"
    )
    answer = own_shop.explain("SELECT * FROM people WHERE name = 'name7'")

    assert answer.status == "partial"
    assert answer.data["advice"] == [
        {
            "createIndex": "CREATE INDEX idx_people_name ON people(name);",
            "rowsReadBefore": 1000,
            "rowsReadAfter": None,
            "speedup": None,
            "verified": False,
        }
    ]
    assert any("too large" in each for each in answer.recommendations)


def test_a_statement_too_slow_to_run_is_advised_from_its_plan(own_shop: Shop) -> None:
    """What cannot be counted once cannot be tried many times."""
    own_shop.fill(SCRIPT)
    own_shop.settings("[limits]\nstatement_seconds = 1.0\n")
    answer = own_shop.explain("SELECT count(*) FROM orders a, orders b, orders c WHERE a.amount = b.amount + c.amount")

    assert (answer.status, answer.data["rowsRead"]) == ("partial", None)
    assert [(each["createIndex"], each["verified"]) for each in answer.data["advice"]] == [
        ("CREATE INDEX idx_orders_amount ON orders(amount);", False)
    ]


@pytest.mark.parametrize("columns", ["rowid, name", "main.people.name"])
def test_what_cannot_be_counted_exactly_is_not_called_verified(shop: Shop, columns: str) -> None:
    """Rows that an index skips are not seen then, nor those that it steps over."""
    answer = shop.explain(f"SELECT {columns} FROM people WHERE age > 10 AND city LIKE '%7'")

    assert (answer.status, [each["verified"] for each in answer.data["advice"]]) == ("partial", [False])
    assert "estimate" in answer.recommendations[0]
