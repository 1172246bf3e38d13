"""Where a try to sign in comes from, as coarsely as one person can choose it."""

from __future__ import annotations

import ipaddress


def origin(address: str) -> str:
    """Return an IPv4 address as it is and an IPv6 address as its /64: a home has that many."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((ip, 64), strict=False))
