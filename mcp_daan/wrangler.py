"""Wrangler's configuration files: where they are, what they bind. Facts of wrangler 4.164."""

import json
import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mcp_daan.errors import InvalidArguments

DEV_VARS = ".dev.vars"
# Where several stand side by side wrangler reads the first and says nothing of the others.
NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")
# A string, or what JSONC adds to JSON: comments, and commas before a closing bracket.
# Possessive, for a ruler of slashes has more readings than can be tried; a comment without an end runs to the last line.
_JSONC = re.compile(
    r'("(?:[^"\\\n]|\\.)*+")|//[^\n]*+|/\*.*?(?:\*/|\Z)|,(?=(?:\s++|//[^\n]*+|(?>/\*.*?\*/))*+[\]}])', re.S
)

# A configuration is a few kilobytes; what a build tool writes, a few more.
MOST_BYTES = 2**20
_VARIABLE = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^#\n]*)", re.M
)


Kind = Literal["worker", "pages", "astro"]


@dataclass(frozen=True)
class D1Binding:
    """One entry of `d1_databases`.

    `local_id` is what wrangler names the local file by; `environment` is None at the top level;
    `migrations_pattern` is relative to `migrations_dir`, and leads out of it where wrangler refuses it.
    """

    binding: str
    name: str
    database_id: str | None
    local_id: str
    migrations_dir: str
    migrations_table: str
    migrations_pattern: str
    environment: str | None


@dataclass(frozen=True)
class WranglerConfig:
    """One configuration file and what it says."""

    path: Path
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The Worker's name, else its folder's."""
        name = self.values.get("name")
        return name if isinstance(name, str) and name else self.path.parent.name

    @property
    def kind(self) -> Kind:
        """`astro`, `pages` or `worker`."""
        folder = self.path.parent
        if any((folder / f"astro.config.{ending}").is_file() for ending in ("mjs", "js", "ts", "mts", "cjs")):
            return "astro"
        return "pages" if "pages_build_output_dir" in self.values else "worker"

    def d1_bindings(self) -> Iterator[D1Binding]:
        """The D1 bindings of the file, those of `env.*` after the top level's."""
        for environment, entry in self.bound("d1_databases"):
            yield self._d1_binding(entry, environment)

    def bound(self, kind: str) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
        """The entries of *kind* that have a `binding`, with their environment: the top level's (None), then `env.*`."""
        environments = self.values.get("env")
        scopes: list[tuple[str | None, Any]] = [(None, self.values)]
        if isinstance(environments, Mapping):
            scopes += list(environments.items())
        for environment, scope in scopes:
            entries = scope.get(kind) if isinstance(scope, Mapping) else None
            for entry in entries if isinstance(entries, list) else []:
                if isinstance(entry, Mapping) and isinstance(entry.get("binding"), str):
                    yield environment, entry

    def _d1_binding(self, entry: Mapping[str, Any], environment: str | None) -> D1Binding:
        binding = entry["binding"]
        database_id = _text(entry, "database_id")
        folder = _text(entry, "migrations_dir") or "migrations"
        return D1Binding(
            binding=binding,
            name=_text(entry, "database_name") or f"{self.name}-{binding}".lower().replace("_", "-"),
            database_id=database_id,
            local_id=_text(entry, "preview_database_id") or database_id or binding,
            migrations_dir=folder,
            migrations_table=_text(entry, "migrations_table") or "d1_migrations",
            migrations_pattern=_below(folder, _text(entry, "migrations_pattern")),
            environment=environment,
        )


class Unreadable(InvalidArguments):
    """A configuration that cannot be read: where it is, and the line at which it breaks where that is known."""

    def __init__(self, path: Path, line: int | None = None, why: str = "") -> None:
        at = f" at line {line}" if line else ""
        super().__init__(
            f"{path.name} in {path.parent.name}/ could not be read{at}{why}.",
            advice=f"Mend {path.name}; wrangler cannot read it either.",
        )
        self.path = path
        self.line = line


def read_config(path: Path) -> WranglerConfig:
    """The configuration in *path*: TOML, JSON, or JSON with comments and trailing commas.

    Raises Unreadable that names the file and the place where it breaks.
    """
    return parse_config(path, read_config_text(path))


def read_config_text(path: Path) -> str:
    """What *path* holds; Unreadable where that is no text, or more than a configuration is."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise Unreadable(path, why=f": it is larger than {MOST_BYTES} bytes")
        return content.decode("utf-8-sig")
    except (UnicodeDecodeError, OSError):
        raise Unreadable(path) from None


def parse_config(path: Path, text: str) -> WranglerConfig:
    """The configuration that *text*, the content of *path*, is; Unreadable where it breaks."""
    try:
        values = tomllib.loads(text) if path.suffix == ".toml" else json.loads(strip_comments(text))
    except json.JSONDecodeError as error:
        raise Unreadable(path, error.lineno) from None
    except tomllib.TOMLDecodeError as error:
        # The parser's own text may quote the file; only its position is taken over.
        place = re.search(r"\(at line (\d+), column \d+\)$", str(error))
        raise Unreadable(path, int(place[1]) if place else text.rstrip().count("\n") + 1) from None
    except (RecursionError, ValueError):
        raise Unreadable(path, why=": it is nested too deep, or holds a number that is too long") from None
    if not isinstance(values, dict):
        raise Unreadable(path, why=": it is not an object")
    return WranglerConfig(path, values)


def dev_vars(folder: Path) -> dict[str, str]:
    """The variables of the app's `.dev.vars` as wrangler reads them; empty where there is none or it is unreadable."""
    try:
        return variables_in(folder / DEV_VARS)
    except (OSError, UnicodeDecodeError):
        return {}


def variables_in(file: Path) -> dict[str, str]:
    """The same of *file*; OSError or UnicodeDecodeError where it cannot be read."""
    text = file.read_text(encoding="utf-8-sig")
    return {match["name"]: match["value"].strip().strip("\"'`") for match in _VARIABLE.finditer(text)}


def strip_comments(text: str) -> str:
    """*text* without JSONC's comments and trailing commas; its line numbers stay."""

    def keep(match: re.Match[str]) -> str:
        return match.group(1) or "\n" * match.group().count("\n")

    return _JSONC.sub(keep, text)


def _text(entry: Mapping[str, Any], key: str) -> str | None:
    value = entry.get(key)
    return value if isinstance(value, str) and value else None


def _below(folder: str, pattern: str | None) -> str:
    if pattern is None:
        return "*.sql"
    return posixpath.relpath(pattern.replace("\\", "/"), folder.replace("\\", "/"))
