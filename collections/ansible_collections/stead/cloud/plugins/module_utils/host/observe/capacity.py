"""What this host has: processors, memory and their NUMA nodes, disks, and room in its pools."""

from __future__ import annotations

import glob
import json
import os
from typing import Any, Dict, List

from ..base import commands
from ..storage import declared


def capacity(pools: Any) -> Dict[str, Any]:
    memory = _memory()
    return {
        "vcpus": len(os.sched_getaffinity(0)),
        "memory": memory.get("MemTotal", 0),
        "memory_available": memory.get("MemAvailable", 0),
        "hugepages": {_page(path): _number(path + "/nr_hugepages") for path in glob.glob("/sys/kernel/mm/hugepages/*")},
        "numa": [_node(path) for path in sorted(glob.glob("/sys/devices/system/node/node[0-9]*"))],
        "disks": _disks(),
        "pools": {name: dict(pool, **declared.room(pool)) for name, pool in declared.pools(pools or "all").items()},
    }


def _memory(path: str = "/proc/meminfo") -> Dict[str, int]:
    found: Dict[str, int] = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.replace(":", " ").split()
            if words[0] == "Node":  # a node's own table says on each line whose it is
                words = words[2:]
            found[words[0]] = int(words[1]) * 1024
    return found


def _page(path: str) -> str:
    return path.rsplit("-", 1)[1]


def _number(path: str) -> int:
    with open(path, encoding="ascii") as file:
        return int(file.read())


def _node(path: str) -> Dict[str, Any]:
    with open(path + "/cpulist", encoding="ascii") as file:
        cpus = file.read().strip()
    table = path + "/meminfo"
    return {"cpus": cpus, "memory": _memory(table).get("MemTotal", 0) if os.path.exists(table) else 0}


def _disks() -> List[Dict[str, Any]]:
    words = ["lsblk", "--json", "--bytes", "--nodeps", "--output", "NAME,SIZE,TYPE,ROTA,MODEL"]
    status, out, _said = commands.attempt(words)
    found = json.loads(out or "{}").get("blockdevices", []) if status == 0 else []
    return [
        {"name": one["name"], "size": int(one["size"] or 0), "rotates": bool(one["rota"]), "model": one["model"] or ""}
        for one in found
        if one["type"] == "disk"
    ]
