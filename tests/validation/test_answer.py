"""The answer as a whole: holes, components, pages, branches, progress."""

import json
import subprocess
from pathlib import Path

import pytest

from mcp_daan.app import App
from mcp_daan.knowledge.validation.findings import SEVERITIES
from mcp_daan.tools import validation
from tests.asking import run

TOOL = validation.knowledge_validate.__daan_tool__


def test_without_a_local_file_documents_are_held_against_what_the_migrations_make(team) -> None:
    """It is said, the answer is partial, and nothing is known of what is applied."""
    team.file.unlink()
    team.describe("See `users.phone`.")
    answer = team.call()

    assert [(each["code"], each["path"]) for each in answer.data["findings"]] == [
        ("column_missing", "backend/DATABASE.md"),
        ("unchecked", "apps/portal/migrations"),
    ]
    assert "what the migrations of portal-db make" in answer.data["findings"][0]["message"]
    assert answer.data["compared"] == [{"database": "portal-db", "source": "migrations", "tables": 2}]
    assert [each["applied"] for each in answer.data["migrations"]] == [None, None]
    assert answer.status == "partial"
    assert "portal-db has no local file" in answer.recommendations[0]


def test_an_empty_database_is_not_what_the_documents_describe(team) -> None:
    """As after a mistyped id: everything is pending, and the migrations tell what should be."""
    team.file.unlink()
    team.run_sql("CREATE TABLE _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB)")

    assert sorted(code for code, _ in team.codes()) == ["migration_unapplied", "migration_unapplied", "unchecked"]
    assert team.partial is False


@pytest.mark.parametrize("damage", [b"no database at all" * 300, b"SQLite format 3\x00" + b"\xff" * 8000])
def test_a_corrupt_database_is_a_hole_and_not_a_failure(team, damage) -> None:
    """Documents are held against the migrations instead, and the file is named."""
    team.file.write_bytes(damage)
    answer = team.call()

    assert answer.status == "partial"
    assert [each["code"] for each in answer.data["findings"]] == ["unchecked"]
    assert answer.data["findings"][0]["path"] == team.file.relative_to(team.root).as_posix()
    assert answer.recommendations[0].startswith("portal-db: ")


def test_without_database_and_migrations_the_claims_are_unchecked(team) -> None:
    """One note for each document that claims something; nothing counts as right."""
    team.file.unlink()
    for file in (team.portal / "migrations").iterdir():
        file.unlink()
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0\n")

    assert team.codes() == [("unchecked", "apps/portal/migrations"), ("unchecked", "backend/DATABASE.md")]
    assert team.partial is True


def test_a_workspace_without_databases_is_complete(bare) -> None:
    """There is nothing that could not be reached; what is claimed is unchecked."""
    bare.document("DATABASE.md", "# Database\n\n## users\n\n| column | type |\n|---|---|\n| id | INTEGER |\n")
    for name in ("VERSION.md", "LESSONS-LEARNED.md", "TEST-SCENARIOS.md"):
        bare.document(name, "# Plain\n")

    assert bare.codes() == [("unchecked", "backend/DATABASE.md")]
    assert bare.partial is False


def test_databases_that_are_only_remote_are_a_hole(team) -> None:
    """They cannot be reached, so the documents are held against nothing."""
    team.write("apps/portal/wrangler.json", '{"name": "portal"}')
    team.write("daan.toml", '[d1.databases.live]\nid = "22222222-2222-2222-2222-222222222222"\naccount_id = "a"\n')

    assert team.codes() == [("unchecked", "backend/DATABASE.md")]
    assert team.partial is True


def test_a_production_database_without_a_file_is_no_hole_beside_a_local_one(team) -> None:
    """It lives at Cloudflare; the app's local database stands for it."""
    config = json.loads((team.portal / "wrangler.json").read_text())
    config["env"] = {
        "production": {"d1_databases": [{"binding": "DB", "database_name": "portal-live", "database_id": "2" * 32}]}
    }
    team.write("apps/portal/wrangler.json", json.dumps(config))
    answer = team.call()

    assert (answer.status, answer.data["findings"]) == ("complete", [])
    assert {(each["database"], each["applied"]) for each in answer.data["migrations"]} == {
        ("portal-db", True),
        ("portal-live", None),
    }


def test_a_broken_wrangler_configuration_is_a_hole(team) -> None:
    """The other apps are looked at, and the broken one is named."""
    team.write("apps/other/wrangler.toml", "name = = 1")
    answer = team.call()

    assert (answer.status, answer.error) == ("partial", None)
    assert "wrangler.toml in other/" in answer.recommendations[0]


def test_a_migration_that_is_not_utf8_is_a_hole(team) -> None:
    """Nothing is called edited because of it."""
    (team.portal / "migrations/0001_users.sql").write_bytes(b"-- caf\xe9\nCREATE TABLE users (id INTEGER);")
    answer = team.call()

    assert (answer.status, answer.data["findings"]) == ("partial", [])
    assert "0001_users.sql" in answer.recommendations[0]


