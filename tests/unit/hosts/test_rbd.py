"""The parts of driver rbd that need no cluster. What does is done in tests/lab/test_rbd.py."""

from __future__ import annotations

import base64
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands, libvirt_client
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import disk_source
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import ceph_keys, drivers, libvirt_secrets

POOL = {"name": "p", "type": "rbd", "path": "ana@vms"}
KEY = b"\x01\x00not a real key"


def test_qemu_asks_the_hosts_own_ceph_conf_and_gets_the_key_from_libvirt() -> None:
    found = disk_source.disk(drivers.source(POOL, "4-2", "raw"))
    secret = ceph_keys.secret_of("ana")
    assert ET.tostring(found, encoding="unicode") == (
        '<disk type="network" device="disk"><source protocol="rbd" name="vms/4-2"><auth username="ana">'
        f'<secret type="ceph" uuid="{secret}" /></auth></source></disk>'
    )


@pytest.mark.parametrize("path", ["vms/web", "ana@", "@vms", "vms@snap@x", "-vms", "vms:id=admin", "a b"])
def test_a_path_cannot_name_anything_but_a_pool_and_a_user(path: str) -> None:
    with pytest.raises(Failed, match="STEAD-E160"):
        drivers.disk({"name": "p@q", "type": "rbd", "path": path}, "4-2", "raw")


def test_a_cluster_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "attempt", lambda *_words: (1, "", "rbd: couldn't connect to the cluster!\n"))
    with pytest.raises(Failed, match=r"STEAD-E161.*couldn't connect.* try `rbd --id ana ls vms`"):
        drivers.driver(POOL).require(POOL)
    assert not drivers.driver(POOL).there(POOL)


@pytest.mark.parametrize(
    "said",
    ["rbd: couldn't connect to the cluster!", "rbd: error opening pool 'vms': (2) No such file or directory"],
)
def test_a_cluster_or_pool_that_is_away_is_no_missing_volume(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same status as of an image that is not there: a plan would make an empty one in its place."""
    monkeypatch.setattr(commands, "attempt", lambda *_words: (2, "", said))
    with pytest.raises(Failed, match="STEAD-E001"):
        drivers.disk(POOL, "4-2", "raw").exists()
    monkeypatch.setattr(commands, "attempt", lambda *_words: (0, "", said))
    with pytest.raises(Failed, match="without JSON"):
        drivers.disk(POOL, "4-2", "raw").exists()
    monkeypatch.setattr(commands, "attempt", lambda *_words: (2, "", "rbd: error opening image 4-2: (2) No such file"))
    assert not drivers.disk(POOL, "4-2", "raw").exists()


class Libvirt:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: list[tuple[str, libvirt_secrets.Usage, bytes]] = []
        monkeypatch.setattr(libvirt_client, "is_here", lambda: True)
        monkeypatch.setattr(libvirt_secrets, "is_set", lambda *_asked: bool(self.given))
        monkeypatch.setattr(libvirt_secrets, "put", lambda *given: self.given.append(given[:3]))


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ceph_keys, "KEYRING", str(tmp_path / "ceph.client.{0}.keyring"))
    monkeypatch.setattr(ceph_keys, "GIVEN", str(tmp_path / "given"))
    return tmp_path / "ceph.client.ana.keyring"


def test_a_key_is_given_to_libvirt_once_and_again_when_it_changed(
    keyring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    libvirt, told = Libvirt(monkeypatch), base64.b64encode(KEY).decode()
    keyring.write_text(f'[client.ana]\n\tkey = {told}\n\tcaps mon = "profile rbd"\n', encoding="utf-8")
    work = Work("here")
    for _again in range(2):
        drivers.reach([{"pool": POOL, "uuid": "4-2"}], work)
    usage = libvirt_secrets.Usage("ceph", "client.ana", "name")
    assert libvirt.given == [(ceph_keys.secret_of("ana"), usage, KEY)]
    assert (tmp_path / "given/ana").stat().st_mode & 0o777 == 0o600
    keyring.write_text("[client.ana]\nkey = AAAA\n", encoding="utf-8")
    drivers.reach([{"pool": POOL, "uuid": "4-2"}], work)
    assert [one[2] for one in libvirt.given] == [KEY, b"\0\0\0"]
    assert told not in "".join([*work.done, (tmp_path / "given/ana").read_text(encoding="utf-8")])


@pytest.mark.parametrize("text", [None, "", "[client.ana]\n", "[client.ana]\nkey = not base64!\n", "key = \n"])
def test_a_keyring_without_a_key_is_told(text: str | None, keyring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Libvirt(monkeypatch)
    if text is not None:
        keyring.write_text(text, encoding="utf-8")
    with pytest.raises(Failed, match="STEAD-E162"):
        drivers.reach([{"pool": POOL, "uuid": "4-2"}], Work("here"))
