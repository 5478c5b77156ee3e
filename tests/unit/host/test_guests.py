# mypy: disable-error-code="no-untyped-call"
"""Guests that libvirt keeps: what goes wrong with them has a code, and says how to mend it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import libvirt_client
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.sessions import Sessions
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import drivers
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains.guest import Domain
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import instance

XML = '<domain><devices><disk><source file="/d"/><serial>u</serial><target dev="vdb"/></disk></devices></domain>'


class LibvirtError(Exception):
    def get_error_code(self) -> int:
        return 42


class Refusing:
    """A domain that is on, of which libvirt refuses everything."""

    def name(self) -> str:
        return "acme.web"

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's word
        return "u"

    def isActive(self) -> bool:  # noqa: N802 - libvirt's word
        return True

    def state(self) -> tuple[int, int]:
        return 3, 0

    def XMLDesc(self, _flags: int) -> str:  # noqa: N802 - libvirt's word
        return XML

    def resume(self) -> None:
        raise LibvirtError("no lock")

    def backupBegin(self, *_words: Any) -> None:  # noqa: N802 - libvirt's word
        raise LibvirtError("no room")


@pytest.fixture(autouse=True)
def _libvirt(monkeypatch: pytest.MonkeyPatch) -> None:
    named = SimpleNamespace(
        libvirtError=LibvirtError, VIR_DOMAIN_PAUSED=3, VIR_DOMAIN_PMSUSPENDED=7, VIR_DOMAIN_XML_INACTIVE=2,
        VIR_DOMAIN_START_PAUSED=1, VIR_DOMAIN_SAVE_RUNNING=2,
        VIR_DOMAIN_XML_SECURE=1, VIR_ERR_NO_DOMAIN=42, VIR_ERR_NO_DOMAIN_BACKUP=42, VIR_DOMAIN_RUNNING=1,
        VIR_CONNECT_LIST_DOMAINS_ACTIVE=1, VIR_DOMAIN_CONTROL_OK=0,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "libvirt", named)


class LookedFor(Refusing):
    """One that libvirt reaches when it has been asked a few times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def controlInfo(self) -> tuple[int, int, int]:  # noqa: N802 - libvirt's word
        self.left -= 1
        if self.left == -10:
            raise LibvirtError("it is off")
        return (2 if self.left > 0 else 0), 0, 0


@pytest.mark.parametrize(("age", "asked"), [(5, True), (500, False), (None, False)])
def test_a_libvirt_that_has_just_started_is_let_find_its_guests(
    age: int | None, asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = tmp_path / "libvirtd.pid"
    if age is not None:
        process.touch()
        os.utime(process, (time.time() - age,) * 2)
    monkeypatch.setattr(libvirt_client, "PROCESSES", (str(tmp_path / "none"), str(process)))
    monkeypatch.setattr(libvirt_client, "LOOK", 0)
    guests = [LookedFor(3), LookedFor(0), LookedFor(-9)]
    libvirt_client._let_find_guests(SimpleNamespace(listAllDomains=lambda _active: guests))
    assert (guests[0].left <= 0) is asked


def test_a_guest_that_is_never_found_delays_nobody_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libvirt_client, "_is_young", lambda: True)
    monkeypatch.setattr(libvirt_client, "FINDS_WITHIN", 0.1)
    monkeypatch.setattr(libvirt_client, "LOOK", 0.01)
    libvirt_client._let_find_guests(SimpleNamespace(listAllDomains=lambda _active: [LookedFor(1 << 30)]))


def test_a_guest_that_does_not_go_on_says_why() -> None:
    with pytest.raises(Failed, match="STEAD-E303: The guest does not resume: no lock"):
        Domain(Refusing()).start(Work("c1"))


class Power(Refusing):
    """A domain that does what it is told."""

    def __init__(self, *, on: bool, state: int = 1, saved: bool = False) -> None:
        self.on, self.now, self.saved, self.told = on, state, saved, list[str]()

    def isActive(self) -> bool:  # noqa: N802 - libvirt's word
        return self.on

    def hasManagedSaveImage(self) -> bool:  # noqa: N802 - libvirt's word
        return self.saved

    def state(self) -> tuple[int, int]:
        return self.now, 0

    def createWithFlags(self, flags: int) -> None:  # noqa: N802 - libvirt's word
        self.told.append(f"create {flags}")

    def suspend(self) -> None:
        self.told.append("suspend")

    def managedSave(self, flags: int) -> None:  # noqa: N802 - libvirt's word
        self.told.append(f"save {flags}")

    def managedSaveRemove(self) -> None:  # noqa: N802 - libvirt's word
        self.told.append("forget")

    def maxMemory(self) -> int:  # noqa: N802 - libvirt's word
        return 1 << 20

    def pMWakeup(self) -> None:  # noqa: N802 - libvirt's word
        self.told.append("wake")


