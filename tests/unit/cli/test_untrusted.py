"""A plan of a stranger's change: nothing of theirs runs, and nothing that opens anything is there to be taken."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from stead.cli import main
from stead.cli.common import bounded
from stead.plan import file as plans

VIEW = "site.view"


def told(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stead", "plan", "--untrusted", VIEW, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def viewed(demo: Path) -> Path:
    assert main(["plan", "--quiet", "--save-view", VIEW]) == 0
    assert Path(VIEW).stat().st_mode & 0o777 == 0o600
    return demo


def test_the_plan_is_that_of_the_site(viewed: Path) -> None:
    unchanged = told("--detailed-exitcode")
    assert (unchanged.returncode, unchanged.stderr.count("\n")) == (0, 1), unchanged.stderr
    assert "Based on the site's state at 20" in unchanged.stderr
    spec = viewed / "stead.yml"
    spec.write_text(spec.read_text().replace("count: 3", "count: 4"))
    changed = told("--json", "--quiet", "--detailed-exitcode")
    assert changed.returncode == 2
    assert main(["plan", "--quiet", "-o", "it.plan"]) == 0
    steps = [(one["address"], one["host"], one["action"]) for one in json.loads(changed.stdout)["steps"]]
    assert steps == [(str(one.address), one.host, str(one.action)) for one in plans.load(Path("it.plan")).steps]


def test_it_needs_nothing_but_the_change_and_the_view(
    viewed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No inventory, no store, no key. And what else is there is not touched."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("stead.yml", VIEW):
        (viewed / name).rename(elsewhere / name)
    (elsewhere / "ansible.cfg").write_text("[defaults]\ncallback_plugins = .\n")
    (elsewhere / "inventory.py").write_text("#!/bin/sh\ntouch ran\n")
    (elsewhere / "json.py").write_text("open('ran', 'w')\n")  # a module of the standard library's name
    monkeypatch.chdir(elsewhere)
    before = sorted(Path().iterdir())
    command = [str(Path(sys.executable).with_name("stead")), "plan", "--untrusted", VIEW, "--detailed-exitcode"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(Path().iterdir()) == before


SPEC = """stead: 1
vars: {token: {type: string, secret: true}}
images: {debian: {source: /d.qcow2}}
flavors: {small: {vcpus: 1, memory: 1GiB, disk: 10GiB}}
outputs: {token: {value: "{{ vars.token }}", secret: true}}
projects:
  acme:
    networks: {app: {subnets: {v4: {cidr: 10.0.0.0/24}}}}
    instances:
      web: {flavor: small, image: debian, networks: [app], cloud_init: {user_data: "token {{ vars.token }}"}}
