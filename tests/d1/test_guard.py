"""Statements beyond the corpus: what the guard must see through, and what it must let by."""

import pytest

from mcp_daan.d1.guard import FUNCTIONS, PRAGMAS, PRAGMAS_WITH_NAME

from .conftest import Portal, code, contents

MORE_THAN_READING = [
    "INSERT INTO users DEFAULT VALUES",
    "REPLACE INTO accounts(id, name) VALUES (1, 'x')",
    "WITH RECURSIVE c(x) AS (SELECT 1) INSERT INTO accounts(name) SELECT x FROM c",
    "EXPLAIN QUERY PLAN UPDATE users SET name = 1",
    "EXPLAIN VACUUM",
    "EXPLAIN VACUUM INTO 'copy'",
    "EXPLAIN REINDEX",
    "EXPLAIN BEGIN",
    "EXPLAIN DETACH main",
    "EXPLAIN PRAGMA journal_mode = DELETE",
    "EXPLAIN CREATE TEMP TABLE t(x)",
    "vAcUuM iNtO 'copy'",
    "VACUUM main INTO 'copy'",
    "ATTACH DATABASE ('file:' || 'x?mode=rwc') AS x",
    "SAVEPOINT a",
    "END",
    "COMMIT",
    "ROLLBACK TO a",
    "PRAGMA main.journal_mode",
    "PRAGMA user_version",
    "PRAGMA schema_version",
    "PRAGMA integrity_check",
    "PRAGMA optimize(0x10002)",
    "PRAGMA wal_checkpoint",
    "PRAGMA case_sensitive_like = ON",
    "PRAGMA recursive_triggers(1)",
    "PRAGMA ignore_check_constraints = yes",
    "PRAGMA page_size = 512",
    "PRAGMA data_version = 1",
    "PRAGMA temp_store_directory = '/tmp'",
    "PRAGMA hard_heap_limit = 1",
    "PRAGMA function_list",
    "PRAGMA module_list",
    "PRAGMA pragma_list",
    "PRAGMA database_list",
    "PRAGMA stats",
    "PRAGMA temp.table_info(users)",
    "SELECT * FROM pragma_table_info('users', 'temp')",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_function_list",
    "SELECT count(*) FROM pragma_module_list",
    "SELECT * FROM pragma_compile_options",
    "SELECT * FROM pragma_journal_mode",
    "SELECT sqlite_version()",
    "SELECT sqlite_source_id()",
    "SELECT sqlite_compileoption_get(0)",
    "SELECT load_extension('x')",
    "SELECT fts5_source_id()",
    "SELECT fts3_tokenizer('simple')",
    "SELECT median(id) FROM users",
    "SELECT json_pretty('[]')",
    "SELECT (SELECT (SELECT Sqlite_Version()))",
    "SELECT * FROM users ORDER BY sqlite_version()",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM dbstat)",
    "SELECT count(*) FROM sqlite_dbpage",
    "SELECT * FROM sqlite_temp_schema",
    "SELECT * FROM temp.sqlite_master",
    "SELECT * FROM carray(1, 2)",
    "SELECT count(*) FROM carray(1, 2)",
    "SELECT * FROM fts5vocab",
    "SELECT * FROM _cf_KV",
    "SELECT * FROM _CF_kv",
    'SELECT * FROM "_cf_KV"',
    "SELECT * FROM main.[_cf_KV]",
    "SELECT count(*) FROM _cf_KV",
    "SELECT rowid FROM `_cf_kv`",
    "SELECT 1 IN _cf_KV",
    "WITH x AS (SELECT * FROM _cf_KV) SELECT 1 FROM x",
    "PRAGMA table_info(_cf_KV)",
    "PRAGMA table_xinfo('_CF_KV')",
    "PRAGMA index_list = _cf_KV",
    "PRAGMA foreign_key_check(_cf_kv)",
    "PRAGMA quick_check(_cf_KV)",
    "SELECT * FROM pragma_table_info('_cf_KV')",
    "SELECT * FROM pragma_table_xinfo('_cf_' || 'KV')",
    "SELECT p.name FROM sqlite_schema m, pragma_index_list(m.name) p",
    "SELECT 1; ; SELECT 2",
    "; DELETE FROM users",
    "SELECT 1;\n-- x\nVACUUM",
    "SELECT 1 /* unterminated */; /* */ PRAGMA query_only = 0 /*",
    "   ",
    ";",
    "/* only */ -- a comment",
    "SELECT 1\0",
    "\0",
    "SELECT ?; DELETE FROM users",
]


