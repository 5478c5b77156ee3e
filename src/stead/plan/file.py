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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any, NoReturn

from stead.blueprint.model import Reason
from stead.core.address import Address, Known
from stead.core.blake2 import blake2b
from stead.core.collecting import no_collecting
from stead.core.diagnostics import Code, Place, Refused
from stead.core.kind import Action, Disruption
from stead.core.observed import HostRecords, host_of
from stead.core.value import as_dict, replace
from stead.core.want import Body, Want, digest
from stead.diff.model import FieldChange, Note
from stead.plan.model import Keep, Made, Plan, PlannedHook, Step

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
_Types = frozenset[Any]
_TEXT: _Types = frozenset({str})
_NUMBER: _Types = frozenset({int})
_ROWS: _Types = frozenset({list})
_MAYBE: _Types = frozenset({list, type(None)})
# What stands in each place of a row. A file that was forged, checksum and all, is refused as one that was damaged.
_STEP = (
    _NUMBER, _TEXT, _TEXT, _TEXT, _MAYBE, _MAYBE, _TEXT, _ROWS, _ROWS, _NUMBER, _ROWS, _TEXT, _TEXT, _TEXT
)  # fmt: skip
_KEEP = (_TEXT, frozenset({dict}), _TEXT, _ROWS, frozenset({bool}), _TEXT, _MAYBE)
_PAIR, _WANT, _PLACE, _NOTE = (_TEXT,) * 2, (_NUMBER, _TEXT, _TEXT), (_TEXT, _NUMBER, _NUMBER), (_TEXT,) * 4
_HOOK = (_NUMBER, _TEXT, _TEXT, _TEXT, frozenset({dict}))
_ANY: _Types = frozenset({str, int, float, bool, list, dict, type(None)})
_CHANGE = (_TEXT, _ANY, _ANY, frozenset({bool}), _TEXT, _ANY)
_MADE = {"spec": _TEXT, "recorded": _NUMBER, "observed": _TEXT, "stead": _TEXT, "inventory": _TEXT, "asked": _TEXT}
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
    reader = _PlanReader()
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


def _typed(rows: Sequence[Sequence[Any]], types: Sequence[_Types]) -> Sequence[Sequence[Any]]:
    """The columns of these rows. Refuses what is not as a plan of Stead's has it."""
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    for column, allowed in zip(columns, types, strict=True):
        if not allowed.issuperset(map(type, column)):
            raise TypeError("a value of another type than plans have there")
    return columns


def _within(numbers: Sequence[Any], limit: int) -> None:
    if not _NUMBER.issuperset(map(type, numbers)) or (numbers and not 0 <= min(numbers) <= max(numbers) < limit):
        raise ValueError("it refers to what it does not have")


