"""Calls for security groups and their rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.edits import all_of, remove
from stead.serve.faults import conflict
from stead.serve.network import groups
from stead.serve.network.answers import answered, bodies, changing, common, made, own_projects, seen, told
from stead.serve.routes import ApiReply, Call, true


def list_groups(call: Call) -> ApiReply:
    world = call.world
    found = [groups.data(world, one) for one in world.things("security_groups", own_projects(call))]
    return answered(call, "security_groups", found)


def show_group(call: Call) -> ApiReply:
    return ApiReply(body={"security_group": groups.data(*seen(call, "security_groups", "Security group"))})


def create_group(call: Call) -> ApiReply:
    def fields(said: Mapping[str, Any]) -> dict[str, Any]:
        if said.get("name") == "default":
            raise conflict("Default security group already exists.")
        stateful = said.get("stateful")
        more = {"stateful": true(stateful)} if stateful is not None else {}
        return {**common(said), "ingress": [], "egress": groups.ANY_OUT, **more}

    things = made(call, "security_groups", "security_group", "security_groups", fields)
    return told(call, "security_group", "security_groups", [groups.data(call.world, one) for one in things])


def change_group(call: Call) -> ApiReply:
    _, thing = call.own("security_groups", "Security group")
    after = changing("security_groups", "security group", thing, call, common(call.body["security_group"]))
    return ApiReply(body={"security_group": groups.data(call.world, after)})


def delete_group(call: Call) -> ApiReply:
    world, thing = call.own("security_groups", "Security group")
    if thing.address.name == "default" and not call.caller.admin:
        raise conflict("Insufficient rights for removing default security group.")
    world.must_be_unused(thing, "Security group", but=[thing.address])
    call.edit("delete security group", lambda content: remove(content, "security_groups", thing.address.name))
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
    world = call.world
    said, _ = bodies(call, "security_group_rule", "security_group_rules")
    edits, asked = [], []
    for one in said:
        group = call.own_named("security_groups", one["security_group_id"], "Security group")
        direction, rule = groups.rule_from(call, world, one)
        edits.append(groups.add_rule(group.address.name, direction, rule))
        asked.append((group, groups.rule_id(group, direction, rule)))
    world = call.edit("create security group rule", all_of(*edits))
    found = [
        rule
        for group, identity in asked
        for rule in groups.rules_of(world, world.thing(group.address))
        if rule["id"] == identity
    ]
    return told(call, "security_group_rule", "security_group_rules", found)


def delete_rule(call: Call) -> ApiReply:
    thing, _ = groups.group_of_rule(call.world, own_projects(call), call.path["id"])
    call.act_in(thing.address.project)
    call.edit("delete security group rule", groups.remove_rule(thing, call.path["id"]))
    return ApiReply(204)
