"""Which files are there, and how old they are."""

import os

import pytest

from mcp_daan.workspace import data_folder


def test_where_everything_agrees_nothing_is_found(team) -> None:
    """The whole answer of a clean workspace: complete, all files, no finding, no advice."""
    answer = team.call()

    assert answer.data["findings"] == []
    assert (answer.status, answer.recommendations) == ("complete", [])
    assert answer.data["version"] == "1.2.0"
    assert answer.data["files"] == [
        {
            "path": f"backend/{name}",
            "present": True,
            "updatedAt": "2026-11-20T12:00:00Z",
            "ageDays": 2,
            "bytes": (team.folder / name).stat().st_size,
        }
        for name in ("VERSION.md", "DATABASE.md", "LESSONS-LEARNED.md", "TEST-SCENARIOS.md")
    ]
    assert answer.data["counts"] == {"error": 0, "warning": 0, "info": 0}
    assert answer.data["compared"] == [{"database": "portal-db", "source": "file", "tables": 2}]
    assert answer.artifacts[0] == "docs/knowledge/backend/VERSION.md"


@pytest.mark.parametrize("name", ["VERSION.md", "DATABASE.md", "LESSONS-LEARNED.md", "TEST-SCENARIOS.md"])
def test_each_of_the_four_files_is_missed(team, name) -> None:
    """A missing one is an error, listed as not present, and no component hides it."""
    team.document("TEST-SCENARIOS.md", "# Without links\n")
    (team.folder / name).unlink()
    answer = team.call(component="astro")

    assert [(each["code"], each["severity"], each["path"]) for each in answer.data["findings"]] == [
        ("missing_file", "error", f"backend/{name}")
    ]
    listed = next(each for each in answer.data["files"] if each["path"] == f"backend/{name}")
    assert listed == {"path": f"backend/{name}", "present": False, "updatedAt": None, "ageDays": None, "bytes": 0}


def test_a_link_is_no_file(team, tmp_path) -> None:
    """What lies outside is neither read nor called missing."""
    outside = tmp_path / "outside.md"
    outside.write_text("# Version\n\nVersion: 9.9.9\n")
    (team.folder / "VERSION.md").unlink()
    (team.folder / "VERSION.md").symlink_to(outside)

    assert "is a link" in team.only("missing_file")["message"]
    assert team.call().data["version"] is None


def test_a_knowledge_folder_without_the_component_lacks_all_four(bare) -> None:
    """An empty folder is a workspace of its own: the embedded documents do not stand in for it."""
    (bare.root / "docs/knowledge").mkdir(parents=True)

    assert [code for code, _ in bare.codes()] == ["missing_file"] * 4


def test_git_tells_the_age_whatever_front_matter_and_file_say(team) -> None:
    """A document last committed 181 days ago is stale; one of 180 days is not."""
    team.document("OLD.md", "---\nupdated: 2026-11-22\n---\n# Old\n")
    team.commit("Add", day="2026-05-25")
    team.document("EDGE.md", "# Edge\n")
    team.commit("Add", day="2026-05-26")

    found = team.only("stale_file")
    assert (found["path"], found["severity"]) == ("backend/OLD.md", "warning")
    assert "181 days" in found["message"]


def test_a_document_that_git_does_not_track_is_as_old_as_its_front_matter_says(team) -> None:
    """Of the front matter's dates the update counts."""
    team.document("NEW.md", "---\ndate: 2020-01-01\nbijgewerkt: 1 november 2026\n---\n# New\n")
    team.document("OLD.md", "---\nupdated: 2026-01-01\n---\n# Old\n")

    assert team.codes() == [("stale_file", "backend/OLD.md")]


def test_without_git_and_front_matter_the_file_tells(team) -> None:
    """Its time of writing counts."""
    for name, stamp in (("OLD.md", 1_700_000_000), ("NEW.md", 1_795_000_000)):
        os.utime(team.document(name, "# Plain\n"), (stamp, stamp))

    assert team.codes() == [("stale_file", "backend/OLD.md")]


def test_a_scraped_page_tells_source_and_date_and_is_stale_after_ninety_days(team) -> None:
    """By front matter or by a line of the page, English or Dutch; committing it anew makes it no younger."""
    team.document("scraped/kv.md", "---\nurl: https://example.test/kv\nfetched: 2026-08-23\n---\n# KV\n")
    team.document("scraped/oauth.md", "# OAuth\n\nBron: https://example.test/oauth\nOpgehaald op 1 augustus 2026\n")
    team.document("scraped/astro.html", "<p>Astro</p>")
    team.commit("Scrape")
    answer = team.call()

    assert [(each["path"], each["source"], each["ageDays"], each["component"]) for each in answer.data["scraped"]] == [
        ("backend/scraped/astro.html", None, 2, "astro"),
        ("backend/scraped/d1-limits.md", "https://developers.cloudflare.com/d1/platform/limits/", 21, "d1"),
        ("backend/scraped/kv.md", "https://example.test/kv", 91, "workers"),
        ("backend/scraped/oauth.md", "https://example.test/oauth", 113, "oauth"),
    ]
    assert answer.data["scraped"][3]["scrapedAt"] == "2026-08-01T00:00:00Z"
    assert team.codes() == [("stale_file", "backend/scraped/kv.md"), ("stale_file", "backend/scraped/oauth.md")]


