"""What is right, or is not said, gives no alarm."""

import pytest


@pytest.mark.parametrize(
    "text",
    [
        "`users.phone` was removed in 0002.",
        "There is no column `users.phone`.",
        "`users.phone` bestaat niet meer.",
        "~~`users.phone` holds the number.~~",
        "A file called `users.md`, a call `users.map()`, the key `env.DB` and `meta.rows_read`.",
        "## Deprecated tables\n\n### sessions\n\n| column | type |\n|---|---|\n| id | INTEGER |",
        "## Historie\n\nDe tabel `sessions` is vervangen.",
        "## Gepland\n\n- Tabel `sessions`\n\n### sessions\n\n- `id` INTEGER",
        "<!-- daan:ignore -->\n\nThe table `sessions` comes from elsewhere.",
        "<!-- daan:ignore -->\n## sessions\n\n- `id` INTEGER\n\n### Indexes\n\n- `idx_sessions`\n",
        "## Configuration\n\n| Name | Type | Meaning |\n|---|---|---|\n| PORT | number | where it listens |",
        "## Environment\n\n| Field | Value |\n|---|---|\n| PORT | 8787 |",
        "## Table of contents\n\n- [Users](#users)\n- [Connections](#tabel-connections)",
        "## Lookup table design\n\nWe use small tables.",
        "## Querying\n\n```sql\nSELECT phone FROM users;\nINSERT INTO sessions VALUES (1);\n```",
        "```sh\nwrangler d1 execute portal-db --command 'CREATE TABLE x (a)'\n```",
        "```sql\nCREATE TABLE d1_migrations (id INTEGER);\nCREATE TEMP TABLE t (a);\n```",
        "## connections\n\nStatus is one of:\n\n- `active` – works\n- `revoked` – asked to stop",
        "## Parameters\n\n- `key` string\n- `value` (number)",
        "## users\n\n| name | meaning |\n|---|---|\n| owner | may do all |",
        "## users\n\nIndexes: none yet, since it is small.\n\nColumns: see the table above.",
        "## users\n\nIndexes: none.",
        "## Tables\n\n### Overview\n\nThere are two.",
        "## Steps\n\n- `make` builds it\n- `test` runs it",
        "Views are not used; `users.rowid` is the same as `users.id`.",
        "Columns of `users`:\n\n- `id`\n- `email`",
        "## USERS\n\n| COLUMN | TYPE |\n|---|---|\n| ID | integer |\n| EMAIL | text |",
        "```mermaid\nerDiagram\n  USER ||--o{ CONNECTION : has\n```",
        "```mermaid\nsequenceDiagram\n  A->>B: create table x\n```",
    ],
)
def test_a_right_or_harmless_text_gives_no_finding(team, text) -> None:
    """Prose, examples, history and plans are no claims; right claims are right."""
    team.describe(text)

    assert team.findings() == []


def test_an_ignore_mark_sets_one_block_aside_and_no_more(team) -> None:
    """What stands after the block is checked again."""
    team.describe("<!-- daan:ignore -->\n\nThe table `one`.\n\nThe table `two`.")

    assert "`two`" in team.only("table_missing")["message"]


def test_a_table_that_is_described_as_history_is_not_asked_for(team) -> None:
    """It is left alone in both directions."""
    team.migration("0003_old.sql", "CREATE TABLE old_things (id INTEGER);")
    team.apply("0003_old.sql")
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\n\nSchema: `0003_old`\n")
    team.describe("## Deprecated\n\n### old_things\n\nWill go.")

    assert team.findings() == []


def test_a_document_about_a_few_columns_does_not_ask_for_the_others(team) -> None:
    """Only DATABASE.md, or whoever lists most of them, is held to list all."""
    text = (team.folder / "DATABASE.md").read_text()
    team.document("DATABASE.md", f"{text.split('## Tabel')[0]}\nThe table `connections` is described elsewhere.\n")
    team.document(
        "TOKENS.md", "# Tokens\n\n## connections\n\n| column | type |\n|---|---|\n| access_token_enc | TEXT |\n"
    )

    assert team.findings() == []


def test_the_columns_of_a_view_have_no_type_to_differ_from(team) -> None:
    """A view may be described with types; SQLite has none for an expression."""
    team.migration("0003_sums.sql", "CREATE VIEW sums AS SELECT count(*) AS n FROM users;")
    team.apply("0003_sums.sql")
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\n\nSchema: `0003_sums`\n")
    team.describe("## View `sums`\n\n| column | type |\n|---|---|\n| n | INTEGER |\n")

    assert team.findings() == []


def test_lessons_and_scraped_pages_claim_nothing_about_the_schema(team) -> None:
    """One tells what once was, the other what is elsewhere."""
    team.document(
        "LESSONS-LEARNED.md", "# Lessons\n\n## Names\n\nThe column is not `users.phone`, and `users.fax` is new.\n"
    )
    team.document(
        "scraped/page.md", "---\nscraped_at: 2026-11-20\n---\n# Page\n\nSee `users.phone` and [more](/more/).\n"
    )

    assert team.findings() == []


def test_validation_writes_nothing_but_the_view(team) -> None:
    """The workspace is byte for byte what it was."""
    before = {path: path.read_bytes() for path in team.root.rglob("*") if path.is_file() and ".git/" not in str(path)}
    team.call()

    assert before == {
        path: path.read_bytes() for path in team.root.rglob("*") if path.is_file() and ".git/" not in str(path)
    }


def test_the_view_of_the_lessons_is_brought_up_to_date(team) -> None:
    """On the default branch a lesson's file that came by a merge shows in LESSONS-LEARNED.md after validation."""
    lesson = "---\nid: a1b2\ntitle: Page by id\ncomponent: d1\ndate: 2026-11-01\n---\n# Page by id\n\n## Problem\n\nSlow.\n\n## Solution\n\nPage.\n"
    team.document("lessons/2026-11-01-page-by-id-a1b2.md", lesson)

    assert team.findings() == []
    assert "Page by id" in (team.folder / "LESSONS-LEARNED.md").read_text()


def test_a_database_named_in_the_heading_is_the_one_that_is_meant(team) -> None:
    """With two databases, a table of the wrong one is missing in the right one."""
    team.run_sql("VACUUM")
    other = team.root / "crm.sqlite"
    other.write_bytes(b"")
    team.write("daan.toml", '[d1.databases.crm-db]\npath = "crm.sqlite"\n')
    import apsw

    connection = apsw.Connection(str(other))
    connection.execute("CREATE TABLE leads (id INTEGER PRIMARY KEY)")
    connection.close()
    team.describe("# crm-db\n\n## leads\n\n- `id` INTEGER\n")
    assert team.findings() == []
    team.describe("# portal-db\n\n## leads\n\n- `id` INTEGER\n")

    assert "portal-db" in team.only("table_missing")["message"]
