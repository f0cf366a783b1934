"""Push and fetch, in a repository of our own.

What git does over a network is told by configuration: which program opens the connection, which one gives the
password, which runs before a push. A repository's own configuration may come from anyone, so none of it is read:
git runs in an empty repository in the user's cache folder, which borrows the objects of the real one, and of settings
it gets only those that the person wrote for all or some of their repositories.
"""

import hashlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from mcp_daan.errors import DaanError, NotFound, Refused, RejectedCredentials, TooSlow, Unavailable
from mcp_daan.knowledge.repository import ENVIRONMENT, SETTINGS, Ran, as_options, git, ran
from mcp_daan.knowledge.sharing.place import Far, Place
from mcp_daan.workspace import cache_folder

# How long a remote that could not be reached is left in peace by calls that only read.
PEACE_SECONDS = 60.0
_PERSONAL = re.compile(r"(?:credential|http|url|ssh|safe|transfer|fetch)\.|core\.(?:sshcommand|gitproxy)$")
_PROTOCOLS = "file:https:ssh"
_ARRIVED = "refs/daan/arrived"
_REJECTED = re.compile(rb"^!\t[^\t]*\t\[(?P<where>remote )?rejected\] \((?P<why>.*)\)$", re.M)
_NO_BRANCH = b"couldn't find remote ref"
_RACE = re.compile(rb"cannot lock ref|failed to update ref|incorrect old value|fetch first|non-fast-forward|stale info")

