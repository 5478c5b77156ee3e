"""What the stages make of whole specs, by cases that are easy to get wrong."""

from __future__ import annotations

import hmac
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "properties"))

from sites import KEY, desired, hosts, planned

from stead.blueprint.dry_run import applied, with_hosts
from stead.core.address import Address, parse
from stead.core.diagnostics import Severity
from stead.core.effect import Action, Disruption
from stead.core.observed import Host, HostStatus, Observed, StoragePool
from stead.core.recorded import Recorded
from stead.core.value import replace
from stead.core.want import Body, Want
from stead.kinds import kinds
from stead.plan.build import Selection
from stead.plan.model import Plan
from stead.plan.planner import Inputs, Planned, Wishes, make_plan
from stead.site.abilities import with_abilities

EMPTY = Recorded(site="a-site")
FLAVOR = {"vcpus": 1, "memory": "1GiB", "disk": "10GiB"}
WEB = {"flavor": FLAVOR, "image": "debian", "networks": ["app"]}


def spec(**project: Any) -> dict[str, Any]:
    project.setdefault("networks", {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}})
    return {"stead": 1, "images": {"debian": {"source": "/d.qcow2"}}, "projects": {"acme": project}}


def site() -> Observed:
    return Observed(hosts=hosts([16, 16, 16]), digest="observed")


def first(one: dict[str, Any]) -> tuple[Recorded, Observed, Planned]:
    made = planned(desired(one), EMPTY, site())
    assert made.blueprint is not None
    return (*applied(made.blueprint, EMPTY, site()), made)


def then(before: dict[str, Any], after: dict[str, Any], wishes: Wishes | None = None) -> Plan:
    recorded, observed, _ = first(before)
    plan = planned(desired(after), recorded, observed, wishes).plan
    assert plan is not None
    return plan


def of(plan: Plan, kind: str) -> dict[str, list[str]]:
    actions: dict[str, list[str]] = {}
    for step in plan.steps:
        if step.address.kind == kind:
            actions.setdefault(f"{step.address.label}", []).append(str(step.action))
    return actions


def test_fewer_of_a_count_destroys_the_last_and_says_so() -> None:
    plan = then(spec(instances={"web": {**WEB, "count": 3}}), spec(instances={"web": {**WEB, "count": 2}}))
    assert of(plan, "instances") == {"web-2": ["destroy"]}
    (step,) = [step for step in plan.steps if step.address.kind == "instances"]
    assert step.reasons[0].code == "count-fell"
    assert step.disturbs is Disruption.DATA_LOSS


def test_unchanged_is_kept_once_in_memory() -> None:
    recorded, observed, _ = first(spec(instances={"web": {**WEB, "count": 2}}))
    made = planned(desired(spec(instances={"web": {**WEB, "count": 3}})), recorded, observed)
    assert made.blueprint is not None
    settled = made.blueprint.resources
    for key in (0, 1):
        web = Address("acme", "instances", "web", key)
        assert settled[web].wants is recorded.resources[web].wants
        assert settled[web].leases is recorded.resources[web].leases
    assert settled[Address("acme", "instances", "web", 2)].wants  # and what is new is there all the same


def test_another_image_rebuilds_and_keeps_the_address() -> None:
    before, after = spec(instances={"web": WEB}), spec(instances={"web": {**WEB, "image": "other"}})
    for one in (before, after):
        one["images"]["other"] = {"source": "/o.qcow2"}
    recorded, observed, made = first(before)
    plan = planned(desired(after), recorded, observed).plan
    assert plan is not None
    assert of(plan, "instances") == {"web": ["rebuild"]}
    (step,) = [step for step in plan.steps if step.address.kind == "instances"]
    assert (step.disturbs, step.loses) == (
        Disruption.DATA_LOSS,
        f"the root disk of instance acme/instances/web ({step.host})",
    )
    assert made.blueprint is not None
    assert plan.keeps[Address("acme", "instances", "web")].leases["nics.app.v4"] == "10.20.0.2"


def seeded(count: int, **more: Any) -> dict[str, Any]:
    """`db` has the addresses of `web` in its user data."""
    data = "#!/bin/sh\necho {{ instances.web | map(attribute='address') | join(' ') }}\n"
    db = {**WEB, "count": 2, "cloud_init": {"user_data": data}, **more}
    return spec(instances={"web": {**WEB, "count": count}, "db": db})


WAITS = "acme/instances/db (2 of them): cloud_init.user_data changed in the spec, and takes effect at the next rebuild."


def test_one_more_of_one_rebuilds_no_other_by_way_of_its_user_data() -> None:
    recorded, observed, _ = first(seeded(2))
    after = desired(seeded(3))
    plan = planned(after, recorded, observed).plan
    assert plan is not None
    assert of(plan, "instances") == {"web-2": ["create"]}
    assert [note.text for note in plan.notes] == [WAITS]


def test_what_waits_for_a_rebuild_is_no_step_and_is_said_at_every_plan() -> None:
    """Nor does another change bring it along; the next disk is made from it."""
    recorded, observed, _ = first(seeded(2))
    for change, action in (({}, []), ({"stop_timeout": "5s"}, ["update"]), ({"image": "other"}, ["rebuild"])):
        one = seeded(2, **change)
        one["projects"]["acme"]["instances"]["db"]["cloud_init"]["user_data"] = "#!/bin/true\n"
        one["images"]["other"] = {"source": "/o.qcow2"}
        plan = planned(desired(one), recorded, observed).plan
        assert plan is not None
        steps = [step for step in plan.steps if step.address.name == "db"]
        assert [str(step.action) for step in steps] == action * 2
        assert [note.text for note in plan.notes] == ([] if action == ["rebuild"] else [WAITS])
        for step in steps:
            assert step.want is not None
            assert (step.want.fields()["seed"]["user_data"] == "#!/bin/true\n") == (action == ["rebuild"])


def test_a_rebuild_is_asked_for_by_the_spec_or_for_once() -> None:
    recorded, observed, _ = first(seeded(2))
    web, db = (Address("acme", "instances", name, 0) for name in ("web", "db"))
    plan = planned(desired(seeded(2)), recorded, observed, Wishes(rebuild=frozenset({web}))).plan
    assert plan is not None
    assert [(step.address, step.action, step.disturbs) for step in plan.steps] == [
        (web, Action.REBUILD, Disruption.DATA_LOSS)
    ]
    one = seeded(3)
    one["projects"]["acme"]["instances"]["db"]["cloud_init"]["on_change"] = "rebuild"
    plan = planned(desired(one), recorded, observed).plan
    assert plan is not None
    assert of(plan, "instances") == {"web-2": ["create"], "db-0": ["rebuild"], "db-1": ["rebuild"]}
    assert {step.disturbs for step in plan.steps if step.address.block == db.block} == {Disruption.DATA_LOSS}


