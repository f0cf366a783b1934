"""Which columns are secret: by name, by configuration, and by what the schema derives from those."""

import apsw
import pytest

from mcp_daan.d1.masking.secrets import secret_columns
from mcp_daan.errors import Unavailable

HARMLESS = """
tokens_count token_type token_expires_at token_expires refresh_token_hint key_id token_id hash_type hashCount cookie_url
password_changed_at secret_at jwt_type id user_id email name status created_at expires_at key keys primary_key foreign_key
public_key_id author broken tokenizer encoding hashtag salty saltwater cookiecutter state scope provider encounters
""".split()
SECRET = """
token tokens access_token accessToken access_token_enc refreshTokenEnc TOKEN client_secret secrets password passwordHash
password_hash hash key_hash token_hash cipher ciphertext iv_cipher salt otp totp_seed cookie session_cookies jwt api_key
apiKey apikey private_key PRIVATE_KEY_PEM_ENC password2 token_1 enc
""".split()


def columns_of(schema: str, *patterns: str) -> set[str]:
    """The secret columns of a schema, as table.column."""
    connection = apsw.Connection(":memory:")
    connection.execute(schema)
    return {".".join(each) for each in secret_columns(connection, patterns) if not each[0].startswith("sqlite_")}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_name_stays_readable(name):
    """Dates, counts, kinds and numbers of secrets tell nothing of them."""
    assert columns_of(f'CREATE TABLE t ("{name}" TEXT)') == set()


@pytest.mark.parametrize("name", SECRET)
def test_a_name_with_a_secret_segment_is_secret(name):
    """A segment of the name makes a column secret, however the name is written."""
    assert columns_of(f'CREATE TABLE t ("{name}" TEXT)') == {f"t.{name.lower()}"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("people.iban", {"people.iban"}),
        ("People.IBAN", {"people.iban"}),
        ("iban", {"people.iban", "firms.iban"}),
        ("*.iban", {"people.iban", "firms.iban"}),
        ("people.*", {"people.id", "people.iban", "people.name"}),
        ("p*.i*", {"people.id", "people.iban"}),
        ("firms.na??", {"firms.name"}),
        ("nothing.here", set()),
        ("v.shown", {"v.shown"}),
    ],
)
def test_configuration_names_columns_by_pattern(pattern, expected):
    """`table.column`, a column of any table, and both with wildcards."""
    schema = """
    CREATE TABLE people (id INTEGER PRIMARY KEY, iban TEXT, name TEXT);
    CREATE TABLE firms (id INTEGER PRIMARY KEY, iban TEXT, name TEXT);
    CREATE VIEW v AS SELECT name AS shown FROM people;
    """

    assert expected == columns_of(schema, pattern)


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("start TEXT AS (substr(token, 1, 4))", {"start"}),
        ("start TEXT GENERATED ALWAYS AS (substr([Token], 1, 4)) STORED", {"start"}),
        ("a TEXT AS (b || 'x'), b TEXT AS (length(token))", {"a", "b"}),
        ('a TEXT CHECK (a <> CAST("token" AS TEXT)) AS (name) CHECK (a > token)', set()),
        ("a TEXT AS (name || '(,token,)') NOT NULL", set()),
        ("a TEXT AS (upper(name)), b INTEGER CHECK (b <> 3)", set()),
    ],
)
def test_a_generated_column_is_as_secret_as_what_it_is_made_of(definition, expected):
    """Through functions and through other generated columns."""
    found = columns_of(f"CREATE TABLE t (token TEXT, name TEXT, {definition})")

    assert {"t.token", *(f"t.{each}" for each in expected)} == found


def test_a_view_has_the_secrets_of_its_column_names_only():
    """What a view shows of a secret column is followed in each statement; its own names count as names do."""
    schema = "CREATE TABLE t (id, token); CREATE VIEW v AS SELECT token AS x, id AS secret FROM t"

    assert columns_of(schema) == {"t.token", "v.secret"}


