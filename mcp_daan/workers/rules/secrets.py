"""Secrets that stand in a configuration, told by the names and forms of values; no value is ever shown."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mcp_daan.scrub import shaped
from mcp_daan.secret_names import secret_name
from mcp_daan.workers.configuration.places import Path as Keys
from mcp_daan.workers.configuration.reading import mapping
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.seen import Seen

# A shorter value is a setting such as `bearer` or `HS256`.
SHORTEST = 8
PLACEHOLDER = 200
# What a secret's own settings are called: TOKEN_TTL, SESSION_COOKIE_NAME, JWT_ISSUER.
_SETTINGS = frozenset(
    "ttl name names seconds minutes hours days algorithm alg prefix suffix header headers length size issuer iss audience"
    " aud enabled disabled mode path domain domains samesite version endpoint uri expiry expiration lifetime age max min"
    " limit format kind method methods scope scopes provider field column table binding namespace kid region location"
    " host origin store rounds iterations rotation refresh strategy file policy leeway skew window".split()
)
_OPEN = re.compile(
    r"(?i)(?:^|_)(?:public|publishable|publieke?)(?:_|$)|^(?:vite|next_public)_"
    r"|(?:^|_)(?:git|commit|build|release|content|asset)_?(?:sha_?)?hash"
)
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
# What people write where a secret is to be filled in elsewhere.
_STANDS_FOR = re.compile(
    r"(?i:<.*>|\$\{.*\}|x{4,}|\*{3,}|\.{3,}|…|set (?:via|with|in|by)\b.*|use wrangler secret.*"
    r"|(?:place-?holder|overrid\w*|replace[-_ ]?me|change[-_ ]?me|to-?do|your[-_ ].*|dummy.*|fake.*|example.*|insert[-_ ].*)\W*)"
    # A name in capitals, such as SET_AT_DEPLOYMENT.
    r"|[A-Z]+(?:_[A-Z]+)+"
)
_COMMON = re.compile(
    r"(?i)(?:pass(?:word|wd)?|secret|postgres|mysql|root|admin|user|test|example|changeme|your[-_]?\w*)\d*"
)
_PASSWORD = re.compile(r"^[a-z][\w+.-]*://[^/\s:@]*:(?P<password>[^/\s@]+)@(?P<host>[^/:?\s]+)", re.I)
_HERE = frozenset({"localhost", "127.0.0.1", "[::1]", "host.docker.internal", "db", "postgres", "mysql"})
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def secret_findings(seen: Seen) -> Iterator[Finding]:
    """Each value that is a secret, by its place."""
    config = seen.config
    for keys, value in _texts(config.values, ()):
        why = _why(keys, value)
        if why is None:
            continue
        variable = _variable(keys)
        called = name(variable or str(keys[-1]))
        fix = (
            f"Remove it, renew the secret at its issuer, and run `wrangler secret put {variable}"
            f"{_in(keys)}`; for local development put it in `.dev.vars`, which git must not hold."
            if variable
            else "Remove it, renew it at its issuer, and give it to the Worker with `wrangler secret put`; for local"
            " development use `.dev.vars`."
        )
        yield found(
            "secret_in_config",
            config.shown,
            f"{called} {why}, and its value stands in the file: everyone who can read the repository, its history or"
            " the dashboard has it.",
            fix,
            line=config.line(*keys),
        )


def _why(keys: Keys, value: str) -> str | None:
    """Why *value* is a secret; None where it is none."""
    if _stands_for(value):
        return None
    if shaped(value) or _PEM.search(value):
        return "has the form of a credential"
    password = _PASSWORD.match(value)
    if password and password["host"].lower() not in _HERE and not _made_up(password["password"]):
        return "holds an address with a password"
    variable = _variable(keys)
    if variable and _secret(str(keys[-1])) and _long(value):
        return "is named as a secret"
    return None


def _stands_for(value: str) -> bool:
    """Whether *value* is a placeholder; what is longer than a line is none."""
    return len(value) < PLACEHOLDER and _STANDS_FOR.fullmatch(value.strip()) is not None


def _made_up(password: str) -> bool:
    """Whether *password* is the one of an example."""
    return _stands_for(password) or _COMMON.fullmatch(password) is not None


def given_elsewhere(called: str, value: Any) -> bool:
    """Whether the variable *called* gets what it holds from somewhere else: it is a secret, or a placeholder."""
    return _secret(called) or (isinstance(value, str) and _stands_for(value))


def _secret(called: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(called)]
    return secret_name(called) and not _OPEN.search(called) and bool(words) and words[-1] not in _SETTINGS


def _long(value: str) -> bool:
    """Whether *value* may be a secret: no number, no address, no word of everyday."""
    plain = value.strip()
    return (
        len(plain) >= SHORTEST
        and not re.fullmatch(r"[\d.,:]+\s*\w{0,8}|https?://\S+|true|false", plain, re.I)
        and not re.search(r"\s", plain)
    )


def _variable(keys: Keys) -> str | None:
    """The variable that *keys* belong to; None where they stand outside `vars`."""
    inner = keys[2:] if keys[:1] == ("env",) else keys
    return str(inner[1]) if len(inner) > 1 and inner[0] == "vars" else None


def _in(keys: Keys) -> str:
    return f" --env {keys[1]}" if keys[:1] == ("env",) else ""


def _texts(value: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
    """Every text in *value* with its place."""
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, Mapping):
        for key, each in mapping(value).items():
            yield from _texts(each, (*keys, key))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _texts(each, (*keys, at))
