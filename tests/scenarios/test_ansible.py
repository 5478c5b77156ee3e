"""Stead with Ansible alone: playbooks, inventory of instances, lookup, and the collection as others install it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stead.cli import main

ROOT = Path(__file__).parents[2]
COLLECTION = ROOT / "collections" / "ansible_collections" / "stead" / "cloud"
BESIDE = Path(sys.executable).parent
INSTANCES = """
plugin: stead.cloud.stead
user: debian
strict: true
keyed_groups: [{key: stead_properties.tier | default('none'), prefix: tier}]
compose: {tier: stead_properties.tier | default('none')}
"""


def ansible(
    folder: Path, program: str, *words: str, collections: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("STEAD_", "ANSIBLE_"))}
    environment |= {
        "ANSIBLE_COLLECTIONS_PATH": str(collections or ROOT / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_HOME": str(folder / "ansible-home"),
    }
    return subprocess.run(
        [str(BESIDE / program), *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    assert main(["init", "demo", "-C", str(folder)]) == 0
    spec = folder / "stead.yml"
    text = spec.read_text().replace(
        "      proxy:\n", "      proxy:\n        labels: {env: prod}\n        properties: {tier: edge}\n"
    )
    spec.write_text(text)
    (folder / "stead_inventory.yml").write_text(INSTANCES)
    return folder


def play(site: Path, playbook: str, *words: str) -> subprocess.CompletedProcess[str]:
    return ansible(site, "ansible-playbook", f"stead.cloud.{playbook}", "-i", "inventory.yml", *words)


def test_the_story_from_plan_to_inventory(site: Path) -> None:
    """One story, since each part stands on the one before."""
    planned = play(site, "plan", "-e", "stead_plan=today.plan")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "14 to create" in planned.stdout

    checked = play(site, "apply", "-e", "stead_plan=today.plan", "--check")
    assert "changed=1" in checked.stdout, checked.stdout + checked.stderr
    applied = play(site, "apply", "-e", "stead_plan=today.plan")
    assert "+ acme/instances/db on compute-1" in applied.stdout, applied.stdout + applied.stderr
    assert "changed=1" in applied.stdout

    stale = play(site, "apply", "-e", "stead_plan=today.plan")
    assert stale.returncode != 0
    assert "STEAD-A001" in stale.stdout + stale.stderr

    again = play(site, "apply")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "changed=0" in again.stdout

    listed = ansible(site, "ansible-inventory", "-i", "stead_inventory.yml", "--list")
    data = json.loads(listed.stdout, object_hook=plain)
    hosts = data["_meta"]["hostvars"]
    assert (
        set(data["project_acme"]["hosts"])
        == set(hosts)
        == {f"acme.web-{n}" for n in range(3)} | {"acme.db", "acme.proxy"}
    )
    assert data["label_env_prod"]["hosts"] == data["tier_edge"]["hosts"] == ["acme.proxy"]
    assert "acme.db" not in data["flavor_small"]["hosts"]
    proxy, web = hosts["acme.proxy"], hosts["acme.web-0"]
    assert proxy["ansible_host"] == proxy["stead_floating_ip"] == "203.0.113.10"
    assert "ansible_ssh_common_args" not in proxy
    assert web["ansible_host"] == web["stead_addresses"]["app"][0]
    assert f"/usr/lib/stead/relay {relayed(web)}" in web["ansible_ssh_common_args"]
    assert web["tier"] == "none"

    told = ansible(site, "ansible", "localhost", "-m", "debug", "-a", "msg={{ lookup('stead.cloud.output', 'www') }}")
    assert "203.0.113.10" in told.stdout, told.stderr
    unknown = ansible(site, "ansible", "localhost", "-m", "debug", "-a", "msg={{ lookup('stead.cloud.output', 'ww') }}")
    assert "There is no output ww. There are: www." in unknown.stdout + unknown.stderr

    kept = play(site, "apply", "-e", "stead_destroy=true")
    assert kept.returncode != 0
    assert "STEAD-C031" in kept.stdout + kept.stderr
    gone = play(site, "apply", "-e", "stead_destroy=true", "-e", "stead_max_disruption=data-loss")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    empty = json.loads(ansible(site, "ansible-inventory", "-i", "stead_inventory.yml", "--list").stdout)
    assert empty["_meta"]["hostvars"] == {}


def plain(data: dict[str, Any]) -> Any:
    """ansible-inventory marks text that is no template, as all of Stead's is."""
    return data.get("__ansible_unsafe", data)


