"""What a plan of strangers' changes goes by: what is recorded and what the hosts were last seen to have, as a file.

Who has the file has neither the store nor its key nor a way to a host; and no secret is in it, not even sealed: all are
made alike, here and in the plan. Written whole or not at all, for its owner's eyes only, since user data is in it.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stead.core.address import Address, parse
from stead.core.diagnostics import Code, Refused
from stead.core.observed import Have, Observed, StoreOrigin, host_of
from stead.core.recorded import KnownHost, Record, Recorded
from stead.core.value import as_dict, field, value
from stead.core.want import SEALED, UNKNOWN, Body, Want, digest

UNREADABLE = Code("STEAD-S035", "the view cannot be read or written")
FORM = 2
LARGEST = 1 << 30  # bytes, unpacked: 100,000 instances have 100 MB
_SECRET = re.compile(r'\{"\$secret":"[^"\\]*"\}')
_FLAGS = ("begun", "there", "lost", "awaited")


@value
class View:
    recorded: Recorded
    observed: Observed
    at: float  # when the hosts were asked, in seconds since 1970
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of projects that belong to the API
    beside: Mapping[str, str] = field(default_factory=dict)  # what decides what runs on the controller -> digest
    inventories: tuple[str, ...] = ()  # those that lie where the spec does


def save(view: View, path: Path) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(zlib.compress(json.dumps(_data(view)).encode(), 1))
        new.replace(path)
    except OSError as error:
        raise Refused(UNREADABLE.at(None, f"{path}: {error.strerror}.")) from error
    finally:
        new.unlink(missing_ok=True)


def load(path: Path) -> View:
    try:
        return _view(json.loads(zlib.decompressobj().decompress(path.read_bytes(), LARGEST)))  # cut off, it is no JSON
    except OSError as error:
        raise Refused(UNREADABLE.at(None, f"{path}: {error.strerror}.")) from error
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        text = f"{path} is no view of this version of Stead ({error}). `stead plan --save-view FILE` writes one."
        raise Refused(UNREADABLE.at(None, text)) from error


class _Masking:
    """Wants without what is sealed. What is known by a digest is known by its new one."""

    def __init__(self) -> None:
        self.bodies: dict[str, int] = {}  # text -> number
        self._digests: dict[str, str] = {}

    def want(self, want: Want) -> list[Any]:
        body, own, known = want.body.text, want.own, want.digest
        if SEALED in body or SEALED in own:
            body, own = masked(body), masked(own)
            known = self._digests.setdefault(want.digest, digest(digest(body), own))
        return [self.bodies.setdefault(body, len(self.bodies)), own, known]

    def known_by(self, made_from: str) -> str:
        return self._digests.get(made_from, made_from)


def masked(text: str) -> str:
    return _SECRET.sub(f'{SEALED}{UNKNOWN}"}}', text)


def _data(view: View) -> dict[str, Any]:
    recorded, observed, masking = view.recorded, view.observed, _Masking()
    records = [
        [
            str(record.address), dict(record.leases), record.host, list(map(str, record.after)), record.protect,
            record.reason, {host: masking.want(want) for host, want in record.wants.items()},
        ]
        for record in recorded.resources.values()
    ]  # fmt: skip
    haves = [
        [
            str(address),
            host,
            *masking.want(have.want),
            have.made_from,
            have.uuid,
            _flags(have),
        ]
        for address, on in observed.haves.items()
        for host, have in on.items()
    ]
    for row in haves:
        row[5] = masking.known_by(row[5])
    known = {name: [as_dict(one.host), *one[1:]] for name, one in recorded.hosts.items()}
    return {
        "stead-view": FORM,
        "at": view.at,
        "beside": dict(view.beside),
        "inventories": list(view.inventories),
        "serial": recorded.serial,
        "site": recorded.site,
        "outputs": json.loads(masked(json.dumps(dict(recorded.outputs), separators=(",", ":")))),
        "tokens": sorted(recorded.tokens),
        "unheard": sorted(recorded.unheard),
        "known": known,
        "documented": sorted(recorded.documented),
        "records": records,
        "hosts": {name: as_dict(one) for name, one in observed.hosts.items()},
        "haves": haves,
        "origins": {host: list(one) for host, one in observed.origins.items()},
        "unread": {host: list(texts) for host, texts in observed.unread.items()},
        "kept": {host: dict(one) for host, one in observed.documents.items()},
        "digest": observed.digest,
        "bodies": list(masking.bodies),
        "documents": dict(view.documents),
    }


def _flags(have: Have) -> list[bool]:
    return [getattr(have, name) for name in _FLAGS]


def _view(data: Mapping[str, Any]) -> View:
    if data["stead-view"] != FORM:
        raise ValueError("it has another form")
    bodies = [Body(text, digest(text)) for text in data["bodies"]]

    def want(body: int, own: str, known: str) -> Want:
        return Want(bodies[body], own, known)

    resources = {}
    for text, leases, host, after, protect, reason, wants in data["records"]:
        resources[_address(text)] = Record(
            address=_address(text),
            leases=leases,
            host=host,
            wants={name: want(*one) for name, one in wants.items()},
            after=tuple(map(_address, after)),
            protect=protect,
            reason=reason,
        )
    haves: dict[Address, dict[str, Have]] = {}
    for text, host, body, own, known, made_from, uuid, flags in data["haves"]:
        told = dict(zip(_FLAGS, flags, strict=True))
        haves.setdefault(_address(text), {})[host] = Have(want(body, own, known), made_from, uuid, **told)
    recorded = Recorded(
        serial=data["serial"],
        site=data["site"],
        resources=resources,
        outputs=data["outputs"],
        tokens=frozenset(data["tokens"]),
        unheard=frozenset(data["unheard"]),
        hosts={name: _known(*one) for name, one in data["known"].items()},
        documented=frozenset(data.get("documented", ())),
    )
    observed = Observed(
        hosts={name: host_of(facts) for name, facts in data["hosts"].items()},
        haves=haves,
        origins={host: StoreOrigin(*one) for host, one in data["origins"].items()},
        unread={host: tuple(texts) for host, texts in data["unread"].items()},
        documents=data.get("kept", {}),
        digest=data["digest"],
    )
    return View(
        recorded=recorded,
        observed=observed,
        at=data["at"],
        documents=data.get("documents", {}),
        beside=data["beside"],
        inventories=tuple(data["inventories"]),
    )


def _known(facts: Mapping[str, Any], dead: str, drained: str = "", displaced: Sequence[str] = ()) -> KnownHost:
    return KnownHost(host_of(facts), dead, drained, tuple(displaced))


def _address(text: str) -> Address:
    found = parse(text)
    if found is None:
        raise ValueError(f"{text!r} is no address")
    return found
