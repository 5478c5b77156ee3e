"""What is said of an address that is new somewhere. That neighbours heed it is shown in tests/lab/test_routers.py."""

from __future__ import annotations

import struct

from ansible_collections.stead.cloud.plugins.module_utils.host.net import arp_nd

MAC = "52:54:00:12:34:56"
OWN = bytes.fromhex("525400123456")


def test_a_request_and_a_reply_say_the_same_of_ipv4() -> None:
    frames = arp_nd.frames(MAC, "203.0.113.20")
    assert [struct.unpack("!H", frame[20:22])[0] for frame in frames] == [1, 2]
    for frame in frames:
        assert frame[:6] == b"\xff" * 6
        assert frame[22:32] == OWN + bytes([203, 0, 113, 20])
        assert frame[38:42] == bytes([203, 0, 113, 20])


def checked(frame: bytes) -> bytes:
    """What ICMPv6 says, with a checksum that holds."""
    packet = frame[14:]
    body = packet[40:]
    pseudo = packet[8:40] + struct.pack("!II", len(body), 58)
    total = sum(struct.unpack(f"!{len(pseudo + body) // 2}H", pseudo + body))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF
    return body


def test_an_advertisement_has_a_checksum_that_holds() -> None:
    (frame,) = arp_nd.frames(MAC, "2001:db8::20")
    body = checked(frame)
    assert body[0] == 136
    assert body[-6:] == OWN


def test_a_router_says_how_long_it_leads_on_and_who_it_is() -> None:
    body = checked(arp_nd.leading(MAC, 1800, managed=True))
    assert (body[0], body[5], struct.unpack("!H", body[6:8])[0], body[-6:]) == (134, 0xC0, 1800, OWN)
    assert checked(arp_nd.leading(MAC, 0, managed=False))[5:8] == bytes(3)
