"""Where the server listens, and from where it may be called."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from mcp.server.transport_security import TransportSecuritySettings

from mcp_daan.config import Http
from mcp_daan.errors import InvalidArguments

PATH = "/mcp"
USUAL = {"http": 80, "https": 443}
EXAMPLE = {"public_url": "mcp.example.com/mcp", "allowed_origins": "app.example.com"}
EVERYWHERE = ("0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Place:
    """A host and a port to listen at; port 0 is one that is free."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it. A name may come to mean anything, so only one counts."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """The address of the endpoint there."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}{PATH}"


def read_place(text: str) -> Place:
    """`HOST:PORT`, `[::1]:PORT` or `:PORT`, which is this machine's. Raises InvalidArguments."""
    host, _, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not port.isascii() or not port.isdigit() or int(port) > 65535 or any(each in host for each in "/ @"):
        raise InvalidArguments("`--http` is not HOST:PORT.", advice="Write it like 127.0.0.1:8000.")
    return Place(host, int(port))


def security(place: Place, settings: Http) -> TransportSecuritySettings:
    """Which Host and Origin headers are taken, on every bind: a web page must not reach the server by a name of its own.

    All in small letters, in which the gate hands the headers on. Raises InvalidArguments for an address that is none.
    """
    public = [origin("public_url", settings.public_url)] if settings.public_url else []
    # What counts is the name; clients leave the port away where it is the usual one, and proxies always.
    names = [*LOOPBACK, *(_name(each) for each in public), *(each.strip().lower() for each in settings.allowed_hosts)]
    if not place.loopback and place.host not in EVERYWHERE:
        names.append(f"[{place.host.lower()}]" if ":" in place.host else place.host.lower())
    hosts = [form for name in names for form in ((name,) if ":" in name.rpartition("]")[2] else (name, f"{name}:*"))]
    local = [f"{scheme}://{name}" for scheme in ("http", "https") for name in LOOPBACK]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=hosts,
        allowed_origins=[*local, *(f"{page}:*" for page in local), *public, *pages(settings)],
    )


def pages(settings: Http) -> list[str]:
    """The origins that are allowed, as browsers send them. Raises InvalidArguments for one that is none."""
    return [origin("allowed_origins", each) for each in settings.allowed_origins]


def origin(name: str, url: str) -> str:
    """The origin of *url*, which is the setting *name*, as browsers write it: in small letters, without the usual port."""
    try:
        parts = urlsplit(url.strip().lower())
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in USUAL:
        raise InvalidArguments(
            f"`[http] {name}` holds what is no address.", advice=f"Write it like https://{EXAMPLE[name]}."
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, USUAL[parts.scheme]) else f":{port}")


def _name(origin: str) -> str:
    host = urlsplit(origin).hostname or ""
    return f"[{host}]" if ":" in host else host