def test_a_page_was_not_fetched_after_it_last_changed(team) -> None:
    """A date in the front matter that git contradicts does not make it younger."""
    team.document("scraped/kv.md", "---\nscraped_at: 2026-11-21\n---\n# KV\n")
    team.commit("Scrape", day="2026-08-01")

    assert team.codes() == [("stale_file", "backend/scraped/kv.md")]


def test_the_ages_are_those_of_the_settings(team) -> None:
    """`stale_days` and `stale_scraped_days` in daan.toml."""
    team.write("daan.toml", "[knowledge]\nstale_days = 1\nstale_scraped_days = 20\n")

    assert {code for code, _ in team.codes()} == {"stale_file"}
    assert len(team.findings()) == 5


def test_lessons_do_not_grow_stale(team) -> None:
    """A lesson is a record of its day."""
    lesson = "---\nid: a1\ntitle: T\ncomponent: d1\ndate: 2024-01-01\n---\n# T\n\n## Problem\n\nP\n\n## Solution\n\nS\n"
    team.document("lessons/2024-01-01-t-a1.md", lesson)
    team.commit("Learn", day="2024-01-01")

    assert [code for code, _ in team.codes()] == []


def test_a_note_that_is_not_utf8_is_unchecked_and_the_rest_is_checked(team) -> None:
    """The answer is partial, names the file and says how to mend it."""
    team.document("NOTE.md", b"# Caf\xe9\n")
    team.describe("`users.nope` is a column.")
    answer = team.call()

    assert [(each["code"], each["path"]) for each in answer.data["findings"]] == [
        ("column_missing", "backend/DATABASE.md"),
        ("unchecked", "backend/NOTE.md"),
    ]
    assert answer.status == "partial"
    assert any("NOTE.md" in each and "UTF-8" in each for each in answer.recommendations)


@pytest.mark.parametrize("name", ["VERSION.md", "DATABASE.md", "LESSONS-LEARNED.md", "TEST-SCENARIOS.md"])
def test_one_of_the_four_that_cannot_be_read_is_there_and_unchecked(team, name) -> None:
    """It is not missing, and nothing fails."""
    team.document("TEST-SCENARIOS.md", "# Without links\n")
    team.document(name, b"\xff\xfe\x00broken")
    answer = team.call()
    listed = {each["path"]: each["present"] for each in answer.data["files"]}

    assert answer.status == "partial"
    assert listed[f"backend/{name}"] is True
    assert [(each["code"], each["path"]) for each in answer.data["findings"]] == [("unchecked", f"backend/{name}")]


def test_the_documents_that_ship_are_in_order(bare) -> None:
    """Without a knowledge base in the workspace the embedded one is validated, and a finding would be ours."""
    answer = bare.call()

    assert answer.data["findings"] == []
    assert [each["present"] for each in answer.data["files"]] == [True] * 4
    assert answer.status == "complete"
    assert "docs/knowledge/backend" in answer.recommendations[0]
    assert answer.artifacts[0] == "knowledge://backend/VERSION.md"


def test_the_users_own_copy_speaks_of_no_workspace_either(bare) -> None:
    """It was made from the documents that ship: links are checked, paths of some team's code are not."""
    folder = data_folder() / "knowledge/backend"
    folder.mkdir(parents=True)
    for name in ("VERSION.md", "DATABASE.md", "LESSONS-LEARNED.md"):
        (folder / name).write_text("# Plain\n\nThe code is in `src/auth.ts`.\n")
    (folder / "TEST-SCENARIOS.md").write_text("# Plain\n\n[gone](gone.md)\n")

    assert bare.codes() == [("broken_link", "backend/TEST-SCENARIOS.md")]


def test_the_documents_that_ship_are_not_held_against_the_workspace(bare) -> None:
    """They speak of no database, path or tag of this team."""
    bare.run_sql("CREATE TABLE anything (id INTEGER)")
    bare.write("daan.toml", f'[d1.databases.any]\npath = "{bare.file.relative_to(bare.root)}"\n')

    assert bare.codes() == []