class _PlanReader:
    """Puts the lots together. What steps share, they share again."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._keeps: dict[Address, Keep] = {}
        self._bodies: list[Body] = []
        self._addresses = Known()
        self._bare: dict[tuple[int, str], Want] = {}
        self._reasons: dict[tuple[str, str], Reason] = {}
        self._actions = {str(one): one for one in Action}
        self._disruptions = {str(one): one for one in Disruption}

    def take(self, value: Mapping[str, Any]) -> None:
        if "body" in value:
            known, text = value["body"]
            _typed([(text, known)], _PAIR)
            if digest(text) != known:
                raise ValueError("what a resource should be does not have the digest that it is known by")
            self._bodies.append(Body(text, known))
        if "steps" in value:
            self._check(value["steps"])
            self.steps += map(self._step, value["steps"])
        if "keeps" in value:
            _, leases, _, _, _, _, places = _typed(value["keeps"], _KEEP)
            _typed([one for lease in leases for one in lease.items()], _PAIR)
            _typed([one for one in places if one is not None], _PLACE)
            self._keeps.update((keep.address, keep) for keep in map(self._keep, value["keeps"]))

    def _check(self, rows: Sequence[Any]) -> None:
        """By columns: as quick as a loop can be in C, for there may be a million rows."""
        numbers, _, _, _, wants, haves, _, reasons, after, _, changes, *_ = _typed(rows, _STEP)
        first = len(self.steps)
        if numbers != tuple(range(first, first + len(rows))):
            raise ValueError("steps are not in their order")
        bodies, _, _ = _typed([one for one in chain(wants, haves) if one is not None], _WANT)
        _within(bodies, len(self._bodies))
        _within(list(chain.from_iterable(after)), first + len(rows))
        _typed(list(chain.from_iterable(reasons)), _PAIR)
        _typed(list(chain.from_iterable(changes)), _CHANGE)

    def _step(self, values: Sequence[Any]) -> Step:
        number, address, host, action, want, have, disturbs, reasons, after, wave, changes, uuid, to, loses = values
        return Step(
            number,
            self._addresses[address],
            host,
            self._actions[action],
            None if want is None else self._wanted(*want),
            None if have is None else self._want(*have),
            self._disruptions[disturbs],
            tuple([self._reason(*one) for one in reasons]),
            tuple(after),
            wave,
            tuple([FieldChange(*one) for one in changes]),
            uuid,
            to,
            loses,
        )

    def _wanted(self, body: int, own: str, known: str) -> Want:
        """A want has the digest of its content. What a host has goes by the digest that the host knows it by."""
        found = self._want(body, own, known)
        if known != digest(found.body.digest, own):
            raise ValueError("a want does not have the digest that it is known by")
        return found

    def _want(self, body: int, own: str, known: str) -> Want:
        if own != "{}":
            return Want(self._bodies[body], own, known)
        bare = self._bare.get((body, known))
        if bare is None:
            bare = self._bare[body, known] = Want(self._bodies[body], own, known)
        return bare

    def _reason(self, code: str, text: str) -> Reason:
        reason = self._reasons.get((code, text))
        if reason is None:
            reason = self._reasons[code, text] = Reason(code, text)
        return reason

    def _keep(self, values: Sequence[Any]) -> Keep:
        address, leases, host, after, protect, reason, place = values
        behind = tuple([self._addresses[one] for one in after])
        return Keep(
            self._addresses[address], leases, host, behind, protect, reason, None if place is None else Place(*place)
        )

    def plan(self, header: Mapping[str, Any]) -> Plan:
        addresses = self._addresses
        made = {"inventory": "", "asked": "", **header["made"]}  # plans of runs before there was this have none
        _typed([[made[name] for name in _MADE]], list(_MADE.values()))
        _typed(header["notes"], _NOTE)
        _typed(header["renames"], _PAIR)
        pauses = header.get("pauses", [])
        _typed(pauses, (_NUMBER, _NUMBER))
        _within([number for number, _ in pauses], len(self.steps))
        for number, seconds in pauses:
            self.steps[number] = self.steps[number]._replace(pause=seconds)
        hooks = header.get("hooks", [])
        _typed(hooks, _HOOK)
        _within([hook[0] for hook in hooks], len(self.steps))
        return Plan(
            made=Made(**made),
            steps=tuple(self.steps),
            keeps=self._keeps,
            outputs=header["outputs"],
            notes=tuple(Note(*one) for one in header["notes"]),
            renames={addresses[old]: addresses[new] for old, new in header["renames"]},
            unchanged=header["unchanged"],
            new_outputs=header.get("new-outputs") is True,  # plans of runs before there was this have none
            silence=_silence(header.get("silence", {})),
            hooks=tuple(PlannedHook(*one) for one in hooks),
            digest=header["digest"],
        )


def _silence(told: Mapping[str, Any]) -> HostRecords:
    hosts = {name: None if one is None else host_of(one) for name, one in told.get("hosts", {}).items()}
    names = {key: tuple(told.get(key, ())) for key in ("dead", "back", "hears")}
    _typed([(name,) for some in names.values() for name in some], (_TEXT,))
    return HostRecords(hosts=hosts, **names)


def _refuse(code: Code, detail: str) -> NoReturn:
    raise Refused(code.at(None, detail))
