"""From what was asked to wishes: which part of a plan to take. Decides nothing; refuses names that nothing has."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from stead.cli.common.request import PlanningRequest
from stead.cli.common.workspace import BAD_OPTION, pair
from stead.core.address import Address, order, parse
from stead.core.by_hand import SHELVED, STATE, by_hand, read, state_of
from stead.core.diagnostics import Code, Diagnostic, Refused

if TYPE_CHECKING:
    from stead.plan.planner import Inputs, Wishes
    from stead.store import Reader

NO_ADDRESS = Code("STEAD-C020", "no resource has this address")
NO_GUEST = Code("STEAD-C059", "the address is not an instance's")
NOT_RUNNING = Code("STEAD-C065", "an instance that does not run cannot be restarted")
NO_SNAPSHOT = Code("STEAD-C084", "a resource cannot go back to this")
NO_PROJECT = Code("STEAD-C021", "there is no such project")
NO_LABEL = Code("STEAD-C022", "no resource has this label")

Test = Callable[[Address], bool]


def wishes(request: PlanningRequest, inputs: Inputs) -> Wishes:
    """A plan keeps what was asked, and `wishes_again` takes it from there."""
    from stead.plan.planner import NO_WISHES

    return _wished(request, inputs, request.text) if request.given else NO_WISHES


def wishes_again(asked: str, inputs: Inputs) -> Wishes:
    """Of what a plan says that it was asked for. It may be forged: what it can ask for is what options can."""
    from stead.cli.common.rearranging import wishes_of
    from stead.plan.planner import NO_WISHES

    if not asked:
        return NO_WISHES
    try:
        given = json.loads(asked)
        if (moves := wishes_of(given, inputs.recorded)) is not None:
            return moves
        return _wished(PlanningRequest(**given), inputs, asked)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        text = f"The options that this plan was made with cannot be read: {asked[:80]!r}. Plan again."
        raise Refused(BAD_OPTION.at(None, text)) from error


def _wished(request: PlanningRequest, inputs: Inputs, asked: str) -> Wishes:
    from stead.plan.build import Selection
    from stead.plan.planner import Wishes

    destroy, refresh = request.destroy, request.refresh_only
    for anew in ("replace", "rebuild"):
        if getattr(request, anew) and (destroy or refresh):
            other = "--refresh-only" if refresh else "--destroy"
            text = f"--{anew} replaces or rebuilds resources, {other} does not. Use one of them."
            raise Refused(BAD_OPTION.at(None, text))
    names = _Names(inputs)
    targets, excluded = names.addresses(request.target), names.addresses(request.exclude)
    replaced, rebuilt = names.every(request.replace), names.every(request.rebuild)
    tests = [
        *([_among(targets)] if targets else []),
        *([_in_projects(names.projects(request.project))] if request.project else []),
        *([_labelled(names.labels(request.label), inputs)] if request.label else []),
    ]
    restarted = names.every(request.reboot)
    given = names.every(request.target) if request.state else frozenset()
    back = [names.every([one]) for one in request.revert]
    names.check()
    reverts = dict([_reverting(back, inputs)]) if back else {}
    _check_rebuilt(rebuilt, inputs)
    _check_guests(restarted | given, inputs)
    _check_running(restarted, inputs)
    return Wishes(
        selection=Selection(
            wanted=(lambda address: all(test(address) for test in tests)) if tests else None,
            unwanted=_among(excluded) if excluded else None,
            alone=bool(restarted or given or reverts) and not _unshelved(given, request, inputs),
        ),
        replace=replaced,
        rebuild=rebuilt,
        reboot=restarted,
        reverts=reverts,
        states={one: _given(one, request.state, inputs) for one in sorted(given, key=order)},
        destroy=destroy,
        refresh_only=refresh,
        dead=frozenset(request.confirm_dead),
        asked=asked,
    )


def _check_rebuilt(addresses: Collection[Address], inputs: Inputs) -> None:
    wrong = sorted(str(one) for one in addresses if inputs.kinds[one.kind].rebuild is None)
    if wrong:
        text = (
            f"--rebuild gives an instance a new root disk, and {wrong[0]} is not an instance. To replace it, "
            "use --replace."
        )
        raise Refused(BAD_OPTION.at(None, text))


def _reverting(back: Sequence[Collection[Address]], inputs: Inputs) -> tuple[Address, Address]:
    """What goes back, and the snapshot of it."""
    if len(back) != 2 or any(len(one) != 1 for one in back):
        raise Refused(
            NO_SNAPSHOT.at(None, "Name one volume or instance, and one snapshot of it, each with its whole address.")
        )
    (what,), (snapshot,) = back
    block = inputs.desired.by_address.get(snapshot)
    if inputs.kinds[what.kind].reverted is None:
        raise Refused(
            NO_SNAPSHOT.at(None, f"{what} has no snapshots. Volumes and instances have them.", address=str(what))
        )
    if block is None or what not in block.refs or snapshot not in inputs.observed.haves:
        there = [str(one) for one in inputs.observed.haves if what in _refs(one, inputs) and one.kind == snapshot.kind]
        told = f"There is {', '.join(there)}." if there else "It has none."
        text = f"{snapshot} is no snapshot of {what}. {told}"
        raise Refused(NO_SNAPSHOT.at(None, text, address=str(what)))
    return what, snapshot


def _refs(address: Address, inputs: Inputs) -> Collection[Address]:
    block = inputs.desired.by_address.get(address)
    return block.refs if block is not None else ()


def _check_guests(addresses: Collection[Address], inputs: Inputs) -> None:
    """Of the spec, since that is what is planned."""
    for one in sorted(addresses, key=order):
        block = inputs.desired.by_address.get(one.block)
        if not inputs.kinds[one.kind].guest or block is None or one not in block.members:
            raise Refused(
                NO_GUEST.at(None, f"{one} is not an instance of the spec. `stead show` lists what is recorded.")
            )


def _check_running(addresses: Collection[Address], inputs: Inputs) -> None:
    for one in sorted(addresses, key=order):
        state = state_of(_leases(one, inputs), inputs.desired.by_address[one.block].model.state)
        if state != "running":
            raise Refused(
                NOT_RUNNING.at(None, f"{one} is {state}, so it cannot be restarted. `stead start` starts it.")
            )


def _unshelved(given: Collection[Address], request: PlanningRequest, inputs: Inputs) -> bool:
    """Who gets room again may have to move, with its volumes."""
    if not given or read(request.state).state == SHELVED:
        return False
    block_of = inputs.desired.by_address
    return any(state_of(_leases(one, inputs), block_of[one.block].model.state) == SHELVED for one in given)


def _given(address: Address, text: str, inputs: Inputs) -> str:
    """Nothing is kept that the spec says as well, unless it leaves the state to others. Who was first is kept."""
    block = inputs.desired.by_address[address.block]
    asked, before = read(text), by_hand(_leases(address, inputs))
    if asked.state == block.model.state and STATE not in block.settings.ignore:
        return ""
    return str(before) if before is not None and before.state == asked.state else text


def _leases(address: Address, inputs: Inputs) -> Mapping[str, str]:
    record = inputs.recorded.resources.get(address)
    return record.leases if record is not None else {}


class _Names:
    """What there is to choose from: the spec's addresses and the store's. Mistakes are collected."""

    def __init__(self, inputs: Inputs) -> None:
        self._desired, self._recorded = inputs.desired, inputs.recorded
        self._wrong: list[Diagnostic] = []
        self._blocks = {one.block for one in inputs.recorded.resources}

    def addresses(self, texts: Iterable[str]) -> frozenset[Address]:
        return frozenset(found for text in texts if (found := self._address(text)) is not None)

    def every(self, texts: Iterable[str]) -> frozenset[Address]:
        return frozenset(one for address in self.addresses(texts) for one in self.members(address))

    def _address(self, text: str) -> Address | None:
        found = parse(text)
        if found is not None and self._is_known(found):
            return found
        known = [str(one) for one in (*self._desired.by_address, *self._recorded.resources)]
        self._wrong.append(NO_ADDRESS.at(None, f"Neither the spec nor the store has {text!r}.{_nearest(text, known)}"))
        return None

    def _is_known(self, address: Address) -> bool:
        return address in self._desired.by_address or address in self._recorded.resources or address in self._blocks

    def members(self, address: Address) -> Iterable[Address]:
        block = self._desired.by_address.get(address)
        return (address,) if address.key is not None or block is None else block.members

    def projects(self, names: Collection[str]) -> frozenset[str]:
        known = _projects_of((*self._desired.by_address, *self._recorded.resources))
        for name in names:
            if name not in known:
                text = f"Neither the spec nor the store has a project {name!r}.{_nearest(name, known)}"
                self._wrong.append(NO_PROJECT.at(None, text))
        return frozenset(names)

    def labels(self, texts: Iterable[str]) -> list[tuple[str, str]]:
        known = {pair for block in self._desired.blocks for pair in block.settings.labels.items()}
        wanted = [pair(text, "--label") for text in texts]
        for one in wanted:
            if one not in known:
                near = _nearest("=".join(one), ["=".join(other) for other in known])
                self._wrong.append(NO_LABEL.at(None, f"Nothing in the spec has the label {'='.join(one)}.{near}"))
        return wanted

    def check(self) -> None:
        if self._wrong:
            raise Refused(*dict.fromkeys(self._wrong))  # a command may name one thing twice


def chosen(records: Collection[Address], texts: Sequence[str]) -> list[Address]:
    """Members of the blocks that are named, and those named themselves. Refuses what nothing goes by."""
    from stead.store.codes import UNKNOWN_ADDRESS, refuse

    found: dict[Address, None] = {}
    for text in texts:
        address = parse(text)
        some = [one for one in records if address in (one, one.block)]
        if not some:
            refuse(UNKNOWN_ADDRESS, f"Nothing is recorded as {text!r}.{_near(text, records)}", address=text)
        found.update(dict.fromkeys(sorted(some, key=order)))
    return list(found)


def _near(text: str, records: Collection[Address]) -> str:
    return _nearest(text, map(str, records)) or " `stead state list` lists what is."


def must_be_recorded(project: str, recorded: Collection[Address]) -> None:
    """For commands that read the store alone."""
    known = _projects_of(recorded)
    if project not in known:
        raise Refused(NO_PROJECT.at(None, f"The store has no project {project!r}.{_nearest(project, known)}"))


def must_be_known(project: str, store: Reader) -> None:
    """The same for commands that tell of the past: one that is gone has its history."""
    if not store.metered(project):
        must_be_recorded(project, store.recorded().resources)


def _projects_of(addresses: Collection[Address]) -> set[str]:
    return {one.project or one.name for one in addresses if one.project or one.kind == "projects"}


def _among(addresses: frozenset[Address]) -> Test:
    return lambda address: address in addresses or address.block in addresses


def _in_projects(projects: frozenset[str]) -> Test:
    def test(address: Address) -> bool:
        return address.project in projects or (address.kind == "projects" and address.name in projects)

    return test


def _labelled(wanted: Iterable[tuple[str, str]], inputs: Inputs) -> Test:
    """All the labels that are asked for. What is gone from the spec has none."""

    def test(address: Address) -> bool:
        block = inputs.desired.by_address.get(address)
        labels = block.settings.labels if block is not None else {}
        return all(labels.get(name) == value for name, value in wanted)

    return test


def _nearest(text: str, known: Iterable[str]) -> str:
    import difflib

    match = difflib.get_close_matches(text, sorted(set(known)), n=1)
    return f" Did you mean {match[0]}?" if match else ""
