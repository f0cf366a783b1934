"""How a statement is judged without being run, and what that leaves behind."""

import subprocess
import sys
import time

import apsw
import pytest

from mcp_daan.d1.masking.concern import Masks
from mcp_daan.d1.masking.lineage import result_masks
from mcp_daan.d1.masking.probe import nothing_bound
from mcp_daan.d1.masking.secrets import secret_columns
from mcp_daan.d1.masking.words import parameter_count
from mcp_daan.errors import Refused

HARMLESS = [
    "SELECT id, email, note FROM users WHERE email LIKE 'u%' ORDER BY id LIMIT 3",
    "SELECT provider, count(*), max(token_expires_at) FROM connections GROUP BY provider HAVING count(*) > 1",
    "SELECT DISTINCT key_id, hash_type FROM api_keys WHERE user_id IN (SELECT id FROM users)",
    "SELECT u.email, c.tokens_count FROM users u JOIN connections c ON c.user_id = u.id",
    "SELECT * FROM settings NATURAL JOIN (SELECT 'colour' AS name)",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 5) SELECT i, email FROM n JOIN users USING (id)"
    .replace("USING (id)", "ON id = i"),
    "SELECT name FROM settings UNION SELECT provider FROM connections EXCEPT SELECT 'x' ORDER BY 1",
    "SELECT rank() OVER (PARTITION BY provider ORDER BY id) FROM connections",
    "SELECT key, value FROM json_each('{\"a\": 1}')",
    "SELECT title, snippet(pages, 0, '<', '>', '…', 5) FROM pages('page') ORDER BY rank",
    "SELECT type, name, sql FROM sqlite_schema",
    "VALUES (1, 'token'), (2, NULL)",
    "PRAGMA table_list",
    "EXPLAIN QUERY PLAN SELECT * FROM connections",
]  # fmt: skip


@pytest.mark.parametrize("sql", HARMLESS)
def test_a_statement_without_secrets_runs_as_it_is_with_nothing_masked(vault, sql):
    """All its columns are readable, and its words are its own."""
    masks = vault.masks(sql)

    width = len(vault.connection.execute(sql).get_description())
    assert masks == Masks((False,) * width, (), sql)


def test_the_statement_is_not_run(vault):
    """Not one row is read, and no function is called."""
    called = []
    vault.connection.create_scalar_function("called", called.append, 1)
    vault.masks("SELECT called(id), access_token_enc FROM connections WHERE called(provider)")

    assert called == []


@pytest.mark.parametrize("sql", ["PRAGMA user_version = 7", "DELETE FROM users", "ATTACH ':memory:' AS o"])
def test_what_the_connection_denies_is_denied_while_judging(make_vault, sql):
    """A PRAGMA takes effect when it is prepared, so the connection's own authorizer stands there too."""
    vault = make_vault("own")
    guard = vault.connection.authorizer = lambda action, *rest: (
        apsw.SQLITE_DENY if action == apsw.SQLITE_PRAGMA else vault.guard(action, *rest)
    )
    with pytest.raises(apsw.AuthError):
        vault.masks(sql)

    assert vault.connection.authorizer is guard
    vault.connection.authorizer = None
    assert vault.connection.execute(
        "SELECT user_version, (SELECT count(*) FROM users) FROM pragma_user_version"
    ).get == (0, 7)


