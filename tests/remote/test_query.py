"""Rows of remote databases: exact, by the page, and only for what reads."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.protocol import Answer
from mcp_daan.tools import all_tools
from tests.asking import run
from tests.node.api import TOKEN

from .adverse import Adverse, Reply, http
from .conftest import IDS, Account, code

LINES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/d1/hostile_sql.jsonl").read_text(encoding="utf-8").splitlines()
]
COUNT = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {}) INSERT INTO n SELECT i, 'word ' || i FROM n"


def having(*expectations: str) -> list[Any]:
    """The statements that are expected to end so."""
    return [pytest.param(line, id=line["id"]) for line in LINES if line["expect"] in expectations]


def sent_for(account: Account, line: dict[str, Any]) -> tuple[Answer, list[str]]:
    """The answer to a line, and what was sent for it besides the question for the schema."""
    answers: list[Answer] = []
    ask = lambda: answers.append(account.query("sample", line["sql"], parameters=line.get("parameters", [])))  # noqa: E731
    sent = account.sent(ask)
    return answers[0], [each for each in sent if not each.startswith("SELECT type, name, tbl_name, sql")]


@pytest.mark.parametrize("line", having("refused"))
def test_what_does_more_than_read_is_never_sent(account: Account, line: dict[str, Any]) -> None:
    """D1 itself would run many of these."""
    answer, sent = sent_for(account, line)

    assert code(answer) in ("refused", "invalid_arguments", "too_large")
    assert answer.recommendations != []
    assert sent == []


@pytest.mark.parametrize("line", having("allowed"))
def test_what_only_reads_is_answered_by_d1(account: Account, line: dict[str, Any]) -> None:
    """However much it looks like something else."""
    answer, sent = sent_for(account, line)

    assert answer.error is None
    assert all(each.lstrip().upper().startswith(("WITH", "EXPLAIN", "PRAGMA")) for each in sent)


VALUES = [
    ("9007199254740991", 9007199254740991),
    ("9007199254740993", "9007199254740993"),
    ("-9007199254740992", "-9007199254740992"),
    ("9223372036854775807", "9223372036854775807"),
    ("-9223372036854775807 - 1", "-9223372036854775808"),
    ("1.5", 1.5),
    ("1e20", 1e20),
    ("-1e300", -1e300),
    ("9e999", "Infinity"),
    ("-9e999", "-Infinity"),
    ("NULL", None),
    ("''", ""),
    ("'é 漢 😀'", "é 漢 😀"),
    ("'a' || char(0) || 'b'", "a\0b"),
    ("char(65533)", "\ufffd"),
    ("x''", {"blob": 0, "hex": ""}),
    ("x'00ff'", {"blob": 2, "hex": "00ff"}),
    ("zeroblob(100)", {"blob": 100, "hex": "00" * 32}),
    ("CAST(x'ff41' AS TEXT)", {"bytes": 2, "hex": "ff41"}),
    ("CAST('text' AS BLOB)", {"blob": 4, "hex": "74657874"}),
    ("1 = 1", 1),
]


@pytest.mark.parametrize(("value", "wire"), VALUES)
def test_a_value_comes_as_it_stands_in_the_database(account: Account, value: str, wire: object) -> None:
    """What JavaScript would round, mend or lose on the way does not pass through it as itself."""
    assert account.rows("empty", f"SELECT {value} AS v, 'beside'") == [[wire, "beside"]]


def test_columns_of_one_name_and_of_no_rows_stay_apart(account: Account) -> None:
    """As SQLite names them."""
    assert account.query("empty", "SELECT 1 AS a, 2 AS a, 'x' AS \"b c\"").data["rows"] == [[1, 2, "x"]]
    assert account.query("empty", "SELECT 1 AS a, 2 AS a WHERE 0").data["columns"] == ["a", "a"]


def test_parameters_come_through(account: Account) -> None:
    """Numbers, text, truth, nothing; and what JSON cannot carry is refused unsent."""
    sql = "SELECT ?, ?2, ?, typeof(?1)"

    assert account.rows("empty", sql, parameters=[1, "é'", None]) == [[1, "é'", None, "real"]]
    assert account.rows("empty", "SELECT ?", parameters=[True]) == [[1]]
    assert account.sent(lambda: account.query("empty", "SELECT ?", parameters=[2**53 + 1])) == []
    assert code(account.query("empty", "SELECT ?", parameters=[2**53 + 1])) == "invalid_arguments"
    assert code(account.query("empty", "SELECT ?", parameters=[float("inf")])) == "invalid_arguments"
    assert code(account.query("empty", "SELECT ?", parameters=[])) == "invalid_arguments"


def test_cost_and_place_are_what_d1_tells(account: Account, scratch: Callable[..., None]) -> None:
    """No estimate."""
    scratch("CREATE TABLE n (id INTEGER PRIMARY KEY, word TEXT)", COUNT.format(500))
    meta = account.query("scratch", "SELECT count(*) FROM n WHERE word LIKE 'x%'").data["meta"]

    assert (meta["rowsRead"], meta["servedBy"], meta["region"]) == (500, "miniflare.db", None)


def test_pages_give_the_whole_result_once(account: Account, scratch: Callable[..., None]) -> None:
    """Past the rows that are held against those before, too."""
    scratch("CREATE TABLE n (id INTEGER PRIMARY KEY, word TEXT)", COUNT.format(2300))
    rows: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        answer = account.query("scratch", "SELECT * FROM n ORDER BY id", limit=700, **cursor)
        rows += answer.data["rows"]
        assert answer.status == "complete"
        assert answer.data["truncated"] == (answer.data["nextCursor"] is not None)
        if answer.data["nextCursor"] is None:
            break
        cursor = {"cursor": answer.data["nextCursor"]}

    assert rows == [[number, f"word {number}"] for number in range(1, 2301)]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ("UPDATE n SET word = 'other' WHERE id = 3", True),
        ("DELETE FROM n WHERE id = 1", True),
        ("DELETE FROM n WHERE id > 2", True),
        ("INSERT INTO n VALUES (-1, 'first')", True),
        ("INSERT INTO n VALUES (1000, 'last')", False),
    ],
)
def test_a_change_before_the_page_is_told(
    account: Account, scratch: Callable[..., None], change: str, changed: bool
) -> None:
    """The rows before it are read again; what comes later is nobody's surprise."""
    scratch("CREATE TABLE n (id INTEGER PRIMARY KEY, word TEXT)", COUNT.format(20))
    sql = "SELECT * FROM n ORDER BY id"
    cursor = account.query("scratch", sql, limit=5).data["nextCursor"]
    account.write("scratch", change)
    answer = account.query("scratch", sql, limit=5, cursor=cursor)

    assert answer.error is None
    assert (answer.status == "partial") == changed
    assert any("not those given before" in each for each in answer.recommendations) == changed


