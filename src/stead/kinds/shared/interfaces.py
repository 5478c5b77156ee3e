"""What an interface may send and be sent, be it an instance's own or a port: its addresses, filters and groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Protocol

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.fields import Example, Ip, Mac, Name, Text
from stead.core.kind import Reach
from stead.core.value import replace, value
from stead.drivers.network import PORT_SECURITY, SECURITY_GROUPS
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.network_drivers import cannot
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import AddressSlot, Net, address_slots, nets_of, network_block, pinned, within
from stead.language.desired import Block, Desired

TWO_OF_FAMILY = Code("STEAD-I016", "an interface can have only one address of each family")
NOT_SHARED = Code("STEAD-I017", "the network is not shared with projects")
ALLOWED = Code("STEAD-I022", "neither an IP address nor a CIDR")
UNFILTERED = Code("STEAD-I023", "an interface without port security takes no rules", Severity.WARNING)

OTHER_NETWORK = Code("STEAD-I047", "the port is in another network")
SAID_BY_PORT = Code("STEAD-I048", "the port already says this")
PORT_TWICE = Code("STEAD-I049", "a port is used twice")
DISABLED = Code("STEAD-I050", "the port is disabled")
NOT_THERE = Code("STEAD-I056", "the interface cannot have its addresses in this subnet")

ADDRESSES = Text(pattern=r"\S+", what="an address or a CIDR", longest=64)
OF_PORT = ("address", "subnets", "mac", "security_groups", "port_security", "allowed_addresses")


@value
class AllowedAddress:
    """Addresses that an interface may use beside its own: a virtual IP of keepalived, a network behind a VPN."""

    SHORT: ClassVar[str] = "address"

    address: Annotated[str, ADDRESSES, "An address or a CIDR", Example("10.20.0.100")]
    mac: Annotated[str | None, Mac(), "MAC address that goes with it; left out, the interface's own"] = None


OwnAddress = Annotated[
    Annotated[str, Ip()] | tuple[Annotated[str, Ip()], ...],
    "Its address, or one for each family; left out, it is chosen",
    Example("10.20.0.10"),
]
OwnSubnets = Annotated[
    tuple[Annotated[str, Name()], ...] | None,
    "Subnets of the network that it has its addresses in, one of each family; left out, the first of each family",
    Example(["v4"]),
]
OwnMac = Annotated[str | None, Mac(), "Its MAC address; left out, it is chosen", Example("52:54:00:12:34:56")]
PortSecurity = Annotated[bool | None, "Filter and refuse forged addresses; left out, as the network says"]
AllowedAddresses = Annotated[
    tuple[AllowedAddress, ...], "Addresses it may use beside its own", Example(["10.20.0.100"])
]


class Filtering(Protocol):
    """The fields that an instance's interface and a port have alike."""

    @property
    def network(self) -> Address: ...
    @property
    def address(self) -> str | tuple[str, ...]: ...
    @property
    def subnets(self) -> tuple[str, ...] | None: ...
    @property
    def mac(self) -> str | None: ...
    @property
    def security_groups(self) -> tuple[Address, ...] | None: ...
    @property
    def port_security(self) -> bool | None: ...
    @property
    def allowed_addresses(self) -> tuple[AllowedAddress, ...]: ...


def with_port(nic: Any, desired: Desired) -> Any:
    """An instance's interface with what its port says, where it has one."""
    port = desired.get(nic.port) if nic.port is not None else None
    if port is None or port.kind != "ports":
        return nic
    return replace(nic, **{name: getattr(port.model, name) for name in OF_PORT})


def own_slots(nic: Filtering, network: Block, desired: Desired) -> tuple[AddressSlot, ...]:
    """Where an interface of an instance (with what its port says) or a port has its addresses."""
    return address_slots(_own_nets(nic, network, desired), as_tuple(nic.address))


def _own_nets(nic: Filtering, network: Block, desired: Desired) -> list[Net]:
    return [net for net in nets_of(network, desired) if nic.subnets is None or net.name in nic.subnets]


def asked(one: Any, desired: Desired) -> tuple[str, ...]:
    """Addresses that a user chose for an interface of a router: there, or at its port."""
    port = desired.get(one.port) if one.port is not None else None
    return as_tuple(one.address if port is None or port.kind != "ports" else port.model.address)


def check_port(block: Block, at: int, one: Any, desired: Desired) -> Iterator[Diagnostic]:
    """What an interface says of its port."""
    port, path = desired.get(one.port) if one.port is not None else None, f"networks.{at}"
    if port is None or port.kind != "ports":
        return
    if port.model.network != one.network:
        text = f"{one.port} is a port of {port.model.network}, and the interface is in {one.network}. Change one."
        yield OTHER_NETWORK.at(block.place(f"{path}.port"), text)
    if not port.model.enabled:
        text = f"{one.port} has `enabled: false`. Set it to true, or use another port."
        yield DISABLED.at(block.place(f"{path}.port"), text)
    for name in OF_PORT:
        if getattr(one, name, None) not in (None, ()):
            text = f"The interface is {one.port}. Write `{name}` there, and remove it here."
            yield SAID_BY_PORT.at(block.place(f"{path}.{name}"), text)
    first = users(desired)[one.port]
    if first != (block, at) or len(block.members) > 1:
        who = f"{first[0].members[0].block} uses {one.port} already"
        if first == (block, at):
            who = f"{len(block.members)} members would all use {one.port}"
        text = f"{who}, and a port is one interface. Use another port, or none."
        yield PORT_TWICE.at(block.place(f"{path}.port"), text)


