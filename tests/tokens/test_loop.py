"""Whether the refresh runs, and who is behind, told from one look at the table."""

from typing import Any

import pytest

from mcp_daan.protocol import Answer
from tests.tokens.conftest import DAY, HOUR, MINUTE, Portal, ago, findings


def answer_for(portal: Portal, ages: list[float], **changes: Any) -> Answer:
    """The answer for connections refreshed so many seconds ago."""
    portal.save([portal.row(refreshed=age, **changes) for age in ages])
    return portal.health(limit=1000)


def verdicts(answer: Answer) -> list[str]:
    """The verdicts by id."""
    ordered = sorted(answer.data["connections"], key=lambda each: each["id"])
    return [each["verdict"] for each in ordered]


def test_a_loop_that_refreshes_everyone_runs(portal: Portal) -> None:
    """Batches show how far apart the refreshes are."""
    answer = answer_for(portal, [20, 22, 25, 320, 322, 325])

    assert answer.data["loop"] == {
        "state": "running",
        "lastRefreshAt": "2026-11-22T11:59:40Z",
        "medianIntervalSeconds": 300,
    }


def test_the_interval_of_connections_with_times_of_their_own_is_twice_their_median_age(portal: Portal) -> None:
    """A moment taken at random falls in the middle of the interval."""
    answer = answer_for(portal, list(range(0, 300, 5)))

    assert answer.data["loop"]["medianIntervalSeconds"] == pytest.approx(300, abs=10)


def test_one_batch_does_not_tell_an_interval(portal: Portal) -> None:
    """Nothing is made up."""
    assert answer_for(portal, [20, 21, 22]).data["loop"]["medianIntervalSeconds"] is None


def test_a_loop_that_stopped_is_stuck_for_all(portal: Portal) -> None:
    """Everyone was last refreshed at about the same moment, hours ago."""
    answer = answer_for(portal, [2 * HOUR + second for second in range(10)])

    assert answer.data["loop"]["state"] == "stuck"
    assert verdicts(answer) == ["refresh_stuck"] * 10
    assert {each["scope"] for each in answer.data["connections"]} == {"all"}
    assert "cron trigger" in answer.data["connections"][0]["nextStep"]
    assert findings(answer)["loop_stuck"]["connections"] == 10


def test_a_dead_row_does_not_hide_that_all_others_are_stuck(portal: Portal) -> None:
    """Only connections that the loop could refresh count."""
    rows = [portal.row(refreshed=2 * HOUR) for _ in range(5)]
    rows += [portal.row(refresh_token_enc=None), portal.row(refreshed=40 * DAY), portal.row(status="paused")]
    rows += [portal.row(refreshed=2 * HOUR, last_error="Old refresh token used.")]
    portal.save(rows)
    answer = portal.health()
    stuck = [each for each in answer.data["connections"] if each["verdict"] == "refresh_stuck"]

    assert answer.data["loop"]["state"] == "stuck"
    assert [each["scope"] for each in stuck] == ["all"] * 5


def test_some_behind_while_the_loop_runs_are_stuck(portal: Portal) -> None:
    """The scope tells a part from one and from all."""
    answer = answer_for(portal, [3 * HOUR, 3 * HOUR, *[MINUTE] * 10])

    assert answer.data["loop"]["state"] == "running"
    assert [(each["verdict"], each["scope"]) for each in answer.data["connections"][:2]] == [
        ("refresh_stuck", "some")
    ] * 2


def test_a_batch_that_dies_at_a_row_is_recognised_by_the_order_of_ids(portal: Portal) -> None:
    """Everyone after a certain id is behind."""
    answer = answer_for(portal, [*[MINUTE] * 6, *[2 * HOUR] * 4])
    scattered = answer_for(portal, [MINUTE, 2 * HOUR, MINUTE, 2 * HOUR, MINUTE, 2 * HOUR, MINUTE, MINUTE])

    assert findings(answer)["batch_dies"]["connections"] == 4
    assert "batch_dies" not in findings(scattered)


def test_refresh_on_demand_leaves_idle_connections_alone(portal: Portal) -> None:
    """A few are fresh, the others lie days apart: nothing is stuck, and only the oldest are warned of."""
    ages = [MINUTE, 5 * MINUTE, 9 * MINUTE, *[day * DAY for day in (1, 2, 4, 7, 9, 12, 15, 20, 24, 29)]]
    answer = answer_for(portal, ages)

    assert answer.data["loop"]["state"] == "on_demand"
    assert verdicts(answer) == ["healthy"] * 11 + ["reauth_soon"] * 2


def test_a_loop_that_serves_a_few_leaves_the_others_close_together(portal: Portal) -> None:
    """Most are behind since the same hour: that is no demand."""
    answer = answer_for(portal, [MINUTE, 2 * MINUTE, *[5 * HOUR + MINUTE * number for number in range(10)]])

    assert (answer.data["loop"]["state"], answer.data["counts"]["refresh_stuck"]) == ("running", 10)


def test_the_last_use_tells_demand_from_a_loop(portal: Portal) -> None:
    """On demand the used ones are fresh and the idle ones are not; a loop refreshes the idle ones too."""
    idle = [portal.row(refreshed=5 * HOUR, last_used_at=ago(5 * HOUR)) for _ in range(3)]
    used = [portal.row(last_used_at=ago(MINUTE)) for _ in range(3)]
    portal.save([*used, *idle])
    on_demand = portal.health()
    portal.save([*[portal.row(last_used_at=ago(9 * HOUR)) for _ in range(3)], *idle])
    looped = portal.health()

    assert (on_demand.data["loop"]["state"], on_demand.data["counts"]["healthy"]) == ("on_demand", 6)
    assert (looped.data["loop"]["state"], looped.data["counts"]["refresh_stuck"]) == ("running", 3)


