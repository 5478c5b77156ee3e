"""Subnets as numbers: what is given out, what is kept back, and where an interface finds its addresses.

Networks, instances, routers and floating IPs all ask here, so that they agree. Nothing is chosen that has to be kept:
all is a function of the spec.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Address, ip_address, ip_network
from typing import Protocol

from stead.core.address import Address
from stead.core.kind import Reach
from stead.core.named import NamedTuple
from stead.core.needs import Addresses, Need
from stead.kinds.shared.fixed import fixed_addresses, shared_addresses
from stead.kinds.shared.memoize_last import memoize_last
from stead.language.desired import Block, Desired

# Enough for every interface there will ever be, and the addresses stay short.
V6_POOL = 0xFFFF_FFFF


class SubnetShape(Protocol):
    cidr: str
    gateway: str | None
    pool: str | None
    reserved: tuple[str, ...]
    dhcp: bool | None
    dhcp_address: str | None
    dns: tuple[str, ...]
    ipv6: str


class Net(NamedTuple):
    """A subnet. Addresses are numbers; ends are included."""

    name: str
    version: int
    cidr: str
    prefix: int
    base: int
    end: int
    gateway: int | None
    first: int  # of the pool
    last: int
    server: int | None  # the network's own DHCP and DNS
    taken: frozenset[int]
    dns: tuple[str, ...]
    slaac: bool
    shared: frozenset[int]  # virtual addresses

    def holds(self, number: int) -> bool:
        return self.base <= number <= self.end

    def is_host(self, number: int) -> bool:
        """Whether one interface can have it; some addresses stand for the whole subnet."""
        least, most = usable(self.prefix, self.base, self.end, self.version)
        return least <= number <= most

    def is_gateway(self, address: str | None) -> bool:
        return address is not None and self.gateway is not None and read(address)[1] == self.gateway

    def write(self, number: int) -> str:
        return write(self.version, number)

    def sized(self, address: str) -> str:
        return f"{address}/{self.prefix}"


class AddressSlot(NamedTuple):
    """Where an interface gets an address: a subnet, and the address if the user chose it."""

    net: Net
    fixed: str | None


def write(version: int, number: int) -> str:
    if version == 4:
        return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return str(IPv6Address(number))


def read(address: str) -> tuple[int, int]:
    """Version and number."""
    if ":" not in address:
        a, b, c, d = address.split(".")
        return 4, int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)
    return 6, int(IPv6Address(address))


_known = memoize_last(lambda _desired: dict[Block, tuple[Net, ...]]())


def nets_of(block: Block, desired: Desired) -> tuple[Net, ...]:
    """The subnets of a network, IPv4 first and then by name: where a map is written first means nothing."""
    known = _known(desired)
    if block not in known:
        model = block.model
        held = {read(claim.address) for member in block.members for claim in fixed_addresses(desired).get(member, ())}
        virtual = {one for member in block.members for one in shared_addresses(desired).get(member, ())}
        nets = [
            _net(name, subnet, model.external, (held, virtual), desired.site.dns)
            for name, subnet in model.subnets.items()
        ]
        known[block] = tuple(sorted(nets, key=lambda net: (net.version, net.name)))
    return known[block]


def network_block(address: Address, desired: Desired) -> Block | None:
    """Of a reference: None when it leads nowhere, which the language has reported."""
    block = desired.get(address)
    return block if block is not None and block.kind == "networks" else None


Numbers = set[tuple[int, int]]  # versions and addresses


def _net(name: str, subnet: SubnetShape, external: bool, asked: tuple[Numbers, Numbers], dns: tuple[str, ...]) -> Net:
    held, virtual = asked
    parsed = ip_network(subnet.cidr)
    version = parsed.version
    base, end = int(parsed.network_address), int(parsed.broadcast_address)
    least, most = usable(parsed.prefixlen, base, end, version)
    gateway = None
    if subnet.gateway != "none":
        gateway = least if subnet.gateway is None else read(subnet.gateway)[1]
    if subnet.pool is None:
        first, last = least, most if version == 4 else min(most, base + V6_POOL)
    else:
        first, last = (read(part.strip())[1] for part in subnet.pool.split("-", 1))
    taken = {read(address)[1] for address in subnet.reserved}
    if gateway is not None:
        taken.add(gateway)
    server = None
    if subnet.dhcp_address is not None:
        server = read(subnet.dhcp_address)[1]
    elif subnet.dhcp if subnet.dhcp is not None else not external:
        server = last
        while server > first and (server in taken or (version, server) in held | virtual):
            server -= 1
    if server is not None:
        taken.add(server)
    return Net(
        name=name,
        version=version,
        cidr=str(parsed),
        prefix=parsed.prefixlen,
        base=base,
        end=end,
        gateway=gateway,
        first=first,
        last=last,
        server=server,
        taken=frozenset(taken),
        dns=subnet.dns or dns,
        slaac=version == 6 and subnet.ipv6 == "slaac",
        shared=frozenset(number for family, number in virtual if family == version and base <= number <= end),
    )


def usable(prefix: int, base: int, end: int, version: int) -> tuple[int, int]:
    """First and last address that an interface can have."""
    if prefix >= (31 if version == 4 else 127):
        return base, end
    # IPv6 has no broadcast, but the first address is the routers' anycast.
    return base + 1, end - 1 if version == 4 else end


def address_slots(nets: Sequence[Net], addresses: Sequence[str]) -> tuple[AddressSlot, ...]:
    """One for each family: the subnet that holds the address asked for, else the family's first."""
    asked = {}
    for address in addresses:
        version, number = read(address)
        net = next((net for net in nets if net.version == version and net.holds(number)), None)
        if net is not None:
            asked[version] = AddressSlot(net, address)
    firsts: dict[int, AddressSlot] = {}
    for net in nets:
        firsts.setdefault(net.version, AddressSlot(net, None))
    return tuple(asked.get(version) or firsts[version] for version in sorted(firsts))


