"""Three controllers are one API on one store: any of them dies, and people go on."""

from __future__ import annotations

import json
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from driving import Driven
from tests.serve.served import PASSWORD
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(0)]

HOSTS = {"hosts": {"controller": 3, "network": 1}}
CONTROLLERS = ("controller-1", "controller-2", "controller-3")
SITE = "stead: 1\nflavors: {small: {vcpus: 1, memory: 128MiB, disk: 1GiB}}\n"
LAST = 200  # of the underlay: the address that moves
LIST = "patronictl -c /etc/patroni/config.yml list --format json"
MOST_ADDRESS, MOST_LEADER = 20.0, 60.0  # seconds without an answer that a busy machine may take; printed as they are
OF_THE_API = ("STEAD-H042", "STEAD-H074", "STEAD-H075")
WIPE = """
systemctl stop stead-front stead-serve patroni etcd
rm -rf /var/lib/etcd/stead /var/lib/postgresql/stead /etc/stead/store /etc/stead/serve /etc/patroni/config.yml
rm -rf /var/lib/stead/store-authority /var/lib/stead/api-authority /var/lib/stead-serve /usr/lib/stead/serve
"""


class Together:
    """What a person has: one address, and the authority's certificate."""

    def __init__(self, driven: Driven) -> None:
        self.driven = driven
        self.address = f"{driven.lab.host(CONTROLLERS[0]).address.rpartition('.')[0]}.{LAST}"
        self.made: list[str] = []  # networks that the API said it would make
        self.failed: list[str] = []
        self.longest = 0.0
        self.trust = ssl.create_default_context()

    @property
    def trusting(self) -> ssl.SSLContext:
        """Of the authority that each of them has."""
        return ssl.create_default_context(cadata=self.authority)

    @property
    def authority(self) -> str:
        return self.driven.run(self.living()[0], "cat /etc/stead/serve/ca-cert.pem")

    def living(self) -> list[str]:
        lab = self.driven.lab
        return [name for name in CONTROLLERS if lab.leader(lab.host(name)) is not None]

    def ask(self, path: str, body: Any = None, token: str = "") -> tuple[Any, str]:
        headers = {"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {})}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"https://{self.address}:8774{path}", data=data, headers=headers)
        with urllib.request.urlopen(request, context=self.trust, timeout=70) as reply:  # noqa: S310
            return json.load(reply), reply.headers.get("X-Subject-Token", "")

    def token(self) -> str:
        user = {"name": "ada", "domain": {"id": "default"}, "password": PASSWORD}
        scope = {"project": {"name": "demo", "domain": {"id": "default"}}}
        identity = {"methods": ["password"], "password": {"user": user}}
        return self.ask("/identity/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}})[1]

    def networks(self) -> set[str]:
        return {one["name"] for one in self.ask("/network/v2.0/networks", token=self.token())[0]["networks"]}

    @contextmanager
    def used(self) -> Iterator[None]:
        """One request after the other, while something happens. What the API answers has to be so for ever."""
        self.trust, over, since = self.trusting, threading.Event(), [time.monotonic()]
        self.failed, self.longest = [], 0.0

        def use() -> None:
            while not over.is_set():
                name = f"n{len(self.made) + len(self.failed)}"
                try:
                    self.ask("/network/v2.0/networks", {"network": {"name": name}}, self.token())
                    self.made.append(name)
                    self.longest = max(self.longest, time.monotonic() - since[0])
                    since[0] = time.monotonic()
                except OSError as error:
                    self.failed.append(f"{name}: {error}")
                    time.sleep(0.2)

        thread = threading.Thread(target=use)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def has_the_address(self) -> list[str]:
        words = f"ip -br address | grep -c ' {self.address}/' || true"
        return [name for name in self.living() if self.driven.run(name, words).strip() != "0"]

    def members(self) -> dict[str, tuple[str, str]]:
        told = json.loads(self.driven.run(self.living()[0], LIST))
        return {one["Member"]: (one["Role"], one["State"]) for one in told}

    def leader(self) -> str:
        return next((name for name, (role, _) in self.members().items() if role == "Leader"), "")

    def are_well(self) -> bool:
        found = self.members()
        roles = sorted(role for role, _ in found.values())
        return roles == ["Leader", "Replica", "Sync Standby"] and {one for _, one in found.values()} <= {
            "running",
            "streaming",
        }

    def all_well(self) -> None:
        lab = self.driven.lab
        lab.start([lab.host(name) for name in CONTROLLERS])
        patiently(self.are_well, within=180)
        patiently(lambda: len(self.has_the_address()) == 1, within=60)

    def findings(self) -> list[tuple[str, str]]:
        found = json.loads(self.driven.stead("doctor", "--json", status=None).out)["findings"]
        return [
            (one["code"], one["host"]) for one in found if one["code"] in ("STEAD-H042", "STEAD-H074", "STEAD-H075")
        ]


@pytest.fixture(scope="module")
def site(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    folder = tmp_path_factory.mktemp("together")
    lab, more = make_lab("t", parse(HOSTS, "test")), folder / "serve.inventory.yml"
    driven = Driven(lab, folder, more=(more,))
    together = Together(driven)
    serves = {"site": str(folder), "address": together.address}
    more.write_text(json.dumps({"controller": {"vars": {"stead_serve": serves}}}))
    driven.write(SITE)
    driven.stead("bootstrap")
    together.all_well()
    words = ["stead-site", "user", "create", "ada", "--admin", "--project", "demo"]
    lab.run(CONTROLLERS[1], words, feed=PASSWORD)
    yield together
    for name in together.living():
        told = driven.run(name, "journalctl -u stead-serve")
        assert "Traceback" not in told, told


def test_a_second_bootstrap_changes_nothing(site: Together) -> None:
    said = site.driven.stead("bootstrap", "--verbose")
    assert "0 of 4 hosts changed" in said.out, said.text
    assert site.findings() == []


def test_only_controllers_reach_the_store(site: Together) -> None:
    """And they show a certificate of the store's own authority: that of hosts is none."""
    address = site.driven.lab.host(CONTROLLERS[0]).address
    for port in (2379, 2380, 5432, 8008):
        closed = f"timeout 3 bash -c '</dev/tcp/{address}/{port}' 2>/dev/null && echo open || echo closed"
        assert site.driven.run("network-1", closed).strip() == "closed"
        assert site.driven.run(CONTROLLERS[1], closed).strip() == "open"
    other = f"curl -sk https://{address}:2379/version >/dev/null && echo in || echo out"
    assert site.driven.run(CONTROLLERS[1], other).strip() == "out"


def test_who_has_the_address_dies_and_another_answers(site: Together) -> None:
    (victim,) = site.has_the_address()
    with site.used():
        time.sleep(3)
        site.driven.lab.crash(site.driven.lab.host(victim))
        patiently(lambda: len(site.has_the_address()) == 1, within=60)
        time.sleep(40)  # it may have been the leader of the store as well
    print(f"address: {site.longest:.1f} s without an answer, {len(site.failed)} failed, {len(site.made)} were made")
    assert site.longest < MOST_LEADER
    assert site.networks() >= set(site.made)
    assert ("STEAD-H075", victim) in site.findings()
    site.all_well()


def test_the_leader_of_the_store_dies_and_nothing_is_lost(site: Together) -> None:
    victim = site.leader()
    with site.used():
        time.sleep(3)
        site.driven.lab.crash(site.driven.lab.host(victim))
        patiently(lambda: site.leader() not in ("", victim), within=90)
        time.sleep(10)
    print(f"leader: {site.longest:.1f} s without an answer, {len(site.failed)} failed, {len(site.made)} were made")
    assert site.longest < MOST_LEADER
    assert site.networks() >= set(site.made)
    site.all_well()


def test_a_program_that_dies_gives_the_address_away(site: Together) -> None:
    (first,) = site.has_the_address()
    site.driven.run(first, "systemctl stop stead-serve")
    patiently(lambda: site.has_the_address() not in ([], [first]), within=60)
    site.trust = site.trusting
    assert site.networks() >= set(site.made)
    site.driven.run(first, "systemctl start stead-serve")


def test_a_lost_controller_is_made_anew_by_one_command(site: Together) -> None:
    """With another disk, under its old name: also the first, which had the authorities."""
    before = site.authority
    lost = CONTROLLERS[0]
    site.driven.run(lost, WIPE)
    patiently(lambda: site.driven.run(CONTROLLERS[1], LIST).count("running") >= 2, within=90)
    site.driven.stead("bootstrap")
    site.all_well()
    assert site.driven.run(lost, "cat /etc/stead/serve/ca-cert.pem") == before
    assert site.findings() == []
    site.trust = site.trusting
    assert site.networks() >= set(site.made)
    said = site.driven.stead("bootstrap", "--verbose")
    assert "0 of 4 hosts changed" in said.out, said.text
