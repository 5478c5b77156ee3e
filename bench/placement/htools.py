"""Ganeti's htools as peers: the same cluster as a text file for `hbal`, as a request for `hail`, as a problem for us.

Instances have one node and their disks on shared storage (`ext`), so a disk counts against no node on either side:
what is left to even out is memory and vCPUs. `hbal -l 0` gives the score of any arrangement, ours included, so the
judge is Ganeti's own.
"""

from __future__ import annotations

import json
import math
import random
import re
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from stead.blueprint.placement.model import Placement, PlacementHost, Problem, Request

DISK, CPUS, RESERVED = 1_048_576, 16, 1_024
SIZES = ((2_048, 10_240, 1), (4_096, 20_480, 2), (8_192, 40_960, 4))  # memory in proportion to vCPUs
MIXED = ((1_024, 10_240, 1), (2_048, 20_480, 2), (4_096, 20_480, 2), (8_192, 40_960, 4))  # and not
NODE_COLUMNS, INSTANCE_COLUMNS = 15, 12
VCPU_RATIO = 4  # what Ganeti's default policy allows


class Cluster(NamedTuple):
    """Instance -> (memory MiB, disk MiB, vCPUs), and node of each instance. `memory`: of a node, MiB."""

    memory: int
    nodes: list[str]
    instances: dict[str, tuple[int, int, int]]
    at: dict[str, str]


class Balanced(NamedTuple):
    """Instance and node of each move. `done`: it came to its own end; else this is how far it got in its time."""

    before: float
    after: float
    moves: tuple[tuple[str, str], ...]
    cpu: float
    done: bool = True


HAIL = Path("/usr/lib/ganeti/iallocators/hail")


def available() -> bool:
    return shutil.which("hbal") is not None


def version() -> str:
    said = subprocess.run(["hbal", "--version"], capture_output=True, text=True, check=True).stdout
    return said.splitlines()[0]


def cluster(
    nodes: int, instances: int, seed: int, sizes: tuple[tuple[int, int, int], ...] = SIZES, memory: int = 196_608
) -> Cluster:
    """Every instance on a node taken at random."""
    rng = random.Random(seed)
    names = [f"node{i:03d}" for i in range(nodes)]
    made = {f"inst{i:05d}": rng.choice(sizes) for i in range(instances)}
    return Cluster(memory, names, made, {name: rng.choice(names) for name in made})


def text(found: Cluster, at: dict[str, str]) -> str:
    used = dict.fromkeys(found.nodes, 0)
    for name, size in found.instances.items():
        used[at[name]] += size[0]
    lines = ["default|uuid-1|preferred||", ""]
    for node, taken in used.items():
        free = f"{found.memory - RESERVED - taken}|{DISK}|{DISK}"
        lines.append(f"{node}|{found.memory}|{RESERVED}|{free}|{CPUS}|N|uuid-1|1||N|0|1|1.0")
    lines.append("")
    for name, (memory, disk, vcpus) in found.instances.items():
        lines.append(f"{name}|{memory}|{disk}|{vcpus}|running|Y|{at[name]}||ext||1|-")
    return "\n".join([*lines, "", "", ""])


def read(data: str) -> Cluster:
    """What `text` wrote."""
    rows = [line.split("|") for line in data.splitlines()]
    nodes = [row for row in rows if len(row) == NODE_COLUMNS]
    instances = [row for row in rows if len(row) == INSTANCE_COLUMNS]
    sizes = {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in instances}
    return Cluster(int(nodes[0][1]), [row[0] for row in nodes], sizes, {row[0]: row[6] for row in instances})


def problem(found: Cluster) -> tuple[Problem, Placement]:
    capacity = {"memory": found.memory - RESERVED, "vcpus": CPUS * VCPU_RATIO}
    hosts = [PlacementHost(name=node, capacity=capacity) for node in found.nodes]
    requests = [
        Request(id=name, members=(name,), demand={"memory": size[0], "vcpus": size[2]})
        for name, size in found.instances.items()
    ]
    return Problem(hosts=hosts, requests=requests), Placement(assignment=found.at, reasons={})


def score(found: Cluster, at: dict[str, str]) -> float:
    return _hbal(text(found, at), "-l", "0").before


def balance(found: Cluster, seconds: float | None = None) -> Balanced:
    """What hbal itself does, as far as it comes in this time; to its end when no time is given."""
    return _hbal(text(found, found.at), timeout=seconds)


def _hbal(data: str, *options: str, timeout: float | None = None) -> Balanced:
    with tempfile.TemporaryDirectory() as folder:
        path, said = Path(folder) / "cluster.data", Path(folder) / "said"
        path.write_text(data)
        done, cpu = _run(["hbal", "-t", str(path), "--ignore-dynu", "-v", *options], said, timeout)
        out = said.read_text()
    before = re.search(r"[Ii]nitial (?:cluster )?score: ([0-9.]+)", out)
    start = float(before[1]) if before else 0.0
    moves = listed(out)
    return Balanced(start, moves[-1][2] if moves else start, tuple(move[:2] for move in moves), cpu, done)


