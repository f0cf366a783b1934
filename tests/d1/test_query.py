"""Rows come exact, by the page, with secrets masked."""

import base64
import json
import math
from typing import Any

import pytest

from mcp_daan.d1.values import BrokenText, to_wire

from .conftest import Portal, code

NUMBERS = "CREATE TABLE n(id INTEGER PRIMARY KEY, word TEXT); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 2500) INSERT INTO n SELECT x, 'word ' || x FROM c;"


def pages(portal: Portal, sql: str, **arguments: Any) -> list[list[Any]]:
    """The rows of every page, one after another."""
    rows: list[list[Any]] = []
    cursor: str | None = None
    while True:
        answer = portal.query(sql, **arguments, **({"cursor": cursor} if cursor else {}))
        assert answer.error is None, answer.error
        rows += answer.data["rows"]
        assert answer.data["rowCount"] == len(answer.data["rows"])
        assert answer.data["truncated"] == (answer.data["nextCursor"] is not None)
        cursor = answer.data["nextCursor"]
        if cursor is None:
            return rows


def test_an_answer_has_the_shape_of_the_contract(portal: Portal) -> None:
    """Columns, rows, counts, what is masked, what it cost."""
    answer = portal.query("SELECT id, name FROM accounts ORDER BY id LIMIT 2")
    meta = answer.data.pop("meta")

    assert answer.status == "complete"
    assert answer.summary == "2 rows from portal-db."
    assert answer.data == {
        "columns": ["id", "name"],
        "rows": [[1, "Acme BV"], [2, "Globex"]],
        "rowCount": 2,
        "truncated": False,
        "nextCursor": None,
        "masked": [],
    }
    assert (meta["servedBy"], meta["region"], meta["rowsRead"], meta["durationMs"] > 0) == ("local", None, 2, True)


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("9007199254740991", 9007199254740991),
        ("9007199254740992", "9007199254740992"),
        ("-9223372036854775807 - 1", "-9223372036854775808"),
        ("1.5", 1.5),
        ("9e999", "Infinity"),
        ("-9e999", "-Infinity"),
        ("NULL", None),
        ("'é 漢 😀'", "é 漢 😀"),
        ("''", ""),
        ("'a' || char(0) || 'b'", "a\x00b"),
        ("x''", {"blob": 0, "hex": ""}),
        ("x'00ff'", {"blob": 2, "hex": "00ff"}),
        ("zeroblob(40)", {"blob": 40, "hex": "00" * 32}),
        ("CAST(x'41ff' AS TEXT)", {"bytes": 2, "hex": "41ff"}),
        ("true", 1),
    ],
)
def test_values_travel_exactly(portal: Portal, value: str, wire: object) -> None:
    """Also those that JSON has no form for."""
    assert portal.rows(f"SELECT {value}") == [[wire]]


def test_every_value_of_sqlite_has_a_wire_form() -> None:
    """A float that is a number stays what it is; text that is no text is told as bytes."""
    assert [to_wire(value) for value in (0.1, math.inf, BrokenText(b"\xff"), b"\xff", None)] == [
        0.1,
        "Infinity",
        {"bytes": 1, "hex": "ff"},
        {"blob": 1, "hex": "ff"},
        None,
    ]


def test_text_that_is_not_utf8_does_not_hide_the_rows_around_it(empty: Portal) -> None:
    """Each value as it is, in the statement's order, its masks and its names kept."""
    empty.fill(
        "CREATE TABLE t(id, note, token); INSERT INTO t VALUES (1, 'good', 'x'), (2, CAST(x'62fffe' AS TEXT), 'y'),"
        " (3, x'ff', 'z');"
    )

    answer = empty.query("SELECT id, note AS n, note AS n, token FROM t ORDER BY id DESC; -- ;")

    assert answer.data["columns"] == ["id", "n", "n", "token"]
    assert answer.data["rows"] == [
        [3, {"blob": 1, "hex": "ff"}, {"blob": 1, "hex": "ff"}, "***"],
        [2, {"bytes": 3, "hex": "62fffe"}, {"bytes": 3, "hex": "62fffe"}, "***"],
        [1, "good", "good", "***"],
    ]


def test_parameters_are_values_and_never_sql(portal: Portal) -> None:
    """Of every type that JSON has."""
    rows = portal.rows("SELECT ?, ?, ?, ?, ?, ?2", parameters=["'; DROP TABLE users", 7, 1.5, True, None])

    assert rows == [["'; DROP TABLE users", 7, 1.5, 1, None, 7]]


