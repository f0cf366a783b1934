"""A literal that stands beside a secret column in the schema is as secret as its values."""

import pytest

from mcp_daan.d1.ddl import tells

from .conftest import Portal, code

BESIDE = {
    "default": "CREATE TABLE t(id, plan DEFAULT 'free', token TEXT DEFAULT 'hunter2');",
    "check": "CREATE TABLE t(id, plan DEFAULT 'free', token TEXT, CHECK (token <> 'hunter2'));",
    "index": "CREATE TABLE t(id, plan DEFAULT 'free', token TEXT); CREATE INDEX i ON t(id) WHERE token = 'hunter2';",
    "view": "CREATE TABLE t(id, plan DEFAULT 'free', token TEXT); CREATE VIEW v AS SELECT id FROM t WHERE token = 'hunter2';",
    "trigger": "CREATE TABLE t(id, plan DEFAULT 'free', token TEXT); CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET token = 'hunter2'; END;",
    "generated": "CREATE TABLE t(id, plan DEFAULT 'free', token TEXT, peppered AS (token || 'hunter2'));",
    "number": "CREATE TABLE t(id, plan DEFAULT 'free', otp INTEGER DEFAULT 48154815);",
    "blob": "CREATE TABLE t(id, plan DEFAULT 'free', secret BLOB DEFAULT x'48154815');",
}
ASKING = [
    "SELECT * FROM sqlite_schema",
    "SELECT sql FROM sqlite_master",
    "SELECT upper(sql) AS x, hex(sql), substr(s.sql, 1, 500) FROM main.sqlite_schema AS s",
    "SELECT name FROM sqlite_schema WHERE sql LIKE '%hunter2%' OR sql LIKE '%4815%'",
    "SELECT group_concat(sql) FROM sqlite_schema",
    "SELECT (SELECT max(sql) FROM sqlite_master)",
    "WITH s AS (SELECT sql AS plain FROM sqlite_schema) SELECT plain FROM s",
    "PRAGMA table_info(t)",
    "PRAGMA main.table_info(t)",
    "pragma/**/TABLE_XINFO = t",
    'PRAGMA "table_info"(t)',
    "PRAGMA 'table_info'('t')",
    "PRAGMA [main] . `table_xinfo` ([t])",
    "SELECT * FROM pragma_table_info('t')",
    "SELECT dflt_value FROM pragma_table_xinfo('t')",
    "SELECT m.name, p.dflt_value || '' FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.type = 'table'",
    "SELECT count(*) FROM pragma_table_info('t') WHERE dflt_value LIKE '%hunter2%' OR dflt_value LIKE '%4815%'",
    "EXPLAIN PRAGMA table_info(t)",
    "EXPLAIN SELECT * FROM v",
    "EXPLAIN SELECT peppered FROM t",
]


@pytest.mark.parametrize("where", BESIDE)
@pytest.mark.parametrize("sql", ASKING)
def test_no_literal_beside_a_secret_column_leaves(empty: Portal, where: str, sql: str) -> None:
    """Neither itself, nor whether it was guessed."""
    empty.fill(BESIDE[where])

    answer = empty.query(sql)

    assert [each for each in ("hunter2", "HUNTER2", "68756E74657232", "4815") if each in answer.model_dump_json()] == []
    assert answer.data.get("rows") not in ([["t"]], [["i"]], [["v"]], [["r"]], [[1]])


@pytest.mark.parametrize("where", BESIDE)
def test_the_rest_of_the_schema_stays_readable(empty: Portal, where: str) -> None:
    """Names and types, and in `d1_schema` the SQL without the literal."""
    empty.fill(BESIDE[where])

    assert empty.rows("SELECT type, name FROM sqlite_schema WHERE name = 't'") == [["table", "t"]]
    assert empty.rows("SELECT name FROM pragma_table_info('t') LIMIT 2") == [["id"], ["plan"]]
    assert [row[1] for row in empty.rows("PRAGMA table_info(t)")][:2] == ["id", "plan"]
    assert code(empty.query("EXPLAIN QUERY PLAN SELECT id FROM t")) is None
    assert "CREATE TABLE t" in empty.call("d1_schema", database="portal-db", detail="full").data["tables"][0]["sql"]


