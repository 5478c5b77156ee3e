"""Cinder: volumes and their attachments."""

from __future__ import annotations

from stead.core.address import NAME
from stead.heat.fields import Fields, plain_text
from stead.heat.handler import Handler, said
from stead.heat.references import slug
from stead.heat.stack import HotResource
from stead.heat.template import WRONG
from stead.heat.values import Reference, Value, each, joined


def gibibytes(value: Value) -> Value:
    """Heat counts gigabytes."""
    return each(value, lambda one: joined([one, "GiB"]))


def mebibytes(value: Value) -> Value:
    return each(value, lambda one: joined([one, "MiB"]))


def volume(resource: HotResource, fields: Fields) -> None:
    assert resource.entry is not None  # noqa: S101 - volumes have one
    made = resource.entry.fields
    made["display_name"] = fields.early("name")
    made["description"] = fields.early("description")
    made["size"] = gibibytes(fields.early("size"))
    made["pool"] = each(fields.early("volume_type"), lambda one: slug(one) if _odd(one) else one)
    zone = fields.early("availability_zone")
    made["zone"] = None if zone == "nova" else zone
    made["from"] = _source(fields)
    made["labels"] = each(fields.early("metadata"), _labels)
    fields.only("read_only", False, why="The attachment says so: mode `ro`.")
    fields.only("multiattach", False)


def _odd(value: Value) -> bool:
    return isinstance(value, str) and not NAME.fullmatch(value)


def _labels(value: Value) -> Value:
    return {key: plain_text(one) for key, one in value.items()} if isinstance(value, dict) else value


def _source(fields: Fields) -> Value:
    made = {
        "image": fields.ref("images", "image", "imageRef"),
        "snapshot": fields.ref("snapshots", "snapshot_id"),
        "volume": fields.ref("volumes", "source_volid"),
        "backup": fields.early("backup_id"),
    }
    said = {name: one for name, one in made.items() if one is not None}
    return said or None


def attachment(resource: HotResource, fields: Fields) -> None:
    """An entry in the list of the instance's volumes."""
    server = fields.take("instance_uuid")
    name = fields.ref("volumes", "volume_id")
    device = each(
        fields.early("mountpoint"), lambda one: str(one).removeprefix("/dev/") if isinstance(one, str) else one
    )
    mode = fields.early("mode")
    target = server.resource if isinstance(server, Reference) else None
    if target is None or target.entry is None or target.kind != "instances":
        fields.no_property(
            "instance_uuid", "The server is none of this template's. Attach the volume in its definition."
        )
        return
    if name is None:
        return
    if resource.condition is not True and target.condition != resource.condition:
        fields.tell(WRONG, "volume_id", "An attachment with a condition of its own has no equivalent.")
        return
    resource.part_of = target
    item = {"volume": name, "device": device, "mode": mode}
    said = {key: one for key, one in item.items() if one is not None}
    target.entry.fields["volumes"] = [*(target.entry.fields.get("volumes") or []), name if len(said) == 1 else said]


TYPES = {
    "OS::Cinder::Volume": Handler(
        volume,
        "volumes",
        {"size": said("size"), "display_name": "name", "name": "name"},
        frozenset({"scheduler_hints"}),
    ),
    "OS::Cinder::VolumeAttachment": Handler(attachment, counts=False),
}
