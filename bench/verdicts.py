"""How often `tokens_health` gives the right verdict: a population with known faults, made anew, in three dialects.

    python bench/verdicts.py [--seed 1] [--times 3] [--wrong]

Each dialect is a portal with its own names, units of time and form of sealed values. Every situation is planted several
times among healthy connections and has the verdict that a person would give who knows what was done to it. Situations
that are marked hard cannot be told for sure from the table alone; they count all the same.
"""

import argparse
import base64
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcp_daan.app import App
from mcp_daan.toolbox import run, tools_in
from mcp_daan.tools import tokens

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3600, 86400
SOUND = 60
FERNET = "gAAAAABrAyV12Z1PjsonQTebPp3jH34GRUH7ZLT-d24CeQDSRWBoeJ-9kLgrSJkWaluZ3Ycq"


@dataclass(frozen=True)
class Row:
    """A connection before it is written down; ages in seconds, tokens in plain unless `raw` replaces what is stored."""

    access: str
    refresh: str
    user: str
    refreshed: float = 2 * MINUTE
    lasts: float = 600
    ends: float | None = None
    status: str = "active"
    error: str | None = None
    error_age: float | None = None
    failures: int = 0
    raw: dict[str, Any] = field(default_factory=dict)
    key: str = "current"


@dataclass(frozen=True)
class Dialect:
    """How one portal writes its table."""

    name: str
    columns: dict[str, str]
    moment: Callable[[float], Any]
    seal: Callable[[bytes, bytes], str]


@dataclass(frozen=True)
class Situation:
    """What was done to a connection, and the verdict that it deserves; *make* gives one row or a pair."""

    name: str
    verdict: str
    make: Callable[[Row, "Portal"], list[Row]]
    hard: bool = False


class Portal:
    """The keys and the chance of one population."""

    def __init__(self, dialect: Dialect, seed: int) -> None:
        self.dialect = dialect
        self.chance = random.Random(f"{dialect.name} {seed}")
        self.keys = {name: AESGCM.generate_key(256) for name in ("current", "previous", "lost")}

    def token(self) -> str:
        """A token of Exact Online's form."""
        return f"stampNL001.{self.chance.randbytes(2).hex()}!IAAAA{self.chance.randbytes(60).hex()}"

    def sound(self) -> Row:
        """A healthy connection."""
        return Row(self.token(), self.token(), self.chance.randbytes(8).hex(), self.chance.uniform(10, 280))

    def sealed(self, plain: str, key: str = "current", size: int = 12) -> str:
        """*plain* as this portal seals it."""
        nonce = os.urandom(size)
        return self.dialect.seal(nonce, AESGCM(self.keys[key]).encrypt(nonce, plain.encode(), None))


