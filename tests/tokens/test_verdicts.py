"""Each verdict, and which comes first."""

import secrets
from typing import Any

import pytest

from mcp_daan.tokens.columns import recognise
from mcp_daan.tokens.keys import KeyRing, read_key
from mcp_daan.tokens.table import Table
from mcp_daan.tokens.verdicts import judge, verdict_on
from tests.tokens.conftest import DAY, HOUR, MINUTE, NOW, Portal, Row, ago, token

DEAD = "401 unauthorized_client: Old refresh token used."
ENDED = (
    '{"error":"invalid_request","error_description":"The refresh token expired at 2026-10-01 and it is now 2026-11-22"}'
)


def test_a_fresh_connection_is_healthy(portal: Portal) -> None:
    """Both tokens open, refreshed two minutes ago: nothing to do."""
    said = portal.first(portal.row())

    assert (
        said["verdict"], said["confidence"], said["accessExpiresIn"], said["refreshAgeSeconds"], said["nextStep"]
    ) == ("healthy", "high", 480, 120, "Nothing to do.")  # fmt: skip


def test_an_expired_access_token_with_a_fresh_refresh_is_healthy(portal: Portal) -> None:
    """A loop lands on the expiry all the time; only the age of the last refresh counts."""
    said = portal.first(portal.row(refreshed=14 * MINUTE))

    assert (said["verdict"], said["accessExpiresIn"]) == ("healthy", -240)


@pytest.mark.parametrize("stored", [None, "", " ", "undefined", "null"])
@pytest.mark.parametrize("column", ["access_token_enc", "refresh_token_enc"])
def test_a_column_without_a_value_is_a_missing_token(portal: Portal, column: str, stored: str | None) -> None:
    """NULL, nothing, and the words that JavaScript writes for nothing."""
    said = portal.first(portal.row(**{column: stored}))

    assert (said["verdict"], said["confidence"]) == ("missing_token", "high")


@pytest.mark.parametrize("plain", ["", "undefined", "null"])
def test_a_value_that_opens_to_nothing_is_a_missing_token(portal: Portal, plain: str) -> None:
    """The portal sealed `undefined`."""
    said = portal.first(portal.row(refresh_token_enc=portal.seal(plain)))

    assert (said["verdict"], said["confidence"]) == ("missing_token", "medium")


@pytest.mark.parametrize(
    "stored",
    [
        token(),
        "stampBE001.abcd",
        "eyJhbGciOiJub25lIn0.eyJ0ZXN0Ijp0cnVlfQ.",
        "test-refresh-token-4XouI7p6ntjHMoo2ZsIJgOCFGmmHF5BM1wTZVlomYIR3EYA4jhmijQ",
        '{"access_token": "a", "refresh_token": "b"}',
        "a1-" + secrets.token_urlsafe(45),
    ],
    ids=["exact", "belgium", "jwt", "words", "json", "alphabet"],
)
def test_a_token_that_is_not_sealed_is_plaintext_at_rest(portal: Portal, stored: str) -> None:
    """Tokens by their shape, and what stands in another alphabet than the sealed values beside it."""
    assert portal.first(portal.row(refresh_token_enc=stored))["verdict"] == "plaintext_at_rest"


@pytest.mark.parametrize("form", ["hex", "v1"])
def test_a_token_in_a_column_of_another_form_is_plaintext_at_rest(portal: Portal, form: str) -> None:
    """Among values in parts, one whole value in base64url is a token, less surely."""
    from base64 import b64decode, urlsafe_b64encode

    def other(stored: str) -> str:
        raw = b64decode(stored)
        parts = (raw[:12], raw[12:])
        if form == "hex":
            return ":".join(part.hex() for part in parts)
        return "v1:" + ":".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    rows = [portal.row(refresh_token_enc=other(portal.seal())) for _ in range(9)]
    portal.save([portal.row(refresh_token_enc="Zx-" + secrets.token_urlsafe(45)), *rows])
    said = portal.health().data["connections"][0]

    assert (said["id"], said["verdict"], said["confidence"]) == (1, "plaintext_at_rest", "medium")


def test_an_end_that_lies_before_the_last_refresh_is_less_sure(portal: Portal) -> None:
    """The column may not be kept up."""
    stale = portal.first(portal.row(refresh_token_expires_at=ago(DAY)))

    assert (stale["verdict"], stale["confidence"]) == ("needs_reauth", "medium")
    assert any("yet it was refreshed since" in each for each in stale["evidence"])


