"""Only listed origins, only https, only public addresses, on every hop."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from mcp_daan.errors import DaanError
from mcp_daan.knowledge.scraping import fetching
from mcp_daan.knowledge.scraping.fetching import Fetching
from tests.scraping.conftest import Answer, Site, at_home

DOCS = "https://developers.cloudflare.com"


def failure(fetch: Fetching, url: str) -> DaanError:
    """How getting *url* fails."""
    with pytest.raises(DaanError) as caught:
        asyncio.run(fetch.get(url, {}))
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "http://developers.cloudflare.com/",
        "ftp://developers.cloudflare.com/",
        "file:///etc/passwd",
        "https://user@developers.cloudflare.com/",
        "https://developers.cloudflare.com@evil.test/",
        "https://developers.cloudflare.com\\@evil.test/",
        "https://developers.cloudflare.com/\n",
        "https://developers.cloudflare.com/ x",
        "https://developers.cloudflare.com:99999/",
        "https://",
        "//developers.cloudflare.com/",
        "https://[::1",
        "https://developers.cloudflare.com/" + "x" * 2000,
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """Before anything is asked."""
    assert failure(at_home(DOCS), url).code == "invalid_arguments"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/",
        "https://developers.cloudflare.com.evil.test/",
        "https://evildevelopers.cloudflare.com/",
        "https://developers.cloudflare.com:8443/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://developers.cloudflare.com./",
    ],
)
def test_an_origin_that_is_not_listed_is_refused_with_the_line_to_add(url: str) -> None:
    """The line holds what is listed already."""
    error = failure(at_home(DOCS), url)

    assert error.code == "refused"
    assert f'scrape_origins = ["{DOCS}", "https://' in error.advice


def test_a_listed_origin_may_be_written_in_any_case() -> None:
    """Names know no case, and 443 is https's own port."""
    fetch = Fetching(["HTTPS://Docs.Example:443/"])

    assert fetch.admitted("https://docs.example/page") == "docs.example"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "100.64.0.1",
        "::1",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "fd00::1",
    ],
)
def test_a_name_that_leads_into_this_network_is_refused(address: str) -> None:
    """Even if another of its addresses is public."""

    async def names(host: str) -> list[str]:
        return ["104.16.0.1", address]

    assert failure(Fetching([DOCS], resolve=names), f"{DOCS}/").code == "refused"


def test_a_listed_address_of_this_network_is_refused_too() -> None:
    """The list says whose pages are trusted, not where they may lie."""
    assert failure(Fetching(["https://127.0.0.1:1"]), "https://127.0.0.1:1/").code == "refused"


def test_a_name_without_address_is_unavailable() -> None:
    """Offline, for example."""

    async def nothing(host: str) -> list[str]:
        return []

    assert failure(Fetching([DOCS], resolve=nothing), f"{DOCS}/").code == "unavailable"


@pytest.mark.parametrize("target", ["https://evil.test/", "http://localhost/", "//evil.test/x", "https://localhost/"])
def test_a_redirect_out_of_the_origins_is_not_followed(site: Site, target: str) -> None:
    """The page is not fetched, wherever it is."""
    site.pages["/x"] = Answer(b"", "text/plain", 302, {"Location": target})

    assert failure(at_home(site.origin), f"{site.origin}/x").code in ("refused", "invalid_arguments")
    assert len(site.asked) == 1


def test_redirects_within_the_origins_are_followed_a_few_times(site: Site) -> None:
    """And a circle ends."""
    site.pages["/a"] = Answer(b"", "text/plain", 301, {"Location": "/b#part"})
    site.put("/b")
    got = asyncio.run(at_home(site.origin).get(f"{site.origin}/a", {}))
    site.pages["/b"] = Answer(b"", "text/plain", 302, {"Location": "/a"})

    assert got.url == f"{site.origin}/b"
    assert failure(at_home(site.origin), f"{site.origin}/a").code == "unavailable"
    assert len(site.asked) == 2 + fetching.MOST_HOPS + 1


def test_a_certificate_that_is_not_trusted_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent over a connection that anybody may hold the other end of."""
    monkeypatch.delenv("SSL_CERT_FILE")

    error = failure(at_home(site.origin), f"{site.origin}/x")
    assert (error.message, site.asked) == ("The certificate of localhost is not valid.", [])


def test_the_certificate_is_held_against_the_name_not_the_address(site: Site) -> None:
    """A name that leads to somebody else's server ends there."""
    other = site.origin.replace("localhost", "docs.example")

    error = failure(at_home(other), f"{other}/x")
    assert (error.message, site.asked) == ("The certificate of docs.example is not valid.", [])


def test_a_site_that_never_answers_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and says nothing."""
    monkeypatch.setattr(fetching, "PAGE_SECONDS", 0.3)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        origin = f"https://localhost:{silent.getsockname()[1]}"

        assert failure(at_home(origin), f"{origin}/").code in ("too_slow", "unavailable")


def test_a_page_that_comes_in_drops_is_left_at_the_deadline(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each drop comes in time, all of them do not."""
    monkeypatch.setattr(fetching, "PAGE_SECONDS", 0.6)
    site.put("/drops", "x" * 100)
    site.drops = 0.05

    assert failure(at_home(site.origin), f"{site.origin}/drops").code == "too_slow"


def test_no_proxy_and_no_netrc_of_the_environment_is_used(
    site: Site, monkeypatch: pytest.MonkeyPatch, get: Callable[..., object]
) -> None:
    """The address that was checked is the one that is asked, without anybody's password."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    url = site.put("/limits")
    get(url)

    assert "authorization" not in site.asked[0][1]
    assert "cookie" not in site.asked[0][1]
