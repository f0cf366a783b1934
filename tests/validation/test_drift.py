"""What DATABASE.md says, held against the database: one way to be wrong a test."""

import pytest

TABLE_WAYS = {
    "heading with a table of columns": "## sessions\n\n| Column | Type |\n|---|---|\n| id | INTEGER |",
    "heading with the name in code": "## `sessions`\n\n| Kolom | Type |\n|---|---|\n| id | INTEGER |",
    "heading in words, Dutch": "### Tabel: sessions\n",
    "heading in words, English": "### Table `sessions`\n",
    "heading with the name first": "### The `sessions` table\n",
    "numbered heading": "### 2.1 sessions\n\n- `id` INTEGER\n- `user_id` TEXT",
    "heading with a description": "### sessions (portal-db) – who is signed in\n\n- `id` INTEGER",
    "introduction in bold": "**sessions**\n\n| Veld | Datatype |\n|---|---|\n| id | INTEGER |",
    "heading under Tables": "## Tabellen\n\n### sessions\n\nWie is aangemeld.",
    "statement": "```sql\nCREATE TABLE IF NOT EXISTS sessions (id INTEGER PRIMARY KEY);\n```",
    "diagram": "```mermaid\nerDiagram\n  users ||--o{ sessions : has\n```",
    "list of tables": "## Tabellen\n\n- `sessions` – wie is aangemeld",
    "table of tables": "| Table | Purpose |\n|---|---|\n| sessions | who is signed in |",
    "one table of all columns": "| Table | Column | Type |\n|---|---|---|\n| sessions | id | INTEGER |\n| | at | TEXT |",
    "running text": "The database has the tables `users`, `connections` and `sessions`.",
    "running text, Dutch": "Aanmeldingen staan in de tabel `sessions`.",
}


@pytest.mark.parametrize("text", TABLE_WAYS.values(), ids=TABLE_WAYS)
def test_a_described_table_that_is_not_there_is_found_however_it_is_described(team, text) -> None:
    """Each way to write gives one error at the line, and no other finding."""
    team.describe(text)

    found = team.only("table_missing")
    lines = (team.folder / "DATABASE.md").read_text().split("\n")
    assert (found["severity"], found["path"]) == ("error", "backend/DATABASE.md")
    assert "sessions" in lines[found["line"] - 1]
    assert "portal-db" in found["message"]


COLUMN_WAYS = {
    "table": "## users\n\n| Field | Type |\n|---|---|\n| `phone` | TEXT |",
    "generic head": "## users\n\n| Naam | Type |\n|---|---|\n| phone | TEXT |",
    "several names in a cell": "## users\n\n| Kolom | Betekenis |\n|---|---|\n| `email`, `phone` | bereikbaar |",
    "list": "## users\n\n- `id` INTEGER\n- `phone` TEXT – for support",
    "list in bold": "## users\n\n- **id**: INTEGER\n- **phone**: TEXT",
    "list with code": "## users\n\n- `id INTEGER PRIMARY KEY`\n- `phone TEXT NOT NULL`",
    "list without types": "## users\n\nKolommen:\n\n- `id`\n- `phone`",
    "line": "## users\n\nKolommen: `id`, `phone` TEXT",
    "line in plain words": "## users\n\nColumns: id (integer), email (text) and phone",
    "sub-heading": "## users\n\n### Columns\n\n- id (integer)\n- phone (text)",
    "statement": "```sql\nCREATE TABLE users (\n  id INTEGER PRIMARY KEY,\n  phone TEXT\n);\n```",
    "diagram": '```mermaid\nerDiagram\n  USER {\n    int id PK "key"\n    string phone\n  }\n```',
    "list of tables": "Tables:\n\n- `users` (id, phone)",
    "text": "Support calls `users.phone`.",
    "cell": "| what | where |\n|---|---|\n| number | `users.phone` |",
}


