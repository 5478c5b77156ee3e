"""QoS of volume types, which an admin makes by the API. A volume gets a copy of its limits, and keeps it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from stead.serve.faults import bad, conflict, not_built, not_found
from stead.serve.routes import NAME, ApiReply, Call, record
from stead.serve.volume import made_types
from stead.serve.volume.answers import V

KIND = "volume_qos"
CONSUMERS = ("front-end", "back-end", "both")
FIELDS = {  # of a volume's `qos`
    "total_iops_sec": "iops",
    "read_iops_sec": "read_iops",
    "write_iops_sec": "write_iops",
    "total_bytes_sec": "throughput",
    "read_bytes_sec": "read_throughput",
    "write_bytes_sec": "write_throughput",
}
SPEC = {"type": ["string", "integer"], "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f]*$"}
SPECS = {
    "type": "object",
    "maxProperties": 64,
    "propertyNames": {"pattern": r"^[a-zA-Z0-9_:. -]{1,255}$"},
    "additionalProperties": SPEC,
}
SCHEMA = record(["name"], name=NAME, consumer={"enum": [*CONSUMERS]}) | {
    "maxProperties": 64,
    "additionalProperties": SPEC,
}
KEYS = record(["keys"], keys={"type": "array", "items": NAME, "maxItems": 64})
_NUMBER = re.compile(r"[1-9][0-9]{0,14}")
Made = Mapping[str, Any]


def limits_of(call: Call, name: str) -> dict[str, int | str]:
    """Fields of a volume. What Stead cannot keep to is refused, for a volume without it would be another one."""
    one = call.people.known().get((KIND, name))
    if one is None or not one["specs"]:
        return {}
    wrong = [key for key in one["specs"] if key not in FIELDS]
    if wrong or one["consumer"] == "back-end":
        what = f"{wrong[0]!r}" if wrong else "limits of the back-end"
        raise not_built(f"QoS {one['name'][:80]} has {what}. Stead keeps to {', '.join(FIELDS)} in the front-end.")
    if any(not _NUMBER.fullmatch(text) for text in one["specs"].values()):
        raise bad(f"Invalid QoS {one['name'][:80]}: its limits are whole numbers above 0.")
    return {FIELDS[key]: f"{text}B" if "bytes" in key else int(text) for key, text in one["specs"].items()}


def _data(name: str, one: Made) -> dict[str, Any]:
    return {"id": name, "name": one["name"], "consumer": one["consumer"], "specs": one["specs"]}


def _told(call: Call, name: str, one: Made) -> ApiReply:
    href = f"{call.root}{V}/{call.path['project']}/qos-specs/{name}"
    return ApiReply(body={"qos_specs": _data(name, one), "links": [{"rel": "self", "href": href}]})


def _of_path(call: Call) -> tuple[str, Made]:
    name = call.path["id"]
    one = call.people.known().get((KIND, name))
    if one is None:
        raise not_found("QoS specs", name)
    return name, one


def list_qos(call: Call) -> ApiReply:
    return ApiReply(body={"qos_specs": [_data(name, one) for name, one in call.people.of_kind(KIND)]})


def show_qos(call: Call) -> ApiReply:
    return _told(call, *_of_path(call))


def create_qos(call: Call) -> ApiReply:
    said = dict(call.body["qos_specs"])
    name, consumer = said.pop("name"), said.pop("consumer", "back-end")
    if any(one["name"] == name for _, one in call.people.of_kind(KIND)):
        raise conflict(f"QoS specs {name[:80]} already exist.")
    new, one = str(uuid.uuid4()), {"name": name, "consumer": consumer, "specs": _texts(said)}
    call.people.write({(KIND, new): one})
    return _told(call, new, one)


def _texts(said: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(text) for key, text in said.items()}


def write_keys(call: Call) -> ApiReply:
    (name, one), said = _of_path(call), dict(call.body["qos_specs"])
    consumer = said.pop("consumer", one["consumer"])
    if consumer not in CONSUMERS:
        raise bad(f"A consumer is one of {', '.join(CONSUMERS)}.")
    call.people.write({(KIND, name): {**one, "consumer": consumer, "specs": {**one["specs"], **_texts(said)}}})
    return ApiReply(body=call.body)


def delete_keys(call: Call) -> ApiReply:
    (name, one), gone = _of_path(call), call.body["keys"]
    if missing := [key for key in gone if key not in one["specs"]]:
        raise not_found("QoS spec", missing[0])
    left = {key: text for key, text in one["specs"].items() if key not in gone}
    call.people.write({(KIND, name): {**one, "specs": left}})
    return ApiReply(202)


def delete_qos(call: Call) -> ApiReply:
    """Volumes keep the limits that they have."""
    name, _ = _of_path(call)
    types = list(_types_of(call, name))
    if types and not call.flag("force"):
        raise bad(f"QoS specs {name} are still associated with volume types.")
    call.people.write({(KIND, name): None, **_without(call, types)})
    return ApiReply(202)


def _types_of(call: Call, name: str) -> Iterator[str]:
    return (type_ for type_, one in call.people.of_kind(made_types.KIND) if one["qos"] == name)


def _without(call: Call, types: list[str]) -> dict[tuple[str, str], Made | None]:
    known = call.people.known()
    return {(made_types.KIND, one): {**known[made_types.KIND, one], "qos": ""} for one in types}


def associations(call: Call) -> ApiReply:
    name, _ = _of_path(call)
    known = call.people.known()
    return ApiReply(
        body={
            "qos_associations": [
                {"association_type": "volume_type", "name": known[made_types.KIND, one]["name"], "id": one}
                for one in _types_of(call, name)
            ]
        }
    )


def associate(call: Call) -> ApiReply:
    name, _ = _of_path(call)
    type_, one = made_types.named_made(call, call.asked("vol_type_id"))
    if one["qos"] not in ("", name):
        raise bad(f"Volume type {one['name'][:80]} is already associated with another QoS.")
    call.people.write({(made_types.KIND, type_): {**one, "qos": name}})
    return ApiReply(202)


def disassociate(call: Call) -> ApiReply:
    name, _ = _of_path(call)
    type_, one = made_types.named_made(call, call.asked("vol_type_id"))
    if one["qos"] != name:
        raise bad(f"Volume type {one['name'][:80]} is not associated with QoS {name}.")
    call.people.write(_without(call, [type_]))
    return ApiReply(202)


def disassociate_all(call: Call) -> ApiReply:
    name, _ = _of_path(call)
    call.people.write(_without(call, list(_types_of(call, name))))
    return ApiReply(202)
