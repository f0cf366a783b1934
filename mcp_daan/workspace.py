"""Where things are: the root, the apps with their wrangler configurations, git, the user's own folders."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mcp_daan.cached import cached_property
from mcp_daan.config import FILE
from mcp_daan.errors import InvalidArguments, NotFound
from mcp_daan.remembered import Remembered, is_file
from mcp_daan.wrangler import NAMES, WranglerConfig, read_config

# Folders that hold no configuration of the team's own.
PASSED_OVER = {"node_modules", ".git", ".wrangler", ".venv", "venv", "dist", "build", "__pycache__", ".astro", ".demo"}
DEPTH = 5


@dataclass(frozen=True)
class Workspace:
    """The folder that a team works in."""

    root: Path
    remembered: Remembered = field(default_factory=Remembered, compare=False, repr=False)

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
        for listing in self._holding:
            read = (self.remembered.file(file, _config) for file in listing.configurations)
            try:
                config = next(filter(None, read), None)
                found += [] if config is None else [config]
            except InvalidArguments as error:
                found.append(error)
        return found

    @cached_property
    def _holding(self) -> list["_Listing"]:
        found = [each for each in _listings(str(self.root), DEPTH, self.remembered) if each.configurations]
        return sorted(found, key=lambda listing: listing.parts)

    @cached_property
    def configurations(self) -> list[Path]:
        """The file that wrangler reads in each folder that has one, sorted by path."""
        first = (next(filter(is_file, listing.configurations), None) for listing in self._holding)
        return [Path(file) for file in first if file is not None]

    def relative(self, path: Path) -> str:
        """*path* as the team writes it: relative to the root with `/`, else whole."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()


def folders(root: Path, depth: int = DEPTH) -> Iterator[Path]:
    """*root* and the folders below it that may hold an app, *depth* levels down; links are not followed."""
    return (Path(listing.path) for listing in _listings(str(root), depth, Remembered()))


class _Listing(NamedTuple):
    """Of a folder: where it is, what may be configurations (first what wrangler reads first), the folders in it,
    and the parts of its own path where there are configurations to sort."""

    path: str
    configurations: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def _listings(root: str, depth: int, remembered: Remembered) -> list[_Listing]:
    """The listing of *root* and of the folders below it. Every call walks here, so each costs no more than a look."""
    found: list[_Listing] = []
    level = [root]
    for _ in range(depth + 1):
        below: list[str] = []
        for folder in level:
            try:
                listing = remembered.folder(folder, _listed)
            except OSError:  # a folder that may not be listed holds nothing that we could read
                listing = _Listing(folder)
            if listing is not None:
                found.append(listing)
                below += listing.folders
        level = below
    return found


def _listed(folder: str) -> _Listing:
    with os.scandir(folder) as listing:
        entries = list(listing)
    paths = {entry.name: entry.path for entry in entries}
    folders = [entry.path for entry in entries if entry.name not in PASSED_OVER and entry.is_dir(follow_symlinks=False)]
    configurations = tuple(paths[name] for name in NAMES if name in paths)
    return _Listing(folder, configurations, tuple(folders), Path(folder).parts if configurations else ())


def _config(path: str) -> WranglerConfig:
    return read_config(Path(path))


def find_workspace(
    named: str | None = None, environment: Mapping[str, str] = os.environ, remembered: Remembered | None = None
) -> Workspace:
    """The workspace: *named*, else `DAAN_WORKSPACE`, else the nearest folder upward that holds `daan.toml`,
    else the git root, else the working folder.

    Raises NotFound when the named folder does not exist.
    """
    remembered = remembered or Remembered()
    chosen = named or environment.get("DAAN_WORKSPACE") or ""
    if chosen and not chosen.startswith("${"):
        root = remembered.resolved(str(Path(chosen).expanduser()) if chosen.startswith("~") else chosen)
        if root is None:
            raise NotFound("The workspace folder does not exist.", advice="Check `--workspace` or DAAN_WORKSPACE.")
        return Workspace(root, remembered)
    here = Path.cwd().resolve()
    upward = [here, *here.parents]
    for marker in (FILE, ".git"):
        for folder in upward:
            if (folder / marker).exists():
                return Workspace(folder, remembered)
    return Workspace(here, remembered)


def cache_folder() -> Path:
    """Where indexes are kept; they may be deleted at any time."""
    import platformdirs  # few calls keep anything outside the workspace

    return platformdirs.user_cache_path("mcp-daan", appauthor=False)


def data_folder() -> Path:
    """Where what a person wrote outside any workspace is kept."""
    import platformdirs

    return platformdirs.user_data_path("mcp-daan", appauthor=False)
