"""Where lessons are shared: the work tree, the branch, and the branch of the remote that it follows."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from mcp_daan.errors import DaanError, Refused, Unavailable
from mcp_daan.knowledge import repository
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.lessons import FOLDER, VIEW
from mcp_daan.knowledge.repository import git, lines

# What stands in the git folder while something is under way, and what that is.
_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.+)", re.S)
_SCP = re.compile(r"(?:[\w.+-]+@)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<path>[^:].*)", re.S)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class Far:
    """The branch of the remote: the remote's name and addresses, the branch's full name there, and our ref of it."""

    remote: str
    url: str
    push_url: str
    branch: str
    tracking: str

    @property
    def name(self) -> str:
        """`origin/main`."""
        return f"{self.remote}/{self.branch.removeprefix('refs/heads/')}"


@dataclass(frozen=True)
class Place:
    """A branch of a work tree; `folder` is the component's, from `top`, and ends in a slash.

    `far` is a failure that says why there is no branch to share with.
    """

    top: Path
    git_folder: Path
    objects: Path
    folder: str
    branch: str
    is_default: bool
    far: Far | DaanError

    @property
    def lessons(self) -> str:
        """The folder of the lesson files, from `top`, with a slash at its end."""
        return f"{self.folder}{FOLDER}/"

    @property
    def view(self) -> str:
        """LESSONS-LEARNED.md, from `top`."""
        return f"{self.folder}{VIEW}"


def find_place(base: KnowledgeBase) -> Place:
    """Where the lessons of *base* are shared.

    Raises Unavailable or Refused with what to do where nothing can be committed: no repository, no commit, no branch,
    a merge under way, a work tree that is not the folder of its `.git`.
    """
    if base.origin != "workspace":
        raise Unavailable(
            "These lessons stand outside the workspace, so no team shares them.",
            advice="Make `docs/knowledge` in the workspace.",
        )
    if base.folder.is_symlink():
        raise Refused("The knowledge folder is a link, which is not followed.", advice="Put a folder in its place.")
    if not repository.is_repository(base.root):
        raise Unavailable("There is no git repository to share lessons by.", advice="Run `git init` in the workspace.")
    top, git_folder, objects = _folders(base.root)
    _check_quiet(git_folder)
    branch = repository.head_branch(base.root)
    if branch is None:
        raise Unavailable(
            "HEAD is detached, so there is no branch to commit to.",
            advice="Switch to a branch (`git switch NAME`); the next call commits the lesson there.",
        )
    if repository.head_commit(base.root) is None:
        raise Unavailable("The branch has no commit yet.", advice="Make the first commit; the next call adds to it.")
    inside = os.fsdecode(git(base.root, "rev-parse", "--show-prefix")).removesuffix("\n")
    is_default = repository.default_branch(base.root) == branch
    return Place(top, git_folder, objects, f"{inside}{base.component}/", branch, is_default, _far(top, branch))


def _folders(root: Path) -> tuple[Path, Path, Path]:
    """The work tree, its git folder, its objects."""
    names = lines(root, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-path", "objects")
    top, git_folder, objects = (Path(name) for name in names)
    here = Path(os.path.realpath(root))
    marked = next((folder for folder in (here, *here.parents) if os.path.lexists(folder / ".git")), None)
    if marked is None or top.resolve() != marked:
        # `core.worktree` of a repository may name any folder, and files would be written there.
        raise Refused(
            "The repository's work tree is not the folder of its `.git`.",
            advice="Unset `core.worktree` and the like, or go without `sync`.",
        )
    return top, git_folder, objects


def _check_quiet(git_folder: Path) -> None:
    for name, what in _UNDER_WAY.items():
        if (git_folder / name).exists():
            raise Unavailable(
                f"A {what} is under way in this work tree.",
                advice=f"End the {what}; the next call commits the lesson.",
            )


def _far(top: Path, branch: str) -> Far | DaanError:
    form = "--format=%(upstream)%00%(upstream:remotename)%00%(upstream:remoteref)"
    answer = os.fsdecode(git(top, "for-each-ref", form, f"refs/heads/{branch}")).removesuffix("\n")
    tracking, remote, there = answer.split("\0")
    if not (tracking.startswith("refs/remotes/") and remote and there.startswith("refs/heads/")):
        return Unavailable(
            f"Branch {branch} follows no branch of a remote.",
            advice=f"Run `git push --set-upstream origin {branch}` once; the next call sends what waits.",
        )
    # The addresses as they stand there: `insteadOf` of the repository could make others of them.
    stated = [lines(top, "config", "--get-all", f"remote.{remote}.{key}", fine=(0, 1)) for key in ("url", "pushurl")]
    if not stated[0]:
        return Unavailable(f"The remote {remote} has no address.", advice=f"Run `git remote set-url {remote} URL`.")
    url, push_url = (allowed_address((each or stated[0])[0], top) for each in stated)
    if isinstance(url, DaanError):
        return url
    return push_url if isinstance(push_url, DaanError) else Far(remote, url, push_url, there, tracking)


def allowed_address(address: str, top: Path) -> str | DaanError:
    """*address* of a remote as git may use it: https, ssh, or a folder outside the work tree; else why not."""
    found = _SCHEME.fullmatch(address)
    scheme = found["scheme"].lower() if found else ""
    if found and scheme in ("https", "ssh", "git+ssh", "ssh+git") and not found["rest"].startswith("-"):
        return address
    scp = _SCP.fullmatch(address)
    if not found and scp and not _DRIVE.match(address) and "/" not in address[: scp.end("host")]:
        return address if not address.startswith("-") and not scp["host"].startswith("-") else _not_allowed()
    folder = found["rest"] if found and scheme == "file" else address
    if (found and scheme != "file") or "::" in address or folder.startswith("-"):
        return _not_allowed()
    place = Path(os.path.realpath(os.path.join(top, folder)))  # noqa: PTH118 - absolute or from the work tree
    if place.is_relative_to(top.resolve()):
        # Its hooks would run, and whoever wrote this repository wrote them.
        return Refused("The remote stands inside the repository itself.", advice="Use a remote outside of it.")
    return str(place)


def _not_allowed() -> Refused:
    return Refused(
        "The remote's address is neither https nor ssh nor a folder.",
        advice="Other kinds can start a program or are not secret: set another with `git remote set-url`.",
    )
