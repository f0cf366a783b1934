"""The demo's other rows: users, API keys, the audit log, invoices."""

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from mcp_daan.demo.connections import LETTERS, Row, stamp
from mcp_daan.demo.people import CUSTOMERS, people

USERS, API_KEYS, EVENTS, INVOICES = 40, 12, 900, 1400
PURPOSES = ("CI", "nightly export", "Power BI", "webshop", "accountant", "monitoring")


def users(chance: random.Random, now: datetime) -> Iterator[Row]:
    """The rows of `users`."""
    for person in people(chance, USERS):
        yield {**person._asdict(), "created_at": _ago(chance, now, 60, 158)}


def api_keys(chance: random.Random, now: datetime) -> Iterator[Row]:
    """The rows of `api_keys`: mostly sound, one expired, one revoked, one that may do everything and never ends."""
    for number in range(API_KEYS):
        key = "daan_live_" + "".join(chance.choices(LETTERS, k=40))
        revoked = now - timedelta(days=11) if number == 5 else None
        used = (revoked or now) - timedelta(minutes=chance.randrange(1, 9000))
        yield {
            "user_id": 2 * number + 1,
            "name": PURPOSES[number % len(PURPOSES)],
            "prefix": key[:14],
            "key_hash": hashlib.sha256(key.encode()).hexdigest(),
            "scopes": "*" if number == 7 else "connections:read invoices:read",
            "last_used_at": None if number == 9 else stamp(used),
            "expires_at": None if number == 7 else stamp(now + timedelta(days=-4 if number == 3 else 30 + 20 * number)),
            "revoked_at": stamp(revoked) if revoked else None,
            "created_at": _ago(chance, now, 60, 95),
        }


def audit_log(chance: random.Random, now: datetime, connections: Sequence[Row]) -> Iterator[Row]:
    """The rows of `audit_log`, oldest first; the moments lie within the last two weeks."""
    moments = sorted(chance.randrange(14 * 86400) for _ in range(EVENTS))
    for seconds in reversed(moments):
        number = chance.randrange(len(connections))
        action = chance.choices(
            ("connection.refreshed", "connection.refresh_failed", "invoices.read", "user.signed_in"), (60, 6, 24, 10)
        )[0]
        detail = {"invoices": chance.randrange(1, 40)} if action == "invoices.read" else {}
        yield {
            "user_id": None if action.startswith("connection") else connections[number]["user_id"],
            "connection_id": None if action == "user.signed_in" else number + 1,
            "action": action,
            "detail": json.dumps(detail),
            "created_at": stamp(now - timedelta(seconds=seconds)),
        }


def invoices(chance: random.Random, now: datetime, connections: int) -> Iterator[Row]:
    """The rows of `invoices`; what is older than six weeks is paid."""
    customers = CUSTOMERS.split("|")
    for number in range(INVOICES):
        issued = now - timedelta(days=chance.randrange(1, 120))
        paid = issued + timedelta(days=chance.randrange(5, 42))
        yield {
            "connection_id": number % connections + 1,
            "number": f"{issued.year}-{number // connections + 1:04}",
            "customer": chance.choice(customers),
            "total_cents": chance.randrange(1500, 450_000),
            "currency": "EUR",
            "issued_on": issued.strftime("%Y-%m-%d"),
            "paid_on": paid.strftime("%Y-%m-%d") if paid < now else None,
        }


def _ago(chance: random.Random, now: datetime, least: int, most: int) -> str:
    return stamp(now - timedelta(days=chance.randrange(least, most), seconds=chance.randrange(86400)))