def test_a_page_that_is_full_is_cut_at_a_row_and_goes_on(account: Account, scratch: Callable[..., None]) -> None:
    """By bytes, within the answer's bounds."""
    scratch("CREATE TABLE n (id INTEGER PRIMARY KEY, word TEXT)")
    account.write("scratch", *(f"INSERT INTO n VALUES ({row}, hex(zeroblob(10000)))" for row in range(12)))
    first = account.query("scratch", "SELECT * FROM n ORDER BY id")
    second = account.query("scratch", "SELECT * FROM n ORDER BY id", cursor=first.data["nextCursor"])
    third = account.query("scratch", "SELECT length(word), hex(zeroblob(40000)) FROM n LIMIT 1")

    assert [row[0] for answer in (first, second) for row in answer.data["rows"]][:6] == list(range(6))
    assert (first.status, second.status) == ("partial", "partial")
    assert code(third) == "too_large"


def test_what_is_larger_than_an_answer_of_cloudflare_is_asked_for_in_parts(
    account: Account, scratch: Callable[..., None]
) -> None:
    """A hundred rows of a megabyte each are no answer; the first of them is."""
    scratch("CREATE TABLE n (id INTEGER PRIMARY KEY, word TEXT)")
    account.write("scratch", *(f"INSERT INTO n VALUES ({row}, hex(zeroblob(900000)))" for row in range(14)))
    answer = account.query("scratch", "SELECT id, word FROM n ORDER BY id")

    assert code(answer) == "too_large"
    assert answer.summary.startswith("Row 1 alone")


def test_pragma_and_explain_are_paged_as_well(account: Account) -> None:
    """Though no statement can stand around them."""
    whole = account.rows("sample", "PRAGMA table_info(users)")
    first = account.query("sample", "PRAGMA table_info(users)", limit=2)
    second = account.query("sample", "PRAGMA table_info(users)", limit=2, cursor=first.data["nextCursor"])

    assert [*first.data["rows"], *second.data["rows"]] == whole[:4]
    assert second.status == "complete"


def test_a_cursor_of_another_statement_or_database_is_refused(account: Account) -> None:
    """Nothing is sent for it."""
    cursor = account.query("sample", "SELECT id FROM users", limit=1).data["nextCursor"]

    assert code(account.query("sample", "SELECT email FROM users", limit=1, cursor=cursor)) == "invalid_arguments"
    assert code(account.query("vault", "SELECT id FROM users", limit=1, cursor=cursor)) == "invalid_arguments"


