"""A lesson is written once, whole, where it belongs, or refused with a reason."""

import errno
import os
import stat
from pathlib import Path

import pytest

from mcp_daan.app import App
from mcp_daan.knowledge.lessons import publishing
from mcp_daan.knowledge.lessons.lessons import read_lessons
from mcp_daan.knowledge.lessons.publishing import exclusive, publish
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import lessons
from mcp_daan.workspace import data_folder
from tests.asking import run

LESSON = {
    "title": "D1 rows are limited",
    "problem": "A query gave more rows than an answer holds, so the Worker ran out of memory.",
    "solution": "Page through the rows with a cursor on the primary key.",
    "component": "d1",
}
NEARLY = {**LESSON, "title": "D1 Rows are limited!"}


def test_the_answer_names_the_lesson_and_the_files_that_it_wrote(team) -> None:
    """Path and id are those that lessons_list shows; artifacts are relative to the workspace."""
    answer = team.call("lessons_append", **LESSON, task_id="T-1")
    listed = team.call("lessons_list").data["lessons"]

    assert (answer.task_id, answer.status, answer.lessons_added, answer.component) == ("T-1", "complete", 1, "d1")
    assert (answer.data["id"], answer.data["path"]) == (listed[0]["id"], listed[0]["path"])
    assert answer.data["duplicateOf"] is None
    assert answer.data["similar"] == []
    assert answer.artifacts == [f"docs/knowledge/{answer.data['path']}", "docs/knowledge/backend/LESSONS-LEARNED.md"]
    assert [path for path in answer.artifacts if not (team.root / path).is_file()] == []
    assert listed[0]["problem"] == LESSON["problem"]
    assert listed[0]["date"] == "2026-11-22"


def test_the_id_and_name_rest_on_the_content_alone(folder_only, tmp_path: Path) -> None:
    """The same lesson on the same day is the same file on every branch."""
    one = folder_only.call("lessons_append", **LESSON).data
    for file in (folder_only.folder / "lessons").iterdir():
        file.unlink()

    assert folder_only.call("lessons_append", **LESSON).data == one


def test_the_author_is_the_argument_else_gits_user_else_nobody(team) -> None:
    """A name of git's that may not be kept is left out."""
    team.learn("First")
    team.git("config", "user.name", "Lars\u202e")
    team.learn("Second")
    team.git("config", "user.name", "Lars")
    team.learn("Third")
    team.learn("Fourth", author="Ruben")

    authors = {each["title"]: each["author"] for each in team.call("lessons_list").data["lessons"]}
    assert authors == {"First": None, "Second": None, "Third": "Lars", "Fourth": "Ruben"}


def test_a_near_duplicate_is_a_conflict_that_names_its_twin(folder_only, lesson_files) -> None:
    """With the three nearest others; nothing is written."""
    for title in ("Tokens rotate", "KV lags", "Astro hydrates late", "Cold starts hurt"):
        folder_only.learn(title)
    first = folder_only.call("lessons_append", **LESSON).data["id"]
    before = lesson_files()
    answer = folder_only.call("lessons_append", **NEARLY)

    assert (answer.status, answer.error.code, answer.error.retryable) == ("failed", "conflict", False)
    twin = answer.data["duplicateOf"]
    assert (twin["id"], twin["title"]) == (first, LESSON["title"])
    assert 0.7 <= twin["similarity"] <= 1
    assert len(answer.data["similar"]) == 3
    assert first not in [each["id"] for each in answer.data["similar"]]
    assert lesson_files() == before
    assert any(first in each for each in answer.recommendations)


def test_force_writes_a_near_duplicate_and_still_names_its_twin(folder_only) -> None:
    """The caller looked and decided."""
    first = folder_only.call("lessons_append", **LESSON).data["id"]
    answer = folder_only.call("lessons_append", **NEARLY, force=True)

    assert answer.status == "complete"
    assert answer.data["duplicateOf"]["id"] == first
    assert len(folder_only.titles()) == 2


def test_the_very_same_lesson_is_a_conflict_even_with_force(folder_only) -> None:
    """It has the same id, whoever writes it, whenever."""
    first = folder_only.call("lessons_append", **LESSON).data["id"]
    again = {**LESSON, "problem": LESSON["problem"] + "\r\n\n", "author": "Somebody else", "component": "workers"}
    answer = folder_only.call("lessons_append", **again, force=True, supersedes=first)

    assert answer.error.code == "conflict"
    assert answer.data["duplicateOf"] == {"id": first, "title": LESSON["title"], "similarity": 1.0}
    assert len(folder_only.titles()) == 1


