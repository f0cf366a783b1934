"""Where the server listens, and from where it may be called."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from mcp.server.transport_security import TransportSecuritySettings

from mcp_daan.config import Http
from mcp_daan.errors import InvalidArguments

PATH = "/mcp"
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
    """Which Host and Origin headers are taken, on every bind: a web page must not reach the server by a name of its own."""
    public = urlsplit(settings.public_url or "")
    names = [*LOOPBACK, *([public.netloc] if public.netloc else [])]
    if not place.loopback and place.host not in ("0.0.0.0", "::"):
        names.append(f"[{place.host}]" if ":" in place.host else place.host)
    hosts = [form for name in names for form in ((name,) if ":" in name.rpartition("]")[2] else (name, f"{name}:*"))]
    pages = [f"{scheme}://{name}" for scheme in ("http", "https") for name in LOOPBACK]
    own = [f"{public.scheme}://{public.netloc}"] if public.netloc else []
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[*hosts, *settings.allowed_hosts],
        allowed_origins=[*pages, *(f"{page}:*" for page in pages), *own, *settings.allowed_origins],
    )
