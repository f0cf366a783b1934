"""LESSONS-LEARNED.md: brought up to date on the default branch, people's words untouched."""

from dataclasses import replace

import pytest

from mcp_daan.errors import Unavailable
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.handwritten import END, START
from mcp_daan.knowledge.lessons.lessons import read_lessons
from mcp_daan.knowledge.lessons.view import heal_view, rendered

HUMAN = "\ufeff# Onze lessen\r\n\r\nTabs\tand trailing blanks   \r\n\r\n## D1: by hand\r\n\r\nText.\r\n"


def test_the_view_shows_every_lesson_by_component_newest_first(folder_only) -> None:
    """Title, date, author, link to the file, all texts; superseded ones say so."""
    old = folder_only.learn("Old", author="Lars")
    folder_only.learn("New", supersedes=old.lesson.id)
    folder_only.learn("Elsewhere", component="astro", evidence="Issue 12")

    assert heal_view(folder_only.base)
    text = folder_only.view.read_text()
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == ["# Lessons learned", "## D1", "### New", "### Old", "## Astro", "### Elsewhere"]
    assert "2026-11-22 · Lars · [2026-11-22-old-" in text
    assert "\nSuperseded by [2026-11-22-new-" in text
    assert "**Evidence**\n\nIssue 12\n" in text
    assert not heal_view(folder_only.base)


def test_what_people_wrote_stays_word_for_word(folder_only) -> None:
    """Byte order mark, line endings and trailing blanks too, whether lessons come or go."""
    folder_only.view.write_bytes(HUMAN.encode())
    done = folder_only.learn("First")
    heal_view(folder_only.base)
    written = folder_only.view.read_bytes().decode()

    assert written.startswith(HUMAN)
    assert "\n" not in written.replace("\r\n", "")
    folder_only.view.write_bytes((written + "\r\nBelow.\r\n").encode())
    (folder_only.base.root / done.lesson.path).unlink()
    assert heal_view(folder_only.base)
    kept = folder_only.view.read_bytes().decode()
    assert kept == f"{HUMAN}\r\n{START}\r\n\r\n{END}\r\n\r\nBelow.\r\n"
    assert not heal_view(folder_only.base)


def test_only_generated_lines_are_replaced_when_marks_are_lost_or_doubled(folder_only) -> None:
    """Nothing that a person could have written lies between a start mark and the end mark that follows it."""
    lesson = folder_only.learn("First").lesson
    for human in (f"{START}\n\nOurs.\n", f"Ours.\n\n{END}\n", f"{START}\nold\n{END}\nOurs.\n{START}\nold\n{END}\n"):
        text = rendered(human, [lesson])

        assert "Ours." in text
        assert text.count("### First") == 1
        assert text == rendered(text, [lesson])


def test_on_another_branch_the_view_is_left_alone(team) -> None:
    """So branches cannot conflict in it."""
    team.git("checkout", "--quiet", "-b", "feature")
    team.call("lessons_append", title="First", problem="P", solution="S", component="d1")
    team.titles()

    assert not team.view.exists()
    assert not heal_view(team.base)
    team.commit("lesson")
    team.git("checkout", "--quiet", "main")
    team.git("merge", "--quiet", "--no-edit", "feature")
    assert team.titles() == ["First"]
    assert "### First" in team.view.read_text()


def test_a_detached_head_leaves_the_view_alone(team) -> None:
    """A build machine checks out commits, not branches."""
    team.learn("First")
    team.git("checkout", "--quiet", "--detach")

    assert not heal_view(team.base)


def test_without_lessons_nothing_is_written(folder_only) -> None:
    """Reading an empty knowledge base leaves no trace."""
    before = sorted(folder_only.root.rglob("*"))

    assert not heal_view(folder_only.base)
    assert folder_only.titles() == []
    assert sorted(folder_only.root.rglob("*")) == before


def test_the_embedded_view_is_never_written(folder_only) -> None:
    """It belongs to the installation."""
    folder_only.learn("First")
    base = folder_only.base
    embedded = KnowledgeBase(base.root, base.component, "embedded", base.workspace)

    assert not heal_view(embedded)
    assert not folder_only.view.exists()


def test_the_view_is_the_same_on_every_machine(folder_only) -> None:
    """It rests on the files' contents and names, not on when they were copied."""
    for title in ("One", "Two", "Three"):
        folder_only.learn(title)
    lessons = read_lessons(folder_only.base)

    assert rendered("", lessons) == rendered("", [replace(each, written=0) for each in reversed(lessons)])


def test_a_view_that_is_a_link_is_left_alone_and_the_lesson_still_written(folder_only, tmp_path) -> None:
    """Writing would change a file of elsewhere, or cut the link."""
    outside = tmp_path / "outside.md"
    outside.write_text("theirs")
    folder_only.view.symlink_to(outside)

    answer = folder_only.call("lessons_append", title="First", problem="P", solution="S", component="d1")
    assert answer.status == "complete"
    assert any("is a link" in each for each in answer.recommendations)
    assert outside.read_text() == "theirs"
    assert folder_only.view.is_symlink()


def test_a_view_that_is_not_utf_8_is_left_alone_and_said_so(folder_only) -> None:
    """Its words would be lost otherwise."""
    folder_only.learn("First")
    folder_only.view.write_bytes(b"# caf\xe9\n")

    with pytest.raises(Unavailable):
        heal_view(folder_only.base)

    answer = folder_only.call("lessons_list")
    assert answer.status == "partial"
    assert any("not UTF-8" in each for each in answer.recommendations)
    assert folder_only.view.read_bytes() == b"# caf\xe9\n"


def test_the_views_rights_stay(folder_only) -> None:
    """A file that a group may write stays so."""
    folder_only.view.write_text("# L\n")
    folder_only.view.chmod(0o664)
    folder_only.learn("First")
    heal_view(folder_only.base)

    assert folder_only.view.stat().st_mode & 0o777 == 0o664
