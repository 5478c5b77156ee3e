"""A site with simulated hosts, served from a thread of the tests, and a client of theirs that knows no OpenStack."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn

from stead.cli.common.serving import means, people_of
from stead.cli.common.workspace import Workspace, find
from stead.core.address import Address
from stead.serve.begin import begun
from stead.serve.cloud import Cloud
from stead.serve.edits import Who
from stead.serve.http import NotifyingServer
from stead.serve.identity.people import People
from stead.serve.identity.scopes import SYSTEM
from stead.serve.portal.application import application
from stead.serve.portal.live import LiveStreams
from stead.serve.services import SERVICES
from stead.serve.worker import Worker
from stead.serve.world import bare

SITE = """
stead: 1
images: {cirros: {source: /srv/images/cirros.qcow2}}
flavors:
  tiny: {vcpus: 1, memory: 512MiB, disk: 1GiB}
  small: {vcpus: 1, memory: 1GiB, disk: 2GiB}
  huge: {vcpus: 400, memory: 256MiB, disk: 1GiB}
networks:
  public:
    type: flat
    physical: external
    external: true
    subnets: {v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1, pool: 203.0.113.10-203.0.113.99}}
projects:
  files: {networks: {inner: {subnets: {v4: {cidr: 10.9.0.0/24}}}}}
"""
INVENTORY = """
all:
  vars: {stead_runner: simulated}
  children:
    network: {hosts: {network-1: {stead_physical_networks: {external: eth1}}}}
    compute: {hosts: {compute-1: {stead_vcpus: 48, stead_memory: 128GiB}}}
"""
PASSWORD = "correct horse battery"  # noqa: S105 - of people of these tests
Reply = tuple[int, Mapping[str, str], Any]


def write_site(folder: Path, site: str = SITE, inventory: str = INVENTORY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stead.yml").write_text(site, encoding="utf-8")
    (folder / "inventory.yml").write_text(inventory, encoding="utf-8")
    return folder


def workspace_at(folder: Path) -> Workspace:
    return find(specs=[str(folder)])


class Site:
    """Served; with people: ada is an admin, bob and eve are members of one project each, ray reads in bob's.

    `projects`: those of an earlier server of this site, who knows these people.
    """

    def __init__(self, folder: Path, projects: Mapping[str, str] | None = None) -> None:
        self.means = means(workspace_at(folder))
        self.cloud = Cloud(self.means)
        self.people: People = people_of(self.means)
        self.worker = Worker(self.cloud)
        self.worker.start()
        self.projects: Mapping[str, str] = self._with_people() if projects is None else projects
        self._tokens: dict[str, str] = {}
        live = LiveStreams(self.cloud)
        app = application(self.cloud, self.people, SERVICES, live=live)
        self.url = ""
        self._server = NotifyingServer(uvicorn.Config(app, port=0, log_level="warning"), live)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = time.monotonic() + 30
        while not self._server.started and time.monotonic() < until:
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def _with_people(self) -> dict[str, str]:
        projects = {}
        for name in ("bobs", "eves", "adas"):
            world, address = begun(self.cloud, Who("tests", ""), name)
            projects[name] = bare(world.id_of(address))
        files = Address("", "projects", "files")
        projects["files"] = bare(self.cloud.world().id_of(files))
        for name, where, role in (
            ("ada", "adas", "admin"),
            ("bob", "bobs", "member"),
            ("eve", "eves", "member"),
            ("ray", "bobs", "reader"),
            ("fay", "files", "member"),
        ):
            user = self.people.add_user(name, PASSWORD)
            self.people.assign(user, projects[where], role)
            self.people.change_user(user, default_project_id=projects[where])
        self.people.assign(self.people.named("ada") or "", SYSTEM, "admin")
        return projects

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.worker.stop()

    def log_in(self, name: str, password: str = PASSWORD) -> Reply:
        user = {"name": name, "domain": {"id": "default"}, "password": password}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
        return self.call("POST", "/identity/v3/auth/tokens", body)

    def token(self, name: str) -> str:
        if name not in self._tokens:
            self._tokens[name] = self.log_in(name)[1]["x-subject-token"]
        return self._tokens[name]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        who: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reply:
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=data, method=method)  # noqa: S310 - our own
        for name, text in {"Content-Type": "application/json", **(headers or {})}.items():
            request.add_header(name, text)
        if who:
            request.add_header("X-Auth-Token", self.token(who))
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
                return _read(reply)
        except urllib.error.HTTPError as error:
            with error:
                return _read(error)


def _read(reply: Any) -> Reply:
    content = reply.read()
    headers = {name.lower(): text for name, text in reply.headers.items()}
    if content and "json" in headers.get("content-type", ""):
        return reply.status, headers, json.loads(content)
    return reply.status, headers, content
