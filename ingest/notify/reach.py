"""Which addresses a setting of a user may make this server call: none inside, unless allowed.

A name is looked up once and the connection goes to the very address that was judged, so that a
name that answers differently the second time (DNS rebinding) leads nowhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import TypeAlias

import httpx2
import msgspec

from linli.errors import InputError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup: TypeAlias = Callable[[str, int], Sequence[str]]
_PORTS = {"http": 80, "https": 443}


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """Where to connect: `url` holds the address, `host` is the name for Host and for TLS."""

    url: str
    host: str
    name: str


def looked_up(host: str, port: int) -> list[str]:
    """Return the addresses of a name. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except ValueError as error:  # no name can be written so
        raise OSError("no name") from error
    return [str(entry[4][0]).partition("%")[0] for entry in found]


def reach(url: str, allowed: Sequence[Network] = (), lookup: Lookup = looked_up) -> Reached:
    """Judge an address as it is now. Raises InputError, OSError when the name is not known.

    Everything that a name stands for must be fit to be called, not only the first.
    """
    parsed = _parsed(url)
    host, port = parsed.host, parsed.port or _PORTS[parsed.scheme]
    addresses = fit(host, port, allowed, lookup, where=f"{parsed.scheme}://{host}")
    if parsed.scheme == "http" and not all(_within(found, allowed) for found in addresses):
        raise InputError(
            "is not encrypted", where=f"http://{host}", hint="Use https, or a network of your own"
        )
    first = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
    pinned = str(parsed.copy_with(host=first, port=port))
    return Reached(url=pinned, host=parsed.netloc.decode("ascii"), name=host)


def fit(
    host: str,
    port: int,
    allowed: Sequence[Network] = (),
    lookup: Lookup = looked_up,
    *,
    where: str = "",
) -> list[IpAddress]:
    """Return what a name stands for. Raises InputError when it leads inside, OSError as `reach`."""
    addresses = [_plain(ipaddress.ip_address(found)) for found in lookup(host, port)]
    for found in addresses:
        if not _within(found, allowed) and not (found.is_global and not found.is_multicast):
            raise InputError(
                "leads to an address inside, which is not allowed",
                where=where or host,
                hint="Name its network under notify.allow_networks if it is meant",
            )
    if not addresses:
        raise OSError("no address")
    return addresses


def _within(address: IpAddress, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _parsed(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        raise InputError("is not a web address", where="url") from None
    if parsed.scheme not in _PORTS or not parsed.host:
        raise InputError("must begin with https://", where=f"url {parsed.scheme}:")
    if parsed.userinfo:
        raise InputError("must not hold a name or password", where=f"url of {parsed.host}")
    return parsed


def _plain(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that an IPv6 one only wraps."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        nat64 = ipaddress.ip_network("64:ff9b::/96")
        if inner is None and address in nat64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return inner or address
    return address
