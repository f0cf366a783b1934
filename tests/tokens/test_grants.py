"""The grants of the OAuth provider for Workers: from names of keys alone, then from what the real one writes."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.protocol import Answer
from mcp_daan.tokens.grants import Grants, count_grants, grant_findings, sorted_out
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import tokens
from tests.asking import run
from tests.node.packages import BIN, installed
from tests.tokens.cloud import ACCOUNT, Cloud, bad, good
from tests.tokens.conftest import DAY, NOW, Portal, findings

NAMESPACE = "0f" * 16
AT = NOW.timestamp()
CLIENT = ("client:c1", None, None)


def grant(number: int, lives: float | None, client: str = "c1", **metadata: Any) -> Any:
    """A grant's key that ends after so many seconds."""
    ends = None if lives is None else AT + lives
    return (f"grant:user{number}:g{number}", ends, {"clientId": client, **metadata})


def token_of(number: int, count: int = 1) -> list[Any]:
    """So many access tokens of the grant."""
    return [(f"token:user{number}:g{number}:{each:064x}", AT + 3600, None) for each in range(count)]


def counted(*entries: Any) -> dict[str, int]:
    """The counts of these keys."""
    return count_grants(sorted_out(entries, AT), AT).model_dump()


def codes(*entries: Any, portal: str | None = None) -> set[str]:
    """The findings on these keys."""
    return {finding.code for finding, _ in grant_findings(sorted_out(entries, AT), AT, portal)}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], (0, 0, 0, 0, 0)),
        ([CLIENT], (0, 0, 0, 0, 1)),
        ([CLIENT, grant(1, 20 * DAY)], (1, 0, 0, 0, 1)),
        ([CLIENT, grant(1, None)], (1, 0, 0, 0, 1)),
        ([CLIENT, grant(1, 6 * DAY)], (1, 1, 0, 0, 1)),
        ([CLIENT, grant(1, 600)], (0, 0, 1, 0, 1)),
        ([CLIENT, grant(1, 600), *token_of(1)], (1, 1, 0, 0, 1)),
        ([CLIENT, grant(1, 601)], (1, 1, 0, 0, 1)),
        ([CLIENT, grant(1, -1)], (0, 0, 0, 0, 1)),
        ([CLIENT, grant(1, 20 * DAY, "gone")], (1, 0, 0, 1, 1)),
        ([CLIENT, grant(1, 20 * DAY, "https://client.example/meta")], (1, 0, 0, 0, 1)),
        ([("client:c2", AT + 90 * DAY, None)], (0, 0, 0, 1, 1)),
        ([("client:c2", AT + 90 * DAY, None), grant(1, 20 * DAY, "c2")], (1, 0, 0, 0, 1)),
        ([("grant:a:b:c", AT + 20 * DAY, None), ("token:a:b:c:hash", AT + 60, None)], (1, 0, 0, 0, 0)),
        (
            [("grant", None, None), ("grant:", None, 7), ("token:x", None, None), ("other:1", None, None)],
            (0, 0, 0, 0, 0),
        ),
    ],
)
def test_grants_are_told_apart_by_their_keys_alone(entries: list[Any], expected: tuple[int, ...]) -> None:
    """Live, expiring within a week, pending until the code is exchanged, orphaned, clients."""
    assert Grants(**dict(zip(Grants.model_fields, expected, strict=True))).model_dump() == counted(*entries)


@pytest.mark.parametrize(
    ("entries", "portal", "expected"),
    [
        ([CLIENT, grant(1, 20 * DAY), *token_of(1, 10)], "https://portal.example", set()),
        ([CLIENT, grant(1, 20 * DAY), *token_of(1, 11)], None, {"refresh_storm"}),
        ([grant(1, 20 * DAY, "gone")], None, {"grant_client_gone"}),
        ([("client:c2", AT + DAY, None)], None, {"client_unused"}),
        ([CLIENT, grant(1, DAY, resource="https://old.example/mcp")], None, set()),
        (
            [CLIENT, grant(1, DAY, resource="https://old.example/mcp")],
            "https://portal.example",
            {"grant_resource_differs"},
        ),
        ([CLIENT, grant(1, DAY, resource=["https://portal.example/mcp"])], "https://portal.example/", set()),
        ([CLIENT, grant(1, DAY, resource="https://[broken")], "https://portal.example/", {"grant_resource_differs"}),
    ],
)
def test_what_the_keys_show_is_a_finding(entries: list[Any], portal: str | None, expected: set[str]) -> None:
    """Clients that are gone, registrations nobody used, storms, another resource."""
    assert codes(*entries, portal=portal) == expected


# --- what the real provider writes ---


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The state of a Worker with the real provider, and what it told: four clients, four sign-ins, three refreshes."""
    state = tmp_path_factory.mktemp("kv") / ".wrangler" / "state" / "v3"
    command = [BIN / "node", installed("oauth") / "grants.mjs", state, NAMESPACE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return state.parents[2], json.loads(done.stdout)


def bound(portal: Portal, state: Path) -> None:
    """The portal's workspace with the Worker's state and its binding."""
    (portal.workspace / ".wrangler").symlink_to(state / ".wrangler")
    config = {"name": "portal", "kv_namespaces": [{"binding": "OAUTH_KV", "id": NAMESPACE}]}
    (portal.workspace / "wrangler.jsonc").write_text(json.dumps(config), encoding="utf-8")


def now_asked(portal: Portal, environment: dict[str, str], **arguments: Any) -> Answer:
    """What the tool answers now: the provider's moments are of today."""
    app = App(str(portal.workspace), environment)
    try:
        return run(tools_in(tokens)["tokens_health"], app, arguments)
    finally:
        app.close()


