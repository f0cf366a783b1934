"""The demo's KV namespaces, made as wrangler and workerd keep them (wrangler 4.164, miniflare 5).

Sessions as Astro writes them, and what the portal's own OAuth provider keeps: clients, grants, access tokens.
"""

import hashlib
import json
import random
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mcp_daan.demo.database import ALARMS, SEED, new_file
from mcp_daan.demo.records import USERS
from mcp_daan.local_state import STATE, object_file
from mcp_daan.workers.kv.namespaces import KIND, UNIQUE_KEY

NAMESPACE_ID = "5c0b7d9e1f2a4b6c8d0e2f4a6b8c0d1e"
OAUTH_NAMESPACE_ID = "8e1d3f5a7b9c4d2e0f1a3b5c7d9e1f20"
SESSIONS = 6
# Miniflare's own words.
ENTRIES = """CREATE TABLE IF NOT EXISTS _mf_entries (
  key TEXT PRIMARY KEY,
  blob_id TEXT NOT NULL,
  expiration INTEGER,
  metadata TEXT
);
CREATE INDEX IF NOT EXISTS _mf_entries_expiration_idx ON _mf_entries(expiration);"""
RESOURCE = "https://portal.demo.example/mcp"
# Hours until each grant ends: most in a month, some within a week, one whose code nobody has exchanged yet.
GRANTS = (*(24 * days for days in (29, 28, 26, 21, 17, 12, 9)), 24 * 5, 24 * 2, 0.15)


@dataclass(frozen=True)
class Entry:
    """A key with its value."""

    key: str
    value: Any
    ends: datetime | None = None
    metadata: dict[str, str] | None = None


def make_namespaces(app: Path, now: datetime) -> None:
    """Make the namespaces of the portal in *app*; their times are relative to *now*."""
    folder = app / STATE / KIND
    (folder / UNIQUE_KEY).mkdir(parents=True)
    for namespace, entries in ((NAMESPACE_ID, _sessions), (OAUTH_NAMESPACE_ID, _provider)):
        _keep(folder, namespace, list(entries(random.Random(f"{SEED} {namespace}"), now)), now)
    with closing(new_file(folder / UNIQUE_KEY / "metadata.sqlite")) as alarms:
        alarms.execute(ALARMS)


def _keep(folder: Path, namespace: str, entries: list[Entry], now: datetime) -> None:
    chance = random.Random(f"{SEED} blobs {namespace}")
    blobs = folder / namespace / "blobs"
    blobs.mkdir(parents=True)
    with closing(new_file(folder / UNIQUE_KEY / object_file(UNIQUE_KEY, namespace))) as file, file:
        file.execute(ENTRIES)
        for entry in entries:
            # 32 bytes of chance and the moment in milliseconds, as miniflare names them.
            blob = chance.randbytes(32).hex() + f"{round(now.timestamp() * 1000):016x}"
            (blobs / blob).write_bytes(json.dumps(entry.value, separators=(",", ":")).encode())
            ends = None if entry.ends is None else round(entry.ends.timestamp()) * 1000
            metadata = None if entry.metadata is None else json.dumps(entry.metadata, separators=(",", ":"))
            file.execute("INSERT INTO _mf_entries VALUES (?, ?, ?, ?)", (entry.key, blob, ends, metadata))


def _sessions(chance: random.Random, now: datetime) -> Iterator[Entry]:
    """As Astro keeps them: the id is the key, and `devalue` writes the value."""
    for number in range(SESSIONS):
        user = chance.randrange(1, USERS + 1)
        value = [["Map", 1, 2, 6, 7], "user", {"data": 3}, {"id": 4, "role": 5}, user, "customer", "csrf", {"data": 8}]
        yield Entry(
            str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            [*value, chance.randbytes(16).hex()],
            now + timedelta(hours=1 + 3 * number),
        )


def _provider(chance: random.Random, now: datetime) -> Iterator[Entry]:
    """As `@cloudflare/workers-oauth-provider` 1.2 keeps them, with chance in the place of hashes and sealed values."""
    clients = [chance.randbytes(8).hex() for _ in range(4)]
    for number, client in enumerate(clients):
        about = {
            "clientId": client,
            "clientName": ("Claude", "Cursor", "VS Code", "Portal app")[number],
            "redirectUris": ["http://127.0.0.1/callback"],
            "grantTypes": ["authorization_code", "refresh_token"],
            "tokenEndpointAuthMethod": "none",
            "registrationDate": round((now - timedelta(days=20)).timestamp()),
        }
        # Who registered by itself ends after 90 days; the portal's own client never does.
        yield Entry(f"client:{client}", about, None if number == 3 else now + timedelta(days=70 - number))
    for number, hours in enumerate(GRANTS):
        yield from _grant(chance, now, clients[number % 3], now + timedelta(hours=hours), pending=hours < 1)


def _grant(chance: random.Random, now: datetime, client: str, ends: datetime, *, pending: bool) -> Iterator[Entry]:
    user, grant = f"u-{chance.randrange(1, USERS + 1)}", chance.randbytes(8).hex()
    begun = round((now - timedelta(days=30) + (ends - now)).timestamp())
    about: dict[str, Any] = {"id": grant, "clientId": client, "userId": user, "scope": ["mcp:read"], "createdAt": begun}
    hashed = hashlib.sha256(chance.randbytes(32)).hexdigest()
    about["authCodeId" if pending else "refreshTokenId"] = hashed
    about["encryptedProps"] = chance.randbytes(48).hex()
    yield Entry(f"grant:{user}:{grant}", about, ends, {"clientId": client, "resource": RESOURCE})
    if not pending:
        token = {"audience": RESOURCE, "scope": ["mcp:read"], "grant": {"clientId": client}, "createdAt": begun}
        hashed = hashlib.sha256(chance.randbytes(32)).hexdigest()
        yield Entry(f"token:{user}:{grant}:{hashed}", token, now + timedelta(minutes=chance.randrange(5, 60)))
