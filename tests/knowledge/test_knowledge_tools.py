"""knowledge_search and knowledge_read as an agent calls them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.protocol import to_json
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import knowledge
from tests.asking import run
from tests.knowledge.conftest import Write

TOOLS = tools_in(knowledge)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
# Put together here, so that no file holds anything of a credential's shape.
TOKEN = "cf" + "ut_" + "k3" * 20


def call(app: App, name: str, **arguments: Any) -> dict[str, Any]:
    """The answer as it goes over the wire."""
    answer = run(TOOLS[name], app.for_call(), arguments).model_dump(by_alias=True)
    shown: dict[str, Any] = json.loads(to_json(answer))
    return shown


def pages(app: App, name: str, **arguments: Any) -> list[dict[str, Any]]:
    """Every page of an answer."""
    answers = [call(app, name, **arguments)]
    while answers[-1]["data"]["nextCursor"]:
        answers.append(call(app, name, **arguments, cursor=answers[-1]["data"]["nextCursor"]))
    return answers


def test_search_gives_the_contracts_fields(base: KnowledgeBase, write: Write, app: App) -> None:
    """And artifacts that a person finds in the workspace."""
    write("backend/scraped/kv.md", "---\nscraped_at: 2026-01-01\n---\n# KV\n\n## Consistency\n\nEventual.\n")
    answer = call(app, "knowledge_search", query="eventual consistency", component="workers")
    (result,) = answer["data"]["results"]

    assert answer["status"] == "complete"
    assert answer["artifacts"] == ["docs/knowledge/backend/scraped/kv.md"]
    assert answer["component"] == "workers"
    assert (answer["data"]["total"], answer["data"]["nextCursor"]) == (1, None)
    assert (result["path"], result["section"], result["line"], result["snippet"]) == (
        "backend/scraped/kv.md",
        "KV > Consistency",
        6,
        "Eventual.",
    )
    assert result["score"] > 0
    assert result["ageDays"] > 300


def test_a_result_can_be_read_as_it_stands(base: KnowledgeBase, write: Write, app: App) -> None:
    """Its path and section are the arguments of the next call."""
    write("backend/a.md", "# A\n\n## Setup\n\nfirst\n\n## Setup\n\nsecond needle\n")
    (found,) = call(app, "knowledge_search", query="needle")["data"]["results"]
    read = call(app, "knowledge_read", path=found["path"], section=found["section"])["data"]

    assert read["text"] == "## Setup\n\nsecond needle\n"
    assert read["firstLine"] == found["line"]
    assert read["sections"] == [{"title": "Setup", "level": 2, "line": 7}]


def test_a_migration_that_was_found_can_be_read(base: KnowledgeBase, app: App) -> None:
    """Under the path that the search gave it, and under no other that leads out of the documents."""
    folder = base.workspace.root / "apps" / "portal"
    (folder / "migrations").mkdir(parents=True)
    binding = {"binding": "DB", "database_name": "portal-db", "database_id": "1"}
    (folder / "wrangler.json").write_text(json.dumps({"name": "portal", "d1_databases": [binding]}))
    (folder / "migrations" / "0001_needle.sql").write_text("CREATE TABLE needle (id INTEGER);\n")
    (folder / "other.sql").write_text("SELECT 1;\n")
    (found,) = call(app, "knowledge_search", query="needle")["data"]["results"]
    read = call(app, "knowledge_read", path=found["path"])

    assert read["data"]["text"] == "CREATE TABLE needle (id INTEGER);\n"
    assert read["artifacts"] == ["apps/portal/migrations/0001_needle.sql"]
    assert call(app, "knowledge_read", path=found["path"], section="x")["error"]["code"] == "not_found"
    assert call(app, "knowledge_read", path="apps/portal/other.sql")["error"]["code"] == "not_found"


def test_results_come_in_pages_that_together_are_all_of_them(base: KnowledgeBase, write: Write, app: App) -> None:
    """A page that ends at `limit` is complete."""
    for number in range(25):
        write(f"backend/{number}.md", f"# Page {number}\n\nneedle\n")
    answers = pages(app, "knowledge_search", query="needle", limit=10)
    names = [result["path"] for answer in answers for result in answer["data"]["results"]]

    assert [len(answer["data"]["results"]) for answer in answers] == [10, 10, 5]
    assert len(set(names)) == 25
    assert {answer["status"] for answer in answers} == {"complete"}
    assert {answer["data"]["total"] for answer in answers} == {25}


def test_a_cursor_is_only_good_for_its_own_question_and_files(base: KnowledgeBase, write: Write, app: App) -> None:
    """Else results would be left out or shown twice unnoticed."""
    for number in range(3):
        write(f"backend/{number}.md", "needle other\n")
    cursor = call(app, "knowledge_search", query="needle", limit=1)["data"]["nextCursor"]
    others = [
        call(app, "knowledge_search", query="other", limit=1, cursor=cursor),
        call(app, "knowledge_search", query="needle", limit=1, scope="docs", cursor=cursor),
    ]
    write("backend/new.md", "needle\n")
    others.append(call(app, "knowledge_search", query="needle", limit=1, cursor=cursor))

    assert [answer["error"]["code"] for answer in others] == ["invalid_arguments"] * 3


def test_an_answer_that_bytes_cut_is_partial_and_goes_on(workspace: Path, base: KnowledgeBase, write: Write) -> None:
    """Whole results only."""
    app = App(str(workspace), {"DAAN_LIMITS_MAX_ANSWER_BYTES": "8192"})
    for number in range(60):
        write(f"backend/{number}.md", "# Page\n\nneedle " + "\\" * 200 + "\n")
    answers = pages(app, "knowledge_search", query="needle", limit=50)
    app.close()

    assert sum(len(answer["data"]["results"]) for answer in answers) == 60
    assert answers[0]["status"] == "partial"
    assert max(len(to_json(answer).encode()) for answer in answers) <= 8192


@pytest.mark.parametrize(
    "query",
    [[], ["a"] * 6, [""], ["a", " "], "", "   ", 7, {"a": 1}, "x" * 1_000_000, ["x" * 1_000_000]],
    ids=["none", "six", "empty one", "blank one", "empty", "blank", "number", "object", "1 MB", "1 MB in a list"],
)
def test_a_query_of_the_wrong_form_is_refused_by_name(query: object, base: KnowledgeBase, app: App) -> None:
    """It is neither shortened nor repeated."""
    answer = call(app, "knowledge_search", query=query)

    assert answer["error"]["code"] == "invalid_arguments"
    assert "`query`" in answer["summary"]
    assert len(to_json(answer)) < 1000


def test_a_pasted_log_is_a_query_too(base: KnowledgeBase, write: Write, app: App) -> None:
    """Wherever in it the telling word stands."""
    write("backend/a.md", "needle\n")
    log = " ".join(f"word{number}" for number in range(400)) + " needle"

    assert call(app, "knowledge_search", query=log)["data"]["total"] == 1


def test_nothing_found_says_what_to_try(base: KnowledgeBase, write: Write, app: App) -> None:
    """Other words, everything, another language."""
    write("backend/a.md", "needle\n")
    answer = call(app, "knowledge_search", query="hoe werkt het met de sleutels", scope="lessons")
    advice = " ".join(answer["recommendations"])

    assert (answer["status"], answer["data"]["results"]) == ("complete", [])
    assert all(word in advice for word in ("knowledge_read", "scope", "English"))


def test_a_dutch_question_with_its_english_phrasing_is_not_told_to_add_one(
    base: KnowledgeBase, write: Write, app: App
) -> None:
    """Nor is an English one."""
    write("backend/a.md", "keys\n")
    for query in (["hoe werkt het met de sleutels", "keys"], "how does it work with the keys"):
        answer = call(app, "knowledge_search", query=query)

        assert "English" not in " ".join(answer["recommendations"])


def test_files_that_cannot_be_read_make_the_answer_partial_and_are_named(
    base: KnowledgeBase, write: Write, app: App
) -> None:
    """In search and in the list; reading one says why."""
    write("backend/good.md", "needle\n")
    write("backend/bad.md", b"needle \xff\n")
    searched, listed = call(app, "knowledge_search", query="needle"), call(app, "knowledge_read")
    read = call(app, "knowledge_read", path="backend/bad.md")

    assert [answer["status"] for answer in (searched, listed)] == ["partial", "partial"]
    assert searched["data"]["leftOut"] == ["backend/bad.md"]
    assert all("backend/bad.md" in " ".join(answer["recommendations"]) for answer in (searched, listed))
    assert (read["error"]["code"], "bad.md" in read["summary"]) == ("unavailable", True)


def test_without_documents_of_its_own_a_workspace_is_told_where_answers_come_from(app: App) -> None:
    """The embedded ones answer, and nothing is written."""
    searched, listed = call(app, "knowledge_search", query="D1 row limits"), call(app, "knowledge_read")

    assert all("embedded" in answer["summary"] for answer in (searched, listed))
    assert searched["artifacts"][0].startswith("knowledge://backend/")
    assert "backend/VERSION.md" in [file["path"] for file in listed["data"]["files"]]


def test_documents_text_stays_in_data(base: KnowledgeBase, write: Write, app: App) -> None:
    """A heading may hold an instruction to the agent."""
    write("backend/a.md", "---\ntitle: IGNORE title\n---\n# IGNORE heading\n\n## IGNORE heading\n\nIGNORE text\n")
    answers = [
        call(app, "knowledge_search", query="ignore"),
        call(app, "knowledge_read"),
        call(app, "knowledge_read", path="backend/a.md"),
        call(app, "knowledge_read", path="backend/a.md", section="absent"),
        call(app, "knowledge_read", path="backend/a.md", section="ignore heading"),
    ]

    assert all("IGNORE" in to_json(answer["data"]) for answer in answers)
    assert not any("IGNORE" in to_json([answer["summary"], *answer["recommendations"]]) for answer in answers)


def test_the_list_of_many_files_comes_in_pages(base: KnowledgeBase, write: Write, app: App) -> None:
    """Each of them partial but the last."""
    names = [f"backend/{number:04}-{'x' * 100}.md" for number in range(600)]
    for name in names:
        write(name, "# Title\n")
    answers = pages(app, "knowledge_read")

    assert [file["path"] for answer in answers for file in answer["data"]["files"]] == names
    assert [answer["status"] for answer in answers] == ["partial"] * (len(answers) - 1) + ["complete"]
    assert len(answers) > 1


@pytest.mark.parametrize("max_bytes", [None, 4, 1000, 10**9])
def test_a_long_document_comes_in_pieces_that_are_the_file(
    max_bytes: int | None, base: KnowledgeBase, write: Write, app: App
) -> None:
    """Byte order mark, line endings, escapes, a line longer than a piece, no newline at the end."""
    size = {4: 200, 1000: 20_000}.get(max_bytes or 0, 200_000)
    content = f'\ufeff# A\r\n\r\n"quoted" \\ 🙂\x01\r\n{"z" * size}\r\n\r## B\rend'
    path = write("backend/long.md", content)
    answers = pages(app, "knowledge_read", path="backend/long.md", **({"max_bytes": max_bytes} if max_bytes else {}))

    assert "".join(answer["data"]["text"] for answer in answers).encode() == path.read_bytes()
    assert [answer["status"] for answer in answers] == ["partial"] * (len(answers) - 1) + ["complete"]
    assert max(len(to_json(answer).encode()) for answer in answers) <= 65536
    assert max_bytes != 1000 or max(len(answer["data"]["text"].encode()) for answer in answers) <= 1000


def test_a_document_of_headings_only_still_fits(workspace: Path, base: KnowledgeBase, write: Write) -> None:
    """The headings that do not fit are not listed, and the answer says so."""
    app = App(str(workspace), {"DAAN_LIMITS_MAX_ANSWER_BYTES": "8192"})
    content = "# " + "\\" * 290 + "\n" + "## Heading\n" * 1000
    write("backend/h.md", content)
    answers = pages(app, "knowledge_read", path="backend/h.md")
    app.close()

    assert "".join(answer["data"]["text"] for answer in answers) == content
    assert answers[-1]["status"] == "partial"
    assert "headings" in " ".join(answers[-1]["recommendations"])
    assert max(len(to_json(answer).encode()) for answer in answers) <= 8192


def test_a_secret_is_not_read_in_pieces(base: KnowledgeBase, write: Write, app: App) -> None:
    """A cut through its middle would carry both halves past the last net; the same holds for a snippet."""
    write("backend/a.md", "# A\n\n" + "filler words here\n" * 30 + f"needle {TOKEN} {'tail ' * 60}\n")
    read = "".join(answer["data"]["text"] for answer in pages(app, "knowledge_read", path="backend/a.md", max_bytes=16))
    (found,) = call(app, "knowledge_search", query="needle")["data"]["results"]

    assert "needle *** tail" in read
    assert "needle *** tail" in found["snippet"]


def test_a_secret_longer_than_a_snippet_is_not_shown_by_its_begin(base: KnowledgeBase, write: Write, app: App) -> None:
    """A window that ends inside it holds too little of it for its shape to be seen."""
    long = "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "J" + "abcd" * 100 + "." + "wxyz" * 20
    write("backend/a.md", f"# A\n\nneedle {long} {'tail ' * 60}\n")
    (found,) = call(app, "knowledge_search", query="needle")["data"]["results"]

    assert found["snippet"].startswith("needle *** tail")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"section": "A"}, "invalid_arguments"),
        ({"path": "../daan.toml"}, "refused"),
        ({"path": "backend/link.md"}, "refused"),
        ({"path": "backend/absent.md"}, "not_found"),
        ({"path": "backend/a.md", "section": "absent"}, "not_found"),
        ({"path": "backend/a.md", "max_bytes": 3}, "invalid_arguments"),
        ({"path": "backend/a.md", "max_bytes": "10"}, "invalid_arguments"),
        ({"path": "backend/a.md", "cursor": "x"}, "invalid_arguments"),
        ({"path": "x" * 1_000_000}, "invalid_arguments"),
        ({"path": "backend/a.md", "section": "x" * 1_000_000}, "invalid_arguments"),
    ],
)
def test_what_cannot_be_read_fails_with_advice(
    arguments: dict[str, Any], code: str, base: KnowledgeBase, write: Write, app: App
) -> None:
    """Each in its own way."""
    (base.root / "backend/link.md").symlink_to(write("backend/a.md", "# A\n"))
    answer = call(app, "knowledge_read", **arguments)

    assert answer["error"]["code"] == code
    assert answer["recommendations"] != []


def test_an_empty_document_is_an_empty_text(base: KnowledgeBase, write: Write, app: App) -> None:
    """Not a failure."""
    write("backend/empty.md", "")
    data = call(app, "knowledge_read", path="backend/empty.md")["data"]

    assert (data["text"], data["sections"], data["nextCursor"], data["title"]) == ("", [], None, "empty.md")


def test_reading_and_searching_change_nothing_in_the_workspace(
    workspace: Path, base: KnowledgeBase, write: Write, app: App
) -> None:
    """The index lies in the user's cache folder."""
    write("backend/a.md", "needle\n")
    before = {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
    call(app, "knowledge_search", query="needle")
    call(app, "knowledge_read", path="backend/a.md")

    assert before == {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
