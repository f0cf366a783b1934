"""Wrangler's keys and their types: of the wrangler that the workspace has, else the list that we carry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# Written by `python -m tests.workers.generate`: facts only, no prose of wrangler's.
CARRIED = Path(__file__).parent / "wrangler-keys.json"
# Ten times what wrangler's own takes.
MOST_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Known:
    """What wrangler of one version knows; `installed` says that the workspace has it."""

    version: str
    schema: Mapping[str, Any]
    not_inherited: frozenset[str]
    node: str
    installed: bool


@cache
def carried() -> Known:
    """The list that ships with the server."""
    listed = json.loads(CARRIED.read_text(encoding="utf-8"))
    return Known(listed["wrangler"], listed["schema"], frozenset(listed["notInherited"]), listed["node"], False)


def known_to(folder: Path, root: Path) -> tuple[Known, Path | None]:
    """What the wrangler knows that *folder* would use, and the schema beside it that could not be read, if any.

    `node_modules` is looked for from *folder* up to *root*; what a link leads to outside *root* is not read.
    """
    for above in (folder, *folder.parents):
        package = above / "node_modules" / "wrangler"
        if package.is_dir():
            found = _installed(package, root)
            return (found, None) if found else (carried(), package / "config-schema.json")
        if above == root:
            break
    return carried(), None


def package_of(name: str, folder: Path, root: Path) -> Mapping[str, Any] | None:
    """The package.json of the installed package *name* that *folder* would use; None where there is none."""
    for above in (folder, *folder.parents):
        package = above / "node_modules" / name / "package.json"
        if package.is_file():
            return read_json(package, root)
        if above == root:
            break
    return None


def read_json(path: Path, root: Path) -> Mapping[str, Any] | None:
    """The object in *path*; None where it is none, too large, or leads out of *root*."""
    try:
        if not path.resolve().is_relative_to(root.resolve()) or path.stat().st_size > MOST_BYTES:
            return None
        read = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _installed(package: Path, root: Path) -> Known | None:
    schema = read_json(package / "config-schema.json", root)
    about = read_json(package / "package.json", root)
    if schema is None or about is None or not isinstance(schema.get("definitions"), dict):
        return None
    engines = about.get("engines")
    node = engines.get("node") if isinstance(engines, dict) else None
    version = about.get("version")
    ours = carried()
    return Known(
        version=version if isinstance(version, str) and len(version) < 40 else "?",
        schema=schema,
        not_inherited=ours.not_inherited,
        node=node if isinstance(node, str) else "",
        installed=True,
    )
