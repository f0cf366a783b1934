"""The demo's D1 file, made as wrangler and workerd make it (wrangler 4.164, workerd 1.20261117)."""

import random
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import apsw

from mcp_daan.d1.databases import UNIQUE_KEY, file_name
from mcp_daan.d1.migrations import migration_files
from mcp_daan.demo.connections import Row, connections
from mcp_daan.demo.records import USERS, api_keys, audit_log, invoices, users
from mcp_daan.local_state import STATE

DATABASE_ID = "7d1c9a52-3b0e-4f6d-9c18-2a5e6f70b341"
PERSISTED = STATE / "d1" / UNIQUE_KEY
UNAPPLIED = "0007_sync_runs.sql"
SEED = 20261122
# How many days ago each migration was applied here.
APPLIED = {"0001": 160, "0002": 160, "0003": 96, "0004": 96, "0005": 41, "0006": 12}

# Wrangler's own words, tabs included.
MIGRATIONS = """CREATE TABLE IF NOT EXISTS "d1_migrations"(
\t\tid         INTEGER PRIMARY KEY AUTOINCREMENT,
\t\tname       TEXT UNIQUE,
\t\tapplied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);"""
# workerd makes it when a Worker first asks for a session, as the portal's refresh does; key 2 holds the bookmark.
METADATA = """CREATE TABLE IF NOT EXISTS _cf_METADATA (
        key INTEGER PRIMARY KEY,
        value BLOB
      );
INSERT INTO _cf_METADATA VALUES (2, 0);"""
# Miniflare keeps the alarms of its objects in a second file beside the first.
ALARMS = """CREATE TABLE IF NOT EXISTS _cf_ALARM (
      actor_id TEXT PRIMARY KEY,
      scheduled_time INTEGER,
      actor_name TEXT
    ) WITHOUT ROWID;"""


def make_database(app: Path, now: datetime, key: bytes) -> None:
    """Make the D1 file of the portal in *app* from its migrations, with rows whose times are relative to *now*."""
    folder = app / PERSISTED
    folder.mkdir(parents=True)
    with closing(new_file(folder / file_name(DATABASE_ID))) as database, database:
        _migrate(database, app / "migrations", now)
        _fill(database, now, key)
        database.execute(METADATA)
    with closing(new_file(folder / "metadata.sqlite")) as alarms:
        alarms.execute(ALARMS)


def new_file(path: Path) -> apsw.Connection:
    """A file as workerd makes one: with a write-ahead log."""
    database = apsw.Connection(str(path))
    database.execute("PRAGMA journal_mode = wal; PRAGMA synchronous = off; PRAGMA foreign_keys = on")
    return database


def _migrate(database: apsw.Connection, folder: Path, now: datetime) -> None:
    database.execute(MIGRATIONS)
    for file in (folder / name for name in migration_files(folder)):
        if file.name != UNAPPLIED:
            database.execute(file.read_text(encoding="utf-8"))
            applied = now - timedelta(days=APPLIED[file.name[:4]])
            database.execute(
                'INSERT INTO "d1_migrations" (name, applied_at) VALUES (?, ?)',
                (file.name, applied.strftime("%Y-%m-%d %H:%M:%S")),
            )


def _fill(database: apsw.Connection, now: datetime, key: bytes) -> None:
    # One source of chance a table: a change in one leaves the others as they are.
    def chance(table: str) -> random.Random:
        return random.Random(f"{SEED} {table}")

    connected = list(connections(chance("connections"), now, key, USERS))
    _insert(database, "users", users(chance("users"), now))
    _insert(database, "connections", connected)
    _insert(database, "api_keys", api_keys(chance("api_keys"), now))
    _insert(database, "audit_log", audit_log(chance("audit_log"), now, connected))
    _insert(database, "invoices", invoices(chance("invoices"), now, len(connected)))


def _insert(database: apsw.Connection, table: str, rows: Iterable[Row]) -> None:
    for row in rows:
        columns = ", ".join(row)
        database.execute(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
