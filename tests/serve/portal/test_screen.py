"""The screen of a server: whose, as the API and a program get it, and what reaches SSH."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.serve.portal import rfb_guest
from tests.serve.portal.browsing import PlainBrowser, with_server
from tests.serve.portal.socket_client import SocketClient
from tests.serve.served import Site

from stead.cli.common.consoles import screen, screen_opener
from stead.core.address import Address
from stead.core.recorded import Record
from stead.core.value import replace
from stead.core.want import Body, Want
from stead.site.inventory import Inventory


@pytest.fixture(scope="module")
def server(site: Site) -> str:
    made = with_server(site, "bob", "screened")
    assert site.worker.wait_idle(60)
    return made


@pytest.fixture
def keys(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the guest writes down its keys."""
    place = tmp_path / "keys"
    words = [sys.executable, rfb_guest.__file__, str(place)]
    monkeypatch.setattr(site.cloud, "means", replace(site.means, screen=lambda _record: words))
    return place


def asked(site: Site, server: str, who: str = "bob") -> tuple[int, Any]:
    body = {"os-getVNCConsole": {"type": "novnc"}}
    status, _, answer = site.call("POST", f"/compute/v2.1/servers/{server}/action", body, who)
    return status, answer


@pytest.mark.usefixtures("keys")
def test_a_program_speaks_to_it(site: Site, server: str) -> None:
    status, answer = asked(site, server)
    assert (status, answer["console"]["type"]) == (200, "novnc")
    link = SocketClient(answer["console"]["url"])
    link.hear(b"RFB 003.008\n")
    link.type(b"RFB 003.008\n\x01\x01")
    assert link.hear(b"guest").endswith(b"guest")
    link.close()
    last = next(one for one in site.cloud.store.audited() if one.what.startswith("screen of "))
    assert (last.who, last.project, last.status) == ("bob", "bobs", 101)


@pytest.mark.usefixtures("keys")
def test_only_who_may_change_the_server_gets_it(site: Site, server: str) -> None:
    assert [asked(site, server, who)[0] for who in ("eve", "ray", "ada")] == [404, 403, 200]
    assert PlainBrowser(site, "eve").post(f"/instances/{server}/screen").status == 404


@pytest.mark.usefixtures("keys")
def test_its_token_opens_no_other_console(site: Site, server: str) -> None:
    """The serial console would answer to what is meant for a screen."""
    site.cloud.means = replace(site.cloud.means, console=lambda _record: ["sh", "-c", "echo serial; exec cat"])
    link = SocketClient(asked(site, server)[1]["console"]["url"])
    assert link.hear(b"RFB") == b"RFB 003.008\n"
    link.close()


def test_simulated_guests_have_none(site: Site, server: str) -> None:
    assert asked(site, server)[0] == 404


@pytest.mark.parametrize(
    ("hypervisor", "graphics", "can"),
    [
        ("qemu", "vnc", True),
        ("kvm", "vnc", True),
        ("qemu", "spice", False),
        ("qemu", "none", False),
        ("x", "vnc", False),
    ],
)
def test_it_takes_a_screen_that_vnc_shows(hypervisor: str, graphics: str, can: bool) -> None:
    want = Want.of(Body.of({"graphics": graphics, "hypervisor": hypervisor}))
    record = Record(address=Address("acme", "instances", "web"), host="h", wants={"h": want}, leases={"uuid": "4-2"})
    assert screen(record) == (["/usr/lib/stead/screen", "4-2"] if can else [])
    inventory = Inventory(hosts={}, sources=(), connections={"h": {"ansible_host": "192.0.2.7", "ansible_user": "ops"}})
    words = screen_opener(inventory)(record)
    assert (words is not None) == can
    if words:
        assert re.search(
            r"^ssh .*BatchMode=yes .*-T -e none .*192\.0\.2\.7 sudo -n /usr/lib/stead/screen", " ".join(words)
        )
