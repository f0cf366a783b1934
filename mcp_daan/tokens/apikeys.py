"""The checks on an `api_keys` table that its schema and values can answer; nothing of a key is shown."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mcp_daan.protocol import Model, Severity
from mcp_daan.tokens.columns import quoted, snake
from mcp_daan.tokens.moments import moment

DAY = 86400
TABLES = ("api_keys", "api_key", "apikeys", "apikey", "apiKey")
LONGEST_DAYS, UNUSED_DAYS, NEVER_USED_DAYS = 365, 90, 14
NAMES: dict[str, tuple[str, ...]] = {
    "hash": (r"(?:api_?)?key_hash|hashed_(?:api_?)?key|hash|(?:secret|token)_hash|hashed_(?:secret|token)|key_digest",),
    "key": (r"(?:api_?)?key|secret|api_secret|token|key_value|plain(?:text)?(?:_key)?|raw_key|key_enc(?:rypted)?",),
    "prefix": (r"(?:key_)?prefix", r"(?:key_)?start"),
    "expires": (r"expires(?:_at|_on)?|expiry|expiration|valid_until",),
    "created": (r"created(?:_at|_on)?",),
    "used": (r"last_(?:used|request|use)(?:_at|_on)?",),
    "revoked": (r"(?:revoked|disabled|deleted|deactivated)(?:_at|_on)",),
    "enabled": (r"(?:is_)?(?:enabled|active)",),
    "scopes": (r"scopes?|permissions?",),
    "owner": (r"user_id|owner_id|created_by|account_id|organization_id",),
    "remaining": (r"remaining(?:_\w+)?",),
    "refill_amount": (r"refill_amount",),
    "refill_interval": (r"refill_interval",),
    "limited": (r"rate_limit_enabled",),
    "limit": (r"rate_limit_max|rate_limit",),
    "window": (r"rate_limit_(?:time_)?window",),
}
SHORTEST_KEY = 32
# A digest of 256 bits: 64 hex characters, or base64 of 32 bytes.
DIGEST = re.compile(r"(?:[0-9a-fA-F]{64}|[A-Za-z0-9_-]{43}=?|[A-Za-z0-9+/]{43}=|sha256[:$][\w+/=:$-]{40,100})")
# Digests that are too short for a key, and slow ones that are made for passwords.
WEAK = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}")
SLOW = re.compile(r"\$(?:2[aby]|argon2\w*|scrypt|s0|pbkdf2)")
MARKED = re.compile(r"[A-Za-z][A-Za-z0-9]*_(?:live|test|prod|production|dev|staging|stg|sandbox)(?:_|$)", re.I)


class KeyCheck(Model):
    """One check on the API keys."""

    code: str
    ok: bool
    severity: Severity
    message: str


@dataclass
class KeyTable:
    """What the schema says of an `api_keys` table: its name, columns by role, and whether the hash is unique."""

    name: str
    by_role: dict[str, str]
    unique: frozenset[str]
    # The table and the key that the owner's column names a row of.
    parent: tuple[str, str] | None = None

    def select(self) -> str:
        """The statement that reads one value a role of `by_role`, and whether the owner is gone."""
        values = [quoted(column) for column in self.by_role.values()]
        if self.parent is not None:
            owner, (parent, key) = quoted(self.by_role["owner"]), map(quoted, self.parent)
            values.append(
                f"{owner} IS NOT NULL AND NOT EXISTS"
                f" (SELECT 1 FROM {parent} AS o WHERE o.{key} = {quoted(self.name)}.{owner})"
            )
        return f"SELECT {', '.join(values)} FROM {quoted(self.name)}"


@dataclass
class Seen:
    """What was counted over the keys."""

    total: int = 0
    live: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, what: str) -> int:
        return self.counts.get(what, 0)

    def count(self, what: str, holds: object) -> None:
        """Count *what* once more if it *holds*."""
        if holds:
            self.counts[what] = self.counts.get(what, 0) + 1


def key_table(name: str, columns: Sequence[str], unique: Iterable[str]) -> KeyTable:
    """The roles of the *columns*; *unique* are columns with an index that makes each unique."""
    by_role: dict[str, str] = {}
    for role, patterns in NAMES.items():
        for pattern in patterns:
            for column in columns:
                if role not in by_role and column not in by_role.values() and re.fullmatch(pattern, snake(column)):
                    by_role[role] = column
    # better-auth keeps the hash in a column that is called `key`.
    if "hash" not in by_role and "key" in by_role:
        by_role["hash"] = by_role.pop("key")
    return KeyTable(name, by_role, frozenset(unique))


def count_keys(table: KeyTable, rows: Iterable[Sequence[Any]], now: float) -> Seen:
    """What the *rows* of `table.select()` show at the moment *now*, as numbers."""
    seen = Seen()
    roles = (*table.by_role, "orphan")
    for row in rows:
        values = dict(zip(roles, row, strict=False))
        seen.total += 1
        _count_form(seen, values)
        _count_life(seen, values, now)
    return seen


def _count_form(seen: Seen, values: dict[str, Any]) -> None:
    stored = _text(values.get("hash"))
    prefix = _text(values.get("prefix"))
    is_plain = bool(prefix) and len(prefix) >= 3 and stored.startswith(prefix)
    seen.count("weak", WEAK.fullmatch(stored))
    seen.count("slow", SLOW.match(stored))
    hashed = DIGEST.fullmatch(stored) or WEAK.fullmatch(stored) or SLOW.match(stored)
    binary = isinstance(values.get("hash"), bytes) and len(values["hash"]) >= 32
    seen.count("unhashed", stored and (is_plain or not (hashed or binary)))
    kept = _text(values.get("key"))
    seen.count("kept", kept and not (DIGEST.fullmatch(kept) or SLOW.match(kept)))
    for text in (stored if is_plain else "", kept):
        seen.count("readable", text and not DIGEST.fullmatch(text))
        # Base62, of which so many characters hold 190 bits; what stands before them is no chance.
        seen.count("short", text and len(text.rsplit("_", 1)[-1]) < SHORTEST_KEY)
    seen.count("no_prefix", not prefix)
    seen.count("unmarked", prefix and not MARKED.match(prefix))


def _count_life(seen: Seen, values: dict[str, Any], now: float) -> None:
    at = {role: (moment(values.get(role)) or (None,))[0] for role in ("expires", "created", "used", "revoked")}
    off = values.get("enabled") in (0, "0", "false", False)
    revoked = values.get("revoked") not in (None, "", 0)
    seen.count("used_after_revocation", at["revoked"] and at["used"] and at["used"] > at["revoked"])
    seen.count("revoked_but_enabled", revoked and "enabled" in values and not off)
    if off or revoked:
        return
    seen.live += 1
    expires, created, used = at["expires"], at["created"], at["used"]
    seen.count("endless", expires is None)
    seen.count("too_long", expires and expires - (created or now) > (LONGEST_DAYS + 1) * DAY)
    seen.count("expired_but_live", expires and expires < now)
    seen.count("unused", used and now - used > UNUSED_DAYS * DAY)
    seen.count("never_used", used is None and created and now - created > NEVER_USED_DAYS * DAY)
    scopes = _text(values.get("scopes")).strip()
    seen.count("unlimited", scopes in ("", "*", "all", "null") or '"*"' in scopes)
    seen.count("orphan", values.get("orphan"))
    _count_limits(seen, values)


def _count_limits(seen: Seen, values: dict[str, Any]) -> None:
    """What an allowance of calls says that cannot be meant."""
    remaining, refills = values.get("remaining"), [values.get(f"refill_{name}") for name in ("amount", "interval")]
    seen.count("overdrawn", isinstance(remaining, int) and remaining < 0)
    seen.count("half_refill", bool(refills[0]) != bool(refills[1]))
    on = values.get("limited") not in (None, 0, "0", "false", False)
    seen.count("empty_limit", on and not (values.get("limit") and values.get("window")))


def key_checks(table: KeyTable, seen: Seen) -> list[KeyCheck]:
    """The checks that can be told from what was seen."""
    return [check for look in (_stored, _named, _living, _limited) for check in look(table, seen)]


def _check(code: str, ok: bool, severity: Severity, good: str, bad: str) -> KeyCheck:
    return KeyCheck(code=code, ok=ok, severity=severity, message=good if ok else bad)


def _stored(table: KeyTable, seen: Seen) -> Iterator[KeyCheck]:
    if "hash" in table.by_role:
        yield _check(
            "stored_hashed",
            not seen["unhashed"],
            "error",
            "Every key is stored as a digest.",
            f"Keys that are not stored as a digest: {seen['unhashed']} of {seen.total}. Keep only the SHA-256 of each.",
        )
        poor = seen["weak"] + seen["slow"]
        yield _check(
            "hash_kind",
            not poor,
            "warning",
            "The digests are of a kind that fits random keys.",
            f"Digests shorter than 256 bits: {seen['weak']}; of a slow kind made for passwords: {seen['slow']}.",
        )
        yield _check(
            "hash_unique",
            table.by_role["hash"] in table.unique,
            "warning",
            "A unique index stands on the digest.",
            f"No unique index stands on `{table.by_role['hash']}`: each call scans, and two keys may be one.",
        )
    if "key" in table.by_role:
        yield _check(
            "shown_once",
            not seen["kept"],
            "error",
            "No readable key is kept beside its digest.",
            f"Keys that `{table.by_role['key']}` keeps readable: {seen['kept']}. Drop the column.",
        )

    if seen["readable"]:
        yield _check(
            "entropy",
            not seen["short"],
            "error",
            f"The keys that can be read have {SHORTEST_KEY} characters of chance or more.",
            f"Keys that can be read and have fewer than {SHORTEST_KEY} characters after their prefix: {seen['short']}.",
        )


def _named(table: KeyTable, seen: Seen) -> Iterator[KeyCheck]:
    has = "prefix" in table.by_role
    yield _check(
        "prefix_stored",
        has and not seen["no_prefix"],
        "warning",
        "Every key's first characters are stored, so that people can tell keys apart.",
        f"Keys without a stored prefix: {seen['no_prefix']}." if has else "There is no column for a key's prefix.",
    )
    if has and seen["no_prefix"] < seen.total:
        yield _check(
            "prefix_environment",
            not seen["unmarked"],
            "warning",
            "The prefixes name their environment.",
            f"Prefixes that do not name their environment, as `name_live_` does: {seen['unmarked']}.",
        )


def _living(table: KeyTable, seen: Seen) -> Iterator[KeyCheck]:
    has: Callable[[str], bool] = table.by_role.__contains__
    wrong = seen["endless"] + seen["too_long"]
    yield _check(
        "expiry_set",
        has("expires") and not wrong,
        "warning",
        f"Every live key ends within {LONGEST_DAYS} days.",
        f"Live keys that never expire: {seen['endless']}; that live longer than {LONGEST_DAYS} days: {seen['too_long']}."
        if has("expires")
        else "There is no column for a key's end.",
    )
    if has("expires"):
        yield _check(
            "expired_disabled",
            not seen["expired_but_live"],
            "warning",
            "No expired key is still enabled.",
            f"Keys that have expired and are still enabled: {seen['expired_but_live']}.",
        )
    yield _check(
        "last_used_kept",
        has("used") and not seen["unused"] and not seen["never_used"],
        "warning",
        "The last use is kept, and every live key is in use.",
        f"Live keys unused for {UNUSED_DAYS} days: {seen['unused']}; never used in {NEVER_USED_DAYS} days: {seen['never_used']}."
        if has("used")
        else "There is no column for a key's last use.",
    )
    yield _check(
        "revocation_kept",
        has("revoked") and not seen["used_after_revocation"] and not seen["revoked_but_enabled"],
        "error" if has("revoked") else "warning",
        "The moment of revocation is kept, and no revoked key was used after it.",
        f"Keys used after they were revoked: {seen['used_after_revocation']}; revoked and still enabled:"
        f" {seen['revoked_but_enabled']}."
        if has("revoked")
        else "There is no column for the moment of revocation.",
    )


def _limited(table: KeyTable, seen: Seen) -> Iterator[KeyCheck]:
    has = "scopes" in table.by_role
    yield _check(
        "scopes_limited",
        has and not seen["unlimited"],
        "warning",
        "Every live key is limited to scopes.",
        f"Live keys without limits: {seen['unlimited']}." if has else "There is no column for a key's scopes.",
    )
    owned = "owner" in table.by_role
    if table.parent is not None or not owned:
        yield _check(
            "owner_alive",
            owned and not seen["orphan"],
            "warning",
            "Every live key's owner exists.",
            f"Live keys whose owner no longer exists: {seen['orphan']}."
            if owned
            else "There is no column for a key's owner.",
        )
    if {"remaining", "refill_amount", "limited"} & set(table.by_role):
        wrong = seen["overdrawn"] + seen["half_refill"] + seen["empty_limit"]
        yield _check(
            "limits_sane",
            not wrong,
            "info",
            "The allowances of calls make sense.",
            f"Allowances below zero: {seen['overdrawn']}; refilled by an amount without an interval or the other way"
            f" round: {seen['half_refill']}; limits that are on and say nothing: {seen['empty_limit']}.",
        )


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return "" if value is None else str(value)