def test_what_boots_from_a_volume_loses_nothing_with_itself() -> None:
    volumes = {"root": {"size": "10GiB", "from": {"image": "debian"}}}
    web = {name: value for name, value in WEB.items() if name != "image"} | {"boot_volume": "root"}
    plan = then(spec(volumes=volumes, instances={"web": web}), spec(volumes=volumes))
    (step,) = [step for step in plan.steps if step.address.kind == "instances"]
    assert (step.action, step.disturbs) == (Action.DESTROY, Disruption.NONE)


def test_what_was_begun_and_never_seen_loses_nothing() -> None:
    recorded, observed, _ = first(spec(instances={"web": WEB}))
    web = Address("acme", "instances", "web")
    for there in (True, False):
        haves = {host: have._replace(begun=True, there=there) for host, have in observed.haves[web].items()}
        plan = planned(desired(spec()), recorded, replace(observed, haves={**observed.haves, web: haves})).plan
        assert plan is not None
        (step,) = [step for step in plan.steps if step.address == web]
        assert step.disturbs is (Disruption.DATA_LOSS if there else Disruption.NONE)


def test_replacing_on_request_destroys_first_and_makes_anew() -> None:
    one = spec(instances={"web": WEB})
    wishes = Wishes(replace=frozenset({Address("acme", "instances", "web")}))
    plan = then(one, one, wishes)
    assert of(plan, "instances") == {"web": ["destroy", "create"]}


def test_create_before_destroy_makes_the_new_one_first_where_both_may_stand() -> None:
    """Not on one host, where they would have one name, nor with one address."""
    one = spec(instances={"web": {**WEB, "create_before_destroy": True}})
    plan = then(one, one, Wishes(replace=frozenset({Address("acme", "instances", "web")})))
    assert of(plan, "instances") == {"web": ["destroy", "create"]}
    one = spec(volumes={"data": {"size": "1GiB", "host": "compute-1", "create_before_destroy": True}})
    other = spec(volumes={"data": {"size": "1GiB", "host": "compute-2", "create_before_destroy": True}})
    plan = then(one, other, Wishes(replace=frozenset({Address("acme", "volumes", "data")})))
    assert of(plan, "volumes") == {"data": ["create", "destroy"]}
    assert {step.action: step.disturbs for step in plan.steps} == {
        Action.CREATE: Disruption.NONE,
        Action.DESTROY: Disruption.DATA_LOSS,
    }


def test_what_is_not_to_be_moved_to_another_host_is_lost_there_and_that_is_told() -> None:
    one = spec(volumes={"data": {"size": "1GiB", "host": "compute-1"}}, snapshots={"monday": {"volume": "data"}})
    plan = then(
        one,
        spec(volumes={"data": {"size": "1GiB", "host": "compute-2"}}, snapshots={"monday": {"volume": "data"}}),
        Wishes(replace=frozenset({Address("acme", "volumes", "data")})),
    )
    gone = [step for step in plan.steps if step.action is Action.DESTROY]
    assert {step.address.kind for step in gone} == {"volumes", "snapshots"}
    assert {(step.disturbs, step.reasons[0].code) for step in gone} == {(Disruption.DATA_LOSS, "another-host")}
    (made,) = (step for step in plan.steps if step.action is Action.CREATE and step.address.kind == "volumes")
    assert made.uuid not in {step.uuid for step in gone}


def test_a_volume_of_another_zone_moves_there() -> None:
    west, east = (spec(volumes={"data": {"size": "1GiB", "zone": zone}}) for zone in ("z0", "z1"))
    plan = then(west, east)
    assert [(step.action, step.disturbs) for step in plan.steps if step.address.kind == "volumes"] == [
        (Action.MIGRATE, Disruption.MIGRATE),
    ]


def test_who_gives_up_an_address_does_so_before_the_other_comes() -> None:
    before = spec(instances={"web": WEB})
    recorded, observed, _ = first(before)
    held = recorded.resources[Address("acme", "instances", "web")].leases["nics.app.v4"]
    after = desired(spec(instances={"web": WEB, "db": {**WEB, "networks": [{"network": "app", "address": held}]}}))
    made, found = make_plan(Inputs(desired=after, recorded=recorded, observed=observed, kinds=kinds(), key=KEY))
    assert [one.code for one in found] == ["STEAD-R022"]
    assert made.plan is not None
    number = {step.address.name: step.number for step in made.plan.steps if step.address.kind == "instances"}
    assert number["web"] in made.plan.steps[number["db"]].after


@pytest.mark.parametrize("order", [("web", "db"), ("db", "web")])
@pytest.mark.parametrize("goes", [True, False])
def test_a_volume_is_let_go_of_before_another_gets_it(order: tuple[str, str], goes: bool) -> None:
    """Never two writers: whatever the names, and also when who had it is destroyed."""
    old, new = order
    users = {"host": "compute-0", **WEB}
    volumes = {"data": {"size": "1GiB"}}
    before = spec(volumes=volumes, instances={old: {**users, "volumes": ["data"]}, new: users})
    after = {new: {**users, "volumes": ["data"]}} | ({} if goes else {old: users})
    plan = then(before, spec(volumes=volumes, instances=after))
    number = {step.address.name: step.number for step in plan.steps if step.address.kind == "instances"}
    assert number[old] in plan.steps[number[new]].after


@pytest.mark.parametrize("shareable", [True, False])
def test_a_volume_of_one_that_is_forgotten_is_given_to_nobody(shareable: bool) -> None:
    """It runs on with what it has: in the plan that forgets it, and in those after."""
    volumes = {"data": {"size": "1GiB", "shareable": shareable}}
    user = {**WEB, "host": "compute-0", "volumes": ["data"]}
    recorded, observed, _ = first(spec(volumes=volumes, instances={"web": user}))
    kept = {name: one for name, one in recorded.resources.items() if name.kind != "instances"}
    for before in (recorded, replace(recorded, resources=kept)):
        after = desired(spec(volumes=volumes, instances={"db": user}, forget=["instances/web"]))
        _, found = make_plan(Inputs(desired=after, recorded=before, observed=observed, kinds=kinds(), key=KEY))
        assert [one.code for one in found] == ([] if shareable else ["STEAD-P004"])


def test_an_instance_moves_to_a_host_that_has_nothing_yet() -> None:
    """Its image leaves the one host and comes to the other, and is the same one."""
    plan = then(
        spec(instances={"web": {**WEB, "host": "compute-0"}}), spec(instances={"web": {**WEB, "host": "compute-1"}})
    )
    assert of(plan, "instances") == {"web": ["migrate"]}
    assert of(plan, "images") == {"debian": ["create", "destroy"]}


