"""The index follows the files, is shared, and is never what makes a call fail."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.retrieval import index, kept
from mcp_daan.knowledge.retrieval.index import consult, scan_documents, scan_migrations
from mcp_daan.workspace import Workspace, cache_folder
from tests.knowledge.conftest import Write

ROOT = Path(__file__).parents[2]


def bodies(base: KnowledgeBase) -> dict[str, str]:
    """The indexed text of each document."""

    def ask(connection: apsw.Connection) -> dict[str, str]:
        rows = connection.execute(
            "SELECT pages.name, group_concat(body, '' ORDER BY places.id) FROM pages"
            " LEFT JOIN places ON page = pages.id LEFT JOIN parts ON parts.rowid = places.id GROUP BY pages.id"
        )
        return dict(rows)

    return consult(str(base.root), scan_documents(base), ("document",), ask)


def index_files() -> list[Path]:
    return sorted(path for path in cache_folder().iterdir() if path.suffix == ".sqlite")


def test_new_changed_and_removed_files_are_noticed_at_once(base: KnowledgeBase, write: Write) -> None:
    """Also a change within one tick of the clock that keeps size and times."""
    path = write("backend/a.md", "one\n")
    write("backend/b.md", "other\n")
    seen = [bodies(base)]
    before = path.stat()
    path.write_text("two\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    seen.append(bodies(base))
    path.unlink()
    seen.append(bodies(base))

    assert seen == [
        {"backend/a.md": "one\n", "backend/b.md": "other\n"},
        {"backend/a.md": "two\n", "backend/b.md": "other\n"},
        {"backend/b.md": "other\n"},
    ]


def test_a_file_that_was_changed_a_moment_ago_is_read_again_the_next_time(base: KnowledgeBase, write: Write) -> None:
    """It could change within the clock's tick, and no stamp would show it; an older one is relied upon."""
    write("backend/fresh.md", "text\n")
    fresh = scan_documents(base)
    old = [source._replace(settled=True, name="backend/old.md") for source in fresh]
    stamps = consult(
        "x", [*fresh, *old], ("document",), lambda each: dict(each.execute("SELECT name, stamp FROM pages"))
    )

    assert stamps == {"backend/fresh.md": "", "backend/old.md": old[0].stamp}
    assert [source.settled for source in fresh] == [False]


def test_a_file_that_is_only_touched_is_not_indexed_anew(base: KnowledgeBase, write: Write) -> None:
    """Its content tells."""
    path = write("backend/a.md", "one\n")
    write("backend/b.md", "two\n")
    ids = []
    for moment in (1, 2):
        os.utime(path, (moment, moment))
        ids.append(
            consult(
                "x", scan_documents(base), ("document",), lambda each: dict(each.execute("SELECT name, id FROM pages"))
            )
        )

    assert ids[0] == ids[1]


def test_an_index_that_is_being_written_for_too_long_is_done_without(
    base: KnowledgeBase, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is as fresh as ever, and the busy file is left to its writer."""
    monkeypatch.setattr(kept, "BUSY_MILLISECONDS", 50)
    path = write("backend/a.md", "one\n")
    bodies(base)
    before = index_files()
    writer = apsw.Connection(str(before[0]))
    writer.execute("BEGIN IMMEDIATE")
    path.write_text("two\n")
    while_busy = bodies(base)
    writer.execute("ROLLBACK")
    writer.close()

    assert while_busy == {"backend/a.md": "two\n"}
    assert index_files() == before


def test_migrations_and_documents_do_not_drive_each_other_out(base: KnowledgeBase, write: Write) -> None:
    """A call that looks at documents only leaves the migrations in the index."""
    write("backend/a.md", "one\n")
    folder = base.workspace.root / "apps/portal"
    (folder / "migrations").mkdir(parents=True)
    (folder / "wrangler.json").write_text('{"d1_databases": [{"binding": "DB", "database_name": "x"}]}')
    (folder / "migrations/0001_init.sql").write_text("CREATE TABLE users (id INTEGER);\n")
    (folder / "migrations/link.sql").symlink_to(base.root / "backend/a.md")
    workspace = Workspace(base.workspace.root)
    migrations = scan_migrations(workspace)
    names = [
        consult(
            "x", sources, kinds, lambda each: each.execute("SELECT group_concat(name ORDER BY name) FROM pages").get
        )
        for sources, kinds in (
            (migrations, ("migration",)),
            (scan_documents(base), ("document",)),
        )
    ]

    assert [source.name for source in migrations] == ["apps/portal/migrations/0001_init.sql"]
    assert names == ["apps/portal/migrations/0001_init.sql", "apps/portal/migrations/0001_init.sql,backend/a.md"]


def test_a_migrations_folder_outside_the_workspace_is_left_alone(workspace: Path, tmp_path: Path) -> None:
    """By a path that climbs, and by a link."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/0001.sql").write_text("CREATE TABLE secret (id);")
    for name, folder in (("climbs", "../../outside"), ("linked", "linked")):
        (workspace / name).mkdir()
        (workspace / name / "wrangler.json").write_text(
            f'{{"d1_databases": [{{"binding": "DB", "migrations_dir": "{folder}"}}]}}'
        )
    (workspace / "linked/linked").symlink_to(tmp_path / "outside")

    assert scan_migrations(Workspace(workspace.resolve())) == []


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "not a database": lambda content: b"this is no database " * 1000,
    "torn": lambda content: content[:4096] + os.urandom(len(content) - 4096),
    "random": lambda content: os.urandom(len(content)),
    "cut off": lambda content: content[: len(content) // 2],
    "a page only": lambda content: content[:4096],
    "another application's": lambda content: another_database(),
}


