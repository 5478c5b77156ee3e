"""A host restores at boot what a site's own driver made, without Ansible: its code was laid down beside Stead's."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.prepare import installing

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "plugins/network-example/collections"
UTILS = "ansible_collections.stead.cloud.plugins.module_utils"
SITES = "ansible_collections/stead/site/plugins/module_utils"
# As the module that prepares a host: it runs from the zip that Ansible made, and lays down what came along in it.
LAY = f"""
import sys
from pathlib import Path
from {UTILS}.host.prepare import installing
for name, (data, _mode) in installing.wanted().items():
    path = Path(sys.argv[1]) / Path(name).relative_to(installing.LIBRARY)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
"""
# As /usr/lib/stead/restore, with the paths of a test.
RESTORE = f"""
import sys
root, code = sys.argv[1:]
sys.path.insert(0, code)
from {UTILS}.host.base import ledger, paths
from {UTILS}.host.run import batch, booting, restoring
for module in (ledger, paths, batch, booting):
    for name, value in vars(module).items():
        if isinstance(value, str) and value.startswith(("/var/lib/stead", "/run/stead")):
            setattr(module, name, root + value)
sys.exit(restoring.main())
"""
ENTRY = {
    "version": 1, "address": "networks/plant", "uuid": "0-1", "kind": "networks", "digest": "d",
    "want": {"name": "networks/plant", "uuid": "0-1", "type": "flat", "driver": "openvswitch", "bridge": "br-ex"},
}  # fmt: skip


def _zip(path: Path, *collections: Path) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for folder in ("", "stead/", "stead/cloud/", "stead/cloud/plugins/", "stead/site/", "stead/site/plugins/"):
            made.writestr(f"ansible_collections/{folder}__init__.py", "")
        for collection in collections:
            for file in sorted(collection.glob("ansible_collections/stead/*/plugins/module_utils/**/*.py")):
                made.write(file, file.relative_to(collection))
        if f"{SITES}/__init__.py" not in made.namelist():
            made.writestr(f"{SITES}/__init__.py", "")
    return path


def _laid(tmp_path: Path, *collections: Path) -> Path:
    code = tmp_path / "usr-lib-stead"
    packed = _zip(tmp_path / "payload.zip", *collections)
    program = [sys.executable, "-c", LAY, str(code)]
    subprocess.run(program, check=True, cwd="/", env={"PYTHONPATH": str(packed)})
    return code


def _restored(tmp_path: Path, code: Path, made: Mapping[str, Any] = ENTRY) -> subprocess.CompletedProcess[str]:
    entry = tmp_path / f"host/var/lib/stead/ledger/{made['kind']}/{made['uuid']}.json"
    entry.parent.mkdir(parents=True)
    entry.write_text(json.dumps(made))
    program = [sys.executable, "-I", "-S", "-c", RESTORE, str(tmp_path / "host"), str(code)]
    return subprocess.run(program, check=False, cwd="/", capture_output=True, text=True)


def test_a_boot_finds_the_driver_of_a_site(tmp_path: Path) -> None:
    code = _laid(tmp_path, ROOT / "collections", EXAMPLE)
    assert (code / SITES / "openvswitch.py").is_file()
    done = _restored(tmp_path, code)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_boot_says_what_is_missing_of_a_site(tmp_path: Path) -> None:
    done = _restored(tmp_path, _laid(tmp_path, ROOT / "collections"))
    assert done.returncode == 1
    assert done.stderr.startswith("networks/plant: STEAD-E200: There is no code here for driver openvswitch.")
    assert "stead bootstrap" in done.stderr


def test_a_boot_says_that_it_has_no_code_for_a_kind(tmp_path: Path) -> None:
    entry = {**ENTRY, "kind": "notices", "address": "notices/owner"}
    done = _restored(tmp_path, _laid(tmp_path, ROOT / "collections"), entry)
    assert done.returncode == 1
    assert done.stderr.startswith("notices/owner: STEAD-E011: This version cannot make notices on hosts.")


def test_the_doctor_sees_that_a_sites_code_came_later_than_the_host_was_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until `stead bootstrap` has run again, a boot would not find it."""
    monkeypatch.setattr(installing, "LIBRARY", str(tmp_path))
    monkeypatch.setattr(installing, "PACKAGE", str(tmp_path / "ansible_collections"))
    for path, (data, _mode) in installing.wanted().items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(data)
    assert installing.outdated() == []
    came = dict(installing.sources(), **{"stead/site/plugins/module_utils/openvswitch.py": b"DRIVER = 1\n"})
    monkeypatch.setattr(installing, "sources", lambda: came)
    assert installing.outdated() == [str(tmp_path / SITES / "openvswitch.py")]