def as_router(nets: Sequence[Net], addresses: Sequence[str]) -> Iterator[AddressSlot]:
    """Where a router stands: in every subnet that has a gateway, as that, or at an address of its own."""
    for net in nets:
        asked = next((one for one in addresses if holds(net, one)), None)
        if asked is not None:
            yield AddressSlot(net, asked)
        elif net.gateway is not None:
            yield AddressSlot(net, net.write(net.gateway))


def holds(net: Net, address: str) -> bool:
    version, number = read(address)
    return net.version == version and net.holds(number)


def space(network: Address, net: Net) -> str:
    """Within which each address is had once."""
    return f"{network}/{net.name}"


def held(network: Address, addresses: Iterable[str], desired: Desired) -> Iterator[tuple[str, str]]:
    """Where in the network's spaces these addresses are, whoever has them."""
    block = network_block(network, desired)
    nets = nets_of(block, desired) if block is not None else ()
    for address in addresses:
        yield from ((space(network, net), address) for net in nets if within(address, net.cidr))


def need(key: str, network: Address, stand: AddressSlot) -> Need:
    net, fixed = stand
    return Need(key, space(network, net), Addresses(net.version, net.first, net.last, net.taken, net.shared), fixed)


def slaac(net: Net, mac: str) -> str:
    """The address that a guest makes from its MAC (modified EUI-64)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    suffix = bytes((octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]))
    return write(6, net.base | int.from_bytes(suffix))


def overlap(one: Net, other: Net) -> bool:
    return one.version == other.version and one.base <= other.end and other.base <= one.end


def within(address: str, cidr: str) -> bool:
    return ip_address(address) in ip_network(cidr)


def is_v4(cidr: str) -> bool:
    return isinstance(ip_network(cidr, strict=False), IPv4Network)


def pinned(network: Address, addresses: Iterable[str | None], block: Block, path: str) -> Iterator[Reach]:
    """Addresses that a resource asks for in a network that is not its project's."""
    if network.project != block.project:
        for address in addresses:
            if address is not None:
                yield Reach("addresses", (network.name, address), path, f"It pins {address} in {network}")
