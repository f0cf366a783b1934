"""Lessons shared with the team's other machines, as tools tell of it."""

from dataclasses import dataclass, field
from typing import Literal

from mcp_daan.app import App
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.sharing.sharing import share
from mcp_daan.protocol import Model

# A call that reads asks the remote too, but does not wait for it as long as one that writes.
READING_SECONDS = 10.0


class Sync(Model):
    """Where the lessons are; `waiting`: so many the remote lacks, `received`: so many came with this call."""

    state: Literal["shared", "waiting"]
    branch: str | None
    remote: str | None
    waiting: int | None
    received: int
    reason: str | None


@dataclass(frozen=True)
class Told:
    """What there is to tell; nothing where `[knowledge] sync` is none."""

    sync: Sync | None = None
    sentence: str = ""
    advice: list[str] = field(default_factory=list)
    partial: bool = False


def shared(app: App, base: KnowledgeBase, *, writing: bool) -> Told:
    """Share the lessons of *base*, if the settings say so; no failure of it fails the call."""
    if app.settings.knowledge.sync != "git":
        return Told()
    seconds = app.settings.limits.request_seconds
    done = share(base, seconds=seconds if writing else min(seconds, READING_SECONDS), writing=writing)
    problem = done.problem
    sync = Sync(
        state="shared" if done.waiting == 0 else "waiting",
        branch=done.branch,
        remote=done.remote,
        waiting=done.waiting,
        received=done.received,
        reason=problem.message if problem else None,
    )
    advice = [f"{each.message} {each.advice}" for each in (problem, done.behind) if each is not None]
    if problem is None:
        sentence = f" It is on {done.remote}." if writing else ""
    else:
        sentence = " It waits here to be sent." if writing else ""
    # For who only reads, no branch of a remote to ask is no hole in the answer: on a detached HEAD, for example.
    return Told(sync, sentence, advice, partial=problem is not None and (writing or done.remote is not None))
