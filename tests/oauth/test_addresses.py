"""Which addresses are public: every special block at its borders."""

from ipaddress import ip_address

import pytest

from mcp_daan.addresses import is_public
from mcp_daan.tokens.oauth.addresses import is_loopback, may_be_home
from mcp_daan.tokens.oauth.rules import Barred, Origin, Rules, origin_of

INNER = """
0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255
169.254.0.0 169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378::1
2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1
fe80::1%eth0 fec0::1 ff02::1 4000::1
""".split()
OUTER = """
1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0
172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
2001:200::1 2606:4700::6810:85e5 2a00:1450:400e::1 2400:cb00::1
""".split()


@pytest.mark.parametrize("address", INNER)
def test_special_addresses_are_not_public(address: str) -> None:
    """In whatever form IPv6 carries an IPv4 address."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OUTER)
def test_ordinary_addresses_are_public(address: str) -> None:
    """The neighbours of the special blocks among them."""
    assert is_public(ip_address(address))


def test_a_portal_may_be_at_home_and_nowhere_else_inside() -> None:
    """This machine, private networks, unique local addresses; not link-local, multicast or a cloud's metadata."""
    home = ["10.1.2.3", "100.64.0.1", "127.0.0.1", "172.16.0.1", "192.168.1.1", "::1", "fd12::1"]

    assert [each for each in INNER + home if may_be_home(ip_address(each))] == [
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.168.0.1",
        "192.168.255.255",
        "::1",
        "fc00::1",
        *home,
    ]


def test_only_the_portals_own_origin_may_be_at_home() -> None:
    """The same host at another port or scheme is somebody else."""
    rules = Rules(origin_of("http://127.0.0.1:8787/mcp"))
    rules.admit_addresses(rules.admit("http://127.0.0.1:8787/other"), ["127.0.0.1"])

    for url in ("http://127.0.0.1:8788/", "https://127.0.0.1:8787/", "http://127.0.0.1/", "http://localhost:8787/"):
        with pytest.raises(Barred):
            rules.admit_addresses(rules.admit(url), ["127.0.0.1"])


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Portal.Example/mcp", Origin("https", "portal.example", 443)),
        ("https://portal.example:443/mcp", Origin("https", "portal.example", 443)),
        ("http://[::1]:8787", Origin("http", "::1", 8787)),
        ("HTTP://portal.example", Origin("http", "portal.example", 80)),
    ],
)
def test_origins_are_compared_as_they_are_connected_to(url: str, origin: Origin) -> None:
    """In small letters, with the port that is meant."""
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "portal.example",
        "/mcp",
        "file:///etc/passwd",
        "gopher://portal.example/",
        "https://",
        "https://a@portal.example/",
        "https://portal.example:0/",
        "https://portal.example:65536/",
        "https://portal.example:x/",
        "https://portal.example\t/",
        "https://portal.example/\n",
        "https://portal.example\\@inner/",
        "https://[::1",
        "https://a/" + "x" * 2000,
    ],
)
def test_what_is_no_plain_url_has_no_origin(url: str) -> None:
    """It is told apart before anything is looked up."""
    with pytest.raises(Barred):
        origin_of(url)


def test_loopback_is_told_by_the_name_as_written() -> None:
    """For http, which is right on this machine only; a name that begins like it is another's."""
    hosts = ["localhost", "127.0.0.1", "127.8.8.8", "::1", "127.0.0.1.example", "localhost.example", "10.0.0.1"]

    assert [each for each in hosts if is_loopback(each)] == ["localhost", "127.0.0.1", "127.8.8.8", "::1"]
