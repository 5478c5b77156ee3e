"""A lab's underlay takes no address that the machine or another lab has."""

from __future__ import annotations

import json
from ipaddress import IPv4Network

import pytest

from stead.core.diagnostics import Refused
from stead.lab import links


def routes(monkeypatch: pytest.MonkeyPatch, *destinations: str) -> None:
    text = json.dumps([{"dst": one} for one in destinations])
    monkeypatch.setattr(links, "run", lambda _: text)


def test_the_first_free_subnet_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    routes(monkeypatch, "default", "192.0.2.0/24", "127.0.0.1", "10.201.0.0/24")
    assert links.free_subnet([IPv4Network("10.201.1.0/24")]) == IPv4Network("10.201.2.0/24")


def test_a_subnet_that_overlaps_a_route_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    routes(monkeypatch, "10.201.0.0/17", "10.201.128.7")
    assert links.free_subnet([]) == IPv4Network("10.201.129.0/24")


def test_a_machine_without_room_is_told_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    routes(monkeypatch, "10.0.0.0/8")
    with pytest.raises(Refused, match=r"STEAD-B014.*underlay: CIDR"):
        links.free_subnet([])