def test_random_values_are_drawn_once(account: Account) -> None:
    """Whatever stands around the statement."""
    rows = account.rows(
        "empty", "SELECT a, a = b, abs(a) >= 0 FROM (SELECT r AS a, r AS b FROM (SELECT random() AS r))"
    )

    assert rows[0][2] == 1
    assert int(rows[0][0]) is not None


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT nope FROM users", "There is no column `nope`."),
        ("SELECT 'a' LIKE '" + "x" * 60 + "'", "D1 allows 50 bytes in a LIKE or GLOB pattern."),
        ("SELECT json_extract('{', '$')", "A value is no JSON, or a JSON path is wrong."),
        ("SELECT abs(-9223372036854775807 - 1)", "An integer overflows."),
        ("SELECT sqlite_version()", "The statement was not run. D1 does not allow the function sqlite_version."),
        ("SELECT * FROM _cf_KV", "There is no table `_cf_KV`."),
    ],
)
def test_failures_of_a_statement_have_the_words_of_a_local_database(account: Account, sql: str, words: str) -> None:
    """Whether it fails here or on Cloudflare."""
    assert account.query("sample", sql).summary == words


def test_a_column_that_came_meanwhile_is_known_at_once(account: Account, scratch: Callable[..., None]) -> None:
    """A schema that was read before is read again before anybody is told that something is missing."""
    scratch("CREATE TABLE n (id)")
    account.rows("scratch", "SELECT id FROM n")
    account.write("scratch", "ALTER TABLE n ADD COLUMN later DEFAULT 5", "INSERT INTO n (id) VALUES (1)")

    assert account.rows("scratch", "SELECT id, later FROM n") == [[1, 5]]


def test_a_secret_that_came_meanwhile_is_never_shown(account: Account, scratch: Callable[..., None]) -> None:
    """A view of the same name and columns, made anew over a secret since its schema was read."""
    made = ("CREATE TABLE n (id, note TEXT, api_key TEXT)", "INSERT INTO n VALUES (1, 'open', 'canary')")
    scratch(*made, "CREATE VIEW v AS SELECT id, note AS shown FROM n")
    before = account.rows("scratch", "SELECT * FROM v")
    account.write("scratch", "DROP VIEW v", "CREATE VIEW v AS SELECT id, api_key AS shown FROM n")
    answer = account.query("scratch", "SELECT * FROM v")

    assert before == [[1, "open"]]
    assert code(answer) == "refused"
    assert "canary" not in answer.model_dump_json()


def test_a_column_that_became_a_secret_meanwhile_is_never_shown(account: Account, scratch: Callable[..., None]) -> None:
    """`SELECT *` brings it under the mask."""
    scratch("CREATE TABLE n (id, note TEXT)", "INSERT INTO n VALUES (1, 'canary')")
    account.rows("scratch", "SELECT * FROM n")
    account.write("scratch", "ALTER TABLE n RENAME COLUMN note TO api_key")
    answer = account.query("scratch", "SELECT * FROM n")

    assert (answer.data["rows"], answer.data["masked"]) == ([[1, "***"]], ["api_key"])


def raw(columns: object, rows: object, **meta: object) -> Reply:
    """What `/raw` would answer."""
    result = [{"success": True, "results": {"columns": columns, "rows": rows}, "meta": meta}]
    return http(200, json.dumps({"success": True, "errors": [], "messages": [], "result": result}))


SCHEMA = raw(["type", "name", "tbl_name", "sql"], [["table", "t", "t", "CREATE TABLE t (a, token)"]])
ODD: list[Reply] = [
    http(200, '{"success": true, "result": {}}'),
    http(200, '{"success": true, "result": []}'),
    http(200, '{"success": true, "result": null}'),
    http(
        200, json.dumps({"success": True, "result": [{"results": {"columns": ["a"], "rows": [[1]]}, "meta": {}}] * 2})
    ),
    http(200, '{"success": true, "result": [{"results": [{"a": 1}], "meta": {}}]}'),
    raw("a", [[1]]),
    raw(["a"], {"0": 1}),
    raw(["a"], [1]),
    raw(["a"], [[1, 2]]),
    raw(["a", "b"], [[1, 2]]),
    raw(["a"], [[{"x": 1}]]),
    raw(["a"], [[[256]]]),
    raw(["a"], [[["x"]]]),
    raw(["a"], [[[98, 120]]]),
]


