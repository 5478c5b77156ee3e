"""A site with three projects, of which one's file is anything at all: what a plan does outside of that project.

Made once and applied on paper; then each file of `acme` is planned against it. `outside` names what went through the
walls. For `bench/fuzz.py --target project-files` and for the property in tests/properties/test_project_files.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from stead.blueprint.dry_run import applied
from stead.blueprint.model import Blueprint
from stead.core.address import Address
from stead.core.diagnostics import has_errors
from stead.core.effect import Action, Disruption
from stead.core.observed import Host, Observed, StoragePool
from stead.core.recorded import Recorded
from stead.core.value import fields_of
from stead.kinds import kinds
from stead.kinds.instance.model import Nic
from stead.language.desired import Desired, resolve
from stead.language.spec import load
from stead.language.spec.settings import SETTINGS
from stead.plan.model import Plan
from stead.plan.planner import Inputs, Planned, make_plan
from stead.site.abilities import with_abilities

GIB = 1 << 30
HIDDEN = "not-for-acme"  # what one of others exports to another of them
KEY = b"key"
SITE = """\
stead: 1
include: [{project: acme, from: tenants/acme}, {project: core, from: tenants/core}]
site: {image_sources: [/srv/images/], hooks: {notify: {playbook: hooks/notify.yml, vars: {channel: ops}}}}
GRANTS
images: {debian: {source: /srv/images/debian.qcow2}}
flavors: {small: {vcpus: 1, memory: 1GiB, disk: 5GiB}}
networks:
  public:
    {type: flat, physical: external, external: true,
     subnets: {v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1, pool: 203.0.113.10-203.0.113.99}}}
  lan: {subnets: {v4: {cidr: 10.1.0.0/24}}}
  empty: {subnets: {v4: {cidr: 10.2.0.0/24}}}
projects:
  acme: {quota: {instances: 30, volumes: 20, storage: 500GiB, floating_ips: 5}}
  blue:
    exports:
      db: {value: "{{ instances.db.address }}", to: [acme]}
      for-core: {value: NOT-FOR-ACME, to: [core]}
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
    routers: {edge: {external: public, networks: [app]}}
    volumes: {data: {size: 10GiB}}
    instances:
      front: {count: 2, flavor: small, image: debian, networks: [app, lan]}
      db: {flavor: small, image: debian, networks: [app], volumes: [data]}
    floating_ips: {www: {network: public, instance: "front[0]"}}
"""
CORE = """\
stead: 1
networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
routers: {edge: {external: public, networks: [app]}}
volumes: {data: {size: 10GiB}}
instances: {job: {count: 2, flavor: small, image: debian, networks: [app, lan]}}
floating_ips: {www: {network: public, instance: "job[1]"}}
"""
ACME = """\
stead: 1
vars: {size: 10GiB, most: 2}
exports: {web: {value: "{{ instances.web[0].name }} {{ projects.blue.exports.db }}", to: [blue]}}
networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
security_groups: {web: {ingress: [{protocol: tcp, ports: [80, 443], from: 0.0.0.0/0}, {from: {group: web}}]}}
routers: {edge: {external: public, networks: [app]}}
volumes: {data: {size: "{{ vars.size }}"}, more: {count: 2, size: 10GiB, from: {volume: data}}}
snapshots: {monday: {volume: data}}
keypairs: {ada: {public_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBbPRsPmkUa1kHT3Hso8PdAzHTOZ0eUqVx4CWhZfzd2Y ada}}
instances:
  web:
    count: "{{ vars.most }}"
    flavor: small
    image: debian
    networks: [app, lan]
    security_groups: [web]
    keypairs: [ada]
    rollout: {at_once: 1}
    cloud_init: {user_data: "{{ instances.db.address }} {{ networks.lan.mtu }} {{ projects.blue.exports.db }}"}
  db:
    flavor: {vcpus: 1, memory: 1GiB, disk: 5GiB}
    image: debian
    networks: [{network: app, address: 10.20.0.10, allowed_addresses: [10.20.0.100]}]
    volumes: [data]
    depends_on: [networks/app]
    spread: hosts
floating_ips: {www: {network: public, instance: "web[0]"}}
moved: [{from: volumes/old, to: volumes/data}]
"""
ALL = """\
grants:
  acme:
    hooks: [notify]
    image_sources: [/srv/acme/]
    unchecked_images: true
    physical_networks: {external: {flat: true, vlans: [1-4094]}}
    vnis: [1-16777215]
    addresses: {public: [0.0.0.0/0], lan: [0.0.0.0/0], empty: [0.0.0.0/0]}
    allowed_addresses: [0.0.0.0/0]
    port_security_off: true
    gateways: [lan, empty]
    snat_off: true
    names: [wpad]
    hosts: [compute-1, network-1]
    pools: [fast]
    forget: true