def test_a_parameter_that_is_no_unicode_is_told_as_that(portal: Portal) -> None:
    """JSON may hold half of a pair of surrogates, which no UTF-8 has; it was a fault of ours once."""
    answer = portal.query("SELECT ?", parameters=["half \ud800"])

    assert code(answer) == "invalid_arguments"
    assert answer.summary == "A text in `parameters` is not valid Unicode."


def test_a_number_in_parameters_is_a_float_as_in_d1(portal: Portal) -> None:
    """JavaScript has no other; what it could not hold exactly stays exact here."""
    rows = portal.rows(
        "SELECT ? / 2, typeof(?), '112' = CAST(? AS TEXT), ?", parameters=[5, True, 112, 9007199254740993]
    )

    assert rows == [[2.5, "real", 0, "9007199254740993"]]


def test_columns_of_one_name_are_all_kept(portal: Portal) -> None:
    """Rows are lists, so that nothing is lost."""
    answer = portal.query("SELECT a.name, b.name FROM accounts a JOIN accounts b ON b.id = a.id + 1 WHERE a.id = 1")

    assert (answer.data["columns"], answer.data["rows"]) == (["name", "name"], [["Acme BV", "Globex"]])


@pytest.mark.parametrize("limit", [1000, 999, 500, 2500 // 3])
def test_pages_give_every_row_exactly_once(empty: Portal, limit: int) -> None:
    """In order, whatever the size of a page."""
    empty.fill(NUMBERS)

    assert pages(empty, "SELECT id, word FROM n", limit=limit) == [[n, f"word {n}"] for n in range(1, 2501)]


def test_a_page_that_ends_at_its_limit_is_complete(empty: Portal) -> None:
    """The cursor says that there is more."""
    empty.fill(NUMBERS)
    answer = empty.query("SELECT id FROM n")

    assert (answer.status, answer.data["rowCount"], answer.data["truncated"]) == ("complete", 100, True)


def test_a_last_page_that_is_just_full_has_no_cursor(empty: Portal) -> None:
    """No empty page follows."""
    empty.fill(NUMBERS)

    assert empty.query("SELECT id FROM n LIMIT 100").data["nextCursor"] is None


def test_an_answer_that_is_full_is_partial_and_goes_on(empty: Portal) -> None:
    """Cut at a row's border, and each row once over the pages."""
    empty.fill(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT);" + "INSERT INTO t(x) VALUES (hex(zeroblob(4000)));" * 30
    )

    answer = empty.query("SELECT id, x FROM t")

    assert (answer.status, answer.data["truncated"], 0 < answer.data["rowCount"] < 30) == ("partial", True, True)
    assert len(answer.model_dump_json().encode()) < 65536
    assert [row[0] for row in pages(empty, "SELECT id, x FROM t")] == list(range(1, 31))


def test_names_of_columns_larger_than_an_answer_are_told_as_that(empty: Portal) -> None:
    """No row is to blame."""
    empty.fill("CREATE TABLE t(x);")

    answer = empty.query(f'SELECT 1 AS "{"x" * 40000}"')

    assert answer.summary == "The names of the columns alone are larger than an answer may be."


def test_a_table_may_be_called_like_a_part_of_ours(empty: Portal) -> None:
    """Broken text is read by a statement around the caller's."""
    empty.fill("CREATE TABLE page_0(q); INSERT INTO page_0 VALUES (CAST(x'ff' AS TEXT));")

    assert empty.rows("SELECT q FROM page_0") == [[{"bytes": 1, "hex": "ff"}]]


def test_a_row_larger_than_an_answer_is_too_large(empty: Portal) -> None:
    """It says which row, and what to do."""
    empty.fill("CREATE TABLE t(x); INSERT INTO t VALUES ('small'), (hex(zeroblob(40000)));")
    first = empty.query("SELECT x FROM t")

    answer = empty.query("SELECT x FROM t", cursor=first.data["nextCursor"])

    assert (first.data["rows"], first.status) == ([["small"]], "partial")
    assert (code(answer), answer.summary) == ("too_large", "Row 2 alone is larger than an answer may be.")


def test_a_cursor_belongs_to_its_statement(empty: Portal) -> None:
    """Another statement or other parameters cannot go on from it."""
    empty.fill(NUMBERS)
    cursor = empty.query("SELECT id FROM n WHERE id > ?", parameters=[5]).data["nextCursor"]

    others = [
        empty.query("SELECT word FROM n WHERE id > ?", parameters=[5], cursor=cursor),
        empty.query("SELECT id FROM n WHERE id > ?", parameters=[6], cursor=cursor),
    ]

    assert [code(answer) for answer in others] == ["invalid_arguments"] * 2


def test_rows_that_changed_between_pages_are_told(empty: Portal) -> None:
    """Rows may be missing or come twice, so the answer is partial."""
    empty.fill(NUMBERS)
    cursor = empty.query("SELECT id FROM n").data["nextCursor"]
    same = empty.query("SELECT id FROM n", cursor=cursor)
    empty.write("DELETE FROM n WHERE id = 7")

    answer = empty.query("SELECT id FROM n", cursor=cursor)

    assert (same.status, answer.status) == ("complete", "partial")
    assert "the data changed" in answer.recommendations[0]


def test_a_change_behind_the_page_changes_nothing(empty: Portal) -> None:
    """What was given before still stands, so the page continues it rightly."""
    empty.fill(NUMBERS)
    cursor = empty.query("SELECT id FROM n").data["nextCursor"]
    empty.write("DELETE FROM n WHERE id = 101")

    answer = empty.query("SELECT id FROM n", cursor=cursor)

    assert (answer.status, answer.data["rows"][0]) == ("complete", [102])


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("SELECT * FROM n LIMIT 10", 10),
        ("SELECT * FROM n ORDER BY word LIMIT 10", 2500),
        ("SELECT count(*) FROM n", 2500),
        ("SELECT count(*) FROM n WHERE word = 'x'", 2500),
        ("SELECT word FROM n WHERE id = 3", 1),
        ("SELECT 1", 1),
    ],
)
def test_rows_read_are_estimated(empty: Portal, sql: str, read: int) -> None:
    """count(*) costs every row, as D1 bills it."""
    empty.fill(NUMBERS)

    assert empty.query(sql).data["meta"]["rowsRead"] == read