FTS = {"f.title", "f.f", "f.rank", "f_data.block", "f_idx.term", "f_docsize.sz"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("CREATE VIRTUAL TABLE f USING fts5 (title, body)", set()),
        (
            "CREATE VIRTUAL TABLE f USING fts5 (title, token)",
            {*FTS, "f.token", "f_content.c0", "f_content.c1"},
        ),
        (
            "CREATE TABLE t (title, token); CREATE VIRTUAL TABLE f USING fts5 (title, token, content='t')",
            {*FTS, "t.token", "f.token"},
        ),
        (
            "CREATE TABLE t (title, token); CREATE VIRTUAL TABLE f USING fts5 (title, content=\"t\", tokenize='porter')",
            {"t.token"},
        ),
        (
            "CREATE TABLE t (id, token); CREATE VIEW v AS SELECT token AS title FROM t;"
            "CREATE VIRTUAL TABLE f USING fts5 (title, content = v)",
            {*FTS, "t.token"},
        ),
        ("CREATE VIRTUAL TABLE f USING fts5 (title, body, content='gone')", set()),
        (
            "CREATE VIRTUAL TABLE f USING fts5 (token); CREATE VIRTUAL TABLE v USING fts5vocab (f, instance);",
            {*(FTS - {"f.title"}), "f.token", "f_content.c0", "v.term", "v.doc", "v.col", "v.offset"},
        ),
        (
            "CREATE VIRTUAL TABLE f USING fts5 (title); CREATE VIRTUAL TABLE v USING fts5vocab ('f', 'row');",
            set(),
        ),
        (
            "CREATE VIRTUAL TABLE r USING rtree (id, salt_low, salt_high, +name)",
            {"r.id", "r.salt_low", "r.salt_high", "r.name", "r_node.data", "r_rowid.a0"},
        ),
    ],
)
def test_a_virtual_table_is_secret_as_a_whole(schema, expected):
    """With its hidden columns and the tables it keeps its words in, but without the numbers of its rows."""
    assert expected == columns_of(schema)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ("CREATE INDEX i ON t (token)", True),
        ("CREATE INDEX i ON t (name, lower(token))", True),
        ("CREATE INDEX i ON t (name) WHERE token > 'm'", True),
        ("CREATE UNIQUE INDEX i ON t (start)", True),
        ("CREATE INDEX token ON t (name) WHERE name > 'm'", False),
        ("CREATE TABLE u (token TEXT UNIQUE)", True),
        ("CREATE TABLE u (name TEXT UNIQUE)", False),
        ("CREATE TABLE u (token TEXT PRIMARY KEY) WITHOUT ROWID", True),
    ],
)
def test_statistics_are_secret_where_an_index_draws_on_a_secret(index, expected):
    """They count and sample what the index holds."""
    connection = apsw.Connection(":memory:")
    connection.execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, token TEXT, start TEXT AS (substr(token, 1)))"
    )
    connection.execute(index)

    secrets = secret_columns(connection, ())
    assert [expected] * 2 == [each in secrets for each in (("sqlite_stat1", "stat"), ("sqlite_stat4", "sample"))]


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("INSERT INTO log (what, old) VALUES ('new', new.token)", {"log.old"}),
        ("INSERT OR REPLACE INTO log VALUES (new.name, 'x' || new.token)", {"log.old"}),
        ("INSERT INTO log (what) SELECT token FROM t WHERE id = new.id", {"log.what"}),
        ("INSERT INTO log SELECT id, name FROM t WHERE token = new.token", set()),
        ("INSERT INTO log SELECT * FROM (SELECT token, name FROM t)", {"log.what", "log.old"}),
        ("INSERT INTO log SELECT y, 1 FROM (SELECT token AS y FROM t)", {"log.what", "log.old"}),
        ("WITH c AS (SELECT token AS y FROM t) INSERT INTO log SELECT y, 1 FROM c", "syntax"),
        ("INSERT INTO log (what) VALUES (1) ON CONFLICT DO UPDATE SET old = new.token", {"log.old"}),
        ("UPDATE OR IGNORE log SET what = 2 * 3, old = (SELECT token FROM t) WHERE 1", {"log.old"}),
        ("UPDATE log SET (what, old) = (SELECT 1, token FROM t)", {"log.what", "log.old"}),
        ("UPDATE log SET what = y FROM (SELECT token AS y FROM t)", {"log.what"}),
        ("UPDATE log SET what = datetime('now') WHERE old <> new.token", set()),
        ("INSERT INTO log (what) VALUES (CASE WHEN new.id > 1 THEN 'b' END); SELECT new.token; DELETE FROM log", set()),
        (
            "INSERT INTO log (what) VALUES (new.token); INSERT INTO more (copy) SELECT what FROM log",
            {"log.what", "more.copy"},
        ),
    ],
)
def test_what_a_trigger_copies_from_a_secret_is_secret(trigger, expected):
    """Also from one copy to the next; what it only looks at while it writes something else is not."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER, name TEXT, token TEXT, n INTEGER)")
    connection.execute("CREATE TABLE log (what TEXT UNIQUE, old TEXT); CREATE TABLE more (copy TEXT)")
    if expected == "syntax":
        with pytest.raises(apsw.SQLError):
            connection.execute(f"CREATE TRIGGER g AFTER INSERT ON t WHEN new.token > '' BEGIN {trigger}; END")
        return
    connection.execute(f"CREATE TRIGGER g AFTER INSERT ON t WHEN new.token > '' BEGIN {trigger}; END")

    found = {".".join(each) for each in secret_columns(connection, ()) if not each[0].startswith("sqlite_stat")}
    assert found == {"t.token", *expected}


def test_a_trigger_that_fills_an_index_of_words_makes_it_secret():
    """The words then stand in it and in its shadow tables."""
    schema = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, token TEXT);
    CREATE VIRTUAL TABLE f USING fts5 (title, body);
    CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO f (rowid, body) VALUES (new.id, new.token); END;
    """

    assert columns_of(schema) == {*FTS, "f.body", "f_content.c0", "f_content.c1", "t.token"}


