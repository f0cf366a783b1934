"""What lessons_list shows, picks and pages."""

import jsonschema
import pytest

from mcp_daan.toolbox import tools_in
from mcp_daan.tools import lessons


@pytest.fixture
def learned(team):
    """Three lessons on three days and one by hand."""
    for day, title, component in ((20, "D1 rows", "d1"), (21, "KV lags", "workers"), (22, "Tokens rotate", "oauth")):
        team.app.environment = {"DAAN_NOW": f"2026-11-{day}T12:00:00Z"}
        team.call("lessons_append", title=title, problem=f"{title} hurt.", solution="Mend it.", component=component)
    team.view.write_text("# L\n\n## Astro islands\n\nHydrated late on 2026-11-01.\n\n" + team.view.read_text())
    return team


def test_lessons_are_listed_newest_first_with_all_that_the_contract_names(learned) -> None:
    """Handwritten ones among them."""
    answer = learned.call("lessons_list")

    assert [each["title"] for each in answer.data["lessons"]] == [
        "Tokens rotate",
        "KV lags",
        "D1 rows",
        "Astro islands",
    ]
    assert (answer.data["total"], answer.data["nextCursor"]) == (4, None)
    assert {each["branch"] for each in answer.data["lessons"]} == {"main"}
    by_hand = answer.data["lessons"][3]
    assert by_hand == {
        "id": by_hand["id"],
        "title": "Astro islands",
        "component": "astro",
        "date": "2026-11-01",
        "author": None,
        "problem": "Hydrated late on 2026-11-01.",
        "solution": "",
        "evidence": None,
        "path": "backend/LESSONS-LEARNED.md",
        "branch": "main",
        "merged": True,
        "supersededBy": None,
    }
    jsonschema.validate(answer.model_dump(by_alias=True), tools_in(lessons)["lessons_list"].output_schema)


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        ({"component": "oauth"}, ["Tokens rotate"]),
        ({"query": "KV"}, ["KV lags"]),
        ({"query": "hurt mend ROWS"}, ["D1 rows"]),
        ({"query": "absent"}, []),
        ({"since": "2026-11-21"}, ["Tokens rotate", "KV lags"]),
        ({"since": "2026-11-22T10:00:00Z"}, ["Tokens rotate"]),
        ({"since": "2026-11-21", "component": "workers", "query": "lags"}, ["KV lags"]),
    ],
    ids=str,
)
def test_filters_pick_what_matches_them_all(learned, arguments: dict[str, str], titles: list[str]) -> None:
    """Words match anywhere in the text, without regard to case."""
    assert learned.titles(**arguments) == titles


@pytest.mark.parametrize(
    "arguments",
    [{"since": "yesterday"}, {"branches": "some"}, {"component": "x"}, {"limit": 0}, {"query": " "}, {"cursor": "x"}],
    ids=str,
)
def test_wrong_arguments_are_named(learned, arguments: dict[str, object]) -> None:
    """Never guessed."""
    answer = learned.call("lessons_list", **arguments)

    assert answer.error.code == "invalid_arguments"
    assert f"`{next(iter(arguments))}`" in answer.error.message


def test_pages_join_to_the_whole_list(learned) -> None:
    """A page that ends at the limit is complete; a cursor belongs to its arguments."""
    first = learned.call("lessons_list", limit=3)
    second = learned.call("lessons_list", limit=3, cursor=first.data["nextCursor"])
    titles = [each["title"] for page in (first, second) for each in page.data["lessons"]]

    assert titles == learned.titles()
    assert [each.status for each in (first, second)] == ["complete", "complete"]
    assert second.data["nextCursor"] is None
    other = learned.call("lessons_list", limit=3, cursor=first.data["nextCursor"], component="d1")
    assert other.error.code == "invalid_arguments"


def test_the_largest_lessons_fit_an_answer_and_say_that_they_are_shortened(folder_only) -> None:
    """No page is empty, no lesson is passed over, every answer stays within its bytes."""
    folder_only.write("daan.toml", "[limits]\nmax_answer_bytes = 8192\n")
    for letter in "abcdef":
        folder_only.learn(
            letter, problem=f"{letter}日" * 10_000, solution=f"{letter}\n" * 9_000, evidence=letter * 20_000
        )
    titles, cursor, pages = [], None, 0
    while True:
        answer = folder_only.call("lessons_list", **({"cursor": cursor} if cursor else {}))
        assert answer.status == "partial"
        assert len(answer.model_dump_json(by_alias=True).encode()) <= 8192
        assert any("knowledge_read" in each for each in answer.recommendations)
        titles += [each["title"] for each in answer.data["lessons"]]
        pages, cursor = pages + 1, answer.data["nextCursor"]
        if cursor is None:
            break

    assert sorted(titles) == list("abcdef")
    assert pages < 4


def test_a_thousand_lessons_make_no_answer_too_large(folder_only) -> None:
    """The artifacts name folders, not every file."""
    for number in range(60):
        folder_only.learn(f"{number}", problem=f"{number} " * 300, solution=f"{number**3} " * 30, force=True)
    answer = folder_only.call("lessons_list", limit=1000)

    assert answer.status == "partial"
    assert answer.data["nextCursor"] is not None
    assert answer.artifacts == ["docs/knowledge/backend/lessons", "docs/knowledge/backend/LESSONS-LEARNED.md"]


def test_listing_changes_nothing_but_the_view(team) -> None:
    """And on another branch nothing at all."""
    team.git("checkout", "--quiet", "-b", "feature")
    team.learn("First")
    before = {file: file.read_bytes() for file in team.root.rglob("*") if file.is_file()}

    team.call("lessons_list", branches="all")
    assert {file: file.read_bytes() for file in team.root.rglob("*") if file.is_file()} == before


def test_a_file_that_holds_no_lesson_is_named(learned) -> None:
    """What is not UTF-8, in a lesson or in the view, is a hole in the list and no reason to hide the others."""
    file = next(path for path in (learned.view.parent / "lessons").iterdir() if "kv-lags" in path.name)
    file.write_bytes(b"\xff\xfe")
    learned.view.write_bytes(b"\xff\xfe")
    answer = learned.call("lessons_list")

    assert (answer.status, [each["title"] for each in answer.data["lessons"]]) == (
        "partial",
        ["Tokens rotate", "D1 rows"],
    )
    assert any(file.name in each and "LESSONS-LEARNED.md" in each for each in answer.recommendations)


def test_pages_show_each_lesson_once_while_others_write_and_take_out(folder_only) -> None:
    """New ones come first and shift the others; the one that ended a page may be gone."""
    names = [
        folder_only.learn(f"{word} {word[::-1] * 3}").lesson for word in "amber birch cedar dogwood elder fir".split()
    ]
    seen: list[str] = []
    cursor = None
    for number in range(10):
        answer = folder_only.call("lessons_list", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [each["id"] for each in answer.data["lessons"]]
        cursor = answer.data["nextCursor"]
        if cursor is None:
            break
        folder_only.learn(f"Later {number} {'xyzw'[number % 4] * 20}")
        if number == 0:
            (folder_only.folder / "lessons" / answer.data["lessons"][-1]["path"].rsplit("/", 1)[1]).unlink()

    assert sorted(seen) == sorted(each.id for each in names)
    assert len(seen) == 6


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsIm0iXQ", "bnVsbA", "eyJhIjoxfQ"])
def test_a_cursor_that_no_list_gave_is_refused(folder_only, cursor: str) -> None:
    """Nothing is guessed."""
    answer = folder_only.call("lessons_list", cursor=cursor)

    assert answer.error is not None
    assert answer.error.code == "invalid_arguments"
