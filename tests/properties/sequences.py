"""Random specs of every kind, and what may become of them next. Most can be planned; what is refused is skipped."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

Json = dict[str, Any]


def dice_of(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same every time is what is wanted


NETWORKS, VOLUMES, INSTANCES = ("app", "db", "back"), ("data", "logs", "root"), ("web", "api", "job", "old")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFxs0f7AlK8cXkV0vGGbGyPp4QzQm0xw1GvYJ6r0mP8k ada"


def network(dice: Random) -> Json:
    number = dice.randrange(1, 5)
    v4 = {"cidr": f"10.{number}.0.0/{dice.choice([24, 27])}"}
    v6 = {"cidr": f"fd00:{number}::/64"}
    subnets = dice.choice([{"v4": v4}, {"v4": v4}, {"v6": v6}, {"v4": v4, "v6": v6}, {"v6": {**v6, "ipv6": "slaac"}}])
    made: Json = {"subnets": subnets}
    if dice.random() < 0.2:
        special: list[Json] = [{"mtu": 1300}, {"vni": 20_000 + number}, {"port_security": False}]
        made |= dice.choice(special)
    return made


def volume(dice: Random) -> Json:
    made: Json = {"size": f"{dice.choice([10, 11, 20])}GiB"}
    special: list[Json] = [
        *({},) * 4,
        {"from": {"image": "debian"}, "size": "20GiB"},
        {"from": {"snapshot": "monday"}, "size": "30GiB"},
        {"count": dice.randrange(3)},
        {"qos": {"iops": dice.choice([100, 200])}},
        {"shareable": True},
        {"pool": "fast"},
        {"host": dice.choice(["compute-0", "compute-1"])},
        {"create_before_destroy": True},
    ]
    return {**made, **dice.choice(special)}


def instance(dice: Random) -> Json:
    joined = dice.sample(NETWORKS, dice.randrange(3))
    made: Json = {
        "flavor": dice.choice(["small", "large", {"vcpus": 2, "memory": "2GiB", "disk": "20GiB"}]),
        "image": dice.choice(["debian", "debian", "alpine"]),
        "networks": joined,
    }
    several: list[Json] = [{}, {}, {"count": dice.randrange(4)}, {"for_each": dice.sample("xyz", 2)}]
    made |= dice.choice(several)
    for chance, field in (
        (0.3, {"volumes": [dice.choice([*VOLUMES, "data[0]", "logs[1]"])]}),
        (0.3, {"security_groups": dice.sample(["web", "admin"], dice.randrange(3))}),
        (0.2, {"cloud_init": {"user_data": dice.choice(["#!a", "#! {{ this.address }}", "#! {{ project }}"])}}),
        (0.1, {"state": dice.choice(["stopped", "paused", "suspended"])}),
        (0.1, {"host": dice.choice(["compute-0", "compute-1", "compute-2"])}),
        (0.1, {"replace_when": dice.choice("ab"), "create_before_destroy": True}),
        (0.1, {"ignore": [dice.choice(["flavor", "image", "cloud_init"])]}),
        (0.1, {"spread": {"over": "hosts", "hard": False}}),
    ):
        if dice.random() < chance:
            made |= field
    return made


def group(dice: Random) -> Json:
    rules = [{"protocol": "tcp", "ports": [80]}, {"protocol": "icmp"}, {"protocol": "tcp", "from": {"group": "admin"}}]
    return {"ingress": dice.sample(rules, dice.randrange(1, 3))}


def router(dice: Random) -> Json:
    return {"networks": dice.sample(NETWORKS, dice.randrange(3)), **dice.choice([{}, {"external": "public"}])}


def floating(dice: Random) -> Json:
    led = dice.choice(["web", "api", "web[0]", "job[x]", ""])
    return {"network": "public", **({"instance": led} if led else {})}


MAKERS: Mapping[str, tuple[Callable[[Random], Json], tuple[str, ...]]] = {
    "networks": (network, NETWORKS),
    "security_groups": (group, ("web", "admin", "default")),
    "volumes": (volume, VOLUMES),
    "snapshots": (lambda dice: {"volume": dice.choice([*VOLUMES, "data[0]"])}, ("monday",)),
    "instances": (instance, INSTANCES),
    "routers": (router, ("edge", "inner")),
    "floating_ips": (floating, ("www", "mail")),
}


def first(dice: Random) -> Json:
    public = {"cidr": "203.0.113.0/24", "pool": "203.0.113.10-203.0.113.99"}
    project = {
        kind: {name: make(dice) for name in names if dice.random() < 0.7} for kind, (make, names) in MAKERS.items()
    }
    return mended(
        {
            "stead": 1,
            "images": {"debian": {"source": "/d.qcow2"}, "alpine": {"source": "/a.qcow2"}},
            "flavors": {
                "small": {"vcpus": 1, "memory": "1GiB", "disk": "10GiB"},
                "large": {"vcpus": 4, "memory": "4GiB", "disk": "20GiB"},
            },
            "networks": {
                "public": {"type": "flat", "physical": "external", "external": True, "subnets": {"v4": public}}
            },
            "projects": {"acme": project},
        }
    )


def following(spec: Json, dice: Random) -> Json:
    """A few changes: something goes, comes, is made otherwise or gets another name."""
    spec = copy.deepcopy(spec)
    spec.pop("moved", None)
    project = spec["projects"]["acme"]
    for _ in range(dice.randrange(1, 4)):
        kind = dice.choice([*MAKERS, "instances", "volumes"])
        make, names = MAKERS[kind]
        name, section = dice.choice(names), project[kind]
        free = [other for other in names if other not in section]
        match dice.choice(["goes", "anew", "field", "moves", "flavor"]):
            case "goes":
                section.pop(name, None)
            case "moves" if kind == "instances" and name in section and free:
                section[free[0]] = section.pop(name)
                spec["moved"] = [{"from": f"acme/instances/{name}", "to": f"acme/instances/{free[0]}"}]
            case "field" if name in section and (made := make(dice)):
                field = dice.choice([*made])
                if not {field, *section[name]} >= {"count", "for_each"}:
                    section[name][field] = made[field]
            case "flavor":
                spec["flavors"]["small"]["memory"] = dice.choice(["1GiB", "2GiB"])
            case _:
                section[name] = make(dice)
    return mended(spec)


def shuffled(value: Any, dice: Random) -> Any:
    """The same with the keys of every map in another order."""
    if not isinstance(value, dict):
        return value
    names = list(value)
    dice.shuffle(names)
    return {name: shuffled(value[name], dice) for name in names}


def mended(spec: Json) -> Json:
    """Without most of what would be refused: references that lead nowhere, volumes that two would use."""
    project = spec["projects"]["acme"]
    instances = _members(project["instances"])
    _mend_storage(project, _members(project["volumes"]))
    _mend_instances(project, _members(project["volumes"]), instances)
    joined: set[str] = set()
    for one in project["routers"].values():
        one["networks"] = [each for each in one["networks"] if each in project["networks"] and each not in joined]
        joined.update(one["networks"])
    for one in project["floating_ips"].values():
        if one.get("instance") not in instances:
            one.pop("instance", None)
    for one in project["security_groups"].values():
        if "admin" not in project["security_groups"]:
            one["ingress"] = [rule for rule in one["ingress"] if "from" not in rule] or [{"protocol": "icmp"}]
    return spec


def _mend_storage(project: Json, volumes: Sequence[str]) -> None:
    for one in project["snapshots"].values():
        one["volume"] = one["volume"] if one["volume"] in volumes else next(iter(volumes), "")
    if not volumes:
        project["snapshots"] = {}
    for one in project["volumes"].values():
        if one.get("from", {}).get("snapshot") and not project["snapshots"]:
            del one["from"]


def _mend_instances(project: Json, volumes: Sequence[str], instances: Sequence[str]) -> None:
    taken: set[str] = set()
    for name, one in project["instances"].items():
        one["networks"] = [network for network in one["networks"] if network in project["networks"]]
        if "security_groups" in one:
            one["security_groups"] = [each for each in one["security_groups"] if each in project["security_groups"]]
        free = [each for each in one.pop("volumes", ()) if each in volumes and each not in taken]
        if free and name in instances:  # not one of several
            one["volumes"] = free
            taken.update(free)


def _members(section: Mapping[str, Json]) -> list[str]:
    found = []
    for name, one in section.items():
        keys = range(one["count"]) if "count" in one else one.get("for_each")
        found += [name] if keys is None else [f"{name}[{key}]" for key in keys]
    return found
