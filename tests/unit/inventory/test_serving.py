"""`stead_serve`: what is read, and what of a site goes to the controller."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from stead.core.diagnostics import Refused
from stead.site import serving
from stead.site.inventory import read_inventory
from stead.site.inventory.serving import ApiSettings
from stead.site.program import LIBRARY, program, write


def told(folder: Path, text: str) -> list[str]:
    path = folder / "inventory.yml"
    path.write_text(text)
    return [f"{one.code} {one.detail}" for one in read_inventory([path])[1]]


def test_a_controller_serves(tmp_path: Path) -> None:
    assert told(tmp_path, "controller: {hosts: {a: {stead_serve: }, b: {stead_serve: {port: 8443}}, c: }}") == []
    inventory, _found = read_inventory([tmp_path / "inventory.yml"])
    assert inventory.serving == {"a": ApiSettings(), "b": ApiSettings(port=8443)}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("{colour: red}", "colour"),
        ("{certificate: /etc/a.pem}", "needs both"),
        ("{certificate: a.pem, key: /etc/b.pem}", "whole path"),
        ("{names: cloud.example.org}", "list of names"),
        ("{port: 443}", "without root"),
        ("yes", "mapping"),
    ],
)
def test_what_it_cannot_be_is_told(tmp_path: Path, given: str, word: str) -> None:
    (found,) = told(tmp_path, f"controller: {{hosts: {{a: {{stead_serve: {given}}}}}}}")
    assert found.startswith("STEAD-H104")
    assert word in found


THREE = "{{hosts: {{{hosts}}}, vars: {{stead_serve: {{address: 192.0.2.10}}}}}}"


def of_controllers(*numbers: int, more: str = "") -> str:
    hosts = [f"c{one}: {{ansible_host: 192.0.2.{one}{more}}}" for one in numbers]
    return f"controller: {THREE.format(hosts=', '.join(hosts))}"


def test_three_controllers_have_one_address(tmp_path: Path) -> None:
    assert told(tmp_path, of_controllers(1, 2, 3)) == []
    inventory, _found = read_inventory([tmp_path / "inventory.yml"])
    assert {one.address for one in inventory.serving.values()} == {"192.0.2.10"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (of_controllers(1), "outlives no failure"),
        (of_controllers(1, 2), "outlives no failure"),
        (of_controllers(1, 2, 3, 4), "as many failures as one less"),
        (of_controllers(1, 2, 10), "which c10 has"),
        (of_controllers(1, 2, 3).replace("192.0.2.3}", "c3.example.org}"), "needs stead_underlay_address"),
        (of_controllers(1, 2, 3).replace("192.0.2.3}", "192.0.2.3, stead_serve: {}}"), "one API has one address"),
        (of_controllers(1, 2, 3).replace("address: 192.0.2.10", "address: cloud"), "write an IP address"),
    ],
)
def test_what_makes_no_majority_is_told(tmp_path: Path, text: str, word: str) -> None:
    found = told(tmp_path, text)
    assert any(word in one for one in found), found
    assert all(one.startswith("STEAD-H104") for one in found)


def test_only_a_controller_serves(tmp_path: Path) -> None:
    (found,) = told(tmp_path, "compute: {hosts: {a: {stead_serve: {}}}}")
    assert "group controller" in found


def test_what_opens_something_here_stays_here(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    vaulted = "!vault |\n            $ANSIBLE_VAULT;1.1;AES256\n            3031\n"
    opening = "ansible_ssh_private_key_file: /home/ada/key, ansible_ssh_common_args: -J jump"
    text = f"""
all: {{vars: {{{opening}, stead_zone: east}}}}
compute:
  hosts:
    a:
      ansible_host: 192.0.2.1
      ansible_connection: local
      ansible_become_password: {vaulted}
      stead_fence:
        agent: fence_ipmilan
        password: {vaulted}
others: {{hosts: {{z: }}}}
"""
    path.write_text(text)
    found = json.loads(serving.inventory([str(path)], {"a": "deploy"}))["all"]
    assert found["hosts"] == {"a": {"ansible_host": "192.0.2.1", "ansible_user": "deploy", "stead_zone": "east"}}
    (tmp_path / "there.yml").write_text(json.dumps({"all": found}))
    assert read_inventory([tmp_path / "there.yml"])[0].hosts["a"].zone == "east"


def test_the_sites_files_go_and_what_is_hidden_stays(tmp_path: Path) -> None:
    for name in ("stead.yml", "tenants/acme.yml", ".git/config", ".vault", "group_vars/all.yml", "inventory.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    sources = [str(tmp_path / "inventory.yml")]
    assert serving.files(".", sources) == {name: name for name in ("stead.yml", "tenants/acme.yml")}
    (tmp_path / "disk.qcow2").write_bytes(b"\xff\xfe")
    for given in (".", "nowhere"):
        with pytest.raises(Refused, match="STEAD-H041"):
            serving.files(given, sources)
    (tmp_path / "disk.qcow2").write_bytes(b" " * (serving.LARGEST + 1))
    with pytest.raises(Refused, match="STEAD-H041"):
        serving.files(".", sources)


@pytest.mark.parametrize("name", ["web[1].yml", "회사.yml", "-a.yml"])
def test_a_file_that_the_controller_would_not_take_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("stead: 1\n", encoding="utf-8")
    with pytest.raises(Refused, match="Rename it"):
        serving.files("", [str(tmp_path)])


def test_the_running_stead_runs_from_its_archive(tmp_path: Path) -> None:
    root = tmp_path / "there"
    running = program()
    assert program().digest == running.digest
    with (tmp_path / "archive").open("wb") as file:
        write(running, str(root), file)
    with tarfile.open(tmp_path / "archive") as archive:
        names = archive.getnames()
        archive.extractall(root, filter="fully_trusted")  # noqa: S202
    assert not [name for name in names if "__pycache__" in name or "/pytest/" in name or name.startswith("/")]
    python = root / "bin/python3"
    python.unlink()
    python.symlink_to(sys.executable)
    (root / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).resolve().parent}\n")
    code = "import stead.serve.http, cryptography.x509, ansible; print(stead.__file__)"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith(str(root / LIBRARY)), done.stderr
    code = "from stead.site.program import program; one = program(); print(one.digest, len(one.files))"
    again = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert again.split() == [running.digest, str(len(running.files))], (
        "a controller can prepare another one with the same"
    )
    words = [str(root / "bin/ansible-playbook"), "--version"]
    assert "ansible-playbook [core" in subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert subprocess.run([root / "bin/stead", "--version"], capture_output=True, text=True, check=True).stdout
