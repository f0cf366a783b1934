"""Reading lessons: files of ours, files that are not, and what people wrote by hand."""

import os

import pytest

from mcp_daan.knowledge.lessons.handwritten import END, START, generated, handwritten
from mcp_daan.knowledge.lessons.lessons import compose, parse, read_lessons
from mcp_daan.knowledge.lessons.similarity import SAME, nearest, pieces, similarity
from mcp_daan.knowledge.markdown import front_matter, lines_of

BY_HAND = """# Lessons learned

An introduction that is no lesson.

## D1 row limits → pagination (2026-10-03)

**Problem:** a query gave too many rows.
More about it.

**Solution:** page with a cursor.

## OAuth

### Refresh tokens rotate

#### Problem

Two workers refreshed at once.

#### Solution

One alarm refreshes.

### An empty heading

Setext lesson
-------------
Astro islands hydrate late.

```md
## Not a heading
```
"""


BIG = b'---\nid: "abc"\ntitle: "T"\n---\n\n## Problem\n\nP\n\n## Solution\n\n' + b"x" * 600_000


def test_lessons_written_by_hand_are_the_headings_of_level_2_and_deeper_with_text() -> None:
    """Their parts are found by label or sub-heading, their component by words, their date where one stands."""
    found = [
        (each.title, each.component, each.date, each.problem, each.solution, each.line) for each in handwritten(BY_HAND)
    ]

    astro = "Astro islands hydrate late.\n\n```md\n## Not a heading\n```"
    assert found == [
        (
            "D1 row limits → pagination (2026-10-03)",
            "d1",
            "2026-10-03",
            "a query gave too many rows.\nMore about it.",
            "page with a cursor.",
            5,
        ),
        ("Refresh tokens rotate", "oauth", None, "Two workers refreshed at once.", "One alarm refreshes.", 14),
        ("Setext lesson", "astro", None, astro, "", 26),
    ]


def test_the_id_of_a_handwritten_lesson_is_that_of_its_words() -> None:
    """The same on every branch and line; an empty component where no word tells."""
    one = handwritten("## Tea\n\nIs hot.\n")
    other = handwritten("# L\n\n## D1\n\nx\n\n## Tea\n\nIs hot.\n")

    assert [one[0].id] == [each.id for each in other if each.title == "Tea"]
    assert one[0].component is None


def test_generated_lines_are_no_handwritten_lessons() -> None:
    """Neither are they when somebody left a mark alone."""
    text = f"## Ours\n\ntext\n\n{START}\n\n## D1\n\n### Generated\n\ntext\n\n{END}\n\n## After\n\ntext\n"

    assert [each.title for each in handwritten(text)] == ["Ours", "After"]
    assert [each.line for each in handwritten(text)] == [1, 15]
    assert generated(lines_of(f"{START}\n## Ours\n{START}\nx\n{END}\n{END}\n")) == [(2, 5)]
    assert generated(lines_of(f"{END}\n## Ours\n{START}\n")) == []


def test_front_matter_is_yaml_that_our_own_reader_understands(folder_only) -> None:
    """Quotes, colons and backslashes in a title come through."""
    title = r"""Say "D1": it's C:\temp # not {yaml} & <b>"""
    written = folder_only.learn(title)
    values, _ = front_matter((folder_only.base.root / written.lesson.path).read_text(encoding="utf-8"))

    assert values["title"] == title
    assert [each.title for each in read_lessons(folder_only.base)] == [title]


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("torn.md", b'---\nid: "abc'),
        ("empty.md", b""),
        ("half.md", b'---\nid: "abc"\ntitle: "T"\n---\n\n# T\n\n## Problem\n\nP\n'),
        ("README.md", b"# Lessons\n\nHow we write them.\n"),
        ("binary.md", b"\xff\xfe\x00"),
        ("big.md", BIG),
        (".hidden.md", b'---\nid: "abc"\ntitle: "T"\n---\n## Problem\n\nP\n\n## Solution\n\nS\n'),
        ("notes.txt", b"x"),
        ("new\nline.md", b'---\nid: "abc"\ntitle: "T"\n---\n## Problem\n\nP\n\n## Solution\n\nS\n'),
        ("evil-id.md", b'---\nid: "../x y"\ntitle: "T"\n---\n## Problem\n\nP\n\n## Solution\n\nS\n'),
    ],
    ids=lambda value: ascii(value) if isinstance(value, str) else "",
)
def test_torn_and_foreign_files_hide_no_lesson(folder_only, name: str, contents: bytes) -> None:
    """They are passed over by every reader, and by the writer."""
    folder_only.learn("First")
    (folder_only.folder / "lessons" / name).write_bytes(contents)
    folder_only.learn("Second")

    assert folder_only.titles() == ["Second", "First"]
    assert (folder_only.folder / "lessons" / name).read_bytes() == contents


