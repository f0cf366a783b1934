"""VERSION.md, held against tags, packages and migrations."""

import json
from datetime import UTC, date, datetime

import pytest

from mcp_daan.knowledge.dates import written_dates
from mcp_daan.knowledge.validation.versions import read_stated

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_newer_tag_leaves_the_version_behind(team) -> None:
    """The highest tag that is a version counts, not the last one made."""
    for tag in ("v1.10.0", "v1.9.0", "not-a-version", "v2.0.0-beta.1"):
        team.git("tag", tag)

    found = team.only("version_behind")
    assert (found["path"], found["line"], found["severity"]) == ("backend/VERSION.md", 3, "warning")
    assert "v1.10.0" in found["message"]


def test_a_tag_of_the_same_or_an_older_version_is_fine(team) -> None:
    """A tag is made after the commit that it marks; its date does not matter then."""
    team.git("tag", "-a", "-m", "Release", "1.2", day="2026-11-21")

    assert team.findings() == []


def test_without_a_version_the_date_is_held_against_the_tag(team) -> None:
    """VERSION.md of 19 November is older than a tag of the 20th."""
    team.document("VERSION.md", "# Version\n\nDatum: 19 november 2026\n\nSchema: `0002_connections`\n")
    team.write("apps/portal/package.json", "{}")
    team.git("tag", "v9.0.0")

    found = team.only("version_behind")
    assert (found["line"], "v9.0.0" in found["message"]) == (3, True)


def test_a_newer_package_leaves_the_version_behind(team) -> None:
    """The version of an app's package.json."""
    team.write("apps/portal/package.json", '{"name": "portal", "version": "1.2.1"}')

    assert "package.json of portal says 1.2.1" in team.only("version_behind")["message"]


def test_an_app_that_version_md_names_is_held_to_its_own_version(team) -> None:
    """The line that names the app counts, not the first version of the file."""
    team.write("apps/portal/package.json", '{"name": "@team/portal-app", "version": "3.1.0"}')
    text = "# Version\n\nVersion: 1.2.0\nDate: 2026-11-20\n\n| app | version |\n|---|---|\n| @team/portal-app | {} |\n"
    team.document("VERSION.md", text.format("3.1.0"))
    assert team.findings() == []
    team.document("VERSION.md", text.format("3.0.9"))

    assert team.only("version_behind")["line"] == 8


@pytest.mark.parametrize("package", ["not json", '["1.0.0"]', '{"version": 3}', '{"version": "workspace:*"}'])
def test_a_package_without_a_version_says_nothing(team, package) -> None:
    """A broken or odd package.json is no reason to fail."""
    team.write("apps/portal/package.json", package)

    assert team.findings() == []


def test_a_newer_migration_leaves_the_version_behind(team) -> None:
    """By the number that VERSION.md names."""
    team.migration("0003_log.sql", "CREATE VIEW sums AS SELECT 1 AS a;")
    team.apply("0003_log.sql")
    team.describe("The table `sums`.")

    found = team.only("version_behind")
    assert (found["line"], "0003_log.sql" in found["message"]) == (6, True)


@pytest.mark.parametrize(
    ("text", "is_behind"),
    [
        ("Version: 1.2.0\nDate: 2026-11-19", True),
        ("Version: 1.2.0\nDate: 2026-11-20", False),
        ("Version: 1.2.0\n\nNext release: 2027-01-01. Last: 19-11-2026", True),
        ("Version: 1.2.0\nDate: 2026-11-19\n\nNewest migration: 0002", False),
        ("Version: 1.2.0\nDate: 2026-11-20\n\nMigratie 0001", True),
        ("Version: 1.2.0\nDate: 2026-11-20\n\n## History\n\n- `0001_users`", False),
    ],
)
def test_date_or_number_tell_whether_a_migration_is_newer(team, text, is_behind) -> None:
    """The newest migration is 0002, committed on 20 November."""
    team.document("VERSION.md", f"# Version\n\n{text}\n")

    assert [code for code, _ in team.codes()] == ["version_behind"] * is_behind


def test_a_bare_number_is_of_no_database_where_there_are_two(team) -> None:
    """Migration 0002 of one says nothing of 0009 of the other; a file's name is known by its folder."""
    binding = {"binding": "CRM", "database_name": "crm-db", "database_id": "3" * 32}
    team.write("apps/crm/wrangler.json", json.dumps({"name": "crm", "d1_databases": [binding]}))
    team.write("apps/crm/migrations/0009_leads.sql", "CREATE TABLE leads (id INTEGER);")
    team.commit("Add the CRM")
    text = "# Version\n\nVersion: 1.2.0\nDate: 2026-11-20\n\n"
    team.document("VERSION.md", f"{text}Newest migration: 0002\n")
    assert "version_behind" not in [code for code, _ in team.codes()]
    team.document("VERSION.md", f"{text}Newest: `0009_leads`, and `0001_users`\n")

    behind = [each["message"] for each in team.findings() if each["code"] == "version_behind"]
    assert len(behind) == 1
    assert "0002_connections.sql" in behind[0]


def test_a_version_that_cannot_be_read_is_not_behind(team) -> None:
    """It is unchecked, however new the tags are."""
    team.document("VERSION.md", b"\xff\xfe1.0.0")
    team.commit("Break")
    team.git("tag", "-a", "-m", "Release", "v9.0.0", day="2026-11-21")

    team.only("unchecked")


def test_a_date_in_the_name_of_a_migration_counts_where_git_does_not_know_it(team) -> None:
    """As tools name files by the moment."""
    team.migration("20261121103000_log.sql", "CREATE VIEW sums AS SELECT 1 AS a;")
    team.apply("20261121103000_log.sql")
    team.describe("The table `sums`.")
    team.document("VERSION.md", "# Version\n\nVersion: 1.2.0, of 2026-11-20\n")

    assert "2026-11-21" in team.only("version_behind")["message"]


@pytest.mark.parametrize(
    ("text", "version", "line"),
    [
        ("# Versie\n\nVersie: v2.3.1 (22.11.2026)", "2.3.1", 3),
        ("---\nversion: 0.4.0\n---\n# V\n\n1.0.0", "0.4.0", 2),
        ("22.11.2026: 4.5.6-beta.1", "4.5.6-beta.1", 1),
        ("Runs on 127.0.0.1 since 1.0.0", "1.0.0", 1),
        ("| **`1.4`** | 2026 |", "1.4", 1),
        ("Version 3\n", "3", 1),
        ("99.5% of calls, from 2026-11-20 on", None, None),
    ],
)
def test_the_version_is_the_first_number_that_is_one(text, version, line) -> None:
    """Dates, addresses and percentages are none."""
    stated = read_stated(text, "backend/VERSION.md", NOW, NOW.date())

    assert (stated.version, stated.version_line) == (version, line)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-02", date(2026, 11, 2)),
        ("2-11-2026", date(2026, 11, 2)),
        ("02/11/2026", date(2026, 11, 2)),
        ("2 november 2026", date(2026, 11, 2)),
        ("op 2 mrt. 2026", date(2026, 3, 2)),
        ("March 2nd, 2026", date(2026, 3, 2)),
        ("3e mei 2026", date(2026, 5, 3)),
    ],
)
def test_dates_are_read_as_people_write_them(text, day) -> None:
    """English and Dutch, the day before the month."""
    assert [found for found, _ in written_dates(text)] == [day]


def test_what_is_no_date_is_none() -> None:
    """The thirty-first of February, and longer numbers."""
    assert list(written_dates("2026-02-31, 1.2.2026.4 and 12345-11-02")) == []