def another_database() -> bytes:
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE pages(x); INSERT INTO pages VALUES (1); PRAGMA user_version = 7")
    return connection.serialize("main")


@pytest.mark.parametrize("damage", [*DAMAGES, "other tables"])
def test_a_damaged_index_is_made_anew(damage: str, base: KnowledgeBase, write: Write) -> None:
    """No matter how; the damaged file goes."""
    for number in range(50):
        write(f"backend/{number}.md", f"# Page {number}\n\ntext {number}\n" * 50)
    expected = bodies(base)
    (file,) = index_files()
    if damage in DAMAGES:
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    else:
        connection = apsw.Connection(str(file))
        connection.execute("DROP TABLE parts")
        connection.close()

    assert expected == bodies(base)
    assert file not in index_files()
    assert expected == bodies(base)


def test_without_a_cache_folder_the_index_is_held_in_memory(
    base: KnowledgeBase, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands in the folder's place; changes are followed all the same."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    path = write("backend/a.md", "one\n")
    first = bodies(base)
    path.write_text("two\n")

    assert first == {"backend/a.md": "one\n"}
    assert bodies(base) == {"backend/a.md": "two\n"}


def test_an_index_that_cannot_be_opened_is_done_without(base: KnowledgeBase, write: Write) -> None:
    """A folder stands where the file should be."""
    write("backend/a.md", "one\n")
    bodies(base)
    (file,) = index_files()
    file.unlink()
    file.mkdir()

    assert bodies(base) == {"backend/a.md": "one\n"}


def kept_in(base: KnowledgeBase) -> str:
    """The file that the index is kept in; empty for memory."""
    ask = "SELECT file FROM pragma_database_list"
    return str(consult(str(base.root), scan_documents(base), ("document",), lambda each: each.execute(ask).get))


def test_tables_that_another_server_has_just_made_are_taken_as_they_are(base: KnowledgeBase, write: Write) -> None:
    """As if they came between the look and the lock."""
    write("backend/a.md", "one\n")
    bodies(base)
    connection = apsw.Connection(str(index_files()[0]))
    connection.pragma("user_version", 0)
    connection.close()

    assert bodies(base) == {"backend/a.md": "one\n"}
    assert kept_in(base) == str(index_files()[0])
    assert len(index_files()) == 1


def test_a_file_that_cannot_change_its_journal_now_is_used_as_it_is(
    base: KnowledgeBase, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server is reading it just then."""
    monkeypatch.setattr(kept, "BUSY_MILLISECONDS", 50)
    monkeypatch.setattr(index, "SETTLED_NANOSECONDS", 0)
    write("backend/a.md", "one\n")
    bodies(base)
    reader = apsw.Connection(str(index_files()[0]))
    reader.pragma("journal_mode", "delete")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM pages").fetchall()
    file = kept_in(base)
    reader.close()

    assert file == str(index_files()[0])


def test_a_file_that_cannot_be_read_is_noted_and_the_others_are_indexed(base: KnowledgeBase, write: Write) -> None:
    """And it is taken in as soon as it is mended."""
    write("backend/good.md", "good\n")
    bad = write("backend/bad.md", b"caf\xe9\n")
    before = bodies(base)
    bad.write_text("café\n")

    assert before == {"backend/bad.md": None, "backend/good.md": "good\n"}
    assert bodies(base) == {"backend/bad.md": "café\n", "backend/good.md": "good\n"}


PROGRAM = """
import sys
from pathlib import Path
from mcp_daan.config import Knowledge
from mcp_daan.knowledge.base import open_knowledge
from mcp_daan.knowledge.retrieval.index import consult, scan_documents
from mcp_daan.workspace import Workspace
base = open_knowledge(Workspace(Path(sys.argv[1])), Knowledge())
sys.stdin.read()
for _ in range(3):
    print(consult("x", scan_documents(base), ("document",), lambda each: each.execute(
        "SELECT (SELECT count(*) FROM pages), (SELECT count(*) FROM parts), (SELECT count(*) FROM whole),"
        " (SELECT file != '' FROM pragma_database_list)").get))
"""


def four_that_index(base: KnowledgeBase) -> list[subprocess.Popen[str]]:
    """Four processes that wait for the end of their input, and then index *base*."""
    return [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(base.workspace.root)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]


def test_processes_that_index_at_once_share_one_whole_index(base: KnowledgeBase, write: Write) -> None:
    """Every one sees every page exactly once, in the one file; none has to do without it."""
    for number in range(300):
        write(f"backend/{number}.md", f"# Page {number}\n\ntext\n\n## Part\n\nmore\n")
    started = four_that_index(base)
    # Only the first process to be spoken to may have begun before the last one is.
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
    printed = [process.stdout.read() if process.stdout else "" for process in started]
    codes = [process.wait() for process in started]
    for process in started:
        assert process.stdout is not None
        process.stdout.close()

    assert printed == ["(300, 600, 300, 1)\n" * 3] * 4
    assert codes == [0, 0, 0, 0]
    assert len(index_files()) == 1


def test_a_process_that_is_killed_while_indexing_leaves_an_index_that_serves(base: KnowledgeBase, write: Write) -> None:
    """What it had committed stays, the rest is taken in by the next call."""
    for number in range(400):
        write(f"backend/{number}.md", f"# Page {number}\n\n" + "text of the page\n" * 200)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(base.workspace.root)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.close()
    while not (cache_folder().is_dir() and index_files()):
        assert process.poll() is None
    process.kill()
    process.wait()

    assert (
        consult("x", scan_documents(base), ("document",), lambda each: each.execute("SELECT count(*) FROM parts").get)
        == 400
    )


@pytest.mark.parametrize("form", ["empty", "of no version", "of another version"])
def test_a_file_without_our_tables_gets_them(form: str, base: KnowledgeBase, write: Write) -> None:
    """It is as good as none."""
    write("backend/a.md", "one\n")
    bodies(base)
    (file,) = index_files()
    if form == "empty":
        file.write_bytes(b"")
    else:
        connection = apsw.Connection(str(file))
        connection.pragma("user_version", 0 if form == "of no version" else 99)
        connection.close()

    assert bodies(base) == {"backend/a.md": "one\n"}
    assert index_files() == [file]


LIMITED = PROGRAM.replace(
    "sys.stdin.read()",
    "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))",
)


@pytest.mark.parametrize("limit", [0, 40_000, 200_000])
def test_on_a_full_disk_the_answer_is_whole(limit: int, base: KnowledgeBase, write: Write) -> None:
    """As if it filled up at once, or midway; and where there is room again, the kept index serves."""
    for number in range(300):
        write(f"backend/{number}.md", f"# Page {number}\n\n" + f"text of page {number}\n" * 40)
    command = [sys.executable, "-c", LIMITED, str(base.workspace.root), str(limit)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    counted = "SELECT (SELECT count(*) FROM pages), (SELECT file != '' FROM pragma_database_list)"
    again = consult("x", scan_documents(base), ("document",), lambda each: each.execute(counted).get)

    assert done.stdout == "(300, 300, 300, 0)\n" * 3, done.stderr
    assert again == (300, 1)


def test_a_process_that_is_killed_in_the_middle_of_a_write_leaves_no_half_page(
    base: KnowledgeBase, write: Write
) -> None:
    """While three others go on: each page is there once, with both its parts."""
    for number in range(300):
        write(f"backend/{number}.md", f"# Page {number}\n\n" + "text\n" * 100 + "\n## Part\n\nmore\n")
    started = four_that_index(base)
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
    while not (cache_folder().is_dir() and list(cache_folder().glob("*.sqlite-wal"))):  # writing has begun
        assert started[0].poll() is None
    started[0].kill()
    printed = [process.stdout.read() if process.stdout else "" for process in started]
    for process in started:
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    assert printed[1:] == ["(300, 600, 300, 1)\n" * 3] * 3


def test_taking_in_many_files_shows_how_far_it_is(base: KnowledgeBase, write: Write) -> None:
    """After each batch; a few changed files are taken in silently."""
    shown: list[tuple[int, int]] = []
    for number in range(250):
        write(f"backend/{number}.md", "text\n")
    consult(
        "x", scan_documents(base), ("document",), lambda each: None, lambda done, total: shown.append((done, total))
    )
    write("backend/1.md", "other\n")
    settled = [source._replace(settled=True, stamp="old") for source in scan_documents(base)[:5]]
    consult("y", settled, ("document",), lambda each: None, lambda done, total: shown.append((done, total)))

    assert shown == [(100, 250), (200, 250), (250, 250)]
