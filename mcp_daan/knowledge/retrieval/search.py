"""Search: the index is asked for words, pages rank by their sections together."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, overload

import apsw

from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.retrieval.index import Kind, Source, consult, identity, scan_documents, scan_migrations
from mcp_daan.knowledge.retrieval.meaning import Meaning, Sense
from mcp_daan.knowledge.retrieval.ranking import Hit, by_words, fused, with_meaning
from mcp_daan.knowledge.retrieval.snippets import snippet, tail
from mcp_daan.knowledge.retrieval.words import telling, words
from mcp_daan.protocol import Model

SearchScope = Literal["all", "docs", "lessons", "scraped", "migrations"]
KINDS: dict[SearchScope, tuple[Kind, ...]] = {"all": ("document", "migration"), "migrations": ("migration",)}
# What a heading says when it speaks of a component without naming it.
_SPEAKS_OF = {
    "d1": ("d1", "database", "sql", "schema", "migration"),
    "workers": ("worker", "wrangler", "kv", "durable object"),
    "oauth": ("oauth", "token", "auth"),
}


class Result(Model):
    """A document and its best section; `section` is empty for text before the first heading."""

    path: str
    section: str
    line: int
    end_line: int
    score: float
    snippet: str
    age_days: int | None = None


@dataclass(frozen=True)
class Found(Sequence[Result]):
    """What was found, best first: as long as all of it, filled from `start` on for as many as were asked.

    `left_out` names the files that could not be read, and so were not searched; `advice` tells why search went by
    words alone, where it could have gone by meaning too; `broken`, that it will stay so.
    """

    total: int
    start: int
    results: tuple[Result, ...]
    left_out: tuple[str, ...]
    advice: str | None = None
    broken: bool = False

    def __len__(self) -> int:
        return self.total

    @overload
    def __getitem__(self, at: int) -> Result: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Result, ...]: ...

    def __getitem__(self, at: int | slice) -> Result | tuple[Result, ...]:
        filled = range(self.total)[at]
        if isinstance(filled, int):
            return self.results[filled - self.start]
        return tuple(self.results[number - self.start] for number in filled)


@dataclass(frozen=True)
class Question:
    """What is searched for, and in what.

    `component` keeps the sections of which front matter, title, heading path, file name or a line
    `Component: …` names it.
    """

    phrasings: tuple[str, ...]
    scope: SearchScope = "all"
    component: str | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of file that can answer it."""
        return KINDS.get(self.scope, ("document",))


def sources_for(base: KnowledgeBase, kinds: Iterable[Kind]) -> list[Source]:
    """The files of *kinds* as they stand on disk now."""
    scans: dict[Kind, Callable[[], list[Source]]] = {
        "document": lambda: scan_documents(base),
        "migration": lambda: scan_migrations(base.workspace),
    }
    return [source for kind in kinds for source in scans[kind]()]


def mark(question: Question, sources: Sequence[Source]) -> str:
    """What ties a cursor to this question and these files."""
    # A stamp holds the file's own number, so it tells which file it is too.
    state = "\n".join((repr(question), *sorted([source.stamp for source in sources])))
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()[:16]