def test_the_plan_that_is_judged_is_that_of_hidden_secrets():
    """Also on a connection that has no authorizer yet: a search for a secret walks no index once it is hidden."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, token TEXT, name TEXT); CREATE INDEX i ON t (token)")
    sql = "SELECT id, name, token FROM t WHERE token = 'x'"
    masks = result_masks(connection, sql, frozenset({("t", "token")}))

    assert masks == Masks((False, False, True), ("t.token",), sql)
    assert connection.authorizer is None


@pytest.mark.parametrize(
    "sql", ["SELECT count(*) FROM api_keys", "SELECT name FROM api_keys WHERE name = 'k1'", "SELECT * FROM api_keys"]
)
def test_a_statement_that_walks_no_secret_index_keeps_its_words(vault, sql):
    """To count the rows of an index tells nothing of their order."""
    assert vault.masks(sql).statement == sql


def test_listing_tables_reads_nothing_though_the_engine_compiles_every_view(make_vault):
    """A PRAGMA has no column to mask."""
    masks = make_vault("new").masks("PRAGMA table_list")

    assert masks == Masks((False,) * 6, (), "PRAGMA table_list")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ?, ?",
        "SELECT ?3, ?, ?1",
        "SELECT :a, @b, $c, #d, :a, ?",
        "SELECT $a::b(c), '?', \"?\" AS x, [?] FROM (SELECT 1 AS [?])",
        "SELECT ? -- ?\n, /* ? */ :é_1$x, ?2",
        "SELECT '?''?', x'00', ?",
    ],
)
def test_parameters_are_counted_as_sqlite_counts_them(sql):
    """A statement is judged before its parameters are known."""
    counted = []
    cursor = apsw.Connection(":memory:").cursor()
    cursor.exec_trace = lambda cursor, *_: counted.append(cursor.bindings_count) or True
    cursor.execute(sql, nothing_bound(sql))

    assert counted == [parameter_count(sql)]


def test_what_is_nested_deeper_than_anybody_writes_is_refused(vault):
    """Reading it does not break; refusing it is right, for then nothing is shown."""
    with pytest.raises(Refused):
        vault.masks("SELECT * FROM " + "(SELECT * FROM " * 60 + "vault" + ")" * 60)


def test_ctes_that_name_one_another_many_times_are_followed_in_no_time(vault):
    """What grows with each step is bounded by the engine, which refuses it first."""
    ctes = ", ".join(f"c{n + 1} AS (SELECT {'||'.join([f'(SELECT x FROM c{n})'] * 3)} x, 1 AS y)" for n in range(5))
    started = time.perf_counter()
    masks = vault.masks(f"WITH c0 AS (SELECT access_token x FROM vault), {ctes} SELECT * FROM c5")

    assert masks.columns == (True, False)
    assert time.perf_counter() - started < 2


def test_refusals_name_the_secret_and_say_what_to_do(vault):
    """A caller can mend the statement by what the failure says."""
    with pytest.raises(Refused) as caught:
        vault.masks("SELECT DISTINCT access_token_enc FROM connections")

    assert "connections.access_token_enc" in caught.value.message
    assert "DISTINCT" in caught.value.message
    assert caught.value.advice


def test_what_the_engine_reads_and_lineage_does_not_see_is_refused(vault):
    """The engine is the judge: here it reads a table as such, which no expression names."""
    with pytest.raises(Refused):
        result_masks(vault.connection, "SELECT count(*) FROM settings", frozenset({("settings", "")}))


def test_the_plan_does_not_change_with_the_values_that_are_bound():
    """A pattern that is known only later does not bring in the index whose order was not judged."""
    orders = []
    for tokens in ("abc", "cba"):
        connection = apsw.Connection(":memory:")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT COLLATE nocase, token TEXT, more TEXT)")
        connection.executemany("INSERT INTO t VALUES (NULL, 'same', ?, 'x')", [(token,) for token in tokens])
        connection.executemany("INSERT INTO t VALUES (NULL, 'n' || ?, 't', 'x')", [(n,) for n in range(200)])
        connection.execute("CREATE INDEX i ON t (name, token); ANALYZE")
        masks = result_masks(connection, "SELECT id, more FROM t WHERE name LIKE ?", frozenset({("t", "token")}))
        orders.append(connection.execute(masks.statement, ("sam%",)).fetchall())

    assert orders[0] == orders[1] == [(1, "x"), (2, "x"), (3, "x")]


def test_a_view_that_is_read_in_other_words_still_hides_what_its_names_call_secret(vault):
    """Its column `token` is NULL to a filter, though the column behind it has a harmless name."""
    masks = vault.masks("SELECT count(*) FROM renamed_sessions WHERE token = 1")

    assert masks.elsewhere == ("renamed_sessions.token",)
    assert masks.statement != "SELECT count(*) FROM renamed_sessions WHERE token = 1"
    assert vault.connection.execute(masks.statement).get == 0


def test_masking_imports_little():
    """It runs in a process that is started while a caller waits."""
    code = "import sys, mcp_daan.d1.masking.lineage, mcp_daan.d1.masking.secrets; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert {"pydantic", "mcp", "apsw.ext", "sqlite3"}.isdisjoint(loaded)


@pytest.mark.parametrize("mark", ["'", '"', "`", "[", "/*", "?", ":a(", "$", "x'", "--", "'' ", "(", "0x", "1e", "::"])
def test_a_long_senseless_text_is_read_in_no_time(mark):
    """No token is sought again and again."""
    started = time.perf_counter()
    parameter_count(mark * (100_000 // len(mark)))

    assert time.perf_counter() - started < 2


def test_virtual_tables_work_on_a_connection_that_is_guarded_from_the_start(tmp_path):
    """What they read of their own tables when they are first used is not hidden from them."""
    path = str(tmp_path / "virtual.db")
    with apsw.Connection(path) as writing:
        writing.execute("CREATE VIRTUAL TABLE r USING rtree (id, low, high, +token, +name)")
        writing.execute("CREATE VIRTUAL TABLE f USING fts5 (title, token)")
        writing.execute("INSERT INTO r VALUES (1, 2, 3, 'canary', 'n'); INSERT INTO f VALUES ('t', 'canary')")
    answers = []
    for _ in range(2):
        reading = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
        secrets = secret_columns(reading, ())
        reading.authorizer = lambda action, table, column, *_, secrets=secrets: (
            apsw.SQLITE_IGNORE if action == apsw.SQLITE_READ and (table, column) in secrets else apsw.SQLITE_OK
        )
        answers.append(
            [
                reading.execute(result_masks(reading, f"SELECT rowid, token FROM {name}", secrets).statement).get
                for name in "rf"
            ]
        )

    assert answers == [[(1, None), (1, None)]] * 2
