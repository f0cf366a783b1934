"""Add this server to a client's configuration, and take it out again."""

import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcp_daan.app import App
from mcp_daan.errors import DaanError, InternalError, InvalidArguments, NotFound, Unavailable
from mcp_daan.setup.members import put, take_out, values_of
from mcp_daan.variables import SWITCH_VARIABLES

NAME = "daan"
READ_ONLY, *NAMING = (f"--{name.removeprefix('DAAN_').lower().replace('_', '-')}" for name in SWITCH_VARIABLES)


@dataclass(frozen=True)
class Client:
    """One client: where its file is, what it calls its servers, and how it hears of a change."""

    title: str
    section: str
    typed: bool
    restart: str


CLIENTS = {
    "claude-desktop": Client(
        "Claude Desktop", "mcpServers", False, "Quit Claude Desktop wholly, not only its window, and open it again."
    ),
    "claude-code": Client(
        "Claude Code", "mcpServers", True, "Start `claude` in the workspace again and approve the server when it asks."
    ),
    "cursor": Client("Cursor", "mcpServers", False, "Open Cursor's settings, MCP, and switch the server on."),
    "vscode": Client("VS Code", "servers", True, "Run `MCP: List Servers` in VS Code and start the server."),
}


def run(app: App, client: str, *, remove: bool = False, show: bool = False) -> int:
    """Change the file and say so; 1 when it could not be changed."""
    try:
        if show:
            sys.stderr.write(f"For {place(client, app.workspace.root)}:\n")
            sys.stdout.write(json.dumps(shown(client, app.workspace.root), indent=2, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(change(client, app.workspace.root, remove=remove))
    except DaanError as error:
        sys.stderr.write(app.redact(f"{error.message}\n{error.advice}\n"))
        return 1
    finally:
        app.close()
    return 0


def change(client: str, root: Path, *, remove: bool = False) -> str:
    """Add the entry for the workspace at *root* to the client's file, or take it out; what was done, in words.

    Raises InvalidArguments when the file is not valid JSON, Unavailable when it cannot be written; it then stays as
    it was.
    """
    file, known = _followed(place(client, root)), CLIENTS[client]
    written = _read(file)
    # A byte order mark and the line ends of Windows are kept.
    mark, ends = "\ufeff" * written.startswith("\ufeff"), "\r\n" if "\r\n" in written else "\n"
    before = written.removeprefix(mark).replace("\r\n", "\n")
    values = values_of(before, str(file))
    servers = values.get(known.section)
    named = servers if isinstance(servers, dict) else {}
    if remove and NAME not in named:
        raise NotFound(f"{file} has no server `{NAME}`.", advice="There is nothing to take out.")
    wanted = None if remove else _renewed(named.get(NAME), entry(client, root))
    after = take_out(before, known.section, NAME) if wanted is None else put(before, known.section, NAME, wanted)
    _check(values, values_of(after, str(file)), known.section, wanted)
    if after == before:
        return f"{file} names this server already; nothing was changed.\n"
    mode = _writable(file)
    backup = _kept(file)
    _replace(file, mark + after.replace("\n", ends), mode)
    did = f"Took `{NAME}` out of" if remove else f"Added `{NAME}` to"
    lines = [f"{did} {file}"]
    lines += [f"The file as it was: {backup}"] if backup else []
    lines += [f"Next: {known.restart}"]
    if not remove:
        lines += ["No secret was written: keys come from .dev.vars, `[tokens] key_file` or the environment."]
    return "\n".join(lines) + "\n"


def shown(client: str, root: Path) -> dict[str, Any]:
    """What the file needs to hold for the workspace at *root*, without what else stands in it."""
    return {CLIENTS[client].section: {NAME: entry(client, root)}}


def entry(client: str, root: Path) -> dict[str, Any]:
    """How *client* starts this server for the workspace at *root*: absolute paths, and nothing secret."""
    command, *arguments = program()
    typed = {"type": "stdio"} if CLIENTS[client].typed else {}
    folder = str(root.resolve())
    try:
        folder.encode()
    except UnicodeEncodeError:
        raise InvalidArguments(
            "The workspace's path is not UTF-8 text, which no client's file can hold.", advice="Rename the folder."
        ) from None
    return {**typed, "command": command, "args": [*arguments, "serve", "--workspace", folder]}


def program() -> list[str]:
    """The command that starts this very installation."""
    prefix = Path(sys.prefix)
    # `uvx` runs from its cache, which may be cleaned at any time: the client has to go through uvx as well.
    if {"archive-v0", "environments-v2"} & set(prefix.parts):
        return [shutil.which("uvx") or "uvx", "--compile-bytecode", "mcp-daan"]
    # The same with `pipx run`; what `pipx install` made is below `venvs` and stays.
    if (prefix / "pipx_metadata.json").is_file() and prefix.parent.name != "venvs":
        return [shutil.which("pipx") or "pipx", "run", "mcp-daan"]
    script = prefix / ("Scripts/mcp-daan.exe" if os.name == "nt" else "bin/mcp-daan")
    return [str(script)] if script.is_file() else [sys.executable, "-m", "mcp_daan"]


def place(
    client: str,
    root: Path,
    *,
    platform: str = sys.platform,
    home: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Path:
    """The client's file: Claude Desktop's is the user's, those of the others belong to the workspace at *root*."""
    if client != "claude-desktop":
        return root / {"claude-code": ".mcp.json", "cursor": ".cursor/mcp.json", "vscode": ".vscode/mcp.json"}[client]
    home = home or Path.home()
    if platform == "darwin":
        folder = home / "Library" / "Application Support"
    elif platform == "win32":
        folder = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
    else:
        folder = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    return folder / "Claude" / "claude_desktop_config.json"


def _followed(file: Path) -> Path:
    """Where a link leads, so that the file there changes and the link stays."""
    try:
        return file.resolve()
    except (OSError, RuntimeError):
        raise Unavailable(f"{file} is a link that leads nowhere.", advice="Remove the link; then run again.") from None


def _renewed(before: object, entry: dict[str, Any]) -> dict[str, Any]:
    """*entry* with what a person added to the one before: its variables and settings, its switches.

    One that is no process, such as a server over HTTP, is replaced whole.
    """
    if not isinstance(before, dict) or not isinstance(before.get("command"), str):
        return entry
    return {**before, **entry, "args": [*entry["args"], *_switches(before.get("args"))]}


def _switches(arguments: object) -> list[str]:
    """Those of *arguments* that say what is offered: a server that may only read stays one."""
    given = [str(each) for each in arguments] if isinstance(arguments, list) else []
    kept = []
    for number, each in enumerate(given):
        if each == READ_ONLY or each.startswith(tuple(f"{name}=" for name in NAMING)):
            kept.append(each)
        elif each in NAMING:
            kept += given[number : number + 2]
    return kept


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise Unavailable(
            f"{file} could not be read as UTF-8 text, so nothing was written.", advice="Check its rights and encoding."
        ) from None


def _check(before: dict[str, Any], after: dict[str, Any], section: str, entry: dict[str, Any] | None) -> None:
    """Nothing but the one entry may differ; InternalError otherwise, and the file is not written."""
    servers = {name: value for name, value in before.get(section, {}).items() if name != NAME}
    wanted = {**before, section: {**servers, NAME: entry} if entry is not None else servers}
    if after != wanted:
        raise InternalError(
            "The change would have touched more than this server's entry, so nothing was written.",
            advice="Add what `--print` shows by hand.",
        )


def _writable(file: Path) -> int:
    """The rights that *file* has or shall have. Its folder would let us put another in its place; who made it
    read-only did not mean that."""
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o600
    if not mode & 0o222:
        raise Unavailable(
            f"{file} is read-only, so it was left alone.", advice="Allow writing, or add what `--print` shows by hand."
        )
    return mode


def _kept(file: Path) -> Path | None:
    """A copy of *file* beside it, as it was; None where there is no file."""
    if not file.exists():
        return None
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    backup = file.with_name(f"{file.name}.{moment}.backup")
    try:
        shutil.copy2(file, backup)
    except OSError:
        raise Unavailable(f"{file} could not be copied, so it was not changed.", advice="Check its folder.") from None
    return backup


def _replace(file: Path, text: str, mode: int) -> None:
    """Write *text* beside *file* and put it in its place in one step, with the rights *mode*."""
    half: Path | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        half = Path(name)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(text.encode())
            opened.flush()
            os.fsync(opened.fileno())
        half.chmod(mode)
        half.replace(file)
    except OSError:
        if half is not None:
            half.unlink(missing_ok=True)
        raise Unavailable(
            f"{file} could not be written; it is as it was.", advice="Check the rights of its folder."
        ) from None
