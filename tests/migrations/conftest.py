"""The portal with migrations: files in a folder, some of them applied as wrangler applies them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from mcp_daan.protocol import Answer
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import migrations
from tests.asking import run
from tests.d1.conftest import Portal as AnyPortal

TOOL = tools_in(migrations)["d1_migrations"]
RECORD = (
    "CREATE TABLE IF NOT EXISTS d1_migrations(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,"
    " applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL);"
)
INIT = """CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT);
CREATE TABLE notes(id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, body TEXT);
CREATE INDEX notes_by_user ON notes(user_id);
"""
ROWS = """INSERT INTO users VALUES (1, 'a@example.test', 'Ann'), (2, 'b@example.test', NULL);
INSERT INTO notes VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three');
"""


class Portal(AnyPortal):
    """The portal, and what its people do with migrations."""

    @property
    def migrations(self) -> Path:
        """The folder of the files."""
        return self.folder / "migrations"

    def migration(self, name: str, sql: str) -> Path:
        """Write a migration."""
        path = self.migrations / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sql, encoding="utf-8")
        return path

    def apply(self, name: str, sql: str) -> None:
        """Write a migration and apply it."""
        self.migration(name, sql)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        connection = apsw.Connection(str(self.file))
        connection.execute(f"{RECORD}{sql};INSERT INTO d1_migrations(name) VALUES ('{name}')")
        connection.close()

    def state(self, **arguments: object) -> Answer:
        """One call of d1_migrations."""
        return run(TOOL, self.app.for_call(), {"database": "portal-db", **arguments})

    def rehearsal(self) -> dict[str, Any]:
        """What a rehearsal says."""
        answer = self.state(rehearse=True)
        assert answer.error is None, answer.error
        told: dict[str, Any] = answer.data["rehearsal"]
        return told


@pytest.fixture
def fresh(workspace: Path) -> Iterator[Portal]:
    """The portal before anything was applied."""
    portal = Portal(workspace)
    yield portal
    portal.app.close()


@pytest.fixture
def portal(fresh: Portal) -> Portal:
    """The portal with its first migration applied, and rows."""
    fresh.apply("0001_init.sql", INIT)
    fresh.write(ROWS)
    return fresh
