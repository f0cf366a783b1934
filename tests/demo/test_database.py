"""The demo's rows: valid, plausible, really sealed."""

import base64
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcp_daan.d1.databases import file_name
from mcp_daan.demo.connections import VERDICTS
from mcp_daan.demo.database import DATABASE_ID, PERSISTED
from mcp_daan.demo.workspace import APP, make_workspace
from mcp_daan.wrangler import dev_vars

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One demo workspace for the file."""
    folder = tmp_path_factory.mktemp("demo")
    make_workspace(folder, NOW)
    return folder


@pytest.fixture
def database(demo: Path) -> apsw.Connection:
    """Its D1 file."""
    path = demo / APP / PERSISTED / file_name(DATABASE_ID)
    return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)


def opened(stored: str | None, cipher: AESGCM) -> str:
    """What *stored* is, seen with the demo's key."""
    if not stored:
        return "missing"
    if stored.startswith("stampNL001."):
        return "plain"
    if stored.startswith("v1:"):
        nonce, body = (base64.urlsafe_b64decode(part + "==") for part in stored.split(":")[1:])
    else:
        nonce, body = (raw := base64.b64decode(stored, validate=True))[:12], raw[12:]
    try:
        return "sealed" if cipher.decrypt(nonce, body, None).startswith(b"stampNL001.") else "other"
    except InvalidTag:
        return "lost"


def test_tokens_are_really_sealed_under_the_key_of_dev_vars(demo: Path, database: apsw.Connection) -> None:
    """Except those that are there to be found: missing, in plain, under a key that is lost."""
    cipher = AESGCM(base64.b64decode(dev_vars(demo / APP)["TOKEN_ENCRYPTION_KEY"], validate=True))
    pairs = database.execute("SELECT access_token_enc, refresh_token_enc FROM connections").fetchall()
    found = Counter(opened(refresh, cipher) for _, refresh in pairs)
    others = sum(VERDICTS.values()) - sum(
        VERDICTS[each] for each in ("missing_token", "plaintext_at_rest", "undecryptable")
    )

    assert found == {"missing": 4, "plain": 3, "lost": 5, "sealed": others}
    assert Counter(opened(access, cipher) for access, _ in pairs) == found


def test_one_nonce_is_used_twice_and_no_other(database: apsw.Connection) -> None:
    """The worst mistake with AES-GCM is there once."""
    stored = [
        value
        for row in database.execute("SELECT access_token_enc, refresh_token_enc FROM connections")
        for value in row
        if value and value.startswith("v1:")
    ]
    nonces = Counter(value.split(":")[1] for value in stored)

    assert [count for count in nonces.values() if count > 1] == [2]


def test_every_row_is_valid(database: apsw.Connection) -> None:
    """Foreign keys, integrity, JSON, and text that says when."""
    times = [
        value
        for table, column in database.execute(
            "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c"
            " WHERE m.type = 'table' AND m.name NOT LIKE '%migrations' AND c.name LIKE '%\\_at' ESCAPE '\\'"
        )
        for (value,) in database.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
    ]

    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert [value for value in times if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)] == []
    assert all(isinstance(json.loads(text), dict) for (text,) in database.execute("SELECT detail FROM audit_log"))


def test_keys_are_kept_hashed_and_addresses_lead_nowhere(database: apsw.Connection) -> None:
    """Nobody real, nothing secret."""
    hashes = [text for (text,) in database.execute("SELECT key_hash FROM api_keys")]
    emails = [text for (text,) in database.execute("SELECT email FROM users")]

    assert [text for text in hashes if not re.fullmatch("[0-9a-f]{64}", text)] == []
    assert [text for text in emails if not re.fullmatch(r"[a-z.]+@[a-z-]+\.example", text)] == []


def test_what_happened_happened_before_now(database: apsw.Connection) -> None:
    """Only what a token or a key will still do lies ahead."""
    now = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    later = [
        (table, column)
        for table, column in (
            ("users", "created_at"),
            ("connections", "last_refreshed_at"),
            ("connections", "last_error_at"),
            ("audit_log", "created_at"),
            ("api_keys", "last_used_at"),
        )
        if database.execute(f"SELECT count(*) FROM {table} WHERE {column} > ?", (now,)).fetchone() != (0,)
    ]

    assert later == []