def test_volumes_on_two_hosts_are_told_before_one_of_them_is_lost() -> None:
    volumes = {"here": {"size": "1GiB"}, "there": {"size": "1GiB"}}
    before = spec(
        volumes=volumes,
        instances={
            "web": {**WEB, "host": "compute-0", "volumes": ["here"]},
            "db": {**WEB, "host": "compute-1", "volumes": ["there"]},
        },
    )
    after = desired(spec(volumes=volumes, instances={"web": {**WEB, "volumes": ["here", "there"]}, "db": WEB}))
    recorded, observed, _ = first(before)
    made, found = make_plan(Inputs(desired=after, recorded=recorded, observed=observed, kinds=kinds(), key=KEY))
    assert made.plan is None
    assert [one.code for one in found] == ["STEAD-P003"]


def test_a_count_that_comes_or_goes_says_how_to_keep_what_is_there() -> None:
    plan = then(spec(instances={"web": WEB}), spec(instances={"web": {**WEB, "count": 2}}))
    (gone,) = (step for step in plan.steps if step.action is Action.DESTROY)
    assert gone.reasons[0].text == "acme/instances/web has members now; `moved` makes it one of them"
    plan = then(spec(instances={"web": {**WEB, "count": 1}}), spec(instances={"web": WEB}))
    (gone,) = (step for step in plan.steps if step.action is Action.DESTROY)
    assert gone.reasons[0].code == "counted-no-more"


def test_moved_renames_and_destroys_nothing() -> None:
    after = spec(instances={"api": WEB}, moved=[{"from": "instances/web", "to": "instances/api"}])
    plan = then(spec(instances={"web": WEB}), after)
    assert {step.action for step in plan.steps} <= {Action.UPDATE}
    assert plan.renames == {Address("acme", "instances", "web"): Address("acme", "instances", "api")}


def test_what_is_secret_of_an_output_is_sealed_whatever_it_is() -> None:
    """A number, and all that an expression makes a map or list of."""
    one = spec(instances={"web": WEB})
    one["outputs"] = {
        name: {"value": value, "secret": True}
        for name, value in {
            "pin": 1234,
            "nested": {"pins": [1234], "word": "hunter2"},
            "made": "{{ {'word': 'hunter2', 'pins': [1234]} }}",
        }.items()
    }
    _, _, made = first(one)
    assert made.plan is not None
    assert not {"1234", "hunter2"} & set(re.findall(r"[0-9a-z]+", str(made.plan.outputs)))
    assert made.blueprint is not None
    assert set(made.blueprint.secrets.values()) == {"1234", "hunter2"}


@pytest.mark.parametrize(
    ("that", "message", "code", "said"),
    [
        ("{{ vars.token == 'other' }}", "no", "STEAD-L061", "one: no"),
        ("{{ vars.token == 'hunter2' }}", "no", "", ""),
        ("{{ vars.token | length }}", "no", "STEAD-L063", "the result is text"),
        ("{{ 'false' }}", "no", "STEAD-L063", "the result is text"),
        (
            "{{ projects.acme.instances.web.address == '' }}",
            "at {{ projects.acme.instances.web.address }}",
            "STEAD-L061",
            "at 10.",
        ),
        ("{{ 1 == 2 }}", "not {{ vars.token }}", "STEAD-L061", "is not shown"),
    ],
)
def test_checks_are_true_or_false_and_say_so(that: str, message: str, code: str, said: str) -> None:
    """Of a secret as of anything else, and without giving it away."""
    one = spec(instances={"web": WEB})
    one["vars"] = {"token": {"type": "string", "secret": True, "default": "hunter2"}}
    one["checks"] = {"one": {"that": that, "message": message}}
    inputs = Inputs(desired=desired(one), recorded=EMPTY, observed=site(), kinds=kinds(), key=KEY)
    _, found = make_plan(inputs)
    assert [each.code for each in found] == ([code] if code else [])
    assert all(said in each.detail and "hunter2" not in each.detail for each in found)


def test_a_definition_without_members_is_empty_to_expressions() -> None:
    """Scaled to nothing, `instances.web` is a list of nobody, and no mistake."""
    one = spec(instances={"web": {**WEB, "count": 0}, "api": {**WEB, "for_each": []}})
    one["outputs"] = {
        "web": "{{ projects.acme.instances.web | map(attribute='address') | join(' ') }}",
        "api": "{{ projects.acme.instances.api | length }}",
    }
    _, _, made = first(one)
    assert made.plan is not None
    assert dict(made.plan.outputs) == {"web": "", "api": 0}


def test_copies_are_made_where_there_is_what_they_are_copies_of() -> None:
    one = spec(
        volumes={
            "data": {"size": "1GiB", "host": "compute-2"},
            "copy": {"size": "1GiB", "from": {"volume": "data"}},
            "old": {"size": "1GiB", "count": 2, "from": {"snapshot": "monday"}},
        },
        snapshots={"monday": {"volume": "data"}},
        instances={"web": {**WEB, "volumes": ["copy"]}},
    )
    _, _, made = first(one)
    assert made.blueprint is not None
    assert {one.host for one in made.blueprint.resources.values() if one.address.kind in ("volumes", "instances")} == {
        "compute-2"
    }


def test_moves_that_follow_each_other_lead_to_the_last() -> None:
    """Whoever applied in between has `api`, whoever did not has `web`."""
    moves = [{"from": f"instances/{old}", "to": f"instances/{new}"} for old, new in (("web", "api"), ("api", "www"))]
    for name in ("web", "api"):
        plan = then(spec(instances={name: WEB}), spec(instances={"www": WEB}, moved=moves))
        assert {step.action for step in plan.steps} <= {Action.UPDATE}
        assert plan.renames == {Address("acme", "instances", name): Address("acme", "instances", "www")}


@pytest.mark.parametrize(
    ("before", "after", "move"),
    [
        ({"web": WEB}, {"api": {**WEB, "count": 2}}, ("web", "api")),
        ({"web": {**WEB, "count": 1}}, {"api": WEB}, ("web", "api")),
        ({"web": {**WEB, "count": 3}}, {"web": {**WEB, "count": 2}}, ("web[2]", "web[0]")),
        ({"web": WEB, "api": WEB}, {"api": WEB}, ("web", "api")),
    ],
)
def test_a_move_that_cannot_be_followed_is_told(before: Any, after: Any, move: tuple[str, str]) -> None:
    """What could not have its new name would be destroyed under the old one."""
    recorded, observed, _ = first(spec(instances=before))
    moved = [{"from": f"instances/{move[0]}", "to": f"instances/{move[1]}"}]
    one = desired(spec(instances=after, moved=moved))
    _, found = make_plan(Inputs(desired=one, recorded=recorded, observed=observed, kinds=kinds(), key=KEY))
    assert [each.code for each in found] == ["STEAD-R012"]


