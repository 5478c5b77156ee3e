"""What else than specs is fuzzed, each through the command line that reads it: inventories, tests, variables, plans."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import yaml

from mutations import SPEC, Words, mutated, reshaped
from stead.cli import main
from stead.site.inventory.tree import Tree
from stead.site.inventory.yaml_source import NotOurs, Wrong, read_into

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "src" / "stead" / "cli" / "templates" / "demo"
LANGUAGE = ROOT / "tests" / "unit" / "language"
_CODE = re.compile(r"STEAD-[A-Z][0-9]{3}")


class Target(NamedTuple):
    seeds: Callable[[Path], list[str]]  # given a folder, in which it may put what they need
    answer: Callable[[Path], Iterable[str]]  # the codes that were told
    name: str = "stead.yml"
    words: Words = SPEC
    edited: Callable[[str, random.Random, Words], str] = mutated


def told(*arguments: str) -> list[str]:
    """What a command says. An exit status of 1 without a word is as bad as a traceback."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as error:
            raise AssertionError(f"stead {' '.join(arguments)}: {err.getvalue()}") from error
    text = out.getvalue() + err.getvalue()
    if status not in (0, 1) or (status == 1 and not text.strip()):
        raise AssertionError(f"stead {' '.join(arguments)} ended with {status} and said {text!r}")
    return _CODE.findall(text) or ["failed without a code" if status else "nothing wrong"]


def edited_yaml(text: str, dice: random.Random, words: Words) -> str:
    """Half of the time the text, which then is often no YAML at all; half of the time what it means."""
    if dice.random() < 0.5:
        return mutated(text, dice, words)
    tree = yaml.safe_load(text)
    for _ in range(dice.randint(1, 3)):
        tree = reshaped(tree, dice, words)
    dumped: str = yaml.safe_dump(tree, sort_keys=False)
    return dumped


# -- inventories

HOSTS = """
all:
  vars: {stead_runner: simulated, stead_architecture: "{{ machine }}", machine: x86_64}
  children:
    controller: {hosts: {controller-1: {}}}
    network: {hosts: {network-1: {stead_physical_networks: {external: eth1}, stead_underlay: 10.0.0.1}}}
    storage: {hosts: "storage-[a:c]"}
    compute:
      hosts:
        compute-[1:4]:
          stead_zone: east
          stead_traits: [ssd, avx2]
          stead_reserved: {vcpus: 2, memory: 4GiB, "disk:fast": 10GiB}
        compute-5: {ansible_host: 192.0.2.7, stead_maintenance: new disks, stead_reaches: [share]}
        compute-[01:09:2]: {stead_projects: [acme], stead_labels: {power: low}, stead_mtu: 9000}
      vars:
        stead_vcpus: 64
        stead_memory: 256GiB
        stead_pools:
          default: {type: dir, size: 2TiB}
          fast: {type: lvm-thin, size: 2TiB, path: vg0/thin}
          share: {type: nfs, size: 1TB, path: /export, shared: true}
        stead_overcommit: {vcpus: 4, memory: 1.5}
        stead_devices: {gpu-a100: 2, "hugepages:2MiB": 512}
        stead_hypervisors: kvm, qemu
      children: {racks: {children: {rack-1: {hosts: {compute-1: }}, rack-2: {vars: {ansible_group_priority: 2}}}}}
"""
OF_HOSTS = Words(
    (
        *SPEC.values, "compute-[1:99999999]", "[a:z]", "[z:a]", "x[1:2", "compute-[1:3:0]", "{{ inventory_hostname }}",
        "{{ hostvars[inventory_hostname] }}", "{{ groups.compute }}", "{{ lookup('env', 'HOME') }}", "2026-02-30", "=",
        "{{ stead_vcpus }}", "!unsafe x", "!!timestamp 1", "12:30:45", "0b11", "1_000", "<<", "[1]: 2", "9" * 5000,
        "nan",
    ),
    (
        "hosts: {x: {}}", "hosts: compute-1", "hosts: [a]", "children: {all: {}}", "children: {compute: {}}",
        "vars: [a]",
        "vars: {stead_vcpus: -1}", "stead_vcpus: 1e999", "stead_memory: 64", "stead_pools: {a: {size: 1GiB, type: x}}",
        "stead_overcommit: {vcpus: .nan}", "stead_overcommit: 0", "stead_nothing: 1", "stead_zone: [a]", "<<: {a: b}",
        "stead_traits: {a: 1}", "? {a: b}", "null:", "1: 2", "stead_mtu: 99999999999999999999", "&a x: *a", "plugin: x",
        "stead_underlay: ::1", "ansible_host: {a: 1}", "stead_runner: [x]", "stead_maintenance: {a: b}", "- x",
        "[a]: b",
    ),
)  # fmt: skip


def inventories(folder: Path) -> list[str]:
    (folder / "spec").mkdir()
    shutil.copy(DEMO / "stead.yml", folder / "spec")
    return [HOSTS, HOSTS, *(path.read_text() for path in sorted((ROOT / "examples").glob("*/inventory.yml")))]


