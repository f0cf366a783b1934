"""Wrangler's login as its file tells it (wrangler 4.164); the file is only read, and no token of it is ever used."""

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from mcp_daan.tokens.finding import Found, found
from mcp_daan.tokens.moments import moment

# `renewable`: the access token has ended, and wrangler gets a new one with its next command.
Status = Literal["active", "renewable", "expired", "in_keyring", "unreadable"]
SOURCE = "wrangler login"
PROFILE = re.compile(r"[A-Za-z0-9_-]+")
# There is no `d1:read` among wrangler's scopes.
D1_SCOPE = "d1:write"
AGAIN = "Run `npx wrangler login` again."


@dataclass(frozen=True)
class Login:
    """Who is logged in: nothing of the tokens. `scopes` is None where the file does not say."""

    file: Path
    profile: str
    status: Status
    expires: float | None = None
    scopes: frozenset[str] | None = None


def read_login(environment: Mapping[str, str], folder: Path, now: float) -> Login | None:
    """The login that wrangler uses in *folder*; None where nobody is logged in."""
    home = _config_folder(environment)
    if home is None:
        return None
    profile = _profile(environment, home, folder)
    file = home / "config" / f"{profile}.toml"
    if _uses_keyring(environment, home) and file.with_suffix(".enc").is_file():
        return Login(file.with_suffix(".enc"), profile, "in_keyring")
    if not file.is_file():
        sealed = file.with_suffix(".enc")
        return Login(sealed, profile, "in_keyring") if sealed.is_file() else None
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # tomllib's own error and UnicodeDecodeError are ValueErrors
        return Login(file, profile, "unreadable")
    return _login(file, profile, values, now)


def _login(file: Path, profile: str, values: Mapping[str, Any], now: float) -> Login | None:
    held = [isinstance(values.get(name), str) and bool(values[name]) for name in ("oauth_token", "refresh_token")]
    scopes = values.get("scopes")
    named = frozenset(map(str, scopes)) if isinstance(scopes, list) else None
    if values.get("api_token") and not any(held):
        return Login(file, profile, "active", None, named)
    if not any(held):
        return None
    told = values.get("expiration_time")
    read = moment(told.isoformat() if isinstance(told, datetime) else told)
    # Wrangler takes a missing end for one that has passed.
    ends = read[0] if read is not None else None
    status: Status = "active" if held[0] and ends is not None and ends > now else "renewable" if held[1] else "expired"
    return Login(file, profile, status, ends, named)


def login_findings(login: Login) -> list[Found]:
    """What should be said of the login."""
    if login.status == "unreadable":
        return [found("wrangler_login_unreadable", "warning", "Wrangler's login could not be read.", AGAIN)]
    if login.status == "expired":
        message = "Wrangler's login has ended, and there is no refresh token to renew it with."
        return [found("wrangler_login_expired", "warning", message, AGAIN)]
    if login.scopes is not None and D1_SCOPE not in login.scopes:
        message = f"Wrangler's login lacks the scope `{D1_SCOPE}`, so its d1 commands with --remote fail."
        return [found("wrangler_scope_missing", "info", message, f"{AGAIN} It asks for every scope by default.")]
    return []


def _config_folder(environment: Mapping[str, str]) -> Path | None:
    """Wrangler's own folder: the old one in the home if it is there, else where the system keeps settings."""
    told = environment.get("HOME") or environment.get("USERPROFILE")
    if not told:
        return None
    home = Path(told)
    if (home / ".wrangler").is_dir():
        return home / ".wrangler"
    if environment.get("XDG_CONFIG_HOME"):
        return Path(environment["XDG_CONFIG_HOME"]) / ".wrangler"
    if sys.platform == "darwin":
        return home / "Library" / "Preferences" / ".wrangler"
    if sys.platform == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "xdg.config" / ".wrangler"
    return home / ".config" / ".wrangler"


def _profile(environment: Mapping[str, str], home: Path, folder: Path) -> str:
    """The name of the file: a profile by variable or by folder, else the environment's own."""
    named = environment.get("CLOUDFLARE_AUTH_PROFILE") or _bound(home, folder)
    if named and named != "default" and PROFILE.fullmatch(named):
        return named
    staging = "staging" in (environment.get("CLOUDFLARE_API_ENVIRONMENT"), environment.get("WRANGLER_API_ENVIRONMENT"))
    return "staging" if staging else "default"


def _bound(home: Path, folder: Path) -> str | None:
    """The profile that the folder, or the nearest one above it, is bound to."""
    bindings = _json(home / "profiles" / "directory-bindings.json")
    for each in (folder, *folder.parents):
        if isinstance(bindings.get(str(each)), str):
            return str(bindings[str(each)])
    return None


def _uses_keyring(environment: Mapping[str, str], home: Path) -> bool:
    said = environment.get("CLOUDFLARE_AUTH_USE_KEYRING", "").lower()
    return said == "true" if said else _json(home / "preferences.json").get("keyring_enabled") is True


def _json(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
