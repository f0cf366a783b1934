"""Cloudflare's API token: whether it lives, how long, and what it may do, told by harmless reads."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mcp_daan.errors import DaanError, RejectedCredentials, SourceError, TooLarge
from mcp_daan.tokens.finding import Found, found
from mcp_daan.tokens.loop import DAY
from mcp_daan.tokens.moments import moment

if TYPE_CHECKING:
    from mcp_daan.cloudflare import Cloudflare

Kind = Literal["user", "account", "oauth", "global", "unknown"]
# `unverified`: nobody could be asked; `rejected`: everybody who may know it was asked, and nobody does.
Status = Literal["active", "disabled", "expired", "not_yet_valid", "rejected", "unverified"]
SOURCE = "CLOUDFLARE_API_TOKEN"
PREFIXES: dict[str, Kind] = {"cfut_": "user", "cfat_": "account", "cfoat_": "oauth", "cfk_": "global"}
OLD_GLOBAL = re.compile(r"[0-9a-f]{37}")
# What each permission opens; a list is the least that tells.
PROBES = {
    "d1": ("d1", "database"),
    "kv": ("storage", "kv", "namespaces"),
    "workers": ("workers", "scripts"),
}
WRITES = re.compile(r"\b(?:write|edit|admin|revoke)\b", re.I)
SOON_DAYS = 7
SECONDS = 6.0
RECOMMENDED = (
    "Use an account token with `D1 Read`, `Workers KV Storage Read` and `Workers Scripts Read` alone, with an end date."
)


@dataclass
class ApiToken:
    """What is known of the token: nothing of its value. None in `reads` and `can_write` means that nobody told."""

    kind: Kind
    status: Status = "unverified"
    expires: float | None = None
    endless: bool = False
    can_write: bool | None = None
    reads: dict[str, bool | None] = field(default_factory=lambda: dict.fromkeys(PROBES))
    # Why nobody could be asked.
    problem: DaanError | None = None


def kind_of(token: str) -> Kind:
    """The kind of token, where its form tells."""
    if OLD_GLOBAL.fullmatch(token):
        return "global"
    return next((kind for prefix, kind in PREFIXES.items() if token.startswith(prefix)), "unknown")


def examine(cloudflare: "Cloudflare", kind: Kind, now: float) -> ApiToken:
    """What Cloudflare tells of the token; it is sent to Cloudflare alone, and nothing is written."""
    if kind == "global":
        return ApiToken(kind, "rejected")
    token = ApiToken(kind)
    known = _verified(cloudflare, token)
    if token.problem is None and cloudflare.account_id is not None:
        token.reads = {name: _may(cloudflare, parts, token) for name, parts in PROBES.items()}
    if token.status in ("rejected", "unverified") and any(token.reads.values()):
        # Neither endpoint may know it, and yet it opens something.
        token.status = "active"
    if known is not None:
        said = known.get("status")
        token.status = said if said in ("active", "disabled", "expired") else token.status
        token.expires, begins = (_seconds(known.get(name)) for name in ("expires_on", "not_before"))
        token.endless = known.get("expires_on") is None
        if token.expires is not None and token.expires <= now:
            token.status = "expired"
        elif begins is not None and begins > now:
            token.status = "not_yet_valid"
        token.can_write = _can_write(cloudflare, token, known.get("id"))
    return token


def _verified(cloudflare: "Cloudflare", token: ApiToken) -> Mapping[str, Any] | None:
    """What an endpoint that knows the token says of it. An account's token is unknown to the user's, and vice versa."""
    account = None if cloudflare.account_id is None else cloudflare.account("tokens", "verify")
    endpoints = {"user": "/user/tokens/verify", "account": account}
    order = ["account", "user"] if token.kind == "account" else ["user", "account"]
    if token.kind == "oauth":
        # Verified by neither; whom it belongs to is told to nobody else.
        endpoints, order = {"oauth": "/accounts"}, ["oauth"]
    for name in order:
        if (where := endpoints[name]) is None:
            continue
        try:
            answer = cloudflare.get(where, seconds=SECONDS).result
        except SourceError as error:
            if isinstance(error, RejectedCredentials):
                continue
            token.problem = error
            return None
        except DaanError:  # a path or an account that it does not know
            continue
        if name == "oauth":
            token.status = "active"
            return None
        if isinstance(answer, dict):
            token.kind = "account" if name == "account" else "user"
            return answer
    # Without an account only half of those who may know it were asked.
    asked_all = token.kind in ("oauth", "user") or account is not None
    token.status = "rejected" if asked_all else "unverified"
    return None


def _may(cloudflare: "Cloudflare", parts: tuple[str, ...], token: ApiToken) -> bool | None:
    if token.problem is not None:
        return None
    try:
        cloudflare.get(cloudflare.account(*parts), {"per_page": 10}, seconds=SECONDS)
    except RejectedCredentials:
        return False
    except TooLarge:
        return True
    except SourceError as error:
        token.problem = error
        return None
    except DaanError:
        return None
    return True


def _can_write(cloudflare: "Cloudflare", token: ApiToken, identity: object) -> bool | None:
    """Whether any of the token's own permissions writes; None where it may not read them, which is usual."""
    if not isinstance(identity, str) or not re.fullmatch(r"[0-9a-f]{32}", identity) or token.problem is not None:
        return None
    where = f"/user/tokens/{identity}" if token.kind == "user" else cloudflare.account("tokens", identity)
    try:
        described = cloudflare.get(where, seconds=SECONDS).result
    except DaanError:
        return None
    policies = described.get("policies") if isinstance(described, dict) else None
    if not isinstance(policies, list):
        return None
    return any(WRITES.search(name) for policy in policies for name in _granted(policy))


