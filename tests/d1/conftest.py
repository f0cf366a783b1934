"""A workspace with an app whose D1 file lies where wrangler keeps it."""

import json
import sqlite3
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
from mcp_daan.tools import d1, query
from tests.asking import run

SAMPLE = Path(__file__).parents[1] / "data/d1/sample_schema.sql"
ID = "11111111-2222-3333-4444-555555555555"
TOOLS = tools_in(d1, query)
SECONDS = 1.0


class Portal:
    """An app called portal with the database portal-db, and what its people ask."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = App(str(root), {})
        self.folder = root / "apps/portal"
        self.file = self.folder / STATE / "d1" / UNIQUE_KEY / file_name(ID)
        self.bind([{"binding": "DB", "database_name": "portal-db", "database_id": ID}])

    def bind(self, databases: list[dict[str, str]], folder: str = "apps/portal", **more: object) -> None:
        """Write the wrangler configuration of the app in *folder*."""
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        config = {"name": folder.rsplit("/", 1)[-1], "d1_databases": databases, **more}
        (self.root / folder / "wrangler.json").write_text(json.dumps(config), encoding="utf-8")

    def fill(self, script: str | None = None, *, wal: bool = False) -> Path:
        """Make the database from *script*, the sample's without one."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # apsw for the sample: its SQLite is as new as D1's.
        connection = apsw.Connection(str(self.file))
        if wal:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(script if script is not None else SAMPLE.read_text(encoding="utf-8"))
        connection.close()
        return self.file

    def write(self, script: str) -> None:
        """Change the database, as the Worker would."""
        connection = sqlite3.connect(self.file)
        connection.executescript(script)
        connection.close()

    def settings(self, text: str) -> None:
        """Write daan.toml."""
        (self.root / "daan.toml").write_text(text, encoding="utf-8")

    def call(self, tool: str, **arguments: Any) -> Answer:
        """One call of a tool."""
        return run(TOOLS[tool], self.app.for_call(), arguments)

    def query(self, sql: str, **arguments: Any) -> Answer:
        """One call of d1_query on the portal's database."""
        return self.call("d1_query", database="portal-db", sql=sql, **arguments)

    def rows(self, sql: str, **arguments: Any) -> list[list[Any]]:
        """The rows of a statement that answers."""
        answer = self.query(sql, **arguments)
        assert answer.error is None, answer.error
        rows: list[list[Any]] = answer.data["rows"]
        return rows


def code(answer: Answer) -> str | None:
    """The code of what failed, if anything did."""
    return answer.error.code if answer.error else None


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below *folder* with what is in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One portal for many statements: none of them may leave a trace."""
    portal = Portal(tmp_path_factory.mktemp("portal"))
    portal.fill()
    (portal.file.parent / "outside.txt").write_text("outside", encoding="utf-8")
    portal.settings(f"[limits]\nstatement_seconds = {SECONDS}\n")
    yield portal
    portal.app.close()


@pytest.fixture
def empty(workspace: Path) -> Iterator[Portal]:
    """The portal before wrangler ever ran."""
    portal = Portal(workspace)
    yield portal
    portal.app.close()


@pytest.fixture
def portal(empty: Portal) -> Portal:
    """The portal with the sample in its database."""
    empty.fill()
    return empty