def test_a_migration_that_is_too_large_to_be_one_is_a_hole(team) -> None:
    """Five megabytes are data, not a schema."""
    file = team.portal / "migrations/0001_users.sql"
    file.write_text(file.read_text() + "-- data\n" * 700_000)

    assert team.codes() == []
    assert team.partial is True


def test_the_table_that_records_migrations_is_not_asked_for(team) -> None:
    """Whatever the configuration calls it."""
    config = json.loads((team.portal / "wrangler.json").read_text())
    config["d1_databases"][0]["migrations_table"] = "applied_files"
    team.write("apps/portal/wrangler.json", json.dumps(config))
    team.run_sql("CREATE TABLE applied_files AS SELECT * FROM d1_migrations")
    answer = team.call()

    assert answer.data["findings"] == []
    assert [each["applied"] for each in answer.data["migrations"]] == [True, True]


def test_a_damaged_repository_is_a_hole(team) -> None:
    """Dates come from the files, branches are not looked at, and the rest is checked."""
    (team.root / ".git/HEAD").write_text("nonsense")
    team.describe("See `users.phone`.")
    answer = team.call()

    assert answer.error is None
    assert answer.status == "partial"
    assert "column_missing" in [each["code"] for each in answer.data["findings"]]
    assert any("Git" in each or "git" in each for each in answer.recommendations)


@pytest.fixture
def branches(team):
    """Two branches beside main: one with a lesson, one with commits that only match; and one that is remote."""
    lesson = "---\nid: a1b2\ntitle: Refresh once\ncomponent: oauth\ndate: 2026-11-01\n---\n# Refresh once\n\n## Problem\n\nTwice.\n\n## Solution\n\nOnce.\n"
    team.git("checkout", "--quiet", "-b", "fix/refresh")
    team.document("lessons/2026-11-01-oauth-refresh-once-a1b2.md", lesson)
    team.lesson = team.commit("Refresh tokens once")
    team.git("checkout", "--quiet", "-b", "feature/worker", "main")
    team.commit("Try another worker")
    team.newest = team.commit("Add a migration that is not there", day="2026-11-21")
    team.git("update-ref", "refs/remotes/origin/feature/d1", team.commit("Look at D1", day="2026-11-21"))
    team.git("checkout", "--quiet", "main")
    team.git("branch", "--quiet", "-D", "feature/worker")
    return team


def test_lessons_and_commits_of_other_branches_are_found(branches) -> None:
    """Local and remote; a lesson is a warning, a commit that only matches a note, one for each branch."""
    answer = branches.call()

    rows = {(each["branch"], each["subject"], each["path"] is not None) for each in answer.data["branchLessons"]}
    assert ("fix/refresh", "Refresh tokens once", True) in rows
    assert ("origin/feature/d1", "Look at D1", False) in rows
    assert all(len(each["commit"]) == 40 for each in answer.data["branchLessons"])
    assert [(each["severity"], each["path"]) for each in answer.data["findings"]] == [
        ("warning", "backend/lessons/2026-11-01-oauth-refresh-once-a1b2.md"),
        ("info", "backend/LESSONS-LEARNED.md"),
    ]
    assert {each["code"] for each in answer.data["findings"]} == {"lesson_unmerged"}
    assert "fix/refresh" in answer.data["findings"][0]["message"]
    assert "3 commits" in answer.data["findings"][1]["message"]
    assert "1 lesson of other branches is not merged here" in answer.summary


def test_a_lesson_that_was_merged_is_no_finding(branches) -> None:
    """After the merge only the other branch is left."""
    branches.git("merge", "--quiet", "--no-edit", "fix/refresh")

    assert [each["severity"] for each in branches.findings()] == ["info"]


def test_the_pattern_of_the_settings_is_used(branches) -> None:
    """`[git] grep` decides which commits are told; a wrong one is a hole."""
    branches.write("daan.toml", "[git]\ngrep = 'nothing at all'\n")
    assert [each["severity"] for each in branches.findings()] == ["warning"]
    branches.write("daan.toml", "[git]\ngrep = '\\('\n")
    branches.findings()

    assert branches.partial is True


def test_a_component_narrows_pages_branches_and_findings(branches) -> None:
    """What is about another component is left out, what is about all stays."""
    branches.document("scraped/workers.md", "---\nscraped_at: 2026-01-01\n---\n# Workers\n")
    branches.document("scraped/misc.md", "---\nscraped_at: 2026-11-01\n---\n# Misc\n")
    branches.document("NOTES.md", "# Notes\n\n[gone](gone.md) and `users.phone` and `connections.refresh_token`.\n")
    all_codes = [code for code, _ in branches.codes()]
    answer = branches.call(component="oauth")

    assert sorted(all_codes) == [
        "broken_link",
        "column_missing",
        "column_missing",
        "lesson_unmerged",
        "lesson_unmerged",
        "stale_file",
    ]
    assert [(each["code"], each["path"]) for each in answer.data["findings"]] == [
        ("column_missing", "backend/NOTES.md"),
        ("broken_link", "backend/NOTES.md"),
        ("lesson_unmerged", "backend/lessons/2026-11-01-oauth-refresh-once-a1b2.md"),
    ]
    assert "connections.refresh_token" in answer.data["findings"][0]["message"]
    assert [each["path"] for each in answer.data["scraped"]] == ["backend/scraped/misc.md"]
    assert {each["branch"] for each in answer.data["branchLessons"]} == {"fix/refresh"}
    assert (answer.component, len(answer.data["files"])) == ("oauth", 4)


