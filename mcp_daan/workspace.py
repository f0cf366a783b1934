"""Where things are: the root, the apps with their wrangler configurations, git, the user's own folders."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from mcp_daan.cached import cached_property
from mcp_daan.config import FILE
from mcp_daan.errors import InvalidArguments, NotFound
from mcp_daan.wrangler import NAMES, WranglerConfig, read_config

# Folders that hold no configuration of the team's own.
PASSED_OVER = {"node_modules", ".git", ".wrangler", ".venv", "venv", "dist", "build", "__pycache__", ".astro", ".demo"}
DEPTH = 5


@dataclass(frozen=True)
class Workspace:
    """The folder that a team works in."""

    root: Path

    @cached_property
    def apps(self) -> list[WranglerConfig]:
        """Every readable wrangler configuration, one a folder, sorted by path."""
        return [read for read in self._read if isinstance(read, WranglerConfig)]

    @cached_property
    def unreadable(self) -> list[InvalidArguments]:
        """What keeps the other configurations from being read."""
        return [read for read in self._read if isinstance(read, InvalidArguments)]

    @cached_property
    def _read(self) -> list[WranglerConfig | InvalidArguments]:
        found: list[WranglerConfig | InvalidArguments] = []
        for path in self.configurations:
            try:
                found.append(read_config(path))
            except InvalidArguments as error:
                found.append(error)
        return found

    @cached_property
    def configurations(self) -> list[Path]:
        """The file that wrangler reads in each folder that has one, sorted by path."""
        named = (
            (folder, [name for name in NAMES if name in files]) for folder, files in _listed(str(self.root), DEPTH)
        )
        found = sorted((Path(folder), names[0]) for folder, names in named if names)
        return [folder / name for folder, name in found]

    def relative(self, path: Path) -> str:
        """*path* as the team writes it: relative to the root with `/`, else whole."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()


def folders(root: Path, depth: int = DEPTH) -> Iterator[Path]:
    """*root* and the folders below it that may hold an app, *depth* levels down; links are not followed."""
    return (Path(folder) for folder, _ in _listed(str(root), depth))


def _listed(folder: str, depth: int) -> Iterator[tuple[str, set[str]]]:
    """The same, each with the names of its files. Every call walks here, so no path is made and no file is asked."""
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except OSError:  # a folder that may not be listed holds nothing that we could read
        entries = []
    yield folder, {entry.name for entry in entries if entry.is_file()}
    if depth:
        for entry in entries:
            if entry.name not in PASSED_OVER and entry.is_dir(follow_symlinks=False):
                yield from _listed(entry.path, depth - 1)


def find_workspace(named: str | None = None, environment: Mapping[str, str] = os.environ) -> Workspace:
    """The workspace: *named*, else `DAAN_WORKSPACE`, else the nearest folder upward that holds `daan.toml`,
    else the git root, else the working folder.

    Raises NotFound when the named folder does not exist.
    """
    chosen = named or environment.get("DAAN_WORKSPACE") or ""
    if chosen and not chosen.startswith("${"):
        root = Path(chosen).expanduser()
        if not root.is_dir():
            raise NotFound("The workspace folder does not exist.", advice="Check `--workspace` or DAAN_WORKSPACE.")
        return Workspace(root.resolve())
    here = Path.cwd().resolve()
    upward = [here, *here.parents]
    for marker in (FILE, ".git"):
        for folder in upward:
            if (folder / marker).exists():
                return Workspace(folder)
    return Workspace(here)


def cache_folder() -> Path:
    """Where indexes are kept; they may be deleted at any time."""
    return platformdirs.user_cache_path("mcp-daan", appauthor=False)


def data_folder() -> Path:
    """Where what a person wrote outside any workspace is kept."""
    return platformdirs.user_data_path("mcp-daan", appauthor=False)