def planned_on(path: Path) -> Iterable[str]:
    try:
        read_into(Tree(), path)
    except NotOurs:
        return ["left to Ansible"]  # half a second each, and its own to tell
    except Wrong as error:
        return [error.diagnostic.code]
    return told("plan", "--simulated", "-s", str(path.parent / "spec"), "-i", str(path))


# -- tests

TESTS = """
spec: stead.yml
inventory: inventory.yml
vars: {}
tests:
  first: {expect: {changes: {create: 14}, disturbs: none, placed: {"acme/instances/db": compute-1}}}
  second:
    fresh: false
    down: [compute-2]
    maintenance: [compute-3]
    gone: [compute-4]
    vars: {a: 1}
    expect:
      empty: true
      apart: ["acme/instances/web[0]", acme/instances/web]
      zones_apart: [acme/instances/web]
      together: [acme/instances/web]
      running: ["acme/instances/web[1]"]
      lost: ["acme/instances/web[0]"]
      refused: [STEAD-P001]
      outputs: {address: 10.0.0.1, other: [1, {a: b}]}
      survives: 1
"""
OF_TESTS = Words(
    (
        *SPEC.values, "compute-1", "create", "acme/instances/web[0]", "acme/instances/web", "STEAD-P001", "data-loss",
        "99",
    ),
    (
        *SPEC.entries, "survives: 0", "survives: 99", "fresh: false", "empty: 1", "down: [nobody]", "gone: compute-1",
        "gone: [controller-1, network-1]", "expect: {}", "expect:", "vars: {nobody: {a: .nan}}",
        "changes: {create: -1}",
        "outputs: {a: 1e999}", "placed: {web: 1}", "apart: ['web[']", "spec: nowhere", "inventory: .", "spec: ''",
    ),
)  # fmt: skip


def tests(folder: Path) -> list[str]:
    shutil.copy(DEMO / "stead.yml", folder)
    shutil.copy(DEMO / "inventory.yml", folder)
    return [TESTS, TESTS, (DEMO / "demo.test.yml").read_text()]


# -- variables

GIVEN = """
stage: live
zones: [north, south]
servers: {api: 1, job: 2}
replicas: 4
volume: 30GiB
token: swordfish
title: "{{ vars.stage }} of {{ vars.zones | first }}"
name: app
big: 2.5
loud: true
"""


def variables(folder: Path) -> list[str]:
    shutil.copytree(LANGUAGE / "parts", folder / "spec" / "parts")
    shutil.copy(LANGUAGE / "everything.yml", folder / "spec" / "stead.yml")
    return [GIVEN]


def given_to_a_spec(path: Path) -> Iterable[str]:
    return told("validate", str(path.parent / "spec"), "--var-file", str(path))


# -- plans

OF_PLANS = Words(
    (
        *SPEC.values, '"compute-9"', '"acme/instances/nobody"', "{}", '{"$secret": "x"}', "[[]]", '"destroy"', "1e999",
        "NaN", "-Infinity", '"\\ud800"', "99999999999999999999", "9" * 5000, "[" * 2000, '""', "null", "true",
    ),
    ('"steps": []', '"checksum": "x"', '"body": ["a", "b"]', '"keeps": [[]]', '"a": 1', '"stead-plan": 2', "null"),
)  # fmt: skip


def plans(folder: Path) -> list[str]:
    """Of an empty site, of one that has it all, and of its end."""
    here = ["-s", str(folder / "spec"), "-i", str(folder / "spec" / "inventory.yml")]
    shutil.copytree(DEMO, folder / "spec")
    kept = [folder / f"{number}.plan" for number in range(3)]
    told("plan", *here, "-o", str(kept[0]))
    told("apply", *here, "--auto-approve", "--quiet")
    told("plan", *here, "--replace", "acme/instances/web[0]", "-o", str(kept[1]))
    told("plan", *here, "--destroy", "-o", str(kept[2]))
    return [path.read_text() for path in kept]


def damaged(text: str, dice: random.Random, words: Words) -> str:
    """Its checksum is left as it was: what fits its checksum was written by Stead."""
    lines = text.splitlines(keepends=True)
    at = dice.randrange(len(lines))
    if dice.random() < 0.5:
        return mutated(text, dice, words)
    lines[at] = json.dumps(reshaped(json.loads(lines[at]), dice, words), default=str) + "\n"
    return "".join(lines)


def refused(path: Path) -> Iterable[str]:
    here = path.parent / "spec"
    applied = told("apply", "-s", str(here), "-i", str(here / "inventory.yml"), "--auto-approve", str(path))
    return [*told("show", "--verbose", str(path)), *applied]


TARGETS = {
    "inventories": Target(inventories, planned_on, "inventory.yml", OF_HOSTS, edited_yaml),
    "tests": Target(tests, lambda path: told("test", str(path)), "some.test.yml", OF_TESTS, edited_yaml),
    "variables": Target(variables, given_to_a_spec, "some.vars.yml", SPEC, edited_yaml),
    "plans": Target(plans, refused, "some.plan", OF_PLANS, damaged),
}
