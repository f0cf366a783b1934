"""One configuration file with the places of its keys, and its scopes: the top level and each environment."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_daan.cached import cached_property
from mcp_daan.scrub import shaped
from mcp_daan.secret_names import secret_name
from mcp_daan.workers.configuration.places import Path as Keys
from mcp_daan.workers.configuration.places import Places, json_places, toml_places
from mcp_daan.wrangler import Unreadable, WranglerConfig, parse_config, read_config_text, strip_comments

DEEPEST = 100
DEEP = f": it is nested more than {DEEPEST} levels deep"


@dataclass(frozen=True)
class Scope:
    """The top level, or one environment: what it says itself, and what it takes over from the top level."""

    environment: str | None
    own: Mapping[str, Any]
    top: Mapping[str, Any]
    not_inherited: frozenset[str]

    @property
    def prefix(self) -> Keys:
        """Where the scope stands in the file."""
        return () if self.environment is None else ("env", self.environment)

    @property
    def words(self) -> str:
        """The scope as a message names it."""
        return "the top level" if self.environment is None else f"`env.{self.environment}`"

    def get(self, key: str) -> Any:
        """What holds in this scope for *key*."""
        if key in self.own or key in self.not_inherited:
            return self.own.get(key)
        return self.top.get(key)

    def keys_of(self, *path: str | int) -> Keys:
        """Where what holds for *path* stands in the file."""
        return (*(self.prefix if path and path[0] in self.own else ()), *path)


@dataclass(frozen=True)
class Configuration:
    """A file that wrangler reads: `path` on disk, `shown` as the team writes it."""

    config: WranglerConfig
    shown: str
    places: Places
    not_inherited: frozenset[str]

    @property
    def path(self) -> Path:
        """The file."""
        return self.config.path

    @property
    def folder(self) -> Path:
        """Where the paths in the file start."""
        return self.config.path.parent

    @property
    def values(self) -> Mapping[str, Any]:
        """What the file says."""
        return self.config.values

    @property
    def is_toml(self) -> bool:
        """Whether it is TOML rather than JSON."""
        return self.path.suffix == ".toml"

    @cached_property
    def scopes(self) -> list[Scope]:
        """The top level, then each environment."""
        top = Scope(None, self.values, self.values, self.not_inherited)
        return [top] + [
            Scope(each, own, self.values, self.not_inherited)
            for each, own in mapping(self.values.get("env")).items()
            if isinstance(own, Mapping)
        ]

    @property
    def deployed(self) -> Scope:
        """The scope that customers use: the production environment, else the top level."""
        named = {scope.environment: scope for scope in self.scopes if scope.environment}
        return next((named[each] for each in ("production", "prod", "live") if each in named), self.scopes[0])

    def line(self, *keys: str | int) -> int | None:
        """The line of *keys*, or of what is nearest above."""
        return self.places.line(keys)

    def written(self, scope: Scope, key: str, value: Any) -> str:
        """*key* with *value* in *scope* as this file would say it, without what may be secret."""
        plain = without_secrets(value)
        if not self.is_toml:
            where = f"In {scope.words} of {self.path.name}" if scope.prefix else f"In {self.path.name}"
            return f'{where} write: "{key}": {json.dumps(plain, ensure_ascii=False)}'
        above = "" if scope.prefix or isinstance(plain, Mapping | list) else ", above the first table,"
        return f"In {self.path.name}{above} write:\n{_toml((*map(str, scope.prefix), key), plain)}"


def read(path: Path, root: Path, not_inherited: frozenset[str]) -> Configuration:
    """The configuration in *path*; Unreadable where it breaks, or where a link leads out of *root*."""
    if not path.resolve().is_relative_to(root.resolve()):
        raise Unreadable(path, why=": it is a link that leads out of the workspace")
    text = read_config_text(path)
    config = parse_config(path, text)
    try:
        places = toml_places(text) if path.suffix == ".toml" else json_places(strip_comments(text))
    except RecursionError:
        raise Unreadable(path, why=DEEP) from None
    if any(len(keys) > DEEPEST for keys in places.lines):
        raise Unreadable(path, why=DEEP)
    return Configuration(config, relative(path, root), places, not_inherited)


def relative(path: Path, root: Path) -> str:
    """*path* as the team writes it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def mapping(value: Any) -> Mapping[str, Any]:
    """*value* where it is a table, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def entries(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The tables of the list *value* with their places in it."""
    for at, each in enumerate(value if isinstance(value, list) else []):
        if isinstance(each, Mapping):
            yield at, each


def texts(value: Any) -> list[str]:
    """The texts of the list *value*."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def text(value: Any, key: str) -> str | None:
    """The text that *value* holds under *key*; None where it is absent, empty or none."""
    held = mapping(value).get(key)
    return held if isinstance(held, str) and held else None


def without_secrets(value: Any) -> Any:
    """*value* with `…` for what its name or its form says is a secret."""
    if isinstance(value, Mapping):
        return {
            key: "…" if secret_name(key) or key == "localConnectionString" else without_secrets(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(each) for each in value]
    return "…" if isinstance(value, str) and shaped(value) else value


def _toml(path: tuple[str, ...], value: Any) -> str:
    """*value* under *path* in TOML."""
    header = ".".join(path)
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        return "\n".join(f"[[{header}]]\n{_pairs(each)}" for each in value)
    if isinstance(value, Mapping):
        return f"[{header}]\n{_pairs(value)}"
    table = f"[{'.'.join(path[:-1])}]\n" if path[:-1] else ""
    return f"{table}{path[-1]} = {_inline(value)}"


def _pairs(table: Mapping[str, Any]) -> str:
    return "\n".join(f"{key} = {_inline(value)}" for key, value in table.items())


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_inline(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)