def _granted(policy: object) -> Iterator[str]:
    if isinstance(policy, dict) and policy.get("effect") == "allow":
        groups = policy.get("permission_groups")
        for group in groups if isinstance(groups, list) else []:
            if isinstance(group, dict) and isinstance(group.get("name"), str):
                yield group["name"]


def token_findings(token: ApiToken, now: float) -> Iterator[Found]:
    """What should be said of the token."""
    if token.kind == "global":
        yield found(
            "cloudflare_global_key",
            "error",
            f"{SOURCE} holds the Global API Key, which may do everything in the account, and is no API token.",
            RECOMMENDED,
        )
        return
    if token.status in DEAD:
        code, message = DEAD[token.status]
        yield found(code, "error", f"{SOURCE} {message}.", f"Make a new one at dash.cloudflare.com. {RECOMMENDED}")
    elif token.problem is not None:
        yield found("cloudflare_unreachable", "warning", f"{SOURCE}: {token.problem.message}", token.problem.advice)
    elif token.status == "unverified":
        yield found(
            "cloudflare_token_unverified",
            "warning",
            f"{SOURCE} could not be verified: it may be an account's own, and no account is set.",
            "Set CLOUDFLARE_ACCOUNT_ID, or `account_id` under `[cloudflare]` in daan.toml.",
        )
    if token.status == "active":
        yield from _of_a_living(token, now)


def _of_a_living(token: ApiToken, now: float) -> Iterator[Found]:
    if token.expires is not None and token.expires - now < SOON_DAYS * DAY:
        yield found(
            "cloudflare_token_expiring",
            "warning",
            f"{SOURCE} ends within {SOON_DAYS} days.",
            "Roll it at dash.cloudflare.com before it ends.",
        )
    if token.endless:
        yield found("cloudflare_token_endless", "info", f"{SOURCE} never ends.", RECOMMENDED)
    if token.can_write:
        yield found(
            "cloudflare_token_writes", "warning", f"{SOURCE} may write; reading is all it is used for.", RECOMMENDED
        )
    refused = [name for name, may in token.reads.items() if may is False]
    if refused:
        called = {"d1": "D1", "kv": "Workers KV", "workers": "Workers Scripts"}
        yield found(
            "cloudflare_token_narrow",
            "warning" if "d1" in refused else "info",
            f"{SOURCE} may not read: {', '.join(called[name] for name in refused)}.",
            f"Check CLOUDFLARE_ACCOUNT_ID. {RECOMMENDED}",
        )


DEAD: dict[str, tuple[str, str]] = {
    "rejected": ("cloudflare_token_rejected", "is known to neither the user's nor the account's endpoint"),
    "expired": ("cloudflare_token_expired", "has expired"),
    "disabled": ("cloudflare_token_disabled", "was disabled"),
    "not_yet_valid": ("cloudflare_token_not_yet_valid", "is not valid yet"),
}


def _seconds(told: object) -> float | None:
    read = moment(told) if isinstance(told, str) else None
    return None if read is None else read[0]
