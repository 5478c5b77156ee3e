"""What planning costs: start-up as multiples of `python -c pass`, and growth from 1,000 to 100,000 instances.

python bench/plan.py [--quick]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import site_of
from measure import STEAD, best, run

SMALL = Path(__file__).parent.parent / "examples" / "small"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to 10,000 instances")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="stead-bench-") as name:
        folder = Path(name)
        start_up(folder / "small")
        growth(folder, (1_000, 3_000, 10_000) if quick else (1_000, 10_000, 30_000, 100_000))


def start_up(folder: Path) -> None:
    shutil.copytree(SMALL, folder, ignore=shutil.ignore_patterns(".stead"))
    floor = best((sys.executable, "-c", "pass"), folder, times=10)
    print(f"python -c pass            {floor.wall * 1000:7.1f} ms")
    for title, command, aim, expect in (
        ("stead --version", (*STEAD, "--version"), 3, (0,)),
        ("stead plan, small example", (*STEAD, "plan"), 10, (0, 2)),
    ):
        cost = best(command, folder, times=10, expect=expect)
        print(f"{title:<25} {cost.wall * 1000:7.1f} ms  {cost.wall / floor.wall:5.1f}x  (aim {aim}x)")


def growth(folder: Path, sizes: tuple[int, ...]) -> None:
    first: tuple[int, float] | None = None
    for size in sizes:
        here = folder / f"site-{size}"
        site_of.write(here, instances=size, hosts=size // 10)
        print(f"\n{size:,} instances on {size // 10:,} simulated hosts")
        cold = run((*STEAD, "plan"), here)
        print(f"  plan, empty store       {cold}")
        if first is None:
            first = (size, cold.cpu)
        else:
            print(
                f"  growth from {first[0]:,}: {size / first[0]:.0f}x the instances, {cold.cpu / first[1]:.1f}x the CPU"
            )
        applied = run((*STEAD, "apply", "--auto-approve", "--quiet"), here)
        print(f"  apply                   {applied}")
        again = run((*STEAD, "plan", "--detailed-exitcode"), here)
        print(f"  plan, nothing to do     {again}")
        spec = here / "stead.yml"
        spec.write_text(spec.read_text().replace("count: 250", "count: 251", 1))
        one = run((*STEAD, "plan", "--detailed-exitcode"), here, expect=(2,))
        print(f"  plan, one more instance {one}")


if __name__ == "__main__":
    main()
