"""The lines of one entry, with no format in them: text, Markdown and HTML dress the same words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stead.blueprint.model import Reason
from stead.core.address import Address
from stead.core.effect import Action, Disruption
from stead.core.named import NamedTuple
from stead.diff.model import FieldChange
from stead.plan.model import Keep
from stead.plan.render import values
from stead.plan.render.fold import Atom, FoldedChange
from stead.plan.render.names import of_addresses, of_hosts
from stead.plan.render.words import SIGNS

MEMBERS_SHOWN = 6
FIELDS_SHOWN = 12
TEXT_LINES_SHOWN = 14


_IP = re.compile(r"[0-9a-f:.]+")


class ShownField(NamedTuple):
    """One field that changes. Of a text with several lines, `lines` says how."""

    name: str
    old: str
    new: str
    drift: bool
    lines: tuple[str, ...] = ()
    was: str | None = None  # what was applied, where neither side has it any more

    @property
    def mark(self) -> str:
        """How it is told that the host changed."""
        return f"drift: it was {self.was}" if self.was is not None else "drift" if self.drift else ""


class Card(NamedTuple):
    """An entry as words."""

    sign: str
    action: Action
    verb: str  # what is done, as it is said
    name: str
    where: str
    disturbs: Disruption
    drift: bool
    about: str
    fields: tuple[ShownField, ...]
    more_fields: int
    members: tuple[str, ...]
    more_members: int
    losses: tuple[str, ...]
    reasons: tuple[Reason, ...]
    place: str


def card(entry: FoldedChange, keeps: Mapping[Address, Keep], *, verbose: bool = False) -> Card:
    atom = entry.first
    fields = _fields(atom, verbose=verbose)
    members = list(_members(entry, keeps, verbose=verbose))
    limit = len(members) if verbose else MEMBERS_SHOWN
    most = len(fields) if verbose else FIELDS_SHOWN
    keep = keeps.get(atom.address)
    return Card(
        sign="~" if entry.clears else SIGNS[atom.action],
        action=Action.UPDATE if entry.clears else atom.action,
        verb="clear" if entry.clears else str(atom.action),
        name=of_addresses(entry.addresses),
        where=_where(entry, verbose=verbose),
        disturbs=atom.disturbs,
        drift=entry.drift,
        about=entry.about,
        fields=tuple(_field(change, verbose=verbose) for change in fields[:most]),
        more_fields=max(0, len(fields) - most),
        members=tuple(members[:limit]),
        more_members=max(0, len(entry.atoms) - limit) if members else 0,
        losses=tuple(loss for one in entry.atoms for loss in one.losses),
        reasons=atom.reasons,
        place=str(keep.place) if keep is not None and keep.place is not None else "",
    )


def _where(entry: FoldedChange, *, verbose: bool) -> str:
    hosts = of_hosts(entry.hosts, every=verbose)
    if entry.first.to:
        return f"{hosts} → {of_hosts({atom.to for atom in entry.atoms}, every=verbose)}"
    return f"on {hosts}" if hosts else ""


def _fields(atom: Atom, *, verbose: bool) -> Sequence[FieldChange]:
    """What changes; of something new, everything it will have, where that is asked for."""
    if atom.changes or not verbose or atom.want is None or atom.action not in (Action.CREATE, Action.REPLACE):
        return atom.changes
    return [FieldChange(name, None, value) for name, value in values.leaves(atom.want.fields())]


def _field(change: FieldChange, *, verbose: bool) -> ShownField:
    name, old, new, drift = change[:4]
    was = None if change.was is None else values.shown(change.was, name)
    lines: tuple[str, ...] = ()
    if values.is_text(old, new):
        some = values.line_changes(old, new)
        limit = len(some) if verbose else TEXT_LINES_SHOWN
        more = (f"… {len(some) - limit} more lines",) if len(some) > limit else ()
        lines = (*some[:limit], *more)
    return ShownField(values.safe(change.name), values.shown(old, name), values.shown(new, name), drift, lines, was)


def _members(entry: FoldedChange, keeps: Mapping[Address, Keep], *, verbose: bool) -> Iterator[str]:
    """Each with its host and addresses, where they were chosen for it alone."""
    if entry.first.action not in (Action.CREATE, Action.REPLACE, Action.MIGRATE):
        return
    alone = len(entry.atoms) == 1
    shown = entry.atoms if verbose else entry.atoms[:MEMBERS_SHOWN]
    lines = [_member(atom, keeps.get(atom.address), alone=alone, verbose=verbose) for atom in shown]
    if all(lines) and lines[0] not in entry.about:
        yield from lines


def _member(atom: Atom, keep: Keep | None, *, alone: bool, verbose: bool) -> str:
    chosen = _chosen(keep.leases, verbose=verbose) if keep is not None else []
    if alone:
        return "  ".join(chosen)
    where = f"{atom.hosts[0]} → {atom.to}" if atom.to else of_hosts(atom.hosts)
    parts = [f"{atom.address.name}[{atom.address.key}]" if atom.address.key is not None else atom.address.name]
    return "  ".join([*parts, *([where] if where else []), *chosen])


def _chosen(leases: Mapping[str, str], *, verbose: bool) -> list[str]:
    """Addresses; of MACs, numbers and UUIDs only when everything is asked for."""
    if verbose:
        return [f"{key}={value}" for key, value in leases.items()]
    return [value for value in leases.values() if is_address(value)]


def is_address(text: str) -> bool:
    """An IP address, told apart from a MAC, which has five colons and pairs of digits throughout."""
    if not _IP.fullmatch(text):
        return False
    if text.count(".") == 3:
        return ":" not in text
    return text.count(":") > 1 and not (text.count(":") == 5 and all(len(part) == 2 for part in text.split(":")))


def why(reasons: Iterable[Reason]) -> Iterator[str]:
    """One of each code: on one host it is new to the store, on another to the host."""
    for reason in {reason.code: reason for reason in reasons}.values():
        yield f"{reason.code}: {values.safe(reason.text)}"
