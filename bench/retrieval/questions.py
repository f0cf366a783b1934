"""Questions with known answers: given ones, our own, and some that are made from the pages themselves.

Our own were written after the ranking was chosen, for pages drawn by lot, in English and in Dutch.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mcp_daan.knowledge.retrieval.pages import SEPARATOR, Page, document_page

SEED = 7
EACH = 200
OWN = Path(__file__).with_name("questions.jsonl")
Corpus = Mapping[str, Page]


@dataclass(frozen=True)
class Case:
    """A question, and the pages that answer it; `aside` are pages that hold it word for word without answering."""

    query: str
    kind: str
    relevant: frozenset[str]
    aside: frozenset[str] = frozenset()


def given(path: Path) -> list[Case]:
    """The questions in *path*, one JSON object a line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Case(row["query"], row["kind"], frozenset(row["relevant"])) for row in map(json.loads, lines)]


def read_pages(corpus: Path) -> dict[str, Page]:
    """Every page below *corpus* by its name."""
    names = {file: file.relative_to(corpus).as_posix() for file in sorted(corpus.rglob("*.md"))}
    return {name: document_page(name, file.read_text(encoding="utf-8")) for file, name in names.items()}


def generated(pages: Corpus) -> list[Case]:
    """Questions of four kinds that the pages answer by themselves, the same at each run."""
    dice = random.Random(SEED)
    made: list[Case] = []
    for make in (_links, _sentences, _headings, _code_names):
        cases = sorted(make(pages, dice), key=lambda case: (case.query, sorted(case.relevant)))
        made += dice.sample(cases, min(EACH, len(cases)))
    return made


def _links(pages: Corpus, _: random.Random) -> Iterator[Case]:
    """What other pages call a page when they link to it."""
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, page in pages.items():
        for text, address in re.findall(r"\[([^\]\n`]{12,90})\]\((/[^)\s]*)\)", _text(page)):
            aim = address.split("#")[0].strip("/")
            target = next((each for each in (f"{aim}.md", f"{aim}/index.md") if each in pages), name)
            if target != name and len(text.split()) >= 3 and text.lower() != pages[target].title.lower():
                said[re.sub(r"[*_]", "", text), target].add(name)
    for (text, target), sayers in said.items():
        yield Case(text, "link", frozenset({target}), frozenset(sayers))


def _sentences(pages: Corpus, dice: random.Random) -> Iterator[Case]:
    """Half the words of a sentence."""
    for name, page in pages.items():
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"```.*?```", "", _text(page), flags=re.S))
        for sentence in re.split(r"(?<=[.!?])\s+|\n", plain):
            words = re.findall(r"[A-Za-z][\w'-]*", sentence)
            kept = [word for word in words if dice.random() > 0.5]
            if 9 <= len(words) <= 25 and len(kept) >= 3:
                yield Case(" ".join(kept), "sentence", frozenset({name}))


def _headings(pages: Corpus, _: random.Random) -> Iterator[Case]:
    """A heading that one or two pages have."""
    having: dict[str, set[str]] = defaultdict(set)
    for name, page in pages.items():
        for part in page.parts:
            if SEPARATOR in part.address:
                having[re.sub(r"#\d+$|[`*]", "", part.address.rsplit(SEPARATOR, 1)[-1]).strip()].add(name)
    for heading, names in having.items():
        if len(heading.split()) >= 3 and len(names) <= 2:
            yield Case(heading, "heading", frozenset(names))


def _code_names(pages: Corpus, dice: random.Random) -> Iterator[Case]:
    """A name in code that up to three pages hold: as it stands, in small letters, or with its hyphens changed."""
    texts = {name: _text(page).lower() for name, page in pages.items()}
    names = {
        each for page in pages.values() for each in re.findall(r"`([A-Za-z@][\w./-]*[_./A-Z-][\w./-]*\w)`", _text(page))
    }
    for each in dice.sample(sorted(names), min(5 * EACH, len(names))):
        holding = [name for name, text in texts.items() if each.lower() in text]
        if len(each) > 5 and len(holding) <= 3:
            bent = dice.choice((each, each, each.lower(), each.replace("_", "-")))
            yield Case(bent, "code name", frozenset(holding))


def _text(page: Page) -> str:
    return "\n".join(_spoken((part.address, part.body) for part in page.parts))


def _spoken(parts: Iterable[tuple[str, str]]) -> Iterator[str]:
    for address, body in parts:
        yield f"{address}\n{body}"
