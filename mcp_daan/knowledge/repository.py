"""Git, by its own program.

A repository may come from anyone, and its configuration can name programs: nothing here lets git start one.
"""

import functools
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mcp_daan.errors import DaanError, InvalidArguments, TooLarge, TooSlow, Unavailable

OUTPUT_BYTES = 64 * 2**20
MAIN_NAMES = ("main", "master")

# The command line wins over every configuration file.
SETTINGS = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.askPass": "",
    "core.editor": "false",
    "core.pager": "cat",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "log.showSignature": "false",  # would start gpg.program
    "log.mailmap": "false",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
    "color.ui": "false",
    "i18n.logOutputEncoding": "UTF-8",
    "maintenance.auto": "false",
    "gc.auto": "0",
}
_OFFLINE = {"core.sshCommand": "false", "credential.helper": ""}
# Of the caller's own GIT_ variables only where git and its settings are: a hook's GIT_DIR or GIT_INDEX_FILE would
# lead to another repository, GIT_CONFIG_COUNT past the settings above.
_KEPT = {"GIT_EXEC_PATH", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL", "GIT_CEILING_DIRECTORIES"}
ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",  # a partial clone would fetch what is absent, by any program that its remote names
    "GIT_ALLOW_PROTOCOL": "none",  # the same for a git too old to know the line above, and for `ext::`
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "GIT_EDITOR": "false",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}
BUSY = "Another git process is at work in this work tree."
# What git says (in LC_ALL=C) and what it means, in our words: its own text may quote the repository.
_SAYINGS: tuple[tuple[bytes, type[DaanError], str, str], ...] = (
    (
        b"dubious ownership",
        Unavailable,
        "Git does not read this repository, since its folder belongs to another user.",
        'If you trust it, run in it: git config --global --add safe.directory "$PWD"',
    ),
    (
        b"command line, '",
        InvalidArguments,
        "`[git] grep` in daan.toml is not a basic regular expression.",
        r"Mend `[git] grep`, for example: worker\|D1\|OAuth",
    ),
    (
        b"index.lock",
        Unavailable,
        BUSY,
        "Try again when it is done; if none runs, delete index.lock in the .git folder.",
    ),
    (b"not a git repository", Unavailable, "There is no git repository here.", "Run `git init`, or go without git."),
)
_NO_REPOSITORY = _SAYINGS[-1][2]


@dataclass(frozen=True)
class Ran:
    """What a git process gave; `late`: it was ended since its time was over."""

    code: int
    output: bytes
    said: bytes
    late: bool


