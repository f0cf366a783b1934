"""The tool: which database, which page, and what happens when something is wrong."""

import os
from typing import Any

import pytest

from mcp_daan.protocol import Answer
from mcp_daan.tokens.leftovers import LEFTOVERS
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import tokens
from tests.tokens.conftest import DAY, HOUR, Portal, ago


def code(answer: Answer) -> str | None:
    """The error's code."""
    return None if answer.error is None else answer.error.code


def test_the_answer_has_every_field_of_the_contract(portal: Portal) -> None:
    """Names and shapes are fixed."""
    portal.save(portal.rows(1))
    data = portal.health().data
    names = "asOf counts connections loop crypto apiKeys findings grants cloudflare nextCursor".split()
    of_one = "id provider verdict confidence accessExpiresIn refreshAgeSeconds refreshExpiresIn scope evidence nextStep".split()

    assert list(data) == names
    assert list(data["connections"][0]) == of_one
    assert list(data["crypto"]) == ["formats", "keys", "nonceReuse", "duplicates", "undecryptable"]
    assert data["asOf"] == "2026-11-22T12:00:00Z"
    assert (data["grants"], data["cloudflare"], data["apiKeys"]) == (None, None, {"checks": []})


def test_the_tool_reads_only_and_belongs_to_oauth() -> None:
    """What a client may assume."""
    known = tools_in(tokens)

    assert list(known) == ["tokens_health"]
    assert (known["tokens_health"].reads_only, known["tokens_health"].component) == (True, "oauth")


def some_of_each(portal: Portal) -> list[dict[str, Any]]:
    """Rows with five verdicts, healthy ones first."""
    return [
        *portal.rows(3),
        portal.row(refresh_failures=1),
        portal.row(refreshed=5 * HOUR),
        portal.row(refreshed=40 * DAY),
        portal.row(refreshed=31 * DAY),
        portal.row(refreshed=33 * DAY, status="disconnected"),
        portal.row(access_token_enc=None, provider="Moneybird"),
    ]


def test_the_most_urgent_come_first(portal: Portal) -> None:
    """By verdict, then what is in use, then what dies or died first."""
    portal.save(some_of_each(portal))

    assert [each["id"] for each in portal.health().data["connections"]] == [9, 6, 7, 8, 5, 4, 1, 2, 3]


def test_pages_give_every_connection_once_and_exact_counts(portal: Portal) -> None:
    """Whatever the limit."""
    portal.save(some_of_each(portal))
    whole = portal.health()
    seen, cursor = [], None
    for _ in range(5):
        answer = portal.health(limit=2, cursor=cursor)
        seen += answer.data["connections"]
        cursor = answer.data["nextCursor"]
        assert answer.status == "complete"
        assert answer.data["counts"] == whole.data["counts"]

    assert (seen, cursor) == (whole.data["connections"], None)


def test_a_filter_narrows_the_list_and_only_the_provider_the_counts(portal: Portal) -> None:
    """The state asked for is one column of the counts."""
    portal.save(some_of_each(portal))
    stuck = portal.health(state="refresh_stuck")
    bird = portal.health(provider="moneybird")
    none = portal.health(provider="twinfield")

    assert ([each["id"] for each in stuck.data["connections"]], sum(stuck.data["counts"].values())) == ([5], 9)
    assert ([each["id"] for each in bird.data["connections"]], sum(bird.data["counts"].values())) == ([9], 1)
    assert (none.status, none.data["connections"], sum(none.data["counts"].values())) == ("complete", [], 0)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"state": "broken"}, "state"),
        ({"limit": 0}, "limit"),
        ({"provider": ""}, "provider"),
        ({"token": "x"}, "token"),
    ],
)
def test_a_wrong_argument_is_named(portal: Portal, arguments: dict[str, Any], name: str) -> None:
    """Never dropped in silence."""
    portal.save(portal.rows(1))
    answer = portal.health(**arguments)

    assert (code(answer), f"`{name}`" in answer.summary) == ("invalid_arguments", True)


def test_a_cursor_of_another_list_is_refused(portal: Portal) -> None:
    """It would skip or repeat connections."""
    portal.save(portal.rows(4))
    cursor = portal.health(limit=2).data["nextCursor"]

    assert code(portal.health(limit=2, cursor=cursor, provider="exact-online")) == "invalid_arguments"


@pytest.mark.parametrize("most", [8192, 16384, 65536])
def test_an_answer_is_cut_by_bytes_and_says_so(portal: Portal, most: int) -> None:
    """Valid, within bounds, and the next page goes on where it ended."""
    portal.declare(f"[limits]\nmax_answer_bytes = {most}\n")
    portal.save([portal.row(last_error="503", last_error_at=ago(5)) for _ in range(400)])
    seen, cursor = [], None
    while True:
        answer = portal.health(limit=1000, cursor=cursor)
        assert len(answer.model_dump_json().encode()) <= most
        seen += [each["id"] for each in answer.data["connections"]]
        cursor = answer.data["nextCursor"]
        assert answer.status == ("complete" if cursor is None else "partial")
        if cursor is None:
            break

    assert sorted(seen) == list(range(1, 401))