def test_network_that_moved_leaves_interfaces_their_addresses() -> None:
    subnet = {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}
    moved = spec(
        networks={"back": subnet},
        instances={"web": {**WEB, "networks": ["back"]}},
        moved=[{"from": "networks/app", "to": "networks/back"}],
    )
    recorded, observed, _ = first(spec(networks={"app": subnet}, instances={"web": WEB}))
    made = planned(desired(moved), recorded, observed)
    assert made.blueprint is not None
    web = Address("acme", "instances", "web")
    assert made.blueprint.resources[web].leases["nics.back.mac"] == recorded.resources[web].leases["nics.app.mac"]
    assert made.plan is not None
    assert Action.DESTROY not in {step.action for step in made.plan.steps}


def test_forgotten_is_let_go_and_not_touched() -> None:
    plan = then(spec(instances={"web": WEB}), spec(instances={}, forget=["instances/web"]))
    assert of(plan, "instances") == {"web": ["forget"]}


def test_local_volume_lands_where_its_instance_lands_and_loose_ones_find_a_host() -> None:
    one = spec(volumes={"data": {"count": 3, "size": "10GiB"}}, instances={"web": {**WEB, "volumes": ["data[0]"]}})
    made = planned(desired(one), EMPTY, site())
    assert made.blueprint is not None
    seats = {str(a): s.host for a, s in made.blueprint.resources.items() if a.kind in ("volumes", "instances")}
    assert seats["acme/volumes/data[0]"] == seats["acme/instances/web"]
    assert all(seats.values())


def test_expressions_see_addresses_that_are_chosen_in_the_same_plan() -> None:
    one = spec(
        instances={
            "web": {**WEB, "count": 2},
            "proxy": {**WEB, "cloud_init": {"user_data": "{{ instances.web | map(attribute='address') | join(' ') }}"}},
            "alone": {**WEB, "cloud_init": {"user_data": "{{ this.hostname }} {{ this.address }}"}},
        }
    )
    made = planned(desired(one), EMPTY, site())
    assert made.blueprint is not None
    resources = made.blueprint.resources

    def data(name: str) -> str:
        settled = resources[Address("acme", "instances", name)]
        return str(settled.wants[settled.host].fields()["seed"]["user_data"])

    web = [resources[Address("acme", "instances", "web", at)].leases["nics.app.v4"] for at in (0, 1)]
    assert data("proxy") == " ".join(web)
    assert data("alone") == f"alone {resources[Address('acme', 'instances', 'alone')].leases['nics.app.v4']}"


def test_secret_is_sealed_in_the_plan_and_kept_aside() -> None:
    one = spec(instances={"web": {**WEB, "cloud_init": {"user_data": "password: {{ vars.secret_word }}"}}})
    one["vars"] = {"secret_word": {"default": "correct-horse", "secret": True}}
    made = planned(desired(one), EMPTY, site())
    assert made.plan is not None
    assert made.blueprint is not None
    assert "correct-horse" not in repr(made.plan)
    assert "password: correct-horse" in made.blueprint.secrets.values()


def of_two_projects() -> dict[str, Any]:
    """With one and the same secret."""
    one = spec(instances={"web": {**WEB, "cloud_init": {"user_data": "{{ vars.word }}"}}})
    one["projects"]["other"] = one["projects"]["acme"]
    one["vars"] = {"word": {"default": "correct-horse", "secret": True}}
    return one


def test_a_project_has_seals_of_its_own() -> None:
    """So it can neither use another's, nor see that another has the same secret."""
    _, _, made = first(of_two_projects())
    assert made.blueprint is not None
    secrets = made.blueprint.secrets
    assert [project for project, _ in secrets] == ["acme", "other"]
    assert len({id_ for _, id_ in secrets}) == 2
    assert set(secrets.values()) == {"correct-horse"}


def test_seals_from_before_there_were_projects_in_them_are_no_change() -> None:
    """A site whose store has them is planned no rebuild because Stead is newer."""
    recorded, observed, made = first(of_two_projects())
    assert made.blueprint is not None
    old = hmac.new(KEY, b"correct-horse", "sha256").hexdigest()[:32]
    ids = {id_ for _, id_ in made.blueprint.secrets}

    def aged(want: Want) -> Want:
        return Want.of(Body.of(json.loads(re.sub("|".join(ids), old, want.body.text))), json.loads(want.own))

    resources = {
        address: replace(record, wants={host: aged(want) for host, want in record.wants.items()})
        for address, record in recorded.resources.items()
    }
    haves = {
        address: {
            host: have._replace(want=(want := aged(have.want)), made_from=want.digest) for host, have in on.items()
        }
        for address, on in observed.haves.items()
    }
    again = planned(desired(of_two_projects()), replace(recorded, resources=resources), replace(observed, haves=haves))
    assert again.plan is not None
    assert again.plan.steps == ()
    assert again.blueprint is not None
    assert set(again.blueprint.secrets) == {("acme", old), ("other", old)}


def test_instance_waits_for_what_it_needs_on_its_host_and_for_the_names_it_asks() -> None:
    plan = planned(desired(spec(instances={"web": WEB})), EMPTY, site()).plan
    assert plan is not None
    (web,) = [step for step in plan.steps if step.address.kind == "instances"]
    before = {(str(plan.steps[n].address), plan.steps[n].host) for n in web.after}
    assert ("images/debian", web.host) in before
    assert ("acme/networks/app", web.host) in before
    assert ("acme/networks/app", "network-1") in before


@pytest.mark.parametrize("kind", ["instances", "networks"])
def test_protected_is_not_destroyed(kind: str) -> None:
    from stead.kinds import kinds
    from stead.plan.planner import Inputs, make_plan

    networks = {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}, "protect": kind == "networks"}}
    before = spec(networks=networks, instances={"web": {**WEB, "protect": kind == "instances"}})
    recorded, observed, _ = first(before)
    after = desired(spec(networks={}, instances={}))
    inputs = Inputs(desired=after, recorded=recorded, observed=observed, kinds=kinds(), key=b"key")
    _, found = make_plan(inputs)
    assert [one.code for one in found] == ["STEAD-X010"]


@pytest.mark.parametrize("since", [True, False])
def test_protected_is_not_rebuilt_nor_lost_by_going_elsewhere(since: bool) -> None:
    """Whether it was protected before, or is from now on."""
    guard = {"protect": True}
    data = {"size": "1GiB", "host": "compute-1"}

    def protected(volume: dict[str, Any], disk: str, **more: bool) -> dict[str, Any]:
        return spec(
            volumes={"data": volume},
            snapshots={"monday": {"volume": "data", **more}},
            instances={"web": {**WEB, **more, "flavor": {**FLAVOR, "disk": disk}}},
        )

    recorded, observed, _ = first(protected(data, "20GiB", **(guard if since else {})))
    after = desired(protected({**data, "host": "compute-2"}, "10GiB", **guard))
    _, found = make_plan(Inputs(desired=after, recorded=recorded, observed=observed, kinds=kinds(), key=KEY))
    assert {(one.code, one.address) for one in found} == {
        ("STEAD-X010", "acme/instances/web"),
        ("STEAD-X010", "acme/snapshots/monday"),
        ("STEAD-X013", "acme/volumes/data"),
    }