@pytest.mark.parametrize("sql", MORE_THAN_READING)
def test_anything_but_one_read_is_refused_and_leaves_no_trace(shared: Portal, sql: str) -> None:
    """A statement that is not one read changes no byte in the workspace."""
    before = contents(shared.root)

    answer = shared.query(sql)

    assert code(answer) in ("refused", "invalid_arguments")
    assert before == contents(shared.root)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1;",
        "SELECT 1; -- ; nothing; more",
        "SELECT 1 /* open to the end",
        "SELECT 1; /* x */ ; /* y */ -- z",
        "\ufeffSELECT 1",
        "-- first\nSELECT 1",
        "SELECT 'ATTACH; DROP', \"name\" FROM users",
        "WITH _x(a) AS (SELECT 1) SELECT a FROM _x",
        "WITH dbstat_like AS (SELECT 1) SELECT count(*) FROM dbstat_like",
        "SELECT count(*) FROM (SELECT 1)",
        "EXPLAIN QUERY PLAN SELECT * FROM users JOIN accounts",
        "EXPLAIN SELECT * FROM users WHERE id = 1",
        "EXPLAIN PRAGMA table_info(users)",
        "PRAGMA main.table_list",
        "PRAGMA table_list(users)",
        "PRAGMA foreign_key_list(users)",
        "PRAGMA quick_check(2)",
        "PRAGMA data_version",
        "PRAGMA page_size",
        "SELECT string_agg(name, ',' ORDER BY name DESC) FROM users",
        "SELECT json_quote('a'), jsonb_extract('[1]', '$[0]')",
        "SELECT unixepoch('now'), timediff('2026-01-01', '2025-01-01')",
        "SELECT m.name, p.name FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
        "SELECT highlight(docs_fts, 0, '<', '>'), bm25(docs_fts) FROM docs_fts('drop OR delete')",
        "SELECT * FROM docs_fts_data",
        "SELECT * FROM sqlite_sequence",
        "SELECT tbl FROM sqlite_stat1",
        "SELECT * FROM users, json_tree(users.meta)",
        "SELECT key, value FROM jsonb_each('[1]')",
        "SELECT foreign_keys FROM pragma_foreign_keys",
        "SELECT current_timestamp, random() IS NOT NULL",
        "SELECT * FROM (VALUES (1), (2)) ORDER BY 1 LIMIT 1 OFFSET 1",
        "SELECT id FROM users UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4",
        "SELECT name FROM users WHERE name LIKE '" + "a" * 49 + "%'",
    ],
)
def test_what_only_reads_is_answered(shared: Portal, sql: str) -> None:
    """The guard is not stricter than D1."""
    assert shared.query(sql).error is None


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT id FROM users" + " UNION ALL SELECT 1" * 5, []),
        ("SELECT 1 WHERE 'a' LIKE '" + "a" * 51 + "'", []),
        ("SELECT " + ", ".join("?" * 101), list(range(101))),
        ("SELECT ?101", [1]),
        ("SELECT " + "abs(" * 101 + "1" + ")" * 101, []),
        ("SELECT " + ", ".join(["1"] * 101), []),
        ("SELECT max(" + ", ".join(["1"] * 128) + ")", []),
        ("SELECT '" + "x" * 100_000 + "'", []),
        ("SELECT zeroblob(8388643)", []),
    ],
)
def test_the_limits_of_d1_hold_locally(shared: Portal, sql: str, parameters: list[int]) -> None:
    """What D1 would refuse fails here too."""
    assert code(shared.query(sql, parameters=parameters)) in ("invalid_arguments", "too_large")


def test_a_megabyte_of_sql_is_refused_clearly(shared: Portal) -> None:
    """It says how much there is and how much D1 takes."""
    answer = shared.query("SELECT '" + "x" * 1_000_000 + "'")

    assert code(answer) == "too_large"
    assert answer.summary == "The statement has 1000009 bytes; D1 takes 100000."


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"sql": 1}, "sql"),
        ({"sql": ""}, "sql"),
        ({"sql": "SELECT 1", "limit": 0}, "limit"),
        ({"sql": "SELECT 1", "limit": 1001}, "limit"),
        ({"sql": "SELECT 1", "limit": "10"}, "limit"),
        ({"sql": "SELECT 1", "parameters": "a"}, "parameters"),
        ({"sql": "SELECT 1", "parameters": {"a": 1}}, "parameters"),
        ({"sql": "SELECT 1", "parameters": [[1]]}, "parameters"),
        ({"sql": "SELECT ?", "parameters": [2**64]}, "parameters"),
        ({"sql": "SELECT ?", "parameters": []}, "parameters"),
        ({"sql": "SELECT ?", "parameters": [1, 2]}, "parameters"),
        ({"sql": "SELECT 1", "cursor": "x"}, "cursor"),
        ({"sql": "SELECT 1", "read_only": True}, "read_only"),
        ({}, "sql"),
    ],
)
def test_arguments_of_the_wrong_form_are_named(shared: Portal, arguments: dict[str, object], named: str) -> None:
    """Nothing is dropped or guessed."""
    answer = shared.call("d1_query", database="portal-db", **arguments)

    assert code(answer) == "invalid_arguments"
    assert f"`{named}`" in answer.summary


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT nope FROM users", "There is no column `nope`."),
        ("SELECT * FROM nope", "There is no table `nope`."),
        ("SELECT nope(1)", "There is no function `nope`."),
        ("SELEC 1", "There is a syntax error near `SELEC`."),
        ("SELECT 1 FROM", "The statement ends too early."),
        ("SELECT id FROM users JOIN accounts", "The column name `id` is ambiguous."),
        ("SELECT abs(1, 2)", "`abs()` takes another number of arguments."),
        ("SELECT json('{')", "A value is no JSON, or a JSON path is wrong."),
    ],
)
def test_a_mistake_in_sql_is_explained(shared: Portal, sql: str, told: str) -> None:
    """In words that an agent can act on."""
    answer = shared.query(sql)

    assert (code(answer), answer.summary) == ("invalid_arguments", told)


def test_the_lists_hold_no_function_or_pragma_that_tells_of_the_build() -> None:
    """Names that must never come onto the lists."""
    never = {"load_extension", "fts3_tokenizer", "sqlite_version", "sqlite_source_id", "readfile", "writefile", "edit"}

    assert never & FUNCTIONS == set()
    assert {"optimize", "integrity_check", "journal_mode", "writable_schema"} & (PRAGMAS | PRAGMAS_WITH_NAME) == set()


def test_a_table_that_a_file_declares_with_a_foreign_module_has_nothing_behind_it(empty: Portal) -> None:
    """A hostile file could otherwise show its raw pages through the guard."""
    empty.fill("CREATE TABLE users(id, token); CREATE VIRTUAL TABLE pages USING dbstat(main);")

    answer = empty.query("SELECT * FROM pages")

    assert code(answer) == "invalid_arguments"
