"""Servers."""

from __future__ import annotations

from typing import Any

from stead.core.address import NAME
from stead.heat.fields import Fields, plain_text
from stead.heat.handler import Handler
from stead.heat.references import slug
from stead.heat.stack import INDEX, HotResource, Stack
from stead.heat.template import NO_FUNCTION, WRONG, CannotSay
from stead.heat.types.volumes import gibibytes
from stead.heat.values import Either, Expr, Mixed, Reference, Value, dotted, each, literal

NOVA_POLICIES = {
    "affinity": ("together", True),
    "anti-affinity": ("spread", True),
    "soft-affinity": ("together", False),
    "soft-anti-affinity": ("spread", False),
}


def server(resource: HotResource, fields: Fields) -> None:
    entry = resource.entry
    assert entry is not None  # noqa: S101 - servers have one
    made = entry.fields
    _name(made, fields)
    made["flavor"] = fields.ref("flavors", "flavor")
    made["image"] = fields.ref("images", "image")
    _disks(resource, made, fields)
    made["networks"] = fields.maps(["networks"], nic)
    made["security_groups"] = _groups(resource, fields.refs("security_groups", "security_groups"))
    made["keypairs"] = each(fields.ref("keypairs", "key_name"), lambda one: [one])
    made["zone"] = _zone(fields.early("availability_zone"))
    _hints(made, fields)
    _first_boot(resource, made, fields)
    made["properties"] = each(fields.early("metadata"), _texts)
    made["tags"] = fields.early("tags")


def _name(made: dict[str, Value], fields: Fields) -> None:
    """A name that can be a host's is one; else it is for people."""
    name = fields.early("name")
    parts = name.parts if isinstance(name, Mixed) else (name,)
    counts = all(isinstance(one, str) or one == INDEX for one in parts)
    sample = "".join(one if isinstance(one, str) else "0" for one in parts) if counts else ""
    made["hostname" if NAME.fullmatch(sample) else "display_name"] = name


def _zone(zone: Value) -> Value:
    """Nova's default zone is every zone."""
    return None if zone == "nova" else zone


def _texts(value: Value) -> Value:
    return {key: plain_text(one) for key, one in value.items()} if isinstance(value, dict) else value


def _groups(resource: HotResource, groups: Value) -> Value:
    """Every project has a group `default`. Beside others, a spec has to say so."""
    if groups == ["default"]:
        return None
    if isinstance(groups, list) and "default" in groups:
        resource.stack.draft.entry(resource.stack.draft.project, "security_groups", "default")
    return groups


def nic(fields: Fields) -> Value:
    port = fields.take("port")
    if port is not None:
        return each(port, lambda one: _of_port(fields, one))
    network = fields.ref("networks", "network", "uuid")
    if network is None:
        network = subnets_network(fields, "subnet")
    else:
        fields.drop("subnet")
    address = fields.early("fixed_ip")
    fields.drop("tag")
    if network is None:
        fields.tell(WRONG, "network", "An interface needs `network` or `port`.")
        return None
    return network if address is None else {"network": network, "address": address}


def _of_port(fields: Fields, port: Value) -> Value:
    """An interface that is a port; its network is the port's."""
    name = fields.named("ports", port, "port")
    fields.drop("network", "uuid", "subnet", "tag")
    target = port.resource if isinstance(port, Reference) else None
    if target is None or target.kind != "ports":
        network = fields.ref("networks", "network", "uuid")
        if network is None:
            fields.no_property("port", "A port that is there already needs its `network` beside it.")
        return {"network": network, "port": name}
    return {"network": ports_network(target), "port": name} if name is not None else None


def ports_network(port: HotResource) -> Value:
    """Said of the port, or of the subnet of its first address."""
    fields = Fields(port, port.properties())
    network = fields.ref("networks", "network", "network_id")
    fixed = fields.take("fixed_ips") if network is None else None
    first = fields.below(fixed[0], "fixed_ips") if isinstance(fixed, list) and fixed else None
    return network if first is None else subnets_network(first, "subnet", "subnet_id")


def subnets_network(fields: Fields, *names: str) -> Value:
    """The network of a subnet of the template."""
    value = fields.take(*names)
    if value is None:
        return None
    target = value.resource if isinstance(value, Reference) else None
    if target is None or target.type != "OS::Neutron::Subnet":
        fields.no_property(names[0], "A subnet that is there already has no name here. Name its network in its place.")
        return None
    return Fields(target, target.properties()).ref("networks", "network", "network_id")


def _disks(resource: HotResource, made: dict[str, Value], fields: Fields) -> None:
    found: list[Value] = []

    def disk(below: Fields) -> Value:
        return _device(resource, made, found, below)

    for name in ("block_device_mapping_v2", "block_device_mapping"):
        fields.maps([name], disk)
    if found:
        made["volumes"] = found


def _device(resource: HotResource, made: dict[str, Value], found: list[Value], fields: Fields) -> Value:
    boots = fields.take("boot_index") in (0, "0", None) and "boot_volume" not in made and not found
    device = fields.early("device_name")
    mapped = str(device or "").removeprefix("/dev/")
    boots = boots and mapped in ("", "vda", "sda", "hda")
    fields.drop("device_type", "disk_bus", "delete_on_termination", "boot_index", "tag")
    volume = fields.ref("volumes", "volume_id")
    if volume is None:
        volume = _own_volume(resource, fields, "boot" if boots else f"disk-{len(found) + 1}")
    if volume is None:
        return None
    if boots:
        made["boot_volume"], made["image"] = volume, None
    else:
        found.append({"volume": volume, "device": mapped} if mapped else volume)
    return None