class Frozen(Refusing):
    """A run was killed between `freeze` and `thaw`."""

    def __init__(self) -> None:
        self.frozen, self.within = True, 0

    def state(self) -> tuple[int, int]:
        return RUNNING, 0

    def XMLDesc(self, _flags: int) -> str:  # noqa: N802 - libvirt's word
        agent = '<channel><target name="org.qemu.guest_agent.0" state="connected"/></channel>'
        return f"<domain><devices>{agent}</devices></domain>"

    def agentSetResponseTimeout(self, seconds: int) -> None:  # noqa: N802 - libvirt's word
        self.within = seconds

    def fsThaw(self) -> None:  # noqa: N802 - libvirt's word
        assert self.within, "an agent that never answers would hold the run for ever"
        self.frozen = False

    def backupGetXMLDesc(self, _flags: int) -> str:  # noqa: N802 - libvirt's word
        raise LibvirtError("there is none")


def test_who_ends_the_copy_of_a_killed_run_lets_the_guest_write_again() -> None:
    domain = Frozen()
    Domain(domain).abandon("/pool/s-1.root.snapshot.qcow2.new")
    assert not domain.frozen


RUNNING, PAUSED, ASLEEP = 1, 3, 7


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=size))


def test_memory_that_would_fill_the_host_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a tenant's word that suspends a guest, and the disk is everybody's."""
    free(monkeypatch, (2 << 30) - 1)
    domain = Power(on=True)
    with pytest.raises(Failed, match=r"STEAD-E309: .*acme\.web needs 1024 MiB"):
        Domain(domain).suspend(Work("c1"))
    assert domain.told == []


@pytest.mark.parametrize(
    ("domain", "told"),
    [
        (Power(on=True, state=RUNNING), ["suspend"]),
        (Power(on=True, state=PAUSED), []),
        (Power(on=True, state=ASLEEP), []),
        (Power(on=False), ["create 1"]),
    ],
    ids=["running", "paused", "asleep", "off"],
)
def test_a_guest_is_paused_from_whatever_it_is(domain: Power, told: list[str]) -> None:
    Domain(domain).pause(Work("c1"))
    assert domain.told == told


@pytest.mark.parametrize(
    ("domain", "told"),
    [
        (Power(on=True, state=RUNNING), ["save 2"]),
        (Power(on=True, state=PAUSED), ["save 2"]),
        (Power(on=True, state=ASLEEP), ["wake", "save 2"]),
        (Power(on=False), []),
        (Power(on=False, saved=True), []),
    ],
    ids=["running", "paused", "asleep", "off", "suspended"],
)
def test_a_guest_is_suspended_from_whatever_it_is(
    domain: Power, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 2 << 30)
    Domain(domain).suspend(Work("c1"))
    assert domain.told == told


def test_a_guest_that_is_stopped_keeps_no_memory() -> None:
    domain = Power(on=False, saved=True)
    Domain(domain).stop(60, Work("c1"))
    assert domain.told == ["forget"]


def test_a_disk_that_cannot_be_copied_says_why() -> None:
    with pytest.raises(Failed, match=r"STEAD-E305: .*no room"):
        Domain(Refusing()).copy({"vdb": "/new"}, freeze=False)


def test_a_guest_knows_a_volume_by_its_number_or_its_place() -> None:
    guest = Domain(Refusing())
    assert (guest.device_of("u", "/other"), guest.device_of("v", "/d"), guest.device_of("v", "/x")) == (
        "vdb",
        "vdb",
        None,
    )
    assert guest.files() == {"/d"}


def test_a_foreign_guest_of_the_same_name_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libvirt_client, "connection", lambda _sessions: None)
    monkeypatch.setattr(libvirt_client, "find_name", lambda _connection, _name: Refusing())
    with pytest.raises(Failed, match=r"STEAD-E302: Another domain on this host, u, is named acme\.web"):
        drivers.of({"hypervisor": "kvm"}, Sessions()).check({"uuid": "v", "name": "acme.web"})


def test_an_instance_that_its_hypervisor_forgot_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "find", lambda *_words: None)
    want = {"uuid": "v", "state": "running", "autostart": True, "hypervisor": "kvm"}
    step: Any = {"want": want, "uuid": "v", "start": True, "held": False, "address": "acme/instances/web"}
    with pytest.raises(Failed, match="STEAD-E306"):
        instance.restore(step, Work("c1"))