def relayed(web: dict[str, str]) -> str:
    """The words after the program: network, address, port."""
    words = web["ansible_ssh_common_args"].rstrip("'").split()
    assert words[-2:] == [web["ansible_host"], "22"]
    return " ".join(words[-3:])


def test_mistakes_in_a_spec_reach_whoever_runs_the_playbook(tmp_path: Path) -> None:
    assert main(["init", "demo", "-C", str(tmp_path)]) == 0
    spec = tmp_path / "stead.yml"
    spec.write_text(spec.read_text().replace("flavor: small", "flavor: smal", 1))
    done = play(tmp_path, "plan")
    assert done.returncode != 0
    assert "stead.yml:" in done.stdout + done.stderr
    assert "Did you mean" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_what_is_written_on_a_command_line_means_what_it_says(tmp_path: Path) -> None:
    """There every value is text: one address is not a list of letters, and `no` does not plan the end of everything."""
    assert main(["init", "demo", "-C", str(tmp_path)]) == 0
    planned = play(tmp_path, "plan", "-e", "stead_target=acme/networks/app")
    assert "+ networks/app" in planned.stdout, planned.stdout + planned.stderr
    assert "instances/" not in planned.stdout

    task = ("localhost", "-i", "inventory.yml", "-m", "stead.cloud.plan", "-a")
    kept = ansible(tmp_path, "ansible", *task, "destroy=no project=acme")
    assert "to create" in kept.stdout, kept.stdout + kept.stderr
    for wrong, said in (("destroy=maybe", "bool"), ("max_disruption=much", "one of"), ("targets=acme", "targets")):
        refused = ansible(tmp_path, "ansible", *task, wrong)
        assert refused.returncode != 0, wrong
        assert said in refused.stdout, refused.stdout + refused.stderr


def test_an_inventory_of_instances_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "stead_inventory.yml").write_text("plugin: stead.cloud.stead\ndirectory: nowhere\n")
    done = ansible(tmp_path, "ansible-inventory", "-i", "stead_inventory.yml", "--list")
    assert "STEAD-" in done.stderr
    assert "nowhere" in done.stderr


def test_the_collection_builds_and_everything_in_it_is_documented(tmp_path: Path) -> None:
    built = ansible(tmp_path, "ansible-galaxy", "collection", "build", str(COLLECTION), "--output-path", str(tmp_path))
    assert built.returncode == 0, built.stderr
    (archive,) = tmp_path.glob("stead-cloud-*.tar.gz")
    assert archive.stat().st_size < 1 << 20  # nothing that tests or caches left
    place = tmp_path / "collections"
    # By force, since the collection beside the package counts as installed already.
    words = ("collection", "install", str(archive), "--offline", "--force", "-p", str(place))
    installed = ansible(tmp_path, "ansible-galaxy", *words, collections=place)
    assert installed.returncode == 0, installed.stderr
    assert (place / "ansible_collections" / "stead" / "cloud" / "MANIFEST.json").is_file()
    modules = [path.stem for path in (COLLECTION / "plugins" / "modules").glob("*.py")]
    roles = [path.name for path in (COLLECTION / "roles").iterdir() if path.is_dir()]
    for kind, count in (("module", len(modules)), ("inventory", 1), ("lookup", 1), ("role", len(roles))):
        listed = ansible(tmp_path, "ansible-doc", "-t", kind, "--json", "-l", "stead.cloud", collections=place)
        found = json.loads(listed.stdout)
        assert len(found) == count, listed.stderr
        assert all(found.values())


def test_the_wheel_brings_the_collection_to_ansible(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = [str(tmp_path / "venv" / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements-run.lock")], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", str(ROOT)], check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment["PATH"] = f"{tmp_path / 'venv' / 'bin'}:{os.environ['PATH']}"

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "stead" in run("stead", "version")
    assert "OPTIONS" in run("ansible-doc", "stead.cloud.instance")
    assert "apply" in run("ansible-playbook", "stead.cloud.apply", "--syntax-check")
