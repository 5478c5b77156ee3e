"""What a host should have of an instance. What members share is made once; a member's own is names and addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.by_hand import SHELVED, STATE, state_of
from stead.core.kind import Contribution, Member, SavedDisk, World
from stead.core.want import Body, Want, digest
from stead.kinds.instance import nics
from stead.kinds.instance.body import Bodies
from stead.kinds.instance.demand import volumes
from stead.kinds.instance.model import Instance
from stead.kinds.instance.seed import Seed
from stead.kinds.shared.sizing import flavor_of
from stead.language.desired import Block


def contribute(block: Block, members: Sequence[Member], world: World) -> Iterator[Contribution]:
    model: Instance = block.model
    yield from nics.ports(block, members, world)
    yield from nics.memberships(block, members, world)
    user = {"hosts": tuple({member.host for member in members}), "user": str(block.members[0].block)}
    for image in (model.image, model.cdrom):
        if image is not None:
            yield Contribution(image, "user", user)
    for volume in volumes(model):
        yield Contribution(volume, "user", user)


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    if not members:
        return
    seed = Seed(block, world, members[0])
    bodies = Bodies(block, world, seed.first)
    seats = sorted(nics.interfaces(block, world.desired), key=lambda seat: seat.key)
    model: Instance = block.model
    for member in members:
        if seed.differs and (other := seed.of(member)) != seed.first:
            own = Want.of(_body(bodies, model, member), {**_own(model, seats, member), "seed": other})
        elif STATE in member.leases:
            own = Want.of(_body(bodies, model, member), _own(model, seats, member))
        else:
            own = _quick(bodies.on(member.host), model, seats, member)
        yield {member.host: own}


def _body(bodies: Bodies, model: Instance, member: Member) -> Body:
    """What room it takes is of the body, so one that is shelved by hand, or no more, has another."""
    state = state_of(member.leases, model.state)
    return bodies.on(member.host, state if SHELVED in (state, model.state) else model.state)


def _own(model: Instance, seats: Sequence[nics.InstanceInterface], member: Member) -> dict[str, Any]:
    leases, address = member.leases, member.address
    state = state_of(leases, model.state)
    return {
        **({"state": state} if state != model.state and SHELVED not in (state, model.state) else {}),
        "hostname": model.hostname or address.label,
        "name": f"{address.project}.{address.label}",
        "ports": {seat.key: {"addresses": seat.addresses(leases), "mac": leases[seat.mac]} for seat in seats},
        "uuid": leases["uuid"],
    }


def _quick(body: Body, model: Instance, seats: Sequence[nics.InstanceInterface], member: Member) -> Want:
    """`Want.of(body, _own(...))`, letter by letter. Nothing in it needs escaping, and there are a hundred thousand."""
    leases, address = member.leases, member.address
    ports = ",".join(
        [
            f'"{seat.key}":{{"addresses":[{_quoted(seat.addresses(leases))}],"mac":"{leases[seat.mac]}"}}'
            for seat in seats
        ]
    )
    label = address.label
    names = f'"hostname":"{model.hostname or label}","name":"{address.project}.{label}"'
    text = f'{{{names},"ports":{{{ports}}},"uuid":"{leases["uuid"]}"}}'
    return Want(body, text, digest(body.digest, text))


def _quoted(addresses: Sequence[str]) -> str:
    return '"' + '","'.join(addresses) + '"' if addresses else ""


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    model: Instance = block.model
    flavor = flavor_of(model, world.desired)
    leases = member.leases
    seats = nics.interfaces(block, world.desired)
    ports = {seat.key: (leases[seat.mac], seat.addresses(leases)) for seat in seats}
    addresses = [address for _, own in ports.values() for address in own]
    floating = world.contributions(member.address, "floating")
    host = world.hosts.get(member.host)
    return {
        "name": member.address.label,
        "hostname": model.hostname or member.address.label,
        "project": member.address.project,
        "key": member.address.key,
        "uuid": leases["uuid"],
        "host": member.host,
        "zone": host.zone if host is not None else "",
        # IPv4 first, since most of what reads a lone address still expects it.
        "address": min(addresses, key=lambda text: ":" in text, default=""),
        "addresses": addresses,
        "floating_ip": floating[0]["address"] if floating else "",
        "mac": next((mac for mac, _ in ports.values()), ""),
        "networks": {
            key: {"address": own[0] if own else "", "addresses": own, "mac": mac} for key, (mac, own) in ports.items()
        },
        "vcpus": flavor.vcpus if flavor is not None else 0,
        "memory": flavor.memory if flavor is not None else 0,
        "labels": block.settings.labels,
        "properties": model.properties,
    }


def reverted(want: Mapping[str, Any], snapshot: Address, fields: Mapping[str, Any], serial: int) -> Mapping[str, Any]:
    return {**want, "origin": {"snapshot": {"address": str(snapshot), "uuid": fields["uuid"], "asked": serial}}}


def saved(fields: Mapping[str, Any]) -> SavedDisk | None:
    """Its root disk. A volume that it boots from is backed up by itself."""
    root = fields["root"]
    return SavedDisk(f"{fields['uuid']}-root", int(root["size"])) if root.get("size") and "volume" not in root else None