def on(one: dict[str, Any]) -> dict[str, int]:
    """How many of its instances each host has."""
    made = planned(desired(one), EMPTY, site())
    assert made.blueprint is not None
    found: dict[str, int] = {}
    for address, settled in made.blueprint.resources.items():
        if address.kind == "instances":
            found[settled.host] = found.get(settled.host, 0) + 1
    return found


def test_the_nearest_policy_wins_site_then_project_then_instance() -> None:
    """Three hosts, six instances: evened out they are two on each, packed they share one."""
    web = {**WEB, "count": 6}
    even, packed = {f"compute-{i}": 2 for i in range(3)}, {"compute-0": 6}
    assert on(spec(instances={"web": web})) == even
    assert on({**spec(instances={"web": web}), "site": {"policy": "pack"}}) == packed
    assert on(spec(policy="pack", instances={"web": web})) == packed
    assert on({**spec(policy="balance", instances={"web": web}), "site": {"policy": "pack"}}) == even
    assert on(spec(policy="pack", instances={"web": {**web, "policy": "balance"}})) == even
    assert on(spec(instances={"web": {**web, "policy": "pack"}})) == packed


def test_the_policy_of_a_project_is_for_its_instances_alone() -> None:
    one = spec(policy="pack", instances={"web": {**WEB, "count": 3}})
    one["projects"]["bolt"] = {
        "networks": {"app": {"subnets": {"v4": {"cidr": "10.21.0.0/24"}}}},
        "instances": {"web": {**WEB, "count": 3}},
    }
    made = planned(desired(one), EMPTY, site())
    assert made.blueprint is not None
    at = {
        project: {s.host for a, s in made.blueprint.resources.items() if a.kind == "instances" and a.project == project}
        for project in ("acme", "bolt")
    }
    assert len(at["acme"]) == 1
    assert len(at["bolt"]) > 1


DATA = Address("acme", "volumes", "data")


def shrunk(instance: dict[str, Any], **more: Any) -> Plan:
    before, after = (
        spec(instances={"web": instance}, volumes={"data": {"size": size, "from": {"image": "debian"}}}, **more)
        for size in ("20GiB", "10GiB")
    )
    return then(before, after)


def test_smaller_volume_is_another_one_which_its_user_changes_over_to() -> None:
    """Let go, lose with consent, make, plug in; and the new one has another UUID."""
    plan = shrunk({**WEB, "volumes": ["data"]})
    told = [(step.address.kind, str(step.action), step.disturbs) for step in plan.steps]
    assert told == [
        ("instances", "update", Disruption.NONE),
        ("volumes", "destroy", Disruption.DATA_LOSS),
        ("volumes", "create", Disruption.NONE),
        ("instances", "update", Disruption.NONE),
    ]
    first_step, gone, made, last = plan.steps
    assert gone.uuid != made.uuid
    assert first_step.want is not None
    assert last.want is not None
    assert first_step.want.fields()["volumes"] == {}
    assert last.want.fields()["volumes"][str(DATA)]["uuid"] == made.uuid
    assert [step.after for step in plan.steps] == [(), (0,), (1,), (0, 2)]


def test_volume_of_another_format_is_converted_before_its_user_has_it() -> None:
    web = {**WEB, "volumes": ["data"], "state": "stopped"}
    before, after = (
        spec(instances={"web": web}, volumes={"data": {"size": "10GiB", "format": form}}) for form in ("raw", "qcow2")
    )
    told = [(step.address.kind, str(step.action), step.disturbs, step.after) for step in then(before, after).steps]
    assert told == [("volumes", "migrate", Disruption.MIGRATE, ()), ("instances", "update", Disruption.NONE, (0,))]


def test_instance_that_boots_from_a_shrinking_volume_is_off_meanwhile() -> None:
    plan = shrunk({"boot_volume": "data", "flavor": {"vcpus": 1, "memory": "1GiB"}, "networks": ["app"]})
    off, *_others, last = [step for step in plan.steps if step.address.kind == "instances"]
    assert off.want is not None
    assert (off.want.fields()["state"], str(off.action), str(last.action)) == ("stopped", "reboot", "rebuild")


def test_snapshot_outlives_the_volume_that_it_was_taken_of() -> None:
    plan = shrunk({**WEB, "volumes": ["data"]}, snapshots={"monday": {"volume": "data"}})
    assert of(plan, "snapshots") == {}


def test_volume_that_grows_stays_the_same() -> None:
    before, after = (spec(volumes={"data": {"size": size}}) for size in ("10GiB", "20GiB"))
    assert of(then(before, after), "volumes") == {"data": ["update"]}


def test_volume_that_somebody_enlarged_is_not_lost_for_it() -> None:
    """Drift is told, and what it takes to end it loses nothing."""
    one = spec(volumes={"data": {"size": "10GiB"}})
    recorded, observed, _ = first(one)
    haves = {
        address: {
            host: have._replace(want=Want.of(Body.of({**have.want.fields(), "size": 20 << 30})))
            if address == DATA
            else have
            for host, have in there.items()
        }
        for address, there in observed.haves.items()
    }
    plan = planned(desired(one), recorded, replace(observed, haves=haves)).plan
    assert plan is not None
    assert [(str(step.action), step.disturbs) for step in plan.steps] == [("update", Disruption.NONE)]


@pytest.mark.parametrize(
    "disk", [{"disk": {"pool": "fast"}}, {"flavor": {**FLAVOR, "pool": "fast"}}], ids=["disk", "flavor"]
)
def test_root_disk_where_the_hosts_keep_none_is_refused_before_any_is_touched(
    disk: dict[str, Any],
) -> None:
    pool = StoragePool("fast", "nfs", 1 << 40, "/srv/fast", shared=True)
    nas = Host(name="nas", roles=frozenset({"storage"}), underlay="192.0.2.9", pools={"fast": pool})
    made, found = make_plan(asked(spec(instances={"web": {**WEB, **disk}}), EMPTY, able(nas)))
    assert [one.code for one in found] == ["STEAD-I027"]
    assert made.plan is None


def able(*more: Host) -> Observed:
    """The site, with what this version's host code can do."""
    there = {**site().hosts, **{one.name: one for one in more}}
    return replace(site(), hosts={name: with_abilities(one) for name, one in there.items()})