def test_rows_that_are_read_anew_as_bytes_count_once(empty: Portal) -> None:
    """Text that is not UTF-8 needs a second run, which is ours and no cost of the statement."""
    empty.fill("CREATE TABLE t(x); INSERT INTO t VALUES ('a'), ('b'), (CAST(x'ff' AS TEXT)), ('d');")

    assert empty.query("SELECT x FROM t").data["meta"]["rowsRead"] == 4


def test_secrets_are_masked_and_the_rest_is_readable(portal: Portal) -> None:
    """By alias, expression and star alike."""
    answer = portal.query("SELECT id, secret AS s, substr(key_hash, 1, 1), scope FROM api_keys ORDER BY id")

    assert answer.status == "complete"
    assert answer.data["masked"] == ["s", "substr(key_hash, 1, 1)"]
    assert answer.data["rows"] == [[1, "***", "***", "read"], [2, "***", "***", "write"]]


def test_nothing_is_learned_by_filtering_on_a_secret(portal: Portal) -> None:
    """The secret counts as NULL there; the answer is partial and names it."""
    answer = portal.query("SELECT id FROM api_keys WHERE secret LIKE 'FAKE%' ORDER BY key_hash")

    assert (answer.status, answer.data["rows"]) == ("partial", [])
    assert "api_keys.key_hash, api_keys.secret" in answer.recommendations[0]


