"""What is on two hosts, of which one answers: which two, what tells them apart, and the link that they elect it over.

Each host has MACs of its own, made from what was leased, so that every MAC stays behind one host; what both answer for
moves between them. A MAC depends on its host alone: who changes places with the other keeps it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zlib import crc32

from stead.core.driver import Feature
from stead.core.fields import INVENTORY, Example, Granted
from stead.core.kind import Member, World
from stead.core.needs import STANDBY, Need, Numbers, Standby
from stead.drivers.network import of
from stead.kinds.shared.subnets import write
from stead.language.desired import Desired

LINK = "ha.vni"
OWN = 0x0A  # first octet of MACs that are no lease: locally administered, and of no other use here

Ha = Annotated[
    bool | Literal["auto"],
    "Whether it is on a second network host, which takes over within seconds when the first fails. `auto`: where "
    "another network host fits; `true`: warn where none does",
    Example(True),
]
OwnHost = Annotated[
    str, INVENTORY, Granted("hosts"), "The network host it runs on; left out, it is chosen", Example("network-1")
]


def wish(ha: bool | str, driver: str, feature: Feature) -> Standby:
    if ha is False or not of(driver, feature).can:
        return Standby.NONE
    return Standby.ALWAYS if ha is True else Standby.IF_POSSIBLE


def need(desired: Desired) -> Need:
    """A tunnel id for the link of the two. Those of networks are counted from the other end."""
    first, last = desired.site.vni_first, desired.site.vni_last
    return Need(LINK, "vni", Numbers((first + last) // 2 + 1, last), second=True)


def is_pair(member: Member) -> bool:
    """Also while no second host fits: then its only host keeps the form, and nothing stops there."""
    return bool(member.host) and STANDBY in member.leases


def hosts_of(member: Member) -> tuple[str, ...]:
    return tuple(host for host in (member.host, member.leases.get(STANDBY, "")) if host)


def mac_on(mac: str, host: str, member: Member) -> str:
    """What an interface with this lease has on a host."""
    return f"{OWN:02x}:{_number(host, member):02x}{mac[5:]}" if is_pair(member) else mac


def peer_of(host: str, member: Member) -> str:
    return next((other for other in hosts_of(member) if other != host), "")


def _number(host: str, member: Member) -> int:
    """Of a host. Should both have the same, the one whose name is second has the next."""
    mine, other = _digest(host), peer_of(host, member)
    clash = bool(other) and _digest(other) == mine and host > other
    return (mine + clash) % 256


def _digest(host: str) -> int:
    return crc32(host.encode()) & 0xFF


def link(member: Member, world: World) -> dict[str, Any]:
    peers = {host: world.hosts[host].underlay for host in hosts_of(member) if host in world.hosts}
    return {"peers": peers, "vni": int(member.leases[LINK])}


def link_local(mac: str) -> str:
    """The address that whoever answers has: guests know their way out by it (modified EUI-64)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    suffix = bytes((octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]))
    return write(6, 0xFE80 << 112 | int.from_bytes(suffix))
