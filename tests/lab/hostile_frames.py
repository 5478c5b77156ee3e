"""What a hostile guest sends, by every MAC and to every address that could lead out of its network. Runs in its place.

Source and port 6666 tell its packets from others, and no frame here is one that it may send.
"""

from __future__ import annotations

import itertools
import socket
import struct
from collections.abc import Iterator
from typing import Any

EVERYBODY = "ff:ff:ff:ff:ff:ff"
PORT = 6666


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _total(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    found: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while found >> 16:
        found = (found & 0xFFFF) + (found >> 16)
    return ~found & 0xFFFF


def four(source: str, target: str, protocol: int, body: bytes) -> bytes:
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    if protocol == socket.IPPROTO_TCP:
        body = body[:16] + struct.pack("!H", _total(ends + struct.pack("!BBH", 0, 6, len(body)) + body)) + body[18:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0) + ends
    return head[:10] + struct.pack("!H", _total(head)) + head[12:] + body


def six(source: str, body: bytes) -> bytes:
    ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, "ff02::1")
    pseudo = ends + struct.pack("!II", len(body), socket.IPPROTO_ICMPV6)
    body = body[:2] + struct.pack("!H", _total(pseudo + body)) + body[4:]
    return struct.pack("!IHBB", 6 << 28, len(body), socket.IPPROTO_ICMPV6, 255) + ends + body


def udp(port: int, data: bytes = b"hostile", source: int = PORT) -> bytes:
    return struct.pack("!HHHH", source, port, 8 + len(data), 0) + data


def syn(port: int) -> bytes:
    return struct.pack("!HHIIBBHHH", PORT, port, 1, 0, 5 << 4, 2, 1024, 0, 0)


def arp(sender: str, address: str, told: str = "") -> bytes:
    """An answer that nobody asked for; where nobody is told, it is about its sender alone."""
    ends = socket.inet_aton(address), socket.inet_aton(told or address)
    return struct.pack("!HHBBH", 1, 0x800, 6, 4, 2) + _mac(sender) + ends[0] + _mac(EVERYBODY) + ends[1]


def frame(target: str, source: str, kind: int, data: bytes) -> bytes:
    return _mac(target) + _mac(source) + struct.pack("!H", kind) + data


def tunnelled(told: Any) -> bytes:
    """A frame for the victim, as if it came by a tunnel from another host."""
    inner = frame(told["near"], told["own"], 0x800, four("10.20.0.66", "10.20.0.11", 17, udp(PORT)))
    return udp(4789, struct.pack("!II", 8 << 24, told["vni"] << 8) + inner)


def claims(told: Any) -> Iterator[tuple[int, bytes]]:
    """To be a neighbour, a router, a server."""
    for sender, address in itertools.product((told["own"], told["near"]), ("10.20.0.11", "10.20.0.2")):
        yield 0x806, arp(sender, address)
    yield 0x86DD, six(told["local"], struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0))
    yield 0x800, four("10.20.0.2", "255.255.255.255", 17, udp(68, bytes(240), 67))
    yield 0x8100, struct.pack("!HH", 1, 0x800) + four("10.20.0.66", "10.20.0.11", 17, udp(PORT))


def packets(told: Any) -> Iterator[tuple[int, bytes]]:
    """By addresses of others, into tunnels, and to ports of hosts."""
    hosts = told["hosts"]
    for address in ("10.20.0.11", "8.8.8.8", *hosts):
        yield 0x800, four(address, "10.20.0.11", 17, udp(PORT))
    for address, host in itertools.product(("10.20.0.66", *hosts), (*hosts, "127.0.0.1", "169.254.169.254")):
        yield 0x800, four(address, host, 17, tunnelled(told))
        for port in told["ports"]:
            yield 0x800, four(address, host, 6, syn(port))


def send(told: Any) -> int:
    """How many were sent: the tap takes all of them."""
    sent = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        for source, target in itertools.product(
            (told["own"], told["near"], told["far"]), (EVERYBODY, told["near"], *told["macs"])
        ):
            for kind, data in itertools.chain(claims(told), packets(told)):
                raw.send(frame(target, source, kind, data))
                sent += 1
        truth = arp(told["own"], "10.20.0.66", "10.20.0.2")  # bridges keep one that tells nobody from other hosts
        raw.send(frame(EVERYBODY, told["own"], 0x806, truth))
    return sent