def listed(said: str) -> list[tuple[str, str, float]]:
    """Instance, node and score after it: hbal says a line per move, as it finds them."""
    found = re.findall(r"^ +\d+\. (\S+) \S+ +=> (\S+) +([0-9.]+) a=", said, re.MULTILINE)
    return [(instance, node, float(score)) for instance, node, score in found]


def _run(command: list[str], said: Path, seconds: float | None) -> tuple[bool, float]:
    """Whether it ended by itself before it had used so much CPU, and its CPU seconds; what it said is in the file."""
    limit = ["prlimit", f"--cpu={math.ceil(seconds)}"] if seconds else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with said.open("w") as out:
        status = subprocess.run([*limit, *command], stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return status >= 0, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Counted(NamedTuple):
    instances: int | None  # None: not done in time
    cpu: float


def hspace(nodes: int, *, memory: int, each: int, seconds: float) -> Counted:
    """How many instances of `each` MiB hspace fits on equal nodes of `memory` MiB while any one of them may fail."""
    command = [
        "hspace",
        f"--simulate=preferred,{nodes},{DISK},{memory},{CPUS}",
        f"--standard-alloc=1024,{each},1",
        "--disk-template=ext",
        "--machine-readable=yes",
    ]
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        _, cpu = _run(command, said, seconds)
        found = re.search(r"HTS_ALLOC_INSTANCES='?(\d+)", said.read_text())
    return Counted(int(found[1]) if found else None, cpu)


def hail(found: Cluster, size: tuple[int, int, int], seconds: float) -> tuple[str, float]:
    """Where hail would put one more instance ("" when it is not done in time), and its CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path, said = Path(folder) / "request.json", Path(folder) / "said"
        path.write_text(json.dumps(request(found, size)))
        done, cpu = _run([str(HAIL), "--ignore-dynu", str(path)], said, seconds)
        answer: dict[str, Any] = json.loads(said.read_text()) if done else {}
    return (str(answer["result"][0]) if answer.get("success") else "", cpu)


def request(found: Cluster, size: tuple[int, int, int]) -> dict[str, Any]:
    """The allocator's question, as Ganeti's master daemon asks it."""
    used = dict.fromkeys(found.nodes, 0)
    for name, asked in found.instances.items():
        used[found.at[name]] += asked[0]
    policy = _policy()
    return {
        "version": 2,
        "cluster_name": "bench",
        "cluster_tags": [],
        "enabled_hypervisors": ["kvm"],
        "ipolicy": policy,
        "nodegroups": {
            "uuid-1": {"name": "default", "alloc_policy": "preferred", "networks": [], "ipolicy": policy, "tags": []}
        },
        "nodes": {node: _node(found.memory, taken) for node, taken in used.items()},
        "instances": {name: _instance(asked, found.at[name]) for name, asked in found.instances.items()},
        "request": {"type": "allocate", "name": "new", "required_nodes": 1, **_asked(size)},
    }


def _policy() -> dict[str, Any]:
    least = {"memory-size": 1, "cpu-count": 1, "disk-count": 1, "disk-size": 1, "nic-count": 0, "spindle-use": 1}
    most = dict.fromkeys(least, 1 << 30)
    return {
        "std": {**least, "memory-size": 1024, "disk-size": 1024},
        "minmax": [{"min": least, "max": most}],
        "disk-templates": ["ext"],
        "vcpu-ratio": float(VCPU_RATIO),
        "spindle-ratio": 1e6,
    }


def _node(total: int, memory: int) -> dict[str, Any]:
    return {
        "total_memory": total,
        "free_memory": total - RESERVED - memory,
        "reserved_memory": RESERVED,
        "total_disk": DISK,
        "free_disk": DISK,
        "total_cpus": CPUS,
        "reserved_cpus": 0,
        "primary_ip": "192.0.2.1",
        "secondary_ip": "192.0.2.1",
        "offline": False,
        "drained": False,
        "master_candidate": False,
        "master_capable": True,
        "vm_capable": True,
        "group": "uuid-1",
        "i_pri_memory": memory,
        "i_pri_up_memory": memory,
        "tags": [],
        "ndparams": {"spindle_count": 1, "exclusive_storage": False, "cpu_speed": 1.0},
        "storage_type": "ext",
        "free_spindles": 0,
        "total_spindles": 0,
    }


def _instance(size: tuple[int, int, int], node: str) -> dict[str, Any]:
    state = {"admin_state": "up", "admin_state_source": "admin", "auto_balance": True, "always_failover": False}
    return {**_asked(size), **state, "nodes": [node], "forthcoming": False, "dynamic_memory": 0}


def _asked(size: tuple[int, int, int]) -> dict[str, Any]:
    memory, disk, vcpus = size
    return {
        "memory": memory,
        "disk_space_total": disk,
        "disks": [{"size": disk, "mode": "w"}],
        "vcpus": vcpus,
        "nics": [],
        "disk_template": "ext",
        "tags": [],
        "os": "none",
        "hypervisor": "kvm",
        "spindle_use": 1,
    }
