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
from typing import Any

from bench.peers.field import Peer, environment
from bench.peers.install import BIN, PLACE, Installed, version
from bench.peers.measure import opened, told
from bench.peers.results import OURS, Found
from bench.peers.wire import Failed, Server, request
from bench.retrieval.questions import OWN, generated, given, read_pages

SEARCH = "knowledge_search"
BASIC, QMD, DOCS = "basic-memory", "@tobilu/qmd", "agents-docs"
LIMIT = 10
WARM_UP = 2
PATIENCE = 1800.0
# basic-memory finds its own database locked now and then on a busy machine, and then lacks pages.
TRIES = 3


@dataclass(frozen=True)
class Library:
    """A server that keeps documents, its copy of them, and the command that makes its index, if it needs one."""

    peer: Peer
    copy: Path
    feed: Sequence[str] = ()


def libraries(there: Installed, corpus: Path) -> list[Library]:
    """Ours first; those that are not installed are left out."""
    place = PLACE / "libraries" / _fingerprint(corpus)
    makers = {OURS: _ours, BASIC: _basic_memory, QMD: _qmd, DOCS: _agents_docs}
    return [
        make(there, place / name.rpartition("/")[2]) for name, make in makers.items() if name in (OURS, *there.folders)
    ]


def _ours(there: Installed, place: Path) -> Library:
    def ask(query: str) -> tuple[str, dict[str, Any]]:
        return "knowledge_search", {"query": query, "limit": LIMIT}

    return Library(
        Peer(OURS, [str(BIN / "mcp-daan"), "--workspace", str(place)], ask, _environment(place)), place / "docs"
    )


def _basic_memory(there: Installed, place: Path) -> Library:
    def ask(query: str) -> tuple[str, dict[str, Any]]:
        return "search_notes", {"query": query, "search_type": "text", "page_size": LIMIT}

    settings = _environment(
        place,
        BASIC_MEMORY_HOME=str(place / "docs"),
        BASIC_MEMORY_CONFIG_DIR=str(place / "home" / "settings"),
        BASIC_MEMORY_SEMANTIC_SEARCH_ENABLED="false",
    )
    program = there.program(BASIC)
    return Library(
        Peer(BASIC, [program, "mcp"], ask, settings), place / "docs", [program, "reindex", "--full", "--search"]
    )


def _qmd(there: Installed, place: Path) -> Library:
    def ask(query: str) -> tuple[str, dict[str, Any]]:
        return "query", {"searches": [{"type": "lex", "query": query}], "limit": LIMIT, "rerank": False}

    program = there.script(QMD, "dist/cli/qmd.js")
    feed = [*program, "collection", "add", str(place / "docs"), "--name", "docs"]
    return Library(Peer(QMD, [*program, "mcp"], ask, _environment(place)), place / "docs", feed)


def _agents_docs(there: Installed, place: Path) -> Library:
    def ask(query: str) -> tuple[str, dict[str, Any]]:
        return "search_docs", {"query": query, "category": "all", "top_k": LIMIT}

    program = there.program(DOCS)
    settings = _environment(place, AGENTS_DOCS_PATH=str(place / "home" / "store"))
    feed = [program, "ingest", "corpus", str(place / "docs")]
    return Library(Peer(DOCS, [program, "serve"], ask, settings), place / "docs", feed)


def _environment(place: Path, **more: str) -> Mapping[str, str]:
    home = place / "home"
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    return {"HOME": str(home), "PATH": f"{BIN}:/usr/bin:/bin", **folders, **more}


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
    for folder in (library.copy, *library.copy.rglob("*/")):
        folder.chmod(0o755)  # The copy of a folder that may not be written would be one, too.
    (home.parent / "daan.toml").write_text(f'[knowledge]\npath = "{library.copy.name}"\n')
    if library.feed:
        told(f"{peer.name} reads the documents, outside the clock")
        if why := _fed(library, home):
            return why
    mark.write_text(wanted)
    return ""


def _fed(library: Library, home: Path) -> str:
    said = ""
    for _ in range(TRIES):
        try:
            done = subprocess.run(
                library.feed, cwd=home, env=environment(library.peer), capture_output=True, text=True, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            return f"it did not read the documents in {PATIENCE:.0f} s"
        if not done.returncode:
            return ""
        said = (done.stderr.strip() or done.stdout.strip())[-200:]
    return f"it could not read the documents ({said})"


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


def searches(field: Sequence[Peer], found: Found, asked: Sequence[str], rounds: int, each: int) -> None:
    """Search, warm, in turns; *each* questions a round, none twice, the same for all."""
    chance, rest = random.Random(5), asked[WARM_UP:]
    each = min(each, len(rest) // rounds)
    with ExitStack() as stack:
        servers = [(peer, stack.enter_context(opened(peer, Path(peer.environment["HOME"])))) for peer in field]
        for peer, server in servers:
            server.greet()
            for query in asked[:WARM_UP]:
                _searched(peer, server, query)
        for number in range(rounds):
            samples: dict[str, list[float]] = {}
            for query in rest[number * each : (number + 1) * each]:
                for peer, server in chance.sample(servers, len(servers)):
                    samples.setdefault(peer.name, []).append(_searched(peer, server, query))
            for name, values in samples.items():
                found.add(SEARCH, name, values)


def _searched(peer: Peer, server: Server, query: str) -> float:
    assert peer.ask is not None
    taken, line = server.timed(request(*peer.ask(query)))
    if b'"result"' not in line or b'"isError":true' in line.replace(b": ", b":"):
        raise Failed(peer.name, f"it did not search: {line[:300]!r}")
    return taken


def answers(library: Library, query: str) -> str:
    """Why *library* does not answer; nothing when it does."""
    try:
        with opened(library.peer, Path(library.peer.environment["HOME"])) as server:
            server.greet()
            _searched(library.peer, server, query)
    except (RuntimeError, OSError) as error:
        return f"it did not answer ({str(error)[:200]})"
    return ""


def _fingerprint(corpus: Path) -> str:
    whole = hashlib.sha256()
    for file in sorted(file for file in corpus.rglob("*") if file.is_file()):
        whole.update(f"{file.relative_to(corpus).as_posix()}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:12]