def test_a_long_answer_comes_in_pages_that_together_are_the_whole(team) -> None:
    """Gravest findings first, nothing lost or told twice, each page within its bytes."""
    team.write("daan.toml", "[limits]\nmax_answer_bytes = 12000\n")
    team.describe(
        "\n\n".join(
            f"`users.column_that_is_not_there_{number}` is missed.".replace("missed", "used") for number in range(100)
        )
    )
    team.document("NOTES.md", "# Notes\n\n" + "\n\n".join(f"[gone](gone{number}.md)" for number in range(60)))
    pages, cursor = [], None
    while True:
        answer = team.call(**({"cursor": cursor} if cursor else {}))
        assert len(answer.model_dump_json(by_alias=True).encode()) <= 12000
        assert answer.status == ("partial" if answer.data["nextCursor"] else "complete")
        assert answer.data["counts"] == {"error": 100, "warning": 60, "info": 0}
        pages.append(answer.data)
        cursor = answer.data["nextCursor"]
        if cursor is None:
            break

    findings = [each for page in pages for each in page["findings"]]
    assert len(pages) > 2
    assert [each["severity"] for each in findings] == ["error"] * 100 + ["warning"] * 60
    assert len({(each["path"], each["line"]) for each in findings}) == 160
    assert sum(len(page["files"]) for page in pages) == 4
    assert sum(len(page["migrations"]) for page in pages) == 2


def test_a_cursor_of_another_component_is_refused(team) -> None:
    """It belongs to another list."""
    team.write("daan.toml", "[limits]\nmax_answer_bytes = 8192\n")
    team.document("NOTES.md", "# Notes\n\n" + "\n\n".join(f"[gone](gone{number}.md)" for number in range(60)))
    cursor = team.call().data["nextCursor"]
    answer = team.call(component="d1", cursor=cursor)

    assert answer.error is not None
    assert answer.error.code == "invalid_arguments"


@pytest.mark.parametrize("arguments", [{"component": "backend"}, {"component": ""}, {"path": "x"}, {"cursor": ""}])
def test_arguments_are_checked(team, arguments) -> None:
    """Only the contract's components, nothing unknown, nothing empty."""
    answer = team.call(**arguments)

    assert answer.error is not None
    assert answer.error.code == "invalid_arguments"


def test_progress_only_goes_forward(team) -> None:
    """It begins at 0 and ends at 1, with words for a person."""
    told = []
    app = team.app.for_call(lambda done, total, message: told.append((done, total, message)))
    run(TOOL, app, {})
    parts = [done for done, _, _ in told]

    assert parts == sorted(parts)
    assert (parts[0], parts[-1], {total for _, total, _ in told}) == (0, 1, {1})
    assert all(message for *_, message in told)


def test_a_value_of_the_database_is_in_no_answer(team) -> None:
    """Names of tables and columns are told, rows never."""
    team.run_sql("INSERT INTO users(email) VALUES ('private@example.test')")

    assert "private@example.test" not in team.call().model_dump_json()


def test_a_knowledge_folder_elsewhere_is_validated_like_any_other(team) -> None:
    """`[knowledge] path` and `component` of the settings."""
    subprocess.run(["git", "mv", "docs/knowledge/backend", "notes"], cwd=team.root, check=True)
    team.git("mv", "notes", "kb")
    (team.root / "all").mkdir()
    team.git("mv", "kb", "all/team")
    team.commit("Move")
    team.write("daan.toml", "[knowledge]\npath = 'all'\ncomponent = 'team'\n")
    answer = team.call()

    assert answer.data["findings"] == []
    assert answer.data["files"][0]["path"] == "team/VERSION.md"
    assert answer.artifacts[0] == "all/team/VERSION.md"


def test_every_code_has_one_severity_and_a_place_in_the_guide(team: object) -> None:
    """The table of severities covers the contract's sixteen codes."""
    codes = (
        "missing_file stale_file unchecked table_missing table_undocumented column_missing column_undocumented"
        " column_type_differs index_missing migration_unapplied migration_unknown migration_edited broken_link"
        " version_behind limit_outdated lesson_unmerged"
    )

    assert list(SEVERITIES) == codes.split()


def test_two_calls_at_once_agree(team) -> None:
    """Two servers on one workspace do not disturb each other."""
    other = App(str(Path(team.root)), team.environment)
    try:
        first, second = team.call(task_id="T"), run(TOOL, other, {"task_id": "T"})
    finally:
        other.close()

    assert first == second
