"""Calls for security groups and their rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stead.serve.edits import all_of
from stead.serve.faults import conflict
from stead.serve.network import groups
from stead.serve.network.answers import answered, bodies, changing, common, made, own_projects, seen, told
from stead.serve.routes import ApiReply, Call, true
from stead.serve.world import KnownResource


def list_groups(call: Call) -> ApiReply:
    world = call.world
    found = [groups.data(world, one) for one in world.things("security_groups", own_projects(call))]
    return answered(call, "security_groups", found)


def show_group(call: Call) -> ApiReply:
    return ApiReply(body={"security_group": groups.data(*seen(call, "security_groups", "Security group"))})


def new_groups(call: Call) -> list[KnownResource]:
    def fields(said: Mapping[str, Any]) -> dict[str, Any]:
        if said.get("name") == "default":
            raise conflict("Default security group already exists.")
        stateful = said.get("stateful")
        more = {"stateful": true(stateful)} if stateful is not None else {}
        return {**common(said), "ingress": [], "egress": groups.ANY_OUT, **more}

    return made(call, "security_groups", "security_group", "security_groups", fields)


def create_group(call: Call) -> ApiReply:
    found = [groups.data(call.world, one) for one in new_groups(call)]
    return told(call, "security_group", "security_groups", found)


def changed_group(call: Call) -> KnownResource:
    _, thing = call.own("security_groups", "Security group")
    said = call.body["security_group"]
    name = said.get("name", thing.name)
    if name != thing.name and "default" in (thing.address.name, name):
        raise conflict("Updating default security group not allowed.")
    return changing("security_groups", "security group", thing, call, common(said))


def change_group(call: Call) -> ApiReply:
    after = changed_group(call)
    return ApiReply(body={"security_group": groups.data(call.world, after)})


def delete_group(call: Call) -> ApiReply:
    world, thing = call.own("security_groups", "Security group")
    if thing.address.name == "default" and not call.caller.admin:
        raise conflict("Insufficient rights for removing default security group.")
    groups_of_project = [one.address for one in world.things("security_groups", [thing.address.project])]
    world.must_be_unused(thing, "Security group", but=groups_of_project)
    call.edit("delete security group", groups.remove_group(thing.address.name))
    return ApiReply(204)


def list_rules(call: Call) -> ApiReply:
    world = call.world
    found = [
        one for thing in world.things("security_groups", own_projects(call)) for one in groups.rules_of(world, thing)
    ]
    return answered(call, "security_group_rules", found)


def show_rule(call: Call) -> ApiReply:
    _, rule = groups.group_of_rule(call.world, own_projects(call), call.path["id"])
    return ApiReply(body={"security_group_rule": rule})


def create_rule(call: Call) -> ApiReply:
    said, _ = bodies(call, "security_group_rule", "security_group_rules")
    return told(call, "security_group_rule", "security_group_rules", new_rules(call, said))


def new_rules(call: Call, said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    world, edits, asked = call.world, [], []
    for one in said:
        group = call.own_named("security_groups", one["security_group_id"], "Security group")
        direction, rule = groups.rule_from(call, world, one)
        edits.append(groups.add_rule(group.address.name, direction, rule))
        asked.append((group, groups.rule_id(group, direction, rule)))
    world = call.edit("create security group rule", all_of(*edits))
    return [
        rule
        for group, identity in asked
        for rule in groups.rules_of(world, world.thing(group.address))
        if rule["id"] == identity
    ]


def delete_rule(call: Call) -> ApiReply:
    thing, _ = groups.group_of_rule(call.world, own_projects(call), call.path["id"])
    call.act_in(thing.address.project)
    call.edit("delete security group rule", groups.remove_rule(thing, call.path["id"]))
    return ApiReply(204)
