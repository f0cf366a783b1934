"""What is applied, pending, unknown and edited."""

from tests.asking import run
from tests.d1.conftest import code, contents
from tests.migrations.conftest import INIT, TOOL, Portal


def test_files_are_held_against_the_record(portal: Portal) -> None:
    """In wrangler's order, without a rehearsal unless asked."""
    portal.migration("0003_c.sql", "CREATE TABLE c(x);")
    portal.apply("0004_d.sql", "CREATE TABLE d(x);")
    answer = portal.state()

    assert answer.status == "complete"
    assert {name: answer.data[name] for name in ("applied", "pending", "unknown", "edited", "rehearsal")} == {
        "applied": ["0001_init.sql", "0004_d.sql"],
        "pending": ["0003_c.sql"],
        "unknown": [],
        "edited": [],
        "rehearsal": None,
    }
    assert (answer.data["gaps"], answer.data["outOfOrder"]) == ([2], ["0003_c.sql"])
    assert answer.artifacts == ["apps/portal/migrations"]


def test_a_record_without_a_file_is_unknown(portal: Portal) -> None:
    """A finding, and then nobody can tell about edits."""
    portal.apply("0002_gone.sql", "CREATE TABLE gone(x);")
    (portal.migrations / "0002_gone.sql").unlink()
    answer = portal.state()

    assert (answer.status, answer.data["unknown"], answer.data["editsKnown"]) == ("complete", ["0002_gone.sql"], False)


def test_an_edited_migration_is_found_by_what_it_would_make(portal: Portal) -> None:
    """With the line at which file and schema differ."""
    portal.migration("0001_init.sql", INIT.replace("name TEXT", "name TEXT,\n  phone TEXT"))
    data = portal.state().data

    assert data["edited"] == ["0001_init.sql"]
    assert [(each["file"], each["line"]) for each in data["edits"]] == [("0001_init.sql", 2)]
    assert "phone" in data["edits"][0]["message"]


def test_comments_and_spaces_are_no_edit(portal: Portal) -> None:
    """Only what the file makes counts."""
    portal.migration("0001_init.sql", "-- first\n" + INIT.replace("(", " (").lower().replace("cascade", "CASCADE"))

    assert portal.state().data["edited"] == []


def test_what_was_made_by_hand_is_told_without_a_file(portal: Portal) -> None:
    """No applied migration was edited then."""
    portal.write("CREATE TABLE byhand(x)")
    answer = portal.state()

    assert (answer.data["edited"], [each["file"] for each in answer.data["edits"]]) == ([], [None])
    assert any("no applied migration makes" in each for each in answer.recommendations)


def test_a_database_that_does_not_exist_yet_has_applied_nothing(fresh: Portal) -> None:
    """And none is made."""
    fresh.migration("0001_init.sql", INIT)
    before = contents(fresh.root)
    data = fresh.state(rehearse=True).data

    assert (data["applied"], data["pending"], data["rehearsal"]["data"]) == ([], ["0001_init.sql"], "empty")
    assert before == contents(fresh.root)


def test_a_remote_database_is_unavailable(portal: Portal) -> None:
    """As it is to every other tool."""
    portal.settings('[d1.databases.far]\nid = "x"\naccount_id = "y"\n')

    assert code(portal.state(database="far")) == "unavailable"


def test_an_unknown_argument_is_named(portal: Portal) -> None:
    """Never dropped."""
    assert code(run(TOOL, portal.app, {"database": "portal-db", "apply": True})) == "invalid_arguments"


def test_many_migrations_come_in_pages(fresh: Portal) -> None:
    """Each exactly once, gravest lists first."""
    fresh.settings("[limits]\nmax_answer_bytes = 8192\n")
    names = [f"{number:04}_{'x' * 60}.sql" for number in range(150)]
    for name in names:
        fresh.migration(name, "SELECT 1;")
    seen, cursor = [], None
    while True:
        answer = fresh.state(**({"cursor": cursor} if cursor else {}))
        assert answer.error is None
        seen += answer.data["pending"]
        cursor = answer.data["nextCursor"]
        assert answer.status == ("partial" if cursor else "complete")
        if cursor is None:
            break

    assert names == seen


def test_a_migration_that_is_no_text_is_told(portal: Portal) -> None:
    """It cannot be rehearsed, nor applied."""
    (portal.migrations / "0002_b.sql").write_bytes(b"\xff\xfe\x00")
    answer = portal.state()

    assert (answer.status, answer.data["pending"]) == ("partial", ["0002_b.sql"])
    assert code(portal.state(rehearse=True)) == "unavailable"
