"""Bring the branch at hand to where its remote is, or put a commit on it, as far as nothing of the person's is in the way."""

import os
import random
import time
from collections.abc import Mapping

from mcp_daan.errors import DaanError, Unavailable
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.handwritten import generated
from mcp_daan.knowledge.lessons.lessons import VIEW
from mcp_daan.knowledge.lessons.publishing import exclusive, replace
from mcp_daan.knowledge.markdown import lines_of, read_text
from mcp_daan.knowledge.objects import texts
from mcp_daan.knowledge.repository import BUSY, git
from mcp_daan.knowledge.sharing.commits import Builder, New, blob_of, index_lines
from mcp_daan.knowledge.sharing.place import Place

BUSY_SECONDS = 3.0
_NO_VIEW = "# Lessons learned"


def put_here(place: Place, head: str, news: list[New]) -> str:
    """Commit *news* on the branch at hand, whose commit is *head*; the new commit.

    Of the person's index only the entries of these files change. Raises Unavailable when git cannot.
    """
    with Builder(place, head) as builder:
        for new in news:
            builder.add(new)
    # The entries come first: an index without them would take the files out again with the person's next commit.
    _enter(place, {f"{place.lessons}{new.name}": new.blob for new in news})
    _move(place, head, builder.tip, "add lessons")
    return builder.tip


def follow(
    place: Place, base: KnowledgeBase, head: str, tip: str, here: Mapping[str, str], *, lessons_only: bool
) -> None:
    """Move the branch at hand from *head* to *tip*, its index and its files, as a fast-forward does.

    *here* are lesson files (blob by name) that stand in the work tree and in *tip*, but not in *head*.
    Raises Unavailable with what is in the way; then everything is as it was.
    """
    changed = [os.fsdecode(path) for path in git(place.top, *_DIFFERENCE, head, tip).split(b"\0") if path]
    if lessons_only and any(path != place.view and not path.startswith(place.lessons) for path in changed):
        raise _behind(place, "others changed more than lessons")
    if _filters(place):
        raise _behind(place, "the repository's own configuration names filters, which are not run")
    _git(place, "update-index", "--refresh", fine=(0, 1))
    view = _view_to_be(place, base, head, tip) if place.view in changed else None
    _enter(place, {f"{place.lessons}{name}": blob for name, blob in here.items()} | (view[0] if view else {}))
    if view and view[1] is not None:
        with exclusive(base.folder):
            replace(base.folder / VIEW, view[1].encode())
    try:
        _git(place, "read-tree", "-m", "-u", head, tip)
    except Unavailable as error:
        if error.message == BUSY:
            raise
        raise _behind(place, "changes of yours stand in the way") from None
    _move(place, head, tip, "follow the remote")


_DIFFERENCE = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv", "--full-index")


def _behind(place: Place, why: str) -> Unavailable:
    far = place.far
    name = "its remote" if isinstance(far, DaanError) else far.name
    return Unavailable(
        f"Branch {place.branch} was not brought up to date with {name}: {why}.",
        advice="Run `git pull --rebase`, with `--autostash` if you have changes.",
    )


def _filters(place: Place) -> set[str]:
    """What the repository itself sets about programs that files pass on their way in and out."""
    listed = git(place.top, "config", "--show-scope", "-z", "--get-regexp", r"^filter\.", fine=(0, 1)).split(b"\0")
    return {
        os.fsdecode(pair.partition(b"\n")[0])
        for scope, pair in zip(listed[::2], listed[1::2], strict=False)
        if scope in (b"local", b"worktree")
    }


def _without_filters(place: Place) -> dict[str, str]:
    """An environment in which those are nothing: whoever writes an index may compare files, and so start them."""
    numbered = [
        (f"GIT_CONFIG_{part}_{number}", text)
        for number, name in enumerate(sorted(_filters(place)))
        for part, text in (("KEY", name), ("VALUE", "false" if name.endswith(".required") else ""))
    ]
    return {"GIT_CONFIG_COUNT": str(len(numbered) // 2), **dict(numbered)}


def _view_to_be(place: Place, base: KnowledgeBase, head: str, tip: str) -> tuple[dict[str, str], str | None] | None:
    """The entry that the index gets for the view, and the text that the file gets, if any; None to leave both to git.

    The generated lines are nobody's work and may be replaced; what people wrote and did not commit stays.
    """
    before, after = blob_of(place, head, place.view), blob_of(place, tip, place.view)
    staged = git(place.top, "ls-files", "--stage", "-z", "--full-name", "--", f"{place.top}/{place.view}")
    held = staged.split(b" ")[1].decode() if staged else None
    file = base.folder / VIEW
    if after is None or (before is None and held is None and not file.exists()):
        return None
    said = dict(texts(place.top, {each for each in (before, after, held) if each}))
    was, will_be = _by_hand(said.get(before or "", "")), _by_hand(said.get(after, ""))
    if held != after and _by_hand(said.get(held or "", "")) != was:
        raise _behind(place, f"{VIEW} has staged changes")
    now = read_text(file) if file.exists() else ""
    if _by_hand(now) in (was, will_be):
        return {place.view: after}, said.get(after, "")
    if was == will_be:
        return {place.view: after}, None
    raise _behind(place, f"others wrote in {VIEW}, and so did you")


def _by_hand(text: str) -> str:
    lines = lines_of(text)
    for start, end in reversed(generated(lines)):
        del lines[start:end]
    return "".join(lines).replace("\r\n", "\n").strip() or _NO_VIEW


def _enter(place: Place, blobs: Mapping[str, str]) -> None:
    if blobs:
        _git(place, "update-index", "--add", "-z", "--index-info", stdin=index_lines(blobs))


def _move(place: Place, head: str, tip: str, why: str) -> None:
    """Let the branch stand at *tip*, if it still stands at *head*."""
    git(place.top, "update-ref", "-m", f"mcp-daan: {why}", f"refs/heads/{place.branch}", tip, head)


def _git(place: Place, *arguments: str, stdin: bytes = b"", fine: tuple[int, ...] = (0,)) -> bytes:
    """Git on the person's index, which another git of theirs may hold for a moment."""
    deadline = time.monotonic() + BUSY_SECONDS
    safely = _without_filters(place)
    while True:
        try:
            return git(place.top, *arguments, stdin=stdin, fine=fine, seconds=30, environment=safely)
        except Unavailable as error:
            if error.message != BUSY or time.monotonic() >= deadline:
                raise
        time.sleep(random.uniform(0.01, 0.05))
