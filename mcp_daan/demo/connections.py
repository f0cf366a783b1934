"""The demo's 120 connections: some in each state that a token can be in."""

import base64
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# How many connections stand in each verdict of `tokens_health`.
VERDICTS = {
    "missing_token": 4,
    "plaintext_at_rest": 3,
    "undecryptable": 5,
    "needs_reauth": 8,
    "duplicate_grant": 6,
    "refresh_stuck": 9,
    "degraded": 7,
    "reauth_soon": 6,
    "healthy": 72,
}
OLD_FORMAT = 6
ACCESS_SECONDS = 600
REFRESH_DAYS = 30
MINUTE, HOUR, DAY = 60, 3600, 86400
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
Row = dict[str, Any]


class Sealer:
    """Seals tokens as the portal does; its nonces come from *chance*, which is safe since every key is new."""

    def __init__(self, key: bytes, chance: random.Random) -> None:
        self._cipher = AESGCM(key)
        self._chance = chance

    def seal(self, token: str, nonce: bytes | None = None) -> str:
        """*token* as `v1:<nonce>:<ciphertext and tag>` in base64url."""
        nonce = nonce or self._chance.randbytes(12)
        return f"v1:{_url(nonce)}:{_url(self._cipher.encrypt(nonce, token.encode(), None))}"

    def seal_as_before(self, token: str) -> str:
        """*token* in the portal's first form: base64 of nonce, ciphertext and tag."""
        nonce = self._chance.randbytes(12)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, token.encode(), None)).decode()


def stamp(moment: datetime) -> str:
    """*moment* as the portal writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def connections(chance: random.Random, now: datetime, key: bytes, users: int) -> Iterator[Row]:
    """The rows of `connections`, each verdict as often as VERDICTS says, sealed under *key*."""
    ours, lost = Sealer(key, chance), Sealer(bytes(byte ^ 0xFF for byte in key), chance)
    verdicts = [verdict for verdict, count in VERDICTS.items() for _ in range(count)]
    chance.shuffle(verdicts)
    rows = []
    for verdict in verdicts:
        row = _sound(chance, now, ours, user=chance.randrange(users) + 1)
        _STATES[verdict](chance, now, row, lost)
        rows.append(row)
    _pair(row for row, verdict in zip(rows, verdicts, strict=True) if verdict == "duplicate_grant")
    healthy = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict == "healthy"]
    for row in healthy[:OLD_FORMAT]:
        row["access_token_enc"] = ours.seal_as_before(_token(chance, 200))
        row["refresh_token_enc"] = ours.seal_as_before(_token(chance, 120))
    nonce = chance.randbytes(12)
    for row in healthy[-2:]:
        row["access_token_enc"] = ours.seal(_token(chance, 200), nonce)
    yield from rows


def _sound(chance: random.Random, now: datetime, sealer: Sealer, user: int) -> Row:
    row: Row = {
        "user_id": user,
        "provider": "exact-online",
        "external_user_id": str(uuid.UUID(bytes=chance.randbytes(16), version=4)),
        "division": chance.randrange(1_000_000, 3_999_999),
        "status": "active",
        "access_token_enc": sealer.seal(_token(chance, 200)),
        "refresh_token_enc": sealer.seal(_token(chance, 120)),
        "last_error": None,
        "last_error_at": None,
        "refresh_failures": 0,
        "created_at": stamp(now - timedelta(days=chance.randrange(45, 150), seconds=chance.randrange(DAY))),
    }
    return _refreshed(row, now, chance.randrange(15, 270))


def _refreshed(row: Row, now: datetime, seconds_ago: int) -> Row:
    last = now - timedelta(seconds=seconds_ago)
    row["last_refreshed_at"] = row["updated_at"] = stamp(last)
    row["token_expires_at"] = stamp(last + timedelta(seconds=ACCESS_SECONDS))
    row["refresh_token_expires_at"] = stamp(last + timedelta(days=REFRESH_DAYS))
    return row


def _failed(row: Row, now: datetime, seconds_ago: int, error: str, failures: int) -> None:
    row["last_error"], row["refresh_failures"] = error, failures
    row["last_error_at"] = row["updated_at"] = stamp(now - timedelta(seconds=seconds_ago))


def _missing(chance: random.Random, now: datetime, row: Row, lost: Sealer) -> None:
    row["access_token_enc"], row["refresh_token_enc"] = None, chance.choice((None, ""))
    row["last_refreshed_at"] = row["token_expires_at"] = row["refresh_token_expires_at"] = None
    row["updated_at"] = row["created_at"]


def _plaintext(chance: random.Random, now: datetime, row: Row, lost: Sealer) -> None:
    row["access_token_enc"] = _token(chance, 200)
    row["refresh_token_enc"] = _token(chance, 120)


def _undecryptable(chance: random.Random, now: datetime, row: Row, lost: Sealer) -> None:
    # The key was changed nine days ago, and since then nothing could open them.
    _refreshed(row, now, 9 * DAY + chance.randrange(270))
    row["access_token_enc"] = lost.seal(_token(chance, 200))
    row["refresh_token_enc"] = lost.seal(_token(chance, 120))


def _dead(chance: random.Random, now: datetime, row: Row, lost: Sealer) -> None:
    row["status"] = "error"
    if chance.random() < 0.5:
        days = chance.randrange(31, 44)
        _refreshed(row, now, days * DAY)
        said = stamp(now - timedelta(days=days - REFRESH_DAYS))
        error = f"400 invalid_request: The refresh token expired at {said}"
        _failed(row, now, chance.randrange(MINUTE, HOUR), error, days)
    else:
        _refreshed(row, now, chance.randrange(2 * HOUR, 9 * DAY))
        _failed(row, now, chance.randrange(MINUTE, HOUR), "401 unauthorized_client: Old refresh token used.", 3)


def _stuck(chance: random.Random, now: datetime, row: Row, lost: Sealer) -> None:
    _refreshed(row, now, chance.randrange(HOUR, 2 * DAY))


def _degraded(chance: random.Random, now: datetime, row: Row, lost: Sealer) -> None:
    _refreshed(row, now, chance.randrange(400, 700))
    error = chance.choice(("503 Service Unavailable", "429 Too Many Requests", "network: connection lost"))
    _failed(row, now, chance.randrange(15, 300), error, chance.randrange(1, 3))


def _soon(chance: random.Random, now: datetime, row: Row, lost: Sealer) -> None:
    row["refresh_token_expires_at"] = stamp(now + timedelta(seconds=chance.randrange(DAY, 6 * DAY)))


def _as_is(chance: random.Random, now: datetime, row: Row, lost: Sealer) -> None:
    """Nothing is wrong with it."""


_STATES: dict[str, Callable[[random.Random, datetime, Row, Sealer], None]] = {
    "missing_token": _missing,
    "plaintext_at_rest": _plaintext,
    "undecryptable": _undecryptable,
    "needs_reauth": _dead,
    "duplicate_grant": _as_is,
    "refresh_stuck": _stuck,
    "degraded": _degraded,
    "reauth_soon": _soon,
    "healthy": _as_is,
}


def _pair(rows: Iterator[Row]) -> None:
    # Two rows of one user at the provider share one chain of refresh tokens, and break each other.
    for first, second in zip(rows, rows, strict=True):
        for column in ("external_user_id", "division", "user_id"):
            second[column] = first[column]


def _token(chance: random.Random, length: int) -> str:
    """A token of Exact Online's form, made of chance."""
    return f"stampNL001.{''.join(chance.choices(LETTERS, k=4))}!IAAAA{''.join(chance.choices(LETTERS, k=length))}"


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
