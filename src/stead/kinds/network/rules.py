"""What a network must be to work, and what addresses may be asked for in it. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.observed import Host
from stead.drivers.network import DHCP, DHCP_HA, IPV6, PORT_SECURITY, TYPES, all_of_them, of, who_can
from stead.kinds.network import subnet_rules
from stead.kinds.network.model import Network
from stead.kinds.network.needs import TUNNELS, is_served
from stead.kinds.network.subnet_rules import SLAAC
from stead.kinds.shared import underlay
from stead.kinds.shared.fixed import Pinned, fixed_addresses
from stead.kinds.shared.interfaces import users
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.network_drivers import WIRES, cannot
from stead.kinds.shared.routing import ways
from stead.kinds.shared.subnets import Net, nets_of, overlap, read
from stead.language.desired import Block, Desired

OVERLAP = Code("STEAD-N001", "subnets overlap")
TOO_SMALL = Code("STEAD-N002", "the subnet is too small")
NOT_IN_NETWORK = Code("STEAD-N005", "the address is in none of the network's subnets")
TAKEN_TWICE = Code("STEAD-N006", "an address is requested twice")
MTU = Code("STEAD-N007", "the underlay cannot carry the MTU")
NO_PHYSICAL = Code("STEAD-N008", "the physical network is missing")
NOT_APPLICABLE = Code("STEAD-N009", "the field does not apply to this type of network")
SAME_WIRE = Code("STEAD-N010", "two networks would share a VLAN or tunnel id")
SHARED_NUMBER = Code("STEAD-N012", "several networks cannot share this value")
NO_WAY_TO_DNS = Code("STEAD-N015", "no router leads to the name servers", Severity.WARNING)
UNFIT = Code("STEAD-N060", "the hosts are not prepared for the network's driver")
NO_CODE = Code("STEAD-N046", "no host supports this network")
TWO_SWITCHES = Code("STEAD-N062", "two drivers would have one physical network")
MTU_V6 = Code("STEAD-N014", "the MTU is too small for IPv6")

Wire = tuple[str, str | None, int | None]  # "flat", "vlan" or "vni"; the physical network; the number

LEAST_V6_MTU = 1280  # RFC 8200, section 5


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    yield from _type(block)
    if not (refused := list(_driver(block, desired))):
        yield from _mtu(block, desired)
    yield from refused
    yield from _same_wire(block, desired)
    yield from _same_device(block, desired)
    bad = False
    for name, subnet in block.model.subnets.items():
        for said in subnet_rules.check(block, name, subnet):
            bad = True
            yield said
    if bad:
        return  # what follows would say the same again, less clearly
    nets = nets_of(block, desired)
    yield from _overlaps(block, nets)
    yield from _room(block, nets)
    yield from _unreached(block, nets, desired)
    for member in block.members:
        yield from _claims(member, nets, fixed_addresses(desired).get(member, ()), desired)


def _driver(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    """Whether there is such a driver, and whether it can make such a network."""
    model: Network = block.model
    if model.driver not in all_of_them():
        there_are = _either(all_of_them())
        text = f"There is no network driver {model.driver}. Leave `driver` out, or write `driver: {there_are}`."
        yield NO_CODE.at(block.place("driver"), text)
        return
    found = of(model.driver, TYPES[model.type])
    if not found.can:
        others = who_can(TYPES[model.type])
        more = f" Or write `driver: {_either(others)}`, which makes them." if others else ""
        yield NO_CODE.at(block.place("type"), found.text + more)
        return
    if is_served(block, desired):
        yield from cannot(model, [DHCP], block.place("subnets"))
    if model.ha is True:
        yield from cannot(model, [DHCP_HA], block.place("ha"))
    if model.port_security:
        yield from cannot(model, [PORT_SECURITY], block.place("port_security"))
    for name, subnet in model.subnets.items():
        if ":" in subnet.cidr:
            yield from cannot(model, [IPV6], block.place(f"subnets.{name}.cidr"))


def fits(block: Block, _desired: Desired, hosts: Mapping[str, Host]) -> Iterator[Diagnostic]:
    driver = all_of_them().get(block.model.driver)
    if driver is not None and (why := driver.unfit(hosts)):
        yield UNFIT.at(block.place("driver"), why)


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


def _type(block: Block) -> Iterator[Diagnostic]:
    model: Network = block.model
    if model.type in WIRES and model.physical is None:
        text = (
            f"A {model.type} network is a physical one, and the spec does not say which. Write `physical:` with a "
            "name from the inventory."
        )
        yield NO_PHYSICAL.at(block.place("type"), text)
    wrong = {
        "physical": model.physical is not None and model.type in TUNNELS,
        "vlan": model.vlan is not None and model.type != "vlan",
        "vni": model.vni is not None and model.type not in TUNNELS,
    }
    for field, applies_not in wrong.items():
        if applies_not:
            text = f"`{field}` does not apply to a {model.type} network. Remove it, or change `type`."
            yield NOT_APPLICABLE.at(block.place(field), text)
    if model.ha is True and len(block.members) > 1:
        text = (
            "A second server has an address of its own in each network, and networks with a count have none. Remove "
            "`ha`, or write the networks one by one."
        )
        yield NOT_APPLICABLE.at(block.place("ha"), text)
    for field in ("vlan", "vni"):
        if getattr(model, field) is not None and len(block.members) > 1:
            text = (
                f"{len(block.members)} networks would all have {field} {getattr(model, field)}. Leave it out, and "
                "each gets its own."
            )
            yield SHARED_NUMBER.at(block.place(field), text)


def _mtu(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Network = block.model
    carried = underlay.promised(desired)
    most = underlay.largest(model, carried)
    if model.mtu is not None and model.mtu > most:
        text = (
            f"{model.mtu} exceeds {most}, the most that {model.type} allows on an underlay with MTU {carried}. "
            f"Write at most {most}, leave it out, or set the site's `mtu` if the underlay carries more."
        )
        yield MTU.at(block.place("mtu"), text)
    if (model.mtu or most) < LEAST_V6_MTU:
        for name, subnet in model.subnets.items():
            if ":" in subnet.cidr:
                text = (
                    f"IPv6 needs {LEAST_V6_MTU} at least, and the network has {model.mtu or most}. Raise `mtu` or "
                    "leave the subnet out."
                )
                yield MTU_V6.at(block.place("mtu" if model.mtu else f"subnets.{name}"), text)


def _wires(desired: Desired) -> Mapping[Wire, list[Block]]:
    """Networks by what tells them apart on the wire."""
    found: dict[Wire, list[Block]] = {}
    for block in desired.of_kind("networks"):
        model: Network = block.model
        if model.type == "flat":
            found.setdefault(("flat", model.physical, None), []).append(block)
        elif model.type == "vlan" and model.vlan is not None:
            found.setdefault(("vlan", model.physical, model.vlan), []).append(block)
        elif model.type in TUNNELS and model.vni is not None:
            found.setdefault(("vni", None, model.vni), []).append(block)
    return found


wires = memoize_last(_wires)


def _same_wire(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: Network = block.model
    key: Wire
    if model.type == "flat":
        key, field = ("flat", model.physical, None), "physical"
    elif model.type == "vlan":
        key, field = ("vlan", model.physical, model.vlan), "vlan"
    else:
        key, field = ("vni", None, model.vni), "vni"
    if getattr(model, field) is None:
        return
    others = wires(desired).get(key, [])
    if others and others[0] is not block:
        first = others[0].members[0].block
        text = (
            f"{first} has {field} {getattr(model, field)} already, so their packets would mix. Choose another "
            "value, or use that network instead."
        )
        yield SAME_WIRE.at(block.place(field), text)
    elif model.type == "flat" and len(block.members) > 1:
        text = f"{len(block.members)} networks would all be the physical network {model.physical}. There can be one."
        yield SAME_WIRE.at(block.place(field), text)


def _drivers_of_wires(desired: Desired) -> Mapping[str, Block]:
    """The first network of each physical one."""
    found: dict[str, Block] = {}
    for block in desired.of_kind("networks"):
        if block.model.type in WIRES and block.model.physical is not None:
            found.setdefault(block.model.physical, block)
    return found


drivers_of_wires = memoize_last(_drivers_of_wires)


def _same_device(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    """The device of a physical network is in one switch of its host."""
    model: Network = block.model
    first = drivers_of_wires(desired).get(model.physical or "") if model.type in WIRES else None
    if first is not None and first.model.driver != model.driver:
        text = (
            f"{first.members[0].block} has the physical network {model.physical} by driver {first.model.driver}, and "
            f"this one by {model.driver}; a device is in one switch only. Give both the same `driver`."
        )
        yield TWO_SWITCHES.at(block.place("physical"), text)


def _overlaps(block: Block, nets: tuple[Net, ...]) -> Iterator[Diagnostic]:
    ordered = sorted(nets, key=lambda net: (net.version, net.base))
    for one, other in pairwise(ordered):
        if overlap(one, other):
            text = (
                f"{other.cidr} and {one.cidr} (subnet {one.name}) share addresses, so routing between them "
                "would be ambiguous. Shrink or move one of them."
            )
            yield OVERLAP.at(block.place(f"subnets.{other.name}.cidr"), text)


def _room(block: Block, nets: tuple[Net, ...]) -> Iterator[Diagnostic]:
    for net in nets:
        kept = sum(1 for number in net.taken if net.first <= number <= net.last)
        if net.last - net.first + 1 - kept < 1:
            text = (
                f"{net.cidr} has no address left for instances besides gateway, DHCP server and reserved "
                "addresses. Use a shorter prefix, widen the pool, or turn off `dhcp` or `gateway`."
            )
            yield TOO_SMALL.at(block.place(f"subnets.{net.name}.cidr"), text)


def _unreached(block: Block, nets: tuple[Net, ...], desired: Desired) -> Iterator[Diagnostic]:
    """A network that no router joins is reached by nobody, and reaches nobody."""
    model: Network = block.model
    if model.type not in TUNNELS or any(member in ways(desired) for member in block.members):
        return
    for net in nets:
        if net.slaac and net.server is None:
            text = (
                "Guests would get no configuration: the subnet has no DHCP server, and no router joins "
                "the network. Leave `dhcp: false` out, or join it to a router."
            )
            yield SLAAC.at(block.place(f"subnets.{net.name}.ipv6"), text)
    for name, subnet in model.subnets.items():
        for one in subnet.dns:
            version, number = read(one)
            if not any(net.version == version and net.holds(number) for net in nets):
                text = (
                    f"{one} is outside the network, and no router joins it, so names other than the network's own do "
                    "not resolve. Join it to a router that leads there, or remove `dns`."
                )
                yield NO_WAY_TO_DNS.at(block.place(f"subnets.{name}.dns"), text)
                break


def _claims(member: Address, nets: tuple[Net, ...], claims: Sequence[Pinned], desired: Desired) -> Iterator[Diagnostic]:
    """What others ask for in this network, said where they ask."""
    seen: dict[tuple[int, int], Pinned] = {}
    for claim in claims:
        asked = read(claim.address)
        net = next((net for net in nets if net.version == asked[0] and net.holds(asked[1])), None)
        first = seen.setdefault(asked, claim)
        if net is None:
            have = ", ".join(net.cidr for net in nets) or "none at all"
            code, text = (
                NOT_IN_NETWORK,
                f"is in no subnet of {member}, which has {have}. Choose one of its addresses or",
            )
            text = f"{text} leave it out."
        elif first is not claim:
            code, text = (
                TAKEN_TWICE,
                f"in {member} is asked for by {first.block.members[0].block} too, and one can have",
            )
            text = f"{text} it. Choose another, or leave it out."
        elif (found := _kept(claim, asked[1], net, member, desired)) is not None:
            code, text = found
        else:
            continue
        who = str(claim.block.members[0].block)
        yield code.at(claim.block.place(claim.path), f"{claim.address} {text}", address=who)


def _kept(claim: Pinned, number: int, net: Net, member: Address, desired: Desired) -> tuple[Code, str] | None:
    """Addresses that the network keeps for itself."""
    if number == net.gateway and not _of_router(claim, desired):
        return TAKEN_TWICE, f"is the gateway of {member}. Choose another, or set the subnet's `gateway`."
    if number == net.server:
        return TAKEN_TWICE, f"is the DHCP server of {member}. Choose another, or set the subnet's `dhcp_address`."
    if not net.is_host(number):
        return NOT_IN_NETWORK, f"is the network or broadcast address of {net.cidr}. Choose another."
    return None


def _of_router(claim: Pinned, desired: Desired) -> bool:
    """Inside of a router, by itself or by a port."""
    if claim.block.kind == "ports":
        user = users(desired).get(claim.block.members[0])
        return user is not None and user[0].kind == "routers"
    return claim.block.kind == "routers" and claim.path != "external.address"
