"""Which addresses a webhook may reach: those of the public internet, and what ``WEBHOOK_ALLOW_NETWORKS`` adds."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from ..broker.errors import PermanentFailure

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Prefixes of IPv6 in which the last four bytes are the IPv4 address that is really reached (RFC 6052).
NAT64 = (IPv6Network("64:ff9b::/96"),)
#: All of IPv6 that is routed on the internet; what lies outside (site-local, local NAT64) is somebody's own.
GLOBAL_UNICAST = IPv6Network("2000::/3")
#: Public to Python's own table, yet none of the internet: protocol assignments (Oracle's metadata service among
#: them) and Azure's metadata service.
NOT_PUBLIC = (IPv4Network("192.0.0.0/24"), IPv4Network("168.63.129.16/32"))


class ForbiddenAddress(PermanentFailure):
    """A host is none that a webhook may reach."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, also inside an IPv6 address that only wraps it."""
    inner = unwrapped(address)
    if inner != address:
        return is_public(inner)
    if any(address in network for network in NOT_PUBLIC):
        return False
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for (mapped, 6to4, NAT64), else the address itself."""
    if not isinstance(address, IPv6Address):
        return address
    if any(address in network for network in NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def resolve(host: str, port: int, allowed: Sequence[Network]) -> list[str]:
    """Ask once for the addresses of a host and keep those that may be reached.

    Parameters:
      allowed: networks that may be reached although they are not public.

    Returns:
      addresses to connect to as they are, in the resolver's order.

    Raises:
      ForbiddenAddress: none of them may be reached.
      OSError: the name cannot be resolved.
    """
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise ForbiddenAddress(f"{host} is no name of a host") from None
    found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    kept = [text for text in found if _may_reach(ip_address(text), allowed)]
    if not kept:
        raise ForbiddenAddress(
            f"{host} is {', '.join(found)}, which is not on the public internet; "
            "WEBHOOK_ALLOW_NETWORKS names the exceptions"
        )
    return kept


def _may_reach(address: Address, allowed: Sequence[Network]) -> bool:
    inner = unwrapped(address)
    return is_public(address) or any(inner in network for network in allowed)
