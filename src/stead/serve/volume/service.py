"""Block storage v3: volumes, snapshots, and empty lists for what clients list besides."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from stead.serve import versions
from stead.serve.quotas import VOLUME
from stead.serve.routes import (
    FLAG,
    ID,
    LONG,
    MAYBE_ID,
    MAYBE_TEXT,
    METADATA,
    AccessPolicy,
    ApiReply,
    ApiRoute,
    Handler,
    Service,
    record,
    wrapped,
)
from stead.serve.volume import backends, made_types, metadata, qos_specs, transfers
from stead.serve.volume.answers import P, V, scoped
from stead.serve.volume.choosing import list_types, show_type
from stead.serve.volume.fixed import (
    QUOTA,
    absolute,
    empty,
    extensions,
    reset_quota,
    show_quota,
    zones,
)
from stead.serve.volume.snapshots import act as act_on_snapshot
from stead.serve.volume.snapshots import (
    change_snapshot,
    create_snapshot,
    delete_snapshot,
    detail_snapshots,
    list_snapshots,
    show_snapshot,
)
from stead.serve.volume.volumes import (
    act,
    change_volume,
    create_volume,
    delete_volume,
    detail_volumes,
    list_volumes,
    show_volume,
)

_SIZE = {"type": ["integer", "string", "null"], "pattern": "^[1-9][0-9]{0,5}$", "minimum": 1, "maximum": 999999}
_META = {"anyOf": [METADATA, {"type": "null"}]}
_VOLUME = record(
    size=_SIZE,
    name=MAYBE_TEXT,
    description=LONG,
    metadata=_META,
    imageRef=MAYBE_ID,
    snapshot_id=MAYBE_ID,
    source_volid=MAYBE_ID,
    volume_type=MAYBE_ID,
    availability_zone=MAYBE_TEXT,
    multiattach={"anyOf": [FLAG, {"type": "null"}]},
)
_DESCRIBED = record(name=MAYBE_TEXT, description=LONG, metadata=_META)
_SNAPSHOT = record(["volume_id"], volume_id=MAYBE_ID, name=MAYBE_TEXT, description=LONG, metadata=_META)
_QUOTA = record(**{name: {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,9}$"} for name in VOLUME})
READER, MEMBER, ADMIN, PUBLIC = AccessPolicy.READER, AccessPolicy.MEMBER, AccessPolicy.ADMIN, AccessPolicy.PUBLIC
_TRANSFER = record(["volume_id"], volume_id=ID, name=MAYBE_TEXT)
_ACCEPT = record(["auth_key"], auth_key={"type": "string", "minLength": 1, "maxLength": 255})
T = f"{P}/os-volume-transfer"
E, S = f"{P}/types/{{id}}/extra_specs", f"{P}/qos-specs/{{id}}"
Q = f"{P}/os-quota-sets/{{target}}"


def _metadata(kind: str, what: str) -> tuple[ApiRoute, ...]:
    def of(handler: Callable[..., ApiReply], **more: bool) -> Handler:
        return partial(handler, kind=kind, what=what, **more)

    at, several = f"{P}/{kind}/{{id}}/metadata", wrapped("metadata", METADATA)
    return (
        ApiRoute("GET", at, READER, of(metadata.show)),
        ApiRoute("POST", at, MEMBER, of(metadata.write, keep=True), several),
        ApiRoute("PUT", at, MEMBER, of(metadata.write, keep=False), several),
        ApiRoute("GET", f"{at}/{{key}}", READER, of(metadata.show_item)),
        ApiRoute("PUT", f"{at}/{{key}}", MEMBER, of(metadata.write_item), wrapped("meta", METADATA)),
        ApiRoute("DELETE", f"{at}/{{key}}", MEMBER, of(metadata.delete_item)),
    )


_OF_PROJECT = (
    ApiRoute("GET", f"{P}/volumes", READER, list_volumes, kept=True),
    ApiRoute("POST", f"{P}/volumes", MEMBER, create_volume, wrapped("volume", _VOLUME)),
    ApiRoute("GET", f"{P}/volumes/detail", READER, detail_volumes, kept=True),
    ApiRoute("GET", f"{P}/volumes/{{id}}", READER, show_volume),
    ApiRoute("PUT", f"{P}/volumes/{{id}}", MEMBER, change_volume, wrapped("volume", _DESCRIBED)),
    ApiRoute("DELETE", f"{P}/volumes/{{id}}", MEMBER, delete_volume),
    ApiRoute("POST", f"{P}/volumes/{{id}}/action", MEMBER, act, {"type": "object", "minProperties": 1}),
    *_metadata("volumes", "Volume"),
    *_metadata("snapshots", "Snapshot"),
    ApiRoute("GET", f"{P}/snapshots", READER, list_snapshots),
    ApiRoute("POST", f"{P}/snapshots", MEMBER, create_snapshot, wrapped("snapshot", _SNAPSHOT)),
    ApiRoute("GET", f"{P}/snapshots/detail", READER, detail_snapshots),
    ApiRoute("GET", f"{P}/snapshots/{{id}}", READER, show_snapshot),
    ApiRoute("PUT", f"{P}/snapshots/{{id}}", MEMBER, change_snapshot, wrapped("snapshot", _DESCRIBED)),
    ApiRoute("DELETE", f"{P}/snapshots/{{id}}", MEMBER, delete_snapshot),
    ApiRoute("POST", f"{P}/snapshots/{{id}}/action", MEMBER, act_on_snapshot, {"type": "object", "minProperties": 1}),
    ApiRoute("GET", f"{P}/types", READER, list_types),
    ApiRoute("POST", f"{P}/types", ADMIN, made_types.create, wrapped("volume_type", made_types.NEW)),
    ApiRoute("GET", f"{P}/types/{{id}}", READER, show_type),
    ApiRoute("PUT", f"{P}/types/{{id}}", ADMIN, made_types.change, wrapped("volume_type", made_types.CHANGED)),
    ApiRoute("DELETE", f"{P}/types/{{id}}", ADMIN, made_types.delete),
    ApiRoute("GET", f"{P}/types/{{id}}/os-volume-type-access", ADMIN, made_types.list_access),
    ApiRoute("POST", f"{P}/types/{{id}}/action", ADMIN, made_types.act, made_types.ACCESS.schema),
    ApiRoute("GET", E, ADMIN, made_types.list_specs),
    ApiRoute("POST", E, ADMIN, made_types.write_specs, wrapped("extra_specs", made_types.SPECS)),
    ApiRoute("GET", f"{E}/{{key}}", ADMIN, made_types.show_spec),
    ApiRoute("PUT", f"{E}/{{key}}", ADMIN, made_types.write_spec, made_types.SPECS),
    ApiRoute("DELETE", f"{E}/{{key}}", ADMIN, made_types.delete_spec),
    ApiRoute("GET", f"{P}/qos-specs", ADMIN, qos_specs.list_qos),
    ApiRoute("POST", f"{P}/qos-specs", ADMIN, qos_specs.create_qos, wrapped("qos_specs", qos_specs.SCHEMA)),
    ApiRoute("GET", S, ADMIN, qos_specs.show_qos),
    ApiRoute("PUT", S, ADMIN, qos_specs.write_keys, wrapped("qos_specs", qos_specs.SPECS)),
    ApiRoute("DELETE", S, ADMIN, qos_specs.delete_qos),
    ApiRoute("PUT", f"{S}/delete_keys", ADMIN, qos_specs.delete_keys, qos_specs.KEYS),
    ApiRoute("GET", f"{S}/associations", ADMIN, qos_specs.associations),
    ApiRoute("GET", f"{S}/associate", ADMIN, qos_specs.associate),
    ApiRoute("GET", f"{S}/disassociate", ADMIN, qos_specs.disassociate),
    ApiRoute("GET", f"{S}/disassociate_all", ADMIN, qos_specs.disassociate_all),
    ApiRoute("GET", T, READER, transfers.list_transfers),
    ApiRoute("POST", T, MEMBER, transfers.create_transfer, wrapped("transfer", _TRANSFER)),
    ApiRoute("GET", f"{T}/detail", READER, transfers.detail_transfers),
    ApiRoute("GET", f"{T}/{{id}}", READER, transfers.show_transfer),
    ApiRoute("DELETE", f"{T}/{{id}}", MEMBER, transfers.delete_transfer),
    ApiRoute("POST", f"{T}/{{id}}/accept", MEMBER, transfers.accept_transfer, wrapped("accept", _ACCEPT)),
    ApiRoute("GET", f"{P}/limits", READER, absolute),
    ApiRoute("GET", f"{P}/os-availability-zone", READER, zones),
    ApiRoute("GET", f"{P}/os-services", ADMIN, backends.services),
    ApiRoute("GET", f"{P}/os-hosts", ADMIN, backends.hosts),
    ApiRoute("GET", f"{P}/os-hosts/{{name}}", ADMIN, backends.show_host),
    ApiRoute("GET", f"{P}/scheduler-stats/get_pools", ADMIN, backends.list_pools),
    ApiRoute("GET", f"{P}/capabilities/{{name}}", ADMIN, backends.capabilities),
    ApiRoute("GET", f"{P}/os-quota-class-sets/{{name}}", ADMIN, QUOTA.of_class),
    ApiRoute("GET", Q, READER, show_quota),
    ApiRoute("PUT", Q, ADMIN, QUOTA.change, wrapped("quota_set", _QUOTA)),
    ApiRoute("DELETE", Q, ADMIN, reset_quota),
    ApiRoute("GET", f"{Q}/defaults", READER, QUOTA.defaults),
    ApiRoute("GET", f"{P}/extensions", READER, extensions),
    *(
        ApiRoute("GET", f"{P}/{path}", READER, empty(name))
        for path, name in (
            ("backups", "backups"),
            ("backups/detail", "backups"),
            ("groups", "groups"),
            ("groups/detail", "groups"),
            ("group_snapshots/detail", "group_snapshots"),
            ("consistencygroups/detail", "consistencygroups"),
            ("cgsnapshots/detail", "cgsnapshots"),
            ("attachments", "attachments"),
        )
    ),
)
ROUTES = (
    ApiRoute("GET", "/volume", PUBLIC, versions.all_of(versions.volume, status=300)),
    ApiRoute("GET", V, PUBLIC, versions.all_of(versions.volume)),
    *(route._replace(handler=scoped(route.handler)) for route in _OF_PROJECT),
)
UNBUILT = (
    ("POST", f"{P}/backups", "backups"),
    ("POST", f"{P}/groups", "groups of volumes"),
    ("POST", f"{P}/attachments", "attachments without a server"),
)
SERVICE = Service(
    name="volume",
    type="block-storage",
    title="cinder",
    endpoint="/volume/v3/{project}",
    routes=ROUTES,
    unbuilt=UNBUILT,
    lists_by_slash=False,
    previewed=True,
)
