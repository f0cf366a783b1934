"""Every finding on a document comes with its two values and a patch that `git apply` takes and that mends it."""

import re
import subprocess
from typing import Any

import pytest

from tests.validation.conftest import DATABASE, ID, Team

TABLE = "CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL, placed_at TEXT);\nCREATE INDEX idx_orders_total ON orders (total, placed_at);\n"
# What is written wrong, what it says, what holds.
WRONG: dict[str, tuple[str, str, str, str]] = {
    "type in a table": ("| `email` | TEXT |", "| `email` | INTEGER |", "INTEGER", "TEXT"),
    "type in a list": ("- `status` TEXT", "- `status` INTEGER", "INTEGER", "TEXT"),
    "type in brackets": ("`user_id` (INTEGER)", "`user_id` (VARCHAR(20))", "VARCHAR", "INTEGER"),
    "misspelt column in a table": ("| `email` |", "| `emial` |", "column emial", "no column emial"),
    "misspelt column in a list": ("- `status` TEXT", "- `statsu` TEXT", "column statsu", "no column statsu"),
    "column too many in a table": (
        "| `email` | TEXT | unique |",
        "| `email` | TEXT | unique |\n| `phone` | TEXT | |",
        "column phone",
        "no column phone",
    ),
    "column too many in a list": (
        "- `status` TEXT",
        "- `status` TEXT\n- `expires_on` TEXT: when it ends,\n  as a date",
        "column expires_on",
        "no column expires_on",
    ),
    "column left out of a table": ("| `email` | TEXT | unique |\n", "", "no description", "column email TEXT"),
    "column left out of a list": ("- `access_token_enc` TEXT – sealed\n", "", "no description", "column access_token_enc TEXT"),
    "misspelt table": ("## users", "## Table `usres`", "table usres", "no table usres"),
    "table too many": (
        "# Database\n",
        "# Database\n\n## Table `sessions`\n\n| column | type |\n|---|---|\n| `id` | INTEGER |\n| `seen` | TEXT |\n\n",
        "table sessions",
        "no table sessions",
    ),
    "table too many in the text": (
        "`portal-db`.",
        "`portal-db`. Who is seen stands in the table `sightings`.",
        "table sightings",
        "no table sightings",
    ),
    "misspelt index": ("`idx_connections_user`", "`idx_conections_user`", "index idx_conections_user", "no index idx_conections_user"),
    "index too many": (
        "`idx_connections_user`.",
        "`idx_connections_user`, `by_zip`.",
        "index by_zip",
        "no index by_zip",
    ),
    "columns of an index": (
        "Indexes: `idx_connections_user`.",
        "Indexes:\n\n- `idx_connections_user` on `status`",
        "(status)",
        "(user_id)",
    ),
    "column in the text": (
        "`portal-db`.",
        "`portal-db`. Mail goes to `users.phone`.",
        "column phone",
        "no column phone",
    ),
    "column in a line": (
        "- `id` INTEGER\n- `user_id` (INTEGER): references `users.id`\n- `status` TEXT\n- `access_token_enc` TEXT – sealed",
        "Columns: `id`, `user_id`, `colour`, `status`, `access_token_enc`.",
        "column colour",
        "no column colour",
    ),
    "column left out of a line": (
        "- `id` INTEGER\n- `user_id` (INTEGER): references `users.id`\n- `status` TEXT\n- `access_token_enc` TEXT – sealed",
        "Columns: `id`, `user_id`, `status`.",
        "no description",
        "column access_token_enc TEXT",
    ),
    "limit": (
        "`portal-db`.",
        "`portal-db`.\n\nA D1 statement takes at most 999 bound parameters.",
        "999",
        "100",
    ),
}  # fmt: skip


def apply(team: Team, patch: str) -> None:
    """`git apply`, as a person does it in the root."""
    done = subprocess.run(["git", "-C", str(team.root), "apply", "-"], input=patch.encode(), capture_output=True)

    assert done.returncode == 0, (patch, done.stderr)


def of_documents(team: Team) -> list[dict[str, Any]]:
    """The findings that a patch can mend."""
    return [each for each in team.findings() if each["code"] not in ("stale_file", "unchecked")]


def mended(team: Team) -> None:
    """Apply the first patch and look again, until nothing is found; each patch takes away what it was for."""
    found = of_documents(team)
    for _ in range(20):
        if not found:
            return
        apply(team, found[0]["patch"])
        after = of_documents(team)
        assert len(after) < len(found)
        found = after
    raise AssertionError(found)


