"""The checks cannot be turned against other hosts."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.errors import Refused
from mcp_daan.tokens.oauth.examine import Examined, examined
from mcp_daan.tokens.oauth.fetching import MOST_HOPS, Fetching
from mcp_daan.tokens.oauth.rules import Rules, origin_of
from mcp_daan.tokens.oauth.seen import Seen
from tests.oauth.conftest import check, observed, statuses
from tests.oauth.portal import Portal, Reply, document, protected, redirect, server

METADATA = "/.well-known/oauth-protected-resource/mcp"
SERVER = "/.well-known/oauth-authorization-server"


@pytest.fixture
def neighbour() -> Iterator[Portal]:
    """Another server of this machine, which nobody configured."""
    with Portal() as running:
        yield running.good()


def run(portal: Portal, url: str, *addresses: list[str], **arguments: Any) -> tuple[Examined, list[str]]:
    """An examination of *url* in which names have one of *addresses* after the other; and the names that were asked."""
    asked: list[str] = []

    async def resolve(host: str) -> list[str]:
        asked.append(host)
        return addresses[min(len(asked), len(addresses)) - 1]

    now = datetime(2026, 11, 22, tzinfo=UTC)
    rules = Rules(origin_of(arguments.pop("own", url)))
    return examined(url, rules, now=now, seconds=20, resolve=resolve, **arguments), asked


# --- what is sent ---


def test_by_default_nothing_but_get_is_sent(portal: Portal, workspace: Path) -> None:
    """52 checks, and the server saw one method."""
    answer = check(workspace, portal.resource)

    assert (len(answer.data["checks"]), portal.methods) == (52, {"GET"})


def test_no_cookie_no_credential_and_no_compression_is_asked_for(
    portal: Portal, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the server sets and the environment offers; the one token is made up and goes to the resource alone."""
    for path, reply in portal.routes.items():
        assert isinstance(reply, Reply)
        portal.routes[path] = Reply(reply.status, {**reply.headers, "Set-Cookie": "session=1; Path=/"}, reply.body)
    netrc = workspace / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))

    check(workspace, portal.resource)

    assert [each for each in portal.asked if "Cookie" in each.headers] == []
    assert {each.path for each in portal.asked if "Authorization" in each.headers} == {"/mcp"}
    assert {each.headers["Authorization"][:7] for each in portal.asked if "Authorization" in each.headers} == {
        "Bearer "
    }
    assert {each.headers["Accept-Encoding"] for each in portal.asked} == {"identity"}


def test_proxies_of_the_environment_are_not_used(
    portal: Portal, neighbour: Portal, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would look names up by itself, so that no address could be checked."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, neighbour.origin)

    answer = check(workspace, portal.resource)

    assert (answer.status, neighbour.asked) == ("complete", [])


# --- where to ---


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "0.0.0.0", "127.1", "[::ffff:127.0.0.1]"]
)
def test_this_machine_is_not_asked_unless_it_is_the_portal(neighbour: Portal, workspace: Path, host: str) -> None:
    """However its address is written, at the neighbour's port or at the standard one."""
    codes = set()
    for url in (f"http://{host}:{neighbour.port}/mcp", f"http://{host}/mcp", f"https://{host}/mcp"):
        answer = check(workspace, None, url=url)
        assert answer.error is not None
        codes.add(answer.error.code)

    assert (codes, neighbour.asked) == ({"refused"}, [])