def test_configured_columns_are_secret_too(portal: Portal) -> None:
    """`[d1] secret_columns` names columns and patterns."""
    portal.settings('[d1]\nsecret_columns = ["users.email", "meta"]\n')

    assert portal.rows("SELECT email, meta, name FROM users WHERE id = 1") == [["***", "***", "Ann"]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM api_keys",
        "SELECT hex(secret) || key_hash AS x FROM api_keys",
        "WITH k AS (SELECT secret AS plain FROM api_keys) SELECT plain FROM k",
        "SELECT (SELECT max(secret) FROM api_keys)",
        "SELECT json_group_array(secret) FROM api_keys",
        "SELECT secret FROM api_keys UNION SELECT name FROM users",
        "SELECT DISTINCT secret FROM api_keys",
        "SELECT CASE secret WHEN 'FAKE-SECRET-aaaa-not-real' THEN 'yes' ELSE 'no' END FROM api_keys",
        "SELECT count(*) FROM api_keys WHERE secret = 'FAKE-SECRET-aaaa-not-real'",
        "SELECT u.name FROM users u JOIN api_keys k ON k.secret = 'FAKE-SECRET-aaaa-not-real' AND k.user_id = u.id",
        "SELECT stat FROM sqlite_stat1",
        "SELECT sample FROM sqlite_stat4",
        "EXPLAIN SELECT secret FROM api_keys WHERE secret = 'h'",
    ],
)
def test_no_secret_value_is_in_any_answer(portal: Portal, sql: str) -> None:
    """Masked, NULL or refused: never the value, nor whether it was hit."""
    text = portal.query(sql).model_dump_json()

    assert [secret for secret in ("SECRET-bbbb", "h_aaaa", "h_bbbb", '"yes"', "[[1]]", '"Ann"') if secret in text] == []


def test_rows_do_not_come_in_the_order_of_a_secret(empty: Portal) -> None:
    """A table without rowid lies in the order of its key, which is a secret here."""
    empty.fill(
        "CREATE TABLE k(token TEXT PRIMARY KEY, note TEXT) WITHOUT ROWID;"
        " INSERT INTO k VALUES ('aaa', 'two'), ('zzz', 'one');"
    )

    assert empty.rows("SELECT note FROM k") == [["one"], ["two"]]


def test_a_limit_that_is_no_number_is_explained(portal: Portal) -> None:
    """It is the statement's fault, not the database's."""
    assert code(portal.query("SELECT id FROM users LIMIT 'a'")) == "invalid_arguments"


def test_a_limit_that_a_secret_would_set_is_explained(portal: Portal) -> None:
    """The secret is NULL there, which is no number of rows; nothing is wrong with the database."""
    answer = portal.query("SELECT id FROM users LIMIT (SELECT length(secret) FROM api_keys)")

    assert (code(answer), answer.summary) == ("invalid_arguments", "A value has the wrong type for its place.")


def test_a_value_larger_than_d1_stores_can_be_read_in_parts(empty: Portal) -> None:
    """A local file may hold it."""
    empty.fill("CREATE TABLE t(x); INSERT INTO t VALUES (zeroblob(8000000));")

    assert empty.rows("SELECT length(x), hex(substr(x, 1, 2)) FROM t") == [[8000000, "0000"]]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT id FROM area WHERE low > 1", [[2]]),
        ("SELECT rtreecheck('area')", [["ok"]]),
        ("PRAGMA quick_check", [["ok"]]),
        ("SELECT count(*) FROM pragma_table_xinfo('area')", [[3]]),
    ],
)
def test_an_rtree_can_be_read_and_checked(empty: Portal, sql: str, rows: list[list[Any]]) -> None:
    """Again and again by one worker: on its first use it prepares writes, which it never does here."""
    empty.fill("CREATE VIRTUAL TABLE area USING rtree(id, low, high); INSERT INTO area VALUES (1, 0, 5), (2, 3, 4);")

    assert [empty.rows(sql) for _ in range(3)] == [rows] * 3


def test_foreign_keys_are_on_as_in_d1(portal: Portal) -> None:
    """A PRAGMA tells."""
    assert portal.rows("PRAGMA foreign_keys") == [[1]]


def test_a_name_in_the_schema_that_is_not_utf8_is_told(empty: Portal) -> None:
    """The file is another tool's making."""
    empty.fill("CREATE TABLE plain(x)")
    empty.write("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = CAST(x'ff' AS TEXT)")

    answers = [empty.query("SELECT 1"), empty.call("d1_schema", database="portal-db")]

    assert [code(answer) for answer in answers] == ["unavailable"] * 2


def test_a_forged_cursor_is_refused(empty: Portal) -> None:
    """Whatever stands in it."""
    empty.fill(NUMBERS)
    good = json.loads(base64.urlsafe_b64decode(empty.query("SELECT id FROM n").data["nextCursor"] + "=="))
    forged = [[2**70, *good[1:]], [-1, *good[1:]], [True, *good[1:]], good[:2], {}, 7, [100, 5, good[2]]]
    cursors = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in forged]

    answers = [empty.query("SELECT id FROM n", cursor=cursor) for cursor in cursors]

    assert [code(answer) for answer in answers] == ["invalid_arguments"] * len(forged)