def test_root_disk_goes_where_its_pool_holds_one() -> None:
    """A pool of one name, of several types."""
    hosts = able().hosts
    served = {"default": StoragePool("default", "iscsi", 1 << 42, "/srv/san")}
    there = {name: replace(one, pools=served) for name, one in hosts.items() if name != "compute-2"}
    observed = replace(site(), hosts={**hosts, **{name: with_abilities(one) for name, one in there.items()}})
    made = planned(desired(spec(instances={"web": {**WEB, "count": 2}})), EMPTY, observed)
    assert made.blueprint is not None
    placed = [one.host for address, one in made.blueprint.resources.items() if address.kind == "instances"]
    assert placed == ["compute-2"] * 2


def test_what_cannot_move_is_refused_before_any_host_is_touched() -> None:
    """Five of one definition for one reason are one diagnostic."""
    at = [{**WEB, "count": 5, "host": f"compute-{number}", "state": "stopped", "tpm": True} for number in (1, 2)]
    made = planned(desired(spec(instances={"web": at[0]})), EMPTY, able())
    assert made.blueprint is not None
    recorded, observed = applied(made.blueprint, EMPTY, able())
    moved, (found,) = make_plan(asked(spec(instances={"web": at[1]}), recorded, observed))
    assert moved.plan is not None
    assert of(moved.plan, "instances") == {f"web-{number}": ["migrate"] for number in range(5)}
    assert found.code == "STEAD-X013"
    assert "acme/instances/web[0] from compute-1 to compute-2" in found.detail
    assert "and 2 more" in found.detail
    assert "It is stopped" in found.detail
    assert found.place is not None


def test_others_hear_where_it_is_after_it_has_moved() -> None:
    """Until then it is where it was. The host that gets it has the network before."""
    before, after = (
        spec(instances={"web": {**WEB, "host": host}, "other": {**WEB, "host": "compute-1"}})
        for host in ("compute-1", "compute-2")
    )
    made = planned(desired(before), EMPTY, able())
    assert made.blueprint is not None
    recorded, observed = applied(made.blueprint, EMPTY, able())
    plan = planned(desired(after), recorded, observed).plan
    assert plan is not None
    (move,) = [step for step in plan.steps if step.action is Action.MIGRATE]
    networks = [step for step in plan.steps if step.address.kind == "networks"]
    assert {(step.host, str(step.action), step.wave < move.wave) for step in networks if step.host} >= {
        ("compute-1", "update", False),
        ("compute-2", "create", True),
    }
    assert all(move.number in step.after for step in networks if step.action is Action.UPDATE)


def test_volume_on_another_host_goes_after_its_user_has_let_go() -> None:
    """A pool that another host serves: what ends the need and what goes are steps of two hosts."""
    volumes = {"data": {"size": "10GiB", "pool": "fast"}}
    pool = StoragePool("fast", "nfs", 1 << 40, "/srv/fast", shared=True)
    nas = Host(name="nas", roles=frozenset({"storage"}), underlay="192.0.2.9", pools={"fast": pool})
    observed = replace(site(), hosts={**site().hosts, "nas": nas})
    made = planned(desired(spec(instances={"web": {**WEB, "volumes": ["data"]}}, volumes=volumes)), EMPTY, observed)
    assert made.blueprint is not None
    recorded, observed = applied(made.blueprint, EMPTY, observed)
    plan = planned(desired(spec(instances={"web": WEB})), recorded, observed).plan
    assert plan is not None
    (gone,) = [step for step in plan.steps if step.address == DATA]
    (freed,) = [step for step in plan.steps if step.address.kind == "instances"]
    assert gone.host != freed.host
    assert freed.number in gone.after
    assert freed.wave < gone.wave


POST = {**WEB, "security_groups": ["open"]}
GROUPS = {"open": {"ingress": [{"protocol": "tcp", "ports": 80}]}}


def asked(one: dict[str, Any], recorded: Recorded, observed: Observed) -> Inputs:
    return Inputs(desired=desired(one), recorded=recorded, observed=observed, kinds=kinds(), key=KEY)