def _iso(age: float) -> str:
    return (NOW - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


SNAKE = {
    "access": "access_token_enc", "refresh": "refresh_token_enc", "refreshed": "last_refreshed_at",
    "expires": "token_expires_at", "ends": "refresh_token_expires_at", "user": "external_user_id",
    "error": "last_error", "error_at": "last_error_at", "failures": "refresh_failures",
}  # fmt: skip
CAMEL = {
    "access": "accessToken", "refresh": "refreshToken", "refreshed": "lastRefreshedAt", "expires": "accessTokenExpiresAt",
    "ends": "refreshTokenExpiresAt", "user": "exactUserId", "error": "lastError", "error_at": "lastErrorAt",
    "failures": "failureCount",
}  # fmt: skip
SHORT = {
    **SNAKE,
    "refreshed": "refreshed_at",
    "expires": "expires_at",
    "user": "provider_user_id",
    "failures": "error_count",
}
DIALECTS = (
    Dialect("ISO, base64", SNAKE, _iso, lambda nonce, body: _b64(nonce + body)),
    Dialect(
        "milliseconds, v1 in base64url",
        CAMEL,
        lambda age: int((NOW.timestamp() - age) * 1000),
        lambda nonce, body: f"v1:{_url(nonce)}:{_url(body)}",
    ),
    Dialect(
        "seconds, hex iv:tag:ct",
        SHORT,
        lambda age: int(NOW.timestamp() - age),
        lambda nonce, body: f"{nonce.hex()}:{body[-16:].hex()}:{body[:-16].hex()}",
    ),
)


def _with(**changes: Any) -> Callable[[Row, Portal], list[Row]]:
    return lambda row, portal: [replace(row, **changes)]


def _stored(role: str, value: Callable[[Portal, Row], Any]) -> Callable[[Row, Portal], list[Row]]:
    return lambda row, portal: [replace(row, raw={role: value(portal, row)})]


def _failed(error: str, **changes: Any) -> Callable[[Row, Portal], list[Row]]:
    return _with(error=error, error_age=5, **changes)


def _tampered(portal: Portal, row: Row) -> str:
    sealed = portal.sealed(row.refresh)
    place = len(sealed) // 2
    return sealed[:place] + ("a" if sealed[place] != "a" else "b") + sealed[place + 1 :]


def _twins(**changes: str) -> Callable[[Row, Portal], list[Row]]:
    return lambda row, portal: [row, replace(portal.sound(), **{name: getattr(row, name) for name in changes})]


SITUATIONS = [
    Situation("just refreshed", "healthy", _with(refreshed=5)),
    Situation("the access token has ended, the refresh is fresh", "healthy", _with(refreshed=14 * MINUTE)),
    Situation("a dead error from before the last refresh", "healthy", _with(error="Old refresh token used.", error_age=HOUR)),
    Situation("a refresh came too early", "healthy", _failed("400 access_denied Rate limit exceeded: access_token not expired")),
    Situation("the last answer was 200", "healthy", _failed("200")),
    Situation("paused for two days", "healthy", _with(status="paused", refreshed=2 * DAY)),
    Situation("sealed with the previous key", "healthy", _with(key="previous")),
    Situation("a nonce of 16 bytes", "healthy", _stored("access", lambda p, r: p.sealed(r.access, size=16))),
    Situation("sealed twice", "healthy", _stored("access", lambda p, r: p.sealed(p.sealed(r.access)))),
    Situation("sealed in another form", "healthy", _stored("refresh", lambda p, r: _other_form(p, r.refresh))),
    Situation("a moment in another unit", "healthy", _stored("refreshed", lambda p, r: _other_unit(p, r.refreshed))),
    Situation("expires_in joined as text", "healthy", _stored("expires", lambda p, r: f"{int(NOW.timestamp() - r.refreshed)}600")),
    Situation("a division is forbidden, and it was refreshed since", "healthy", _with(error="403 Forbidden", error_age=HOUR)),
    Situation("no access token", "missing_token", _stored("access", lambda p, r: None)),
    Situation("an empty refresh token", "missing_token", _stored("refresh", lambda p, r: "")),
    Situation("the word undefined", "missing_token", _stored("refresh", lambda p, r: "undefined")),
    Situation("undefined, sealed", "missing_token", _with(refresh="undefined")),
    Situation("nothing, sealed", "missing_token", _with(access="")),
    Situation("Exact's token in plain", "plaintext_at_rest", _stored("refresh", lambda p, r: r.refresh)),
    Situation("a JSON Web Token in plain", "plaintext_at_rest", _stored("access", lambda p, r: _jwt(p))),
    Situation("Google's token in plain", "plaintext_at_rest", _stored("access", lambda p, r: f"ya29.{_url(p.chance.randbytes(60))}")),
    Situation("an answer in plain", "plaintext_at_rest", _stored("refresh", lambda p, r: json.dumps({"refresh_token": r.refresh}))),
    Situation("an unknown token with dashes", "plaintext_at_rest", _stored("refresh", lambda p, r: f"Zx-_{_url(p.chance.randbytes(45))}")),
    Situation("an unknown token of 64 hex characters", "plaintext_at_rest", _stored("refresh", lambda p, r: p.chance.randbytes(32).hex()), hard=True),
    Situation("an unknown token of 40 letters and digits", "plaintext_at_rest", _stored("refresh", lambda p, r: _letters(p, 40)), hard=True),
    Situation("sealed with a key that is lost", "undecryptable", _with(key="lost")),
    Situation("cut short by the column", "undecryptable", _stored("refresh", lambda p, r: p.sealed(r.refresh)[:100])),
    Situation("one character changed", "undecryptable", _stored("refresh", _tampered)),
    Situation("Fernet", "undecryptable", _stored("access", lambda p, r: FERNET)),
    Situation("[object Object]", "undecryptable", _stored("access", lambda p, r: "[object Object]")),
    Situation("bytes of chance", "undecryptable", _stored("access", lambda p, r: p.chance.randbytes(90))),
    Situation("old refresh token used", "needs_reauth", _failed("401 unauthorized_client: Old refresh token used.", refreshed=HOUR)),
    Situation("refresh token expired", "needs_reauth", _failed("400 invalid_request: The refresh token expired at 2026-10-01 and it is now 2026-11-22", refreshed=5 * HOUR)),
    Situation("chainId", "needs_reauth", _failed("400 invalid_grant: invalid or empty chainId", refreshed=HOUR)),
    Situation("revoked by the customer", "needs_reauth", _failed("invalid_grant: Token has been revoked", refreshed=3 * HOUR)),
    Situation("unused for 31 days", "needs_reauth", _with(refreshed=31 * DAY, lasts=600)),
    Situation("its refresh token ended an hour ago", "needs_reauth", _with(refreshed=HOUR, ends=-MINUTE)),
    Situation("the application gave it up", "needs_reauth", _with(status="needs_reauth")),
    Situation("one user, two connections", "duplicate_grant", _twins(user="")),
    Situation("one refresh token, two connections", "duplicate_grant", _twins(refresh="")),
    Situation("left behind for half an hour", "refresh_stuck", _with(refreshed=30 * MINUTE)),
    Situation("left behind for two days", "refresh_stuck", _with(refreshed=2 * DAY)),
    Situation("behind, with an error that passes", "refresh_stuck", _failed("503 Service Unavailable", refreshed=3 * HOUR)),
    Situation("503", "degraded", _failed("503 Service Unavailable", failures=1)),
    Situation("429", "degraded", _failed("429 Too Many Requests")),
    Situation("no network", "degraded", _failed("network: ETIMEDOUT", failures=3)),
    Situation("failures without a word", "degraded", _with(failures=2)),
    Situation("a division is forbidden", "degraded", _failed("403 Forbidden")),
    Situation("the client secret is wrong", "degraded", _failed("401 invalid_client")),
    Situation("paused for 25 days", "reauth_soon", _with(status="paused", refreshed=25 * DAY)),
    Situation("its refresh token ends in five days", "reauth_soon", _with(ends=5 * DAY)),
    Situation("a moment that is none", "unknown", _stored("refreshed", lambda p, r: "soon")),
    Situation("a moment years ahead", "unknown", _stored("refreshed", lambda p, r: p.dialect.moment(-900 * DAY))),
]  # fmt: skip


def _jwt(portal: Portal) -> str:
    return ".".join(_url(part) for part in (b'{"alg":"RS256"}', b'{"sub":"1"}', portal.chance.randbytes(40)))


def _letters(portal: Portal, length: int) -> str:
    return "".join(portal.chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=length))