def test_a_filled_plain_column_beside_the_sealed_one_is_plaintext_at_rest(portal: Portal) -> None:
    """A migration that sealed the tokens and forgot to empty the old column."""
    rows = [{**row, "refresh_token": token() if number == 0 else None} for number, row in enumerate(portal.rows(5))]

    assert portal.verdicts(rows)[1] == "plaintext_at_rest"


def test_a_value_that_no_key_opens_is_undecryptable(portal: Portal) -> None:
    """Sealed with another key, cut short, tampered with, or in another scheme."""
    sealed = portal.seal()
    fernet = "gAAAAABrAyV12Z1PjsonQTebPp3jH34GRUH7ZLT-d24CeQDSRWBoeJ-9kLgrSJkWaluZ3Ycq"
    bad = [portal.seal(key=secrets.token_bytes(32)), sealed[:20] + "=", "[object Object]", fernet]
    bad.append(("B" if sealed[0] == "A" else "A") + sealed[1:])
    verdicts = portal.verdicts([portal.row(access_token_enc=value) for value in bad] + portal.rows(10))

    assert ["undecryptable"] * len(bad) == [verdicts[number] for number in range(1, len(bad) + 1)]


@pytest.mark.parametrize("error", [DEAD, ENDED, "invalid_grant: invalid or empty chainId", "Token has been revoked"])
def test_a_definitive_error_needs_a_new_authorization(portal: Portal, error: str) -> None:
    """Exact Online's own words for a dead chain, none of which is the RFC's."""
    said = portal.first(portal.row(refreshed=HOUR, last_error=error, last_error_at=ago(MINUTE)))

    assert said["verdict"] == "needs_reauth"


def test_an_error_from_before_the_last_refresh_no_longer_counts(portal: Portal) -> None:
    """A sibling refreshed the row after the error was stored."""
    said = portal.first(portal.row(last_error=DEAD, last_error_at=ago(HOUR)))

    assert said["verdict"] == "healthy"
    assert any("no longer counts" in each for each in said["evidence"])


def test_a_dead_error_without_its_moment_on_a_fresh_row_is_less_sure(portal: Portal) -> None:
    """It may have been stored before the refresh that succeeded."""
    fresh = portal.first(portal.row(last_error=DEAD))
    old = portal.first(portal.row(refreshed=2 * HOUR, last_error=DEAD))

    assert [(each["verdict"], each["confidence"]) for each in (fresh, old)] == [
        ("needs_reauth", "medium"),
        ("needs_reauth", "high"),
    ]


def test_a_refresh_token_of_31_days_needs_a_new_authorization(portal: Portal) -> None:
    """Thirty days are customary, not promised: the confidence says so."""
    said = portal.first(portal.row(refreshed=31 * DAY))

    assert (said["verdict"], said["confidence"], said["refreshExpiresIn"]) == ("needs_reauth", "medium", -DAY)


def test_the_row_s_own_end_of_the_refresh_token_goes_before_the_30_days(portal: Portal) -> None:
    """A provider may say how long its refresh tokens live."""
    rows = [
        portal.row(refresh_token_expires_at=ago(MINUTE)),
        portal.row(refresh_token_expires_at=ago(-6 * DAY)),
        portal.row(refreshed=40 * DAY, status="paused", refresh_token_expires_at=ago(-60 * DAY)),
        *portal.rows(9, refresh_token_expires_at=ago(-30 * DAY)),
    ]
    verdicts = portal.verdicts(rows)

    assert [verdicts[number] for number in (1, 2, 3)] == ["needs_reauth", "reauth_soon", "healthy"]


@pytest.mark.parametrize("status", ["revoked", "needs_reauth", "REAUTH-REQUIRED"])
def test_a_grant_that_the_application_gave_up_needs_a_new_authorization(portal: Portal, status: str) -> None:
    """What the application wrote into `status`."""
    assert portal.first(portal.row(status=status))["verdict"] == "needs_reauth"


def test_a_status_beside_an_error_that_no_longer_counts_is_less_sure(portal: Portal) -> None:
    """Only the application's word is left."""
    said = portal.first(portal.row(status="revoked", last_error=DEAD, last_error_at=ago(HOUR)))

    assert (said["verdict"], said["confidence"]) == ("needs_reauth", "medium")


