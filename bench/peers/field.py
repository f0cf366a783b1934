"""Who is measured: how each server is started, and how each of them is asked for the same rows."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from bench.peers.install import BIN, Installed
from bench.peers.results import OURS
from bench.peers.wire import LEGACY, MODERN

FLOOR = "floor"
DBHUB, NPX, MEMORY = "@bytebase/dbhub", "mcp-server-sqlite-npx", "@modelcontextprotocol/server-memory"
TOOLBOX, PLAIN, SDK = "toolbox-server", "mcp-server-sqlite", "database-mcp-sqlite"
ROWS = 100_000
COLUMNS = "id, email, name, plan, score, created_at"
Ask = Callable[[str], tuple[str, dict[str, Any]]]


def one(number: int) -> str:
    """The statement that reads one row by its key; the number stands in its text, as an agent writes it."""
    return f"SELECT {COLUMNS} FROM users WHERE id = {number}"


def hundred(after: int) -> str:
    """The statement that reads the hundred rows after a key."""
    return f"SELECT {COLUMNS} FROM users WHERE id > {after} ORDER BY id LIMIT 100"


ONE, HUNDRED = one(4711), hundred(0)


@dataclass(frozen=True)
class Peer:
    """One server: its command, and how its tool is asked; None where it has none that compares."""

    name: str
    command: list[str]
    ask: Ask | None
    environment: Mapping[str, str] = field(default_factory=dict)
    eras: tuple[str, ...] = (LEGACY,)


def workspace(folder: Path) -> Path:
    """A workspace with one database of 100,000 users; its file is what every server opens."""
    file = folder / "bench.sqlite"
    (folder / "daan.toml").write_text('[d1.databases.bench]\npath = "bench.sqlite"\n')
    (folder / "dbhub.toml").write_text(f'[[sources]]\nid = "bench"\ndsn = "sqlite://{file}"\n')
    connection = apsw.Connection(str(file))
    connection.execute(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT, plan TEXT, score REAL,"
        " created_at TEXT)"
    )
    with connection:
        connection.executemany(
            "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)",
            (
                (n, f"user{n}@example.com", f"User {n}", ("free", "pro")[n % 2], n / 7, f"2026-01-{n % 28 + 1:02}")
                for n in range(1, ROWS + 1)
            ),
        )
    connection.close()
    return file


def everyone(there: Installed, file: Path) -> list[Peer]:
    """Ours first, then the floor, then every peer that is installed."""

    def sql(tool: str, argument: str) -> Ask:
        return lambda statement: (tool, {argument: statement})

    def ours(statement: str) -> tuple[str, dict[str, Any]]:
        return "d1_query", {"database": "bench", "sql": statement}

    both = LEGACY, MODERN
    dbhub = [*there.script(DBHUB, "dist/index.js"), "--transport", "stdio", "--config", f"{file.parent}/dbhub.toml"]
    memory = there.script(MEMORY, "dist/index.js")
    toolbox = [there.program(TOOLBOX), "--prebuilt", "sqlite", "--stdio"]
    plain = [there.program(PLAIN), "--db-path", str(file)]
    field = [
        Peer(OURS, [str(BIN / "mcp-daan"), "--workspace", str(file.parent)], ours, eras=both),
        Peer(FLOOR, [sys.executable, "-I", str(Path(__file__).parent / "floor.py"), str(file)], sql("query", "sql")),
        Peer(DBHUB, dbhub, sql("execute_sql", "sql"), eras=both),
        Peer(NPX, [*there.script(NPX, "dist/index.js"), str(file)], sql("read_query", "query")),
        Peer(MEMORY, memory, None, {"MEMORY_FILE_PATH": str(file.parent / "memory.jsonl")}),
        Peer(TOOLBOX, toolbox, sql("execute_sql", "sql"), {"SQLITE_DATABASE": str(file)}, both),
        Peer(PLAIN, plain, sql("read_query", "query")),
        Peer(SDK, [there.program(SDK), "--dsn", str(file)], sql("execute_sql", "sql"), eras=both),
    ]
    return [peer for peer in field if peer.name in (OURS, FLOOR, *there.folders)]


def environment(peer: Peer) -> dict[str, str]:
    """What a server is started with: a plain environment, and what the peer needs."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME")
    return {**{name: os.environ[name] for name in keep if name in os.environ}, **peer.environment}
