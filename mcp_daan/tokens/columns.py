"""Which column of the connections table holds what: declared in `[tokens] columns`, else recognised by name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcp_daan.errors import InvalidArguments

SEALED_ENDING = r"(?:_(?:enc|encrypted|enc_\w+|cipher|ciphertext|cipher_text|sealed|ct|data|value|blob))?"
SEALED_START = r"(?:(?:enc|encrypted|sealed)_)?"
VENDOR = r"(?:(?:exact|exact_online|eol|oauth|oauth2|provider)_)?"
TOKEN = {
    "access_token": rf"{SEALED_START}{VENDOR}access_?token{SEALED_ENDING}|at_(?:enc|encrypted|sealed)",
    "refresh_token": rf"{SEALED_START}{VENDOR}refresh_?token{SEALED_ENDING}|rt_(?:enc|encrypted|sealed)",
    "tokens": rf"{SEALED_START}{VENDOR}(?:tokens?|credentials?|token_?(?:set|json|data|bundle|pair)){SEALED_ENDING}",
}
AT = r"(?:_at|_on|_time|_ts|_timestamp|_date)?(?:_(?:ms|s|sec|seconds|unix|epoch|utc|iso))?"

# What each role is called in the wild, the surest name first; the whole name has to match.
NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "connection_id", "uuid", "connection_uuid"),
    "provider": ("provider", "provider_id", "provider_name", "provider_key", "service", "integration", "platform"),
    "status": ("status", "state", "connection_status", "connection_state"),
    "enabled": ("is_active", "active", "enabled", "is_enabled"),
    "ended_at": ("deleted_at", "disconnected_at", "revoked_at", "archived_at", "deactivated_at"),
    "access_token": (TOKEN["access_token"],),
    "access_token_iv": ("access_token_(?:enc_)?(?:iv|nonce)", "access_(?:iv|nonce)", "(?:iv|nonce)_access"),
    "access_token_tag": ("access_token_(?:enc_)?(?:auth_)?(?:tag|mac)", "access_(?:auth_)?tag"),
    "refresh_token": (TOKEN["refresh_token"],),
    "refresh_token_iv": ("refresh_token_(?:enc_)?(?:iv|nonce)", "refresh_(?:iv|nonce)", "(?:iv|nonce)_refresh"),
    "refresh_token_tag": ("refresh_token_(?:enc_)?(?:auth_)?(?:tag|mac)", "refresh_(?:auth_)?tag"),
    "tokens": (TOKEN["tokens"],),
    "tokens_iv": ("(?:tokens?|credentials?)_(?:iv|nonce)", "iv", "nonce"),
    "tokens_tag": ("(?:tokens?|credentials?)_(?:auth_)?tag", "tag", "auth_tag"),
    "expires_at": (
        rf"{VENDOR}access_token_(?:expires|expiry|expiration){AT}",
        f"access_(?:expires|expiry|expiration){AT}",
        f"token_(?:expires|expiry|expiration){AT}",
        f"(?:expires|expiry|expiration){AT}",
        "valid_until|credentials_expires_at",
    ),
    "expires_in": ("(?:access_)?(?:token_)?expires_in(?:_seconds)?", "expires_in_sec"),
    "refreshed_at": (
        rf"last_(?:successful_)?(?:token_)?refresh_(?:success|ok|succeeded){AT}",
        rf"last_successful_refresh{AT}",
        rf"last_(?:token_)?refreshed{AT}",
        rf"(?:tokens?_)?refreshed{AT}",
        rf"last_(?:token_)?refresh{AT}",
        rf"last_success(?:ful)?{AT}",
        rf"(?:access_)?tokens?_(?:updated|obtained|issued){AT}",
    ),
    "updated_at": (f"updated{AT}", f"modified{AT}", f"last_(?:updated|modified){AT}"),
    "created_at": (f"connected{AT}", f"created{AT}", f"authorized{AT}"),
    "refresh_expires_at": (rf"refresh_(?:token_)?(?:expires|expiry|expiration){AT}",),
    "last_error": (
        "(?:last_)?(?:refresh_|token_)?error(?:_(?:message|msg|text))?",
        "last_(?:refresh_)?failure(?:_(?:reason|message))?",
        "failure_(?:reason|message)",
    ),
    "error_code": ("(?:last_)?(?:refresh_|token_)?error_(?:code|type|kind|name)", "failure_code"),
    "error_detail": (
        "(?:last_)?(?:refresh_|token_)?error_(?:description|detail|details|reason|body)",
        "status_(?:detail|details|reason|message)",
    ),
    "error_status": (
        "(?:last_)?(?:refresh_|token_)?(?:error_)?(?:http_)?(?:status_code|error_status|http_status|http_code)",
    ),
    "error_at": (
        rf"last_(?:refresh_|token_)?(?:error|failure|failed){AT}",
        rf"(?:refresh_)?(?:error|failed|failure){AT}",
        rf"last_failed_refresh{AT}",
    ),
    "failures": (
        "(?:consecutive_|refresh_|failed_)*(?:failures?|fails|errors)(?:_count)?",
        "failed_(?:refreshes|refresh_count|attempts)",
        "(?:refresh_)?(?:error|failure|fail|retry)_count",
    ),
    "external_user": (
        "(?:exact|eol|exact_online)_user(?:_id|_guid)?",
        "(?:external|provider|remote|upstream)_user(?:_id)?",
        "(?:external|provider|remote|upstream)_account(?:_id)?",
        "(?:external|provider|remote|upstream)_(?:id|uid)",
    ),
    "client": ("(?:oauth_|exact_)?client_id", "(?:oauth_)?app_id"),
    "user": ("user_id", "owner_id", "account_id", "tenant_id", "organization_id", "org_id"),
    "last_used_at": (
        f"last_(?:used|use|api_call|api_use|request|called|call|synced|sync|activity|active){AT}",
        f"(?:used|synced){AT}",
    ),
}
LEFTOVERS = ("access_token_left", "refresh_token_left")
ROLES = (*NAMES, *LEFTOVERS)
# Other words for a role that people may use in `[tokens] columns`.
CALLED = {
    "access_token_expires_at": "expires_at",
    "refresh_token_expires_at": "refresh_expires_at",
    "external_user_id": "external_user",
    "exact_user_id": "external_user",
    "last_refreshed_at": "refreshed_at",
    "last_refresh_at": "refreshed_at",
    "last_error_at": "error_at",
    "refresh_failures": "failures",
    "client_id": "client",
    "user_id": "user",
    "last_error_code": "error_code",
}
# Text that people or providers wrote may be long; its beginning tells enough.
TEXT = {"status", "provider", "last_error", "error_code", "error_detail", "error_status"}
MOST_TEXT = 500
# The roles whose values an answer shows.
SHOWN = ("id", "provider")
SINGLE = {"access_token", "refresh_token", "tokens"}


@dataclass(frozen=True)
class Columns:
    """The columns of one table by role.

    `none` are roles that the settings declare to have no column; `hidden` those whose values draw on a secret, so that
    they are used and never shown.
    """

    table: str
    by_role: Mapping[str, str]
    none: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    def __contains__(self, role: str) -> bool:
        return role in self.by_role

    def name(self, role: str) -> str:
        """The column of *role*, for words about it; the role itself where there is none."""
        return self.by_role.get(role, role)

    @property
    def missing(self) -> list[str]:
        """The roles without which no connection can be judged."""
        lacking = [] if "tokens" in self else [role for role in ("access_token", "refresh_token") if role not in self]
        lacking = [role for role in lacking if role not in self.none]
        if "refreshed_at" not in self and "updated_at" not in self:
            lacking.append("refreshed_at")
        return lacking

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that have a column, in the order in which `select` reads them."""
        return tuple(self.by_role)

    def select(self, *, as_bytes: bool = False) -> str:
        """The statement that reads the columns of `roles`.

        *as_bytes* reads text as BLOB, for tables with text that is not UTF-8.
        """
        return f"SELECT {', '.join(self._expression(role, as_bytes) for role in self.roles)} FROM {quoted(self.table)}"

    def _expression(self, role: str, as_bytes: bool) -> str:
        value = quoted(self.by_role[role])
        if role in TEXT:
            value = f"substr({value}, 1, {MOST_TEXT})"
        return f"iif(typeof({value}) = 'text', CAST({value} AS BLOB), {value})" if as_bytes else value


