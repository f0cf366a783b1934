"""Make the demo workspace: documents that have drifted, an app, its D1 file, a git history."""

import base64
import os
import re
import secrets
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import apsw

from mcp_daan.demo.database import DATABASE_ID, make_database
from mcp_daan.demo.history import MAIN, make_repository
from mcp_daan.demo.kv import NAMESPACE_ID, OAUTH_NAMESPACE_ID, make_namespaces
from mcp_daan.demo.story import story
from mcp_daan.errors import Refused, Unavailable

MARKER = ".daan-demo"
MARK = "This folder was made by `mcp-daan demo`, which makes it anew each time: keep nothing of your own in it.\n"
APP = Path("apps", "auth-portal")
TEMPLATE = Path(__file__).parent / "template"
# What is made, and what `mcp-daan init` may have written: deleted before it is made again.
MADE = (".git", ".gitignore", "README.md", "apps", "daan.toml", "docs")
IDS = {"database_id": DATABASE_ID, "namespace_id": NAMESPACE_ID, "oauth_namespace_id": OAUTH_NAMESPACE_ID}
# In files that end in .in: {{day:12}} is the date twelve days ago.
PLACE = re.compile(r"\{\{(?P<name>\w+)(?::(?P<days>\d+))?\}\}")


def make_workspace(folder: Path, now: datetime) -> None:
    """Make the demo workspace in *folder*, or make the one that stands there anew; its times are relative to *now*.

    The same for everyone except the key, which is new each time, and the clock.
    Raises Refused when *folder* holds anything else, Unavailable when it cannot be written or git is absent.
    """
    now = now.replace(microsecond=0)
    _claim(folder)
    try:
        _clear(folder)
        files = _rendered(now)
        commits = story(files, now)
        for commit in commits:
            if commit.branch == MAIN:
                for path, contents in commit.files.items():
                    _write(folder / path, contents)
        key = secrets.token_bytes(32)
        _write_variables(folder / APP / ".dev.vars", key)
        make_database(folder / APP, now, key)
        make_namespaces(folder / APP, now)
        make_repository(folder, commits, now)
    except (OSError, apsw.Error):
        raise Unavailable(
            f"The demo workspace could not be written to `{folder.name}`.",
            advice="Make room and give yourself the right to write there, or name another folder with `--dir`.",
        ) from None


def _claim(folder: Path) -> None:
    """Make *folder* ours; the marker comes first, so that what is left half made is recognised too."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not _is_demo(folder):
            raise Refused(
                f"`{folder.name}` holds files that are not the demo's, so nothing was written to it.",
                advice="Name an empty or a new folder with `--dir`.",
            )
        _write(folder / MARKER, MARK.encode())
    except OSError:
        raise Refused(
            f"`{folder.name}` cannot be made a folder for the demo.",
            advice="Name a folder with `--dir` that you may write to.",
        ) from None


def _is_demo(folder: Path) -> bool:
    marker = folder / MARKER
    return marker.is_file() and not marker.is_symlink()


def _clear(folder: Path) -> None:
    for name in MADE:
        path = folder / name
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            _make_writable(path)
            shutil.rmtree(path)


def _make_writable(folder: Path) -> None:
    # Git's objects are read-only, which keeps Windows from deleting them.
    for where, _, files in os.walk(folder):
        Path(where).chmod(0o755)
        for file in files:
            path = Path(where, file)
            if not path.is_symlink():
                path.chmod(0o644)


def _rendered(now: datetime) -> dict[str, bytes]:
    """The template's files by their paths in the workspace, with `/`, their places filled in."""

    def filled(match: re.Match[str]) -> str:
        if match["days"]:
            return (now - timedelta(days=int(match["days"]))).date().isoformat()
        return IDS[match["name"]]

    files: dict[str, bytes] = {}
    for file in sorted(each for each in TEMPLATE.rglob("*") if each.is_file()):
        name = file.relative_to(TEMPLATE).as_posix()
        text = file.read_text(encoding="utf-8")
        if name.endswith(".in"):
            name, text = name.removesuffix(".in"), PLACE.sub(filled, text)
        files[".gitignore" if name == "gitignore" else name] = text.encode()
    return files


def _write(path: Path, contents: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents)


def _write_variables(path: Path, key: bytes) -> None:
    lines = (
        "# Only for this folder: the key is made anew with the demo, and git passes this file over.",
        f'TOKEN_ENCRYPTION_KEY="{base64.b64encode(key).decode()}"',
        'EXACT_TOKEN_URL="https://start.exactonline.example/api/oauth2/token"',
    )
    _write(path, "".join(f"{line}\n" for line in lines).encode())
    path.chmod(0o600)