def _other_form(portal: Portal, plain: str) -> str:
    nonce = os.urandom(12)
    raw = nonce + AESGCM(portal.keys["current"]).encrypt(nonce, plain.encode(), None)
    return raw.hex() if portal.dialect.name.startswith("ISO") else _b64(raw)


def _other_unit(portal: Portal, age: float) -> Any:
    return DIALECTS[(DIALECTS.index(portal.dialect) + 1) % len(DIALECTS)].moment(age)


def judged(dialect: Dialect, seed: int, times: int) -> Iterator[tuple[Situation, str]]:
    """Each planted connection's situation, and the verdict that it got."""
    portal = Portal(dialect, seed)
    planted: list[tuple[Situation | None, Row]] = [(None, portal.sound()) for _ in range(SOUND * times)]
    planted += [(each, row) for each in SITUATIONS for _ in range(times) for row in each.make(portal.sound(), portal)]
    portal.chance.shuffle(planted)
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), portal, [row for _, row in planted])
        keys = {
            "TOKEN_ENCRYPTION_KEY": portal.keys["current"].hex(),
            "TOKEN_ENCRYPTION_KEY_PREVIOUS": portal.keys["previous"].hex(),
        }
        app = App(
            folder, {**keys, "DAAN_NOW": NOW.isoformat(), "DAAN_LIMITS_MAX_ANSWER_BYTES": "4000000", "HOME": folder}
        )
        found = {each["id"]: each["verdict"] for each in _connections(app)}
        app.close()
    sound = Situation("nothing is wrong", "healthy", _with())
    for number, (situation, _) in enumerate(planted, 1):
        yield situation or sound, found[number]