def test_the_least_answer_holds_every_finding_and_a_connection(portal: Portal) -> None:
    """Everything wrong at once, in the fewest bytes that may be set."""
    portal.declare("[limits]\nmax_answer_bytes = 8192\n")
    nonce, old = os.urandom(12), os.urandom(32)
    sealed = {"access_token_enc": portal.seal(nonce=nonce), "refresh_token_enc": portal.seal(portal.seal())}
    lost = {"access_token_enc": portal.seal(key=old), "refresh_token_enc": "v1:" + portal.seal(key=old)}
    rows = [portal.row(refreshed=60, access_token_enc=portal.seal(nonce=nonce)) for _ in range(4)]
    rows += [
        portal.row(refreshed=4 * HOUR, last_error=error) for error in ("Old refresh token used.", "invalid_client")
    ]
    rows += [portal.row(refreshed=4 * HOUR, last_error="access_token not expired", **sealed)]
    rows += [portal.row(refreshed=4 * HOUR, access_expires_at=1795367424, **lost) for _ in range(3)]
    rows += [portal.row(refreshed_at=1795333333000)]
    portal.save(rows)
    portal.execute("CREATE TABLE api_keys (key_hash, secret, prefix, last_used_at, expires_at, revoked_at, scopes)")
    portal.execute("INSERT INTO api_keys VALUES ('x', 'y', NULL, NULL, NULL, NULL, '*')")
    (portal.workspace / "key").write_text("short", encoding="utf-8")
    answer = portal.health({"TOKEN_ENCRYPTION_KEY": portal.key.hex(), "TOKEN_ENCRYPTION_KEY_PREVIOUS": "x"})

    assert answer.error is None
    assert len(answer.data["findings"]) >= 9
    assert answer.data["connections"]


def test_findings_that_do_not_fit_are_left_out_and_that_is_said(portal: Portal) -> None:
    """The lesser ones, of a table that has them all."""
    portal.declare("[limits]\nmax_answer_bytes = 8192\n")
    errors = ("Old refresh token used.", "invalid_client", "access_token not expired")
    rows = [portal.row(last_error=error, last_error_at=ago(-1)) for error in errors]
    rows += [portal.row(refreshed_at=1795333333000), portal.row(access_expires_at=1795367424)]
    portal.save([*rows, portal.row(access_token_enc=portal.seal("", nonce=bytes(12)))])
    whole = portal.health().data["findings"]
    for name in LEFTOVERS:
        portal.execute(f"CREATE TABLE {name} (state, created_at)")
        portal.execute(f"INSERT INTO {name} VALUES ('s', ?)", ago(DAY))
    cut = portal.health()

    assert (cut.status, cut.data["findings"][: len(whole)]) == ("partial", whole)
    assert len(whole) < len(cut.data["findings"]) < len(whole) + len(LEFTOVERS)
    assert any("left out" in advice for advice in cut.recommendations)


def test_progress_is_told_as_rows_are_judged(portal: Portal) -> None:
    """With the total, which is known."""
    portal.save(portal.rows(1) * 4500)
    portal.health(limit=1)

    assert [(done, total) for done, total, _ in portal.progress] == [(2000, 4500), (4000, 4500), (4500, 4500)]


def test_text_that_is_not_utf_8_harms_its_own_value_only(portal: Portal) -> None:
    """In any column of any row."""
    portal.save([portal.row(), *portal.rows(3), portal.row(refreshed=5 * HOUR)])
    for column in ("status", "provider", "refresh_token_enc", "last_error"):
        portal.execute(f"UPDATE connections SET {column} = CAST(x'ff41' AS TEXT) WHERE id = 1")
    counts = portal.health().data["counts"]

    assert (counts["healthy"], counts["refresh_stuck"], counts["undecryptable"]) == (3, 1, 1)


@pytest.mark.parametrize("column", ["access_token_enc", "refreshed_at", "last_error", "status", "external_user_id"])
@pytest.mark.parametrize(
    "value", [0, -1, 2**63 - 1, 1.5, float("inf"), b"", b"\xff\x00", "", "\x00", "é" * 50, "[" * 9000]
)
def test_no_value_of_any_type_breaks_the_answer(portal: Portal, column: str, value: Any) -> None:
    """SQLite keeps any type in any column."""
    portal.save([portal.row(**{column: value}), *portal.rows(2)])
    answer = portal.health()

    assert (answer.error, sum(answer.data["counts"].values())) == (None, 3)