@pytest.mark.parametrize("address", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0"])
def test_no_configuration_lets_it_ask_for_a_machines_own_keys(workspace: Path, address: str) -> None:
    """Link-local addresses and clouds' metadata services are nobody's portal."""
    answer = check(workspace, f"http://{address}/latest/meta-data/")

    assert answer.error is not None
    assert (answer.error.code, answer.summary) == (
        "refused",
        "The address is not gone to: its address is not public.",
    )


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://user:pass@127.0.0.1/mcp", "invalid_arguments"),
        ("http://a b/", "invalid_arguments"),
        ("ftp://portal.example/", "invalid_arguments"),
        ("http://[::1", "invalid_arguments"),
        ("http://portal.example:99999/", "invalid_arguments"),
        ("http://portal.example:22/", "refused"),
        ("http://portal.example\\@127.0.0.1/", "invalid_arguments"),
        ("http:///mcp", "invalid_arguments"),
        ("http://pörtal.example/", "invalid_arguments"),
    ],
)
def test_what_is_no_plain_public_url_is_not_asked(workspace: Path, url: str, code: str) -> None:
    """No user names, no odd ports, nothing that two parsers could read in two ways."""
    answer = check(workspace, None, url=url)

    assert answer.error is not None
    assert code == answer.error.code


@pytest.mark.parametrize("inner", ["10.0.0.8", "169.254.169.254", "::1", "64:ff9b::a00:1", "2002:7f00:1::"])
def test_a_name_with_any_inner_address_is_not_asked(portal: Portal, inner: str) -> None:
    """Not even when its first address is public."""
    with pytest.raises(Refused):
        run(portal, "https://portal.example/mcp", ["93.184.215.14", inner], own=portal.origin)


def test_a_name_is_looked_up_once_so_it_cannot_move(portal: Portal) -> None:
    """DNS rebinding: the second answer, another server on the same port, is never asked for."""
    with Portal(host="127.0.0.2", port=portal.port) as other:
        url = f"http://portal.test:{portal.port}/mcp"
        portal.good(f"http://portal.test:{portal.port}")
        seen, asked = run(portal, url, ["127.0.0.1"], ["127.0.0.2"])

        assert (asked, other.asked) == (["portal.test"], [])
    assert seen.outcomes["PRM-AS-LIVE"].status == "holds"
    assert (seen.outcomes["AS-TLS"].status, seen.outcomes["AS-TLS"].observed) == ("lacks", "plain http")
    assert {each.headers["Host"] for each in portal.asked} == {f"portal.test:{portal.port}"}


def test_the_next_address_is_tried_when_the_first_does_not_answer(portal: Portal) -> None:
    """A host whose IPv6 leads nowhere is still a host."""
    portal.good(f"http://portal.test:{portal.port}")

    seen, _ = run(portal, f"http://portal.test:{portal.port}/mcp", ["127.0.0.3", "127.0.0.1"])

    assert seen.outcomes["RS-401"].status == "holds"


@pytest.mark.parametrize(
    "to",
    ["http://169.254.169.254/latest/", "http://localhost:{port}/", "http://127.0.0.1:{port}/", "//127.0.0.1:{port}/"],
)
def test_a_redirect_leads_nowhere_that_could_not_be_asked_at_once(
    portal: Portal, neighbour: Portal, workspace: Path, to: str
) -> None:
    """Neither from the resource nor from its documents."""
    away = redirect(to.format(port=neighbour.port))
    portal.routes |= {"/mcp": away, METADATA: away, SERVER: away, "/jwks": away}

    answer = check(workspace, portal.resource)

    assert neighbour.asked == []
    assert statuses(answer)["RS-401"] == "fail"
    assert [statuses(answer)[each] for each in ("PRM-200", "AS-META", "AS-JWKS")] == ["fail", "fail", "skipped"]


def test_a_redirect_loop_ends(portal: Portal, workspace: Path) -> None:
    """After a few hops, and each is counted."""
    portal.routes[METADATA] = redirect(METADATA)

    answer = check(workspace, portal.resource)

    assert statuses(answer)["PRM-200"] == "fail"
    assert f"after {MOST_HOPS} redirects" in observed(answer, "RS-RM-ALIVE")
    assert len([each for each in portal.asked if each.path == METADATA]) == MOST_HOPS + 1


