"""Which KV namespaces the workspace names, and where wrangler keeps each (facts of wrangler 4.164, miniflare 5)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from mcp_daan.local_state import object_files, state_folders
from mcp_daan.workspace import Workspace

KIND = "kv"
UNIQUE_KEY = "miniflare-KVNamespaceObject"
# An id as Cloudflare gives them.
ID = re.compile(r"[0-9a-f]{32}")
# Where a remote one is meant although a local one has the name.
REMOTE = "remote:"


@dataclass(frozen=True)
class Namespace:
    """A KV namespace: a file where wrangler keeps it (it may not exist yet), or one of the account by its id.

    `local_id` is what wrangler names the file by; `environment` is None at the top level of a configuration.
    """

    name: str
    location: Literal["local", "remote"]
    id: str | None
    local_id: str | None = None
    path: Path | None = None
    binding: str | None = None
    app: str | None = None
    environment: str | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a local file."""
        return self.path is not None and self.path.is_file()

    @property
    def called(self) -> str:
        """The name that finds it and no other."""
        return f"{REMOTE if self.location == 'remote' else ''}{self.name}"

    @property
    def uri(self) -> str:
        """How an answer names it among its artifacts."""
        return f"kv://{quote(self.called, safe=':@')}"


def find_namespaces(workspace: Workspace, persist: Sequence[str]) -> list[Namespace]:
    """Every local namespace that a wrangler configuration binds, then those that only a state folder holds.

    Where two have one binding's name, the later is called `name@environment` or `name@app`.
    """
    found: list[Namespace] = []
    states: dict[Path, None] = {}
    for app in workspace.apps:
        folders = state_folders(workspace.root, persist, app.path.parent)
        states |= dict.fromkeys(folders)
        where = workspace.relative(app.path.parent)
        for environment, entry in app.bound("kv_namespaces"):
            found += _bound(entry, environment, where, folders)
    known = {namespace.path for namespace in found}
    found += [namespace for namespace in _left(states) if namespace.path not in known]
    return _distinct(found)


def choose(namespaces: Sequence[Namespace], name: str) -> Namespace | None:
    """The first of *namespaces* that is called *name*: by its name, its binding, or an id of it; None otherwise."""
    for field in ("name", "binding", "id", "local_id"):
        if found := next((each for each in namespaces if getattr(each, field) == name), None):
            return found
    return None


def remote_of(namespaces: Sequence[Namespace], name: str) -> Namespace | None:
    """The account's namespace that *name* means, as far as the configurations tell: by binding or by id."""
    bound = choose(namespaces, name)
    if bound is not None and bound.id is not None and ID.fullmatch(bound.id):
        return replace(bound, location="remote", path=None, local_id=None)
    return Namespace(name, "remote", name) if ID.fullmatch(name) else None


def _bound(entry: Mapping[str, Any], environment: str | None, app: str, states: Sequence[Path]) -> Iterator[Namespace]:
    binding = entry["binding"]
    named = (entry.get(key) for key in ("preview_id", "id"))
    local_id = next((value for value in named if isinstance(value, str) and value), binding)
    remote_id = entry.get("id")
    for path in object_files(states, KIND, UNIQUE_KEY, local_id):
        yield Namespace(
            name=binding,
            location="local",
            id=remote_id if isinstance(remote_id, str) and remote_id else None,
            local_id=local_id,
            path=path,
            binding=binding,
            app=app,
            environment=environment,
        )


def _left(states: Mapping[Path, None]) -> Iterator[Namespace]:
    """The namespaces with values that lie in *states*, by their ids."""
    for state in states:
        for folder in (state / KIND, state / "v3" / KIND):
            for held in sorted(folder.iterdir()) if folder.is_dir() else ():
                for path in object_files([state], KIND, UNIQUE_KEY, held.name) if held.name != UNIQUE_KEY else ():
                    if path.is_file():
                        yield Namespace(held.name, "local", None, held.name, path)


def _distinct(found: Sequence[Namespace]) -> list[Namespace]:
    """The namespaces under names of their own, in the order given; one file under one name once."""
    kept: list[Namespace] = []
    for namespace in found:
        if any((each.binding, each.path) == (namespace.binding, namespace.path) for each in kept):
            continue
        names = {each.name for each in kept}
        if namespace.name in names:
            folder = (namespace.app or "").rsplit("/", 1)[-1]
            marks = [namespace.environment, folder, namespace.app, *map(str, range(2, len(found) + 2))]
            tried = (f"{namespace.name}@{mark}" for mark in marks if mark)
            namespace = replace(namespace, name=next(name for name in tried if name not in names))
        kept.append(namespace)
    return kept
