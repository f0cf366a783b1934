"""A team whose documents, databases and branches agree, and ways to make them disagree."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from mcp_daan.app import App
from mcp_daan.d1.databases import UNIQUE_KEY, file_name
from mcp_daan.local_state import STATE
from mcp_daan.protocol import Answer
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import validation
from tests.asking import run

NOW = "2026-11-22T12:00:00Z"
ID = "11111111-2222-3333-4444-555555555555"
TOOL = tools_in(validation)["knowledge_validate"]
CONFIG = {
    "name": "portal",
    "d1_databases": [{"binding": "DB", "database_name": "portal-db", "database_id": ID}],
}
MIGRATIONS = {
    "0001_users.sql": "CREATE TABLE users (\n  id INTEGER PRIMARY KEY,\n  email TEXT NOT NULL UNIQUE\n);\n",
    "0002_connections.sql": (
        "-- Tokens are sealed.\n"
        "CREATE TABLE connections (\n"
        "  id INTEGER PRIMARY KEY,\n"
        "  user_id INTEGER NOT NULL REFERENCES users (id),\n"
        "  status TEXT NOT NULL DEFAULT 'active',\n"
        "  access_token_enc TEXT\n"
        ");\n"
        "CREATE INDEX idx_connections_user ON connections (user_id);\n"
    ),
}
DATABASE = """# Database

The database is `portal-db`.

## users

| column | type | meaning |
|---|---|---|
| `id` | INTEGER | primary key |
| `email` | TEXT | unique |

## Tabel: connections

- `id` INTEGER
- `user_id` (INTEGER): references `users.id`
- `status` TEXT
- `access_token_enc` TEXT – sealed

Indexes: `idx_connections_user`.
"""
DOCUMENTS = {
    "VERSION.md": "# Version\n\nVersion: 1.2.0\nDate: 2026-11-20\n\nThe schema is that of `0002_connections`.\n",
    "DATABASE.md": DATABASE,
    "LESSONS-LEARNED.md": "# Lessons learned\n\n## Read in pages\n\nD1 bills the rows that are scanned.\n",
    "TEST-SCENARIOS.md": "# Test scenarios\n\nA refresh keeps `connections.status`; see [the schema](DATABASE.md#users).\n",
    "scraped/d1-limits.md": (
        "---\nsource: https://developers.cloudflare.com/d1/platform/limits/\nscraped_at: 2026-11-01\ncomponent: d1\n---\n"
        "# D1 limits\n\n- A statement takes at most 100 bound parameters.\n"
    ),
}


class Team:
    """A workspace in git with one app, its D1 file and four documents that tell the truth."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "docs/knowledge/backend"
        self.portal = root / "apps/portal"
        self.file = self.portal / STATE / "d1" / UNIQUE_KEY / file_name(ID)
        self.environment = {"DAAN_NOW": NOW}
        self.app = App(str(root), self.environment)
        self.partial = False

    def git(self, *arguments: str, day: str = "2026-11-20") -> str:
        """Run git here; commits are dated *day* at noon."""
        moment = f"{day}T12:00:00+0000"
        environment = {**os.environ, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file of the workspace."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def document(self, name: str, text: str | bytes) -> Path:
        """Write a document."""
        return self.write(f"docs/knowledge/backend/{name}", text)

    def describe(self, text: str) -> None:
        """Add to DATABASE.md."""
        self.document("DATABASE.md", f"{DATABASE}\n{text}\n")

    def commit(self, subject: str, day: str = "2026-11-20") -> str:
        """Commit everything; the full hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject, day=day)
        return self.git("rev-parse", "HEAD")

    def migration(self, name: str, sql: str) -> None:
        """Write a migration file."""
        self.write(f"apps/portal/migrations/{name}", sql)

    def run_sql(self, sql: str) -> None:
        """Change the database file as the Worker would."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        connection = apsw.Connection(str(self.file))
        connection.execute(sql)
        connection.close()

    def apply(self, *names: str) -> None:
        """Apply migrations as wrangler does: run the file, then record its name."""
        self.run_sql(
            "CREATE TABLE IF NOT EXISTS d1_migrations(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,"
            " applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL);"
            "CREATE TABLE IF NOT EXISTS _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB);"
        )
        for name in names:
            sql = (self.portal / "migrations" / name).read_text()
            self.run_sql(f"{sql};INSERT INTO d1_migrations(name) VALUES ('{name}');")

    def call(self, **arguments: Any) -> Answer:
        """Call the tool as an agent does."""
        return run(TOOL, self.app.for_call(), arguments)

    def findings(self, **arguments: Any) -> list[dict[str, Any]]:
        """What the tool finds; the call has to succeed."""
        answer = self.call(**arguments)
        assert answer.error is None, answer.error
        self.partial = answer.status == "partial"
        found: list[dict[str, Any]] = answer.data["findings"]
        return found

    def codes(self, **arguments: Any) -> list[tuple[str, str]]:
        """(code, path) of each finding."""
        return [(each["code"], each["path"]) for each in self.findings(**arguments)]

    def only(self, code: str) -> dict[str, Any]:
        """The one finding there is, which has to be of *code*."""
        found = self.findings()
        assert [each["code"] for each in found] == [code], found
        return found[0]


@pytest.fixture
def bare(workspace: Path) -> Iterator[Team]:
    """A team without any file."""
    team = Team(workspace)
    yield team
    team.app.close()


@pytest.fixture
def team(bare: Team) -> Team:
    """A team in which everything agrees, committed on `main` two days ago."""
    bare.git("init", "--quiet", "--initial-branch", "main")
    bare.write(".gitignore", ".wrangler/\n")
    bare.write("apps/portal/wrangler.json", json.dumps(CONFIG))
    bare.write("apps/portal/package.json", '{"name": "portal", "version": "1.2.0"}')
    for name, sql in MIGRATIONS.items():
        bare.migration(name, sql)
    bare.apply(*MIGRATIONS)
    for name, text in DOCUMENTS.items():
        bare.document(name, text)
    bare.commit("Begin")
    return bare