def test_what_is_masked_is_named(empty: Portal) -> None:
    """As every masked column is; EXPLAIN, which has no such columns, is refused."""
    empty.fill(BESIDE["default"])

    answers = [empty.query("SELECT name, sql FROM sqlite_schema"), empty.query("PRAGMA table_info(t)")]
    plain = empty.query("EXPLAIN SELECT id FROM t")

    assert [answer.data["masked"] for answer in answers] == [["sql"], ["dflt_value"]]
    assert [answers[0].data["rows"], answers[1].data["rows"][1][4]] == [[["t", "***"]], "***"]
    assert (code(plain), "EXPLAIN QUERY PLAN" in plain.recommendations[0]) == ("refused", True)


def test_a_schema_without_such_literals_is_shown_whole(portal: Portal) -> None:
    """Secret columns alone hide nothing of it."""
    sql = portal.rows("SELECT sql FROM sqlite_schema WHERE name = 'api_keys'")[0][0]
    defaults = [row[4] for row in portal.rows("PRAGMA table_info(api_keys)")]

    assert (sql.startswith("CREATE TABLE api_keys"), defaults[4]) == (True, "'read'")
    assert code(portal.query("EXPLAIN SELECT id FROM users")) is None


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("CREATE TABLE t(token VARCHAR(255) NOT NULL DEFAULT '', plan DEFAULT 'free')", False),
        ("CREATE TABLE t(key_hash TEXT CHECK (length(key_hash) = 64))", False),
        ("CREATE TABLE t(token DEFAULT 0, hash DEFAULT NULL, salt DEFAULT CURRENT_TIMESTAMP)", False),
        ("CREATE VIRTUAL TABLE t USING fts5(title, token, tokenize = 'porter unicode61')", False),
        ("CREATE TABLE t(token, shown AS (substr(token, 1, 2) || '…'), since AS (token > date('now')))", False),
        ("CREATE VIEW v AS SELECT id FROM users WHERE status = 'active'", False),
        ("CREATE TABLE t(token DEFAULT 'open')", True),
        ("CREATE TABLE t(otp DEFAULT 1234)", True),
        ("CREATE INDEX i ON t(id) WHERE salt = x'0011'", True),
    ],
)
def test_lengths_empty_defaults_and_tokenizers_tell_nothing(sql: str, told: bool) -> None:
    """Else most schemas would be hidden for nothing."""
    assert tells(sql, {"token", "key_hash", "hash", "salt", "otp"}) is told


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("PRAGMA foreign_key_check", [["codes", "***", "users", 0]]),
        ("PRAGMA main.foreign_key_check(codes)", [["codes", "***", "users", 0]]),
        ("SELECT rowid, parent FROM pragma_foreign_key_check('codes')", [["***", "users"]]),
        ("SELECT count(*) FROM pragma_foreign_key_check WHERE rowid = 424242", [[0]]),
        ("SELECT * FROM sqlite_sequence", [["codes", "***"]]),
        ("SELECT name FROM sqlite_sequence WHERE seq = 424242", []),
    ],
)
def test_a_key_that_is_a_secret_is_told_by_no_number_of_its_rows(empty: Portal, sql: str, expected: object) -> None:
    """What lists rows by their rowid, or counts them up, would show it."""
    empty.fill(
        "CREATE TABLE users(id INTEGER PRIMARY KEY);"
        "CREATE TABLE codes(otp INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER REFERENCES users(id));"
        "INSERT INTO codes VALUES (424242, 9);"
    )

    assert empty.rows(sql) == expected
