"""Which network addresses lie outside: those that anybody on the internet could be given."""

import asyncio
import socket
import threading
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# IANA's registries of special-purpose addresses; `ipaddress.is_global` differs from one Python to the next.
SPECIAL_V4 = [
    IPv4Network(each)
    for each in (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24"
        " 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15"
        " 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
    ).split()
]
# Only 2000::/3 is given out to networks. What is outside of it (loopback, mapped IPv4, NAT64, unique local,
# link-local, multicast) falls away at once; inside lie Teredo, 6to4 and their like, which carry an IPv4 address.
GIVEN_OUT_V6 = IPv6Network("2000::/3")
SPECIAL_V6 = [
    IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]


def is_public(address: Address) -> bool:
    """Whether *address* is one that anybody on the internet could be given."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in SPECIAL_V4)
    return address in GIVEN_OUT_V6 and not any(address in network for network in SPECIAL_V6)


async def resolved(host: str) -> list[str]:
    """The addresses of *host* as the system knows them; none when it knows none."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[str]] = loop.create_future()

    def ask() -> None:
        try:
            found = [str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError):
            found = []
        with suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(lambda: None if future.done() else future.set_result(found))

    # A thread of its own: a resolver that hangs must not hold back the end of the call.
    threading.Thread(target=ask, daemon=True).start()
    return await future
