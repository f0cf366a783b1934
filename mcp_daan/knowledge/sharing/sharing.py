"""Lessons committed and sent, and those of others received: `[knowledge] sync = "git"`.

A lesson travels alone. Its commit is built on what the remote has, so nothing that a person has not sent is sent with
it, and nothing of it is written anew; the branch at hand follows where it can, else it gets a commit with the same file.
"""

import hashlib
import os
import random
import re
import time
from dataclasses import dataclass

from mcp_daan.errors import DaanError, Refused, TooSlow, Unavailable
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.lessons import FILE_BYTES, FOLDER, lesson_names
from mcp_daan.knowledge.lessons.publishing import exclusive, tidy
from mcp_daan.knowledge.objects import texts
from mcp_daan.knowledge.repository import git
from mcp_daan.knowledge.sharing import landing
from mcp_daan.knowledge.sharing.commits import (
    UNSENT,
    Author,
    Builder,
    Change,
    blob_of,
    commit_of,
    entries,
    identity,
    read_new,
    store,
    unsent,
    view_text,
)
from mcp_daan.knowledge.sharing.place import Far, Place, find_place
from mcp_daan.knowledge.sharing.transport import Transport

ATTEMPTS = 50
# How long a call that only reads waits for another process of ours to end its own sharing.
QUEUE_SECONDS = 2.0
# The digest in the name proves that the file is whole and as `lessons_append` wrote it.
_DIGEST = re.compile(r"-([0-9a-f]{8,64})\.md")


@dataclass(frozen=True)
class Shared:
    """Where the lessons are: the branch, the branch of the remote, how many it still lacks, how many came from it.

    `problem` says why some wait; `behind` why the branch at hand could not follow the remote's.
    """

    branch: str | None = None
    remote: str | None = None
    waiting: int | None = None
    received: int = 0
    problem: DaanError | None = None
    behind: DaanError | None = None


def share(base: KnowledgeBase, *, seconds: float, writing: bool) -> Shared:
    """Commit what lessons are not committed, send what the remote lacks, and fetch what it has.

    With *writing* the branch at hand takes everything that the remote has, as a pull does, else lessons only.
    Nothing is raised: what stands in the way is in the answer, and the next call goes on from there.
    """
    try:
        place = find_place(base)
    except DaanError as error:
        return Shared(problem=error)
    remote = place.far.name if isinstance(place.far, Far) else None
    try:
        with exclusive(place.git_folder, seconds if writing else min(seconds, QUEUE_SECONDS)):
            return _Round(base, place, seconds=seconds, writing=writing).run()
    except DaanError as error:
        return Shared(place.branch, remote, None, problem=error)


@dataclass(frozen=True)
class _Plan:
    """What is to be sent: built on `start`, of which `tip` may lack own commits already; `pure`: nothing else is here."""

    start: str
    waiting: dict[str, tuple[str, Author]]
    ready: int
    pure: bool


