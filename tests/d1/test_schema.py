"""The schema is told whole: what a query needs, and which columns are secret."""

from typing import Any

import pytest

from mcp_daan.d1.ddl import index_text, without_literals

from .conftest import Portal, code


def tables(portal: Portal, **arguments: Any) -> dict[str, dict[str, Any]]:
    """The tables by name."""
    answer = portal.call("d1_schema", database="portal-db", **arguments)
    assert answer.error is None, answer.error
    return {table["name"]: table for table in answer.data["tables"]}


def test_tables_views_and_virtual_tables_are_told_and_nothing_internal(portal: Portal) -> None:
    """In order of creation."""
    assert {name: table["kind"] for name, table in tables(portal).items()} == {
        "accounts": "table",
        "users": "table",
        "connections": "table",
        "api_keys": "table",
        "audit_log": "table",
        "invoices": "table",
        "active_users": "view",
        "docs_fts": "virtual",
        "d1_migrations": "table",
    }


def test_a_column_is_told_with_all_that_it_may_hold(portal: Portal) -> None:
    """Type, NOT NULL, default, key, reference, secrecy."""
    columns = {column["name"]: column for column in tables(portal, table="USERS")["users"]["columns"]}

    assert columns["account_id"] == {
        "name": "account_id",
        "type": "INTEGER",
        "notNull": True,
        "default": None,
        "primaryKey": False,
        "references": {"table": "accounts", "column": "id", "onDelete": "CASCADE"},
        "secret": False,
    }
    assert (columns["id"]["primaryKey"], columns["status"]["default"]) == (True, "'active'")
    assert "email_lc" in columns


def test_secret_columns_are_marked_in_tables_and_views(empty) -> None:
    """A view's column that draws on one too."""
    empty.fill(
        "CREATE TABLE k(id, token, note, half AS (substr(token, 1, 4))); CREATE VIEW v AS SELECT id, upper(token) AS t,"
        " note FROM k; CREATE VIEW broken AS SELECT nope FROM gone;"
    )
    found = tables(empty)
    marked = {name: [each["name"] for each in found[name]["columns"] if each["secret"]] for name in found}

    assert marked == {"k": ["token", "half"], "v": ["t"], "broken": []}


def test_an_index_is_told_with_its_expressions_and_its_condition(empty) -> None:
    """Also the one behind UNIQUE."""
    empty.fill(
        "CREATE TABLE t(a UNIQUE, b, c); CREATE INDEX i ON t(lower(b), c DESC) WHERE (a > 1) AND c <> 'WHERE (';"
    )

    assert tables(empty)["t"]["indexes"] == [
        {"name": "sqlite_autoindex_t_1", "unique": True, "columns": ["a"], "where": None},
        {"name": "i", "unique": False, "columns": ["lower(b)", "c"], "where": "(a > 1) AND c <> 'WHERE ('"},
    ]


def test_each_detail_tells_more(portal: Portal) -> None:
    """Names; columns and indexes; SQL and rows."""
    names, columns, full = (tables(portal, detail=detail)["users"] for detail in ("names", "columns", "full"))

    assert (names["columns"], names["indexes"], names["sql"], names["rows"]) == ([], [], None, None)
    assert (len(columns["columns"]), len(columns["indexes"]), columns["sql"], columns["rows"]) == (10, 3, None, None)
    assert (full["sql"].startswith("CREATE TABLE users"), full["rows"]) == (True, 4)
    assert [columns[key] for key in ("columns", "indexes")] == [full[key] for key in ("columns", "indexes")]


def test_no_literal_beside_a_secret_column_is_shown(empty) -> None:
    """Neither as a default, nor in a check, an index, a view or the SQL."""
    empty.fill(
        "CREATE TABLE t(id, plan DEFAULT 'free', token TEXT DEFAULT 'hunter2' CHECK (token <> 'hunter3'), hash DEFAULT ''"
        ", CHECK (token <> 'hunter4')); CREATE INDEX i ON t(id) WHERE token <> 'hunter5';"
        "CREATE VIEW v AS SELECT id FROM t WHERE token = 'hunter6';"
    )

    answer = empty.call("d1_schema", database="portal-db", detail="full")
    columns = {column["name"]: column["default"] for column in answer.data["tables"][0]["columns"]}

    assert columns == {"id": None, "plan": "'free'", "token": "***", "hash": "''"}
    assert "hunter" not in answer.model_dump_json()
    assert "'free'" in answer.data["tables"][0]["sql"]


