"""A plan as a file: what was reviewed, to the letter, for `apply` to do later and elsewhere.

JSON lines: a header, then bodies, steps, keeps and the rest in lots, then a checksum of all before it. So it is written
and read in one pass, a cut is noticed, and what many steps share stands once. Secrets are not in plans: wants carry
sealed references.

A checksum finds accidents and no forger. Where the store has a key, the file is signed with it; and `apply` trusts no
file: it plans again from the same inputs and does that plan, which must be this one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, NoReturn

from stead.core.blake2 import blake2b
from stead.core.collecting import no_collecting
from stead.core.diagnostics import Code, Refused
from stead.core.value import as_dict, replace
from stead.core.want import Want
from stead.plan.file_reader import PlanReader
from stead.plan.model import Keep, Plan, Step

UNREADABLE = Code("STEAD-X020", "the plan file cannot be read or written")
NO_PLAN = Code("STEAD-X021", "this is not a plan file")
DAMAGED = Code("STEAD-X022", "the plan file is damaged")
NEWER = Code("STEAD-X023", "the plan file was written by a newer Stead")
UNSIGNED = Code("STEAD-X025", "the plan file is not signed with the store's key")

FORM = 1
# What stands in the header, as JSON has it.
_HEADER: Mapping[str, type] = {
    "stead-plan": int, "digest": str, "made": dict, "steps": int, "unchanged": int, "notes": list, "outputs": dict,
    "renames": list,
}  # fmt: skip
LOT = 500  # steps a line: few enough to hold, many enough that JSON's overhead does not count
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def save(plan: Plan, path: Path, key: bytes = b"") -> None:
    """Whole or not at all, and for its owner's eyes only: addresses and user data are in it. Signed where there is a
    key.
    """
    if path.exists() and not path.is_file():  # a device would be replaced by a file
        _refuse(UNREADABLE, f"{path} exists and is not a regular file. Choose another name.")
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(lines(plan, key))
        new.replace(path)
    except OSError as error:
        _refuse(UNREADABLE, f"{path}: {error.strerror}.")
    finally:
        new.unlink(missing_ok=True)


def load(path: Path, key: bytes = b"") -> Plan:
    """With a key, only what is signed with it."""
    try:
        with path.open("rb") as file, no_collecting():
            return read(file, str(path), key)
    except OSError as error:
        _refuse(UNREADABLE, f"{path}: {error.strerror}.")


def to_bytes(plan: Plan) -> bytes:
    return b"".join(lines(plan))


def lines(plan: Plan, key: bytes = b"") -> Iterator[bytes]:
    end = _End(key)
    for value in _values(plan):
        line = _encode(value).encode() + b"\n"
        end.update(line)
        yield line
    yield _encode(end.said()).encode() + b"\n"


class _End:
    """The last line: a checksum of all before it, and what only one who has the key could write there."""

    def __init__(self, key: bytes) -> None:
        self._sums = {"checksum": blake2b(digest_size=16)}
        if key:
            self._sums["signature"] = blake2b(key=key, digest_size=32)

    def update(self, line: bytes) -> None:
        for one in self._sums.values():
            one.update(line)

    def said(self) -> dict[str, str]:
        return {name: one.hexdigest() for name, one in self._sums.items()}


def difference(one: Plan, other: Plan) -> str:
    """Where two plans differ, in words; empty when they are the same. Where a resource stands in the files of a spec is
    no part of what is done: it is as seen from where the command ran.
    """
    nothing: dict[str, Any] = {}
    for mine, theirs in zip_longest(_values(_placeless(one)), _values(_placeless(other)), fillvalue=nothing):
        if _encode(mine) != _encode(theirs):
            return _where(mine, theirs)
    return ""


def _placeless(plan: Plan) -> Plan:
    return replace(plan, keeps={address: keep._replace(place=None) for address, keep in plan.keeps.items()})


def _where(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if "digest" in one and "digest" in other:
        named = (name for name in one if name != "digest" and _encode(one[name]) != _encode(other.get(name)))
        return f"its {next(named, 'digest')}"
    if "steps" in one and "steps" in other:
        pairs = zip_longest(one["steps"], other["steps"])
        mine, theirs = next((a, b) for a, b in pairs if _encode(a) != _encode(b))
        return f"the step of {(mine or theirs)[1]}"
    return "what a resource should be" if "body" in one or "body" in other else "what the store shall keep"


def _values(plan: Plan) -> Iterator[Any]:
    yield {
        "stead-plan": FORM,
        "digest": plan.digest,
        "made": as_dict(plan.made),
        "steps": len(plan.steps),
        "unchanged": plan.unchanged,
        "notes": plan.notes,
        "outputs": plan.outputs,
        "new-outputs": plan.new_outputs,
        "renames": [[str(old), str(new)] for old, new in plan.renames.items()],
        "pauses": [[step.number, step.pause] for step in plan.steps if step.pause],  # rare: not in every row
        "hooks": plan.hooks,
        "silence": {**as_dict(plan.silence), "hosts": {name: as_dict(one) for name, one in plan.silence.hosts.items()}},
    }
    bodies = {want.body.digest: want.body for step in plan.steps for want in (step.want, step.have) if want}
    numbers = {known: number for number, known in enumerate(bodies)}
    for body in bodies.values():
        yield {"body": [body.digest, body.text]}
    for lot in _lots(plan.steps):
        yield {"steps": [_step(one, numbers) for one in lot]}
    for keeps in _lots(plan.keeps.values()):
        yield {"keeps": [_keep(one) for one in keeps]}


def _lots(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(values)
    while lot := list(islice(rest, LOT)):
        yield lot


def _step(step: Step, bodies: Mapping[str, int]) -> list[Any]:
    number, address, host, action, want, have, disturbs, reasons, after, wave, changes, uuid, to, loses, _ = step
    wanted, had = _want(want, bodies), _want(have, bodies)
    return [number, str(address), host, action, wanted, had, disturbs, reasons, after, wave, changes, uuid, to, loses]


def _want(want: Want | None, bodies: Mapping[str, int]) -> list[Any] | None:
    return None if want is None else [bodies[want.body.digest], want.own, want.digest]


def _keep(keep: Keep) -> list[Any]:
    address, leases, host, after, protect, reason, place = keep
    return [str(address), dict(leases), host, [str(one) for one in after], protect, reason, place]


def read(source: Iterable[bytes], name: str, key: bytes = b"") -> Plan:
    rest = iter(source)
    first = next(rest, b"")
    header = _header(first, name)
    end = _End(key)
    end.update(first)
    reader = PlanReader()
    try:
        for line in rest:
            value = json.loads(line)
            if "checksum" in value:
                whole = line.endswith(b"\n") and next(rest, None) is None
                said = end.said()
                if not whole or value["checksum"] != said["checksum"] or len(reader.steps) != header["steps"]:
                    _refuse(DAMAGED, f"{name} was changed after it was written. Plan again.")
                _check_signed(value, said, name)
                return reader.plan(header)
            end.update(line)
            reader.take(value)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        _refuse(DAMAGED, f"{name} cannot be understood ({error}). Plan again.")
    raise Refused(DAMAGED.at(None, f"{name} ends too early: it was cut off. Copy it again, or plan again."))


def _check_signed(value: Mapping[str, Any], said: Mapping[str, str], name: str) -> None:
    if "signature" in said and value.get("signature") != said["signature"]:
        text = (
            f"{name} was written without the key of this store, or under another, or it was changed by somebody who "
            "does not have it. Plan again, with the key that you apply with."
        )
        _refuse(UNSIGNED, text)


def _header(line: bytes, name: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
        form = header["stead-plan"]
    except (ValueError, KeyError, TypeError, RecursionError):
        _refuse(NO_PLAN, f"{name} is not a plan file. `stead plan -o FILE` writes one.")
    if not isinstance(form, int):
        _refuse(NO_PLAN, f"{name} does not say which format it has. `stead plan -o FILE` writes plan files.")
    if form > FORM:
        _refuse(
            NEWER, f"{name} has format {form}; this Stead supports {FORM}. Apply it with the version that planned it."
        )
    if any(not isinstance(header.get(field), kind) for field, kind in _HEADER.items()):
        _refuse(DAMAGED, f"{name} has an incomplete header. Plan again.")
    found: dict[str, Any] = header
    return found


def _refuse(code: Code, detail: str) -> NoReturn:
    raise Refused(code.at(None, detail))