def test_links_and_folders_are_no_lessons(folder_only, tmp_path) -> None:
    """A link could show a file of elsewhere."""
    folder_only.learn("First")
    outside = tmp_path / "outside.md"
    outside.write_text('---\nid: "abc"\ntitle: "T"\n---\n## Problem\n\nP\n\n## Solution\n\nS\n')
    (folder_only.folder / "lessons/link.md").symlink_to(outside)
    (folder_only.folder / "lessons/folder.md").mkdir()
    os.mkfifo(folder_only.folder / "lessons/pipe.md")

    assert folder_only.titles() == ["First"]


def test_a_lessons_folder_that_is_a_link_is_not_read(folder_only, tmp_path) -> None:
    """Nor is anything written through it, see test_appending."""
    folder_only.learn("First")
    moved = tmp_path / "moved"
    (folder_only.folder / "lessons").rename(moved)
    (folder_only.folder / "lessons").symlink_to(moved)

    assert read_lessons(folder_only.base) == []


def test_behind_a_link_nothing_is_read_and_no_view_is_healed(folder_only, tmp_path) -> None:
    """The component's folder itself may be a link that leads anywhere."""
    folder_only.learn("First")
    folder_only.titles()
    text = folder_only.view.read_text().replace("### First", "### Altered")
    folder_only.view.write_text(f"{text}\n## By hand\n\ntext\n")
    moved = tmp_path / "moved"
    folder_only.folder.rename(moved)
    folder_only.folder.symlink_to(moved)

    assert folder_only.titles() == []
    assert "### Altered" in (moved / "LESSONS-LEARNED.md").read_text()


def test_people_may_edit_a_lesson_and_it_stays_the_same_one(folder_only) -> None:
    """The id in the file holds, whatever its words become; so what supersedes it still does."""
    first = folder_only.learn("First")
    file = folder_only.base.root / first.lesson.path
    file.write_text(file.read_text().replace("was seen", "was often seen") + "\n## Notes\n\nMore.\n")
    folder_only.learn("Second", supersedes=first.lesson.id)

    found = {each.title: each for each in read_lessons(folder_only.base)}
    assert found["First"].id == first.lesson.id
    assert found["First"].problem == "First was often seen."
    assert found["First"].superseded_by == found["Second"].id


def test_the_same_lesson_in_two_files_is_one_and_a_copy_with_other_words_is_another(folder_only) -> None:
    """Two people wrote it on two days; a third took a file as a template and kept its id."""
    first = folder_only.learn("First")
    file = folder_only.base.root / first.lesson.path
    text = file.read_text()
    file.with_name("2026-11-23-again.md").write_text(text.replace("2026-11-22", "2026-11-23"))
    file.with_name("2026-11-24-template.md").write_text(text.replace("was seen", "was copied and changed"))

    found = read_lessons(folder_only.base)
    assert len(found) == 2
    assert len({each.id for each in found}) == 2


def test_unknown_components_and_dates_are_null(folder_only) -> None:
    """People may write what they like into front matter."""
    done = folder_only.learn("First")
    text = compose(done.lesson).replace('"d1"', '"billing"').replace('"2026-11-22"', '"yesterday"')
    lesson = parse(text, "x.md")

    assert lesson is not None
    assert (lesson.component, lesson.date) == (None, None)


def test_similarity_finds_edits_and_tells_different_lessons_apart() -> None:
    """Case, punctuation and spacing are no difference."""
    one = ("D1 rows are limited", "A query gave more rows than an answer holds.", "Page through them with a cursor.")
    edited = ("D1 Rows are limited!", "A query gave more rows than an answer can hold", "Page through  with a cursor.")
    other = ("KV is eventually consistent", "A key read stale for a minute.", "Keep realtime data in D1.")

    assert similarity(pieces(one), pieces(edited)) >= SAME
    assert similarity(pieces(one), pieces(other)) < 0.3
    assert similarity(pieces(["→"]), pieces(["!"])) == 1
    assert [each.found for each in nearest(one, [("other", other), ("edited", edited)])] == ["edited", "other"]
