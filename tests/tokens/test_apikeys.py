"""The checks on API keys, on a table as portals have it and as better-auth has it."""

import hashlib
import secrets
from typing import Any

import pytest

from tests.tokens.conftest import DAY, Portal, ago

SCHEMA = (
    "id INTEGER PRIMARY KEY, user_id INTEGER, name TEXT, prefix TEXT, key_hash TEXT, scopes TEXT,"
    " last_used_at TEXT, expires_at TEXT, revoked_at TEXT, created_at TEXT"
)
GOOD: dict[str, Any] = {
    "user_id": 1,
    "prefix": "daan_live_",
    "scopes": "read",
    "last_used_at": ago(DAY),
    "expires_at": ago(-90 * DAY),
    "revoked_at": None,
    "created_at": ago(100 * DAY),
}


def digest() -> str:
    """A key's SHA-256."""
    return hashlib.sha256(secrets.token_bytes(32)).hexdigest()


def checks(
    portal: Portal, *rows: dict[str, Any], schema: str = SCHEMA, index: bool = True
) -> dict[str, dict[str, Any]]:
    """The checks by code for a table of these keys and a good one."""
    portal.save(portal.rows(1))
    portal.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    portal.execute("INSERT INTO users VALUES (1)")
    portal.execute(f"CREATE TABLE api_keys ({schema})")
    if index:
        portal.execute("CREATE UNIQUE INDEX of_hash ON api_keys (key_hash)")
    for row in ({}, *rows):
        values = {name: value for name, value in {**GOOD, "key_hash": digest(), **row}.items() if name in schema}
        places = ",".join("?" * len(values))
        portal.execute(f"INSERT INTO api_keys ({', '.join(values)}) VALUES ({places})", *values.values())
    return {check["code"]: check for check in portal.health().data["apiKeys"]["checks"]}


def test_a_table_that_is_well_passes_every_check(portal: Portal) -> None:
    """Each check is named, and none fails."""
    found = checks(portal)

    assert list(found) == [
        "stored_hashed", "hash_kind", "hash_unique", "prefix_stored", "prefix_environment", "expiry_set",
        "expired_disabled", "last_used_kept", "revocation_kept", "scopes_limited", "owner_alive",
    ]  # fmt: skip
    assert {check["ok"] for check in found.values()} == {True}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"key_hash": "daan_live_2f7Kq0aJ4nX82f7Kq0aJ4nX82f7Kq0aJ4nX8"}, "stored_hashed"),
        ({"key_hash": "sekreet"}, "stored_hashed"),
        ({"key_hash": "$2b$12$abcdefghijklmnopqrstuv"}, "hash_kind"),
        ({"key_hash": "0" * 32}, "hash_kind"),
        ({"prefix": None}, "prefix_stored"),
        ({"prefix": "daan"}, "prefix_environment"),
        ({"expires_at": None}, "expiry_set"),
        ({"expires_at": ago(-800 * DAY)}, "expiry_set"),
        ({"expires_at": ago(DAY)}, "expired_disabled"),
        ({"last_used_at": ago(91 * DAY)}, "last_used_kept"),
        ({"last_used_at": None}, "last_used_kept"),
        ({"revoked_at": ago(3 * DAY)}, "revocation_kept"),
        ({"scopes": None}, "scopes_limited"),
        ({"scopes": "*"}, "scopes_limited"),
        ({"scopes": '{"all": ["*"]}'}, "scopes_limited"),
        ({"user_id": 7}, "owner_alive"),
    ],
)
def test_one_bad_key_fails_its_check_and_no_other(portal: Portal, row: dict[str, Any], code: str) -> None:
    """The message counts it, and repeats nothing of it."""
    found = checks(portal, row)

    assert [each for each, check in found.items() if not check["ok"]] == [code]
    assert "1" in found[code]["message"]
    assert all(str(value) not in found[code]["message"] for value in row.values() if value not in (None, "*", 7))


@pytest.mark.parametrize(
    "row", [{"expires_at": None}, {"last_used_at": None}, {"scopes": "*"}, {"user_id": 7}, {"expires_at": ago(DAY)}]
)
def test_a_revoked_key_is_not_held_to_what_live_keys_are(portal: Portal, row: dict[str, Any]) -> None:
    """It can do nothing any more."""
    found = checks(portal, {"revoked_at": ago(0), **row})

    assert {check["ok"] for check in found.values()} == {True}


def test_what_the_schema_lacks_is_said(portal: Portal) -> None:
    """Columns that a system of keys needs, and the index that finds one."""
    found = checks(portal, schema="id INTEGER, key_hash TEXT, api_key TEXT", index=False)

    assert {code for code, check in found.items() if not check["ok"]} == {
        "hash_unique", "prefix_stored", "expiry_set", "last_used_kept", "revocation_kept", "scopes_limited",
        "owner_alive",
    }  # fmt: skip