def test_urls_in_metadata_obey_the_same_rules(portal: Portal, neighbour: Portal, workspace: Path) -> None:
    """Issuers, endpoints and key sets that point into the house are told and not asked."""
    at = neighbour.origin
    portal.routes[METADATA] = document(protected(portal.origin, authorization_servers=[portal.origin, at]))
    portal.routes[SERVER] = document(
        server(portal.origin, jwks_uri=f"{at}/jwks", token_endpoint=f"{at}/token", authorization_endpoint=f"{at}/a")
    )
    portal.routes["/mcp"] = Reply(401, {"WWW-Authenticate": f'Bearer resource_metadata="{at}{METADATA}"'})

    found = statuses(check(workspace, portal.resource))

    names = ("RS-RM-ALIVE", "PRM-AS-LIVE", "AS-JWKS", "AS-TOKGET", "AS-CORS-AZ")
    assert [found[name] for name in names] == ["blocked"] * 5
    assert neighbour.asked == []


# --- probes ---


def test_probes_of_another_address_than_the_portal_are_refused(
    portal: Portal, neighbour: Portal, workspace: Path
) -> None:
    """Nothing is sent, with a portal configured and without."""
    answers = [check(workspace, each, url=neighbour.resource, active=True) for each in (portal.resource, None)]

    assert [each.error.code for each in answers if each.error] == ["refused", "refused"]
    assert "[oauth] url" in answers[0].recommendations[0]
    assert neighbour.asked + portal.asked == []


def test_probes_stay_at_the_portal_when_its_metadata_points_away(
    portal: Portal, neighbour: Portal, workspace: Path
) -> None:
    """A provider's endpoints are nobody's to probe, whoever names them."""
    names = ("authorization", "token", "registration", "revocation", "introspection")
    away = {f"{each}_endpoint": f"{neighbour.origin}/{each}" for each in names}
    portal.routes[SERVER] = document(server(portal.origin, **away))

    answer = check(workspace, portal.resource, active=True)

    probes = [each for each in answer.data["checks"] if each["id"].partition("-")[0] in ("AZ", "TK", "RG", "RV", "IN")]
    assert ({each["status"] for each in probes}, neighbour.asked, portal.methods) == ({"skipped"}, [], {"GET"})


def test_probes_of_a_public_server_that_the_portal_names_are_not_sent(portal: Portal, workspace: Path) -> None:
    """An address that may be read may still not be probed."""
    public = "https://93.184.215.14"
    portal.routes[SERVER] = document(
        server(portal.origin, **{f"{each}_endpoint": f"{public}/{each}" for each in ("token", "registration")})
    )
    seen, _ = run(portal, portal.resource, [], active=True)

    assert {seen.outcomes[each].observed for each in ("TK-BADRT", "RG-NATIVE")} == {
        "token_endpoint is at another origin than the portal",
        "registration_endpoint is at another origin than the portal",
    }


def test_the_login_of_a_provider_is_not_gone_to(portal: Portal, neighbour: Portal, workspace: Path) -> None:
    """A portal that sends on to somebody else's login is followed to its own border."""
    (workspace / "daan.toml").write_text('[oauth]\nclient_id = "c"\nredirect_uri = "https://c.example/cb"\n')
    portal.routes["/authorize"] = lambda path: (
        redirect(f"{neighbour.origin}/login") if "client_id=c&" in path else Reply(400)
    )

    answer = check(workspace, portal.resource, active=True)

    assert observed(answer, "AZ-FRAME") == "the login is at another origin than the portal"
    assert neighbour.asked == []


@pytest.mark.parametrize(("active", "own"), [(False, True), (True, False)], ids=["not asked for", "not the portal's"])
def test_nothing_is_posted_unless_it_was_asked_for_and_stays_at_the_portal(
    portal: Portal, neighbour: Portal, active: bool, own: bool
) -> None:
    """The one place that sends anything but GET holds both rules, whoever calls it."""

    async def post() -> Seen:
        rules = Rules(origin_of(portal.origin))
        async with Fetching(rules, seconds=5, active=active) as opened:
            return await opened.post(f"{(portal if own else neighbour).origin}/token", b"", "text/plain")

    assert asyncio.run(post()).reason == "probes are sent to the configured portal only"
    assert portal.asked + neighbour.asked == []
