"""What looking at real hosts costs beyond what Ansible costs: observing and a plan, beside `ansible -m ping`.

In rounds, one after another, so that the machine's other work meets all of them alike; the median of each counts.
Only time on the wall: who reads Ansible's code for a command is waited for by nobody, so its CPU is nobody's.
python bench/hosts.py INVENTORY [SITE] [--rounds 5]. SITE is the directory of a spec that was applied to these hosts:
its plan has nothing to do. Without one, the plan is of a spec that asks for nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from measure import STEAD, Cost, run

BESIDE = Path(sys.executable).parent
# What Stead tells Ansible too, so that both go the same way to a host.
SAME = {"ANSIBLE_PIPELINING": "1", "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3"}
AIMS = {"stead plan": 3.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inventory", type=Path)
    parser.add_argument("site", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ.update(SAME)
    with tempfile.TemporaryDirectory(prefix="stead-bench-") as name:
        nothing = Path(name)
        (nothing / "stead.yml").write_text("stead: 1\n")
        compare(str(options.inventory.resolve()), options.site or nothing, options.rounds)


def compare(inventory: str, site: Path, rounds: int) -> None:
    commands = {
        "ansible -m ping": (str(BESIDE / "ansible"), "-i", inventory, "all", "-m", "ping", "-f", "50"),
        "stead hosts": (*STEAD, "hosts", "-i", inventory),
        "stead plan": (*STEAD, "plan", "-i", inventory, "--detailed-exitcode"),
    }
    costs: dict[str, list[Cost]] = {title: [] for title in commands}
    for _ in range(rounds):
        for title, command in commands.items():
            costs[title].append(run(command, site))
    floor = costs["ansible -m ping"]
    for title, several in costs.items():
        wall = median(one.wall for one in several)
        ratios = [one.wall / ping.wall for one, ping in zip(several, floor, strict=True)]
        aim = f"  (aim {AIMS[title]:.0f}x)" if title in AIMS else ""
        print(f"{title:<16} {wall:7.2f} s wall  {median(ratios):5.2f}x of ping's wall{aim}")


if __name__ == "__main__":
    main()
