"""Where the checks may go: the portal's own origin, and public addresses at standard ports."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from mcp_daan.addresses import is_public
from mcp_daan.tokens.oauth.addresses import may_be_home

PORTS = {"http": 80, "https": 443}
URL_CHARACTERS = 2000


class Barred(Exception):
    """An address that is not gone to; the text is our own and says why."""


class Invalid(Barred):
    """What is no address at all; whoever gave it is at fault."""


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of a URL, as its parser sees them."""

    scheme: str
    host: str
    port: int


def origin_of(url: str) -> Origin:
    """The origin of *url*; Invalid for what is not an absolute http or https URL without a user name."""
    # The same parser later opens the connection, so the two cannot see different hosts.
    from httpx2 import URL, InvalidURL

    if len(url) > URL_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid("not a plain URL")
    try:
        parsed, again = URL(url), urlsplit(url)
        host, port = again.hostname, again.port
    except (InvalidURL, ValueError):
        raise Invalid("not a valid URL") from None
    if parsed.scheme not in PORTS or not parsed.host:
        raise Invalid("not an absolute http or https URL")
    if parsed.userinfo:
        raise Invalid("it holds a user name")
    if host != parsed.host.lower() or port == 0:
        raise Invalid("its host can be read in two ways")
    return Origin(parsed.scheme, parsed.host, parsed.port or PORTS[parsed.scheme])


@dataclass(frozen=True)
class Rules:
    """The portal of the configuration, if there is one, and what may be reached beside it."""

    portal: Origin | None

    def own(self, origin: Origin) -> bool:
        """Whether *origin* is the configured portal's."""
        return self.portal is not None and origin == self.portal

    def admit(self, url: str) -> Origin:
        """The origin of *url*, if the checks may go there at all; Barred otherwise."""
        origin = origin_of(url)
        if not self.own(origin) and origin.port != PORTS[origin.scheme]:
            raise Barred("other hosts than the portal are asked at their standard port only")
        return origin

    def admit_addresses(self, origin: Origin, addresses: Sequence[str]) -> None:
        """Barred unless every one of *addresses* may be connected to for *origin*."""
        for text in addresses:
            try:
                address = ip_address(text)
            except ValueError:  # an IPv6 address with a zone is link-local
                raise Barred("its address is not public") from None
            if not is_public(address) and not (self.own(origin) and may_be_home(address)):
                raise Barred("its address is not public")
