"""Modules by themselves, in a plain playbook on a bare host that was prepared: as they are documented, and honestly."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from driving import PLAYBOOK, prepare, tiny
from leftovers import differences, listing
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "collections/ansible_collections/stead/cloud/plugins/modules"
EXAMPLE = ROOT / "examples/playbooks/one-host.yml"
SOURCE = "/srv/tiny.qcow2"


ALL_GONE = """
- hosts: compute-1
  gather_facts: false
  tasks:
    - stead.cloud.snapshot: {project: acme, name: "{{ item }}", state: absent}
      loop: [data-first, pgdata-monday]
    - stead.cloud.instance: {project: acme, name: "{{ item }}", state: absent}
      loop: [web, db, jobs]
    - stead.cloud.volume: {project: acme, name: "{{ item }}", state: absent}
      loop: [data, pgdata]
    - stead.cloud.network: {project: acme, name: "{{ item }}", state: absent}
      loop: [app, lone]
    - stead.cloud.image: {name: "{{ item }}", state: absent}
      loop: [debian, debian-12, one]
"""


@pytest.fixture(scope="module")
def prepared(make_lab: Callable[..., Lab]) -> Lab:
    found = make_lab("m", parse({"hosts": {"compute": 1}}, "modules"), base="bare")
    prepare(found)
    shutil.copy(tiny(), found.rooms.host("compute-1") / f"own{SOURCE}")
    return found


@pytest.fixture
def alone(prepared: Lab, tmp_path: Path) -> Iterator[Lab]:
    """Whatever became of a test, the next one finds the host as it was."""
    yield prepared
    (tmp_path / "gone.yml").write_text(ALL_GONE, encoding="utf-8")
    play(prepared, tmp_path / "gone.yml")


class Did(NamedTuple):
    task: str
    changed: bool
    diff: list[str]


def play(lab: Lab, playbook: Path, *arguments: str) -> list[Did]:
    """Each task that was not skipped."""
    words = [str(PLAYBOOK), "-i", str(lab.inventory), *arguments, str(playbook)]
    settings = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "0"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=settings)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    found = []
    for block in done.stdout.partition("PLAY RECAP")[0].split("\nTASK [")[1:]:
        name, _end, said = block.partition("]")
        diff = [line for line in said.splitlines() if line.startswith(("+", "-"))]
        found.append(Did(name, "\nchanged: [compute-1]" in said, diff))
    return found


def changed(results: list[Did]) -> list[str]:
    return [one.task for one in results if one.changed]


def example(lab: Lab, *arguments: str) -> list[Did]:
    return play(lab, EXAMPLE, "-e", f"image={SOURCE}", "-e", "hypervisor=qemu", *arguments)


def test_a_playbook_makes_changes_and_removes_and_says_before_what_it_will_do(alone: Lab) -> None:
    before = listing(alone)
    rehearsed = example(alone, "--check", "--diff")
    assert differences(before, listing(alone)) == []
    first = example(alone, "--diff")
    assert len(first) == 5
    assert first == rehearsed
    assert all(one.changed and one.diff for one in first)
    assert changed(example(alone)) == changed(example(alone, "--check")) == []
    uuid = alone.run("compute-1", ["virsh", "domuuid", "acme.web"]).strip()
    log = f"/var/lib/stead/instances/{uuid}/console.log"
    assert patiently(lambda: "is ready after" in alone.run("compute-1", ["cat", log]))

    network = alone.run("compute-1", ["sh", "-c", "ip netns list | cut -d' ' -f1"]).strip()
    fetch = (
        "import urllib.request as r; print(r.urlopen('http://10.20.0.11/cgi-bin/index.cgi', timeout=8).read().decode())"
    )
    asked = ["ip", "netns", "exec", network, "python3", "-c", fetch]
    assert patiently(lambda: json.loads(alone.run("compute-1", asked)))["ipv4"] == ["10.20.0.11"]

    grown = example(alone, "-e", "size=2GiB", "--check", "--diff")
    assert changed(grown) == ["Keep the volume"]
    assert changed(example(alone, "-e", "size=2GiB")) == ["Keep the volume"]
    assert changed(example(alone, "-e", "size=2GiB")) == []
    assert "2147483648" in alone.run("compute-1", ["virsh", "domblkinfo", "acme.web", "vdb"])

    alone.run("compute-1", ["virsh", "destroy", "acme.web"])
    assert changed(example(alone, "-e", "size=2GiB", "--check")) == ["Run the server"]
    assert changed(example(alone, "-e", "size=2GiB")) == ["Run the server"]

    gone = ("-e", "stead_state=absent")
    assert len(changed(example(alone, *gone, "--check"))) == 5
    assert len(changed(example(alone, *gone))) == 5
    assert changed(example(alone, *gone)) == []
    assert differences(before, listing(alone)) == []


def documented(name: str) -> list[dict[str, Any]]:
    """The examples of a module that are for one host, word for word but for where the image comes from and what it
    serves.
    """
    text = (MODULES / f"{name}.py").read_text(encoding="utf-8").split('EXAMPLES = r"""')[1].split('"""')[0]
    found = []
    for task in yaml.safe_load(text):
        given = task[f"stead.cloud.{name}"]
        if given.get("state") == "absent" or given.get("type") in ("nfs", "iscsi") or "checksum" in given:
            continue
        if "source" in given:
            given["source"] = SOURCE
        if "path" in given.get("wait", {}):
            given["wait"]["path"] = "/cgi-bin/index.cgi"
        found.append(task)
    return found


@pytest.mark.long
def test_documented_examples_run_as_they_are(alone: Lab, tmp_path: Path) -> None:
    before = listing(alone)
    tasks = [task for name in ("image", "network", "volume", "snapshot", "instance") for task in documented(name)]
    assert len(tasks) >= 5
    head = {"hosts": "compute-1", "gather_facts": False}
    defaults = {"module_defaults": {"stead.cloud.instance": {"hypervisor": "qemu"}}}
    (tmp_path / "all.yml").write_text(yaml.safe_dump([{**head, **defaults, "tasks": tasks}]))
    absent = []
    for task in reversed(tasks):
        (module,) = (key for key in task if key.startswith("stead."))
        own = {key: value for key, value in task[module].items() if key in ("name", "project")}
        absent.append({"name": f"no {own['name']}", module: {**own, "state": "absent"}})
    (tmp_path / "none.yml").write_text(yaml.safe_dump([{**head, "tasks": absent}]))
    assert len(changed(play(alone, tmp_path / "all.yml"))) == len(tasks)
    again = play(alone, tmp_path / "all.yml", "--diff")
    assert [(one.task, one.diff) for one in again if one.changed] == []
    play(alone, tmp_path / "none.yml")
    assert differences(before, listing(alone)) == []


def test_another_content_replaces_an_image_and_a_wrong_one_replaces_nothing(alone: Lab, tmp_path: Path) -> None:
    before = listing(alone)
    other = alone.rooms.host("compute-1") / "own/srv/other.qcow2"
    subprocess.run(["qemu-img", "convert", "-c", "-f", "qcow2", "-O", "qcow2", tiny(), other], check=True)

    def image(**given: str) -> Path:
        path = tmp_path / "image.yml"
        task = {"name": "image", "stead.cloud.image": {"name": "one", **given}}
        path.write_text(yaml.safe_dump([{"hosts": "compute-1", "gather_facts": False, "tasks": [task]}]))
        return path

    def kept() -> list[str]:
        return alone.run("compute-1", ["sh", "-c", "cd /var/lib/stead/images && ls *.qcow2 || true"]).split()

    play(alone, image(source=SOURCE))
    first = kept()
    with pytest.raises(AssertionError, match="has checksum sha256"):
        play(alone, image(source="/srv/other.qcow2", checksum="sha256:" + "0" * 64))
    assert kept() == first
    assert changed(play(alone, image(source=SOURCE))) == []
    assert changed(play(alone, image(source="/srv/other.qcow2"), "--check")) == ["image"]
    assert changed(play(alone, image(source="/srv/other.qcow2"))) == ["image"]
    assert len(kept()) == 1
    assert kept() != first
    play(alone, image(state="absent"))
    assert differences(before, listing(alone)) == []
