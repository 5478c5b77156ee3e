"""Writes sites of any size: a spec by counts and an inventory by ranges, alike but not uniform."""

from __future__ import annotations

from pathlib import Path

FLAVORS = {
    "tiny": "{vcpus: 1, memory: 1GiB, disk: 10GiB}",
    "small": "{vcpus: 1, memory: 2GiB, disk: 20GiB}",
    "medium": "{vcpus: 2, memory: 4GiB, disk: 40GiB}",
    "large": "{vcpus: 4, memory: 8GiB, disk: 40GiB}",
}
# (share of the hosts, vCPUs, memory, disk)
MODELS = {"old": (3, 32, "128GiB", "4TiB"), "new": (5, 64, "256GiB", "8TiB"), "big": (2, 128, "1TiB", "16TiB")}
ZONES = 4
PER_BLOCK = 250


def write(folder: Path, *, instances: int, hosts: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inventory.yml").write_text(inventory(hosts))
    (folder / "stead.yml").write_text(spec(instances))


def inventory(hosts: int) -> str:
    lines = ["all:", "  vars: {stead_runner: simulated}", "  children:"]
    lines += ["    controller: {hosts: {controller-1: {}}}", "    network: {hosts: {'network-[1:4]': {}}}"]
    lines += ["    compute:", "      children:"]
    total = sum(share for share, *_ in MODELS.values())
    groups = []
    for zone in range(ZONES):
        for name, (share, vcpus, memory, disk) in MODELS.items():
            count = max(1, round(hosts * share / total / ZONES))
            facts = f"{{stead_zone: z{zone}, stead_vcpus: {vcpus}, stead_memory: {memory}, "
            facts += f"stead_pools: {{default: {{type: dir, size: {disk}}}}}}}"
            lines.append(f"        {name}_z{zone}: {{hosts: {{'{name}-z{zone}-[1:{count}]': {{}}}}, vars: {facts}}}")
            groups.append(name)
    return "\n".join(lines) + "\n"


def spec(instances: int) -> str:
    """Blocks of a few hundred in projects of a few thousand, each project with its own networks."""
    lines = ["stead: 1", "images:", "  debian: {source: /srv/images/debian-12.qcow2}", "flavors:"]
    lines += [f"  {name}: {fields}" for name, fields in FLAVORS.items()]
    lines.append("projects:")
    blocks, left, project = list(FLAVORS), instances, 0
    while left:
        lines += [f"  p{project}:", "    networks:"]
        lines += [f"      n{index}: {{subnets: {{v4: {{cidr: 10.{index}.0.0/16}}}}}}" for index in range(2)]
        lines.append("    instances:")
        for index, flavor in enumerate(blocks * 2):
            count = min(PER_BLOCK, left)
            left -= count
            if count:
                where = f"image: debian, networks: [n{index % 2}]"
                lines.append(f"      web{index}: {{count: {count}, flavor: {flavor}, {where}}}")
        project += 1
    return "\n".join(lines) + "\n"