def test_a_schema_that_changes_is_read_again(make_vault):
    """Secrets follow a new column at once."""
    connection = make_vault("changing").connection
    connection.authorizer = None
    before = secret_columns(connection, ())
    connection.execute("ALTER TABLE settings ADD COLUMN api_key TEXT")

    assert secret_columns(connection, ()) - before == {("settings", "api_key")}


def test_a_broken_view_and_a_missing_module_hide_nothing_and_break_nothing():
    """What cannot be read has no columns; what a module left behind is still secret by its declaration."""
    connection = apsw.Connection(":memory:")
    connection.execute(
        "CREATE TABLE t (a, token); CREATE VIEW v AS SELECT a FROM t; CREATE VIRTUAL TABLE f USING fts5 (token)"
    )
    connection.execute(
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE VIEW v AS SELECT a FROM gone'"
        " WHERE name = 'v'; UPDATE sqlite_schema SET sql = replace(sql, 'fts5', 'fts9') WHERE name = 'f'"
    )
    copy = apsw.Connection(":memory:")
    copy.deserialize("main", connection.serialize("main"))

    found = {".".join(each) for each in secret_columns(copy, ()) if not each[0].startswith("sqlite_stat")}
    assert found == {"t.token", "f_content.c0", "f_data.block", "f_idx.term", "f_docsize.sz"}


def test_a_schema_that_is_not_utf8_is_a_failure_in_our_own_words():
    """What cannot be read cannot be judged, and nothing is guessed."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t (id, token)")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_schema SET sql = CAST(CAST(sql AS BLOB) || x'2d2dff' AS TEXT)")

    with pytest.raises(Unavailable):
        secret_columns(connection, ())