def search(
    base: KnowledgeBase,
    question: Question,
    sources: Sequence[Source],
    *,
    now: datetime,
    start: int = 0,
    limit: int = 10,
    redact: Callable[[str], str] = str,
    meaning: Meaning | None = None,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> Found:
    """The pages among *sources* that *question* finds; *redact* cleans text before it is cut.

    With *meaning*, and the extra that it needs, pages are found by what they say in other words too.
    *show* hears how many of many changed files are indexed.
    """
    wanted = list(dict.fromkeys(word for phrase in question.phrasings for word in telling(phrase)))

    def ask(connection: apsw.Connection) -> Found:
        names = _names(connection, question)
        about = _parts_about(connection, question.component)
        sense = meaning.of(base, _contents(connection)) if meaning else None
        hits = fused([_ranked(connection, phrase, names, about, sense) for phrase in question.phrasings])
        first = min(start, len(hits))
        results = [
            _result(connection, hit, names[hit.page], now, redact, wanted) for hit in hits[first : first + limit]
        ]
        left_out = _left_out(connection, question.kinds)
        said = (sense.advice, sense.broken) if sense else (None, False)
        return Found(len(hits), first, tuple(results), tuple(left_out), *said)

    return consult(identity(base), sources, question.kinds, ask, show)


def _names(connection: apsw.Connection, question: Question) -> dict[int, str]:
    """The pages that may answer *question*, by number."""
    return dict(
        connection.execute(
            "SELECT id, name FROM pages WHERE kind IN (?1, ?2) AND ?3 IN ('all', scope)",
            (question.kinds[0], question.kinds[-1], question.scope),
        )
    )


def _left_out(connection: apsw.Connection, kinds: Sequence[Kind]) -> list[str]:
    """The files that could not be read."""
    statement = "SELECT name FROM pages WHERE kind IN (?, ?) AND fault IS NOT NULL"
    return sorted(name for (name,) in connection.execute(statement, (kinds[0], kinds[-1])))


def _contents(connection: apsw.Connection) -> dict[int, bytes]:
    """What each document holds, by its digest."""
    return dict(connection.execute("SELECT id, digest FROM pages WHERE kind = 'document' AND digest IS NOT NULL"))


def _ranked(
    connection: apsw.Connection,
    phrase: str,
    allowed: Mapping[int, str],
    about: frozenset[int] | None,
    sense: Sense | None,
) -> list[Hit]:
    hits = by_words(connection, phrase, allowed, about)
    if sense is None:
        return hits
    return with_meaning(connection, hits, sense.nearest(phrase, allowed, _numbered(connection, about)), sense.enough)


def _numbered(connection: apsw.Connection, about: frozenset[int] | None) -> set[tuple[int, int]] | None:
    """The parts *about* as (page, which of its parts)."""
    if about is None:
        return None
    counted = "SELECT id, page, row_number() OVER (PARTITION BY page ORDER BY id) - 1 FROM places"
    return {(page, number) for part, page, number in connection.execute(counted) if part in about}


def _parts_about(connection: apsw.Connection, component: str | None) -> frozenset[int] | None:
    """The parts that name *component*; None, for all of them, without one."""
    if component is None:
        return None
    name = " ".join(words(component))
    if not name:
        return frozenset()
    spoken = " OR ".join(f'"{each}"' for each in _SPEAKS_OF.get(name, (name,)))
    query = f'{{title address name}} : ({spoken}) OR body : "component {name}"'
    rows = connection.execute(
        "SELECT rowid FROM parts WHERE parts MATCH ?1 UNION"
        " SELECT places.id FROM places JOIN pages ON pages.id = page WHERE lower(component) = ?2",
        (query, name),
    )
    return frozenset(part for (part,) in rows)


def _result(
    connection: apsw.Connection,
    hit: Hit,
    name: str,
    now: datetime,
    redact: Callable[[str], str],
    wanted: Sequence[str],
) -> Result:
    address, line, end, body, scope, dated, changed = connection.execute(
        "SELECT places.address, line, end, body, scope, dated, changed"
        " FROM places JOIN parts ON parts.rowid = places.id JOIN pages ON pages.id = page WHERE places.id = ?",
        (hit.part,),
    ).get
    return Result(
        path=name,
        section=address,
        line=line,
        end_line=end,
        score=float(f"{hit.score:.4g}"),
        snippet=snippet(tail(redact(body), hit.start), wanted) or address,
        age_days=_age(dated, changed, now) if scope == "scraped" else None,
    )


def _age(dated: str | None, changed: int, now: datetime) -> int:
    written = date.fromisoformat(dated) if dated else datetime.fromtimestamp(changed / 10**9, UTC).date()
    return max((now.date() - written).days, 0)