@pytest.mark.parametrize(
    ("identity", "shown"),
    [
        (7, 7),
        (2**60, str(2**60)),
        ("abc", "abc"),
        (None, None),
        (b"\xff\x01", "ff01"),
        (1.5, "1.5"),
        ("x" * 9000, "x" * 200),
    ],
)
def test_an_id_of_any_type_is_shown_as_one(portal: Portal, identity: Any, shown: Any) -> None:
    """Large integers travel as text."""
    portal.execute("CREATE TABLE connections (id, access_token)")
    portal.execute("INSERT INTO connections VALUES (?, NULL)", identity)

    assert portal.health().data["connections"][0]["id"] == shown


# --- which database ---


def test_the_database_that_has_the_connections_is_found(portal: Portal) -> None:
    """Among several, and it may be named."""
    portal.declare('[d1.databases.other]\npath = "other.sqlite"\n[d1.databases.none]\npath = "none.sqlite"\n')
    portal.save(portal.rows(1))
    portal.file.with_name("other.sqlite").write_bytes(b"")

    assert portal.health().artifacts == ["d1://portal"]
    assert portal.health(database="portal").data["counts"]["healthy"] == 1


def test_of_two_tables_of_that_name_the_one_with_tokens_is_meant(portal: Portal) -> None:
    """Two with tokens have to be told apart by the caller."""
    portal.declare('[d1.databases.other]\npath = "other.sqlite"\n')
    other = Portal(portal.workspace)
    other.file = portal.file.with_name("other.sqlite")
    other.execute("CREATE TABLE connections (id, sync)")
    portal.declare('[d1.databases.other]\npath = "other.sqlite"\n')
    portal.save(portal.rows(1))
    first = portal.health()
    other.save(other.rows(1))
    second = portal.health()

    assert first.artifacts == ["d1://portal"]
    assert (code(second), "portal, other" in second.recommendations[0]) == ("invalid_arguments", True)


def test_a_name_that_is_none_is_not_found_with_the_names(portal: Portal) -> None:
    """As for every D1 tool."""
    portal.save(portal.rows(1))
    answer = portal.health(database="portaal")

    assert (code(answer), "portal" in answer.recommendations[0]) == ("not_found", True)


@pytest.mark.parametrize("named", [{}, {"database": "portal"}])
def test_a_database_without_the_table_says_how_to_name_it(portal: Portal, named: dict[str, str]) -> None:
    """And which tables there are."""
    portal.execute("CREATE TABLE grants (id)")
    answer = portal.health(**named)

    assert (code(answer), "[tokens] table" in answer.recommendations[0]) == ("not_found", True)


@pytest.mark.parametrize("named", [{}, {"database": "portal"}])
def test_a_file_that_is_not_there_yet_says_what_makes_it(portal: Portal, named: dict[str, str]) -> None:
    """wrangler makes it on the first run."""
    answer = portal.health(**named)

    assert (code(answer), "migrations" in answer.recommendations[0]) == ("not_found", True)


@pytest.mark.parametrize("named", [{}, {"database": "portal"}])
@pytest.mark.parametrize("damage", ["header", "pages", "text"])
def test_a_damaged_file_is_unavailable_without_a_word_of_it(portal: Portal, damage: str, named: dict[str, str]) -> None:
    """The server goes on."""
    portal.save(portal.rows(300))
    whole = portal.file.read_bytes()
    if damage == "text":
        portal.file.write_text("no database, s3cret-canary", encoding="utf-8")
    elif damage == "header":
        portal.file.write_bytes(os.urandom(100) + whole[100:])
    else:
        portal.file.write_bytes(whole[:4096] + b"\x99" * (len(whole) - 4096))
    answer = portal.health(**named)

    assert code(answer) == "unavailable"
    assert "s3cret" not in answer.model_dump_json()


def test_a_workspace_without_databases_says_how_to_add_one(portal: Portal) -> None:
    """Nothing is guessed."""
    (portal.workspace / "daan.toml").write_text("", encoding="utf-8")
    answer = portal.health()

    assert (code(answer), "wrangler" in answer.recommendations[0]) == ("not_found", True)


def test_a_remote_database_is_said_to_be_out_of_reach(portal: Portal) -> None:
    """Named, or the only one."""
    (portal.workspace / "daan.toml").write_text('[d1.databases.far]\nid = "x"\naccount_id = "y"\n', encoding="utf-8")

    assert [code(portal.health(database="far")), code(portal.health())] == ["unavailable", "not_found"]


def test_reading_leaves_the_folder_as_it_was(portal: Portal) -> None:
    """No file is written, no byte changes."""
    portal.save(portal.rows(5))
    before = {file.name: file.read_bytes() for file in portal.workspace.iterdir()}
    portal.health()

    assert {file.name: file.read_bytes() for file in portal.workspace.iterdir()} == before
