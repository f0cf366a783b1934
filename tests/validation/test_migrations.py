"""Migrations: the files, the database's record, and what was done behind their backs."""

import pytest


def edit(team, name: str, old: str, new: str) -> None:
    """Change a migration's file."""
    file = team.portal / "migrations" / name
    file.write_text(file.read_text().replace(old, new))


def test_each_migration_is_listed_with_its_state(team) -> None:
    """Applied ones true, pending ones false and found."""
    team.migration("0003_log.sql", "CREATE TABLE log (id INTEGER);")
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\n\nSchema: `0003_log`\n")
    answer = team.call()

    assert [(each["database"], each["file"], each["applied"]) for each in answer.data["migrations"]] == [
        ("portal-db", "0001_users.sql", True),
        ("portal-db", "0002_connections.sql", True),
        ("portal-db", "0003_log.sql", False),
    ]
    found = team.only("migration_unapplied")
    assert (found["path"], found["severity"]) == ("apps/portal/migrations/0003_log.sql", "warning")
    assert any("wrangler d1 migrations apply" in each for each in answer.recommendations)


def test_what_a_pending_migration_brings_is_missing_for_now(team) -> None:
    """A document that is ahead of the local database is warned of, not condemned."""
    team.migration("0003_log.sql", "CREATE TABLE log (id INTEGER);\nALTER TABLE users ADD COLUMN phone TEXT;")
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\n\nSchema: `0003_log`\n")
    team.describe("## log\n\n- `id` INTEGER\n\nSee `users.phone`.")

    assert {(each["code"], each["severity"]) for each in team.findings()} == {
        ("migration_unapplied", "warning"),
        ("table_missing", "warning"),
        ("column_missing", "warning"),
    }


def test_a_record_without_a_file_is_unknown(team) -> None:
    """The database knows a migration that the folder lacks; what it made is not called made by hand."""
    team.run_sql("INSERT INTO d1_migrations(name) VALUES ('0003_gone.sql'); CREATE TABLE gone (id INTEGER)")
    team.describe("## gone\n\n- `id` INTEGER\n")

    found = team.only("migration_unknown")
    assert (found["path"], found["severity"]) == ("apps/portal/migrations", "error")
    assert "0003_gone.sql" in found["message"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  status TEXT", "  nickname TEXT,\n  status TEXT", "`nickname`"),
        ("  status TEXT NOT NULL DEFAULT 'active',\n", "", "`status`"),
        ("user_id INTEGER", "user_id TEXT", "`connections.user_id` TEXT NOT NULL; in portal-db it is INTEGER"),
        ("DEFAULT 'active'", "DEFAULT 'new'", "`connections.status`"),
        ("TEXT NOT NULL DEFAULT", "TEXT DEFAULT", "`connections.status`"),
        ("CREATE INDEX idx_connections_user ON connections (user_id);", "", "`idx_connections_user`"),
        ("(user_id);", "(user_id, status);", "`idx_connections_user`"),
        ("CREATE INDEX idx", "CREATE UNIQUE INDEX idx", "`idx_connections_user`"),
        ("REFERENCES users (id)", "REFERENCES users (id) ON DELETE CASCADE", "`connections` otherwise"),
    ],
)
def test_a_file_that_was_edited_after_it_was_applied_is_found(team, old, new, told) -> None:
    """The schema that the files give is held against the one that is; the finding names file and thing."""
    edit(team, "0002_connections.sql", old, new)

    found = team.only("migration_edited")
    assert (found["path"], found["severity"]) == ("apps/portal/migrations/0002_connections.sql", "error")
    assert told in found["message"]
    assert found["line"] >= 2


def test_comments_spacing_and_quotes_are_no_edit(team) -> None:
    """Only what changes the schema counts."""
    edit(team, "0002_connections.sql", "CREATE TABLE connections (", '-- Better words.\nCREATE TABLE  "connections"\n(')

    assert team.findings() == []


def test_a_file_that_makes_another_table_than_it_did_is_edited(team) -> None:
    """Its table is missing in the database."""
    edit(team, "0001_users.sql", ");\n", ");\nCREATE TABLE extra (id INTEGER);\n")

    found = team.only("migration_edited")
    assert (found["path"], found["line"]) == ("apps/portal/migrations/0001_users.sql", 5)
    assert "`extra`" in found["message"]


