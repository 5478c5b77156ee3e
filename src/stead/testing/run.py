"""Runs the tests of a file: each a plan for simulated hosts, compared with what was expected of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stead.blueprint.dry_run import applied, with_hosts, without_hosts
from stead.blueprint.model import Blueprint
from stead.blueprint.placement import failure_analysis, load_plugins
from stead.core.address import Address, parse
from stead.core.diagnostics import Code, Diagnostic, Place, Refused, has_errors
from stead.core.effect import Action, Disruption
from stead.core.observed import Host, HostStatus, Observed
from stead.core.recorded import Recorded
from stead.core.value import replace
from stead.kinds import kinds
from stead.language.desired import resolve
from stead.language.desired.scope import Nothing
from stead.language.document.parser import read
from stead.language.reading import Reading, read_model
from stead.language.reading.readers import FAILED
from stead.language.spec import load
from stead.plan.model import Plan
from stead.plan.planner import Inputs, Planned, make_plan
from stead.plan.render.fold import fold
from stead.plan.render.words import summarise
from stead.site.abilities import with_abilities
from stead.site.inventory import read_inventory
from stead.testing.model import Expectation, Rehearsal, TestFile
from stead.testing.report import TestResult

NOTHING = Code("STEAD-T002", "the file tests nothing")
SITE, KEY = "test", b"test"  # nothing here outlives the test


def run_file(path: Path) -> list[TestResult]:
    """Refuses, with its mistakes, a file that is no test."""
    node, found = read(path.read_bytes(), str(path))
    if node is None or found:
        nothing = NOTHING.at(Place(str(path), 1, 1), "The file is empty. Write `tests:` with what must hold.")
        raise Refused(*found or [nothing])
    reading = Reading(Nothing())
    tests: TestFile | Any = read_model(TestFile, node, reading)
    if tests is FAILED:
        raise Refused(*reading.found)
    inventory, more = read_inventory([path.parent / tests.inventory])
    if has_errors(more):
        raise Refused(*more)
    return [
        TestResult(
            file=str(path), name=name, wrong=tuple(_run(path.parent / tests.spec, one, tests.vars, inventory.hosts))
        )
        for name, one in tests.tests.items()
    ]


def _run(spec: Path, test: Rehearsal, shared: Mapping[str, Any], hosts: Mapping[str, Host]) -> Iterator[str]:
    variables = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in {**shared, **test.vars}.items()
    }
    loaded, found = load([spec], kinds(), variables=variables, root=spec)
    desired, more = resolve(loaded, key=KEY)
    found = [*found, *more]
    unknown = {*test.down, *test.maintenance, *test.gone} - hosts.keys()
    if unknown:
        yield f"the inventory has no host {', '.join(sorted(unknown))}"
        return
    able = {name: with_abilities(host) for name, host in hosts.items()}
    recorded, observed = Recorded(site=SITE), Observed(hosts=able)
    if not has_errors(found):
        inputs = Inputs(
            desired=desired, recorded=recorded, observed=observed, kinds=kinds(), key=KEY, plugins=load_plugins()
        )
        if not test.fresh:
            before, found = make_plan(inputs)
            if before.blueprint is None:
                yield from _codes(test.expect, found)
                return
            recorded, observed = applied(before.blueprint, recorded, observed)
        observed = with_hosts(
            with_hosts(observed, HostStatus.MAINTENANCE, *test.maintenance), HostStatus.DOWN, *test.down
        )
        observed = without_hosts(observed, test.gone)
        planned, found = make_plan(replace(inputs, recorded=recorded, observed=observed))
        yield from _compare(test.expect, planned, observed)
    yield from _codes(test.expect, found)


def _codes(expect: Expectation, found: Sequence[Diagnostic]) -> Iterator[str]:
    told = {one.code for one in found if one.severity == "error"}
    for code in sorted(set(expect.refused) - told):
        yield f"{code} should be told, and is not"
    for one in found:
        if one.severity == "error" and one.code not in expect.refused:
            yield f"{one.code} {one.place or ''} {one.detail}"


def _compare(expect: Expectation, planned: Planned, observed: Observed) -> Iterator[str]:
    if planned.plan is None or planned.blueprint is None:
        return  # the diagnostics say why
    yield from _plan(expect, planned.plan)
    yield from _places(expect, planned.blueprint, observed)
    for name, value in expect.outputs.items():
        got = planned.blueprint.outputs.get(name)
        if got != value:
            yield f"output {name} is {got!r}, expected {value!r}"
    if expect.survives is not None:
        told = failure_analysis(planned.blueprint.problem, planned.blueprint.placement, expect.survives)
        for failure in told.failures[:3]:
            yield f"{' and '.join(failure.hosts)} failing leaves {', '.join(failure.members[:3])} without a host"


def _plan(expect: Expectation, plan: Plan) -> Iterator[str]:
    counts = {str(action): count for action, count in summarise(plan, fold(plan)).actions.items()}
    for action in expect.changes.keys() - set(Action):
        yield f"there is no action {action!r}; there are {', '.join(Action)}"
    for action, expected in expect.changes.items():
        if counts.get(action, 0) != expected:
            yield f"{counts.get(action, 0)} to {action}, expected {expected}"
    if expect.empty is not None and plan.empty != expect.empty:
        yield f"the plan is {'empty' if plan.empty else f'not empty: {counts}'}"
    if expect.disturbs is not None:
        most = max((step.disturbs for step in plan.steps), key=lambda one: one.rank, default=Disruption.NONE)
        if most != expect.disturbs:
            yield f"the plan disturbs {most}, expected {expect.disturbs}"


def _places(expect: Expectation, blueprint: Blueprint, observed: Observed) -> Iterator[str]:
    for name, host in expect.placed.items():
        for address in _members(name, blueprint):
            if blueprint.resources[address].host != host:
                yield f"{address} is on {blueprint.resources[address].host or 'no host'}, expected {host}"
    yield from _neighbours(expect, blueprint, {name: host.zone for name, host in observed.hosts.items()})
    yield from _alive(expect, blueprint, observed)
    every = (*expect.placed, *expect.apart, *expect.zones_apart, *expect.together, *expect.running, *expect.lost)
    yield from (f"{name} names nothing in the plan" for name in every if not _members(name, blueprint))


def _neighbours(expect: Expectation, blueprint: Blueprint, zones: Mapping[str, str]) -> Iterator[str]:
    for names, where, word in ((expect.apart, None, "host"), (expect.zones_apart, zones, "zone")):
        seats = Counter(_seat(address, blueprint, where) for address in _all(names, blueprint))
        told = ", ".join(names)
        yield from (f"{count} of {told} share {word} {seat}" for seat, count in seats.items() if count > 1)
    seats = Counter(_seat(address, blueprint, None) for address in _all(expect.together, blueprint))
    if len(seats) > 1:
        yield f"{', '.join(expect.together)} is on {', '.join(sorted(seats))}"


def _alive(expect: Expectation, blueprint: Blueprint, observed: Observed) -> Iterator[str]:
    working = {name for name, host in observed.hosts.items() if host.state is not HostStatus.DOWN}
    for names, wanted in ((expect.running, True), (expect.lost, False)):
        for address in (address for name in names for address in _members(name, blueprint)):
            host = blueprint.resources[address].host
            if (host in working) != wanted:
                yield f"{address} is on {host}, which {'works' if host in working else 'does not work'}"


def _seat(address: Address, blueprint: Blueprint, zones: Mapping[str, str] | None) -> str:
    host = blueprint.resources[address].host
    return host if zones is None else zones.get(host, host)


def _all(names: Iterable[str], blueprint: Blueprint) -> list[Address]:
    """Of the whole list, each once: also of single members, one by one, any two may share a host."""
    return list(dict.fromkeys(address for name in names for address in _members(name, blueprint)))


def _members(name: str, blueprint: Blueprint) -> list[Address]:
    address = parse(name)
    return [one for one in blueprint.resources if address in (one, one.block)]
