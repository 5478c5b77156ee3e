"""Announces that an address has moved here: gratuitous ARP, and unsolicited neighbour advertisements.

Otherwise neighbours would send to the old place until their cache expires, which takes minutes. It uses raw sockets
that are opened in the namespace.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import time
from typing import List, Sequence

from ..base.errors import Failed, FailureCode
from . import entering

NOT_TOLD = FailureCode("STEAD-E207", "an address could not be announced")
EVERYBODY = b"\xff" * 6
ALL_NODES = ipaddress.ip_address("ff02::1").packed
ALL_NODES_MAC = b"\x33\x33\x00\x00\x00\x01"
# A frame can be lost, and a neighbour that missed all of them would not know for minutes.
TIMES, APART = 3, 0.1


def tell(namespace: str, device: str, mac: str, addresses: Sequence[str], listeners: Sequence[str] = ()) -> None:
    """`listeners` are MACs that are told one by one: what is told to everybody does not pass a tunnel's bridge, which
    answers for neighbours elsewhere by itself.
    """
    told = [frame for one in addresses for frame in frames(mac, one)]
    others = [octets(other) for other in listeners if other.lower() != mac.lower()]
    told += [other + frame[6:] for other in others for frame in told]
    _say(namespace, device, told, ", ".join(addresses))


def lead(namespace: str, device: str, mac: str, lifetime: int, managed: bool = False, source: str = "") -> None:
    """To all guests, of a router: the way out is here for so many seconds. With none left they drop it at once; they
    would take it for theirs for half an hour else, and hear of the one that comes only when its dnsmasq next speaks.
    """
    _say(namespace, device, [leading(mac, lifetime, managed, source)], "{0} as a way out".format(device))


def _say(namespace: str, device: str, told: Sequence[bytes], what: str) -> None:
    try:
        entering.within(namespace, _send, device, told)
    except Failed as error:
        raise Failed(NOT_TOLD, "{0}: {1}".format(what, error)) from error


def _send(device: str, told: Sequence[bytes]) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((device, 0))
        for time_ in range(TIMES):
            if time_:
                time.sleep(APART)
            for frame in told:
                wire.send(frame)


def octets(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def frames(mac: str, address: str) -> List[bytes]:
    """Of IPv4 a request and a reply, since some systems heed only one of them."""
    own, one = octets(mac), ipaddress.ip_address(address)
    if one.version == 6:
        return [ALL_NODES_MAC + own + b"\x86\xdd" + _advertisement(own, one.packed)]
    body = struct.pack("!HHBB", 1, 0x0800, 6, 4)
    return [
        EVERYBODY + own + b"\x08\x06" + body + struct.pack("!H", kind) + own + one.packed + own + one.packed
        for kind in (1, 2)
    ]


def leading(mac: str, lifetime: int, managed: bool, source: str = "") -> bytes:
    """`source` is the address that guests know it by, where that is not its MAC's own."""
    flags = 0xC0 if managed else 0  # addresses and more are given by DHCPv6
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, flags, lifetime, 0, 0) + b"\x01\x01" + octets(mac)
    sender = ipaddress.ip_address(source or link_local(mac)).packed
    return ALL_NODES_MAC + octets(mac) + b"\x86\xdd" + _icmp(sender, body)


def _advertisement(own: bytes, address: bytes) -> bytes:
    """From the address itself, with the flags router and override."""
    body = struct.pack("!BBHI", 136, 0, 0, 0xA0000000) + address + b"\x02\x01" + own
    return _icmp(address, body)


def _icmp(source: bytes, body: bytes) -> bytes:
    pseudo = source + ALL_NODES + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", _checksum(pseudo + body)) + body[4:]
    return struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + source + ALL_NODES + body


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack("!{0}H".format(len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def link_local(mac: str) -> str:
    """The address that an interface has by itself (modified EUI-64)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    suffix = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + suffix))