def test_a_table_that_no_migration_makes_was_made_by_hand(team) -> None:
    """A warning: nobody knows whether a file lost it."""
    team.run_sql("CREATE TABLE scratch (id INTEGER)")
    team.describe("## scratch\n\n- `id` INTEGER\n")

    found = team.only("migration_edited")
    assert (found["severity"], found["path"]) == ("warning", "apps/portal/migrations")


def test_a_pending_file_that_was_run_by_hand_is_told(team) -> None:
    """Its table is there, its record is not."""
    team.migration("0003_log.sql", "CREATE TABLE log (id INTEGER);")
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\n\nSchema: `0003_log`\n")
    team.run_sql("CREATE TABLE log (id INTEGER)")
    team.describe("## log\n\n- `id` INTEGER\n")

    assert [(each["code"], each["path"]) for each in team.findings()] == [
        ("migration_edited", "apps/portal/migrations/0003_log.sql"),
        ("migration_unapplied", "apps/portal/migrations/0003_log.sql"),
    ]


def test_a_schema_that_grew_by_many_migrations_is_no_edit(team) -> None:
    """Columns added, renamed and dropped, tables made anew, views, triggers, search tables, data."""
    team.migration(
        "0003_grow.sql",
        "ALTER TABLE users ADD COLUMN phone TEXT;\nALTER TABLE users RENAME COLUMN phone TO mobile;\n"
        "PRAGMA defer_foreign_keys = true;\nCREATE TABLE new_users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, mobile TEXT);\n"
        "INSERT INTO new_users SELECT * FROM users;\nDROP TABLE users;\nALTER TABLE new_users RENAME TO users;\n"
        "CREATE VIEW mobiles AS SELECT mobile FROM users;\nCREATE VIRTUAL TABLE notes USING fts5(body);\n"
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT CHECK (at <> ';'));\n"
        "CREATE TRIGGER t AFTER INSERT ON users BEGIN INSERT INTO log(at) VALUES ('x'); UPDATE log SET at = 'y'; END;\n",
    )
    team.apply("0003_grow.sql")
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\n\nSchema: `0003_grow`\n")
    team.describe("The tables `notes`, `log` and `mobiles`; `users.mobile`.")
    text = (team.folder / "DATABASE.md").read_text()
    team.document("DATABASE.md", text.replace("| unique |", "| unique |\n| `mobile` | TEXT | |"))

    assert team.findings() == []


def test_the_default_of_a_secret_column_is_never_told(team) -> None:
    """Neither what the file says nor what the database has."""
    edit(
        team, "0002_connections.sql", "access_token_enc TEXT", "access_token_enc TEXT NOT NULL DEFAULT 'hunter2hunter2'"
    )
    answer = team.call()

    assert [each["code"] for each in answer.data["findings"]] == ["migration_edited"]
    assert "hunter2" not in answer.model_dump_json()


def test_an_applied_file_that_does_not_run_leaves_it_open(team) -> None:
    """Whether something was edited is unchecked then, at the line that fails."""
    edit(team, "0002_connections.sql", "CREATE INDEX", "CREATE INDEXES")

    found = team.only("unchecked")
    assert (found["path"], found["line"]) == ("apps/portal/migrations/0002_connections.sql", 8)


def test_a_database_without_a_record_has_applied_nothing(team) -> None:
    """wrangler would apply every file."""
    team.run_sql("DROP TABLE d1_migrations")

    assert team.codes() == [
        ("migration_unapplied", "apps/portal/migrations/0001_users.sql"),
        ("migration_unapplied", "apps/portal/migrations/0002_connections.sql"),
    ]


def test_migrations_reach_no_file(team, tmp_path) -> None:
    """A migration is the team's own and runs in memory all the same."""
    target = tmp_path / "stolen.db"
    edit(
        team,
        "0001_users.sql",
        "CREATE TABLE users",
        f"ATTACH '{target}' AS x;\nVACUUM INTO '{target}';\nCREATE TABLE users",
    )

    assert team.findings() == []
    assert not target.exists()
