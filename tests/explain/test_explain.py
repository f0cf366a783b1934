"""d1_explain tells how a statement runs and what it costs, and changes nothing."""

import threading
import time

import pytest

from mcp_daan.d1.explaining.price import price
from tests.d1.conftest import code, contents
from tests.explain.conftest import SCRIPT, Shop

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
# One opcode that runs for minutes, which no handler of SQLite's can stop.
BOMB = "SELECT instr(zeroblob(4000000), zeroblob(2000000) || x'01') FROM people"
WRONG = [
    "SELECT * FROM nothing",
    "SELECT nothing FROM people",
    "SELEC 1",
    "SELECT 1; SELECT 2",
    "DELETE FROM people",
    "CREATE INDEX i ON people(name)",
    "ATTACH 'other.db' AS other",
    "VACUUM INTO 'copy.db'",
    "PRAGMA journal_mode = DELETE",
    "SELECT load_extension('x')",
    "SELECT * FROM _cf_KV",
    "SELECT * FROM temp.people",
    "SELECT daan_tick(1, 2)",
    "SELECT * FROM people WHERE id = ?",
    "SELECT json_extract(name, '$.x') FROM people",
    "SELECT 'a\0b'",
    "",
    " ",
]


def test_the_plan_is_a_tree_that_marks_full_scans(shop: Shop) -> None:
    """Each line names the line it belongs to; reading a subquery's rows is no full scan, reading a table is."""
    plan = shop.explained(
        "SELECT o.id FROM (SELECT id FROM people ORDER BY name LIMIT 3) AS p JOIN orders o ON o.person = p.id"
    )["plan"]
    details = {step["id"]: step["detail"] for step in plan}

    assert [(details.get(step["parent"]), step["detail"], step["fullScan"]) for step in plan] == [
        (None, "CO-ROUTINE p", False),
        ("CO-ROUTINE p", "SCAN people", True),
        ("CO-ROUTINE p", "USE TEMP B-TREE FOR ORDER BY", False),
        (None, "SCAN p", False),
        (None, "SEARCH o USING COVERING INDEX orders_person (person=?)", False),
    ]


def test_the_summary_says_what_was_found(shop: Shop) -> None:
    """Rows, scans and indexes, in one sentence or two."""
    answer = shop.explain("SELECT * FROM people WHERE name = 'name7'")

    assert (answer.status, answer.summary, answer.artifacts) == (
        "complete",
        "The statement reads 1000 rows, with 1 full scan. 1 index would help.",
        ["d1://portal-db/schema"],
    )


def test_the_price_is_that_of_the_calls_given(shop: Shop) -> None:
    """Without `calls` there is none."""
    told = shop.explained("SELECT * FROM people WHERE name = 'name7'", calls=50_000_000)["price"]

    assert told == {
        "calls": 50_000_000,
        "rowsRead": 50_000_000_000,
        "dollars": 25.0,
        "dollarsWithoutIncluded": 50.0,
        "includedShare": 2.0,
        "freeCallsPerDay": 5000,
    }
    assert shop.explained("SELECT 1")["price"] is None


def test_a_statement_that_reads_nothing_costs_nothing() -> None:
    """It can run any number of times on the free plan."""
    assert (price(0, 10).dollars, price(0, 10).free_calls_per_day) == (0, None)


def test_more_calls_than_can_be_counted_are_refused(shop: Shop) -> None:
    """Numbers on the wire stay exact."""
    few = "SELECT * FROM orders a JOIN people b ON b.id <= 20"

    assert code(shop.explain(few, calls=10**12)) == "invalid_arguments"


@pytest.mark.parametrize("sql", WRONG)
def test_what_d1_query_does_not_run_is_not_explained_either(shop: Shop, sql: str) -> None:
    """The same failure in the same words."""
    queried, explained = shop.query(sql), shop.explain(sql)

    assert explained.error is not None
    assert (explained.error.code, explained.recommendations) == (
        code(queried),
        [each.replace("d1_query", "d1_explain") for each in queried.recommendations],
    )


@pytest.mark.parametrize("sql", ["EXPLAIN SELECT 1", "EXPLAIN QUERY PLAN SELECT 1", "PRAGMA table_list"])
def test_what_has_no_plan_says_what_to_send(shop: Shop, sql: str) -> None:
    """EXPLAIN is our part, and a PRAGMA has no plan."""
    answer = shop.explain(sql)

    assert (code(answer), answer.recommendations) == (
        "invalid_arguments",
        ["Send the statement itself, without EXPLAIN."],
    )


@pytest.mark.parametrize("wal", [False, True])
def test_nothing_in_the_folder_of_the_database_changes(own_shop: Shop, wal: bool) -> None:
    """Indexes are tried on a copy."""
    own_shop.fill(SCRIPT, wal=wal)
    before = contents(own_shop.root)
    for sql in ("SELECT * FROM people WHERE name = 'x' ORDER BY age", "SELECT * FROM paid", "DELETE FROM people"):
        own_shop.explain(sql)

    assert contents(own_shop.root) == before


def test_a_remote_database_is_unavailable_as_for_queries(own_shop: Shop) -> None:
    """With the same advice."""
    own_shop.settings('[d1.databases.far]\nid = "0f0f"\n')
    queried = own_shop.call("d1_query", database="far", sql="SELECT 1")
    explained = own_shop.explain("SELECT 1", database="far")

    assert (explained.error, explained.recommendations) == (queried.error, queried.recommendations)


def test_a_database_without_a_file_is_not_found(own_shop: Shop) -> None:
    """And none is made."""
    assert (code(own_shop.explain("SELECT 1")), own_shop.file.exists()) == ("not_found", False)


@pytest.mark.parametrize("sql", [ENDLESS, BOMB])
def test_a_statement_that_never_ends_is_planned_within_the_deadline(own_shop: Shop, sql: str) -> None:
    """Its plan comes without a count, and says so; another call is answered meanwhile."""
    own_shop.fill(SCRIPT)
    own_shop.settings("[limits]\nstatement_seconds = 1.0\n")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(own_shop.explain(sql)))
    started = time.monotonic()
    thread.start()
    meanwhile = own_shop.rows("SELECT count(*) FROM people")
    still_running = thread.is_alive()
    thread.join()

    assert (meanwhile, still_running, time.monotonic() - started < 3) == ([[1000]], True, True)
    assert (answers[0].status, answers[0].data["rowsRead"], len(answers[0].data["plan"]) > 0) == ("partial", None, True)
    assert "not counted" in answers[0].recommendations[0]