EXPECTED = {"live": 3, "expiring": 1, "pending": 1, "orphaned": 2, "clients": 3}


def nothing_of_it(answer: Answer, told: dict[str, Any]) -> list[str]:
    """What of the keys' names, users and tokens the answer shows."""
    parts = {part for name in told["names"] for part in name.split(":")[1:]} | set(told["tokens"].values())
    shown = json.dumps(answer.model_dump(by_alias=True))
    return [part for part in map(str, parts) if len(part) > 4 and part not in ("mcp:read", "bearer") and part in shown]


def test_what_the_real_provider_wrote_is_counted(portal: Portal, provider: tuple[Path, dict[str, Any]]) -> None:
    """Two users refresh, one waits for the exchange of a code, one client is gone, one was never used."""
    portal.save(portal.rows(1))
    bound(portal, provider[0])
    answer = now_asked(portal, {"TOKEN_ENCRYPTION_KEY": portal.key.hex()})

    assert answer.data["grants"] == EXPECTED
    assert {"grant_client_gone", "client_unused"} <= set(findings(answer))
    assert nothing_of_it(answer, provider[1]) == []


def test_a_namespace_of_another_name_is_known_by_its_keys(
    portal: Portal, provider: tuple[Path, dict[str, Any]]
) -> None:
    """A binding may be called anything."""
    portal.save(portal.rows(1))
    bound(portal, provider[0])
    text = (portal.workspace / "wrangler.jsonc").read_text(encoding="utf-8").replace("OAUTH_KV", "SIGN_INS")
    (portal.workspace / "wrangler.jsonc").write_text(text, encoding="utf-8")

    assert now_asked(portal, {}).data["grants"] == EXPECTED


def test_without_a_namespace_there_are_no_grants(portal: Portal) -> None:
    """Null, and no finding."""
    portal.save(portal.rows(1))
    answer = portal.health()

    assert (answer.data["grants"], answer.data["findings"], answer.status) == (None, [], "complete")


def test_a_namespace_that_cannot_be_read_is_a_hole(portal: Portal, provider: tuple[Path, dict[str, Any]]) -> None:
    """The connections are judged all the same."""
    portal.save(portal.rows(1))
    bound(portal, provider[0])
    (file,) = [
        each for each in provider[0].rglob("kv/miniflare-KVNamespaceObject/*.sqlite") if "metadata" not in each.name
    ]
    (portal.workspace / ".wrangler").unlink()
    there = portal.workspace / file.relative_to(provider[0])
    there.parent.mkdir(parents=True)
    there.write_bytes(b"no database")
    answer = now_asked(portal, {"TOKEN_ENCRYPTION_KEY": portal.key.hex()})

    assert (answer.status, answer.data["grants"]) == ("partial", None)
    assert "grants_unread" in findings(answer)


@pytest.fixture
def cloud(provider: tuple[Path, dict[str, Any]]) -> Iterator[Cloud]:
    """Cloudflare with those keys in its KV, in pages of three."""
    listed = [
        *(
            (name, None if name.startswith("client:") and "static" in name else 90 * DAY)
            for name in provider[1]["names"]
        ),
    ]
    opened = Cloud()

    def keys(query: dict[str, str], body: Any) -> Any:
        wanted = [(name, ends) for name, ends in listed if name.startswith(query.get("prefix", ""))]
        start = int(query.get("cursor", "0"))
        shown = [
            {
                "name": name,
                "expiration": int(datetime.now(UTC).timestamp() + (ends or 0)),
                "metadata": {"clientId": "x"},
            }
            for name, ends in wanted[start : start + 3]
        ]
        more = start + 3 < len(wanted)
        return good(shown, count=len(shown), cursor=str(start + 3) if more else "")

    opened.answers[f"accounts/{ACCOUNT}/storage/kv/namespaces/{NAMESPACE}/keys"] = keys
    yield opened
    opened.close()


def test_the_account_s_namespace_is_listed_by_names_alone(
    portal: Portal, provider: tuple[Path, Any], cloud: Cloud
) -> None:
    """For a remote database; no value is read, and every page is."""
    from mcp_daan.tools.grants import grants

    bound(portal, provider[0])
    app = App(str(portal.workspace), cloud.environment("a-token-0123456789"))
    counts, said = grants(app, "remote")
    app.close()

    assert counts is not None
    assert counts.model_dump() == {"live": 4, "expiring": 0, "pending": 0, "orphaned": 7, "clients": 3}
    assert {finding.code for finding, _ in said} == {"grant_client_gone", "client_unused"}
    assert {path.rsplit("/", 1)[1] for _, path in cloud.asked} == {"keys"}


def test_an_account_that_may_not_be_listed_is_a_hole(portal: Portal, provider: tuple[Path, Any], cloud: Cloud) -> None:
    """And says which permission is missing."""
    from mcp_daan.tools.grants import grants

    bound(portal, provider[0])
    cloud.answers = {f"accounts/{ACCOUNT}/storage/kv/namespaces/{NAMESPACE}/keys": bad(403, 10000)}
    app = App(str(portal.workspace), cloud.environment("a-token-0123456789"))
    counts, said = grants(app, "remote")
    app.close()

    assert counts is None
    assert [(finding.code, "Workers KV Storage" in advice) for finding, advice in said] == [("grants_unread", True)]
