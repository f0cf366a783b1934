"""Who is measured: how each server is started, and how each of them is asked for the same rows."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from bench.peers.install import BIN, Installed
from bench.peers.wire import LEGACY, MODERN

ROWS = 100_000
HUNDRED = "SELECT id, email, name, plan, score, created_at FROM users ORDER BY id LIMIT 100"
ONE = "SELECT id, email, name, plan, score, created_at FROM users WHERE id = 4711"
Ask = Callable[[str], tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Peer:
    """One server: its command, what its SQL tool is called, and how it takes a statement."""

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
    modules = there.modules

    def sql(tool: str, argument: str) -> Ask:
        return lambda statement: (tool, {argument: statement})

    def module(*parts: str) -> list[str]:
        return [str(there.node), str(modules.joinpath(*parts))]

    def program(name: str) -> str:
        return str(there.environments.get(name, Path()) / "bin" / name)

    def ours(statement: str) -> tuple[str, dict[str, Any]]:
        return "d1_query", {"database": "bench", "sql": statement}

    field = [
        Peer("mcp-daan", [str(BIN / "mcp-daan"), "--workspace", str(file.parent)], ours, eras=(LEGACY, MODERN)),
        Peer("floor", [sys.executable, "-I", str(Path(__file__).parent / "floor.py"), str(file)], sql("query", "sql")),
        Peer(
            "@bytebase/dbhub",
            [
                *module("@bytebase/dbhub/dist/index.js"),
                "--transport",
                "stdio",
                "--config",
                str(file.parent / "dbhub.toml"),
            ],
            sql("execute_sql", "sql"),
        ),
        Peer(
            "mcp-server-sqlite-npx",
            [*module("mcp-server-sqlite-npx/dist/index.js"), str(file)],
            sql("read_query", "query"),
        ),
        Peer(
            "@modelcontextprotocol/server-memory",
            module("@modelcontextprotocol/server-memory/dist/index.js"),
            None,
            {"MEMORY_FILE_PATH": str(file.parent / "memory.jsonl")},
        ),
        Peer(
            "toolbox-server",
            [program("toolbox-server"), "--prebuilt", "sqlite", "--stdio"],
            sql("execute_sql", "sql"),
            {"SQLITE_DATABASE": str(file)},
        ),
        Peer("mcp-server-sqlite", [program("mcp-server-sqlite"), "--db-path", str(file)], sql("read_query", "query")),
        Peer("database-mcp-sqlite", [program("database-mcp-sqlite"), "--dsn", str(file)], sql("execute_sql", "sql")),
    ]
    return [peer for peer in field if peer.name not in there.absent]


def environment(peer: Peer) -> dict[str, str]:
    """What a server is started with: a plain environment, and what the peer needs."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME")
    return {**{name: os.environ[name] for name in keep if name in os.environ}, **peer.environment}
