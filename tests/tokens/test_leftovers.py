"""Connections of owners that are gone, and what sign-ins left behind."""

from typing import Any

import pytest

from tests.tokens.conftest import DAY, MINUTE, NOW, Portal, ago, findings


@pytest.mark.parametrize(
    ("schema", "column", "parent", "missing"),
    [
        ("id INTEGER PRIMARY KEY", "user_id INTEGER", "users", 2),
        ("uuid TEXT PRIMARY KEY", "owner_id TEXT REFERENCES people (uuid)", "people", 2),
        ("id INTEGER PRIMARY KEY", "tenant_id INTEGER", "users", None),
        ("id INTEGER", "user_id INTEGER", "users", None),
    ],
)
def test_connections_whose_owner_is_gone_are_counted(
    portal: Portal, schema: str, column: str, parent: str, missing: int | None
) -> None:
    """By a foreign key or by its name, where the parent has a key of its own to look in."""
    name = column.split()[0]
    rows = [portal.row(**{name: owner}) for owner in (1, 1, 2, 3, None)]
    portal.save(rows)
    portal.execute(f"CREATE TABLE {parent} ({schema})")
    portal.execute(f"INSERT INTO {parent} VALUES (1)")
    portal.execute(f"ALTER TABLE connections RENAME COLUMN {name} TO gone")
    portal.execute(f"ALTER TABLE connections ADD COLUMN {column}")
    portal.execute(f"UPDATE connections SET {name} = gone")
    found = findings(portal.health())

    assert found.get("owner_missing", {}).get("connections") == missing


@pytest.mark.parametrize("table", ["oauth_states", "authorization_codes", "pkce", "login_state"])
@pytest.mark.parametrize("column", ["created_at", "expiresAt"])
@pytest.mark.parametrize("unit", ["iso", "seconds", "milliseconds"])
def test_states_and_codes_of_sign_ins_that_never_ended_are_counted(
    portal: Portal, table: str, column: str, unit: str
) -> None:
    """Older than ten minutes, in any unit; those of now are left alone."""
    written: dict[str, Any] = {
        "iso": ago,
        "seconds": lambda age: int(NOW.timestamp() - age),
        "milliseconds": lambda age: int(1000 * (NOW.timestamp() - age)),
    }
    portal.save(portal.rows(1))
    portal.execute(f"CREATE TABLE {table} (state, {column})")
    for age in (MINUTE, 9 * MINUTE, 11 * MINUTE, 3 * DAY):
        portal.execute(f"INSERT INTO {table} VALUES ('s', ?)", written[unit](age))
    found = findings(portal.health())["states_left"]

    assert (found["severity"], "2 states or codes" in found["message"]) == ("info", True)


def test_a_table_of_states_that_grows_is_a_warning_and_an_empty_one_nothing(portal: Portal) -> None:
    """Nobody deletes them."""
    portal.save(portal.rows(1))
    portal.execute("CREATE TABLE oauth_states (state, created_at)")
    empty = portal.health()
    for _ in range(40):
        portal.execute("INSERT INTO oauth_states VALUES ('s', ?)", ago(DAY))
    full = portal.health()

    assert "states_left" not in findings(empty)
    assert findings(full)["states_left"]["severity"] == "warning"
    assert any("Delete a state" in advice for advice in full.recommendations)


def test_a_table_of_states_without_a_time_or_with_odd_times_breaks_nothing(portal: Portal) -> None:
    """Nothing is guessed."""
    portal.save(portal.rows(1))
    portal.execute("CREATE TABLE oauth_states (state)")
    portal.execute("CREATE TABLE pkce (verifier, created_at)")
    for odd in (None, "soon", b"\xff", 2**62, -1, 1.5):
        portal.execute("INSERT INTO pkce VALUES ('v', ?)", odd)
    answer = portal.health()

    assert (answer.error, "states_left" in findings(answer)) == (None, False)


@pytest.mark.parametrize(
    ("changes", "shared"), [({}, 2), ({"status": "disconnected"}, None), ({"client_id": "b"}, None)]
)
def test_a_user_who_is_connected_in_two_environments_is_a_finding(
    portal: Portal, changes: dict[str, str], shared: int | None
) -> None:
    """Staging beside production on one client id; another id or a connection out of use does no harm."""
    two = '[d1.databases.staging]\npath = "staging.sqlite"\n'
    staging = Portal(portal.workspace)
    staging.file = portal.workspace / "staging.sqlite"
    portal.declare(two)
    users = [{"external_user_id": f"user-{number}", "client_id": "a"} for number in range(4)]
    portal.save([portal.row(**user) for user in users])
    staging.save([staging.row(**{**user, **changes}) for user in users[:2]] + [staging.row(client_id="a")])
    found = findings(portal.health(database="portal"))
    (portal.workspace / "staging.sqlite").write_bytes(b"broken")

    assert found.get("two_environments", {}).get("connections") == shared
    assert shared is None or "(staging)" in found["two_environments"]["message"]
    assert portal.health(database="portal").error is None
