"""Blocks, specs and sites by hand, so that kinds are tested without the language. Places name the field they mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stead.blueprint.model import Blueprint
from stead.blueprint.settle import settle
from stead.core.address import Address, parse
from stead.core.diagnostics import Diagnostic, Place
from stead.core.fields import Expression
from stead.core.observed import Host, Observed, StoragePool
from stead.core.recorded import Recorded
from stead.kinds import kinds
from stead.language.desired import Block, Desired, Settings, Site
from stead.language.document import Node

GIB = 1 << 30


class Written(Node):
    """A node that knows no file: the place's file is the path that was asked for."""

    def __init__(self) -> None:
        self.file, self.line, self.column = "", 1, 1

    def place_of(self, path: str) -> Place:
        return Place(path, 1, 1)


def at(text: str) -> Address:
    found = parse(text)
    assert found is not None, text
    return found


def block(
    address: str,
    model: Any,
    *,
    count: int | None = None,
    refs: Iterable[str] = (),
    settings: Settings | None = None,
    late: tuple[Expression, ...] = (),
) -> Block:
    own = at(address)
    members = (own,) if count is None else tuple(own._replace(key=index) for index in range(count))
    return Block(
        kind=own.kind,
        project=own.project,
        name=own.name,
        model=model,
        settings=settings or Settings(),
        node=Written(),
        members=members,
        refs=tuple(sorted(at(one) for one in refs)),
        late=late,
    )


def spec(*blocks: Block, site: Site | None = None) -> Desired:
    by_address = {}
    for one in blocks:
        by_address[one.members[0].block] = one
        by_address.update(dict.fromkeys(one.members, one))
    return Desired(
        site=site or Site(),
        blocks=tuple(sorted(blocks, key=lambda one: str(one.members[0]))),
        by_address=by_address,
        variables={},
        kinds=kinds(),
    )


def host(name: str, *roles: str, **more: Any) -> Host:
    number = sum(map(ord, name)) % 250 + 1
    given: dict[str, Any] = {
        "vcpus": 32,
        "memory": 128 * GIB,
        "pools": {"default": StoragePool("default", "dir", 2048 * GIB, "/var/lib/stead/pools/default")},
        "physical_networks": {"external": "eth1"},
        "underlay": f"192.0.2.{number}",
    }
    return Host(name=name, roles=frozenset(roles), **{**given, **more})


def site_of(*hosts: Host) -> Observed:
    return Observed(hosts={one.name: one for one in hosts})


SMALL_SITE = site_of(
    host("controller-1", "controller", pools={}),
    host("compute-1", "compute"),
    host("compute-2", "compute"),
    host("network-1", "network", pools={}),
    host(
        "storage-1",
        "storage",
        pools={"fast": StoragePool("fast", "nfs", 4096 * GIB, "/srv/fast", shared=True)},
    ),
)


def blueprint(desired: Desired, observed: Observed = SMALL_SITE) -> tuple[Blueprint | None, list[Diagnostic]]:
    return settle(desired, Recorded(site="site"), observed, kinds=kinds(), key=b"key")


def settled(desired: Desired, observed: Observed = SMALL_SITE) -> Blueprint:
    found, diagnostics = blueprint(desired, observed)
    assert found is not None, diagnostics
    return found


def problems(desired: Desired) -> list[tuple[str, str, str]]:
    """Code, address and field of everything that the rules of the kinds say."""
    return [
        (said.code, str(one.members[0]), said.place.file if said.place else "")
        for one in desired.blocks
        for said in kinds()[one.kind].check(one, desired)
    ]