def test_two_active_rows_of_one_user_are_a_duplicate_grant(portal: Portal) -> None:
    """One user and application have one chain of refresh tokens at Exact Online."""
    rows = [portal.row(external_user_id="user-1"), portal.row(external_user_id="user-1"), *portal.rows(5)]
    rows.append(portal.row(external_user_id="user-2", status="disconnected"))
    rows.append(portal.row(external_user_id="user-2"))
    rows.append(portal.row(external_user_id="user-1", provider="moneybird"))
    verdicts = portal.verdicts(rows)

    assert {1, 2} == {number for number, verdict in verdicts.items() if verdict == "duplicate_grant"}


@pytest.mark.parametrize("user", [None, ""])
def test_connections_without_a_known_user_are_no_duplicates(portal: Portal, user: str | None) -> None:
    """Nothing is not the same as nothing."""
    assert set(portal.verdicts(portal.rows(3, external_user_id=user)).values()) == {"healthy"}


def test_a_token_left_in_a_disconnected_row_is_no_duplicate(portal: Portal) -> None:
    """Nobody refreshes that row."""
    same = portal.seal()
    rows = [portal.row(refresh_token_enc=same), portal.row(refresh_token_enc=same, status="disconnected")]

    assert set(portal.verdicts(rows).values()) == {"healthy"}


def test_two_values_that_are_no_tokens_are_no_duplicates_without_a_key(portal: Portal) -> None:
    """`[object Object]` is nobody's grant."""
    portal.save(portal.rows(2, refresh_token_enc="[object Object]"))

    assert portal.health({}).data["counts"]["healthy"] == 2


@pytest.mark.parametrize("error", ["200", "none", "OK", "0"])
def test_a_stored_success_is_no_error(portal: Portal, error: str) -> None:
    """The status of the last answer, or the word for no error."""
    assert portal.first(portal.row(last_error=error))["verdict"] == "healthy"


def test_two_rows_with_one_refresh_token_are_a_duplicate_grant_whatever_seals_it(portal: Portal) -> None:
    """The same token sealed twice shows only after opening."""
    same = token()
    rows = [portal.row(refresh_token_enc=portal.seal(same)) for _ in range(2)] + portal.rows(5)
    portal.save(rows)
    said = {each["id"]: each for each in portal.health().data["connections"]}

    assert [(said[each]["verdict"], said[each]["confidence"]) for each in (1, 2)] == [("duplicate_grant", "high")] * 2


def test_a_connection_that_the_loop_left_behind_is_stuck(portal: Portal) -> None:
    """Older than twice the period and an access token's life, while the others are fresh."""
    late = portal.first(portal.row(refreshed=2 * 300 + 600 + 1))
    edge = portal.first(portal.row(refreshed=2 * 300 + 600))

    assert [late["verdict"], edge["verdict"]] == ["refresh_stuck", "healthy"]
    assert late["scope"] == "one"


def test_the_period_is_the_settings_own(portal: Portal) -> None:
    """An hourly loop leaves an hour between refreshes."""
    portal.declare("[tokens]\nperiod_seconds = 3600\n")

    assert portal.first(portal.row(refreshed=2 * HOUR))["verdict"] == "healthy"


@pytest.mark.parametrize("status", ["paused", "disconnected", "inactive"])
def test_a_connection_that_is_not_in_use_is_not_stuck(portal: Portal, status: str) -> None:
    """The loop passes it over on purpose; its refresh token still ages."""
    rows = [portal.row(refreshed=2 * DAY, status=status), portal.row(refreshed=24 * DAY, status=status)]
    verdicts = portal.verdicts(rows + portal.rows(10))

    assert [verdicts[1], verdicts[2]] == ["healthy", "reauth_soon"]


@pytest.mark.parametrize("error", ["503 Service Unavailable", "429 Too Many Requests", "network: ETIMEDOUT"])
def test_an_error_that_passes_is_degraded_and_never_dead(portal: Portal, error: str) -> None:
    """Rate limits, timeouts and the provider's own failures."""
    said = portal.first(portal.row(last_error=error, last_error_at=ago(MINUTE), refresh_failures=2))

    assert (said["verdict"], said["confidence"]) == ("degraded", "high")


def test_a_count_of_failures_without_an_error_is_degraded(portal: Portal) -> None:
    """Something failed, and nothing says what."""
    said = portal.first(portal.row(refresh_failures=2))

    assert (said["verdict"], said["confidence"]) == ("degraded", "low")


