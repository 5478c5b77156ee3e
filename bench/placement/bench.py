"""Every number of the placement targets, from one run: time, quality beside a bound, peers beside us.

python bench/placement/bench.py --quick              small sizes, a few minutes
python bench/placement/bench.py --table FILE         five seeds at full size, about half an hour on two quiet cores
python bench/placement/bench.py --hbal --hail 450    hbal run anew to its end, hail with all its time
python bench/placement/bench.py --vbp DIR            vector bin packing files
python bench/placement/bench.py --roadef MODEL ASSIGNMENT

Each line says value, aim and whether it was met; the end says what was missed, and so does the exit status.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import files
import ganeti
import quality
import rivals
import speed
from report import Report, seconds

from stead.blueprint.placement import Policy

HEAD = """# Placement, measured

What `python bench/placement/bench.py --table docs/placement-measured.md` said last. What stands beside what is told in
[placement.md](placement.md#measuring). Aims are judged by CPU seconds.
"""
PARTS = ("speed", "quality", "nova", "cpsat", "ganeti")


class Size(NamedTuple):
    """`balanced` and `packed`: hosts of the clusters whose quality is measured, ten instances for each."""

    hosts: int
    instances: int
    moves: int
    seeds: int
    balanced: tuple[int, ...]
    packed: tuple[int, ...]
    nova: int
    cases: int
    hail: float


FULL = Size(10_000, 100_000, 5_000, 5, (1_000,), (1_000, 10_000), 1_000, 15, 60)
QUICK = Size(1_000, 10_000, 500, 2, (1_000,), (1_000,), 200, 3, 60)


def measure(report: Report, size: Size, seeds: Sequence[int], parts: Sequence[str], peers: ganeti.Ganeti) -> None:
    if "speed" in parts:
        for seed in seeds:
            speed.run(report, size.hosts, size.instances, size.moves, seed)
    if "nova" in parts:
        rivals.against_nova(report, size.nova)
    if "ganeti" in parts:
        ganeti.run(report, peers)
    if "cpsat" in parts:
        rivals.against_cpsat(report, size.cases, limit=300)
    if "quality" in parts:
        for seed in seeds:
            for hosts in size.balanced:
                quality.run(report, hosts, seed, Policy.BALANCE)
            for hosts in size.packed:
                quality.run(report, hosts, seed, Policy.PACK)


def machine() -> str:
    """What the figures were measured on, and of what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = f"{len(models)} x {models[0]}" if models else platform.processor()
    described = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    commit = subprocess.run(described, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    return f"{cores}, {platform.system()} {platform.release()}, Python {platform.python_version()}, commit {commit}"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, two seeds")
    parser.add_argument("--seeds", metavar="N,N", help="these instead of 0 to 4")
    parser.add_argument("--only", metavar="PART,PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--hbal", action="store_true", help="run hbal to its end instead of taking what is recorded")
    parser.add_argument("--hail", type=float, metavar="SECONDS", help="of CPU time that hail is given")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the figures there, as Markdown")
    parser.add_argument("--vbp", type=Path, metavar="DIR")
    parser.add_argument("--roadef", type=Path, nargs=2, metavar=("MODEL", "ASSIGNMENT"))
    asked = parser.parse_args()
    if unknown := [one for one in (asked.only or "").split(",") if one and one not in PARTS]:
        parser.error(f"--only {','.join(unknown)}: choose from {', '.join(PARTS)}")
    return asked


def main() -> int:
    asked = options()
    report, started = Report(), time.perf_counter()
    print(machine())
    if asked.vbp:
        files.packed(report, asked.vbp)
    if asked.roadef:
        files.reassigned(report, *asked.roadef)
    if not asked.vbp and not asked.roadef:
        size = QUICK if asked.quick else FULL
        seeds = [int(one) for one in asked.seeds.split(",")] if asked.seeds else range(size.seeds)
        parts = asked.only.split(",") if asked.only else PARTS
        peers = ganeti.Ganeti(hail=asked.hail or size.hail, hbal=asked.hbal, small=asked.quick)
        measure(report, size, seeds, parts, peers)
    met = report.end()
    took = seconds(time.perf_counter() - started)
    print(f"{took} in all")
    if asked.table:
        asked.table.write_text(f"{HEAD}\nMeasured on {machine()}, {took} in all.\n{report.table()}\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
