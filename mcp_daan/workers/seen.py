"""One app as the rules see it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from mcp_daan.cached import cached_property
from mcp_daan.workers.configuration.known import Known, package_of, read_json
from mcp_daan.workers.configuration.places import Places, json_places
from mcp_daan.workers.configuration.reading import Configuration, mapping, relative
from mcp_daan.wrangler import Kind

CODE = (".ts", ".js", ".mts", ".mjs", ".cts", ".cjs", ".tsx", ".jsx", ".astro", ".py", ".rs")
# A source file that people write; what is larger was made by a tool.
FILE_BYTES = 2**20
FILES = 2000
PASSED_OVER = frozenset({"node_modules", "dist", "build", ".git", ".wrangler", ".astro", "test", "tests"})
# A string, so that what looks like a comment in it stays, else a comment.
_COMMENT = re.compile(
    r"""("(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'|`(?:[^`\\]|\\.)*+`)|//[^\n]*+|/\*.*?(?:\*/|\Z)|<!--.*?(?:-->|\Z)""",
    re.S,
)


@dataclass(frozen=True)
class Manifest:
    """A package.json and where its keys stand."""

    values: Mapping[str, Any]
    shown: str
    places: Places

    @property
    def scripts(self) -> Mapping[str, str]:
        """The commands by their names."""
        return {key: value for key, value in mapping(self.values.get("scripts")).items() if isinstance(value, str)}

    def wanted(self, package: str) -> str | None:
        """The range of versions of *package* that the app asks for."""
        for group in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"):
            value = mapping(self.values.get(group)).get(package)
            if isinstance(value, str):
                return value
        return None

    def line(self, package: str) -> int | None:
        """Where the app asks for *package*."""
        for group in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"):
            if package in mapping(self.values.get(group)):
                return self.places.line((group, package))
        return None


@dataclass(frozen=True)
class Seen:
    """One app: its configuration, what the wrangler knows that it would use, the day."""

    config: Configuration
    kind: Kind
    known: Known
    root: Path
    today: date
    redirected: Configuration | None = None
    _texts: dict[Path, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The app's name."""
        return self.config.config.name

    @cached_property
    def manifest(self) -> Manifest | None:
        """The app's package.json; None where there is none that can be read."""
        return manifest_in(self.config.folder, self.root)

    @cached_property
    def workspace_manifest(self) -> Manifest | None:
        """The workspace's own package.json, which may hold what all apps share."""
        return manifest_in(self.root, self.root) if self.root != self.config.folder else None

    def wanted(self, package: str) -> str | None:
        """The range of versions of *package* that the app, else the workspace, asks for."""
        for manifest in (self.manifest, self.workspace_manifest):
            if manifest is not None and (range_ := manifest.wanted(package)):
                return range_
        return None

    def version(self, package: str) -> tuple[int, ...] | None:
        """The version of *package*: the installed one, else the least that the app asks for; None where unknown."""
        about = package_of(package, self.config.folder, self.root)
        return numbers(str(about["version"])) if about and "version" in about else numbers(self.wanted(package) or "")

    def code(self, path: Path) -> str:
        """The code in *path* without comments, its lines kept; empty where it cannot be read or leads out."""
        if path not in self._texts:
            self._texts[path] = _code(path, self.root)
        return self._texts[path]

    @cached_property
    def sources(self) -> list[Path]:
        """The app's own source files, a bounded number of them."""
        return list(_sources(self.config.folder))

    def inside(self, path: str | Path) -> Path | None:
        """The place that *path* of the configuration means; None where it leads out of the workspace, or is no path."""
        return within(Path(self.config.folder, path), self.root)

    def shown(self, path: Path) -> str:
        """*path* as the team writes it."""
        return relative(path, self.root)


def manifest_in(folder: Path, root: Path) -> Manifest | None:
    """The package.json in *folder*."""
    path = folder / "package.json"
    values = read_json(path, root) if path.is_file() else None
    if values is None:
        return None
    return Manifest(values, relative(path, root), json_places(path.read_text(encoding="utf-8", errors="replace")))


def within(place: Path, root: Path) -> Path | None:
    """*place* without links; None where it leads out of *root*, or where no file can have such a name."""
    try:
        resolved = place.resolve()
        resolved.exists()
    except (OSError, ValueError):
        return None
    return resolved if resolved.is_relative_to(root.resolve()) else None


def numbers(version: str) -> tuple[int, ...] | None:
    """The numbers of the first version in a range such as ^14.3.0; None where there are none."""
    match = re.search(r"(?<![\w.])v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?", version)
    return tuple(int(each or 0) for each in match.groups()) if match else None


def line_of(text: str, at: int) -> int:
    """The line of the character *at*."""
    return text.count("\n", 0, at) + 1


def _code(path: Path, root: Path) -> str:
    try:
        if not path.resolve().is_relative_to(root.resolve()) or path.stat().st_size > FILE_BYTES:
            return ""
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return ""
    return _COMMENT.sub(lambda match: match[1] or "\n" * match[0].count("\n"), text)


def _sources(folder: Path) -> Iterator[Path]:
    left = FILES
    waiting = [folder]
    while waiting and left:
        try:
            children = sorted(waiting.pop().iterdir())
        except OSError:
            continue
        for child in children:
            if child.is_symlink():
                continue
            # An app below has sources of its own.
            if child.is_dir() and child.name not in PASSED_OVER and not any(child.glob("wrangler.*")):
                waiting.append(child)
            elif child.suffix in CODE and child.is_file() and left:
                left -= 1
                yield child