def test_a_lesson_supersedes_an_older_one_and_neither_is_lost(folder_only) -> None:
    """Being like the one it replaces is no reason to refuse it."""
    first = folder_only.call("lessons_append", **LESSON).data["id"]
    answer = folder_only.call("lessons_append", **NEARLY, supersedes=first)

    assert answer.status == "complete"
    assert answer.data["duplicateOf"] is None
    found = {each["id"]: each["supersededBy"] for each in folder_only.call("lessons_list").data["lessons"]}
    assert found == {first: answer.data["id"], answer.data["id"]: None}


def test_a_handwritten_lesson_can_be_superseded_and_is_no_room_for_a_twin(folder_only) -> None:
    """It counts as much as a file does."""
    folder_only.view.write_text(f"# L\n\n## {LESSON['title']}\n\n{LESSON['problem']} {LESSON['solution']}\n")
    hand = folder_only.call("lessons_list").data["lessons"][0]["id"]

    assert folder_only.call("lessons_append", **NEARLY).data["duplicateOf"]["id"] == hand
    assert folder_only.call("lessons_append", **NEARLY, supersedes=hand).status == "complete"
    assert {each["supersededBy"] is None for each in folder_only.call("lessons_list").data["lessons"]} == {True, False}


def test_superseding_what_is_not_there_is_not_found(folder_only, lesson_files) -> None:
    """And makes nothing, not even the folder."""
    answer = folder_only.call("lessons_append", **LESSON, supersedes="0123456789ab")

    assert answer.error.code == "not_found"
    assert lesson_files() == []
    assert not (folder_only.folder / "lessons").exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": ""}, "invalid_arguments"),
        ({"title": " \t"}, "invalid_arguments"),
        ({"title": "x" * 201}, "invalid_arguments"),
        ({"problem": "x" * 20_001}, "invalid_arguments"),
        ({"solution": "x" * 1_000_000}, "invalid_arguments"),
        ({"evidence": ""}, "invalid_arguments"),
        ({"component": "billing"}, "invalid_arguments"),
        ({"force": "yes"}, "invalid_arguments"),
        ({"supersedes": "../../etc"}, "invalid_arguments"),
        ({"sollution": "x"}, "invalid_arguments"),
        ({"title": "two\nlines"}, "refused"),
        ({"author": "two\nlines"}, "refused"),
        ({"problem": "a\x00b"}, "refused"),
        ({"solution": "a\u202eb"}, "refused"),
        ({"evidence": "token ghp_" + "a1" * 20}, "refused"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_may_not_be_written_is_refused_by_the_arguments_name(
    folder_only, lesson_files, change: dict[str, object], code: str
) -> None:
    """Nothing of it is written or repeated."""
    answer = folder_only.call("lessons_append", **{**LESSON, **change})

    assert answer.error.code == code
    assert f"`{next(iter(change))}`" in answer.error.message
    assert "ghp_" not in answer.model_dump_json()
    assert not (folder_only.folder / "lessons").exists()
    assert answer.recommendations != []


def test_a_secret_that_the_server_knows_is_refused(folder_only) -> None:
    """Whatever its shape: here the key of an app's `.dev.vars`."""
    folder_only.write("apps/portal/wrangler.jsonc", '{"name": "portal"}')
    folder_only.write("apps/portal/.dev.vars", "TOKEN_ENCRYPTION_KEY=correct horse battery staple\n")
    answer = folder_only.call("lessons_append", **{**LESSON, "evidence": "Use correct horse battery staple."})

    assert answer.error.code == "refused"
    assert "horse" not in answer.model_dump_json()


def test_the_first_lesson_for_the_embedded_base_makes_a_copy_of_the_users_own(workspace: Path) -> None:
    """The answer says so, its artifacts are knowledge:// URIs, and the installation stays as it was."""
    app = App(str(workspace), {})
    tools = tools_in(lessons)
    shipped = app.knowledge
    before = {file: file.read_bytes() for file in shipped.root.rglob("*") if file.is_file()}
    answer = run(tools["lessons_append"], app, LESSON)
    listed = run(tools["lessons_list"], app.for_call(), {"query": "more rows than an answer holds"})

    assert answer.status == "complete"
    assert "data folder" in answer.summary
    assert answer.artifacts[0] == f"knowledge://{answer.data['path']}"
    assert (data_folder() / "knowledge" / answer.data["path"]).is_file()
    assert [each["id"] for each in listed.data["lessons"]] == [answer.data["id"]]
    assert {file: file.read_bytes() for file in shipped.root.rglob("*") if file.is_file()} == before
    assert list(workspace.iterdir()) == []
    app.close()


def test_a_refused_lesson_copies_nothing(workspace: Path) -> None:
    """Only a write makes the user's own copy."""
    app = App(str(workspace), {})

    run(tools_in(lessons)["lessons_append"], app, {**LESSON, "title": "a\u202eb"})
    assert not data_folder().exists()
    app.close()


@pytest.mark.parametrize("linked", ["docs/knowledge/backend/lessons", "docs/knowledge/backend"])
def test_nothing_is_written_through_a_link(folder_only, tmp_path: Path, linked: str) -> None:
    """A repository may hold a link that leads anywhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    place = folder_only.root / linked
    if place.is_dir():
        place.rmdir()
    place.symlink_to(outside)
    answer = folder_only.call("lessons_append", **LESSON)

    assert answer.error.code == "refused"
    assert list(outside.iterdir()) == []


def test_where_files_cannot_be_linked_they_are_renamed(folder_only, monkeypatch, lesson_files) -> None:
    """FAT and some network file systems know no second name; a taken name is still not overwritten."""

    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    answer = folder_only.call("lessons_append", **LESSON)

    assert answer.status == "complete"
    folder = folder_only.folder / "lessons"
    assert not publish(folder, lesson_files()[0], b"other")
    assert folder_only.titles() == [LESSON["title"]]
    assert len(lesson_files()) == 1


def test_where_folders_cannot_be_locked_a_file_of_the_users_is(folder_only, monkeypatch) -> None:
    """NFS and Windows: the lock holds for the user on that machine, and nobody's half-written file is swept."""
    taken: list[int] = []
    real = publishing.fcntl.flock

    def no_folders(descriptor: int, operation: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EBADF, "Bad file descriptor")
        taken.append(descriptor)
        real(descriptor, operation)

    monkeypatch.setattr(publishing.fcntl, "flock", no_folders)
    orphan = folder_only.write("docs/knowledge/backend/lessons/.mcp-daan-1-a.tmp", "half")

    assert folder_only.call("lessons_append", **LESSON).status == "complete"
    assert len(taken) > 0
    assert orphan.exists()


def test_a_full_or_locked_disk_is_unavailable_and_leaves_no_half_file(folder_only, monkeypatch, lesson_files) -> None:
    """In our words, with what to do."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        (folder_only.folder / "lessons").mkdir()
        answer = folder_only.call("lessons_append", **LESSON)

    assert (answer.error.code, answer.error.retryable) == ("unavailable", True)
    assert "disk is full" in answer.error.message
    assert lesson_files() == []
    assert folder_only.call("lessons_append", **LESSON).status == "complete"


def test_waiting_for_the_lock_is_bounded(folder_only, monkeypatch) -> None:
    """Another process that hangs is named as the reason."""
    folder = folder_only.folder / "lessons"
    folder.mkdir()
    monkeypatch.setattr(publishing, "WAIT_SECONDS", 0.05)
    with exclusive(folder):
        answer = folder_only.call("lessons_append", **LESSON)

    assert (answer.error.code, answer.error.retryable) == ("unavailable", True)
    assert "locked" in answer.error.message


def test_a_name_taken_by_a_damaged_file_is_passed_over(folder_only, lesson_files) -> None:
    """The lesson gets a longer name instead of being called a duplicate for ever."""
    name = folder_only.call("lessons_append", **LESSON).data["path"].rsplit("/", 1)[1]
    (folder_only.folder / "lessons" / name).write_text("torn")
    answer = folder_only.call("lessons_append", **LESSON)

    assert answer.status == "complete"
    assert len(lesson_files()) == 2
    assert len(read_lessons(folder_only.base)) == 1


def test_titles_of_any_script_make_a_name(folder_only) -> None:
    """Names are plain ASCII, short, and never empty."""
    names = [
        folder_only.learn(title, problem=f"Seen {number}.", solution=f"{title}").lesson.path.rsplit("/", 1)[1]
        for number, title in enumerate(("日本語の題名", "Één café", "../../etc/passwd", "x" * 200))
    ]

    assert [name.rsplit("-", 1)[0] for name in names] == [
        "2026-11-22-lesson",
        "2026-11-22-een-cafe",
        "2026-11-22-etc-passwd",
        "2026-11-22-" + "x" * 48,
    ]