def _own_volume(resource: HotResource, fields: Fields, word: str) -> Value:
    """A volume that the server makes for itself."""
    draft = resource.stack.draft
    image = fields.ref("images", "image", "image_id")
    snapshot = fields.ref("snapshots", "snapshot_id")
    size = gibibytes(fields.early("volume_size"))
    if image is None and snapshot is None and size is None:
        fields.no_property("volume_id", "Neither a volume nor a size is given.")
        return None
    key = draft.free(resource.project, "volumes", f"{resource.key}-{word}")
    source = {name: one for name, one in (("image", image), ("snapshot", snapshot)) if one is not None}
    draft.entry(resource.project, "volumes", key).fields.update(
        {**resource.numbered, "size": size, "from": source or None}
    )
    return key if resource.counted is None else draft.member(key, INDEX)


def _hints(made: dict[str, Value], fields: Fields) -> None:
    hints = fields.map("scheduler_hints")
    if hints is None:
        return
    group = hints.take("group")
    target = group.resource if isinstance(group, Reference) else None
    if target is not None and target.type == "OS::Nova::ServerGroup":
        made.update(_together(target))
    elif group is not None:
        hints.no_property("group", "A server group that is there already has no name here.")
    hints.rest()


def _together(group: HotResource) -> dict[str, Value]:
    fields = Fields(group, group.properties())
    policies = fields.take("policies") or ["anti-affinity"]
    word, hard = NOVA_POLICIES.get(str(policies[0]) if isinstance(policies, list) and policies else "", ("", True))
    if not word:
        fields.tell(WRONG, "policies", f"Known policies are {', '.join(NOVA_POLICIES)}.")
        return {}
    rules = fields.map("rules")
    limit = rules.take("max_server_per_host") if rules is not None else None
    made = {"over": "hosts", "group": slug(group.id), "hard": None if hard else False, "limit": limit}
    return {word: {name: one for name, one in made.items() if one is not None}}


def _first_boot(resource: HotResource, made: dict[str, Value], fields: Fields) -> None:
    draft = resource.stack.draft
    draft.signals.clear()
    data = fields.take("user_data")
    data = fields.trying("user_data", lambda: fields.checked(configured(data), "user_data", late=True))
    update = fields.take("user_data_update_policy")
    if data is not None and data != "":
        made["cloud_init"] = {"user_data": data, "on_change": "rebuild" if update == "REPLACE" else None}
    for handle, timeout in draft.signals.items():
        draft.signalled[handle] = resource
        made["wait"] = {"for": "cloud-init", "timeout": timeout}
        if resource.entry is not None:
            note = "Heat waits for a signal of the script; Stead waits until cloud-init has ended."
            resource.entry.notes.append(note)
    draft.signals.clear()


def configured(data: Value) -> Value:
    """User data may be a configuration of the template's."""
    match data:
        case Reference(resource=HotResource(handler=Handler() as handler) as resource) if (
            "config" in handler.attributes
        ):
            config: Any = handler.attributes["config"]
            return config(resource, resource.stack, (), "")
        case Either():
            return Either(data.condition, configured(data.then), configured(data.other))
        case _:
            return data


def _addresses(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
    """`networks, NET, 0`, and `addresses, NET, 0, addr`."""
    if not path:
        return resource.late(stack, "addresses", member)
    if len(path) > 2 and path[2] == "port":
        return None
    base = resource.late_base(stack, member)
    inside = _inside(resource, base, path[0])
    at = path[1] if len(path) > 1 else None
    if at is None:
        return Expr(f"{inside}.addresses", late=True)
    if at in (0, "0"):
        what = "mac" if path[2:] and path[2] == "OS-EXT-IPS-MAC:mac_addr" else "address"
        return Expr(f"{inside}.{what}", late=True)
    return Expr(f"{inside}.addresses[{literal(at if not str(at).isdecimal() else int(str(at)))}]", late=True)


def _inside(resource: HotResource, base: str, network: Value) -> str:
    """The interface in a network. Of a network that is there already, a spec does not know whose it is."""
    if isinstance(network, Reference):
        name = network.resource.name_from(resource.stack, many=True)
        return dotted(f"{base}.networks", name) if isinstance(name, str) else f"{base}.networks[{literal(name)}]"
    networks = Fields(resource, resource.properties()).take("networks")
    if isinstance(networks, list) and len(networks) == 1:
        return base
    why = "Which of its interfaces is meant cannot be told. Name a network of the template's, or use first_address."
    raise CannotSay(NO_FUNCTION.at(resource.place("properties.networks"), f"{resource.id}: {why}"))


SERVER = Handler(
    server,
    "instances",
    {
        "first_address": "address",
        "accessIPv4": "address",
        "name": "name",
        "instance_name": "name",
        "networks": _addresses,
        "addresses": _addresses,
    },
    frozenset(
        {
            "user_data_format",
            "config_drive",
            "diskConfig",
            "flavor_update_policy",
            "image_update_policy",
            "software_config_transport",
            "reservation_id",
        }
    ),
)


def group(_resource: HotResource, fields: Fields) -> None:
    """Said of each server in it."""
    fields.drop("name", "policies", "rules")


TYPES = {"OS::Nova::Server": SERVER, "OS::Nova::ServerGroup": Handler(group)}
