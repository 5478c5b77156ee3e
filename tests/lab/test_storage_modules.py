"""Pools, volumes and attachments by modules in a playbook, without a plan: the example that people are given."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stead.lab.image.build import ensure_image
from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

EXAMPLE = Path(__file__).parents[2] / "examples/playbooks/served-volume.yml"
SAN = {"san": {"type": "iscsi", "size": "8GiB", "path": "/srv/san"}}
SIZES = {"hosts": {"compute": {"count": 1}, "storage": {"count": 1, "pools": SAN}}}
ABSENT = """
- hosts: compute-1
  gather_facts: false
  tasks:
    - stead.cloud.volume_attachment: {project: acme, instance: db, volume: data, state: absent}
- hosts: storage-1
  gather_facts: false
  tasks:
    - stead.cloud.volume:
        {project: acme, name: data, pool: san, type: iscsi, path: /srv/san, state: absent}
    - stead.cloud.pool: {name: san, type: iscsi, path: /srv/san, state: absent}
"""
REMOVED_TOO_EARLY = """
- hosts: storage-1
  gather_facts: false
  tasks:
    - stead.cloud.pool: {name: san, type: iscsi, path: /srv/san, state: absent}
      register: pool
      ignore_errors: true
    - stead.cloud.volume: {project: acme, name: data, state: absent}
      register: volume
      ignore_errors: true
"""


@pytest.fixture(scope="module")
def lab(make_lab: Callable[..., Lab]) -> Lab:
    found = make_lab("p", parse(SIZES, "test_storage_modules"))
    words = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        str(found.inventory),
        "stead.cloud.bootstrap",
    ]
    subprocess.run(words, capture_output=True, check=True)
    return found


def play(lab: Lab, playbook: Path, *arguments: str) -> str:
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    image = ensure_image("tiny", lambda _text: None)
    words = [
        program,
        "-i",
        str(lab.inventory),
        str(playbook),
        "-e",
        f"image={image}",
        "-e",
        "hypervisor=qemu",
        *arguments,
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def changes(told: str) -> int:
    """Tasks that changed something."""
    return sum(int(one) for one in re.findall(r"changed=(\d+)", told))


def disks(lab: Lab) -> str:
    return lab.run("compute-1", ["virsh", "domblklist", "acme.db"])


def test_check_mode_says_what_would_be_and_does_nothing(lab: Lab) -> None:
    told = play(lab, EXAMPLE, "--check", "--diff", "--limit", "storage-1")
    assert changes(told) == 1  # bootstrap has made the directory
    assert '+ "size": 67108864' in told.replace("+  ", "+ ")
    assert ".raw" not in lab.run("storage-1", ["ls", "/srv/san"])


def test_a_playbook_keeps_a_volume_on_one_host_and_its_instance_on_another(lab: Lab) -> None:
    play(lab, EXAMPLE)
    assert "iqn.2026-01.cloud.stead:" in disks(lab)
    # Guest and host agree of its size.
    assert "67108864" in lab.run("compute-1", ["virsh", "domblkinfo", "acme.db", "vdb"])


def test_a_second_run_changes_nothing(lab: Lab) -> None:
    assert changes(play(lab, EXAMPLE)) == 0
    assert changes(play(lab, EXAMPLE, "--check", "--diff")) == 0


def test_a_larger_size_reaches_the_running_guest(lab: Lab) -> None:
    assert changes(play(lab, EXAMPLE, "-e", "size=96MiB")) == 2
    assert "100663296" in lab.run("compute-1", ["virsh", "domblkinfo", "acme.db", "vdb"])
    assert changes(play(lab, EXAMPLE, "-e", "size=96MiB")) == 0


def test_what_is_in_use_is_not_removed(lab: Lab, tmp_path: Path) -> None:
    told = play(lab, written(tmp_path, REMOVED_TOO_EARLY))
    assert "is not empty: it has acme/volumes/data" in told
    assert "is still attached" in told
    assert "iqn.2026-01.cloud.stead:" in disks(lab)


def test_what_is_absent_is_gone_and_stays_so(lab: Lab, tmp_path: Path) -> None:
    path = written(tmp_path, ABSENT)
    assert changes(play(lab, path, "--check", "--limit", "compute-1")) == 1
    assert "iqn.2026-01.cloud.stead:" in disks(lab)
    assert changes(play(lab, path)) == 3
    assert "iqn.2026-01.cloud.stead:" not in disks(lab)
    assert "Target" not in lab.run("storage-1", ["tgtadm", "--lld", "iscsi", "--op", "show", "--mode", "target"])
    assert changes(play(lab, path)) == 0


def written(folder: Path, text: str) -> Path:
    path = folder / "play.yml"
    path.write_text(text)
    return path