@pytest.mark.parametrize("text", COLUMN_WAYS.values(), ids=COLUMN_WAYS)
def test_a_described_column_that_is_not_there_is_found_however_it_is_described(team, text) -> None:
    """Each way to write gives one error at the line, and no other finding."""
    team.describe(text)

    found = team.only("column_missing")
    lines = (team.folder / "DATABASE.md").read_text().split("\n")
    assert found["severity"] == "error"
    assert "phone" in lines[found["line"] - 1]
    assert ".phone" in found["message"]


def test_a_near_name_is_suggested(team) -> None:
    """A renamed column or table is told with what it may be called now."""
    team.describe("See `connections.access_token`, and the table `conections`.")

    assert [(each["code"], each["suggestion"]) for each in team.findings()] == [
        ("column_missing", "access_token_enc"),
        ("table_missing", "connections"),
    ]


@pytest.mark.parametrize(
    ("declared", "described"),
    [
        ("INTEGER", "TEXT"),
        ("TEXT", "INTEGER"),
        ("TEXT", "DATETIME"),
        ("BLOB", "text"),
        ("REAL", "int"),
        ("TEXT", "bool"),
    ],
)
def test_a_column_of_another_type_is_found(team, declared, described) -> None:
    """The affinity that SQLite gives decides, and the true type is suggested."""
    team.run_sql(f"DROP TABLE d1_migrations; CREATE TABLE things (it {declared})")
    team.write(
        "apps/portal/wrangler.json",
        (team.portal / "wrangler.json").read_text().replace('"DB"', '"DB", "migrations_dir": "none"'),
    )
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\n")
    team.describe(f"## things\n\n| column | type |\n|---|---|\n| it | {described} |")

    found = team.only("column_type_differs")
    assert (found["severity"], found["suggestion"]) == ("warning", declared)
    assert f"described as {described}" in found["message"]


def test_types_that_say_the_same_are_no_difference(team) -> None:
    """What people call a type, English or Dutch, and what SQLite does."""
    same = [
        ("INTEGER", "int"), ("INTEGER", "boolean"), ("INTEGER", "BIGINT"), ("INTEGER", "timestamp"), ("TEXT", "string"),
        ("TEXT", "varchar(255)"), ("TEXT", "tekst"), ("TEXT", "datetime (ISO)"), ("TEXT", "JSON"), ("TEXT", "uuid"),
        ("TEXT", "TEXT NOT NULL"), ("DATETIME", "TIMESTAMP"), ("REAL", "float"), ("NUMERIC", "decimal(10,2)"),
        ("BOOLEAN", "bool"), ("VARCHAR(20)", "text"), ("INTEGER", "getal"),
    ]  # fmt: skip
    columns = ", ".join(f"c{number} {declared}" for number, (declared, _) in enumerate(same))
    rows = "\n".join(f"| c{number} | {described} |" for number, (_, described) in enumerate(same))
    team.migration("0003_things.sql", f"CREATE TABLE things ({columns});")
    team.apply("0003_things.sql")
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\n\nSchema: `0003_things`\n")
    team.describe(f"## things\n\n| column | type |\n|---|---|\n{rows}")

    assert team.findings() == []


def test_a_column_that_the_list_leaves_out_is_found(team) -> None:
    """Whoever lists the columns lists all of them."""
    text = (team.folder / "DATABASE.md").read_text()
    team.document("DATABASE.md", text.replace("- `status` TEXT\n", ""))
    team.document("TEST-SCENARIOS.md", "# Nothing\n")

    found = team.only("column_undocumented")
    assert found["severity"] == "warning"
    assert "`connections.status`" in found["message"]
    assert text.split("\n")[found["line"] - 1] == "## Tabel: connections"


@pytest.mark.parametrize("end", ["- …", "- etc.", "- ..."])
def test_a_list_that_says_it_goes_on_misses_nothing(team, end) -> None:
    """Three dots make no claim to be complete."""
    text = (team.folder / "DATABASE.md").read_text()
    team.document("DATABASE.md", text.replace("- `status` TEXT", end))
    team.document("TEST-SCENARIOS.md", "# Nothing\n")

    assert team.findings() == []


