"""From Nova's body to the fields of an instance. What has no counterpart is refused, not passed over."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from stead.core.address import Address
from stead.serve import notes
from stead.serve.compute.events import asked
from stead.serve.compute.flavors import flavor_of
from stead.serve.compute.server_groups import rule_of
from stead.serve.edits import Content, Edit, all_of, put, slug
from stead.serve.faults import NOT_ALLOWED, Fault, bad, conflict, not_built
from stead.serve.image.copies import used_image
from stead.serve.keys import fresh, new_key
from stead.serve.routes import Call, true
from stead.serve.volume_notes import must_be_for_booting
from stead.serve.world import CloudState, KnownResource

AddressForm = type[IPv4Address] | type[IPv6Address]
ACCESS: Mapping[str, AddressForm] = {"accessIPv4": IPv4Address, "accessIPv6": IPv6Address}  # for people to read
DISK_CONFIG = "OS-DCF:diskConfig"  # a word of who asks: the guest itself grows its file system
MOST = 100  # servers of one request
METADATA_ITEMS = 128
HINTS = ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints")


class Created:
    """What one request makes: the edit, and the keys of its servers."""

    def __init__(self, edit: Edit, keys: list[str]) -> None:
        self.edit, self.keys = edit, keys


def created(call: Call) -> Created:
    said, world = call.body["server"], call.world
    number = int(said.get("max_count") or said.get("min_count") or 1)
    if not 1 <= number <= MOST or int(said.get("min_count") or 1) > number:
        raise bad(f"min_count and max_count are from 1 to {MOST}, and min_count is not above max_count.")
    if said.get("personality"):
        raise not_built("Files of `personality` are not injected. Use user_data.")
    flavor = flavor_of(call, said["flavorRef"])
    fields = {**_fields(call, world, said), "flavor": flavor.said, **_placed(call)}
    within_limit(said.get("metadata") or {})
    reservation = f"r-{fresh()}" if true(said.get("return_reservation_id")) else None
    edits: list[Edit] = []
    if said.get("imageRef"):
        image = used_image(call, world, said["imageRef"])
        fields["image"] = image.key
        edits.append(image.edit)
    keys = []
    for at in range(number):
        key = new_key("instances")
        name = said["name"] if number == 1 else f"{said['name']}-{at + 1}"
        volume, more = _boot(world, call, said, key)
        noted: dict[str, Any] = {**only_told(said), notes.RESERVATION: reservation, notes.FLAVOR: flavor.made}
        if volume.get("boot_volume") and _roots(said)[0].get("delete_on_termination"):
            noted[notes.ENDS_WITH_IT] = True
        edits += [
            *more,
            _one(key, name, {**fields, **volume}, world),
            notes.note(key, **noted),
            asked(call, key, "create"),
        ]
        keys.append(key)
    return Created(all_of(*edits), keys)


def _placed(call: Call) -> dict[str, Any]:
    hints: Mapping[str, Any] = next((call.body[name] for name in HINTS if name in call.body), {})
    if passed := [name for name in ("same_host", "different_host") if hints.get(name)]:
        raise not_built(f"The hint {passed[0]} is not built. Make a server group, and name it in both requests.")
    return rule_of(call, hints)


def within_limit(labels: Mapping[str, str]) -> None:
    if len(labels) > METADATA_ITEMS:
        text = f"Quota exceeded: a server has at most {METADATA_ITEMS} items of metadata."
        raise Fault(403, NOT_ALLOWED.id, text, quota=True)


def only_told(said: Mapping[str, Any]) -> dict[str, str | None]:
    """What is kept to be told again: the addresses that people are to use, in their short form, and a word on disks."""
    found: dict[str, str | None] = {}
    for word, form in ACCESS.items():
        if word in said:
            found[word] = _address(word, str(said[word]), form) if said[word] else None
    if DISK_CONFIG in said:
        found[notes.DISK_CONFIG] = said[DISK_CONFIG]
    return found


def _address(word: str, text: str, form: AddressForm) -> str:
    """Without a scope after `%`: Python takes any text as one, line breaks too."""
    try:
        if "%" not in text:
            return str(form(text))
    except ValueError:
        pass
    raise bad(f"Invalid input for {word}: {text[:60]!r} is no address of IPv{word[-1]}.")


def _one(key: str, name: str, fields: Mapping[str, Any], world: CloudState) -> Edit:
    """The host name is that of the server where nobody of the project has it; names resolve inside of a project."""
    shared = any(world.desired.get(Address("", "networks", one["network"])) for one in fields.get("networks") or ())

    def edit(content: Content) -> Content:
        wanted = slug(name) or key
        taken = {one.get("hostname") for one in content.get("instances", {}).values()}
        free = wanted if wanted not in taken and not shared else f"{wanted[:45].rstrip('-')}-{key[-8:]}"
        return put(content, "instances", key, {"display_name": name, "hostname": free, **fields})

    return edit


def _fields(call: Call, world: CloudState, said: Mapping[str, Any]) -> dict[str, Any]:
    project = call.project
    networks = [_nic(call, world, one) for one in asked_networks(call, world, said)]
    groups = [one["name"] for one in said.get("security_groups") or ()]
    fields: dict[str, Any] = {
        "networks": networks or None,
        "labels": said.get("metadata") or None,
        "description": said.get("description"),
    }
    if groups:
        fields["security_groups"] = [group_named(world, project, one).address.name for one in dict.fromkeys(groups)]
    if key := said.get("key_name"):
        fields["keypairs"] = [keypair_named(world, project, key).address.name]
    if data := said.get("user_data"):
        fields["cloud_init"] = {"user_data": user_data(data)}
    if zone := said.get("availability_zone"):
        name, _, host = zone.partition(":")
        known = {one.zone for one in call.cloud.observed.hosts.values()}
        if name and name not in {*known, "nova"}:
            raise bad(f"There is no availability zone {name[:60]!r}: {', '.join(sorted(known))} are what there is.")
        fields["zone"] = name if name in known else None
        fields["host"] = host or None
    return fields


def asked_networks(call: Call, world: CloudState, said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Without a word, the one network that the project has: with several, nobody can guess."""
    asked = said.get("networks")
    if asked == "none":
        return []
    if asked not in (None, "auto"):
        found: list[Mapping[str, Any]] = asked
        return found
    own = [one for one in world.things("networks", [call.project]) if one.model.subnets]
    if len(own) > 1:
        raise conflict("Multiple possible networks found, use a Network ID to be more specific.")
    return [{"uuid": one.id} for one in own]


