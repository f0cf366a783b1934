"""Databases are found where wrangler keeps them."""

from pathlib import Path

import pytest

from mcp_daan.app import App
from mcp_daan.config import D1
from mcp_daan.d1.databases import UNIQUE_KEY, Database, choose, file_name, find_databases
from mcp_daan.errors import InvalidArguments, NotFound
from mcp_daan.local_state import STATE
from mcp_daan.workspace import Workspace

from .conftest import ID, Portal, code

OTHER = "99999999-2222-3333-4444-555555555555"


def found(portal: Portal, **settings: object) -> list[Database]:
    """The databases of the portal's workspace."""
    return find_databases(Workspace(portal.root), D1.model_validate(settings))


def names(portal: Portal, **settings: object) -> list[str]:
    """Their names."""
    return [database.name for database in found(portal, **settings)]


def test_the_file_is_called_as_miniflare_calls_it() -> None:
    """The Durable Object id of the database id, as measured with wrangler 4.164."""
    name = file_name("11111111-2222-3333-4444-555555555555")

    assert (name[:8], name[-10:], len(name)) == ("f023adf8", "e8c.sqlite", 71)


def test_a_binding_leads_to_its_file(portal: Portal) -> None:
    """Name, id, binding, app and path come from the wrangler configuration."""
    [database] = found(portal)

    assert database == Database(
        name="portal-db",
        location="local",
        id=ID,
        path=portal.file,
        binding="DB",
        app="apps/portal",
        migrations=None,
        migrations_table="d1_migrations",
        secret_columns=(),
    )


def test_a_preview_id_names_the_file_and_not_the_database(empty: Portal) -> None:
    """Locally wrangler takes preview_database_id before database_id."""
    empty.bind([{"binding": "DB", "database_name": "a", "database_id": ID, "preview_database_id": "p"}])
    [database] = found(empty)

    assert (ID, file_name("p")) == (database.id, database.path and database.path.name)


def test_a_database_bound_twice_is_listed_once(portal: Portal) -> None:
    """An environment that binds the same database adds nothing."""
    entry = {"binding": "DB", "database_name": "portal-db", "database_id": ID}
    portal.bind([entry], env={"staging": {"d1_databases": [entry]}})

    assert names(portal) == ["portal-db"]


def test_another_database_of_the_same_name_carries_its_environment(portal: Portal) -> None:
    """Staging's own file is told apart."""
    entry = {"binding": "DB", "database_name": "portal-db", "database_id": ID}
    portal.bind([entry], env={"staging": {"d1_databases": [{**entry, "database_id": OTHER}]}})

    assert names(portal) == ["portal-db", "portal-db@staging"]


def test_another_database_of_the_same_name_carries_its_app(portal: Portal) -> None:
    """Two apps with a database each of the same name."""
    portal.bind([{"binding": "DB", "database_name": "portal-db", "database_id": OTHER}], folder="apps/worker")

    assert names(portal) == ["portal-db", "portal-db@worker"]


def test_an_app_that_shares_the_file_of_another_adds_no_absent_twin(portal: Portal) -> None:
    """One database bound in two apps, of which one has the file."""
    portal.bind([{"binding": "DB", "database_name": "portal-db", "database_id": ID}], folder="apps/a")

    assert [portal.file] == [database.path for database in found(portal)]


def test_configured_state_folders_replace_the_default(portal: Portal, tmp_path: Path) -> None:
    """`[d1] persist` is where `--persist-to` pointed, with or without its v3."""
    moved = portal.root / "state/v3/d1" / UNIQUE_KEY
    moved.mkdir(parents=True)
    portal.file.rename(moved / portal.file.name)

    paths = [found(portal, persist=[folder])[0].path for folder in ("state", "state/v3")]

    assert paths == [moved / portal.file.name] * 2


def test_a_configured_path_is_a_local_database(portal: Portal) -> None:
    """`[d1.databases.NAME] path` is relative to daan.toml."""
    [database, *_] = found(portal, databases={"extra": {"path": "data/extra.sqlite"}})

    assert ("extra", "local", portal.root / "data/extra.sqlite") == (database.name, database.location, database.path)


def test_a_configured_path_to_a_bound_file_keeps_what_the_binding_knows(portal: Portal) -> None:
    """The configured name wins, and the file is listed once."""
    path = str(portal.file.relative_to(portal.root))

    [database] = found(portal, databases={"main": {"path": path}})

    assert (database.name, database.binding, database.app, database.id) == ("main", "DB", "apps/portal", ID)


def test_a_configured_entry_without_path_and_id_is_an_error_that_names_it(portal: Portal) -> None:
    """Nothing is guessed."""
    with pytest.raises(InvalidArguments, match=r"d1\.databases\.main"):
        found(portal, databases={"main": {}})