"""
# What people would try who want more than is theirs.
HOSTILE = (
    "203.0.113.10", "203.0.113.11", "203.0.113.1", "10.1.0.2", "10.1.0.3", "10.1.0.1", "0.0.0.0/0", "10000", "10001",
    "52:54:00:00:00:01", "compute-1", "network-1", "fast", "lan", "empty", "public", "blue", "core",
    "blue/volumes/data", "core/networks/app", "networks/lan", "images/debian", "flavors/small", "projects/blue",
    "wpad", "front-0", "job-0", "default",
    "external", "flat", "vlan", "/etc/shadow", "/srv/images/../x", "/srv/images/a.qcow2", "/srv/acme/b.raw",
    "../core/core.yml", "../../stead.yml", "notify", "hooks/notify.yml", "/dev/zero", "acme", "0", "3", "false",
    "{{ projects.blue.instances.db.host }}", "{{ networks.lan.host }}", "{{ vars.__class__ }}", "{{ projects }}",
    "{{ instances | list }}", "{{ projects.blue.exports.db }}", "{{ projects.blue.exports['for-core'] }}",
    "{{ projects.acme.exports.web }}", "{{ projects.blue.exports }}", "{{ projects.core.exports.get('x') }}",
    "{{ site.name }}", "{{ labels }}", "debian", "small", "app", "volumes/old",
)  # fmt: skip
ENTRIES = (
    "mac: 52:54:00:00:00:01", "address: 203.0.113.10", "address: 10.1.0.2", "port_security: false", "host: compute-1",
    "pool: fast", "snat: false", "vni: 10000", "type: flat", "physical: external", "external: true", "shared: true",
    "hostname: front-0", "hostname: wpad", "gateway: 10.1.0.1", "domain: example.org", "count: 0", "count: 4",
    "networks: [lan]", "networks: [empty]", "networks: [public]", "networks: [{network: lan, address: 10.1.0.2}]",
    "allowed_addresses: [0.0.0.0/0]", "depends_on: [blue/volumes/data]", "hooks: [{playbook: notify}]",
    "forget: [blue/volumes/data]", "forget: [volumes/data]", "forget: [networks/lan]",
    "moved: [{from: blue/volumes/data, to: volumes/data}]", "moved: [{from: volumes/data, to: volumes/other}]",
    "moved: [{from: projects/blue, to: projects/acme}]", "projects: {blue: {}}", "projects: {}", "site: {name: x}",
    "grants: {acme: {hosts: [compute-1]}}", "include: {a: {part: ../core/core.yml}}",
    "include: {project: core, from: ../core}", "outputs: {a: '{{ projects }}'}", "quota: {instances: 900}",
    "protect: true", "external: {network: public, address: 203.0.113.10}", "security_groups: [default]",
    "boot_volume: data", "together: zones", "create_before_destroy: true", "replace_when: 1", "state: stopped",
    "volumes: [data]", "volumes: [more]", "from: {snapshot: monday}", "source: /etc/shadow", "instance: web[1]",
)  # fmt: skip
_SECTIONS = frozenset({"moved", "forget", "projects", "site", "grants", "include", "outputs", "quota"})


def tried(text: str, dice: random.Random) -> str:
    """One to three things that somebody might try, each where it makes sense: most of what comes out can be read."""
    tree = yaml.safe_load(text)
    for _ in range(dice.randint(1, 3)):
        if dice.random() < 0.2:
            _swap(tree, dice)
            continue
        word, _, said = dice.choice(ENTRIES).partition(": ")
        records = [record for record, words in _records(tree) if word in words]
        if records:
            dice.choice(records)[word] = yaml.safe_load(said)
        elif word in _SECTIONS and dice.random() < 0.3:
            tree[word] = yaml.safe_load(said)
    return yaml.safe_dump(tree, sort_keys=False)


def _records(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Definitions, and the interfaces in them, with the words that they know."""
    for kind, blocks in tree.items():
        if kind not in kinds() or not isinstance(blocks, dict):
            continue
        known = frozenset(fields_of(kinds()[kind].model)) | SETTINGS | {"count"}
        for block in blocks.values():
            if isinstance(block, dict):
                yield block, known
                interfaces = block.get("networks")
                for one in interfaces if isinstance(interfaces, list) else ():
                    if isinstance(one, dict):
                        yield one, frozenset(fields_of(Nic))


def _swap(tree: Any, dice: random.Random) -> None:
    """A value at random is another, or gone."""
    leaves: list[tuple[Any, Any]] = []
    stack = [tree]
    while stack:
        one = stack.pop()
        pairs = list(one.items()) if isinstance(one, dict) else list(enumerate(one))
        leaves += [(one, key) for key, below in pairs if not isinstance(below, dict | list)]
        stack += [below for _, below in pairs if isinstance(below, dict | list)]
    where, key = dice.choice(leaves)
    if dice.random() < 0.4:
        del where[key]
    else:
        text = dice.choice(HOSTILE)
        where[key] = int(text) if text.isdigit() else text


# What only says who is where, and follows every port.
FOLLOWS = frozenset({"forwarding", "peers", "service"})


