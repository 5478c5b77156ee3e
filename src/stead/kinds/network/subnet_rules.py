"""What a subnet must be by itself: each address in it and of its family. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from stead.core.diagnostics import Code, Diagnostic
from stead.kinds.network.model import Subnet
from stead.kinds.shared.subnets import read, usable, write
from stead.language.desired import Block

OUTSIDE = Code("STEAD-N003", "an address lies outside its subnet")
BAD_POOL = Code("STEAD-N004", "the pool does not fit its subnet")
SLAAC = Code("STEAD-N011", "addresses cannot be derived from MACs in this subnet")
FAMILY = Code("STEAD-N013", "an address is of the wrong family")
NO_HOSTS = Code("STEAD-N016", "this address range cannot be used")
NO_SERVER = Code("STEAD-N017", "the subnet has no DHCP server")
TWO_MEANINGS = Code("STEAD-N018", "gateway and DHCP server would have the same address")
TWO_ROUTES = Code("STEAD-N019", "two routes lead to the same network")

Cidr = IPv4Network | IPv6Network

# What no kernel takes for the address of an interface beside others: this host, itself, groups, and what IPv6 gives to
# every interface by itself. The last of IPv4 begins with the groups and ends with what was never given out.
_RESERVED: tuple[Cidr, ...] = tuple(
    ip_network(one) for one in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/8", "fe80::/10", "ff00::/8")
)


def check(block: Block, name: str, subnet: Subnet) -> Iterator[Diagnostic]:
    cidr = ip_network(subnet.cidr)
    stem = f"subnets.{name}"
    reserved = next((one for one in _RESERVED if one.version == cidr.version and one.overlaps(cidr)), None)
    if reserved is not None:
        text = f"{cidr} shares addresses with {reserved}, which no interface can have. Choose a network of your own."
        yield NO_HOSTS.at(block.place(f"{stem}.cidr"), text)
        return
    yield from _addresses(block, stem, subnet, cidr)
    yield from _server(block, stem, subnet, cidr)
    if subnet.pool is not None:
        yield from _pool(block, stem, subnet.pool, cidr)
    yield from _routes(block, stem, subnet, cidr)
    if subnet.ipv6 == "slaac" and (cidr.version != 6 or cidr.prefixlen != 64):
        text = (
            f"An address made from a MAC fills the last 64 bits, and {subnet.cidr} is no IPv6 /64. Use a /64, or "
            "`ipv6: dhcp`."
        )
        yield SLAAC.at(block.place(f"{stem}.ipv6"), text)


def _ends(cidr: Cidr) -> tuple[int, int]:
    return usable(cidr.prefixlen, int(cidr.network_address), int(cidr.broadcast_address), cidr.version)


def _addresses(block: Block, stem: str, subnet: Subnet, cidr: Cidr) -> Iterator[Diagnostic]:
    """As written: in the subnet, and of its family."""
    least, most = _ends(cidr)
    own = [("gateway", subnet.gateway), ("dhcp_address", subnet.dhcp_address)]
    own += [(f"reserved.{at}", one) for at, one in enumerate(subnet.reserved)]
    own += [(f"routes.{at}.via", one.via) for at, one in enumerate(subnet.routes)]
    for field, address in own:
        if address is None or address == "none":
            continue
        version, number = read(address)
        if version != cidr.version or not least <= number <= most:
            why = "is no host's address in" if ip_address(address) in cidr else "is not in"
            text = f"{address} {why} {subnet.cidr}. {_between(cidr)}"
            yield OUTSIDE.at(block.place(f"{stem}.{field}"), text)


def _between(cidr: Cidr) -> str:
    least, most = _ends(cidr)
    return f"Write one from {write(cidr.version, least)} to {write(cidr.version, most)}."


def _server(block: Block, stem: str, subnet: Subnet, cidr: Cidr) -> Iterator[Diagnostic]:
    """The router and the network's own server are two machines to guests, wherever they run."""
    if subnet.dhcp_address is None:
        return
    place = block.place(f"{stem}.dhcp_address")
    gateway = write(cidr.version, _ends(cidr)[0]) if subnet.gateway is None else subnet.gateway
    if subnet.dhcp is False:
        text = "It is to have an address, and `dhcp: false` says that there is none. Remove one of the two."
        yield NO_SERVER.at(place, text)
    elif subnet.dhcp_address == gateway:
        text = f"{gateway} is the gateway. Choose another `dhcp_address`, leave it out, or set the subnet's `gateway`."
        yield TWO_MEANINGS.at(place, text)


def _pool(block: Block, stem: str, pool: str, cidr: Cidr) -> Iterator[Diagnostic]:
    place = block.place(f"{stem}.pool")
    least, most = _ends(cidr)
    for end in map(ip_address, pool.split("-")):
        if end.version != cidr.version or end not in cidr:
            yield BAD_POOL.at(place, f"{end} is not in {cidr}. Keep both ends of the pool inside the subnet.")
            return
        if not least <= int(end) <= most:
            yield BAD_POOL.at(place, f"{end} is no host's address in {cidr}. {_between(cidr)}")
            return


def _routes(block: Block, stem: str, subnet: Subnet, cidr: Cidr) -> Iterator[Diagnostic]:
    seen = {"0.0.0.0/0" if cidr.version == 4 else "::/0": "the gateway"} if subnet.gateway != "none" else {}
    for at, route in enumerate(subnet.routes):
        place = block.place(f"{stem}.routes.{at}.to")
        if ip_network(route.to).version != cidr.version:
            text = f"The subnet is IPv{cidr.version} and {route.to} is not. Put the route into a subnet of its family."
            yield FAMILY.at(place, text)
        elif (first := seen.setdefault(route.to, route.via)) != route.via:
            text = f"{route.to} already has a route through {first}. Remove one of the two."
            if first == "the gateway":
                text += f" For another way out, write `gateway: {route.via}`, or `gateway: none` beside the route."
            yield TWO_ROUTES.at(place, text)
