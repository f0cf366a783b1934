"""Search in the same files by servers that keep documents: how each is fed, started and asked.

Each has its own copy, since some write into the files that they are given. They are fed outside any clock, and what they
made of it is kept in build/bench for the next run.
"""

import hashlib
import random
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.peers.field import Peer, environment
from bench.peers.install import BIN, PLACE, Installed, version
from bench.peers.measure import opened, told
from bench.peers.results import OURS, Found
from bench.peers.wire import request
from bench.retrieval.questions import OWN, generated, given, read_pages

SEARCH = "knowledge_search"
BASIC, QMD, DOCS = "basic-memory", "@tobilu/qmd", "agents-docs"
LIMIT = 10
WARM_UP = 2


@dataclass(frozen=True)
class Library:
    """A server that keeps documents, its copy of them, and the command that makes its index, if it needs one."""

    peer: Peer
    copy: Path
    feed: Sequence[str] = ()


def libraries(there: Installed, corpus: Path) -> list[Library]:
    """Ours first; those that are not installed are left out."""
    place = PLACE / "libraries" / _fingerprint(corpus)
    homes = {name: place / name.rpartition("/")[2] / "home" for name in (OURS, BASIC, QMD, DOCS)}
    copies = {name: home.parent / "docs" for name, home in homes.items()}

    def env(name: str, **more: str) -> Mapping[str, str]:
        folders = {f"XDG_{kind}_HOME": str(homes[name] / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        return {"HOME": str(homes[name]), "PATH": f"{BIN}:/usr/bin:/bin", **folders, **more}

    basic = env(
        BASIC,
        BASIC_MEMORY_HOME=str(copies[BASIC]),
        BASIC_MEMORY_CONFIG_DIR=str(homes[BASIC] / "settings"),
        BASIC_MEMORY_SEMANTIC_SEARCH_ENABLED="false",
    )
    docs = env(DOCS, AGENTS_DOCS_PATH=str(homes[DOCS] / "store"))
    qmd = there.script(QMD, "dist/cli/qmd.js")
    all_of_them = [
        Library(
            Peer(
                OURS,
                [str(BIN / "mcp-daan"), "--workspace", str(homes[OURS].parent)],
                lambda query: ("knowledge_search", {"query": query, "limit": LIMIT}),
                env(OURS),
            ),
            copies[OURS],
        ),
        Library(
            Peer(
                BASIC,
                [there.program(BASIC), "mcp"],
                lambda query: ("search_notes", {"query": query, "search_type": "text", "page_size": LIMIT}),
                basic,
            ),
            copies[BASIC],
            [there.program(BASIC), "reindex", "--search"],
        ),
        Library(
            Peer(
                QMD,
                [*qmd, "mcp"],
                lambda query: (
                    "query",
                    {"searches": [{"type": "lex", "query": query}], "limit": LIMIT, "rerank": False},
                ),
                env(QMD),
            ),
            copies[QMD],
            [*qmd, "collection", "add", str(copies[QMD]), "--name", "docs"],
        ),
        Library(
            Peer(
                DOCS,
                [there.program(DOCS), "serve"],
                lambda query: ("search_docs", {"query": query, "category": "all", "top_k": LIMIT}),
                docs,
            ),
            copies[DOCS],
            [there.program(DOCS), "ingest", "corpus", str(copies[DOCS])],
        ),
    ]
    return [each for each in all_of_them if each.peer.name in (OURS, *there.folders)]


def fed(library: Library, corpus: Path) -> str:
    """Give *library* its files and let it read them, once for these files; why it could not, or nothing."""
    peer, home = library.peer, Path(library.peer.environment["HOME"])
    mark = home.parent / "fed"
    wanted = version(peer.name) if library.feed else "daan"
    if mark.is_file() and mark.read_text() == wanted:
        return ""
    shutil.rmtree(home.parent, ignore_errors=True)
    home.mkdir(parents=True)
    shutil.copytree(corpus, library.copy)
    (home.parent / "daan.toml").write_text(f'[knowledge]\npath = "{library.copy.name}"\n')
    if library.feed:
        told(f"{peer.name} reads the documents, outside the clock")
        done = subprocess.run(
            library.feed, cwd=home, env=environment(peer), capture_output=True, text=True, check=False, timeout=1800
        )
        if done.returncode:
            return f"it could not read the documents ({done.stderr.strip()[-200:]})"
    mark.write_text(wanted)
    return ""


def questions(data: Path, corpus: Path) -> list[str]:
    """The given questions where there are some, our own where they fit, else some that the pages answer."""
    pages = read_pages(corpus)
    if (data / "queries_dev.jsonl").is_file():
        cases = given(data / "queries_dev.jsonl")
    else:
        own = given(OWN)
        cases = own if all(page in pages for case in own for page in case.relevant) else generated(pages)
    asked = sorted({case.query for case in cases})
    random.Random(4).shuffle(asked)
    return asked


def searches(there: Installed, corpus: Path, asked: Sequence[str], found: Found, rounds: int, each: int) -> None:
    """Search, warm, in turns; *each* questions a round, none twice, the same for all."""
    with ExitStack() as stack:
        servers = []
        for library in libraries(there, corpus):
            peer = library.peer
            why = fed(library, corpus)
            try:
                if why:
                    raise RuntimeError(why)
                server = stack.enter_context(opened(peer, library.copy))
                server.greet()
                assert peer.ask is not None
                for query in asked[:WARM_UP]:
                    server.call(*peer.ask(query))
                servers.append((peer, server))
            except (RuntimeError, OSError) as error:
                if peer.name == OURS:
                    raise
                found.absent[peer.name] = str(error)[:300]
        chance, rest = random.Random(5), asked[WARM_UP:]
        each = min(each, len(rest) // rounds)
        for number in range(rounds):
            samples: dict[str, list[float]] = {}
            for query in rest[number * each : (number + 1) * each]:
                for peer, server in chance.sample(servers, len(servers)):
                    assert peer.ask is not None
                    taken, line = server.timed(request(*peer.ask(query)))
                    if b'"result"' not in line or b'"isError":true' in line.replace(b": ", b":"):
                        raise RuntimeError(f"{peer.name} did not search: {line[:300]!r}")
                    samples.setdefault(peer.name, []).append(taken)
            for name, values in samples.items():
                found.add(SEARCH, name, values)


def _fingerprint(corpus: Path) -> str:
    whole = hashlib.sha256()
    for file in sorted(file for file in corpus.rglob("*") if file.is_file()):
        whole.update(f"{file.relative_to(corpus).as_posix()}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:12]
