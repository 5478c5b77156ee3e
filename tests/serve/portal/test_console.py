"""Consoles for users: whose, how often, for how long; and that what is typed reaches the guest and nothing else."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.serve.portal.browsing import PlainBrowser, with_server
from tests.serve.portal.socket_client import SocketClient
from tests.serve.served import PASSWORD, Site

from stead.cli.common.consoles import opener
from stead.core.recorded import Record
from stead.core.value import replace
from stead.serve import grants
from stead.serve.portal import consoles
from stead.serve.preview import PREVIEW
from stead.site.inventory import Inventory

GUEST = 'echo $$ >"$0"; printf "login: "; exec cat'


@pytest.fixture(scope="module")
def server(site: Site) -> str:
    made = with_server(site, "bob", "consoled")
    assert site.worker.wait_idle(60)
    return made


@pytest.fixture
def guest(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What echoes all that is typed; the file has its process."""
    place = tmp_path / "pid"

    def words(_record: Record) -> Sequence[str]:
        return ["sh", "-c", GUEST, str(place)]

    monkeypatch.setattr(site.cloud, "means", replace(site.means, console=words))
    yield place
    for _ in range(100):
        if not site.cloud.consoles._open:
            return
        time.sleep(0.05)
    raise AssertionError("a console is open still")


def asked(site: Site, server: str, who: str = "bob", **headers: str) -> tuple[int, Any]:
    body = {"os-getSerialConsole": {"type": "serial"}}
    status, _, answer = site.call("POST", f"/compute/v2.1/servers/{server}/action", body, who, headers=headers)
    return status, answer


def url_of(site: Site, server: str, who: str = "bob") -> str:
    status, answer = asked(site, server, who)
    assert (status, answer["console"]["type"]) == (200, "serial")
    return str(answer["console"]["url"])


def is_gone(place: Path) -> bool:
    try:
        os.kill(int(place.read_text()), 0)
    except ProcessLookupError:
        return True
    return False


