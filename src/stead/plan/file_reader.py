"""Reads the rows of a plan file: checks the type of each value, and shares again what steps share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from stead.blueprint.model import Reason
from stead.core.address import Address, Known
from stead.core.diagnostics import Place
from stead.core.effect import Action, Disruption
from stead.core.observed import HostRecords, host_of
from stead.core.want import Body, Want, digest
from stead.diff.model import FieldChange, Note
from stead.plan.model import Keep, Made, Plan, PlannedHook, Step

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


def columns_of(rows: Sequence[Sequence[Any]], types: Sequence[_Types]) -> Sequence[Sequence[Any]]:
    """The columns of these rows. Refuses what is not as a plan of Stead's has it."""
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    for column, allowed in zip(columns, types, strict=True):
        if not allowed.issuperset(map(type, column)):
            raise TypeError("a value of another type than plans have there")
    return columns


def _within(numbers: Sequence[Any], limit: int) -> None:
    if not _NUMBER.issuperset(map(type, numbers)) or (numbers and not 0 <= min(numbers) <= max(numbers) < limit):
        raise ValueError("it refers to what it does not have")


class PlanReader:
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
            columns_of([(text, known)], _PAIR)
            if digest(text) != known:
                raise ValueError("what a resource should be does not have the digest that it is known by")
            self._bodies.append(Body(text, known))
        if "steps" in value:
            self._check(value["steps"])
            self.steps += map(self._step, value["steps"])
        if "keeps" in value:
            _, leases, _, _, _, _, places = columns_of(value["keeps"], _KEEP)
            columns_of([one for lease in leases for one in lease.items()], _PAIR)
            columns_of([one for one in places if one is not None], _PLACE)
            self._keeps.update((keep.address, keep) for keep in map(self._keep, value["keeps"]))

    def _check(self, rows: Sequence[Any]) -> None:
        """By columns: as quick as a loop can be in C, for there may be a million rows."""
        numbers, _, _, _, wants, haves, _, reasons, after, _, changes, *_ = columns_of(rows, _STEP)
        first = len(self.steps)
        if numbers != tuple(range(first, first + len(rows))):
            raise ValueError("steps are not in their order")
        bodies, _, _ = columns_of([one for one in chain(wants, haves) if one is not None], _WANT)
        _within(bodies, len(self._bodies))
        _within(list(chain.from_iterable(after)), first + len(rows))
        columns_of(list(chain.from_iterable(reasons)), _PAIR)
        columns_of(list(chain.from_iterable(changes)), _CHANGE)

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
        columns_of([[made[name] for name in _MADE]], list(_MADE.values()))
        columns_of(header["notes"], _NOTE)
        columns_of(header["renames"], _PAIR)
        pauses = header.get("pauses", [])
        columns_of(pauses, (_NUMBER, _NUMBER))
        _within([number for number, _ in pauses], len(self.steps))
        for number, seconds in pauses:
            self.steps[number] = self.steps[number]._replace(pause=seconds)
        hooks = header.get("hooks", [])
        columns_of(hooks, _HOOK)
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
            silence=host_records(header.get("silence", {})),
            hooks=tuple(PlannedHook(*one) for one in hooks),
            digest=header["digest"],
        )


def host_records(told: Mapping[str, Any]) -> HostRecords:
    hosts = {name: None if one is None else host_of(one) for name, one in told.get("hosts", {}).items()}
    names = {key: tuple(told.get(key, ())) for key in ("dead", "back", "hears", "restored")}
    drained = {name: tuple(moved) for name, moved in told.get("drained", {}).items()}
    columns_of([(name,) for some in (*names.values(), *drained.values()) for name in some], (_TEXT,))
    return HostRecords(hosts=hosts, drained=drained, **names)