"""


def test_no_secret_is_in_a_view_and_none_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("stead.yml").write_text(SPEC)
    hosts = "{compute-1: {stead_vcpus: 8, stead_memory: 16GiB}}"
    Path("inventory.yml").write_text(
        "all: {vars: {stead_runner: simulated}, "
        f"children: {{compute: {{hosts: {hosts}}}, network: {{hosts: {hosts}}}}}}}"
    )
    assert main(["apply", "--auto-approve", "--quiet", "-e", "token=hunter2"]) == 0
    assert main(["plan", "--quiet", "--save-view", VIEW, "-e", "token=hunter2"]) == 0
    content = zlib.decompress(Path(VIEW).read_bytes()).decode()
    assert set(re.findall(r'\$secret[\\": ]+([^"\\]+)', content)) == {"unknown"}
    done = told("--detailed-exitcode")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["inventory.yml", "group_vars/all.yml", "host_vars/compute-1/ssh.yml"])
def test_a_change_of_what_runs_on_the_controller_is_told_and_not_read(viewed: Path, name: str) -> None:
    """Variables beside the inventory can name programs. No plan shows them."""
    (viewed / name).parent.mkdir(parents=True, exist_ok=True)
    with (viewed / name).open("a") as file:
        file.write("{no YAML: [at all")
    done = told("--format", "markdown")
    assert done.returncode == 0, done.stderr
    assert "STEAD-G011" in done.stderr
    assert f"Also changed, and not in this plan:\n- {name}\n" in done.stdout
    told_again = told("--json")
    assert "STEAD-G011" in {one["code"] for one in json.loads(told_again.stdout)["diagnostics"]}


def test_an_inventory_elsewhere_is_no_change(viewed: Path, tmp_path: Path) -> None:
    """The job of a pull request need not have it; one that lies among the files is looked for where it was."""
    (tmp_path / "hosts").mkdir()
    elsewhere = tmp_path / "hosts" / "site.yml"
    (viewed / "inventory.yml").rename(elsewhere)
    assert main(["plan", "--quiet", "--save-view", VIEW, "-i", str(elsewhere)]) == 0
    assert "G011" not in told().stderr
    (viewed / "hosts").mkdir()
    inside = viewed / "hosts" / "site.yml"
    elsewhere.rename(inside)
    assert main(["plan", "--quiet", "--save-view", VIEW, "-i", "hosts/site.yml"]) == 0
    assert "G011" not in told().stderr
    (viewed / "hosts" / "group_vars").mkdir()
    (viewed / "hosts" / "group_vars" / "all.yml").write_text("ansible_ssh_common_args: -o ProxyCommand=evil")
    assert "hosts/group_vars/all.yml" in told().stdout


@pytest.mark.parametrize("content", [b"", b"hello", b"x\x9c"])
def test_a_file_of_another_kind_is_no_view(
    demo: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(bounded.WITHIN, "1")
    (demo / VIEW).write_bytes(content)
    assert main(["plan", "--untrusted", VIEW]) == 1
    assert "STEAD-S035" in capsys.readouterr().err


@pytest.mark.parametrize(("what", "most"), [("SECONDS", 1), ("MEMORY", 200 << 20)])
def test_a_spec_that_takes_too_much_is_stopped(
    viewed: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], what: str, most: int
) -> None:
    spec = viewed / "stead.yml"
    names = "".join(f"  net-{number}: {{subnets: {{v4: {{cidr: 10.0.0.0/24}}}}}}\n" for number in range(20_000))
    spec.write_text(spec.read_text().replace("networks:\n", f"networks:\n{names}", 1))
    monkeypatch.setattr(bounded, what, most)
    assert main(["plan", "--untrusted", VIEW]) == 1
    told = capfd.readouterr().err
    # Where memory ends in a bad place, Python ends too.
    assert "STEAD-C015" in told or (what == "MEMORY" and "STEAD-C004" in told)
    assert len(told.splitlines()) < 5


@pytest.mark.parametrize("owned", [True, False])
def test_a_plan_with_project_files_takes_no_more_than_it_may(
    demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], owned: bool
) -> None:
    """Also one without --untrusted. Afterwards nothing is bounded: an apply takes its time."""
    spec = demo / "stead.yml"
    many = 20_000 if owned else 3_000  # what is stopped has to take more than the second that there is
    names = "".join(f"  net-{number}: {{subnets: {{v4: {{cidr: 10.0.0.0/24}}}}}}\n" for number in range(many))
    if owned:
        (demo / "tenants").mkdir()
        (demo / "tenants/red.yml").write_text(f"stead: 1\nnetworks:\n{names}")
        spec.write_text(spec.read_text() + "\ninclude: {project: red, from: tenants/red.yml}\n")
    else:
        spec.write_text(spec.read_text().replace("networks:\n", f"networks:\n{names}", 1))
    monkeypatch.setattr(bounded, "SECONDS", 0)
    before = resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_AS)
    main(["plan", "--quiet"])  # no hosts have room for so many
    assert ("STEAD-C015" in capsys.readouterr().err) is owned
    assert (resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_AS)) == before


@pytest.mark.usefixtures("viewed")
def test_it_writes_no_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--untrusted", VIEW, "-o", "it.plan"]) == 1
    assert "STEAD-C011" in capsys.readouterr().err
