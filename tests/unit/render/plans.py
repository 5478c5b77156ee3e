"""Plans by hand: one of every action, and as large as is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stead.blueprint.model import Reason
from stead.core.address import Address, parse
from stead.core.diagnostics import Place
from stead.core.effect import Action, Disruption
from stead.core.want import Body, Want
from stead.diff.model import FieldChange, Note
from stead.plan.model import Keep, Made, Plan, Step

MADE = Made(spec="a" * 32, recorded=7, observed="b" * 32, stead="0.1.0")
NEW = Reason("new", "the spec has it, the host does not")
PLACED = Reason("placed", "balance: best of 3 hosts that may take it")
CHANGED = Reason("changed", "it changed in the spec")
DRIFTED = Reason("drift", "memory changed on the host, not in the spec")


def at(text: str) -> Address:
    found = parse(text)
    assert found is not None, text
    return found


def step(
    address: str,
    action: Action = Action.CREATE,
    host: str = "compute-1",
    *,
    fields: Mapping[str, Any] | None = None,
    disturbs: Disruption = Disruption.NONE,
    **more: Any,
) -> Step:
    body = dict(fields or {"vcpus": 2, "memory": 4 << 30})
    want = None if action in (Action.DESTROY, Action.FORGET) else Want.of(Body.of(body))
    given = {"reasons": (NEW,), "have": None, **more}
    return Step(0, at(address), host, action, want, disturbs=disturbs, **given)


def keep(address: str, host: str = "compute-1", *, leases: Mapping[str, str] | None = None, refs: str = "") -> Keep:
    given = {"uuid": "u", **({} if leases is None else leases)}
    after = tuple(at(one) for one in refs.split())
    return Keep(at(address), given, host, after, False, "", Place("stead.yml", 3, 5))


def plan(
    steps: Iterable[Step], *, keeps: Iterable[Keep] = (), notes: tuple[Note, ...] = (), outputs: Any = None, **more: Any
) -> Plan:
    numbered = tuple(one._replace(number=number) for number, one in enumerate(steps))
    kept = {one.address: keep(str(one.address), one.host) for one in numbered}
    made = {one.address for one in numbered if one.action is not Action.DESTROY}
    kept = {address: one if address in made else one._replace(leases={}) for address, one in kept.items()}
    kept |= {one.address: one for one in keeps}
    return Plan(made=MADE, steps=numbered, keeps=kept, outputs=outputs or {}, notes=notes, digest="c" * 32, **more)


def one_of_each() -> Plan:
    """Every action and every disruption that a plan can have."""
    loss = "everything on instance acme/instances/old (compute-1)"
    memory = (FieldChange("memory", 4 << 30, 8 << 30),)
    drifted = (FieldChange("memory", 2 << 30, 4 << 30, drift=True),)
    user_data = (FieldChange("seed.user_data", "#cloud-config\na: 1\n", "#cloud-config\na: 2\n"),)
    return plan(
        [
            step("networks/public", host="network-1", fields={"type": "flat", "mtu": 1500}),
            step("acme/instances/web[0]", reasons=(PLACED,)),
            step("acme/instances/web[1]", host="compute-2", reasons=(PLACED,)),
            step(
                "acme/networks/app",
                Action.UPDATE,
                changes=(FieldChange("mtu", 1500, 1450),),
                reasons=(CHANGED,),
                disturbs=Disruption.NETWORK,
            ),
            step("acme/instances/db", Action.REBOOT, changes=memory, reasons=(CHANGED,), disturbs=Disruption.REBOOT),
            step(
                "acme/instances/ci", Action.REBUILD, changes=user_data, reasons=(CHANGED,), disturbs=Disruption.REBUILD
            ),
            step("acme/instances/hot", Action.MIGRATE, to="compute-3", reasons=(PLACED,), disturbs=Disruption.MIGRATE),
            step(
                "acme/instances/old",
                Action.DESTROY,
                disturbs=Disruption.DATA_LOSS,
                loses=loss,
                reasons=(Reason("count-fell", "count went from 3 to 2"),),
            ),
            step(
                "acme/volumes/log",
                Action.DESTROY,
                disturbs=Disruption.DATA_LOSS,
                loses="everything on volume log",
                reasons=(CHANGED,),
            ),
            step("acme/volumes/log", reasons=(CHANGED,)),
            step("acme/instances/left", Action.FORGET, host="", reasons=(Reason("forget", "forget names it"),)),
            step("acme/instances/seen", Action.ACCEPT, reasons=(Reason("accepted", "the host has it so"),)),
            step("acme/instances/bent", Action.UPDATE, changes=drifted, reasons=(DRIFTED,)),
        ],
        keeps=[keep("acme/instances/web[0]", leases={"nics.app.v4": "10.0.0.2", "nics.app.mac": "52:54:00:00:00:02"})],
        notes=(Note("host-silent", "compute-9 does not answer", host="compute-9"),),
        outputs={"www": "203.0.113.9", "token": {"$secret": "f" * 32}},
        renames={at("acme/instances/a"): at("acme/instances/b")},
        unchanged=12,
    )