def test_names_are_chosen_local_first_and_remote_by_prefix(portal: Portal) -> None:
    """A local and a remote database may share a name."""
    databases = found(portal, databases={"portal-db": {"id": "r"}, "far": {"id": "f"}})

    chosen = [choose(databases, name).location for name in ("portal-db", "remote:portal-db", "far", "local:portal-db")]

    assert chosen == ["local", "remote", "remote", "local"]


def test_an_unknown_name_is_answered_with_the_names_there_are(portal: Portal) -> None:
    """And with the one that was probably meant."""
    with pytest.raises(NotFound) as failure:
        choose(found(portal), "portaldb")

    assert failure.value.advice == "The databases are: portal-db. Did you mean `portal-db`?"


def test_the_listing_tells_size_tables_and_pending_migrations(portal: Portal) -> None:
    """0003 is the one that the sample's table does not know."""
    folder = portal.folder / "migrations"
    folder.mkdir()
    for name in ("0001_init.sql", "0002_invoices.sql", "0003_new.sql"):
        (folder / name).write_text("SELECT 1;", encoding="utf-8")

    answer = portal.call("d1_databases")

    assert answer.status == "complete"
    assert answer.data["databases"] == [
        {
            "name": "portal-db",
            "location": "local",
            "id": ID,
            "path": str(Path("apps/portal") / STATE / "d1" / UNIQUE_KEY / file_name(ID)),
            "binding": "DB",
            "app": "apps/portal",
            "sizeBytes": portal.file.stat().st_size,
            "tables": 8,
            "migrationsPending": 1,
        }
    ]


def test_a_database_without_a_file_is_listed_and_not_made(empty: Portal) -> None:
    """A hint says how wrangler makes it; looking makes nothing."""
    answer = empty.call("d1_databases")
    [listed] = answer.data["databases"]
    asked = empty.query("SELECT 1")

    assert (listed["tables"], listed["sizeBytes"]) == (0, None)
    assert "No file yet" in answer.recommendations[0]
    assert code(asked) == "not_found"
    assert "`d1_databases`" in asked.recommendations[0]
    assert not (empty.folder / ".wrangler").exists()


def test_other_files_beside_the_database_are_no_databases(portal: Portal) -> None:
    """miniflare's metadata.sqlite, and the empty file that a mistyped id leaves."""
    for name in ("metadata.sqlite", file_name("mistyped")):
        (portal.file.parent / name).write_bytes(b"")

    assert names(portal) == ["portal-db"]


def test_remote_databases_are_listed_as_out_of_reach(portal: Portal) -> None:
    """The listing is partial only when they are asked for."""
    portal.settings('[d1.databases.far]\nid = "f"\n')

    answers = {where: portal.call("d1_databases", location=where) for where in ("local", "remote", "all")}

    assert {where: answer.status for where, answer in answers.items()} == {
        "local": "complete",
        "remote": "partial",
        "all": "partial",
    }
    assert [listed["name"] for listed in answers["all"].data["databases"]] == ["portal-db", "far"]
    assert code(portal.call("d1_query", database="far", sql="SELECT 1")) == "unavailable"
    assert code(portal.call("d1_schema", database="remote:far")) == "unavailable"


def test_a_damaged_database_leaves_the_others_listed(portal: Portal) -> None:
    """The answer is partial and names the damaged one."""
    (portal.root / "broken.sqlite").write_bytes(b"this is no database, however long it is " * 200)
    portal.settings('[d1.databases.broken]\npath = "broken.sqlite"\n')

    answer = portal.call("d1_databases")

    assert answer.status == "partial"
    assert [(each["name"], each["tables"]) for each in answer.data["databases"]] == [("broken", None), ("portal-db", 8)]
    assert answer.recommendations[0].startswith("broken: The file is not a SQLite database.")


def test_an_unreadable_wrangler_configuration_is_told(portal: Portal) -> None:
    """Its databases are missing from the list, so the answer is partial."""
    (portal.root / "apps/bad").mkdir()
    (portal.root / "apps/bad/wrangler.json").write_text("{", encoding="utf-8")

    answer = portal.call("d1_databases")

    assert (answer.status, "wrangler.json in bad/" in answer.recommendations[0]) == ("partial", True)


def test_a_workspace_without_databases_says_how_to_add_one(app: App, workspace: Path) -> None:
    """An empty list is an answer."""
    portal = Portal(workspace)
    (portal.folder / "wrangler.json").unlink()

    answer = portal.call("d1_databases")

    assert (answer.status, answer.data["databases"]) == ("complete", [])
    assert answer.recommendations == [
        "Add a D1 binding to a wrangler configuration, or `[d1.databases.NAME]` to daan.toml."
    ]
    portal.app.close()