def test_owners_are_looked_up_only_by_a_key(portal: Portal) -> None:
    """Without an index each key would read all users."""
    portal.execute("CREATE TABLE users (id)")
    portal.execute(f"CREATE TABLE api_keys ({SCHEMA})")
    portal.save(portal.rows(1))

    assert "owner_alive" not in {check["code"] for check in portal.health().data["apiKeys"]["checks"]}


def test_a_readable_key_beside_its_digest_is_an_error(portal: Portal) -> None:
    """It was to be shown once."""
    found = checks(portal, {"secret": "daan_live_readable"}, schema=f"{SCHEMA}, secret TEXT")

    assert (found["shown_once"]["ok"], found["shown_once"]["severity"]) == (False, "error")
    assert "readable" not in found["shown_once"]["message"].replace("keeps readable", "")


def test_a_short_key_that_can_be_read_is_an_error(portal: Portal) -> None:
    """A digest hides how long its key is; a readable key does not, and its prefix is no chance."""
    schema = f"{SCHEMA}, secret TEXT"
    short = checks(portal, {"secret": "daan_live_2f7Kq0aJ4nX8"}, schema=schema)
    portal.execute("DROP TABLE api_keys")
    portal.execute("DROP TABLE users")
    long = checks(portal, {"secret": "daan_live_" + "2f7Kq0aJ" * 4}, schema=schema)

    assert (short["entropy"]["ok"], short["entropy"]["severity"], long["entropy"]["ok"]) == (False, "error", True)


@pytest.mark.parametrize(
    ("column", "table", "ok"),
    [("organization_id", "users", None), ("organization_id", "organizations", False), ("user_id", "users", False)],
)
def test_an_owner_is_looked_for_where_its_name_or_its_foreign_key_says(
    portal: Portal, column: str, table: str, ok: bool | None
) -> None:
    """An organization is not missed among the users."""
    portal.save(portal.rows(1))
    portal.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY)")
    portal.execute(f"CREATE TABLE api_keys (id, key_hash, {column})")
    portal.execute("INSERT INTO api_keys VALUES (1, ?, 5)", digest())
    found = {check["code"]: check["ok"] for check in portal.health().data["apiKeys"]["checks"]}
    portal.execute("DROP TABLE api_keys")
    portal.execute(f"CREATE TABLE api_keys (id, key_hash, user_id REFERENCES {table})")
    portal.execute("INSERT INTO api_keys VALUES (1, ?, 5)", digest())
    declared = {check["code"]: check["ok"] for check in portal.health().data["apiKeys"]["checks"]}

    assert (found.get("owner_alive"), declared["owner_alive"]) == (ok, False)


@pytest.mark.parametrize("row", [(-1, 5, 60, 0, 0, 0), (5, 5, None, 0, 0, 0), (5, None, None, 1, None, 60)])
def test_an_allowance_that_cannot_be_meant_is_noted(portal: Portal, row: tuple[Any, ...]) -> None:
    """better-auth's remaining calls, refills and rate limits."""
    portal.save(portal.rows(1))
    columns = "remaining, refillAmount, refillInterval, rateLimitEnabled, rateLimitMax, rateLimitTimeWindow"
    portal.execute(f"CREATE TABLE apikey (id, key, {columns})")
    for each in (row, (5, 5, 60, 1, 10, 60), (None, None, None, 0, None, None)):
        portal.execute("INSERT INTO apikey VALUES (1, ?, ?, ?, ?, ?, ?, ?)", digest(), *each)
    found = {check["code"]: check for check in portal.health().data["apiKeys"]["checks"]}["limits_sane"]

    assert (found["ok"], found["severity"], found["message"].count("1")) == (False, "info", 1)


def test_better_auth_keeps_its_digest_in_a_column_called_key(portal: Portal) -> None:
    """Camel case, and `enabled` in place of a moment of revocation."""
    portal.save(portal.rows(1))
    portal.execute(
        'CREATE TABLE "apikey" (id, "key" UNIQUE, start, prefix, userId, enabled, expiresAt, lastRequest, permissions)'
    )
    row = [1, hashlib.sha256(b"x").hexdigest(), "da", "da_live_", 1, 1, ago(-DAY), ago(0), '{"a":["b"]}']
    portal.execute(f"INSERT INTO apikey VALUES ({','.join('?' * len(row))})", *row)
    found = {check["code"]: check["ok"] for check in portal.health().data["apiKeys"]["checks"]}

    assert (found["stored_hashed"], found["hash_unique"], found["revocation_kept"]) == (True, True, False)
    assert "shown_once" not in found


def test_a_table_of_keys_that_is_empty_or_odd_breaks_nothing(portal: Portal) -> None:
    """No rows, no known columns, values of every type."""
    portal.save(portal.rows(1))
    for schema, values in (
        ("a, b", [1, 2]),
        (SCHEMA, None),
        ("key_hash, expires_at, scopes", [b"\xff" * 32, 2**62, 1.5]),
    ):
        portal.execute("DROP TABLE IF EXISTS api_keys")
        portal.execute(f"CREATE TABLE api_keys ({schema})")
        if values:
            portal.execute(f"INSERT INTO api_keys VALUES ({','.join('?' * len(values))})", *values)
        assert portal.health().error is None
