"""Stead's apply on real hosts beside a script and a playbook that make the same disks, links and domains there.

What they make is read from the hosts after Stead's apply. Theirs is less: no image copy, seed, packet filter, ledger.
python bench/apply.py INVENTORY IMAGE COLLECTIONS [--rounds 2]. The inventory is of a lab that was bootstrapped, with
64 vCPUs on each of two compute hosts and nothing on them. COLLECTIONS is a folder with
`ansible_collections/community/libvirt` in it, whose modules need python3-lxml on the hosts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from hosts import SAME
from measure import STEAD, run

ANSIBLE = (str(Path(sys.executable).with_name("ansible")), str(Path(sys.executable).with_name("ansible-playbook")))
FLAVOR = "flavor: {vcpus: 1, memory: 192MiB, disk: 1GiB}, image: tiny, state: stopped, networks: ['n{{ index % 3 }}']"
# Runs on a host: the argument lists that make its links and disks, and the XML of its domains.
READ = """
import json, subprocess, xml.etree.ElementTree as tree
say = lambda *words: subprocess.run(words, check=True, capture_output=True, text=True).stdout
links = json.loads(say("ip", "-json", "-details", "link"))
made, disks, domains = [], [], []
for kind in ("bridge", "vxlan"):
    for one in links:
        info, name = one.get("linkinfo", {}), one["ifname"]
        if info.get("info_kind") != kind or not name.startswith("s"):
            continue
        data, more = info["info_data"], []
        if kind == "vxlan":
            more = ["id", str(data["id"]), "local", data["local"], "dstport", str(data["port"]), "nolearning"]
        made.append(["ip", "link", "add", name, "mtu", str(one["mtu"]), "type", kind, *more])
        if "master" in one:
            made.append(["ip", "link", "set", name, "master", one["master"]])
        made.append(["ip", "link", "set", name, "up"])
for one in json.loads(say("bridge", "-json", "fdb", "show")):
    if "dst" in one:
        made.append(["bridge", "fdb", "append", one["mac"], "dev", one["ifname"], "dst", one["dst"]])
for name in say("virsh", "list", "--all", "--name").split():
    xml = say("virsh", "dumpxml", "--inactive", name)
    domains.append(xml)
    for source in tree.fromstring(xml).findall("devices/disk[@device='disk']/source[@file]"):
        if not source.get("file").endswith((".qcow2", ".raw")):
            continue
        info = json.loads(say("qemu-img", "info", "--output=json", source.get("file")))
        back = ["-u", "-F", "qcow2", "-b", info["backing-filename"]] if "backing-filename" in info else []
        size = str(info["virtual-size"])
        disks.append(["qemu-img", "create", "-q", "-f", info["format"], *back, info["filename"], size])
print(json.dumps({"commands": made, "disks": disks, "domains": domains}))
"""
DO = """
import json, os, subprocess, sys
work = json.load(sys.stdin)
for disk in work["disks"]:
    os.makedirs(os.path.dirname(disk[-2]), exist_ok=True)
for words in work["commands"] + work["disks"]:
    subprocess.run(words, check=True)
for xml in work["domains"]:
    subprocess.run(["virsh", "-q", "define", "/dev/stdin"], input=xml, text=True, check=True, stdout=2)
"""
UNDO = """
import json, os, subprocess, sys
work = json.load(sys.stdin)
for name in subprocess.run(["virsh", "list", "--all", "--name"], capture_output=True, text=True).stdout.split():
    subprocess.run(["virsh", "-q", "undefine", name], check=True, stdout=2)
for words in work["commands"]:
    if words[:3] == ["ip", "link", "add"]:
        subprocess.run(["ip", "link", "delete", words[3]], check=True)
for words in work["disks"]:
    os.unlink(words[-2])
    if "/instances/" in words[-2]:
        os.rmdir(os.path.dirname(words[-2]))
"""
LOOP = {"loop_control": {"label": ""}}
COMMAND = {"ansible.builtin.command": {"argv": "{{ item }}"}}
DEFINE = {"community.libvirt.virt": {"command": "define", "xml": "{{ item }}"}}
FOLDER = {"ansible.builtin.file": {"path": "{{ item }}", "state": "directory"}}
PLAY = [
    {
        "hosts": "compute",
        "gather_facts": False,
        "tasks": [
            {**COMMAND, "loop": "{{ commands }}", **LOOP},
            {**FOLDER, "loop": "{{ disks | map(attribute=-2) | map('dirname') | unique }}", **LOOP},
            {**COMMAND, "loop": "{{ disks }}", **LOOP},
            {**DEFINE, "loop": "{{ domains }}", **LOOP},
        ],
    }
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
        rounds = [compare(folder, inventory, options.collections) for _ in range(options.rounds)]
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


def compare(folder: Path, inventory: str, collections: Path) -> dict[str, float]:
    """Wall seconds of each side, with everything destroyed after each."""
    found = ("-i", inventory)
    planned = run((*STEAD, "plan", *found, "-o", "saved"), folder).wall
    applied = run((*STEAD, "apply", *found, "--auto-approve", "saved"), folder).wall
    listed = json.loads(subprocess.check_output((ANSIBLE[0] + "-inventory", *found, "--list")))
    hosts = {name: listed["_meta"]["hostvars"][name] for name in listed["compute"]["hosts"]}
    work = {name: json.loads(on_hosts({name: own}, READ, {name: None})[0]) for name, own in hosts.items()}
    run((*STEAD, "destroy", *found, "--auto-approve", "--max-disruption", "data-loss"), folder)
    started = time.perf_counter()
    on_hosts(hosts, DO, work)
    script = time.perf_counter() - started
    on_hosts(hosts, UNDO, work)
    for name, one in work.items():
        (folder / f"{name}.json").write_text(json.dumps(one))
    play = [{**PLAY[0], "vars_files": ["{{ inventory_hostname }}.json"]}]
    (folder / "play.json").write_text(json.dumps(play))
    os.environ["ANSIBLE_COLLECTIONS_PATH"], kept = (
        str(collections.resolve()),
        os.environ.get("ANSIBLE_COLLECTIONS_PATH"),
    )
    playbook = run((ANSIBLE[1], *found, "play.json"), folder).wall
    os.environ.pop("ANSIBLE_COLLECTIONS_PATH") if kept is None else os.environ.update(ANSIBLE_COLLECTIONS_PATH=kept)
    on_hosts(hosts, UNDO, work)
    return {
        "stead apply FILE": applied,
        "stead plan and apply": planned + applied,
        "script": script,
        "playbook": playbook,
    }


def on_hosts(hosts: dict[str, Any], program: str, work: dict[str, Any]) -> list[str]:
    """Runs a Python program on all hosts at once, each fed with its own work; what they printed."""
    running = []
    for name, own in hosts.items():
        options = own.get("ansible_ssh_common_args", "").split() + own.get("ansible_ssh_args", "").split()
        key = own["ansible_ssh_private_key_file"]
        command = ["ssh", "-i", key, *options, f"root@{own['ansible_host']}", f"python3 -c '{quote(program)}'"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append((process, json.dumps(work[name])))
    said = [process.communicate(text)[0] for process, text in running]
    if any(process.returncode for process, _ in running):
        raise SystemExit("a host refused its work")
    return said


def quote(program: str) -> str:
    return program.replace("'", "'\"'\"'")


if __name__ == "__main__":
    main()
