"""Stead's apply on real hosts beside a script and a playbook that make the same there.

What they make is read from the hosts after Stead's apply, and counted after each of them: 40 domains with their disks,
seeds and packet filters, 20 volumes, 3 networks with their links, forwarding entries and DHCP servers, the image. What
they do not: look first, a plan, a journal, a ledger, checks of the image, and an image server.
python bench/apply.py INVENTORY IMAGE COLLECTIONS [--rounds 2]. The inventory is of a lab that was bootstrapped, with
64 vCPUs on each of two compute hosts, a third host for controller and network, and nothing on them. COLLECTIONS is a
folder with `ansible_collections/community/libvirt` in it, whose modules need python3-lxml on the compute hosts.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from hosts import SAME
from measure import STEAD, run

PATHS = "ANSIBLE_COLLECTIONS_PATH"
ANSIBLE = (str(Path(sys.executable).with_name("ansible")), str(Path(sys.executable).with_name("ansible-playbook")))
FLAVOR = "flavor: {vcpus: 1, memory: 192MiB, disk: 1GiB}, image: tiny, state: stopped, networks: ['n{{ index % 3 }}']"
WORK = Path(__file__).with_name("apply_work.py").read_text(encoding="utf-8")
LOOP = {"loop_control": {"label": ""}}
ITEM = {"ansible.builtin.command": {"argv": "{{ item }}"}}
DEFINE = {"community.libvirt.virt": {"command": "define", "xml": "{{ item.value }}"}}
FOLDER = {"ansible.builtin.file": {"path": "{{ item }}", "state": "directory"}}
COPY = {"ansible.builtin.copy": {"src": "{{ item.value }}", "dest": "{{ item.key }}"}}
FILTER = {"ansible.builtin.command": {"argv": ["virsh", "nwfilter-define", "/dev/stdin"], "stdin": "{{ item.value }}"}}
INSIDE = {"ansible.builtin.command": {"argv": ["ip", "-netns", "{{ item.key }}", "-batch", "-"]}}


def batch(program: str, lines: str) -> dict[str, object]:
    """One call for all of them, as the script has it."""
    command = {"argv": program.split(), "stdin": f"{{{{ {lines} }}}}"}
    return {"ansible.builtin.command": command, "when": f"{lines} | length > 0"}


TASKS: list[dict[str, object]] = [
    {**FOLDER, "loop": "{{ paths | map('dirname') | unique }}", **LOOP},
    {**COPY, "loop": "{{ sources | dict2items }}", **LOOP},
    batch("ip -batch -", "ip | join('\n')"),
    {"ansible.builtin.command": {**INSIDE["ansible.builtin.command"], "stdin": "{{ item.value | join('\n') }}"}}
    | {"loop": "{{ inside | dict2items }}", **LOOP},
    batch("bridge -batch -", "bridge | join('\n')"),
    batch("ip -batch -", "neighbours | join('\n')"),
    batch("nft -f -", "nft"),
    batch("ipset restore", "ipset"),
    {**ITEM, "loop": "{{ units }}", **LOOP},
    {**ITEM, "loop": "{{ disks }}", **LOOP},
    {**FILTER, "loop": "{{ filters | dict2items }}", **LOOP},
    {**DEFINE, "loop": "{{ domains | dict2items }}", **LOOP},
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inventory", type=Path)
    parser.add_argument("image", type=Path)
    parser.add_argument("collections", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    os.environ.update(SAME)
    with tempfile.TemporaryDirectory(prefix="stead-bench-") as name:
        folder, inventory = Path(name), str(options.inventory.resolve())
        write_site(folder, options.image)
        rounds = [compare(folder, inventory, options.collections, options.image) for _ in range(options.rounds)]
    walls = {title: median(one[title] for one in rounds) for title in rounds[0]}
    ours = walls["stead apply FILE"]
    aims = {"script": f"aim for Stead: at most {2 * walls['script'] + 3:.2f} s", "playbook": "aim: 5x Stead's or more"}
    for title, wall in walls.items():
        print(f"{title:<22} {wall:8.2f} s wall {wall / ours:6.2f}x of apply FILE  {aims.get(title, '')}")


def write_site(folder: Path, image: Path) -> None:
    lines = ["stead: 1", f"images: {{tiny: {{source: {json.dumps(str(image))}}}}}", "projects:", "  bench:"]
    lines += ["    networks:", *(f"      n{n}: {{subnets: {{v4: {{cidr: 10.40.{n}.0/24}}}}}}" for n in range(3))]
    lines += ["    volumes: {data: {count: 20, size: 64MiB}}", "    instances:", f"      lone: {{count: 20, {FLAVOR}}}"]
    lines += [f"      kept: {{count: 20, {FLAVOR}, volumes: ['data[{{{{ index }}}}]']}}"]
    (folder / "stead.yml").write_text("\n".join(lines) + "\n")


def compare(folder: Path, inventory: str, collections: Path, image: Path) -> dict[str, float]:
    """Wall seconds of each side, with everything destroyed after each."""
    found = ("-i", inventory)
    listed = json.loads(subprocess.check_output((ANSIBLE[0] + "-inventory", *found, "--list")))
    hosts = listed["_meta"]["hostvars"]
    planned = run((*STEAD, "plan", *found, "-o", "saved"), folder).wall
    applied = run((*STEAD, "apply", *found, "--auto-approve", "saved"), folder).wall
    made = counted(hosts)
    work = {name: json.loads(told) for name, told in on_hosts(hosts, "read").items()}
    run((*STEAD, "destroy", *found, "--auto-approve", "--max-disruption", "data-loss"), folder)
    sides = {"script": partial(by_script, hosts, work, image), "playbook": partial(by_playbook, folder, found)}
    prepare(folder, work, image)
    walls = {"stead apply FILE": applied, "stead plan and apply": planned + applied}
    for title, side in sides.items():
        os.environ[PATHS], kept = str(collections.resolve()), os.environ.get(PATHS)
        started = time.perf_counter()
        side()
        walls[title] = time.perf_counter() - started
        os.environ.pop(PATHS) if kept is None else os.environ.update({PATHS: kept})
        if (has := counted(hosts)) != made:
            raise SystemExit(f"The {title} made {has}, and Stead {made}.")
        on_hosts(hosts, "undo", work)
    print(f"made on each side: {made}, at load {os.getloadavg()[0]:.1f}")
    return walls


def counted(hosts: dict[str, Any]) -> dict[str, int]:
    """Over all hosts."""
    found: Counter[str] = Counter()
    for told in on_hosts(hosts, "count").values():
        found.update(json.loads(told))
    return dict(found)


def by_script(hosts: dict[str, Any], work: dict[str, Any], image: Path) -> None:
    """The image goes to each host as a copy; all the rest is one program that runs on all of them at once."""
    sent = []
    for name, own in hosts.items():
        for path in work[name]["images"]:
            with image.open("rb") as file:
                command = f"mkdir -p {Path(path).parent} && cat > {path}"
                sent.append(subprocess.Popen([*ssh(own), command], stdin=file))
    if any(one.wait() for one in sent):
        raise SystemExit("a host did not take the image")
    on_hosts(hosts, "do", work)


def prepare(folder: Path, work: dict[str, Any], image: Path) -> None:
    """What the playbook needs: variables of each host, and files to be copied."""
    for name, one in work.items():
        sources = dict.fromkeys(one["images"], str(image))
        for number, (path, text) in enumerate(one["files"].items()):
            source = folder / f"{name}-{number}"
            source.write_bytes(base64.b64decode(text))
            sources[path] = str(source)
        own = {key: one[key] for key in one if key not in ("files", "images")}
        (folder / f"{name}.json").write_text(json.dumps({**own, "sources": sources, "paths": [*sources]}))
    play = {"hosts": "all", "gather_facts": False, "vars_files": ["{{ inventory_hostname }}.json"], "tasks": TASKS}
    (folder / "play.json").write_text(json.dumps([play]))


def by_playbook(folder: Path, found: tuple[str, str]) -> None:
    run((ANSIBLE[1], *found, "play.json"), folder)


def on_hosts(hosts: dict[str, Any], what: str, work: dict[str, Any] | None = None) -> dict[str, str]:
    """Runs the host's program on all hosts at once, each fed with its own work; what they printed."""
    running = {}
    for name, own in hosts.items():
        command = [*ssh(own), "python3 -c " + shlex.quote(f"{WORK}\nmain({what!r})")]
        running[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    said = {name: one.communicate(json.dumps(work[name]) if work else "")[0] for name, one in running.items()}
    if any(one.returncode for one in running.values()):
        raise SystemExit("a host refused its work")
    return said


def ssh(own: dict[str, Any]) -> list[str]:
    options = own.get("ansible_ssh_common_args", "").split() + own.get("ansible_ssh_args", "").split()
    return ["ssh", "-i", own["ansible_ssh_private_key_file"], *options, f"root@{own['ansible_host']}"]


if __name__ == "__main__":
    main()
