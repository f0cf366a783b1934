"""Settings, read once: `daan.toml`, and the environment over it.

A key `[section] name` is overridden by the variable `DAAN_SECTION_NAME`.
Secrets come from the environment or a named file, never from `daan.toml`.
"""

import os
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mcp_daan.errors import InvalidArguments
from mcp_daan.variables import OWN_VARIABLES, UNFILLED, filled

FILE = "daan.toml"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_unfilled(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        unfilled = {key for key, value in values.items() if isinstance(value, str) and value.startswith(UNFILLED)}
        return {key: value for key, value in values.items() if key not in unfilled & set(cls.model_fields)}


class Knowledge(_Section):
    """Where the documents are."""

    path: str = "docs/knowledge"
    component: str = "backend"
    sync: Literal["none", "git"] = "none"
    semantic: Literal["auto", "off"] = "auto"
    stale_days: int = Field(180, ge=1)
    stale_scraped_days: int = Field(90, ge=1)
    scrape_origins: list[str] = ["https://developers.cloudflare.com", "https://docs.astro.build"]


class Git(_Section):
    """What is looked for on the branches."""

    grep: str = r"worker\|D1\|OAuth\|migration\|auth"


class RemoteOrFile(_Section):
    """`[d1.databases.NAME]`: a local file, or a remote database's id."""

    path: str | None = None
    id: str | None = None
    account_id: str | None = None


class D1(_Section):
    """Which databases there are, and which of their columns are secret."""

    persist: list[str] = []
    databases: dict[str, RemoteOrFile] = {}
    secret_columns: list[str] = []


class Tokens(_Section):
    """Where tokens are kept, and how they are sealed where that cannot be told from the values."""

    table: str | None = None
    columns: dict[str, str | list[str]] = {}
    key_file: str | None = None
    format: str | None = None
    key_encoding: Literal["hex", "base64", "utf8"] | None = None
    kdf: dict[str, Any] | str | None = None
    aad: str | None = None
    period_seconds: int = Field(300, ge=1)


class OAuth(_Section):
    """The portal, and a client of it that may be named when it is probed."""

    url: str | None = None
    client_id: str | None = None
    redirect_uri: str | None = None


class Cloudflare(_Section):
    """The account."""

    account_id: str | None = None


class Limits(_Section):
    """What a call may cost."""

    statement_seconds: float = Field(5, gt=0, le=60)
    max_answer_bytes: int = Field(65536, ge=8192)
    connect_seconds: float = Field(5, gt=0)
    request_seconds: float = Field(35, gt=0)


class Http(_Section):
    """Who may call over HTTP, from where, how much."""

    auth: Literal["none", "tokens", "oauth", "both"] | None = None
    public_url: str | None = None
    allowed_hosts: list[str] = []
    allowed_origins: list[str] = []
    token_file: str | None = None
    issuer: str | None = None
    audience: str | None = None
    jwks_url: str | None = None
    introspection_url: str | None = None
    client_id: str | None = None
    max_request_bytes: int = Field(1_048_576, ge=1024)
    requests_per_minute: int = Field(30_000, ge=1)
    burst: int = Field(1000, ge=1)
    concurrency: int = Field(64, ge=1)
    streams: int = Field(256, ge=1)
    stop_seconds: int = Field(10, ge=1)


class Audit(_Section):
    """Where a line for each call goes."""

    file: str | None = None
    max_bytes: int = Field(10_485_760, ge=4096)
    keep: int = Field(5, ge=1)


class Settings(_Section):
    """Everything that can be set; the defaults serve a workspace without `daan.toml`."""

    knowledge: Knowledge = Knowledge()
    git: Git = Git()
    d1: D1 = D1()
    tokens: Tokens = Tokens()
    oauth: OAuth = OAuth()
    cloudflare: Cloudflare = Cloudflare()
    limits: Limits = Limits()
    http: Http = Http()
    audit: Audit = Audit()


def read_settings(root: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the workspace at *root*.

    Raises InvalidArguments that names the file's unknown key, wrong value or broken line, or the variable.
    """
    file = root / FILE
    return settings_in(environment, str(file)) if file.is_file() else settings_of(environment, {})


def settings_in(environment: Mapping[str, str], file: str) -> Settings:
    """The settings that the file at *file* makes, under *environment*; InvalidArguments as `read_settings`."""
    try:
        values = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        place = _toml_place(error)
        raise InvalidArguments(
            f"{FILE} is not valid TOML{place}.", advice=f"Mend {FILE}{place}; `mcp-daan doctor` checks it."
        ) from None
    except (OSError, UnicodeDecodeError):
        raise InvalidArguments(
            f"{FILE} could not be read as UTF-8 text.", advice=f"Check the file's rights and encoding: {FILE}."
        ) from None
    return settings_of(environment, values)


def settings_of(environment: Mapping[str, str], values: dict[str, Any]) -> Settings:
    """The settings that *values* make, under *environment*; InvalidArguments as `read_settings`."""
    for name, value in filled(environment).items():
        if name.startswith("DAAN_") and name not in OWN_VARIABLES:
            _override(values, name, value)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        key = ".".join(map(str, first["loc"]))
        what = "is not a known setting" if first["type"] == "extra_forbidden" else f"is wrong: {first['msg']}"
        raise InvalidArguments(
            f"{FILE} (or a DAAN_ variable): `{key}` {what}.",
            advice=f"Mend `{key}` in {FILE}; docs/configuration.md lists every setting.",
        ) from None


def now(environment: Mapping[str, str] = os.environ) -> datetime:
    """The moment by which health and age are judged, in UTC; `DAAN_NOW` (ISO) fixes it.

    Raises InvalidArguments for a `DAAN_NOW` that is not a date.
    """
    fixed = environment.get("DAAN_NOW")
    if not fixed or fixed.startswith(UNFILLED):
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(fixed)
    except ValueError:
        raise InvalidArguments(
            "DAAN_NOW is not an ISO date.", advice="Write it like 2026-11-22T12:00:00Z, or unset it."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _override(values: dict[str, Any], name: str, text: str) -> None:
    section, _, key = name.removeprefix("DAAN_").lower().partition("_")
    kinds: Any = Settings.model_fields[section].annotation if section in Settings.model_fields else None
    field = kinds.model_fields.get(key) if kinds is not None else None
    if field is None:
        raise InvalidArguments(
            f"The variable {name} is not a known setting.",
            advice="Unset it; docs/configuration.md lists every setting.",
        )
    chosen: Any = text
    if field.annotation in (int, float):
        try:
            chosen = field.annotation(text)
        except ValueError:
            raise InvalidArguments(
                f"The variable {name} is not a number.", advice=f"Set {name} to a number, or unset it."
            ) from None
    elif field.annotation == list[str]:
        chosen = [part.strip() for part in text.split(",") if part.strip()]
    values.setdefault(section, {})[key] = chosen


def _toml_place(error: tomllib.TOMLDecodeError) -> str:
    # The parser's own text may quote the file; only its position is taken over.
    _, found, place = str(error).rpartition("(at ")
    return f" (at {place.rstrip(')')})" if found else ""