def _nic(call: Call, world: CloudState, one: Mapping[str, Any]) -> dict[str, Any]:
    if one.get("port"):
        return port_nic(call, world, one["port"])
    if not one.get("uuid"):
        raise bad("Each of networks needs a uuid.")
    network = world.find("networks", one["uuid"], call.project, what="Network", shared=True)
    if not network.model.subnets:
        raise bad(f"Network {network.id} requires a subnet in order to boot instances on.")
    return {"network": network.address.name, **({"address": one["fixed_ip"]} if one.get("fixed_ip") else {})}


def port_nic(call: Call, world: CloudState, id_: str) -> dict[str, Any]:
    port = world.find("ports", id_, call.project, what="Port")
    if world.users_of(port.address):
        raise conflict(f"Port {id_} is still in use.")
    return {"network": port.model.network.name, "port": port.address.name}


def _boot(world: CloudState, call: Call, said: Mapping[str, Any], key: str) -> tuple[dict[str, Any], list[Edit]]:
    """The root disk of `block_device_mapping_v2`, where it is a volume."""
    devices = said.get("block_device_mapping_v2") or []
    roots = _roots(said)
    for one in devices:
        if one.get("source_type") == "volume":
            _volume(world, call, one)
    if len(devices) != len(roots) or len(roots) > 1:
        raise not_built("More devices than the root disk are attached after a server is made, not with it.")
    if not roots:
        if not said.get("imageRef"):
            raise bad("A server needs an imageRef, or a volume to boot from.")
        return {}, []
    root = roots[0]
    source, where = root.get("source_type"), root.get("destination_type", "volume")
    if source == "image" and where == "local":
        return {}, []
    if source == "volume":
        volume = _volume(world, call, root)
        must_be_for_booting(world, volume)
        return {"boot_volume": volume.address.name, "image": None}, []
    if source == "image" and root.get("volume_size"):
        image = used_image(call, world, str(root.get("uuid", "")))
        name = f"vol-{key.removeprefix('vm-')}"
        entry = {"size": f"{int(root['volume_size'])}GiB", "from": {"image": image.key}}
        return {"boot_volume": name, "image": None}, [image.edit, lambda content: put(content, "volumes", name, entry)]
    raise not_built("A server boots from an image, a volume, or a volume of a given size made from an image.")


def _volume(world: CloudState, call: Call, device: Mapping[str, Any]) -> KnownResource:
    address = world.address("volumes", str(device.get("uuid", "")))
    if address is None or address.project != call.project:
        raise bad(f"Block Device Mapping is Invalid: failed to get volume {str(device.get('uuid', ''))[:80]}.")
    return world.thing(address)


def _roots(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in said.get("block_device_mapping_v2") or [] if str(one.get("boot_index", "")) == "0"]


def user_data(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise bad("user_data is not base64 of a text in UTF-8.") from error


def group_named(world: CloudState, project: str, text: str) -> KnownResource:
    """By its id or its name, of which only one may have it."""
    groups = list(world.things("security_groups", [project]))
    found = [one for one in groups if one.id == text] or [one for one in groups if one.name == text]
    if not found:
        raise bad(f"Security group {text[:80]} could not be found.")
    if len(found) > 1:
        raise conflict(f"Several security groups are named {text[:80]}. Use an id.")
    return found[0]


def keypair_named(world: CloudState, project: str, name: str) -> KnownResource:
    for thing in world.things("keypairs", [project, ""]):
        if thing.name == name:
            return thing
    raise bad(f"Invalid key_name provided: {name[:80]}.")