@pytest.mark.parametrize(
    ("wrong", "end"),
    [(wrong, "\n") for wrong in WRONG]
    + [(wrong, "\r\n") for wrong in WRONG if "left out" in wrong or wrong in ("type in a table", "table too many")],
)
def test_every_wrong_statement_has_its_two_values_and_a_patch_that_mends_it(team: Team, wrong: str, end: str) -> None:
    """Applied by git, the document is right again; whatever its line ends."""
    before, after, found, expected = WRONG[wrong]
    assert before in DATABASE
    team.document("DATABASE.md", DATABASE.replace(before, after, 1).replace("\n", end))
    first = of_documents(team)[0]

    assert (first["path"], first["found"], first["expected"], first["line"] > 0) == (
        "backend/DATABASE.md",
        found,
        expected,
        True,
    )
    assert first["patch"].startswith(
        "--- a/docs/knowledge/backend/DATABASE.md\n+++ b/docs/knowledge/backend/DATABASE.md\n@@"
    )
    mended(team)
    assert team.codes() == []


CODE = {
    "DDL": "```sql\nCREATE TABLE orders (\n  id INTEGER PRIMARY KEY,\n  total REAL,\n  placed_at TEXT\n);\n```\n",
    "DDL in a line": "```sql\nCREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL, placed_at TEXT);\n```\n",
    "diagram": "```mermaid\nerDiagram\n  ORDERS {\n    INTEGER id PK\n    REAL total\n    TEXT placed_at\n  }\n  USERS ||--o{ ORDERS : places\n```\n",
}  # fmt: skip
IN_CODE = {
    "type": ("REAL", "BLOB"),
    "type in a diagram": ("TEXT placed_at", "INTEGER placed_at"),
    "type beside a comment": ("TEXT placed_at", 'INTEGER placed_at "no INTEGER"'),
    "misspelt column": ("total", "totl"),
    "column too many at the end": ("placed_at TEXT", "placed_at TEXT,\n  colour TEXT"),
    "column too many in the middle": ("  total REAL", "  colour TEXT,\n  total REAL"),
    "column too many in a line": ("total REAL, placed_at", "total REAL, colour TEXT, placed_at"),
    "column too many in a diagram": ("    REAL total", "    REAL total\n    TEXT colour"),
    "column left out at the end": (",\n  placed_at TEXT\n", "\n"),
    "column left out of a line": (", placed_at TEXT)", ")"),
    "column left out of a diagram": ("    TEXT placed_at\n", ""),
    "table too many": ("```sql\n", "```sql\nCREATE TABLE gone (\n  id INTEGER\n);\n"),
    "entity too many": ("erDiagram\n", "erDiagram\n  GONE {\n    INTEGER id\n  }\n  GONE ||--o{ ORDERS : had\n"),
    "index too many": ("```\n", "CREATE INDEX by_zip ON orders (zip);\n```\n"),
    "columns of an index": ("```\n", "CREATE INDEX idx_orders_total ON orders (placed_at, total);\n```\n"),
}


def made_wrong(form: str, wrong: str) -> str:
    """The code in *form* with that mistake; as it was where that form has no place for it."""
    before, after = IN_CODE[wrong]
    start, _, rest = CODE[form].partition("\n")
    if before.startswith("```s"):
        return CODE[form].replace(before, after, 1)
    return CODE[form] if form == "diagram" and "CREATE" in after else f"{start}\n{rest.replace(before, after, 1)}"


@pytest.mark.parametrize(
    ("form", "wrong"), [(form, wrong) for form in CODE for wrong in IN_CODE if made_wrong(form, wrong) != CODE[form]]
)
def test_code_and_diagrams_are_mended_too(team: Team, form: str, wrong: str) -> None:
    """Commas stay right, and an entity takes its relations along."""
    team.migration("0003_orders.sql", TABLE)
    team.apply("0003_orders.sql")
    team.document("DATABASE.md", f"{DATABASE}\n## orders\n\n{made_wrong(form, wrong)}")
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\nDate: 2026-11-22\n")

    assert of_documents(team) != []
    mended(team)
    assert team.codes() == []


def test_a_table_that_nobody_describes_gets_a_section(team: Team) -> None:
    """At the end of DATABASE.md, whether its last line ends or not; what is past at the end is not continued."""
    team.migration("0003_orders.sql", TABLE)
    team.apply("0003_orders.sql")
    for text in (DATABASE, DATABASE.rstrip(), f"{DATABASE}\n# History\n\nOnce there was a table `old`.\n"):
        team.document("DATABASE.md", text)
        team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\nDate: 2026-11-22\n")
        (found,) = of_documents(team)

        assert (found["code"], found["found"], found["expected"]) == (
            "table_undocumented",
            "no description",
            "table orders",
        )
        apply(team, found["patch"])
        assert of_documents(team) == []
        assert "| `total` | REAL |" in (team.folder / "DATABASE.md").read_text()


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("See [the schema](DATABASE.md#usrs).", "DATABASE.md#usrs", "DATABASE.md#users"),
        ("See [the schema](DATABSE.md).", "DATABSE.md", "DATABASE.md"),
        ("See [the page](d1-limits.md).", "d1-limits.md", "scraped/d1-limits.md"),
        ("See [what is gone](nowhere/at/all.md) and more.", "nowhere/at/all.md", None),
        ("![A map](map.png) shows it.", "map.png", None),
        ("It stands in `apps/portal/package.jsno`.", "apps/portal/package.jsno", None),
        ("It stands in `apps/portal/pakage.json`.", "apps/portal/pakage.json", "apps/portal/package.json"),
        ("It stands in `apps/portal/src/none.ts`.", "apps/portal/src/none.ts", None),
    ],
)  # fmt: skip
def test_a_dead_link_is_led_elsewhere_or_taken_out(team: Team, text: str, found: str, expected: str | None) -> None:
    """To the file that moved, to a name like it, else its words stay without it."""
    team.document("NOTES.md", f"# Notes\n\n{text}\n")
    each = next(iter(of_documents(team)), None)
    if each is None:
        assert found.endswith("jsno")  # no ending of a file that people cite
        return

    assert (each["code"], each["found"], each["expected"]) == ("broken_link", found, expected)
    mended(team)


