# mypy: disable-error-code="no-untyped-call"
"""Guests that libvirt keeps: what goes wrong with them has a code, and says how to mend it."""

from __future__ import annotations

import sys
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
        VIR_DOMAIN_XML_SECURE=1, VIR_ERR_NO_DOMAIN=42,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "libvirt", named)


def test_a_guest_that_does_not_go_on_says_why() -> None:
    with pytest.raises(Failed, match="STEAD-E303: The guest does not resume: no lock"):
        Domain(Refusing()).start(Work("c1"))


def test_a_disk_that_cannot_be_copied_says_why() -> None:
    with pytest.raises(Failed, match=r"STEAD-E305: .*no room"):
        Domain(Refusing()).copy("vdb", "/new", freeze=False)


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