def test_a_table_that_no_document_describes_is_found(team) -> None:
    """The engine's own tables, those of wrangler and the shadows of a search table are not asked for."""
    text = (team.folder / "DATABASE.md").read_text()
    team.migration("0003_search.sql", "CREATE VIRTUAL TABLE notes USING fts5(body);")
    team.apply("0003_search.sql")
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\n\nSchema: `0003_search`\n")

    found = team.only("table_undocumented")
    assert (found["severity"], found["path"]) == ("warning", "backend/DATABASE.md")
    assert "`notes`" in found["message"]
    team.document("SEARCH.md", "# Search\n\n## Table `notes`\n\nWhat was written.\n")
    assert team.findings() == []
    assert "notes" not in text


@pytest.mark.parametrize(
    "text",
    [
        "## users\n\nIndex: `by_mail`.",
        "Index: `idx_users_email` speeds up the sign-in.",
        "## users\n\n### Indexen\n\n- `idx_users_email` op `email`",
        "| Index | Table | Columns |\n|---|---|---|\n| idx_users_email | users | email |",
        "```sql\nCREATE INDEX idx_users_email ON users (email);\n```",
        "## users\n\nIndexes:\n\n- by_mail (email, id)",
        "## connections\n\nIndexes:\n\n- `status`",
    ],
)
def test_a_described_index_that_is_not_there_is_found(team, text) -> None:
    """By its name, in text, list, table or statement; an index without a name by its column."""
    team.describe(text)

    found = team.only("index_missing")
    assert found["severity"] == "warning"


def test_an_index_on_other_columns_is_found(team) -> None:
    """The name is there, but it does not do what the document says."""
    team.describe("## connections\n\nIndexes:\n\n- `idx_connections_user` on `status`")

    assert "it is on (user_id)" in team.only("index_missing")["message"]


def test_an_index_of_a_unique_column_holds(team) -> None:
    """A UNIQUE or PRIMARY KEY clause is an index too, and one with its right columns."""
    team.describe(
        "## users\n\nIndexes:\n\n- `email`\n- `id`\n\n## connections\n\nIndexes:\n\n- idx_connections_user (user_id)"
    )

    assert team.findings() == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("## Other things\n\n| column | type |\n|---|---|\n| a | INTEGER |", "no heading names its table"),
        ("```sql\nCREATE TABLE x (id SERIAL PRIMARY KEY) ENGINE=InnoDB;\n```", "CREATE statement"),
        ("```sql\nALTER TABLE users ADD COLUMN phone TEXT;\n```", "changes a schema"),
        ("```mermaid\nerDiagram\n  users {\n    int\n  }\n```", "a line of a diagram"),
        ("## users\n\n| column | type |\n|---|---|\n| see the code below | TEXT |", "whose name is no name"),
        ("## users\n\n| column | type |\n|---|---|\n| email | whatever fits |", "no type that is known"),
        ("## users\n\n- `id` INTEGER\n- `email` TEXT\n- and what else may come", "that names none"),
    ],
)
def test_what_looks_like_a_statement_and_cannot_be_read_is_unchecked(team, text, what) -> None:
    """It is told with its line, and never counts as right."""
    team.describe(text)

    found = team.only("unchecked")
    assert (found["severity"], found["path"]) == ("info", "backend/DATABASE.md")
    assert what in found["message"]
    assert found["line"] > 10


def test_statements_in_a_document_reach_no_file(team, tmp_path) -> None:
    """DDL is run in memory: what would write, attach or run for ever is not run."""
    target = tmp_path / "stolen.db"
    team.describe(
        f"```sql\nATTACH '{target}' AS stolen;\nCREATE TABLE stolen.x (a);\nVACUUM INTO '{target}';\n"
        "CREATE TABLE users AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;\n```"
    )

    assert {each["code"] for each in team.findings()} <= {"unchecked", "table_missing"}
    assert not target.exists()


def test_other_documents_are_held_against_the_database_too(team) -> None:
    """A scenario that names a column that is gone."""
    team.document("TEST-SCENARIOS.md", "# Scenarios\n\nSet `connections.expires_in` to 0, and run `users.sql`.\n")

    found = team.only("column_missing")
    assert (found["path"], found["line"]) == ("backend/TEST-SCENARIOS.md", 3)