def quoted(name: str) -> str:
    """*name* as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def recognise(table: str, present: Sequence[str], declared: Mapping[str, str | list[str]], key: str | None) -> Columns:
    """The roles of the columns *present*; what *declared* says goes before their names, *key* serves where no id is.

    Raises InvalidArguments for a declared role or column that does not exist.
    """
    chosen, none = _declared(table, present, declared)
    taken = set(chosen.values())
    by_name = {column: snake(column) for column in present if column not in taken}
    for role, patterns in NAMES.items():
        if role in chosen or role in none:
            continue
        found = [column for pattern in patterns for column, name in by_name.items() if re.fullmatch(pattern, name)]
        if not found:
            continue
        if role in SINGLE:
            # Beside a sealed column an older one may still hold tokens in plain.
            found.sort(key=lambda column: re.fullmatch(r"(?:access|refresh)_?tokens?", by_name[column]) is not None)
            if len(found) > 1 and f"{role}_left" in LEFTOVERS:
                chosen[f"{role}_left"] = found[1]
        chosen[role] = found[0]
        del by_name[found[0]]
    if "tokens" in chosen and ("access_token" in chosen or "refresh_token" in chosen):
        del chosen["tokens"]
    if key is not None:
        chosen.setdefault("id", key)
    return Columns(table, chosen, none)


def snake(name: str) -> str:
    """*name* in snake_case: `accessTokenEnc` and `access-token-enc` are `access_token_enc`."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[\s-]+", "_", split).lower()


def _declared(
    table: str, present: Sequence[str], declared: Mapping[str, str | list[str]]
) -> tuple[dict[str, str], frozenset[str]]:
    chosen: dict[str, str] = {}
    none = set()
    real = {column.lower(): column for column in present}
    for said, columns in declared.items():
        role = CALLED.get(said, said)
        if role not in NAMES:
            raise InvalidArguments(
                f"daan.toml: `tokens.columns` has no role `{said}`.", advice=f"The roles are: {', '.join(NAMES)}."
            )
        names = [columns] if isinstance(columns, str) else columns
        if names in ([], [""]):
            none.add(role)
            continue
        # A value that is kept in several columns: sealed bytes, nonce, tag.
        roles = [role, f"{role}_iv", f"{role}_tag"]
        if len(names) > (3 if role in SINGLE else 1):
            raise InvalidArguments(
                f"daan.toml: `tokens.columns.{said}` names too many columns.",
                advice="Name one column; for a token up to three: the sealed bytes, the nonce, the tag.",
            )
        for each, name in zip(roles, names, strict=False):
            if name.lower() not in real:
                raise InvalidArguments(
                    f"daan.toml: `tokens.columns.{said}` names `{name}`, which `{table}` has not.",
                    advice=f"The columns of `{table}` are: {', '.join(present)}.",
                )
            chosen[each] = real[name.lower()]
    return chosen, frozenset(none)