# What git says and what it means; the first that is found holds.
_SAYINGS: tuple[tuple[str, type[DaanError], str, str], ...] = (
    (
        r"Authentication failed|could not read (?:Username|Password)|Permission denied|returned error: 40[13]"
        r"|Host key verification failed|publickey|terminal prompts disabled",
        RejectedCredentials,
        "{remote} does not accept the credentials, or there are none.",
        "See that `git push` works without asking: a credential helper or an ssh key in your own configuration"
        " (`git config --global`). What the repository's configuration names is not used.",
    ),
    (
        r"dubious ownership",
        Refused,
        "Git does not trust the folder of {remote}: it belongs to another user.",
        "If you do, run: git config --global --add safe.directory FOLDER",
    ),
    (
        r"does not appear to be a git repository|not found|does not exist|[Nn]o such (?:file|remote)",
        NotFound,
        "There is no repository at the address of {remote}.",
        "Look at `git remote -v`.",
    ),
    (r"transport '.*' not allowed", Refused, "The address of {remote} is of a kind that is not used.", "Use https or ssh."),
    (
        r"SSL|certificate|TLS",
        Unavailable,
        "The connection to {remote} is not secure.",
        "Look at the certificate of {remote} and at your clock; `git fetch` tells more.",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Rejected:
    """The remote has commits that we lack: fetch, and try again."""


class Transport:
    """The remote of one work tree. The caller holds the lock of its git folder."""

    def __init__(self, place: Place, far: Far, *, seconds: float) -> None:
        self._place = place
        self._far = far
        self._deadline = time.monotonic() + seconds
        name = hashlib.sha256(os.fsencode(place.git_folder)).hexdigest()[:32]
        self._folder = cache_folder() / "sharing" / name

    @property
    def late(self) -> bool:
        """Whether the time for this call is over."""
        return time.monotonic() >= self._deadline

    def resting(self) -> bool:
        """Whether the remote could not be reached a moment ago."""
        try:
            return 0 <= time.time() - self._mark.stat().st_mtime < PEACE_SECONDS
        except OSError:
            return False

    def push(self, commit: str) -> Rejected | None:
        """Put *commit* on the branch of the remote, if it follows what is there; Rejected when it does not.

        Raises what stands in the way: Unavailable, TooSlow, RejectedCredentials, NotFound, Refused.
        """
        done = self._run(
            *("push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"),
            *("--receive-pack=git-receive-pack", "--end-of-options", self._far.push_url),
            f"{commit}:{self._far.branch}",
        )
        if done.code == 0:
            return None
        found = _REJECTED.search(done.output)
        if found is None:
            raise self._failure(done)
        if not found["where"] or _RACE.search(found["why"]):
            return Rejected()
        if b"checked out" in found["why"]:
            raise Refused(
                f"{self._far.name} is checked out in the remote repository, which takes no push to it.",
                advice="Use a bare repository as the remote.",
            )
        raise Refused(
            f"{self._far.remote} takes no direct push to {self._far.branch.removeprefix('refs/heads/')}.",
            advice="It may be protected: send the lesson by a pull request, from a branch of its own"
            f" (`git push {self._far.remote} HEAD:refs/heads/lessons`).",
        )

    def fetch(self, known: list[str]) -> str | None:
        """The commit that the branch of the remote stands at, with all that it needs; None when there is none.

        *known* are commits that are here already. Raises as `push` does.
        """
        self._prepare()
        for number, commit in enumerate(known):
            self._git("update-ref", f"refs/daan/known-{number}", commit)
        done = self._run(
            *("fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--recurse-submodules=no"),
            *("--upload-pack=git-upload-pack", "--end-of-options", self._far.url),
            f"+{self._far.branch}:{_ARRIVED}",
        )
        if done.code == 0:
            return self._git("rev-parse", "--verify", f"{_ARRIVED}^{{commit}}").decode().strip()
        if _NO_BRANCH in done.said:
            return None
        raise self._failure(done)

    @property
    def _mark(self) -> Path:
        return self._folder / "unreached"

    def _prepare(self) -> None:
        """Make our repository, if it is not there, and let it see where a shallow history ends."""
        if not (self._folder / "HEAD").exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            form = git(self._place.top, "rev-parse", "--show-object-format").decode().strip()
            options = ["--quiet", "--bare", "--template=", f"--object-format={form}"]
            git(self._folder, "init", *options, environment={"GIT_DIR": os.fspath(self._folder)})
        ends = self._place.objects.parent / "shallow"
        if ends.is_file():
            (self._folder / "shallow").write_bytes(ends.read_bytes())
        else:
            (self._folder / "shallow").unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        own = {
            name: value
            for name in ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_SSL_CAINFO", "GIT_PROXY_SSL_CAINFO")
            if (value := os.environ.get(name))
        }
        personal = _personal_settings(self._place.top)
        if not {"GIT_SSH", "GIT_SSH_COMMAND"} & own.keys() and "core.sshcommand" not in dict(personal):
            own["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
        numbered = {
            f"GIT_CONFIG_{part}_{number}": text
            for number, pair in enumerate(personal)
            for part, text in zip(("KEY", "VALUE"), pair, strict=True)
        }
        return {
            **ENVIRONMENT,
            **own,
            **numbered,
            "GIT_CONFIG_COUNT": str(len(personal)),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_DIR": os.fspath(self._folder),
            "GIT_OBJECT_DIRECTORY": os.fspath(self._place.objects),
            "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
            "SSH_ASKPASS_REQUIRE": "never",
        }

    def _git(self, *arguments: str) -> bytes:
        environment = {"GIT_DIR": os.fspath(self._folder), "GIT_OBJECT_DIRECTORY": os.fspath(self._place.objects)}
        return git(self._folder, *arguments, environment=environment)

    def _run(self, *arguments: str) -> Ran:
        self._prepare()
        seconds = max(self._deadline - time.monotonic(), 0.01)
        done = ran(
            ["-C", os.fspath(self._folder), *as_options(SETTINGS), *arguments],
            seconds=seconds,
            environment=self._environment(),
        )
        if done.code == 0 or _REJECTED.search(done.output) or _NO_BRANCH in done.said:
            self._mark.unlink(missing_ok=True)
        else:
            self._mark.touch()
        return done

    def _failure(self, done: Ran) -> DaanError:
        remote = self._far.remote
        if done.late:
            return TooSlow(f"{remote} did not answer in time.", advice="The next call tries again.")
        said = done.said.decode("utf-8", "replace")
        for sign, kind, message, advice in _SAYINGS:
            if re.search(sign, said):
                return kind(message.format(remote=remote), advice=advice.format(remote=remote))
        return Unavailable(f"{remote} could not be reached.", advice="The next call tries again; are you offline?")


def _personal_settings(top: Path) -> list[tuple[str, str]]:
    """What the person set for all repositories or, by an `includeIf`, for this one; nothing of the repository's own."""
    listed = git(top, "config", "--list", "--show-scope", "-z").split(b"\0")
    found = []
    for scope, pair in zip(listed[::2], listed[1::2], strict=False):
        key, has_value, value = pair.partition(b"\n")
        name = os.fsdecode(key)
        if scope in (b"global", b"system") and _PERSONAL.match(name.lower()):
            found.append((name, os.fsdecode(value) if has_value else "true"))
    return found
