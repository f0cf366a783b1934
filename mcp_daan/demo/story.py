"""What the demo's team did and learned, commit by commit."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mcp_daan.demo.history import MAIN, Commit, Tree
from mcp_daan.knowledge.lessons.lessons import FOLDER, VIEW, Lesson, compose, lesson_id
from mcp_daan.knowledge.lessons.view import rendered
from mcp_daan.protocol import Component

KNOWLEDGE = "docs/knowledge/backend/"
APP = "apps/auth-portal/"
SESSIONS, REFRESH = "feature/session-cache", "fix/exact-refresh-race"


@dataclass(frozen=True)
class Learned:
    """A lesson that somebody wrote *days* ago."""

    days: int
    author: str
    component: Component
    title: str
    problem: str
    solution: str
    evidence: str | None = None

    def lesson(self, now: datetime) -> Lesson:
        """The lesson, dated relative to *now*."""
        return Lesson(
            id=lesson_id(self.title, self.problem, self.solution),
            title=self.title,
            component=self.component,
            date=(now - timedelta(days=self.days)).date().isoformat(),
            author=self.author,
            problem=self.problem,
            solution=self.solution,
            evidence=self.evidence,
            path="",
        )

    def file(self, now: datetime) -> Tree:
        """The lesson's file, named as `lessons_append` names it."""
        lesson = self.lesson(now)
        contents = compose(lesson).encode()
        slug = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")[:48].strip("-")
        name = f"{lesson.date}-{slug}-{hashlib.sha256(contents).hexdigest()[:8]}.md"
        return {f"{KNOWLEDGE}{FOLDER}/{name}": contents}


ON_MAIN = (
    Learned(
        29,
        "Joost",
        "oauth",
        "A dead refresh token at Exact is not called invalid_grant",
        "The refresh kept retrying connections that were dead, because it only looked for `invalid_grant`.\n"
        "Exact answers 401 `unauthorized_client`, or 400 `invalid_request` after 30 days.",
        "Treat both as a reason to ask the customer to connect again, and stop retrying.",
        f"{APP}src/lib/refresh.ts",
    ),
    Learned(
        27,
        "Lars",
        "d1",
        "A migration that adds NOT NULL needs a default",
        "A migration added a NOT NULL column without a default. It passed on the empty local database and failed "
        "on the remote one, which had rows.",
        "Add the column with a default, or fill it in a second migration. Try each migration on a copy with rows.",
    ),
)
ON_SESSIONS = Learned(
    19,
    "Ruben",
    "workers",
    "KV shows a revoked session for another minute",
    "Sessions were cached in KV. After a sign-out other regions still accepted the session for up to a minute, "
    "since KV is eventually consistent and caches what it has read.",
    "Keep the revocation in D1 and ask it on each request that changes something; KV only holds what may lag.",
    f"{APP}src/lib/session.ts",
)
ON_REFRESH = (
    Learned(
        6,
        "Lars",
        "oauth",
        "Two refreshes at once break the chain of an Exact connection",
        "The cron trigger and a request refreshed the same connection at the same moment. The second one used a "
        "refresh token that the first had spent, and the connection was dead.",
        "Claim the row with an UPDATE that checks `last_refreshed_at`, read it again after losing the race, and "
        "use the token that the winner wrote.",
        f"{APP}src/lib/refresh.ts",
    ),
    Learned(
        5,
        "Lars",
        "oauth",
        "Exact sends expires_in as text",
        "`Date.now() / 1000 + expires_in` joined two texts, so the expiry lay thousands of years ahead and nothing "
        "was refreshed.",
        "Convert with Number() before adding, and refuse an expiry more than an hour ahead.",
    ),
)


def story(files: Tree, now: datetime) -> list[Commit]:
    """The demo's commits; after them `main` holds *files*, the lessons, and the view of them."""

    def picked(*paths: str) -> Tree:
        return {path: text for path, text in files.items() if path.startswith(paths)}

    package = APP + "package.json"
    first = picked("README.md", ".gitignore", APP + "astro", APP + "wrangler", APP + "src/")
    first |= picked(*(f"{APP}migrations/000{number}" for number in (1, 2)))
    learned = {path: text for each in ON_MAIN for path, text in each.file(now).items()}
    return [
        Commit(MAIN, 160, "Lars", "Set up the auth portal on Workers and D1", first | _at(files, package, "1.0.0")),
        Commit(MAIN, 132, "Joost", "Note how OAuth works at Exact Online", picked(KNOWLEDGE + "scraped/exact")),
        Commit(
            MAIN,
            96,
            "Lars",
            "Add API keys and the audit log (migrations 0003, 0004)",
            picked(*(f"{APP}migrations/000{number}" for number in (3, 4))) | _at(files, package, "1.2.0"),
            tag="v1.2.0",
        ),
        Commit(
            MAIN,
            41,
            "Joost",
            "Read invoices into D1 (migration 0005), and describe the database",
            picked(APP + "migrations/0005", *(KNOWLEDGE + name for name in ("VERSION", "DATABASE", "TEST")))
            | _at(files, package, "1.3.0"),
            tag="v1.3.0",
        ),
        Commit(MAIN, 33, "Ruben", "Note the limits of D1 and KV", picked(KNOWLEDGE + "scraped/cloudflare")),
        Commit(MAIN, 27, "Lars", "Write down what two incidents taught", learned | _view(files, now)),
        *_sessions(now),
        Commit(
            MAIN,
            12,
            "Lars",
            "Keep the last day of refresh tokens (migration 0006)",
            picked(APP + "migrations/0006", package),
            tag="v1.4.0",
        ),
        *_refresh(files, now),
        Commit(MAIN, 3, "Lars", "Record each nightly sync (migration 0007)", picked(APP + "migrations/0007")),
    ]


def _sessions(now: datetime) -> list[Commit]:
    source = b'export const cached = (env: Env, id: string) => env.SESSION.get(id, { type: "json", cacheTtl: 60 });\n'
    return [
        Commit(SESSIONS, 20, "Ruben", "Cache OAuth sessions in KV", {f"{APP}src/lib/session.ts": source}, start=MAIN),
        Commit(SESSIONS, 19, "Ruben", "Write down how long a KV session lags", ON_SESSIONS.file(now)),
    ]


def _refresh(files: Tree, now: datetime) -> list[Commit]:
    path = f"{APP}src/lib/refresh.ts"
    alone = files[path].replace(b"LIMIT 50", b"LIMIT 1")
    number = {path: alone.replace(b"Number(fresh.expires_in)", b"Math.min(Number(fresh.expires_in), 3600)")}
    return [
        Commit(
            REFRESH,
            6,
            "Lars",
            "Refresh one OAuth connection at a time in the worker",
            {path: alone} | ON_REFRESH[0].file(now),
            start=MAIN,
        ),
        Commit(REFRESH, 5, "Lars", "Read expires_in as a number", number | ON_REFRESH[1].file(now)),
    ]


def _at(files: Tree, package: str, version: str) -> Tree:
    return {package: files[package].replace(b'"version": "1.4.0"', f'"version": "{version}"'.encode())}


def _view(files: Tree, now: datetime) -> Tree:
    path = KNOWLEDGE + VIEW
    lessons = [
        replace(each.lesson(now), path=name.removeprefix("docs/knowledge/"))
        for each in ON_MAIN
        for name in each.file(now)
    ]
    return {path: rendered(files[path].decode(), lessons).encode()}
