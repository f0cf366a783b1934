"""Where the documents are, which there are, and which paths may be read."""

import difflib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from mcp_daan import config
from mcp_daan.errors import NotFound, Refused, Unavailable
from mcp_daan.remembered import Remembered
from mcp_daan.workspace import Workspace, data_folder

SUFFIXES = (".md", ".mdx")
SCHEME = "knowledge://"
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class KnowledgeBase:
    """A folder of documents: the workspace's, the user's own copy, or the embedded one."""

    root: Path
    component: str
    origin: Literal["workspace", "user", "embedded"]
    workspace: Workspace

    @property
    def folder(self) -> Path:
        """The component's folder."""
        return self.root / self.component

    def resolve(self, path: str) -> Path:
        """The document that *path* names, as `relative` or as `artifact` writes it.

        Raises Refused for a path that climbs out, is hidden or passes a link, NotFound with near names otherwise.
        """
        parts = _parts(path)
        for candidate in self._readings(parts):
            if os.path.lexists(self.root.joinpath(*candidate)):
                return self._checked(candidate)
        raise self._unknown("/".join(parts))

    def relative(self, path: Path) -> str:
        """*path* as `data` shows it: `backend/DATABASE.md`."""
        return path.relative_to(self.root).as_posix()

    def artifact(self, path: Path) -> str:
        """*path* relative to the workspace, or a `knowledge://` URI outside it."""
        if path.is_relative_to(self.workspace.root):
            return self.workspace.relative(path)
        return SCHEME + self.relative(path)

    def files(self) -> list[Path]:
        """Every document below the root, sorted by path; what has no UTF-8 name cannot be asked for."""
        found = (Path(path) for path in documents(self.root, self.workspace.remembered) if _utf8(path))
        return sorted(found, key=self.relative)

    def writable(self) -> "KnowledgeBase":
        """This base; for the embedded one, the user's copy of it, made if absent.

        Raises Unavailable when the user's data folder cannot be written.
        """
        if self.origin != "embedded":
            return self
        target = data_folder() / "knowledge"
        if not target.is_dir():
            self._copy_to(target)
        return KnowledgeBase(target, self.component, "user", self.workspace)

    def _readings(self, parts: list[str]) -> Iterator[list[str]]:
        yield parts
        prefix = self.artifact(self.root).split("/") if self.root.is_relative_to(self.workspace.root) else []
        if prefix and parts[: len(prefix)] == prefix and len(parts) > len(prefix):
            yield parts[len(prefix) :]

    def _checked(self, parts: list[str]) -> Path:
        here = self.root.joinpath(*parts)
        # Whatever turns the path aside, at its end or on the way, makes the real one differ.
        straight = os.path.join(os.path.realpath(self.root), *parts)  # noqa: PTH118 - compared as text
        if os.path.normcase(os.path.realpath(here)) != os.path.normcase(straight):
            raise _refused("passes through a link")
        if not stat.S_ISREG(here.lstat().st_mode) or here.suffix.lower() not in SUFFIXES:
            raise self._unknown("/".join(parts))
        return here

    def _unknown(self, path: str) -> NotFound:
        names = [self.relative(file) for file in self.files()]
        near = near_names(path, names)
        advice = f"Near it: {', '.join(near)}." if near else "Call `knowledge_read` without `path` for all documents."
        return NotFound(f"There is no document `{_shown(path)}`.", advice=advice, data={"candidates": near})

    def _copy_to(self, target: Path) -> None:
        # Made beside its place and moved there whole, so that nobody ever sees half a copy.
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=".knowledge-", dir=target.parent))
            try:
                for file in self.files():
                    copy = made / file.relative_to(self.root)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    # Contents only: an installed package may be read-only, the copy must not be.
                    shutil.copyfile(file, copy)
                made.chmod(0o755)
                made.rename(target)
            finally:
                shutil.rmtree(made, ignore_errors=True)
        except OSError:
            if not target.is_dir():  # else another process was first, and its copy is as good
                raise Unavailable(
                    "The embedded knowledge base could not be copied to your data folder.",
                    advice="Make the data folder writable, or make `docs/knowledge` in the workspace.",
                ) from None


def open_knowledge(workspace: Workspace, settings: config.Knowledge) -> KnowledgeBase:
    """The workspace's documents, else the user's own copy, else the embedded ones.

    Raises NotFound when the installation lacks the embedded ones too.
    """
    own = Path(os.path.normpath(workspace.root / Path(settings.path).expanduser()))
    if own.is_dir():
        return KnowledgeBase(own, settings.component, "workspace", workspace)
    copied = data_folder() / "knowledge"
    if copied.is_dir():
        return KnowledgeBase(copied, settings.component, "user", workspace)
    for shipped in (_PACKAGE / "embedded", _PACKAGE.parent / "knowledge"):
        if shipped.is_dir():
            return KnowledgeBase(shipped, settings.component, "embedded", workspace)
    raise NotFound("There is no knowledge base.", advice=f"Make the folder {settings.path}, or install mcp-daan again.")


def documents(root: Path, remembered: Remembered) -> Iterator[str]:
    """The paths of the *.md and *.mdx files below *root*; links are not followed, hidden names are passed over."""
    waiting = [os.fspath(root)]
    while waiting:
        try:
            listing = remembered.folder(waiting.pop(), _listed)
        except OSError:  # it may not be listed: it holds nothing that we could read
            continue
        if listing is not None:
            yield from listing.documents
            waiting += listing.folders


class _Listing(NamedTuple):
    """The paths of what is in a folder."""

    documents: tuple[str, ...]
    folders: tuple[str, ...]


def _listed(folder: str) -> _Listing:
    files, folders = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.name.lower().endswith(SUFFIXES) and entry.is_file(follow_symlinks=False):
                files.append(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
    return _Listing(tuple(files), tuple(folders))


def near_names(wanted: str, names: list[str], count: int = 5) -> list[str]:
    """The *names* most like *wanted*: those that end in it, hold it, or are spelled like it."""
    low = wanted.lower()[:200]
    last = low.rsplit("/", 1)[-1]
    inside = [name for name in names if last and (last in name.lower() or name.lower() in low)]
    # Comparing spellings is quadratic; a few thousand names are enough to pick from.
    spelled = difflib.get_close_matches(low, [name.lower() for name in names[:3000]], count, 0.6)
    by_low = {name.lower(): name for name in names}
    return list(dict.fromkeys([*inside, *(by_low[name] for name in spelled)]))[:count]


def _parts(path: str) -> list[str]:
    text = path.removeprefix(SCHEME).replace("\\", "/")
    if re.match(r"/|[A-Za-z]:|~", text):
        raise _refused("is not relative")
    if any(not each.isprintable() for each in text):
        raise _refused("holds characters that no document's name has")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _refused("climbs out of the knowledge folder")
    if any(part.startswith(".") for part in parts):
        raise _refused("is hidden")
    if not parts or any(len(part.encode()) > 255 for part in parts) or len(text) > 1024:
        raise _refused("is not a document's name")
    return parts


def _refused(why: str) -> Refused:
    return Refused(
        f"`path` {why}.", advice="Name a document below the knowledge folder, such as `backend/DATABASE.md`."
    )


def _shown(path: str) -> str:
    return path if len(path) <= 120 else f"{path[:120]}…"


def _utf8(name: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in name)