def hosts() -> dict[str, Host]:
    pools = {"default": StoragePool("default", "dir", 200 * GIB, "/pool"), "fast": StoragePool("fast", "dir", 9, "/f")}
    made = [
        Host(
            name=f"compute-{number}",
            roles=frozenset({"compute"}),
            vcpus=16,
            memory=64 * GIB,
            pools=pools,
            physical_networks={"external": "eth1"},
            underlay=f"192.0.2.{number}",
        )
        for number in (1, 2, 3)
    ]
    roles = {"network-1": "network", "network-2": "network", "controller-1": "controller"}
    for at, (name, role) in enumerate(roles.items()):
        wires = {"external": "eth1"} if role == "network" else {}
        made.append(Host(name=name, roles=frozenset({role}), physical_networks=wires, underlay=f"192.0.2.{100 + at}"))
    return {one.name: with_abilities(one) for one in made}


class Walls:
    """The site as it is before `acme` says anything else."""

    def __init__(self, folder: Path, *, granted: bool) -> None:
        self.folder = folder
        self.recorded, self.observed = Recorded(site="a-site"), Observed(hosts=hosts(), digest="observed")
        for name in ("acme", "core"):
            (folder / "tenants" / name).mkdir(parents=True, exist_ok=True)
        (folder / "hooks").mkdir(exist_ok=True)
        (folder / "hooks/notify.yml").write_text("[]\n")
        (folder / "stead.yml").write_text(
            SITE.replace("GRANTS", ALL if granted else "").replace("NOT-FOR-ACME", HIDDEN)
        )
        (folder / "tenants/core/core.yml").write_text(CORE)
        self.file = folder / "tenants/acme/acme.yml"
        self.file.write_text(ACME)
        planned, found = self.planned()
        if planned is None or planned.blueprint is None:
            raise AssertionError([found, [one.detail for one in self.desired()[1]]])
        self.recorded, self.observed = applied(planned.blueprint, self.recorded, self.observed)

    def desired(self) -> tuple[Desired, list[Any]]:
        spec, found = load([self.folder], kinds(), root=self.folder)
        desired, more = resolve(spec, key=KEY)
        return desired, [*found, *more]

    def planned(self) -> tuple[Planned | None, list[str]]:
        desired, found = self.desired()
        if has_errors(found):
            return None, [one.code for one in found]
        inputs = Inputs(desired=desired, recorded=self.recorded, observed=self.observed, kinds=kinds(), key=KEY)
        planned, more = make_plan(inputs)
        codes = [one.code for one in [*found, *more]]
        return (None if has_errors(more) else planned), codes

    def answer(self, path: Path) -> Iterable[str]:
        """The codes that a file gets; fails where its plan reaches through the walls."""
        if path != self.file:
            self.file.write_bytes(path.read_bytes())
        planned, codes = self.planned()
        if planned is None or planned.plan is None or planned.blueprint is None:
            return codes
        if wrong := [*outside(planned.plan), *changed(planned.blueprint, self.recorded)]:
            raise AssertionError(wrong)
        return [*codes, "planned" if planned.plan.steps else "nothing to do"]


def outside(plan: Plan) -> Iterator[str]:
    """Steps that are neither the project's nor what the site's own networks and images need to serve it; and what the
    project is told of others that is not for it."""
    for step in plan.steps:
        if _own(step.address):
            if step.want is not None and HIDDEN in step.want.body.text + step.want.own:
                yield f"{step.address} is told what is not exported to it"
            continue
        serves = step.address.project == "" and step.address.kind in ("networks", "images")
        if not serves or step.disturbs is not Disruption.NONE or step.action is Action.REPLACE:
            yield f"{step.action} {step.address} on {step.host}: {step.reasons}"


def changed(blueprint: Blueprint, recorded: Recorded) -> Iterator[str]:
    """What is others', and not as it was."""
    others = {address: one for address, one in recorded.resources.items() if not _own(address)}
    known = {text for one in others.values() for key, text in one.leases.items() if key.endswith(".mac")}
    known |= {address.label for address in others if address.kind == "instances"}
    for address, record in others.items():
        settled = blueprint.resources.get(address)
        if settled is None:
            yield f"{address} is gone"
        elif (settled.host, dict(settled.leases)) != (record.host, dict(record.leases)):
            yield f"{address} was moved"
        elif address.project and dict(settled.wants) != dict(record.wants):
            yield f"{address} is to be another"
        elif address.kind == "networks":
            for host in settled.wants.keys() & record.wants.keys():
                new, old = settled.wants[host].fields(), record.wants[host].fields()
                yield from (f"{address}: {one}" for one in _served(new, old, known))


def _own(address: Address) -> bool:
    return address.project == "acme" or str(address) == "projects/acme"


def _served(new: Mapping[str, Any], old: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    """A site's network may follow the project's ports. Its own fields, and what it tells of others, stay."""
    if fields := {field for field in new.keys() | old.keys() if new.get(field) != old.get(field)} - FOLLOWS:
        yield f"{fields} changed"
    maps = [("forwarding", new, old)]
    maps += [(field, new.get("service", {}), old.get("service", {})) for field in ("hosts", "names")]
    for field, now, before in maps:
        for key in known & {*now.get(field, {}), *before.get(field, {})}:
            if now.get(field, {}).get(key) != before.get(field, {}).get(key):
                yield f"{field} of {key} is {now.get(field, {}).get(key)} and was {before.get(field, {}).get(key)}"
