"""Which network addresses lie in the house of whoever runs this."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from mcp_daan.addresses import Address

# Where a portal of one's own may be: this machine, an office, a private network such as a VPN.
HOME: list[IPv4Network | IPv6Network] = [
    *(IPv4Network(each) for each in "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16".split()),
    IPv6Network("::1/128"),
    IPv6Network("fc00::/7"),
]
# Machines' own keys are had from these; no portal is there.
METADATA = {IPv4Address("100.100.100.200"), IPv6Address("fd00:ec2::254")}


def may_be_home(address: Address) -> bool:
    """Whether *address* may be a portal's in one's own network; never link-local, where clouds keep credentials."""
    inside = any(address in network for network in HOME)
    return inside and address not in METADATA


def is_loopback(host: str) -> bool:
    """Whether *host*, as a URL has it, means this machine."""
    return host == "localhost" or host == "::1" or (host.startswith("127.") and host.replace(".", "").isdigit())