def test_an_unknown_table_is_answered_with_near_names(portal: Portal) -> None:
    """Also for Cloudflare's own, which do not exist for anybody."""
    answers = [
        portal.call("d1_schema", database="portal-db", table=name) for name in ("user", "_cf_KV", "sqlite_master")
    ]

    assert [code(answer) for answer in answers] == ["not_found"] * 3
    assert "users" in answers[0].recommendations[0]
    assert "_cf_" not in answers[1].recommendations[0]


def test_a_large_schema_comes_in_pages(empty) -> None:
    """Cut at a table's border, each table once."""
    columns = ", ".join(f"column_number_{n} TEXT NOT NULL" for n in range(50))
    empty.fill(";".join(f"CREATE TABLE table_{n}({columns})" for n in range(40)))
    names: list[str] = []
    statuses = set()
    more: dict[str, str] = {}
    while True:
        answer = empty.call("d1_schema", database="portal-db", **more)
        assert len(answer.model_dump_json().encode()) < 65536
        names += [table["name"] for table in answer.data["tables"]]
        statuses.add(answer.status)
        if answer.data["nextCursor"] is None:
            break
        more = {"cursor": answer.data["nextCursor"]}

    assert names == [f"table_{n}" for n in range(40)]
    assert statuses == {"partial", "complete"}


def test_names_that_need_quotes_are_read(empty) -> None:
    """Whatever SQLite lets be a name."""
    empty.fill(
        'CREATE TABLE "a ""b"" ]c"("x "" y" PRIMARY KEY, "group"); CREATE INDEX "i ""n" ON "a ""b"" ]c"("group");'
    )

    table = tables(empty, detail="full")['a "b" ]c']

    assert [column["name"] for column in table["columns"]] == ['x " y', "group"]
    assert [index["name"] for index in table["indexes"]][-1] == 'i "n'


@pytest.mark.parametrize(
    ("sql", "columns", "where"),
    [
        ("CREATE INDEX i ON t(a)", ("a",), None),
        (
            "create unique index i on t (a, b collate nocase) where b is not null",
            ("a", "b collate nocase"),
            "b is not null",
        ),
        ("CREATE INDEX \"(\" ON t(json_extract(a, '$,)'), b)", ("json_extract(a, '$,)')", "b"), None),
    ],
)
def test_an_index_statement_is_taken_apart(sql: str, columns: tuple[str, ...], where: str | None) -> None:
    """At its own commas only."""
    text = index_text(sql)

    assert (text.columns, text.where) == (columns, where)


def test_only_literals_beside_secrets_are_hidden() -> None:
    """The others tell what a column may hold."""
    sql = "CREATE TABLE t(plan CHECK (plan IN ('a', 'b')), token DEFAULT x'00', \"token\" TEXT)"

    assert without_literals(sql, {"token"}) == sql.replace("x'00'", "'***'")


def test_a_table_wider_than_an_answer_does_not_hide_the_tables_after_it(empty) -> None:
    """It is shown without its columns, and the answer says so."""
    columns = ", ".join(f"column_with_a_rather_long_name_{number} TEXT DEFAULT '{'x' * 60}'" for number in range(90))
    empty.fill(f"CREATE TABLE narrow(id); CREATE TABLE wide({columns}); CREATE TABLE zebra(id)")
    empty.app.environment = {"DAAN_LIMITS_MAX_ANSWER_BYTES": "8192"}
    answer = empty.call("d1_schema", database="portal-db", detail="full")

    assert [(each["name"], len(each["columns"])) for each in answer.data["tables"]] == [
        ("narrow", 1),
        ("wide", 0),
        ("zebra", 1),
    ]
    assert (answer.status, "wide" in answer.recommendations[0]) == ("partial", True)
