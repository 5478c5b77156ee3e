"""What is accepted is done, once, whatever is killed; and what comes together is applied together."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.serve.served import PASSWORD, SITE, Site, workspace_at, write_site

from stead.cli import main
from stead.cli.common.serving import means
from stead.core.recorded import UNTIL_THEN
from stead.serve.cloud import Cloud
from stead.serve.worker import Worker


def wanted(site: Site, who: str = "bob") -> dict[str, Any]:
    net = site.call("POST", "/network/v2.0/networks", {"network": {"name": "n"}}, who)[2]["network"]["id"]
    subnet = {"subnet": {"network_id": net, "cidr": "10.5.0.0/24"}}
    assert site.call("POST", "/network/v2.0/subnets", subnet, who)[0] == 201
    tiny = site.call("GET", "/compute/v2.1/flavors", None, who)[2]["flavors"][1]["id"]
    image = site.call("GET", "/image/v2/images", None, who)[2]["images"][0]["id"]
    return {"name": "s", "flavorRef": tiny, "imageRef": image, "networks": [{"uuid": net}]}


def test_requests_that_come_together_are_few_plans_and_keep_their_promises(site: Site) -> None:
    asked = wanted(site)
    assert site.worker.wait_idle(30)
    plans = site.worker.plans

    def create(number: int) -> tuple[int, str, str]:
        status, _, answer = site.call(
            "POST", "/compute/v2.1/servers", {"server": {**asked, "name": f"s{number}"}}, "bob"
        )
        server = answer["server"]["id"]
        shown = site.call("GET", f"/compute/v2.1/servers/{server}", None, "bob")[2]["server"]
        return status, server, shown["addresses"]["n"][0]["addr"]

    with ThreadPoolExecutor(10) as pool:
        made = list(pool.map(create, range(20)))
    assert {status for status, _, _ in made} == {202}
    assert site.worker.wait_idle(60)
    assert site.worker.plans - plans < 20
    promised = {server: address for _, server, address in made}
    assert len(set(promised.values())) == 20
    found = site.call("GET", "/compute/v2.1/servers/detail", None, "bob")[2]["servers"]
    assert {one["id"]: one["addresses"]["n"][0]["addr"] for one in found} == promised
    assert {one["status"] for one in found} == {"ACTIVE"}


def test_a_promise_is_kept_while_nothing_is_applied(site: Site) -> None:
    """Who comes later sorts before it, and takes nothing of it."""
    site.worker.stop()
    assert site.call("POST", "/network/v2.0/networks", {"network": {"name": "late"}}, "eve")[0] == 201
    public = site.call("GET", "/network/v2.0/networks?name=public", None, "eve")[2]["networks"][0]["id"]
    body = {"floatingip": {"floating_network_id": public}}
    first = site.call("POST", "/network/v2.0/floatingips", body, "eve")[2]["floatingip"]
    second = site.call("POST", "/network/v2.0/floatingips", body, "ada")[2]["floatingip"]
    assert first["floating_ip_address"] != second["floating_ip_address"]
    again = site.call("GET", f"/network/v2.0/floatingips/{first['id']}", None, "eve")[2]["floatingip"]
    assert again["floating_ip_address"] == first["floating_ip_address"]


def test_what_is_asked_of_a_server_is_told_until_it_is_done(own_site: Site) -> None:
    server = own_site.call("POST", "/compute/v2.1/servers", {"server": wanted(own_site)}, "bob")[2]["server"]["id"]
    assert own_site.worker.wait_idle(30)
    own_site.worker.stop()
    assert own_site.call("POST", f"/compute/v2.1/servers/{server}/action", {"shelve": None}, "bob")[0] == 202
    there = own_site.call("GET", f"/compute/v2.1/servers/{server}", None, "bob")[2]["server"]
    assert there["OS-EXT-STS:task_state"] == "shelving"


def test_what_is_there_is_promised_more_until_that_is_applied(own_site: Site) -> None:
    body = {"router": {"name": "r"}}
    router = own_site.call("POST", "/network/v2.0/routers", body, "bob")[2]["router"]["id"]
    public = own_site.call("GET", "/network/v2.0/networks?name=public", None, "bob")[2]["networks"][0]["id"]
    assert own_site.worker.wait_idle(30)
    own_site.worker.stop()

    def outside(method: str, body: Any = None) -> list[str]:
        found = own_site.call(method, f"/network/v2.0/routers/{router}", body, "bob")[2]["router"]
        gateway = found["external_gateway_info"] or {"external_fixed_ips": []}
        return [one["ip_address"] for one in gateway["external_fixed_ips"]]

    def other() -> str:
        body = {"floatingip": {"floating_network_id": public}}
        return str(
            own_site.call("POST", "/network/v2.0/floatingips", body, "eve")[2]["floatingip"]["floating_ip_address"]
        )

    joined = {"router": {"external_gateway_info": {"network_id": public}}}
    promised = outside("PUT", joined)
    assert len(promised) == 1
    assert other() not in promised
    assert outside("PUT", {"router": {"name": "s"}}) == promised
    assert outside("PUT", {"router": {"external_gateway_info": None}}) == []
    assert outside("GET") == []
    assert outside("PUT", joined) == promised
    own_site.worker = Worker(own_site.cloud)
    own_site.worker.start()
    assert own_site.worker.wait_idle(30)
    assert outside("GET") == promised
    assert outside("PUT", {"router": {"name": "t"}}) == promised
    documents = own_site.cloud.world().documents
    assert all("kept" not in about for name, about in documents["bobs"].about.items() if "/routers/" in name)


def test_an_address_is_nobody_elses_until_its_host_has_let_go_of_it(own_site: Site) -> None:
    """A host that is silent keeps what it has: who got the address too would be answered for by two."""
    public = own_site.call("GET", "/network/v2.0/networks?name=public", None, "bob")[2]["networks"][0]["id"]
    outside = {"network_id": public}

    def gateway(method: str, path: str, said: Any, who: str) -> tuple[str, list[str]]:
        body = {"router": {"external_gateway_info": said}}
        found = own_site.call(method, f"/network/v2.0/routers{path}", body, who)[2]["router"]
        known = found["external_gateway_info"] or {"external_fixed_ips": []}
        return found["id"], [one["ip_address"] for one in known["external_fixed_ips"]]

    router, first = gateway("POST", "", outside, "bob")
    assert own_site.worker.wait_idle(30)
    own_site.worker.stop()
    assert gateway("PUT", f"/{router}", None, "bob")[1] == []
    assert gateway("POST", "", outside, "eve")[1] != first
    own_site.worker = Worker(own_site.cloud)
    own_site.worker.start()
    assert own_site.worker.wait_idle(30)
    assert gateway("POST", "", outside, "eve")[1] == first


def test_an_address_of_a_port_is_nobody_elses_until_it_has_another(own_site: Site) -> None:
    asked = wanted(own_site)

    def port(method: str, path: str, **said: Any) -> tuple[str, str]:
        found = own_site.call(method, f"/network/v2.0/ports{path}", {"port": said}, "bob")[2]["port"]
        return found["id"], found["fixed_ips"][0]["ip_address"]

    net = asked["networks"][0]["uuid"]
    one, first = port("POST", "", network_id=net)
    assert own_site.worker.wait_idle(30)
    own_site.worker.stop()
    assert port("PUT", f"/{one}", fixed_ips=[{"ip_address": "10.5.0.77"}])[1] == "10.5.0.77"
    assert port("POST", "", network_id=net)[1] not in (first, "10.5.0.77")
    own_site.worker = Worker(own_site.cloud)
    own_site.worker.start()
    assert own_site.worker.wait_idle(30)
    records = own_site.cloud.store.recorded().resources.values()
    assert not [key for one in records for key in one.leases if key.endswith(UNTIL_THEN)]
    assert port("POST", "", network_id=net)[1] == first


def test_a_network_without_subnet_gets_one_and_ports_before_it_is_applied(own_site: Site) -> None:
    """It was only recorded, and goes onto a host from now on: nothing waits for its end as a record."""

    def made(path: str, body: dict[str, Any]) -> str:
        status, _, answer = own_site.call("POST", f"/network/v2.0/{path}s", {path: body}, "bob")
        assert status == 201, answer
        return str(answer[path]["id"])

    network = made("network", {"name": "n"})
    assert own_site.worker.wait_idle(30)
    own_site.worker.stop()
    made("subnet", {"network_id": network, "cidr": "10.5.0.0/24"})
    assert made("port", {"network_id": network}) != made("port", {"network_id": network})


def test_the_command_line_plans_the_same(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """It reads the documents as well: nothing of the API's is strange to it."""
    root = str(site.means.root)
    assert main(["plan", "-s", root, "--json", "--project", "bobs"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [one for one in plan["steps"] if one["action"] == "destroy"] == []
    assert main(["apply", "-s", root, "--auto-approve", "-q"]) == 0
    capsys.readouterr()
    assert main(["plan", "-s", root, "--detailed-exitcode", "-q"]) == 0


@contextmanager
def serving(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own, to be killed."""
    command = [sys.executable, "-m", "stead", "serve", "-s", str(folder), "--listen", f"127.0.0.1:{port}"]
    with (folder.parent / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


class Clients:
    """Three that make servers as fast as they are answered, and remember what was accepted."""

    def __init__(self, url: str, token: str, asked: Mapping[str, Any]) -> None:
        self.accepted: list[str] = []
        self._url, self._token, self._asked = url, token, asked
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(3)]
        for thread in self._threads:
            thread.start()

    def wait_for_more(self) -> None:
        """Requests are being answered, and others are on their way."""
        enough, until = len(self.accepted) + 4, time.monotonic() + 60
        while len(self.accepted) < enough and time.monotonic() < until:
            time.sleep(0.02)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, mine: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            body = json.dumps({"server": {**self._asked, "name": f"s{mine}-{number}"}}).encode()
            request = urllib.request.Request(f"{self._url}/compute/v2.1/servers", body, method="POST")  # noqa: S310
            request.add_header("X-Auth-Token", self._token)
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
                    self.accepted.append(json.load(reply)["server"]["id"])
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)


def test_killed_in_the_middle_of_requests_nothing_is_lost_and_nothing_is_twice(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site")
    site = Site(folder)
    asked, token = wanted(site), site.token("bob")
    assert site.worker.wait_idle(30)
    site.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clients = Clients(f"http://127.0.0.1:{port}", token, asked)
    for _ in range(2):
        with serving(folder, port) as process:
            clients.wait_for_more()
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
    clients.stop()
    assert clients.accepted
    cloud = Cloud(means(workspace_at(folder)))
    worker = Worker(cloud)
    worker.start()
    try:
        assert worker.wait_idle(90)
        servers = list(cloud.world().things("instances", ["bobs"]))
    finally:
        worker.stop()
    ids = [one.id for one in servers]
    assert set(clients.accepted) <= set(ids)
    assert len(set(ids)) == len(ids)
    assert {one.state for one in servers} == {"made"}
    haves = cloud.observed.haves
    there = {address: hosts for address, hosts in haves.items() if address[:2] == ("bobs", "instances")}
    assert sorted(there) == sorted(one.address for one in servers)
    assert {len(hosts) for hosts in there.values()} == {1}
    assert PASSWORD not in (tmp_path / "serve.log").read_text()


def test_what_cannot_be_planned_any_more_waits_alone(tmp_path: Path) -> None:
    """Its host has lost what it needs. Others are served meanwhile, and it is made once that is mended."""
    text = SITE.replace("  huge:", "  fast: {vcpus: 1, memory: 256MiB, disk: 1GiB, traits: [fast]}\n  huge:")
    folder = write_site(tmp_path / "site", text)
    inventory = folder / "inventory.yml"
    plain = inventory.read_text(encoding="utf-8")
    inventory.write_text(plain.replace("stead_vcpus", "stead_traits: [fast], stead_vcpus"), encoding="utf-8")

    def flavor(site: Site, name: str) -> str:
        found = site.call("GET", "/compute/v2.1/flavors", None, "bob")[2]["flavors"]
        return str(next(one["id"] for one in found if one["name"] == name))

    def create(site: Site, who: str, asked: dict[str, Any]) -> tuple[int, str]:
        status, _, answer = site.call("POST", "/compute/v2.1/servers", {"server": asked}, who)
        return status, answer.get("server", {}).get("id", str(answer))

    def shown(site: Site, who: str, server: str) -> tuple[str, str]:
        found = site.call("GET", f"/compute/v2.1/servers/{server}", None, who)[2]["server"]
        return found["status"], found.get("fault", {}).get("message", "")

    first = Site(folder)
    try:
        tiny = {"flavorRef": flavor(first, "tiny")}
        of_bob, of_eve = {**wanted(first), **tiny}, {**wanted(first, "eve"), **tiny}
        assert first.worker.wait_idle(30)
        first.worker.stop()
        status, lost = create(first, "eve", {**of_eve, "flavorRef": flavor(first, "fast")})
        assert status == 202
    finally:
        first.close()

    inventory.write_text(plain, encoding="utf-8")
    second = Site(folder, first.projects)
    try:
        patiently(lambda: shown(second, "eve", lost)[0] == "ERROR")
        assert "fast" in shown(second, "eve", lost)[1]
        status, made = create(second, "bob", of_bob)
        assert status == 202, made
        assert create(second, "eve", of_eve)[0] == 202
        assert create(second, "eve", {**of_eve, "flavorRef": flavor(second, "fast")})[0] == 409
        patiently(lambda: shown(second, "bob", made)[0] == "ACTIVE")
        assert shown(second, "eve", lost)[0] == "ERROR"
    finally:
        second.close()

    inventory.write_text(plain.replace("stead_vcpus", "stead_traits: [fast], stead_vcpus"), encoding="utf-8")
    third = Site(folder, first.projects)
    try:
        patiently(lambda: shown(third, "eve", lost)[0] == "ACTIVE")
        assert third.call("DELETE", f"/compute/v2.1/servers/{lost}", None, "eve")[0] == 204
        assert third.worker.wait_idle(30)
    finally:
        third.close()


def patiently(ask: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not ask():
        assert time.monotonic() < until
        time.sleep(0.1)