def test_a_connection_that_was_used_and_not_refreshed_is_stuck_even_on_demand(portal: Portal) -> None:
    """The others show that refreshing works."""
    starving = portal.row(refreshed=5 * HOUR, last_used_at=ago(MINUTE))
    rows = [starving, *[portal.row(last_used_at=ago(MINUTE)) for _ in range(3)]]
    rows += [portal.row(refreshed=9 * HOUR, last_used_at=ago(9 * HOUR)) for _ in range(3)]

    assert portal.verdicts(rows)[1] == "refresh_stuck"


def test_among_ages_days_apart_the_one_that_was_used_is_stuck(portal: Portal) -> None:
    """On demand, as the ages tell, and yet it was not refreshed when it was needed."""
    ages = [MINUTE, 5 * MINUTE, *[day * DAY for day in (1, 2, 4, 7, 9, 12, 15, 20)]]
    rows = [portal.row(refreshed=age, last_used_at=None) for age in ages]
    rows[5]["last_used_at"] = ago(HOUR)
    portal.save(rows)
    answer = portal.health()

    assert answer.data["loop"]["state"] == "on_demand"
    assert [each["id"] for each in answer.data["connections"] if each["verdict"] == "refresh_stuck"] == [6]


def test_a_declared_period_says_that_there_is_a_loop(portal: Portal) -> None:
    """Then ages that lie days apart are a loop that skips connections."""
    portal.declare("[tokens]\nperiod_seconds = 300\n")
    answer = answer_for(portal, [MINUTE, 2 * MINUTE, *[day * DAY for day in (1, 2, 4, 7, 9, 12, 15, 20)]])

    assert (answer.data["loop"]["state"], answer.data["counts"]["refresh_stuck"]) == ("running", 8)


def test_without_connections_the_loop_is_unknown(portal: Portal) -> None:
    """An empty table is an answer too."""
    portal.save([])
    answer = portal.health()

    assert (answer.status, answer.data["loop"]["state"], answer.data["connections"]) == ("complete", "unknown", [])
    assert answer.data["loop"]["lastRefreshAt"] is None


def test_too_early_refreshes_are_a_finding_about_two_loops(portal: Portal) -> None:
    """Two environments on one application disturb each other."""
    answer = answer_for(portal, [MINUTE] * 4, last_error="Rate limit exceeded: access_token not expired")

    assert findings(answer)["refresh_too_early"]["connections"] == 4


def test_a_rejected_client_is_the_application_s_own_fault(portal: Portal) -> None:
    """Nobody has to connect again; the secret has to come back."""
    answer = answer_for(portal, [MINUTE] * 4, last_error="invalid_client", last_error_at=ago(1))

    assert findings(answer)["client_rejected"]["connections"] == 4
    assert {(each["verdict"], "client id and secret" in each["nextStep"]) for each in answer.data["connections"]} == {
        ("degraded", True)
    }


def test_an_active_status_beside_a_dead_error_is_a_finding(portal: Portal) -> None:
    """The portal believes in a connection that is gone."""
    answer = answer_for(portal, [HOUR] * 2, last_error="Old refresh token used.")
    honest = answer_for(portal, [HOUR] * 2, last_error="Old refresh token used.", status="error")

    assert findings(answer)["status_contradicts"]["connections"] == 2
    assert "status_contradicts" not in findings(honest)


def test_which_part_is_behind_is_told(portal: Portal) -> None:
    """Those of one provider, and since one moment: what the fresh ones have not."""
    fresh = portal.rows(5)
    bird = [portal.row(refreshed=5 * HOUR + number, provider="moneybird") for number in range(4)]
    mixed = [portal.row(refreshed=(5 + number) * HOUR) for number in range(4)]
    portal.save([bird[0], *fresh, *bird[1:]])
    part = findings(portal.health())["some_behind"]
    portal.save([mixed[0], *fresh, *mixed[1:]])
    scattered = findings(portal.health())["some_behind"]

    assert part["connections"] == 4
    assert "of providers of which none is fresh and they fell behind at one moment, 5 h ago" in part["message"]
    assert scattered["message"] == "Of 9 connections 4 are behind while the others are refreshed."


def test_a_chain_that_something_else_refreshes_is_a_finding(portal: Portal) -> None:
    """One may be a race; several are a second environment on one client id."""
    broken = [
        portal.row(refreshed=HOUR, last_error="Old refresh token used.", last_error_at=ago(MINUTE)) for _ in range(3)
    ]
    portal.save([*portal.rows(5), broken[0]])
    one = findings(portal.health())["chain_broken"]
    portal.save([*portal.rows(5), *broken, portal.row(last_error="Old refresh token used.", last_error_at=ago(HOUR))])
    several = findings(portal.health())["chain_broken"]

    assert [(each["severity"], each["connections"]) for each in (one, several)] == [("warning", 1), ("error", 3)]


def test_a_clock_that_is_fast_is_a_finding(portal: Portal) -> None:
    """A refresh of the future; a minute is no matter."""
    portal.save([portal.row(refreshed=-HOUR), portal.row(refreshed=-30), *portal.rows(3)])

    assert findings(portal.health())["clock_ahead"]["connections"] == 1