def eventually(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_every_byte_reaches_the_guest_as_it_is(site: Site, server: str, guest: Path) -> None:
    link = SocketClient(url_of(site, server))
    link.hear(b"login: ")
    said = b"\n~C-L 1:2:3\n~.\x03\x1a\x1d\x00\xff" + bytes(range(256)) * 40
    link.type(said)
    assert link.hear(said).endswith(said)
    link.close()
    eventually(lambda: is_gone(guest))


@pytest.mark.usefixtures("guest")
def test_its_address_opens_it_once_and_soon(site: Site, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = url_of(site, server)
    first = SocketClient(url)
    first.hear(b"login: ")
    assert SocketClient(url).refused == 403
    first.close()
    late = url_of(site, server)
    now = time.monotonic()
    monkeypatch.setattr(site.cloud.consoles, "_clock", lambda: now + grants.HOLDS + 1)
    assert SocketClient(late).refused == 403
    assert PlainBrowser(site).get(late.removeprefix(f"{site.url}/portal")).status == 404
    assert SocketClient(f"{site.url}/portal/console/guessed").refused == 403


@pytest.mark.usefixtures("guest")
def test_a_page_of_another_site_opens_none(site: Site, server: str) -> None:
    for origin in ("https://evil.example", "null"):
        assert SocketClient(url_of(site, server), origin=origin).refused == 403
    own = SocketClient(url_of(site, server), origin=site.url)
    own.hear(b"login: ")
    own.close()


@pytest.mark.usefixtures("guest")
def test_only_who_may_change_the_server_gets_one(site: Site, server: str) -> None:
    assert [asked(site, server, who)[0] for who in ("eve", "ray")] == [404, 403]
    assert asked(site, server, "ada")[0] == 200
    assert PlainBrowser(site, "eve").post(f"/instances/{server}/console").status == 404


def test_simulated_guests_have_none(site: Site, server: str) -> None:
    assert asked(site, server)[0] == 404


def test_it_is_closed_when_its_user_may_no_more(
    site: Site, server: str, guest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consoles, "ASKED_AGAIN", 0.1)
    user = site.people.add_user("kim", PASSWORD)
    site.people.assign(user, site.projects["bobs"], "member")
    site.people.change_user(user, default_project_id=site.projects["bobs"])
    link = SocketClient(url_of(site, server, "kim"))
    link.hear(b"login: ")
    site.people.unassign(user, site.projects["bobs"], "member")
    assert link.closed() == consoles.DENIED
    eventually(lambda: is_gone(guest))


def test_it_ends_with_the_session(site: Site, server: str, guest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consoles, "ASKED_AGAIN", 0.1)
    bob = PlainBrowser(site, "bob")
    got = bob.post(f"/instances/{server}/console")
    assert "'nonce-" in bob.get(got.headers["location"].removeprefix("/portal")).headers["content-security-policy"]
    link = SocketClient(site.url + got.headers["location"])
    link.hear(b"login: ")
    bob.post("/logout")
    assert link.closed() == consoles.DENIED
    eventually(lambda: is_gone(guest))


def test_who_types_nothing_is_put_out(site: Site, server: str, guest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consoles, "SILENT", 0.2)
    link = SocketClient(url_of(site, server))
    assert link.closed() == consoles.OVER
    eventually(lambda: is_gone(guest))


def test_what_ssh_says_of_a_host_reaches_nobody(site: Site, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = 'echo "Connection to 192.0.2.7 closed." >&2; printf "login: "; exec cat'
    monkeypatch.setattr(site.cloud, "means", replace(site.means, console=lambda _record: ["sh", "-c", said]))
    link = SocketClient(url_of(site, server))
    assert link.hear(b"login: ") == b"login: "
    link.close()


def test_a_console_that_does_not_open_is_given_up(
    site: Site, server: str, guest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consoles, "OPENS", 0.2)
    hanging = ["sh", "-c", 'echo $$ >"$0"; exec sleep 60', str(guest)]
    monkeypatch.setattr(site.cloud, "means", replace(site.means, console=lambda _record: hanging))
    assert SocketClient(url_of(site, server)).closed() == consoles.OVER
    eventually(lambda: is_gone(guest))


@pytest.mark.usefixtures("guest")
def test_one_user_does_not_take_all(site: Site, server: str) -> None:
    some = [SocketClient(url_of(site, server)) for _ in range(grants.OF_ONE)]
    for one in some:
        one.hear(b"login: ")
    assert SocketClient(url_of(site, server)).closed() == consoles.FULL
    for one in some:
        one.close()


@pytest.mark.usefixtures("guest")
def test_what_opens_it_is_written_down(site: Site, server: str) -> None:
    link = SocketClient(url_of(site, server))
    link.hear(b"login: ")
    link.close()
    last = next(one for one in site.cloud.store.audited() if one.what.startswith("console of "))
    assert (last.who, last.project, last.status) == ("bob", "bobs", 101)
    assert last.what.startswith("console of bobs/instances/")


@pytest.mark.usefixtures("guest")
def test_nobody_gets_one_unwritten_by_asking_for_a_preview(site: Site, server: str) -> None:
    before = len(site.cloud.store.audited(1000))
    assert asked(site, server, **{PREVIEW: "1"})[0] == 200
    assert len(site.cloud.store.audited(1000)) == before + 1


def test_what_users_type_cannot_speak_to_ssh(site: Site, server: str) -> None:
    """Without `-e none`, a line that begins with ~C forwards ports of the controller."""
    world = site.cloud.world()
    record = world.thing(world.address("instances", server)).record  # type: ignore[arg-type]
    assert record is not None
    inventory = Inventory(
        hosts={}, sources=(), connections={record.host: {"ansible_host": "192.0.2.7", "ansible_user": "ops"}}
    )
    words = opener(inventory)(record)
    assert words is not None
    assert re.search(r"^ssh .*-o BatchMode=yes .*-t -t -e none .*-l ops 192\.0\.2\.7 sudo -n virsh", " ".join(words))
    assert opener(Inventory(hosts={}, connections={}, sources=()))(record) is None