def _connections(app: App) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        answer = run(tools_in(tokens)["tokens_health"], app.for_call(), {"limit": 1000, "cursor": cursor}).answer
        yield from answer["data"]["connections"]
        cursor = answer["data"]["nextCursor"]
        if cursor is None:
            return


def _write(folder: Path, portal: Portal, rows: list[Row]) -> None:
    (folder / "daan.toml").write_text('[d1.databases.portal]\npath = "portal.sqlite"\n', encoding="utf-8")
    columns, moment = portal.dialect.columns, portal.dialect.moment
    database = apsw.Connection(str(folder / "portal.sqlite"))
    database.execute(
        f"CREATE TABLE connections (id INTEGER PRIMARY KEY, provider, status, {', '.join(columns.values())})"
    )
    for row in rows:
        values: dict[str, Any] = {
            "access": portal.sealed(row.access, row.key),
            "refresh": portal.sealed(row.refresh, row.key),
            "refreshed": moment(row.refreshed),
            "expires": moment(row.refreshed - row.lasts),
            "ends": None if row.ends is None else moment(-row.ends),
            "user": row.user,
            "error": row.error,
            "error_at": None if row.error_age is None else moment(row.error_age),
            "failures": row.failures,
            **row.raw,
        }
        places = ", ".join("?" * (len(columns) + 3))
        stored = (None, "exact-online", row.status, *(values[role] for role in columns))
        database.execute(f"INSERT INTO connections VALUES ({places})", stored)
    database.close()


def main() -> int:
    """Print the accuracy, by dialect and as a whole."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, default=3, help="how often each situation is planted")
    parser.add_argument("--wrong", action="store_true", help="print what was judged otherwise")
    chosen = parser.parse_args()
    whole: Counter[bool] = Counter()
    wrong: Counter[tuple[str, str, str]] = Counter()
    for dialect in DIALECTS:
        right: Counter[bool] = Counter()
        for situation, verdict in judged(dialect, chosen.seed, chosen.times):
            right[verdict == situation.verdict] += 1
            if verdict != situation.verdict:
                wrong[(situation.name + (" (hard)" if situation.hard else ""), situation.verdict, verdict)] += 1
        whole += right
        sys.stdout.write(
            f"{dialect.name:32} {right[True]:>5} of {right.total():>5}  {right[True] / right.total():.1%}\n"
        )
    sys.stdout.write(
        f"{len(SITUATIONS)} situations in all{'':12} {whole[True]:>5} of {whole.total():>5}  {whole[True] / whole.total():.1%}\n"
    )
    for (name, meant, said), count in wrong.most_common() if chosen.wrong else ():
        sys.stdout.write(f"  {count:>4} x {name}: {said}, not {meant}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
