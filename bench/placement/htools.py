"""Ganeti's htools as a peer: the same cluster as a text file for `hbal` and as a problem for us.

Both sides see one-node instances on shared storage (`ext`), memory, disk and vCPUs; `hbal -l 0` gives the score of any
arrangement, ours included, so the judge is Ganeti's own.
"""

from __future__ import annotations

import random
import re
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from stead.blueprint.placement.model import Host, Placement, Problem, Request

MEMORY, DISK, CPUS, RESERVED = 131_072, 1_048_576, 32, 1_024
SIZES = ((1_024, 10_240, 1), (2_048, 20_480, 2), (4_096, 20_480, 2), (8_192, 40_960, 4))
VCPU_RATIO = 4  # what Ganeti's default policy allows


class Cluster(NamedTuple):
    """Instance -> (memory MiB, disk MiB, vCPUs), and node of each instance."""

    nodes: list[str]
    instances: dict[str, tuple[int, int, int]]
    at: dict[str, str]


class Balanced(NamedTuple):
    before: float
    after: float
    moves: int
    cpu: float


def available() -> bool:
    return shutil.which("hbal") is not None


def cluster(nodes: int, instances: int, seed: int) -> Cluster:
    """Uneven the way clusters become it: a tenth of the nodes is new and empty."""
    rng = random.Random(seed)
    names = [f"node{i:03d}" for i in range(nodes)]
    sizes = {f"inst{i:05d}": rng.choice(SIZES) for i in range(instances)}
    return Cluster(names, sizes, {name: rng.choice(names[: nodes - nodes // 10]) for name in sizes})


def text(found: Cluster, at: dict[str, str]) -> str:
    used = {node: [0, 0, 0] for node in found.nodes}
    for name, size in found.instances.items():
        for k in range(3):
            used[at[name]][k] += size[k]
    lines = ["default|uuid-1|preferred||", ""]
    for node, (memory, disk, _) in used.items():
        free = f"{MEMORY - RESERVED - memory}|{DISK}|{DISK - disk}"
        lines.append(f"{node}|{MEMORY}|{RESERVED}|{free}|{CPUS}|N|uuid-1|1||N|0|1|1.0")
    lines.append("")
    for name, (memory, disk, vcpus) in found.instances.items():
        lines.append(f"{name}|{memory}|{disk}|{vcpus}|running|Y|{at[name]}||ext||1|-")
    return "\n".join([*lines, "", "", ""])


def problem(found: Cluster) -> tuple[Problem, Placement]:
    capacity = {"memory": MEMORY - RESERVED, "disk:ext": DISK, "vcpus": CPUS * VCPU_RATIO}
    hosts = [Host(name=node, capacity=capacity) for node in found.nodes]
    requests = [
        Request(id=name, members=(name,), demand={"memory": size[0], "disk:ext": size[1], "vcpus": size[2]})
        for name, size in found.instances.items()
    ]
    return Problem(hosts=hosts, requests=requests), Placement(assignment=found.at, reasons={})


def score(found: Cluster, at: dict[str, str]) -> float:
    return _hbal(text(found, at), "-l", "0")[0].before


def balance(found: Cluster, seconds: int) -> Balanced | None:
    """What hbal itself does; None when it is not done in time."""
    try:
        return _hbal(text(found, found.at), timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        return None


def _hbal(data: str, *options: str, timeout: int | None = None) -> tuple[Balanced, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cluster.data"
        path.write_text(data)
        start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        command = ["hbal", "-t", str(path), "--ignore-dynu", "-v", *options]
        out = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False).stdout
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start
    before = float((re.search(r"Initial score: ([0-9.]+)", out) or re.search("(0)", "0"))[1])  # type: ignore[index]
    ended = re.search(r"score improved from [0-9.]+ to ([0-9.]+)", out)
    length = re.search(r"Solution length=(\d+)", out)
    return Balanced(before, float(ended[1]) if ended else before, int(length[1]) if length else 0, cpu), out


def hspace(nodes: int, *, memory: int, disk: int, vcpus: int, seconds: int) -> int | None:
    """How many instances of one size hspace fits on equal nodes while N+1 holds; None when it takes too long."""
    command = [
        "hspace",
        f"--simulate=preferred,{nodes},{DISK},{MEMORY},{CPUS}",
        f"--standard-alloc={disk},{memory},{vcpus}",
        "--disk-template=drbd",
        "--machine-readable=yes",
    ]
    try:
        out = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False).stdout
    except subprocess.TimeoutExpired:
        return None
    found = re.search(r"HTS_ALLOC_INSTANCES='?(\d+)", out)
    return int(found[1]) if found else None
