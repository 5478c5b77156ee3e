"""The forms of what is chosen: numbers to count with, texts to record, and what a pool has."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import assert_never

from stead.core.needs import Addresses, Borrowed, Macs, Names, Need, Numbers, Uuids


def fits(need: Need, value: str | int) -> bool:
    match need.pool:
        case Numbers():
            return within(need.pool, value)
        case Addresses():
            return within(need.pool, value) and value not in need.pool.taken
        case Macs() | Uuids() | Names():
            return isinstance(value, str)
        case Borrowed():
            return False
        case _ as never:
            assert_never(never)


def within(pool: Addresses | Numbers, value: str | int) -> bool:
    return isinstance(value, int) and pool.first <= value <= pool.last


def number(text: str) -> str | int:
    """Addresses and plain numbers as integers, everything else as it is."""
    if text.isdigit():
        return int(text)
    parts = text.split(".")
    if len(parts) == 4 and all(part.isdigit() for part in parts):
        a, b, c, d = parts
        return (int(a) << 24) | (int(b) << 16) | (int(c) << 8) | int(d)
    if text.count(":") >= 2 and not _is_mac(text):
        return int(ipaddress.IPv6Address(text))
    return text


def _is_mac(text: str) -> bool:
    return len(text) == 17 and text[2::3] == ":::::"


def _v4(value: int) -> str:
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def kept_back(pool: Addresses | Numbers) -> frozenset[int]:
    return pool.taken | pool.shared if isinstance(pool, Addresses) else frozenset()


def writer(pool: Addresses | Numbers) -> Callable[[int], str]:
    if isinstance(pool, Numbers):
        return str
    return _v4 if pool.version == 4 else lambda value: str(ipaddress.IPv6Address(value))


def uuid_of(raw: str) -> str:
    """RFC 9562 version 8: our own bits, in a form that every tool takes for a UUID."""
    return f"{raw[:8]}-{raw[8:12]}-8{raw[13:16]}-{'89ab'[int(raw[16], 16) & 3]}{raw[17:20]}-{raw[20:]}"
