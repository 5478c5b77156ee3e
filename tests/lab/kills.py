"""Kills applies on a lab of real hosts, or on simulated ones, and says what came of it: `scripts/kills --help`.

The specs change to and fro between what is made, changed, joined and destroyed on hosts of every role.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from driving import tiny
from killing import Killing
from killing_worlds import Real, Simulated

from stead.lab.lifecycle import open_lab
from stead.lab.site import Lab

VICTIMS = ("stead", "ansible", "fork server", "host-code", "lock")
HOSTS = """all: {vars: {stead_runner: simulated}}
controller: {hosts: {controller-1: }}
compute: {hosts: {"compute-[1:6]": }}
network: {hosts: {network-1: }}
"""
PUBLIC = (
    "networks: {public: {type: flat, physical: external, external: true, subnets: {v4: {cidr: 203.0.113.0/24,"
    " gateway: 203.0.113.1, pool: 203.0.113.50-203.0.113.90}}}}"
)
# Emulated on purpose: how fast a guest starts is the machine's business, and that it starts must not be.
GUEST = "image: tiny, hypervisor: qemu, stop_timeout: 1s, flavor: {vcpus: 1, memory: 128MiB, disk: 300MiB}"
NETWORKS = {"app": "10.20.0.0/24", "more": "10.21.0.0/24", "other": "10.22.0.0/24"}
LEFT = "host: compute-1, networks: [app], security_groups: [open], volumes: [one]"
RIGHT = "host: compute-2, networks: [app, more], security_groups: [open], state: stopped"
IDLE = "host: compute-2, networks: [other], state: stopped"


def spec(routed: Sequence[str], volumes: Sequence[str], **instances: str) -> str:
    lines = ["stead: 1", f"images: {{tiny: {{source: {tiny()}}}}}", PUBLIC, "projects:", "  acme:", "    networks:"]
    lines += [
        f"      {name}: {{subnets: {{v4: {{cidr: {NETWORKS[name]}}}}}}}" for name in {"app": 0, **dict.fromkeys(routed)}
    ]
    lines += ["    routers:", f"      edge: {{external: public, networks: [{', '.join(routed)}]}}"]
    lines += ["    security_groups: {open: {ingress: [{protocol: any}]}}", "    volumes:"]
    lines += [f"      {name}: {{size: 1MiB, host: compute-1}}" for name in volumes]
    lines += ["    instances:", *(f"      {name}: {{{GUEST}, {more}}}" for name, more in instances.items())]
    return "\n".join(lines) + "\n"


def real_specs() -> list[str]:
    return [
        spec(["app"], ["one"], left=LEFT),
        spec(["app", "more"], ["one", "two"], left=LEFT, right=RIGHT),
        spec(["other"], ["three"], idle=IDLE),
    ]


def simulated_specs() -> list[str]:
    def of(volumes: int, instances: int, more: str = "") -> str:
        return f"""stead: 1
images: {{tiny: {{source: /srv/tiny.qcow2}}}}
projects:
  acme:
    networks: {{app: {{subnets: {{v4: {{cidr: 10.20.0.0/22}}}}}}{more}}}
    volumes: {{data: {{count: {volumes}, size: 1GiB}}}}
    instances:
      web: {{count: {instances}, image: tiny, flavor: {{vcpus: 1, memory: 1GiB, disk: 10GiB}}, networks: [app]}}
"""

    return [of(150, 20), of(20, 60, ", more: {subnets: {v4: {cidr: 10.30.0.0/24}}}"), of(250, 40)]


def on_real_hosts(lab: Lab, folder: Path, seed: int, victims: Sequence[str] = VICTIMS) -> Killing:
    """Of hosts that are prepared: two compute hosts, and one of the roles network and controller."""
    found = Killing(folder, Real(lab, victims), real_specs(), seed)
    found.prepare()
    return found


def on_simulated_hosts(folder: Path, seed: int) -> Killing:
    (folder / "hosts.yml").write_text(HOSTS, encoding="utf-8")
    found = Killing(folder, Simulated(folder, folder / "hosts.yml"), simulated_specs(), seed)
    found.prepare()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/kills", description=__doc__)
    parser.add_argument(
        "--lab", metavar="NAME", help="a lab that was bootstrapped and has nothing on it (default: simulated hosts)"
    )
    parser.add_argument("--kills", type=int, default=50, metavar="N", help="how many (default: 50)")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), help="of an earlier run, to repeat its choices"
    )
    parser.add_argument(
        "--victims", default=",".join(VICTIMS), help="who is killed in turn, on real hosts (default: %(default)s)"
    )
    options = parser.parse_args()
    began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="stead-kills-"))
    print(f"seed {options.seed}, in {folder}")
    if options.lab:
        killing = on_real_hosts(open_lab(options.lab), folder, options.seed, options.victims.split(","))
    else:
        killing = on_simulated_hosts(folder, options.seed)
    try:
        killing.kill(options.kills)
    finally:
        print(*killing.tally.rows(), f"seed {options.seed}, {time.monotonic() - began:.0f} s", sep="\n")
    killing.destroy()  # what did not come right stays for whoever looks into it
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
