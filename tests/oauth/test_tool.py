"""The tool: which address, which failures, how an answer is cut."""

import socket
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.tokens.oauth.report import JUDGES
from mcp_daan.tokens.oauth.table import ACTIVE, CHECKS, PASSIVE
from tests.oauth.conftest import check, statuses
from tests.oauth.portal import Portal, Reply


def test_there_are_the_checks_that_were_promised() -> None:
    """52 with GET alone, 9 of authorization, 11 with POST; each has a judge."""
    counted = {mode: sum(each.mode == mode for each in CHECKS.values()) for mode in ("passive", "authorize", "post")}

    assert counted == {"passive": 52, "authorize": 9, "post": 11}
    assert set(PASSIVE) == set(JUDGES)


def test_each_result_names_what_was_seen_expected_and_where_it_is_written(portal: Portal, workspace: Path) -> None:
    """In the words of the contract, each check once, counted by status."""
    data = check(workspace, portal.resource, active=True).data

    assert sorted(each["id"] for each in data["checks"]) == sorted([*PASSIVE, *ACTIVE])
    assert {tuple(each) for each in data["checks"]} == {("id", "status", "severity", "observed", "expected", "spec")}
    assert [each for each in data["checks"] if not all(each.values())] == []
    found = [each["status"] for each in data["checks"]]
    assert data["counts"] == {status: found.count(status) for status in ("fail", "blocked", "warn", "skipped", "pass")}


def test_the_gravest_come_first(portal: Portal, workspace: Path) -> None:
    """A page that is cut still holds what matters."""
    portal.routes["/mcp"] = Reply(200)

    answer = check(workspace, portal.resource)

    assert answer.data["checks"][0]["id"] == "RS-401"
    assert answer.summary.endswith("Wrong: RS-401.")
    assert answer.recommendations[0].startswith("RS-401: Answer 401")


def test_without_a_portal_it_says_where_to_name_one(workspace: Path) -> None:
    """The demo and every fresh workspace are like that."""
    answer = check(workspace, None)

    assert answer.error is not None
    assert answer.error.code == "not_found"
    assert "[oauth] url" in answer.recommendations[0]


@pytest.mark.parametrize("url", ["ftp://portal.example", "http://a@b/", "portal", "https://portal.example/mcp#part"])
def test_a_portal_that_cannot_be_used_is_told_by_its_setting(workspace: Path, url: str) -> None:
    """Not by an argument that nobody gave."""
    answer = check(workspace, url)

    assert answer.error is not None
    assert (answer.error.code, "`[oauth] url`" in answer.summary) == ("invalid_arguments", True)


def test_a_portal_that_does_not_run_is_unavailable(workspace: Path) -> None:
    """Nothing was seen, so nothing is said about it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    answer = check(workspace, f"http://127.0.0.1:{port}/mcp")

    assert answer.error is not None
    assert (answer.error.code, answer.error.retryable) == ("unavailable", True)


def test_a_host_that_has_no_address_is_unavailable(workspace: Path) -> None:
    """`.invalid` never has one."""
    answer = check(workspace, "https://portal.invalid/mcp")

    assert answer.error is not None
    assert answer.error.code == "unavailable"


def test_a_small_answer_is_cut_and_goes_on(portal: Portal, workspace: Path) -> None:
    """Every check comes once over the pages."""
    (workspace / "daan.toml").write_text("[limits]\nmax_answer_bytes = 8192\n")
    seen: list[str] = []
    arguments: dict[str, Any] = {}
    while True:
        answer = check(workspace, portal.resource, **arguments)
        seen += statuses(answer)
        if answer.data["nextCursor"] is None:
            break
        assert answer.status == "partial"
        arguments = {"cursor": answer.data["nextCursor"]}

    assert sorted(seen) == sorted(PASSIVE)


def test_it_can_be_pointed_to_another_address_of_the_portal(portal: Portal, workspace: Path) -> None:
    """The same origin, another resource."""
    answer = check(workspace, portal.origin, url=portal.resource, active=True)

    assert (answer.error, statuses(answer)["RS-401"], answer.data["url"]) == (None, "pass", portal.resource)