class _Round:
    """One call's work. The caller holds the lock of the git folder."""

    def __init__(self, base: KnowledgeBase, place: Place, *, seconds: float, writing: bool) -> None:
        self._base, self._place, self._seconds, self._writing = base, place, seconds, writing
        self._head = commit_of(place, "HEAD") or ""
        self._tip = commit_of(place, place.far.tracking) if isinstance(place.far, Far) else None
        self._loose = self._uncommitted()
        self._before = entries(place, self._head)

    def run(self) -> Shared:
        for folder in (self._base.folder, self._base.folder / FOLDER):
            tidy(folder)
        problem: DaanError | None = None
        try:
            self._send()
        except DaanError as error:
            problem = error
        behind = self._land()
        now = entries(self._place, self._head)
        return Shared(
            self._place.branch,
            self._place.far.name if isinstance(self._place.far, Far) else None,
            self._waiting(),
            len(now.keys() - self._before.keys() - self._loose.keys()),
            problem,
            behind,
        )

    def _send(self) -> None:
        """Until the remote has what it lacked; raises what stands in the way."""
        far = self._place.far
        if isinstance(far, DaanError):
            raise far
        transport = Transport(self._place, far, seconds=self._seconds)
        if not self._writing and transport.resting():
            raise Unavailable(
                f"{far.remote} could not be reached a moment ago.", advice="A call a minute later tries again."
            )
        if not self._writing or self._tip is None:
            self._fetch(transport, far)
        for _ in range(ATTEMPTS):
            if self._tip is None:
                raise Unavailable(
                    f"{far.remote} has no such branch yet.", advice=f"Run `git push {far.remote} HEAD` once."
                )
            commit = self._built(self._plan(self._tip))
            if commit == self._tip:
                return
            if transport.push(commit) is None:
                self._track(far, commit)
                return
            if transport.late:
                raise TooSlow(f"{far.remote} did not answer in time.", advice="The next call tries again.")
            # Several who meet again at once would meet for ever.
            time.sleep(random.uniform(0, 0.05))
            self._fetch(transport, far)
        raise Unavailable(f"Others were faster {ATTEMPTS} times.", advice="The next call tries again.")

    def _fetch(self, transport: Transport, far: Far) -> None:
        arrived = transport.fetch([commit for commit in (self._tip, self._head) if commit])
        if arrived is not None:
            self._track(far, arrived)
        self._tip = arrived

    def _track(self, far: Far, commit: str) -> None:
        git(self._place.top, "update-ref", "-m", "mcp-daan: share lessons", far.tracking, commit)
        self._tip = commit

    def _uncommitted(self) -> dict[str, str]:
        """The lesson files in the work tree that HEAD lacks, as `lessons_append` wrote them: blob by name."""
        folder = self._base.folder / FOLDER
        committed = entries(self._place, self._head)
        found = {}
        for name in lesson_names(folder):
            digest = _DIGEST.search(name)
            file = folder / name
            if name in committed or digest is None or file.is_symlink() or file.stat().st_size > FILE_BYTES:
                continue
            contents = file.read_bytes()
            if hashlib.sha256(contents).hexdigest().startswith(digest[1]):
                found[name] = contents
        if found:
            self._check_ignored(list(found))
        return {name: store(self._place, contents) for name, contents in found.items()}

    def _check_ignored(self, names: list[str]) -> None:
        asked = [f"{self._place.lessons}{name}" for name in names]
        if git(self._place.top, "ls-files", "--others", "--ignored", "--exclude-standard", "--", *asked):
            raise Refused(
                "Git ignores the folder of lessons, so they are not shared.",
                advice=f"Take `{self._place.lessons}` out of .gitignore.",
            )

    def _plan(self, tip: str) -> _Plan:
        changes = unsent(self._place, tip, self._head)
        start, ready = tip, 0
        for change in changes:
            if not change.own or change.parents != (start,):
                break
            start, ready = change.commit, ready + 1
        known = entries(self._place, start).keys() | self._taken_out(tip)
        here = entries(self._place, self._head)
        me = identity(self._place)
        waiting = {
            name: (blob, change.author)
            for change in changes
            if change.own
            for name, blob in _names(self._place, change).items()
            if name in here and name not in known
        }
        waiting |= {name: (blob, me) for name, blob in self._loose.items() if name not in known}
        pure = len(changes) < UNSENT and all(change.own for change in changes)
        return _Plan(start, waiting, ready, pure)

    def _taken_out(self, tip: str) -> set[str]:
        """The lesson files that others took out since HEAD: they are not to come back."""
        options = [
            "-z",
            "--format=",
            "--diff-filter=D",
            "--name-only",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
        ]
        listed = git(self._place.top, "log", *options, f"{self._head}..{tip}", "--", f"{self._place.lessons}")
        return {os.fsdecode(path).removeprefix(self._place.lessons) for path in listed.split(b"\0") if path.strip()}

    def _built(self, plan: _Plan) -> str:
        """The commit that is to be the remote's; its tip when there is nothing to send."""
        news = read_new(self._place, plan.waiting)
        if not news and plan.start == self._tip:
            return plan.start
        view = self._view(plan) if self._place.is_default and plan.pure else None
        if not news and view is None:
            return plan.start
        with Builder(self._place, plan.start) as builder:
            for number, new in enumerate(news):
                builder.add(new, view if number == len(news) - 1 else None)
            if view is not None and not news:
                builder.add_view(view, identity(self._place))
        return builder.tip

    def _view(self, plan: _Plan) -> str | None:
        """The text of the view in the commit that is to be built; None to leave it as it is."""
        blob = blob_of(self._place, plan.start, self._place.view)
        before = dict(texts(self._place.top, [blob])).get(blob) if blob else ""
        if before is None or "\ufffd" in before:
            return None  # too large, or no UTF-8: it is not ours to mend
        files = entries(self._place, plan.start) | {name: each[0] for name, each in plan.waiting.items()}
        return view_text(self._place, self._base.component, before, files)

    def _land(self) -> DaanError | None:
        """Let the branch at hand follow the remote's, and commit here what still is not; why it could not follow."""
        behind: DaanError | None = None
        if self._tip is not None and self._tip != self._head and self._arrived(self._tip):
            arrived = entries(self._place, self._tip)
            here = {name: blob for name, blob in self._loose.items() if arrived.get(name) == blob}
            try:
                landing.follow(self._place, self._base, self._head, self._tip, here, lessons_only=not self._writing)
                self._head = self._tip
            except DaanError as error:
                behind = error
        committed = entries(self._place, self._head)
        me = identity(self._place)
        rest = {name: (blob, me) for name, blob in self._loose.items() if name not in committed}
        try:
            if rest:
                self._head = landing.put_here(self._place, self._head, read_new(self._place, rest))
        except DaanError as error:
            behind = behind or error
        return behind

    def _arrived(self, tip: str) -> bool:
        """Whether the branch at hand has nothing that *tip* lacks."""
        there = entries(self._place, tip)
        changes = unsent(self._place, tip, self._head)
        return all(
            change.own and all(there.get(name) == blob for name, blob in _names(self._place, change).items())
            for change in changes
        )

    def _waiting(self) -> int:
        """How many lessons the remote still lacks."""
        if self._tip is None:
            return len(self._loose)
        there = entries(self._place, self._tip).keys() | self._taken_out(self._tip)
        mine = {name for c in unsent(self._place, self._tip, self._head) if c.own for name in _names(self._place, c)}
        return len(mine - there)


def _names(place: Place, change: Change) -> dict[str, str]:
    return {path.removeprefix(place.lessons): blob for path, blob in change.paths.items()}
