"""A database with a canary in every secret column, and a way to ask it as the server does."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import apsw
import pytest

from mcp_daan.d1.masking.concern import Masks
from mcp_daan.d1.masking.lineage import result_masks
from mcp_daan.d1.masking.secrets import secret_columns
from mcp_daan.errors import Refused

SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, note TEXT, password_hash TEXT);
CREATE TABLE connections (
  id INTEGER PRIMARY KEY,
  user_id INTEGER REFERENCES users (id),
  provider TEXT,
  "order" TEXT,
  access_token_enc TEXT,
  refresh_token_enc TEXT,
  token_expires_at TEXT,
  tokens_count INTEGER,
  token_hint TEXT AS (substr(access_token_enc, 1, 4)),
  shown TEXT GENERATED ALWAYS AS ('…' || token_hint) STORED,
  label TEXT AS (provider || '/' || user_id)
);
CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY, user_id INTEGER, name TEXT, key_id TEXT, hash_type TEXT, key_hash TEXT UNIQUE
);
CREATE TABLE vault (access_token TEXT);
CREATE TABLE sessions (session_token TEXT PRIMARY KEY, user_id INTEGER, opened_at TEXT) WITHOUT ROWID;
CREATE TABLE codes (otp INTEGER PRIMARY KEY, user_id INTEGER);
CREATE TABLE guesses (access_token_enc TEXT, key_hash TEXT, guess TEXT);
CREATE TABLE settings (name TEXT, value TEXT);
CREATE INDEX keys_by_user ON api_keys (user_id, key_hash);
CREATE INDEX keys_by_name ON api_keys (name);
CREATE INDEX by_hash_start ON api_keys (substr(key_hash, 1, 2));
CREATE INDEX with_hash ON api_keys (user_id) WHERE key_hash > 'm';
CREATE VIEW plain AS SELECT id, access_token_enc AS thing, provider FROM connections;
CREATE VIEW deeper (number, something, length) AS SELECT id, thing, length(thing) FROM plain;
CREATE VIEW odd ("a b", "from") AS SELECT id, upper(key_hash) FROM api_keys;
CREATE VIEW harmless AS SELECT id, email AS token FROM users;
CREATE VIEW filtered AS SELECT id FROM users WHERE password_hash LIKE 'c%';
CREATE VIEW hashed AS SELECT user_id FROM api_keys WHERE name > '';
CREATE VIEW joined AS SELECT a.id FROM api_keys a JOIN guesses USING (key_hash);
CREATE VIEW renamed_sessions AS SELECT user_id AS token, opened_at FROM sessions;
CREATE VIEW joined_count AS SELECT count(*) AS n FROM joined;
CREATE VIEW first_session AS SELECT user_id FROM sessions LIMIT 1;
CREATE VIEW open_sessions AS SELECT user_id FROM sessions;
CREATE VIRTUAL TABLE memo USING fts5 (title, token);
CREATE VIRTUAL TABLE pages USING fts5 (title, body);
CREATE VIRTUAL TABLE words USING fts5vocab (memo, row);
CREATE VIRTUAL TABLE page_words USING fts5vocab (pages, row);
CREATE VIRTUAL TABLE mirror USING fts5 (provider, access_token_enc, content=connections, content_rowid=id);
CREATE VIRTUAL TABLE view_mirror USING fts5 (thing, content=plain, content_rowid=id);
"""


@dataclass
class Asked:
    """What a caller gets to see: masks and rows with "***" in the masked columns, or how it failed."""

    masks: Masks | None = None
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    failure: str = ""

    @property
    def shape(self) -> str:
        """The masks in short, `*` or `.` a column, and the secrets used elsewhere."""
        if self.masks is None:
            return self.failure
        columns = "".join("*" if masked else "." for masked in self.masks.columns)
        return " ".join([columns, *self.masks.elsewhere])


class Vault:
    """One database; two of different *seed* differ in nothing but their secret values."""

    def __init__(self, seed: str, patterns: Sequence[str] = ()) -> None:
        self.seed = seed
        self.canaries: set[str] = set()
        self.connection = apsw.Connection(":memory:")
        for statement in SCHEMA.split(";\n"):
            self.connection.execute(statement)
        self._fill()
        self.secrets = secret_columns(self.connection, patterns)
        self.connection.authorizer = self.guard

    def canary(self, place: str) -> str:
        value = hashlib.sha256(f"{self.seed} {place}".encode()).hexdigest()[:20]
        self.canaries.add(value)
        return value

    def _fill(self) -> None:
        run = self.connection.execute
        for row in range(1, 8):
            user = row % 3
            run("INSERT INTO users VALUES (?, ?, ?, ?)", (row, f"u{row}@x.test", "note", self.canary(f"pw{row}")))
            run(
                "INSERT INTO connections VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (row, user, f"p{user}", "o", self.canary(f"at{row}"), self.canary(f"rt{row}"), f"2026-0{row}", row),
            )
            run(
                "INSERT INTO api_keys VALUES (?, ?, ?, ?, 'sha256', ?)",
                (row, user, f"k{user}", f"id{row}", self.canary(f"kh{row}")),
            )
            run("INSERT INTO vault VALUES (?)", (self.canary(f"v{row}"),))
            run("INSERT INTO sessions VALUES (?, ?, ?)", (self.canary(f"s{row}"), user, f"2026-0{row}"))
            run("INSERT INTO codes VALUES (?, ?)", (int(self.canary(f"otp{row}")[:12], 16), row))
            run("INSERT INTO memo VALUES (?, ?)", (f"memo {row}", self.canary(f"memo{row}")))
            run("INSERT INTO pages VALUES (?, ?)", (f"page {row}", "plain words"))
        run("INSERT INTO guesses VALUES (?, ?, ?)", (self.canary("at1"), self.canary("kh1"), "x"))
        run("INSERT INTO settings VALUES ('colour', 'blue')")
        run("INSERT INTO mirror (mirror) VALUES ('rebuild')")
        run("INSERT INTO view_mirror (view_mirror) VALUES ('rebuild')")
        run("ANALYZE")

    def guard(self, action: int, first: str | None, second: str | None, schema: str | None, inside: str | None) -> int:
        """The engine's part: NULL for every secret."""
        if action == apsw.SQLITE_READ and ((first or "").lower(), (second or "").lower()) in self.secrets:
            return apsw.SQLITE_IGNORE
        allowed = (
            apsw.SQLITE_READ,
            apsw.SQLITE_SELECT,
            apsw.SQLITE_FUNCTION,
            apsw.SQLITE_RECURSIVE,
            apsw.SQLITE_PRAGMA,
        )
        return apsw.SQLITE_OK if action in allowed else apsw.SQLITE_DENY

    def masks(self, sql: str) -> Masks:
        return result_masks(self.connection, sql, self.secrets)

    def ask(self, sql: str, parameters: Sequence[Any] = ()) -> Asked:
        """*sql* as the server runs it."""
        try:
            masks = self.masks(sql)
        except Refused:
            return Asked(failure="refused")
        try:
            rows = self.connection.execute(masks.statement, parameters).fetchall()
        except apsw.Error as error:
            return Asked(masks, failure=type(error).__name__)
        return Asked(masks, [tuple("***" if m else v for v, m in zip(row, masks.columns, strict=True)) for row in rows])


@pytest.fixture(scope="session")
def vault() -> Vault:
    """A database with secrets."""
    return Vault("first")


@pytest.fixture(scope="session")
def twin() -> Vault:
    """The same with other secrets."""
    return Vault("second")


@pytest.fixture
def make_vault() -> Callable[..., Vault]:
    """Makes a database of its own."""
    return Vault
