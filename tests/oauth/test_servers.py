"""Real servers, check by check: what is expected of each stands in a table."""

from pathlib import Path

import pytest

from mcp_daan.protocol import Answer
from mcp_daan.tokens.oauth.table import ACTIVE, PASSIVE
from tests.oauth.conftest import Node, check, observed, statuses
from tests.oauth.expected import TABLE
from tests.oauth.sdk import Sdk

HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]


def expected(server: str, names: list[str]) -> dict[str, str]:
    """The column of *server*."""
    column = HEAD.index(server) + 1
    return {row[0]: row[column] for row in ROWS if row[0] in names}


@pytest.fixture
def address(request: pytest.FixtureRequest, server: str) -> str:
    """Where *server* runs; of two only the authorization server is there."""
    running: Node | Sdk = request.getfixturevalue(server)
    return running.origin if server in ("oidc", "mock") else f"{running.origin}/mcp"


@pytest.mark.parametrize("server", HEAD)
def test_each_check_gives_what_is_expected_of_the_server(server: str, address: str, workspace: Path) -> None:
    """By default: 52 checks."""
    answer = check(workspace, address)

    assert expected(server, PASSIVE) == statuses(answer)
    assert answer.status == "complete"


@pytest.mark.parametrize("server", HEAD)
def test_each_probe_gives_what_is_expected_of_the_server(server: str, address: str, workspace: Path) -> None:
    """With `active`: 20 more, and the 52 as before."""
    answer = check(workspace, address, active=True)

    assert expected(server, [*PASSIVE, *ACTIVE]) == statuses(answer)


def test_by_default_nothing_is_left_behind(workers: Node, sdk: Sdk, workspace: Path) -> None:
    """Neither a client nor anything else is stored by a server that stores all it makes."""
    before = sorted(workers.ask()), set(sdk.provider.clients)
    check(workspace, f"{workers.origin}/mcp")
    check(workspace, f"{sdk.origin}/mcp")

    assert before == (sorted(workers.ask()), set(sdk.provider.clients))


def test_probes_leave_two_clients_behind_and_name_them(workers: Node, workspace: Path) -> None:
    """No grant, no token, no transaction: only the clients that the answer lists and tells to remove."""
    before = set(workers.ask())

    answer = check(workspace, f"{workers.origin}/mcp", active=True)

    assert {f"client:{each}" for each in answer.data["registered"]} == set(workers.ask()) - before
    assert len(answer.data["registered"]) == 2
    assert "data.registered" in answer.recommendations[0]


def test_a_client_that_a_bad_server_takes_is_named_too(sdk: Sdk, workspace: Path) -> None:
    """The first bad redirect URI that is taken ends the probe: three clients, not five."""
    before = set(sdk.provider.clients)

    answer = check(workspace, f"{sdk.origin}/mcp", active=True)

    assert set(answer.data["registered"]) == set(sdk.provider.clients) - before
    assert (len(answer.data["registered"]), observed(answer, "RG-BADURI")) == (3, "registered with javascript:alert(1)")


def test_no_secret_that_a_server_gives_to_a_probe_is_in_the_answer(sdk: Sdk, mock: Node, workspace: Path) -> None:
    """Neither the client secrets of registration nor the tokens that the bad server hands to anybody."""
    answers = [check(workspace, url, active=True) for url in (f"{sdk.origin}/mcp", mock.origin)]
    secrets = [each.client_secret for each in sdk.provider.clients.values() if each.client_secret]

    assert secrets != []
    assert [each for each in secrets if each in text(answers)] == []
    assert "eyJ" not in text(answers)


def text(answers: list[Answer]) -> str:
    return "".join(each.model_dump_json() for each in answers)