def git(
    root: Path,
    *arguments: str,
    seconds: float = 10,
    stdin: bytes = b"",
    fine: tuple[int, ...] = (0,),
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git says when run in *root* with *arguments*; of nothing in the repository a program is started.

    Pass only commands that work on commits, refs, objects and the index: whatever compares the work tree (`status`,
    `diff`) starts the filters that the repository names. *fine* are the exit codes that are no failure.
    Raises Unavailable when git is absent or fails, TooSlow after *seconds*, TooLarge past 64 MiB.
    """
    done = ran(
        ["-C", os.fspath(root), *as_options({**SETTINGS, **_OFFLINE}), *arguments],
        seconds=seconds,
        stdin=stdin,
        environment={**ENVIRONMENT, **(environment or {})},
    )
    if done.code not in fine:
        if done.late:
            raise TooSlow(
                f"Git took longer than {seconds:g} s.",
                advice="Run `git commit-graph write --reachable --changed-paths` once; it makes git's log fast.",
            )
        raise _failure(done.said, arguments[0])
    return done.output


def as_options(settings: Mapping[str, str]) -> list[str]:
    """*settings* as git's command line takes them."""
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def ran(arguments: list[str], *, seconds: float, environment: Mapping[str, str], stdin: bytes = b"") -> Ran:
    """Run git with *arguments* to its end, or for *seconds*; it and all that it started share no terminal with us.

    *environment* is laid over the caller's own, from which every `GIT_` variable is gone but those that say where git
    and its settings are. Raises Unavailable when git is absent, TooLarge past 64 MiB.
    """
    command = [_program(), "--no-pager", "--literal-pathspecs", *arguments]
    deadline = time.monotonic() + seconds
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        try:
            process = subprocess.Popen(
                command,
                env={**_own_environment(), **environment},
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
            )
        except OSError:
            raise _absent() from None
        except ValueError:
            raise InvalidArguments("A setting holds a NUL character.", advice="Mend `[git]` in daan.toml.") from None
        with process:
            clock = threading.Timer(seconds, _end, [process])
            clock.start()
            try:
                assert process.stdout is not None
                output = process.stdout.read(OUTPUT_BYTES + 1)
                if len(output) > OUTPUT_BYTES:
                    _end(process)
                code = process.wait()
            finally:
                _end(process)
                clock.cancel()
        if len(output) > OUTPUT_BYTES:
            raise TooLarge("Git's answer is larger than 64 MiB.", advice="Narrow `[git] grep` in daan.toml.")
        said.seek(0)
        return Ran(code, output, said.read(64 * 1024), code != 0 and time.monotonic() >= deadline)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and what it started, such as ssh; once it was waited for, its number may be another's."""
    if process.returncode is not None:
        return
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def lines(root: Path, *arguments: str, fine: tuple[int, ...] = (0,)) -> list[str]:
    """Git's answer as lines of text."""
    return git(root, *arguments, fine=fine).decode("utf-8", "replace").splitlines()


def is_repository(root: Path) -> bool:
    """Whether *root* stands in a git work tree.

    Raises Unavailable where there is a repository that cannot be asked: git is absent or does not trust it.
    """
    if not marked(root):
        return False  # no process needed
    try:
        return lines(root, "rev-parse", "--is-inside-work-tree") == ["true"]
    except Unavailable as error:
        if error.message == _NO_REPOSITORY:
            return False
        raise


def marked(root: Path) -> bool:
    """Whether a `.git` stands in *root* or above it, be it whole or not."""
    here = root.absolute()
    return any(os.path.lexists(folder / ".git") for folder in (here, *here.parents))


def head_branch(root: Path) -> str | None:
    """The branch that HEAD is on, with or without commits; None when HEAD is detached."""
    return next(iter(lines(root, "symbolic-ref", "--quiet", "--short", "HEAD", fine=(0, 1))), None)


def head_commit(root: Path) -> str | None:
    """The full hash of HEAD's commit; None before the first one."""
    return next(iter(lines(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", fine=(0, 1))), None)


def default_branch(root: Path) -> str | None:
    """The branch that the others are merged into, as far as the repository tells.

    It is what the remote says (`origin/HEAD`, as a clone records it, if it still exists), else `main`, else `master`, here or on a
    remote, else `init.defaultBranch`, else, without remotes, the only branch there is. None when none of these holds;
    `git remote set-head origin --auto` then tells git.
    """
    recorded = next(iter(lines(root, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD", fine=(0, 1))), "")
    if recorded and git(root, "rev-parse", "--verify", "--quiet", recorded, fine=(0, 1)):
        return recorded.removeprefix("refs/remotes/origin/")
    refs = lines(root, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
    here = {ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")}
    there = {ref.split("/", 3)[3] for ref in refs if ref.startswith("refs/remotes/") and ref.count("/") >= 3}
    head = head_branch(root)
    known = here | there | ({head} if head else set())
    for name in (*MAIN_NAMES, *lines(root, "config", "--get", "init.defaultBranch", fine=(0, 1))):
        if name in known:
            return name
    return next(iter(known)) if len(known) == 1 and not there else None


def on_default_branch(root: Path) -> bool:
    """Whether HEAD is on the default branch, or there is no git at all; unknown is no."""
    if not is_repository(root):
        return not marked(root)
    head = head_branch(root)
    return head is not None and head == default_branch(root)


def user_name(root: Path) -> str | None:
    """Git's `user.name` here; None without git or name."""
    try:
        return next(iter(lines(root, "config", "--get", "user.name", fine=(0, 1))), None)
    except Unavailable:
        return None


def last_changes(root: Path, folder: Path) -> dict[Path, datetime]:
    """When each tracked file below *folder* last changed: its last commit, or, if it differs from that, its mtime.

    Files that git does not track are absent. In a shallow clone a file from before the cut has the cut's date.
    The contents are compared by us: git would start the filters that the repository names.
    """
    if not folder.is_dir() or not is_repository(root) or head_commit(root) is None:
        return {}
    # Paths from the top: git 2.39 makes those of merges relative to nothing else, whatever it is asked.
    above = os.fsdecode(git(folder, "rev-parse", "--show-prefix")).removesuffix("\n")
    log = ["log", "--format=%x01%ct", *RAW, *NO_PROGRAMS]
    changes: dict[Path, datetime] = {}
    for seconds, path, blob in _raw_changes(git(folder, *log, "--end-of-options", "HEAD", "--", ".")):
        file = folder / path.removeprefix(above)
        if file not in changes and blob.strip("0"):
            changes[file] = datetime.fromtimestamp(seconds, UTC)
            written = _changed_since(file, blob)
            if written is not None:
                changes[file] = written
    return {file: moment for file, moment in changes.items() if file.is_file() and not file.is_symlink()}


NO_PROGRAMS = ("--no-ext-diff", "--no-textconv", "--no-decorate")
# What each commit put where, merges included if they differ from all that they merge.
RAW = ("--raw", "-z", "--no-abbrev", "-c", "--no-renames", "--no-relative")
_COMMIT = re.compile(rb"\x01(\d+)")


def _raw_changes(output: bytes) -> list[tuple[int, str, str]]:
    """(commit's time, path, blob after it) of `git log --raw -z`, newest first."""
    found: list[tuple[int, str, str]] = []
    seconds, after = 0, ""
    for part in output.split(b"\0"):
        part = part if after else part.lstrip(b"\n")
        commit = _COMMIT.fullmatch(part)
        if after:
            found.append((seconds, os.fsdecode(part), after))
            after = ""
        elif commit:
            seconds = int(commit[1])
        elif part.startswith(b":"):
            # One colon, mode and blob for each parent, then mode and blob after; the letters of the change end it.
            after = part.split(b" ")[-2].decode("ascii", "replace")
    return found


def _changed_since(file: Path, blob: str) -> datetime | None:
    """The file's mtime if its contents are not those of *blob*, else None."""
    try:
        contents = file.read_bytes()
        moment = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:  # gone or unreadable: the caller leaves it out
        return None
    kind = hashlib.sha1 if len(blob) == 40 else hashlib.sha256
    for form in (contents, contents.replace(b"\r\n", b"\n")):
        if kind(b"blob %d\0" % len(form) + form).hexdigest() == blob:
            return None
    return moment


def _own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}


@functools.cache
def _found(path: str | None) -> str | None:
    program = shutil.which("git", path=path)
    # A relative entry in PATH would run a program of the folder we stand in.
    return program if program and Path(program).is_absolute() else None


def _program() -> str:
    program = _found(os.environ.get("PATH"))
    if program is None:
        raise _absent()
    return program


def _absent() -> Unavailable:
    return Unavailable("Git is not installed.", advice="Install git and see that it is on PATH.")


def _failure(said: bytes, command: str) -> DaanError:
    for sign, kind, message, advice in _SAYINGS:
        if sign in said:
            return kind(message, advice=advice)
    return Unavailable(
        f"`git {command}` failed.", advice="Run `git fsck` in the workspace; `mcp-daan doctor` tells more."
    )