@pytest.mark.parametrize("reply", ODD)
def test_an_answer_that_is_not_of_d1s_form_is_no_answer(workspace: Path, reply: Reply) -> None:
    """It is told, and nothing of it is shown."""
    answer, _ = met(workspace, SCHEMA, reply, SCHEMA)

    assert code(answer) == "unavailable"
    assert answer.data == {}


def test_a_statement_that_wrote_after_all_is_told_loudly(workspace: Path) -> None:
    """It cannot be, so it is nobody's fault but ours."""
    for meta in ({"changed_db": True}, {"rows_written": 1}):
        answer, _ = met(workspace, SCHEMA, raw(["c0"], [[1]], **meta), SCHEMA)

        assert code(answer) == "internal"


def test_what_a_server_says_of_a_secret_is_masked_whatever_it_is(workspace: Path) -> None:
    """Even one that does not do as the statement asks."""
    answer, _ = met(workspace, SCHEMA, raw(["c0", "c1"], [[1, "canary"]]), SCHEMA, sql="SELECT a, token FROM t")

    assert answer.data["rows"] == [[1, "***"]]


def test_a_schema_that_never_stays_is_given_up(workspace: Path) -> None:
    """After a few times."""
    others = [
        raw(["type", "name", "tbl_name", "sql"], [["table", "t", "t", f"CREATE TABLE t (a, b{n})"]]) for n in range(6)
    ]
    replies = [others[0]]
    for other in others[1:]:
        replies += [raw(["c0"], [[1]]), other]
    answer, server = met(workspace, *replies)

    assert (code(answer), answer.summary) == (
        "unavailable",
        "The schema of the database changes while it is read.",
    )
    assert len(server.requests) == 7


def test_a_schema_of_another_form_or_of_any_size_is_none(workspace: Path) -> None:
    """Four columns, and no more text than a database has."""
    narrow, _ = met(workspace, raw(["type", "name"], [["table", "t"]]))
    huge, _ = met(workspace, raw(["type", "name", "tbl_name", "sql"], [["table", "t", "t", "x" * (5 << 20)]]))

    assert (code(narrow), code(huge)) == ("unavailable", "too_large")


def test_a_statement_too_long_for_what_stands_around_it_is_told_so(account: Account) -> None:
    """D1 would only say that it is too big."""
    answer = account.query("empty", f"SELECT 1 AS x /* {'x' * 99_800} */, 2")

    assert code(answer) == "too_large"
    assert "around it" in answer.summary


def test_a_hostile_schema_makes_nothing_but_tables(workspace: Path) -> None:
    """What is no CREATE, or does more than create, is left out."""
    evil = workspace / "evil.db"
    rows = [
        ["table", "x", "x", f"ATTACH '{evil}' AS e"],
        ["table", "y", "y", "CREATE TABLE y AS SELECT randomblob(1000000000)"],
        ["table", "z", "z", f"CREATE TABLE z (a); VACUUM INTO '{evil}'"],
        ["view", "w", "w", f"PRAGMA temp_store_directory = '{workspace}'"],
        ["table", "k", "k", "CREATE VIRTUAL TABLE k USING csv (filename = '/etc/passwd')"],
        ["table", "t", "t", "CREATE TABLE t (a, token)"],
    ]
    schema = raw(["type", "name", "tbl_name", "sql"], rows)
    answer, _ = met(workspace, schema, raw(["c0"], [[1]]), schema)

    assert answer.data["rows"] == [[1]]
    assert [each.name for each in workspace.iterdir()] == ["daan.toml"]


def met(workspace: Path, *replies: Reply, sql: str = "SELECT a FROM t") -> tuple[Answer, Adverse]:
    """The answer of d1_query when the API gives *replies*."""
    (workspace / "daan.toml").write_text(f'[d1.databases.live]\nid = "{IDS["scratch"]}"\n', encoding="utf-8")
    server = Adverse(*replies)
    environment = {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_ACCOUNT_ID": "acc", "DAAN_CLOUDFLARE_API": server.base}
    app = App(str(workspace), environment)
    try:
        return run(all_tools()["d1_query"], app, {"database": "live", "sql": sql}), server
    finally:
        app.close()
        server.end()


def test_fifty_readers_of_a_remote_database_are_all_answered(account: Account) -> None:
    """At once, over the connections they share."""
    answers: dict[int, Any] = {}

    def read(number: int) -> None:
        answers[number] = account.query("sample", "SELECT ?, count(*) FROM users", parameters=[number]).data["rows"]

    threads = [threading.Thread(target=read, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {number: [[number, 4]] for number in range(50)}