def _users(desired: Desired) -> Mapping[Address, tuple[Block, int]]:
    """Port -> who was first to use it, with which of its interfaces."""
    found: dict[Address, tuple[Block, int]] = {}
    for block in (*desired.of_kind("instances"), *desired.of_kind("routers")):
        for at, one in enumerate(block.model.networks):
            if one.port is not None:
                found.setdefault(one.port, (block, at))
    return found


users = memoize_last(_users)


def is_filtered(nic: Filtering, network: Block) -> bool:
    return bool(network.model.port_security if nic.port_security is None else nic.port_security)


def check(
    block: Block, stem: str, nic: Filtering, groups: tuple[Address, ...] | None, desired: Desired
) -> Iterator[Diagnostic]:
    """`groups` are those that it is in; None is the default group."""
    network = network_block(nic.network, desired)
    if network is None:
        return
    if not network.project and not network.model.shared:
        text = f"{nic.network} is the site's and not shared. Set `shared: true` on it, or use a network of the project."
        yield NOT_SHARED.at(block.place(below(stem, "network")), text)
    if is_filtered(nic, network):
        features = [PORT_SECURITY] if groups == () else [PORT_SECURITY, SECURITY_GROUPS]
        yield from cannot(network.model, features, block.place(stem))
    addresses = as_tuple(nic.address)
    if len(addresses) > 1 and len({":" in one for one in addresses}) < len(addresses):
        text = f"{', '.join(addresses)}: a second one belongs to a second interface, or under `allowed_addresses`."
        yield TWO_OF_FAMILY.at(block.place(below(stem, "address")), text)
    yield from _subnets(block, stem, nic, network, desired)
    for at, one in enumerate(nic.allowed_addresses):
        if not _is_cidr(one.address):
            text = f"{one.address!r} is neither. Write 10.20.0.100 or 10.99.0.0/24."
            yield ALLOWED.at(block.place(below(stem, f"allowed_addresses.{at}")), text)
    if nic.security_groups and not is_filtered(nic, network):
        why = "the interface" if nic.port_security is False else str(nic.network)
        text = f"{why} has `port_security: false`, so nothing is filtered. Set it to true, or remove the groups."
        yield UNFILTERED.at(block.place(below(stem, "security_groups")), text)
    if nic.allowed_addresses and not is_filtered(nic, network):
        text = "Without port security it may use any address. Drop `allowed_addresses`, or set `port_security` to true."
        yield UNFILTERED.at(block.place(below(stem, "allowed_addresses")), text)


def _subnets(block: Block, stem: str, nic: Filtering, network: Block, desired: Desired) -> Iterator[Diagnostic]:
    there, own = [net.name for net in nets_of(network, desired)], _own_nets(nic, network, desired)
    for at, name in enumerate(nic.subnets or ()):
        if name not in there:
            have = f"has {', '.join(there)}" if there else "has none"
            text = f"{name} is no subnet of {nic.network}, which {have}. Name one of its subnets, or none."
            yield NOT_THERE.at(block.place(below(stem, f"subnets.{at}")), text)
    if nic.subnets is not None and len({net.version for net in own}) < len(own):
        text = f"{', '.join(net.name for net in own)}: two are of one family. One belongs to a second interface."
        yield TWO_OF_FAMILY.at(block.place(below(stem, "subnets")), text)
    for address in as_tuple(nic.address) if nic.subnets is not None else ():
        if not any(within(address, net.cidr) for net in own):
            text = f"{address} is not in {' or '.join(net.name for net in own) or 'any subnet'}. Name its subnet there."
            yield NOT_THERE.at(block.place(below(stem, "address")), text)


def reaches(block: Block, stem: str, nic: Filtering, desired: Desired) -> Iterator[Reach]:
    """What it does beyond its project: pins in the site's networks, and forged addresses."""
    yield from pinned(nic.network, as_tuple(nic.address), block, below(stem, "address"))
    foreign = nic.network.project != block.project
    if nic.mac is not None and foreign:
        yield Reach("macs", nic.mac, below(stem, "mac"), f"It pins {nic.mac} in {nic.network}")
    network = network_block(nic.network, desired)
    if nic.port_security is False or (network is not None and network.project_file and not is_filtered(nic, network)):
        why = "Without port security it may send with anybody's addresses"
        yield Reach("port_security_off", True, below(stem, "port_security"), why)
    for at, one in enumerate(nic.allowed_addresses):
        here = below(stem, f"allowed_addresses.{at}")
        if not _is_own(one.address, network if not foreign else None, desired):
            yield Reach("allowed_addresses", one.address, here, f"It would use {one.address} beside its own addresses")
        if foreign and one.mac is not None:
            yield Reach("macs", one.mac, here, f"It would use {one.mac} beside its own in {nic.network}")


def below(stem: str, path: str) -> str:
    return f"{stem}.{path}" if stem else path


def _is_cidr(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _is_own(text: str, network: Block | None, desired: Desired) -> bool:
    """In a subnet of the project's own network."""
    try:
        asked = ip_network(text)
    except ValueError:
        return True  # told elsewhere
    nets = nets_of(network, desired) if network is not None else ()
    first, last = int(asked.network_address), int(asked.broadcast_address)
    return any(net.version == asked.version and net.holds(first) and net.holds(last) for net in nets)