def _forgetting(**more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Before, and with one of two forgotten."""
    before = spec(instances={"db": POST, "web": {**WEB, "host": "compute-2"}}, security_groups=GROUPS)
    after = spec(instances={"web": {**WEB, "host": "compute-2"}, **more}, security_groups=GROUPS)
    return before, {**after, "forget": ["acme/instances/db"]}


def test_what_a_forgotten_instance_stands_on_stays_when_it_is_forgotten_and_after() -> None:
    before, after = _forgetting()
    recorded, observed, _ = first(before)
    plan = planned(desired(after), recorded, observed).plan
    assert plan is not None
    assert [(step.address.kind, str(step.action)) for step in plan.steps] == [("instances", "forget")]

    gone = {address: record for address, record in recorded.resources.items() if address.name != "db"}
    for one in (after, {name: part for name, part in after.items() if name != "forget"}):
        later = planned(desired(one), replace(recorded, resources=gone), observed).plan
        assert later is not None
        assert later.empty, later.steps
        assert "orphan" in {note.code for note in later.notes}


def test_what_a_forgotten_instance_stood_on_goes_when_it_is_gone() -> None:
    before, after = _forgetting()
    recorded, observed, _ = first(before)
    db = Address("acme", "instances", "db")
    gone = {address: record for address, record in recorded.resources.items() if address != db}
    there = {address: haves for address, haves in observed.haves.items() if address != db}
    plan = planned(desired(after), replace(recorded, resources=gone), replace(observed, haves=there)).plan
    assert plan is not None
    assert {(str(step.action), step.address.kind) for step in plan.steps} >= {
        ("destroy", "security_groups"),
        ("destroy", "images"),
        ("destroy", "networks"),
    }


def test_those_without_a_host_are_named_as_they_are_written() -> None:
    """Two blocks that ask for the very same are one question to placement."""
    large = {**WEB, "flavor": {"vcpus": 14, "memory": "1GiB", "disk": "10GiB"}}
    counts = {"acme/instances/early": 1, "acme/instances/late": 4}
    one = desired(spec(instances={"early": {**large, "count": 1}, "late": {**large, "count": 4}}))
    _, (found,) = make_plan(Inputs(desired=one, recorded=EMPTY, observed=site(), kinds=kinds(), key=KEY))
    named = {block: int(number) for number, block in re.findall(r"(\d+) of (\S+?)[: ]", found.detail.splitlines()[0])}
    assert sum(named.values()) == 2
    assert all(number <= counts[block] for block, number in named.items())
    first = parse(found.address)
    assert first is not None
    assert str(first.block) in named
    assert found.place == one.by_address[first].place()


def test_nobody_gets_the_address_or_the_room_of_a_forgotten_instance() -> None:
    large = {"vcpus": 14, "memory": "1GiB", "disk": "10GiB"}
    before = spec(instances={"db": {**WEB, "flavor": large}})
    after = {**spec(instances={"late": {**WEB, "flavor": large, "count": 3}}), "forget": ["acme/instances/db"]}
    recorded, observed, made = first(before)
    assert made.blueprint is not None
    old = made.blueprint.resources[Address("acme", "instances", "db")]
    refused, found = make_plan(asked(after, recorded, observed))
    assert refused.plan is None
    assert {one.code for one in found} == {"STEAD-P001"}, found  # three hosts, one of which is full

    after["projects"]["acme"]["instances"]["late"]["count"] = 2
    result = planned(desired(after), recorded, observed)
    assert result.blueprint is not None
    others = [one for one in result.blueprint.resources.values() if one.address.name == "late"]
    assert old.host not in {one.host for one in others}
    assert old.leases["nics.app.v4"] not in {one.leases["nics.app.v4"] for one in others}

    after["projects"]["acme"]["instances"]["late"] = {
        **WEB, "networks": [{"network": "app", "address": old.leases["nics.app.v4"]}]
    }  # fmt: skip
    _, found = make_plan(asked(after, recorded, observed))
    assert [one.code for one in found] == ["STEAD-R020"], found


def test_a_network_is_not_destroyed_under_what_was_taken_out_of_the_record() -> None:
    recorded, observed, _ = first(spec(instances={"db": WEB}))
    gone = {address: record for address, record in recorded.resources.items() if address.name != "db"}
    plan = planned(desired(spec(networks={})), replace(recorded, resources=gone), observed).plan
    assert plan is not None
    assert not [step for step in plan.steps if step.address.kind == "networks"]
    assert "in-use" in {note.code for note in plan.notes}


def test_what_was_only_begun_is_finished_or_destroyed_where_it_was_begun() -> None:
    before = spec(instances={"db": WEB})
    recorded, observed, made = first(before)
    assert made.blueprint is not None
    db = Address("acme", "instances", "db")
    host = made.blueprint.resources[db].host
    half = {host: observed.haves[db][host]._replace(begun=True)}
    recorded = replace(recorded, resources={**recorded.resources, db: replace(recorded.resources[db], wants={})})
    observed = replace(observed, haves={**observed.haves, db: half})
    for after, action in ((before, Action.CREATE), (spec(instances={}), Action.DESTROY)):
        plan = planned(desired(after), recorded, observed).plan
        assert plan is not None
        assert [(step.action, step.host) for step in plan.steps if step.address == db] == [(action, host)]
    elsewhere = next(name for name in observed.hosts if name != host)
    moved = spec(instances={"db": {**WEB, "host": elsewhere}})
    plan = planned(desired(moved), recorded, observed).plan
    assert plan is not None
    found = {(step.action, step.host) for step in plan.steps if step.address == db}
    assert found == {(Action.CREATE, elsewhere), (Action.DESTROY, host)}


PUBLIC = {
    "public": {
        "type": "flat",
        "physical": "external",
        "external": True,
        "subnets": {
            "v4": {"cidr": "203.0.113.0/24", "gateway": "203.0.113.1", "pool": "203.0.113.10-203.0.113.99"},
        },
    }
}


@pytest.mark.parametrize("what", ["router", "instance"])
def test_floating_ip_leads_nowhere_while_another_takes_over_what_it_led_to(what: str) -> None:
    """Both have the same address, so the new one comes when the old one is gone, which its floating IP holds."""

    def one(router: str, instance: str) -> dict[str, Any]:
        made = spec(
            routers={router: {"external": "public", "networks": ["app"], "host": "network-1"}},
            instances={instance: {**WEB, "networks": [{"network": "app", "address": "10.20.0.7"}]}},
            floating_ips={"www": {"network": "public", "instance": instance}},
        )
        return {**made, "networks": PUBLIC}

    every = {name: replace(host, physical_networks={"external": "eth1"}) for name, host in site().hosts.items()}
    recorded = planned(desired(one("edge", "old")), EMPTY, replace(site(), hosts=every))
    assert recorded.blueprint is not None
    before, observed = applied(recorded.blueprint, EMPTY, replace(site(), hosts=every))
    after = one("rear", "old") if what == "router" else one("edge", "new")
    plan = planned(desired(after), before, observed).plan
    assert plan is not None
    steps = {(step.address.kind, str(step.action), step.number): step for step in plan.steps}
    ours = [key for key in steps if key[0] in (f"{what}s", "floating_ips")]
    assert [key[:2] for key in ours] == [
        ("floating_ips", "update"),
        (f"{what}s", "destroy"),
        (f"{what}s", "create"),
        ("floating_ips", "update"),
    ]


def test_a_written_default_group_goes_after_those_that_are_in_it_by_default() -> None:
    before = spec(instances={"web": WEB}, security_groups={"default": {"stateful": True}})
    plan = then(before, spec(networks={}))
    (group,) = [step for step in plan.steps if step.address.kind == "security_groups"]
    (web,) = [step for step in plan.steps if step.address.kind == "instances"]
    assert web.number in group.after


def test_what_is_left_to_others_stays_as_it_is_when_something_else_changes() -> None:
    """A host makes the whole of what it is told: so it is told what is there."""
    before = spec(instances={"web": {**WEB, "ignore": ["memory"]}})
    larger = {**FLAVOR, "memory": "2GiB"}
    after = spec(instances={"web": {**WEB, "flavor": larger, "ignore": ["memory"]}})
    assert then(before, after).empty
    after = spec(instances={"web": {**WEB, "flavor": {**larger, "vcpus": 2}, "ignore": ["memory"]}})
    (step,) = then(before, after).steps
    assert step.want is not None
    assert (step.want.fields()["vcpus"], step.want.fields()["memory"]) == (2, 1 << 30)


def _of_a_newer_version(observed: Observed, address: Address, **fields: Any) -> Observed:
    there = {
        host: have._replace(want=Want.of(Body.of({**have.want.fields(), **fields})))
        for host, have in observed.haves[address].items()
    }
    return replace(observed, haves={**observed.haves, address: there})


@pytest.mark.parametrize("fields", [{"numa": 2}, {"wait": {"for": "ssh"}, "root": {"bus": "virtio", "sheets": 2}}])
def test_what_changing_an_unknown_field_takes_is_not_guessed(fields: dict[str, Any]) -> None:
    """The plan is refused, with other changes of the same resource as well. Left out, the rest is planned."""
    one, web = spec(instances={"web": WEB, "db": WEB}), Address("acme", "instances", "web")
    recorded, observed, _ = first(one)
    observed = _of_a_newer_version(observed, web, **fields)
    made, (told,) = make_plan(
        Inputs(desired=desired(one), recorded=recorded, observed=observed, kinds=kinds(), key=KEY)
    )
    assert (told.code, told.address, told.severity) == ("STEAD-X015", str(web), Severity.ERROR)
    assert ("numa" in told.detail) == ("numa" in fields)
    assert ("root.sheets" in told.detail) == ("root" in fields)
    assert made.plan is not None
    assert {step.disturbs for step in made.plan.steps if step.action is Action.DESTROY} == {Disruption.DATA_LOSS}
    assert planned(desired(one), recorded, observed, Wishes(selection=Selection(unwanted=web.__eq__))).plan
    assert planned(desired(one), recorded, observed, Wishes(replace=frozenset({web}))).plan
    assert planned(desired(spec(instances={"db": WEB})), recorded, observed).plan


def test_a_volume_is_not_made_anew_for_a_size_that_is_left_to_others() -> None:
    before = spec(volumes={"data": {"size": "10GiB", "ignore": ["size"]}})
    after = spec(volumes={"data": {"size": "5GiB", "ignore": ["size"]}})
    assert then(before, after).empty


def test_instances_that_share_a_volume_of_one_host_are_on_that_host() -> None:
    shared = spec(
        volumes={"data": {"size": "1GiB", "shareable": True}, "far": {"size": "1GiB", "host": "compute-2"}},
        instances={
            "web": {**WEB, "count": 2, "volumes": ["data"]},
            "api": {**WEB, "volumes": ["data"]},
            "db": {**WEB, "volumes": ["far"]},
        },
    )
    _, _, made = first(shared)
    assert made.blueprint is not None
    hosts_of = {str(address): one.host for address, one in made.blueprint.resources.items()}
    together = ["volumes/data", "instances/web[0]", "instances/web[1]", "instances/api"]
    assert len({hosts_of[f"acme/{one}"] for one in together}) == 1
    assert hosts_of["acme/instances/db"] == hosts_of["acme/volumes/far"] == "compute-2"
    assert then(shared, shared).empty


def test_an_instance_whose_data_is_on_a_silent_host_waits_and_nobody_else() -> None:
    one = spec(volumes={"data": {"size": "1GiB", "host": "compute-1"}})
    recorded, observed, _ = first(one)
    both = {"web": {**WEB, "volumes": ["data"]}, "api": WEB}
    more = desired(spec(volumes={"data": {"size": "1GiB", "host": "compute-1"}}, instances=both))
    plan = planned(more, recorded, with_hosts(observed, HostStatus.DOWN, "compute-1")).plan
    assert plan is not None
    assert of(plan, "instances") == {"api": ["create"]}
    assert any("web" in note.text for note in plan.notes)


def _on_a_dead_host(**volume: Any) -> tuple[dict[str, Any], Recorded, Observed]:
    both = spec(volumes={"data": {"size": "1GiB", **volume}}, instances={"web": {**WEB, "volumes": ["data"]}})
    recorded, observed, _ = first(both)
    return both, recorded, with_hosts(observed, HostStatus.DOWN, recorded.resources[DATA].host)


DATA = Address("acme", "volumes", "data")


def test_a_volume_of_a_dead_host_is_made_anew_elsewhere_when_it_is_asked_for() -> None:
    """With the instance that uses it; what both had is lost, which needs consent. Until the host is dead, they wait."""
    both, recorded, observed = _on_a_dead_host()
    home, anew = recorded.resources[DATA].host, Wishes(replace=frozenset({DATA}))
    waiting = planned(desired(both), recorded, observed, anew).plan
    assert waiting is not None
    assert not waiting.steps
    told = planned(desired(both), recorded, observed, Wishes(dead=frozenset({home}))).plan
    assert told is not None
    assert not [step for step in told.steps if step.address.kind in ("volumes", "instances")]
    assert any(f"use `--replace {DATA}` and lose its data" in note.text for note in told.notes)
    plan = planned(desired(both), recorded, observed, replace(anew, dead=frozenset({home}))).plan
    assert plan is not None
    made = {step.address: step for step in plan.steps if step.address.kind in ("volumes", "instances")}
    assert {str(address): str(step.action) for address, step in made.items()} == {
        "acme/volumes/data": "create",
        "acme/instances/web": "create",
    }
    assert len({step.host for step in made.values()} - {home}) == 1
    assert {step.disturbs for step in made.values()} == {Disruption.DATA_LOSS}
    assert made[DATA].loses == f"everything on volume {DATA}"
    assert not plan.waiting


def test_a_protected_volume_of_a_dead_host_is_not_made_anew() -> None:
    both, recorded, observed = _on_a_dead_host(protect=True)
    wishes = Wishes(replace=frozenset({DATA}), dead=frozenset({recorded.resources[DATA].host}))
    _, found = make_plan(
        Inputs(desired=desired(both), recorded=recorded, observed=observed, kinds=kinds(), key=KEY), wishes
    )
    assert [(one.code, one.address) for one in found] == [("STEAD-X010", str(DATA))]


def test_a_migration_disturbs_as_much_as_what_changes_with_it() -> None:
    larger = {**FLAVOR, "memory": "2GiB"}
    before, after = (
        spec(instances={"web": {**WEB, "flavor": flavor, "host": host}})
        for flavor, host in ((FLAVOR, "compute-0"), (larger, "compute-1"))
    )
    (moved,) = (step for step in then(before, after).steps if step.action is Action.MIGRATE)
    assert moved.disturbs is Disruption.REBOOT


def test_virtual_addresses_are_given_to_nobody_who_has_not_got_them() -> None:
    """Neither to an instance nor to the network's own server; whose it is already, it stays."""
    app = {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/29"}}}}

    def site_of(*allowed: str) -> dict[str, Any]:
        nic = {"network": "app", "allowed_addresses": list(allowed)}
        return spec(networks=app, instances={"web": {**WEB, "count": 2, "networks": [nic]}})

    def addresses(recorded: Recorded) -> list[str]:
        return [recorded.resources[Address("acme", "instances", "web", at)].leases["nics.app.v4"] for at in (0, 1)]

    recorded, observed, made = first(site_of("10.20.0.3", "10.20.0.6/32", "10.30.0.0/16"))
    assert addresses(recorded) == ["10.20.0.2", "10.20.0.4"]
    assert made.blueprint is not None
    facts = made.blueprint.resources[Address("acme", "networks", "app")].wants["network-1"].fields()["subnets"]["v4"]
    assert facts["server"] == "10.20.0.5"
    again = planned(desired(site_of("10.20.0.4")), recorded, observed)
    assert again.blueprint is not None
    web = again.blueprint.resources[Address("acme", "instances", "web", 1)]
    assert web.leases["nics.app.v4"] == "10.20.0.4"
