"""The demo's D1 file is what the real engine makes: workerd itself opens it."""

import base64
import re
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from mcp_daan.app import App
from mcp_daan.d1.migrations import applied_migrations
from mcp_daan.d1.reading import reading
from mcp_daan.demo.database import DATABASE_ID, UNAPPLIED
from mcp_daan.demo.workspace import APP, make_workspace
from mcp_daan.local_state import STATE
from mcp_daan.workers.kv.local import list_keys, read_value
from mcp_daan.workers.kv.namespaces import find_namespaces
from mcp_daan.workspace import Workspace
from tests.node.engine import in_d1
from tests.node.kv import in_kv

# The first run installs the engine.
pytestmark = pytest.mark.timeout(300)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TABLES = ("users", "connections", "api_keys", "audit_log", "invoices")


@pytest.fixture
def app(workspace: Path) -> App:
    """The app of a demo workspace."""
    make_workspace(workspace, NOW)
    return App(str(workspace), {})


def test_the_real_engine_reads_the_tables_and_the_applied_migrations(app: App, workspace: Path) -> None:
    """Found under the id that wrangler.jsonc names, with every row, and with wrangler's own table."""
    counts = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in TABLES)
    rows, applied = in_d1(
        workspace / APP / ".wrangler/state/v3",
        DATABASE_ID,
        {"sql": f"SELECT {counts}"},
        {"sql": "SELECT name FROM d1_migrations ORDER BY id"},
    )

    assert rows["results"] == [{"users": 40, "connections": 120, "api_keys": 12, "audit_log": 900, "invoices": 1400}]
    assert [each["name"] for each in applied["results"]] == applied_migrations(app.database("portal-db"), seconds=5)


def test_our_reader_still_reads_after_the_real_engine_wrote(app: App, workspace: Path) -> None:
    """A write, and a session, whose bookmark counts on in the table that is there already."""
    written, session = in_d1(
        workspace / APP / ".wrangler/state/v3",
        DATABASE_ID,
        {"sql": "UPDATE users SET name = ? WHERE id = 1", "parameters": ["Somebody Else"]},
        {"sql": "SELECT name FROM users WHERE id = 1", "session": True},
    )
    path = app.database("portal-db").path
    assert path is not None
    with reading(path, seconds=5) as connection:
        names = connection.execute("SELECT name FROM users WHERE id = 1").fetchall()

    assert (written["success"], session["results"]) == (True, [{"name": "Somebody Else"}])
    assert names == [("Somebody Else",)]


def test_a_new_database_of_the_real_engine_looks_like_the_demos(app: App, workspace: Path, tmp_path: Path) -> None:
    """The same migrations, run by the engine: the same names in the schema, the same words, the same pages."""
    folder = workspace / APP / "migrations"
    scripts = [path.read_text() for path in sorted(folder.glob("*.sql")) if path.name != UNAPPLIED]
    parts = [part for script in scripts for part in re.sub(r"(?m)^--.*", "", script).split(";") if part.strip()]
    state = tmp_path / "engine"
    answers = in_d1(state, DATABASE_ID, *({"sql": part} for part in parts), {"sql": "SELECT 1", "session": True})
    ours = app.database("portal-db").path
    assert ours is not None
    theirs = next(path for path in state.rglob("*.sqlite") if path.name == ours.name)

    def look(path: Path) -> tuple[object, ...]:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        schema = {
            row
            for row in connection.execute("SELECT type, name, sql FROM sqlite_schema")
            if "d1_migrations" not in row[1]
        }
        pragmas = [connection.pragma(name) for name in ("page_size", "journal_mode", "encoding", "auto_vacuum")]
        return schema, pragmas, sorted(other.name for other in path.parent.glob("*.sqlite"))

    assert [answer for answer in answers if not answer["success"]] == []
    assert look(ours) == look(theirs)


def test_the_real_engine_lists_and_reads_the_namespaces(workspace: Path) -> None:
    """Names, expiry and metadata as `kv_read` lists them, and the values behind them."""
    now = datetime.now(UTC)  # the engine deletes what has expired by its own clock
    make_workspace(workspace, now)
    for namespace in find_namespaces(Workspace(workspace), []):
        assert namespace.id is not None
        ours = list_keys(namespace, limit=1000, now=now.timestamp(), seconds=5).keys
        keys = [each.name for each in ours]
        read = [read_value(namespace, key, max_bytes=9999, now=now.timestamp(), seconds=5).data for key in keys]
        requests = ({"get": key} for key in keys)
        (listed, *values) = in_kv(workspace / APP / STATE, namespace.id, {"list": {}}, *requests)

        assert len(keys) >= 6
        assert [(each["name"], each.get("expiration"), each.get("metadata")) for each in listed["keys"]] == [
            (each.name, each.expiration, each.metadata) for each in ours
        ]
        assert [base64.b64decode(each["base64"]) for each in values] == read
