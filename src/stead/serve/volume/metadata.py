"""The metadata of volumes and snapshots: their labels."""

from __future__ import annotations

from collections.abc import Mapping

from stead.serve.edits import change
from stead.serve.faults import bad, not_found
from stead.serve.routes import ApiReply, Call
from stead.serve.volume.answers import own, seen


def show(call: Call, *, kind: str, what: str) -> ApiReply:
    return ApiReply(body={"metadata": dict(seen(call, kind, what)[1].settings.labels)})


def write(call: Call, *, kind: str, what: str, keep: bool) -> ApiReply:
    before = own(call, kind, what)[1].settings.labels if keep else {}
    labels = {**before, **call.body["metadata"]}
    _save(call, kind, what, labels)
    return ApiReply(body={"metadata": labels})


def show_item(call: Call, *, kind: str, what: str) -> ApiReply:
    key = call.path["key"]
    return ApiReply(body={"meta": {key: _item(seen(call, kind, what)[1].settings.labels, key)}})


def write_item(call: Call, *, kind: str, what: str) -> ApiReply:
    item = call.body["meta"]
    if [*item] != [call.path["key"]]:
        raise bad("The body names one item, which is that of the path.")
    _save(call, kind, what, {**own(call, kind, what)[1].settings.labels, **item})
    return ApiReply(body={"meta": item})


def delete_item(call: Call, *, kind: str, what: str) -> ApiReply:
    labels, key = own(call, kind, what)[1].settings.labels, call.path["key"]
    _item(labels, key)
    _save(call, kind, what, {name: one for name, one in labels.items() if name != key})
    return ApiReply(200)


def _item(labels: Mapping[str, str], key: str) -> str:
    if key not in labels:
        raise not_found("Metadata item", key)
    return labels[key]


def _save(call: Call, kind: str, what: str, labels: Mapping[str, str]) -> None:
    name = own(call, kind, what)[1].address.name
    call.edit("change metadata", lambda content: change(content, kind, name, {"labels": dict(labels) or None}))
