"""What hosts refuse or cannot do is told with its own code, each met here once in the simplest way there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands, ledger, paths, ssh_peers
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed, FailureCode
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.images import fetching, image_files, unpacking, writing
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import image, table
from ansible_collections.stead.cloud.plugins.module_utils.host.run import batch, origin, standalone, waiting
from ansible_collections.stead.cloud.plugins.modules import instance, volume, volume_attachment

GIVEN: dict[str, Any] = {
    "cpus": 1,
    "for": "ssh",
    "format": "qcow2",
    "image": None,
    "snapshot": None,
    "instance": "web",
    "memory": "1GiB",
    "path": None,
    "pool": "default",
    "project": "acme",
    "size": "0",
    "state": "present",
    "server": None,
    "serve_at": None,
    "timeout": 0,
    "type": "dir",
    "volume": "data",
    "volumes": ["data"],
}
WANT = {"uuid": "u", "source": "/d.qcow2", "format": "qcow2", "compression": "none", "name": "images/d"}
MODULE: Any = SimpleNamespace(check_mode=False)


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "IMAGES", str(tmp_path / "images"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setattr(origin, "PATH", str(tmp_path / "site.json"))
    (tmp_path / "images").mkdir()
    (tmp_path / "ledger" / "volumes").mkdir(parents=True)
    (tmp_path / "file").write_bytes(b"plain")
    return tmp_path


def entry(host: Path, text: str) -> Any:
    (host / "ledger" / "volumes" / "0a.json").write_text(text)
    return ledger.read("volumes", "0a")


CASES: dict[str, Callable[[Path], Any]] = {
    "STEAD-E001": lambda _host: commands.run(["false"]),
    "STEAD-E002": lambda _host: commands.run(["no-such-program"]),
    "STEAD-E003": lambda _host: commands.run(["sleep", "5"], timeout=0.01),
    "STEAD-E004": lambda _host: ledger.read("../x", "0a"),
    "STEAD-E005": lambda host: entry(host, "{"),
    "STEAD-E006": lambda host: entry(host, json.dumps({"version": 99, "address": "a"})),
    "STEAD-E007": lambda host: paths.directory(str(host / "file")),
    "STEAD-E009": lambda _host: ssh_peers._words("nonsense"),
    "STEAD-E010": lambda _host: ssh_peers._place("-oProxyCommand"),
    "STEAD-E016": lambda _host: standalone.named("../x"),
    "STEAD-E017": lambda _host: standalone.size("much"),
    "STEAD-E400": lambda host: fetching.fetch(str(host / "none"), str(host / "part")),
    "STEAD-E401": lambda host: fetching.fetch("http://127.0.0.1:1/d", str(host / "part"), direct=True),
    "STEAD-E404": lambda host: fetching.verify(str(host / "file"), "crc:0", "d"),
    "STEAD-E405": lambda host: fetching.verify(str(host / "file"), "sha256:00", "d"),
    "STEAD-E406": lambda _host: image_files.standing({"uuid": "u", "address": "images/d"}, Work("h")),
    "STEAD-E408": lambda _host: image_files.name_of("../x", "qcow2"),
    "STEAD-E409": lambda host: unpacking.expand(str(host / "file"), "gz", str(host / "new"), None),
    "STEAD-E411": lambda host: writing.refuse_too_large("d", 1 << 60, str(host / "new")),
    "STEAD-E412": lambda host: writing._opened(str(host / "images"), 0),
    "STEAD-E413": lambda host: image._from_keeper(WANT, {"host": "ctl", "server": ""}, None, str(host)),  # type: ignore[arg-type]
    "STEAD-E505": lambda _host: dict(instance.volumes(GIVEN, check=False)),
    "STEAD-E507": lambda _host: volume.wanted(GIVEN, "acme/volumes/data"),
    "STEAD-E509": lambda _host: volume_attachment.without(MODULE, GIVEN),
    "STEAD-S030": lambda host: ((host / "site.json").write_text("{"), origin.read()),
}


@pytest.mark.parametrize("code", CASES)
def test_a_failure_says_its_code_and_what_to_do(code: str, host: Path) -> None:
    with pytest.raises(Failed) as failed:
        CASES[code](host)
    assert failed.value.code is not None
    assert failed.value.code.id == code
    assert str(failed.value) == f"{code}: {failed.value.text}"
    assert failed.value.text.endswith((".", ")", "'")) or code == "STEAD-E001"


def carried_out(host: Path, monkeypatch: pytest.MonkeyPatch, kind: str, action: str) -> str:
    monkeypatch.setattr(paths, "JOURNAL", str(host / "journal"))
    given = {
        "number": 1,
        "address": f"a/{kind}/b",
        "kind": kind,
        "action": action,
        "uuid": "0a",
        "want": {"uuid": "0a"},
        "came_from": "h2",
    }
    (found,) = batch.Batch({"host": "h", "run": "r", "steps": [dict(given, digest="d")]}).carry_out()
    return str(found["error"])


@pytest.mark.parametrize(
    ("kind", "action", "code"), [("ships", "create", "STEAD-E011"), ("routers", "receive", "STEAD-E012")]
)
def test_what_hosts_cannot_do_is_told_with_its_code(
    kind: str, action: str, code: str, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert carried_out(host, monkeypatch, kind, action).startswith(f"{code}: ")


def test_what_nobody_expected_is_told_with_its_place(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_step: Any, _work: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(table.KINDS, "volumes", table.KINDS["volumes"]._replace(ensure=broken))
    said = carried_out(host, monkeypatch, "volumes", "create")
    assert said.startswith("STEAD-E015: ZeroDivisionError")
    assert "test_failures.py:" in said


def test_one_run_at_a_time_works_on_a_host(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ROOT", str(host))
    monkeypatch.setattr(paths, "LOCK", str(host / "lock"))
    monkeypatch.setattr(batch, "PATIENCE", 0)
    with batch.alone(), pytest.raises(Failed, match="STEAD-E013"), batch.alone():
        pass


def test_an_instance_is_looked_at_where_it_has_an_address() -> None:
    wait = {"nic": "app", "from": {"address": "10.0.0.253/24", "mac": "m"}}
    want = {"wait": wait, "nics": {"app": {}}, "ports": {"app": {"addresses": ["10.9.0.1"], "mac": "m"}}}
    stands: Any = None
    with pytest.raises(Failed, match="STEAD-E018"):
        waiting._stand(want, stands)


def test_the_same_failure_can_be_told_of_something() -> None:
    failed = Failed(FailureCode("STEAD-E001", "a program failed"), "It failed.")
    assert str(failed.told_of("images/d")) == "STEAD-E001: images/d: It failed."