def test_a_refresh_that_came_too_early_is_no_failure(portal: Portal) -> None:
    """Exact Online's "Rate limit exceeded: access_token not expired" tells of an eager loop only."""
    error = "400 access_denied Rate limit exceeded: access_token not expired"

    assert portal.first(portal.row(last_error=error, last_error_at=ago(MINUTE)))["verdict"] == "healthy"


@pytest.mark.parametrize("column", ["access_token_enc", "refresh_token_enc", "refreshed_at"])
def test_without_a_needed_column_the_verdict_is_unknown(portal: Portal, column: str) -> None:
    """Nothing is guessed, and the advice says which column to declare."""
    portal.save(portal.rows(3), without=(column,))
    answer = portal.health()

    assert {"unknown"} == {each["verdict"] for each in answer.data["connections"]}
    assert answer.data["findings"][0]["code"] == "column_missing"


def test_what_holds_without_the_missing_column_still_holds(portal: Portal) -> None:
    """A dead grant is dead whenever it was refreshed."""
    rows = [portal.row(refresh_token_enc=None), portal.row(last_error=DEAD), portal.row()]
    portal.save(rows, without=("refreshed_at",))

    assert {each["id"]: each["verdict"] for each in portal.health().data["connections"]} == {
        1: "missing_token",
        2: "needs_reauth",
        3: "unknown",
    }


@pytest.mark.parametrize("moment", ["soon", "2031-01-01T00:00:00Z", "12"])
def test_a_moment_that_cannot_be_read_or_right_makes_the_verdict_unknown(portal: Portal, moment: str) -> None:
    """A last refresh years ahead was not understood."""
    assert portal.first(portal.row(refreshed_at=moment))["verdict"] == "unknown"


ORDER: list[tuple[str, dict[str, Any]]] = [
    ("missing_token", {"access_token_enc": None}),
    ("plaintext_at_rest", {"refresh_token_enc": token()}),
    ("undecryptable", {"refresh_token_enc": "[object Object]"}),
    ("needs_reauth", {"last_error": DEAD, "last_error_at": ago(0)}),
    ("duplicate_grant", {"external_user_id": "twice"}),
    ("refresh_stuck", {"refreshed_at": ago(24 * DAY)}),
    ("degraded", {"refresh_failures": 3}),
    ("reauth_soon", {"refresh_token_expires_at": ago(-DAY)}),
]


@pytest.mark.parametrize("place", range(len(ORDER) - 1))
def test_the_first_verdict_that_holds_is_given(portal: Portal, place: int) -> None:
    """A row for which a rule and every later one hold."""
    row: Row = portal.row(refresh_token_expires_at=None)
    changed = set()
    for _, changes in ORDER[place:]:
        row |= {name: value for name, value in changes.items() if name not in changed}
        changed |= set(changes)
    twin = portal.row(external_user_id="twice", refresh_token_expires_at=None)
    verdicts = portal.verdicts([row, twin, *portal.rows(10, refresh_token_expires_at=None)])

    assert ORDER[place][0] == verdicts[1]


def test_rows_about_which_nothing_is_peculiar_get_what_the_rules_give(portal: Portal) -> None:
    """The short way to `healthy` and the rules agree on every kind of row."""
    rows = [portal.row(**changes) for _, changes in ORDER] + portal.rows(20)
    rows += [portal.row(refreshed=seconds) for seconds in (0, -HOUR, 600, 1200, 1201, 25 * DAY, 40 * DAY)]
    rows += [portal.row(status=status) for status in ("paused", "revoked", "odd")]
    names = sorted({name for row in rows for name in row})
    key = read_key("current", portal.key.hex())
    columns = recognise("connections", ["id", *names], {}, None)
    table = Table(columns, KeyRing((key,)))  # type: ignore[arg-type]
    by_column = {column: role for role, column in columns.by_role.items()}
    chosen = [name for name in ("id", *names) if name in by_column]
    ordered = [next(name for name in chosen if by_column[name] == role) for role in columns.roles]
    table.add([[number if name == "id" else row.get(name) for name in ordered] for number, row in enumerate(rows)])
    table.finish()
    judged = judge(table, now=NOW.timestamp(), period=300, declared=False, keyed=True)

    assert judged.verdicts == [verdict_on(judged, index) for index in range(len(table))]
