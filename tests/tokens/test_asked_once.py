"""What Cloudflare told of a token is remembered for a minute, and no failure is."""

from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.tools import credentials
from mcp_daan.tools.credentials import held
from tests.tokens.cloud import ACCOUNT, TOKEN_ID, Cloud, good
from tests.tokens.conftest import Portal


def asked(portal: Portal, answer: Any, times: int = 2) -> int:
    """How many requests so many calls cost."""
    cloud = Cloud()
    cloud.answers = {"user/tokens/verify": answer, f"accounts/{ACCOUNT}/d1/database": good([])}
    app = App(str(portal.workspace), cloud.environment("a-token-0123456789"))
    for _ in range(times):
        held(app.for_call())
    app.close()
    cloud.close()
    return len(cloud.asked)


LIVING = good({"id": TOKEN_ID, "status": "active"})


def test_the_second_call_of_a_minute_asks_nothing(portal: Portal) -> None:
    """A prompt, its completion and the tool are one."""
    assert asked(portal, LIVING, 3) == asked(portal, LIVING, 1)


def test_after_a_minute_it_is_asked_again(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token may be revoked meanwhile."""
    once = asked(portal, LIVING, 1)
    monkeypatch.setattr(credentials, "REMEMBERED_SECONDS", -1.0)

    assert asked(portal, LIVING) == 2 * once


def test_what_could_not_be_asked_is_asked_again(portal: Portal) -> None:
    """The network may be back."""
    assert asked(portal, (200, b"<html>")) == 2