@pytest.mark.parametrize(
    ("version", "found", "expected"),
    [
        ("Version: 1.1.0\nDate: 2026-11-20", "1.1.0", "1.2.0"),
        ("Version: 1.2.0\nDate: 2026-11-20\n\nSchema: `0001_users`", "0001_users", "0002_connections"),
        ("Version: 1.2.0\nDate: 2026-11-20\n\nThe newest migration is 0001.", "0001", "0002"),
    ],
)
def test_a_version_that_is_behind_is_brought_up_to_date(team: Team, version: str, found: str, expected: str) -> None:
    """The number, or the migration, in its own place."""
    team.document("VERSION.md", f"# Version\n\n{version}\n")
    each = of_documents(team)[0]

    assert (each["code"], each["found"], each["expected"]) == ("version_behind", found, expected)
    mended(team)


def test_lessons_and_pages_of_others_are_not_patched(team: Team) -> None:
    """A record stays as it was; a page is fetched anew."""
    team.document(
        "scraped/d1-limits.md",
        "---\nsource: https://developers.cloudflare.com/d1/platform/limits/\nscraped_at: 2026-01-01\n---\n# D1 limits\n\n- A D1 statement takes at most 999 bound parameters.\n",
    )
    found = {each["code"]: each for each in team.findings()}

    assert found["limit_outdated"]["patch"] is None
    assert found["stale_file"]["suggestion"] == "mcp-daan scrape https://developers.cloudflare.com/d1/platform/limits/"
    assert (found["stale_file"]["found"], found["stale_file"]["expected"]) == ("325 days", "at most 90 days")


def test_an_unapplied_migration_names_the_command(team: Team) -> None:
    """There is nothing to edit."""
    team.migration("0003_more.sql", "ALTER TABLE users ADD COLUMN phone TEXT;")
    found = next(each for each in team.findings() if each["code"] == "migration_unapplied")

    assert (found["line"], found["found"], found["expected"], found["patch"]) == (1, "not applied", "applied", None)
    assert found["suggestion"] == "wrangler d1 migrations apply portal-db --local"
    assert ID not in str(found)


def test_coverage_counts_what_is_described_and_what_holds(team: Team) -> None:
    """In per cent of tables and columns; what could not be read is unchecked, never right."""
    whole = team.call().data["coverage"]
    assert whole == {
        "percent": 100.0,
        "tables": 2,
        "tablesDescribed": 2,
        "columns": 6,
        "columnsDescribed": 6,
        "statements": 10,
        "right": 10,
        "wrong": 0,
        "unchecked": 0,
    }
    team.document(
        "DATABASE.md",
        "# Database\n\n## users\n\n| column | type |\n|---|---|\n| `id` | BLOB |\n| no name at all | TEXT |\n",
    )
    part = team.call().data["coverage"]

    assert (part["percent"], part["tablesDescribed"], part["columnsDescribed"]) == (25.0, 1, 1)
    assert (part["wrong"], part["unchecked"]) == (1, 1)
    assert part["right"] == part["statements"] - 2


def test_a_suggested_command_is_safe_to_run_whatever_a_page_or_a_branch_is_called(team: Team) -> None:
    """The words of others stand in quotes, or not at all."""
    source = "https://developers.cloudflare.com/;touch${IFS}x;`x`"
    team.document("scraped/d1-limits.md", f"---\nsource: {source}\nscraped_at: 2026-01-01\n---\n# D1 limits\n\nText.\n")
    team.git("checkout", "--quiet", "-b", "$(touch${IFS}x);x")
    lesson = '---\nid: "abc"\ntitle: "T"\n---\n\n## Problem\n\nP\n\n## Solution\n\nS\n'
    team.document("lessons/2026-11-20-t-12345678.md", lesson)
    team.commit("auth lesson")
    team.git("checkout", "--quiet", "main")
    team.document("scraped/d1-limits.md", f"---\nsource: {source}\nscraped_at: 2026-01-01\n---\n# D1 limits\n\nText.\n")
    found = {each["code"]: each["suggestion"] for each in team.findings()}

    assert found["stale_file"] == f"mcp-daan scrape '{source}'"
    assert re.fullmatch(r"git show [0-9a-f]{40}", found["lesson_unmerged"])
