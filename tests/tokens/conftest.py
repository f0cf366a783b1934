"""A portal's database made row by row, and the tool asked about it at a fixed moment."""

import base64
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcp_daan.app import App
from mcp_daan.protocol import Answer
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import tokens
from tests.asking import run

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3600, 86400
TYPES = {"id": "INTEGER PRIMARY KEY", "refresh_failures": "INTEGER"}
Row = dict[str, Any]


def ago(seconds: float) -> str:
    """The moment *seconds* before NOW, as JavaScript's toISOString writes it."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def token(kind: str = "IAAAA") -> str:
    """A token of Exact Online's form, made of chance."""
    return f"stampNL001.{secrets.token_hex(2)}!{kind}{secrets.token_hex(40)}"


class Portal:
    """One portal with its key, its database file and the workspace round it."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.file = workspace / "portal.sqlite"
        self.key = AESGCM.generate_key(256)
        self.progress: list[tuple[float, float | None, str]] = []
        self.declare()

    def declare(self, toml: str = "") -> None:
        """Write `daan.toml`: the database, and *toml* after it."""
        text = f'[d1.databases.portal]\npath = "portal.sqlite"\n{toml}'
        (self.workspace / "daan.toml").write_text(text, encoding="utf-8")

    def seal(
        self,
        plain: str | None = None,
        *,
        key: bytes | None = None,
        nonce: bytes | None = None,
        aad: bytes | None = None,
    ) -> str:
        """*plain* as base64 of nonce, ciphertext and tag."""
        nonce = nonce or os.urandom(12)
        sealed = AESGCM(key or self.key).encrypt(nonce, (token() if plain is None else plain).encode(), aad)
        return base64.b64encode(nonce + sealed).decode()

    def row(self, refreshed: float = 2 * MINUTE, **changes: Any) -> Row:
        """A healthy connection that was refreshed so many seconds ago, with *changes*."""
        row: Row = {
            "provider": "exact-online",
            "external_user_id": secrets.token_hex(8),
            "status": "active",
            "access_token_enc": self.seal(),
            "refresh_token_enc": self.seal(),
            "access_expires_at": ago(refreshed - 600),
            "refreshed_at": ago(refreshed),
            "last_error": None,
            "last_error_at": None,
            "refresh_failures": 0,
        }
        return {**row, **changes}

    def rows(self, count: int, **changes: Any) -> list[Row]:
        """So many healthy connections."""
        return [self.row(**changes) for _ in range(count)]

    def save(self, rows: list[Row], *, without: tuple[str, ...] = (), table: str = "connections") -> None:
        """Make the table anew with *rows*, and the columns of the first but those *without*."""
        names = ["id", *(name for name in (rows[0] if rows else self.row()) if name not in ("id", *without))]
        with apsw.Connection(str(self.file)) as database:
            database.execute(f"DROP TABLE IF EXISTS {table}")
            columns = ", ".join(f'"{name}" {TYPES.get(name, "")}' for name in names)
            database.execute(f"CREATE TABLE {table} ({columns})")
            for number, row in enumerate(rows, 1):
                values = [row.get(name, number if name == "id" else None) for name in names]
                database.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(names))})", values)
        database.close()

    def execute(self, sql: str, *parameters: Any) -> None:
        """Run *sql* on the file."""
        database = apsw.Connection(str(self.file))
        database.execute(sql, parameters)
        database.close()

    def app(self, environment: Mapping[str, str] | None = None) -> App:
        """The app of the workspace at NOW, with the portal's key unless *environment* says otherwise."""
        given = {"TOKEN_ENCRYPTION_KEY": self.key.hex()} if environment is None else environment
        return App(str(self.workspace), {"DAAN_NOW": NOW.isoformat(), **given})

    def health(self, environment: Mapping[str, str] | None = None, **arguments: Any) -> Answer:
        """What `tokens_health` answers."""
        app = self.app(environment)
        app.progress = lambda done, total, message: self.progress.append((done, total, message))
        try:
            return run(tools_in(tokens)["tokens_health"], app, arguments)
        finally:
            app.close()

    def verdicts(self, rows: list[Row], **arguments: Any) -> dict[int, str]:
        """The verdict on each of *rows*, by id."""
        self.save(rows)
        connections = self.health(limit=1000, **arguments).data["connections"]
        return {each["id"]: each["verdict"] for each in connections}

    def first(self, row: Row, among: int = 10, **health: Any) -> dict[str, Any]:
        """What is said of *row*, id 1, among so many healthy ones."""
        self.save([row, *self.rows(among)])
        return next(each for each in self.health(limit=1000, **health).data["connections"] if each["id"] == 1)


@pytest.fixture
def portal(workspace: Path) -> Portal:
    """A portal without connections."""
    return Portal(workspace)


def findings(answer: Answer) -> dict[str, dict[str, Any]]:
    """The findings of an answer by code."""
    return {finding["code"]: finding for finding in answer.data["findings"]}
