"""`stead validate` of a flat spec, every instance written out, as a multiple of PyYAML's C loader on the same file.

python bench/validate.py [--instances 10000]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from measure import STEAD, best

LOAD = "import sys, yaml; yaml.load(open(sys.argv[1]), yaml.CSafeLoader)"
TIMES = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=10_000)
    instances = parser.parse_args().instances
    with tempfile.TemporaryDirectory(prefix="stead-bench-") as name:
        folder = Path(name)
        spec = folder / "stead.yml"
        spec.write_text(flat(instances))
        floor = best((sys.executable, "-c", LOAD, str(spec)), folder, times=TIMES)
        ours = best((*STEAD, "validate", str(spec)), folder, times=TIMES)
    print(f"{instances:,} instances written out, {len(flat(instances)) / 1e6:.1f} MB")
    print(f"CSafeLoader     {floor}")
    print(f"stead validate  {ours}   {ours.cpu / floor.cpu:.2f}x the CPU  (aim 5x)")


def flat(instances: int) -> str:
    """Ten lines each, as people write them: a name of its own, a fixed address now and then, labels, a volume."""
    lines = ["stead: 1", "images: {debian: {source: /srv/images/debian-12.qcow2}}", "flavors:"]
    lines += ["  small: {vcpus: 1, memory: 2GiB, disk: 20GiB}", "  large: {vcpus: 4, memory: 8GiB, disk: 40GiB}"]
    lines += [
        "projects:",
        "  acme:",
        "    networks:",
        "      app: {subnets: {v4: {cidr: 10.0.0.0/16}}}",
        "    volumes:",
    ]
    lines += [f"      data-{number}: {{size: 10GiB}}" for number in range(0, instances, 10)]
    lines.append("    instances:")
    for number in range(instances):
        address = f", address: 10.0.{100 + number // 250}.{1 + number % 250}" if number % 3 == 0 else ""
        lines += [
            f"      web-{number}:",
            f"        flavor: {'large' if number % 5 == 0 else 'small'}",
            "        image: debian",
            "        networks:",
            f"          - {{network: app{address}}}",
            "        labels:",
            "          tier: web",
            f"          number: '{number}'",
            *([f"        volumes: [data-{number}]"] if number % 10 == 0 else []),
            "        cloud_init:",
            f'          user_data: "#cloud-config\\nhostname: web-{number}\\n"',
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
