"""Moments in every unit that applications write, told apart by what they can mean."""

import pytest

from mcp_daan.tokens.faults import fault
from mcp_daan.tokens.moments import duration, moment
from tests.tokens.conftest import HOUR, NOW, Portal, ago, findings

SECONDS = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        (SECONDS, "seconds"),
        (float(SECONDS), "seconds"),
        (str(SECONDS), "seconds"),
        (SECONDS * 1000, "milliseconds"),
        (str(SECONDS * 1000), "milliseconds"),
        (SECONDS * 10**6, "microseconds"),
        ("2026-11-22T12:00:00Z", "ISO with zone"),
        ("2026-11-22T13:00:00.000+01:00", "ISO with zone"),
        ("2026-11-22T12:00:00", "ISO without zone"),
        ("2026-11-22 12:00:00", "ISO of SQLite"),
        (b"2026-11-22 12:00:00", "ISO of SQLite"),
    ],
)
def test_a_moment_is_read_in_its_unit(written: object, unit: str) -> None:
    """Each of them is noon of the same day."""
    assert (SECONDS, unit) == moment(written)


@pytest.mark.parametrize(
    "written", ["600", 600, "", "soon", None, b"\xff", "1711121112345678901", -1, float("inf"), "²"]
)
def test_what_is_no_moment_is_none(written: object) -> None:
    """Durations, words, and numbers that no unit makes a moment of this century."""
    assert moment(written) is None


def test_thirteen_digits_are_milliseconds_even_where_python_reads_a_date() -> None:
    """`1711121112345` is also a basic ISO date of the year 1711."""
    assert moment("1711121112345") == (1711121112.345, "milliseconds")


@pytest.mark.parametrize("written", ["600", 600, 600.0, b"600"])
def test_exact_s_expires_in_is_read_as_text_too(written: object) -> None:
    """Exact Online sends a string."""
    assert duration(written) == 600.0


@pytest.mark.parametrize(
    "expires",
    [SECONDS + 480, str(SECONDS + 480), (SECONDS + 480) * 1000, ago(-480), "2026-11-22 12:08:00", "600", 600],
)
def test_the_access_token_s_end_is_told_in_every_unit(portal: Portal, expires: object) -> None:
    """Refreshed two minutes ago, it has eight left."""
    assert portal.first(portal.row(access_expires_at=expires))["accessExpiresIn"] == 480


@pytest.mark.parametrize("kind", [int, float, str])
def test_seconds_and_duration_joined_as_text_are_recognised(portal: Portal, kind: type) -> None:
    """`Math.floor(Date.now() / 1000) + "600"` looks like milliseconds of this very moment."""
    said = portal.first(portal.row(access_expires_at=kind(f"{SECONDS - 120}600")))

    assert (said["verdict"], said["accessExpiresIn"]) == ("healthy", 480)
    assert any("joined as text" in each for each in said["evidence"])


def test_local_time_without_its_zone_is_recognised_by_the_600_seconds(portal: Portal) -> None:
    """Amsterdam's winter time beside a moment in seconds: one hour off, to the minute."""
    row = portal.row(refreshed_at="2026-11-22T12:58:00", access_expires_at=SECONDS + 480)
    said = portal.first(row)

    assert (said["verdict"], said["refreshAgeSeconds"]) == ("healthy", 120)
    assert any("local time without its zone" in each for each in said["evidence"])


def test_an_end_in_local_time_beside_a_refresh_in_seconds_is_recognised_too(portal: Portal) -> None:
    """The access token has eight minutes left, not sixty-eight."""
    said = portal.first(portal.row(refreshed_at=SECONDS - 120, access_expires_at="2026-11-22T13:08:00"))

    assert (said["verdict"], said["accessExpiresIn"]) == ("healthy", 480)


def test_a_mix_of_units_in_one_column_is_a_finding_and_evidence(portal: Portal) -> None:
    """The odd row is named as such, and judged rightly all the same."""
    portal.save([portal.row(access_expires_at=SECONDS + 480), *portal.rows(5)])
    answer = portal.health()
    odd = next(each for each in answer.data["connections"] if each["id"] == 1)

    assert ("units_mixed", findings(answer)["units_mixed"]["connections"]) == ("units_mixed", 1)
    assert "access_expires_at: in seconds, where most rows have ISO with zone" in odd["evidence"]


def test_an_end_that_is_not_600_seconds_after_the_refresh_is_a_finding(portal: Portal) -> None:
    """Milliseconds added to seconds, for example; other providers have other lifetimes."""
    odd = portal.row(access_expires_at=ago(-600_000))
    other = portal.row(provider="moneybird", access_expires_at=ago(-HOUR))
    portal.save([odd, other, *portal.rows(5)])

    assert findings(portal.health())["expiry_arithmetic"]["connections"] == 1


def test_a_clock_that_runs_ahead_is_evidence(portal: Portal) -> None:
    """A refresh a minute in the future is a fast clock, not a fault."""
    said = portal.first(portal.row(refreshed=-60))

    assert (said["verdict"], said["refreshAgeSeconds"]) == ("healthy", -60)
    assert any("clock is fast" in each for each in said["evidence"])


def test_a_connection_never_refreshed_counts_from_when_it_was_made(portal: Portal) -> None:
    """Its tokens are from the customer's sign-in."""
    fresh = portal.row(refreshed_at=None, created_at=ago(60))
    old = portal.row(refreshed_at=None, created_at=ago(5 * HOUR))
    verdicts = portal.verdicts([fresh, old, *portal.rows(5)])

    assert [verdicts[1], verdicts[2]] == ["healthy", "refresh_stuck"]


def test_without_a_column_of_its_own_the_last_change_tells_and_is_less_sure(portal: Portal) -> None:
    """`updated_at` moves with other writes too."""
    portal.save([{**row, "updated_at": row["refreshed_at"]} for row in portal.rows(3)], without=("refreshed_at",))

    assert {("healthy", "medium")} == {
        (each["verdict"], each["confidence"]) for each in portal.health().data["connections"]
    }


@pytest.mark.parametrize(
    ("text", "exact", "meaning"),
    [
        ("401 unauthorized_client Old refresh token used.", True, "broken"),
        ("invalid_request: The refresh token expired at 1/2/2026 and it is now 11/22/2026", True, "dead"),
        ("access_denied Rate limit exceeded: access_token not expired", True, "too_early"),
        ("400 Reason: TooEarlyToRefreshTokens", True, "too_early"),
        ("access_denied", True, "too_early"),
        ("access_denied", False, "revoked"),
        ("invalid_grant: invalid or empty chainId", True, "serialise"),
        ("invalid_grant", False, "revoked"),
        ("invalid_client", True, "client"),
        ("unauthorized_client", True, "revoked"),
        ("unauthorized_client", False, "client"),
        ("HTTP 429", True, "transient"),
        ("502 Bad Gateway", True, "transient"),
        ("Error: fetch failed", True, "transient"),
        ("The operation timed out", True, "transient"),
        ("Rate limit exceeded", True, "transient"),
        ("403 Forbidden", True, "forbidden"),
        ("invalid_request", True, "unclear"),
        ("D1_ERROR: something", True, "unclear"),
    ],
)
def test_a_stored_error_means_what_the_provider_means(text: str, exact: bool, meaning: str) -> None:
    """Exact Online's dictionary before the RFC's codes."""
    assert meaning == fault(text, exact)
