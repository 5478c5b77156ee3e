"""An object store that accepts the API's tokens: `stead serve` and Swift on real hosts, with OpenStack's own clients.

The tests of this file tell one story, in order. The last of them is OpenStack's own: tempest judges the store.
"""

from __future__ import annotations

import json
import subprocess
import textwrap
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from ssl import create_default_context
from typing import Any

import pytest
import yaml
from driving import Driven
from tests.serve.judging import CASES, installed, judge
from tests.serve.openstack_client import environment, made_environment, openstack, program
from tests.serve.served import PASSWORD
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {
    "hosts": {
        "controller": 1,
        "storage": {"count": 1, "vars": {"stead_object_drivers": ["swift"]}},
        "network": 1,
    }
}
CONTROLLER, STORAGE = "controller-1", "storage-1"
SITE = "stead: 1\nprojects: {limited: {quota: {object_storage: 1MiB}}}\n"
STORE = """
object_stores:
  main:
    driver: swift
    secret: 0123456789abcdef0123456789abcdef
    part_power: 4
    replicas: 1
    api: {url: URL, authority: AUTHORITY}
"""
TEMPEST = """
[oslo_concurrency]
lock_path = {folder}/lock
[auth]
admin_username = ada
admin_password = {password}
admin_project_name = demo
admin_domain_name = Default
default_credentials_domain_name = Default
create_isolated_networks = false
[identity]
uri_v3 = {url}/identity/v3
auth_version = v3
default_domain_id = default
ca_certificates_file = {authorities}
[identity-feature-enabled]
api_v2_admin = false
[object-storage]
operator_role = member
[object-storage-feature-enabled]
container_sync = false
[service_available]
swift = true
nova = false
neutron = false
glance = false
cinder = false
horizon = false
"""
OBJECTS = """
container create files
object create --name one files {path}
object list files -f json
object show files one -f json
object store account show -f json
"""


class Objects:
    """What a person has: certificates of both authorities, the clients, and a name of a project."""

    def __init__(self, driven: Driven) -> None:
        self.driven, self._python = driven, made_environment()
        self.url = f"https://{driven.lab.host(CONTROLLER).address}:8774"
        self.authorities = driven.folder / "both.pem"
        own = driven.run(CONTROLLER, "cat /etc/stead/serve/ca-cert.pem")
        driven.write(SITE + STORE.replace("URL", self.url).replace("AUTHORITY", json.dumps(own)))
        driven.stead("bootstrap")
        driven.run(CONTROLLER, "stead-site apply --auto-approve")
        self.authorities.write_text(own + driven.run(STORAGE, "cat /etc/stead/object/tls/ca-cert.pem"))

    def as_of(self, project: str) -> dict[str, str]:
        return environment(self.url, project, str(self.authorities))

    def openstack(self, project: str, lines: str) -> str:
        return openstack(self._python, self.as_of(project), lines.strip().splitlines())

    def program(self, project: str, name: str) -> str:
        return program(self._python, self.as_of(project), name)

    def token(self, project: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.openstack(project, "token issue -f json"))
        return found

    def account(self, project: str) -> str:
        told = json.loads(self.openstack(project, "catalog show object-store -f json"))
        return next(str(one["url"]) for one in told["endpoints"] if one["interface"] == "public")

    def status(self, method: str, url: str, token: str, data: bytes | None = None) -> int:
        request = urllib.request.Request(url, data, {"X-Auth-Token": token}, method=method)  # noqa: S310 - of the lab
        context = create_default_context(cafile=str(self.authorities))
        try:
            with urllib.request.urlopen(request, context=context, timeout=60) as reply:  # noqa: S310
                return int(reply.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


@pytest.fixture(scope="module")
def objects(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Objects]:
    folder = tmp_path_factory.mktemp("objects")
    more = folder / "serve.inventory.yml"
    more.write_text(json.dumps({"controller": {"hosts": {CONTROLLER: {"stead_serve": {"site": str(folder)}}}}}))
    driven = Driven(make_lab("k", parse(HOSTS, "test")), folder, more=(more,))
    driven.write(SITE)
    driven.stead("bootstrap")
    driven.lab.run(CONTROLLER, ["stead-site", "user", "create", "ada", "--admin", "--project", "demo"], feed=PASSWORD)
    found = Objects(driven)
    found.openstack("demo", "role add --user ada --project limited member")
    yield found
    for unit in (f"{CONTROLLER} stead-serve", f"{STORAGE} stead-object-proxy-server"):
        host, name = unit.split()
        told = driven.run(host, f"journalctl -u {name}")
        assert "Traceback" not in told, told


def test_a_projects_usual_login_is_enough_for_its_objects(objects: Objects) -> None:
    path = objects.driven.folder / "one"
    path.write_text("as OpenStack's client sends it")
    assert '"one"' in objects.openstack("demo", OBJECTS.format(path=path))
    assert objects.program("demo", "objects.py") == "by the SDK"
    drift = objects.driven.run(CONTROLLER, "stead-site drift")
    assert "files" not in drift, "what clients make is theirs"


def test_a_project_without_a_bucket_has_its_quota_all_the_same(objects: Objects) -> None:
    account, token = objects.account("limited"), objects.token("limited")["id"]
    assert objects.status("PUT", f"{account}/big", token) == 201
    assert objects.status("PUT", f"{account}/big/fits", token, b"x" * (1 << 19)) == 201
    with suppress(OSError):  # it is refused before all of it was sent
        assert objects.status("PUT", f"{account}/big/fits-not", token, b"x" * (2 << 20)) == 413
    assert objects.status("HEAD", f"{account}/big/fits", token) == 200
    assert objects.status("HEAD", f"{account}/big/fits-not", token) == 404


def test_no_token_reaches_another_projects_account(objects: Objects) -> None:
    account, token = objects.account("demo"), objects.token("limited")["id"]
    for method in ("GET", "PUT", "DELETE", "POST"):
        assert objects.status(method, f"{account}/files/one", token) == 403
    for bad in ("gAAAAAB", token[:-4] + "AAAA", "AUTH_api" + token[:-4] + "AAAA", "AUTH_api"):
        assert objects.status("GET", account, bad) == 401


def test_a_revoked_token_is_good_for_a_minute_at_most(objects: Objects) -> None:
    account, token = objects.account("demo"), objects.token("demo")["id"]
    assert objects.status("GET", account, token) == 200
    objects.openstack("demo", f"token revoke {token}")
    assert objects.status("GET", f"{objects.url}/identity/v3/auth/projects", token) == 401
    patiently(lambda: objects.status("GET", account, token) == 401, 75)


def test_without_the_api_who_was_known_goes_on_and_nobody_else(objects: Objects) -> None:
    account, known, new = objects.account("demo"), objects.token("demo")["id"], objects.token("demo")["id"]
    assert objects.status("GET", account, known) == 200
    objects.driven.run(CONTROLLER, "systemctl stop stead-serve")
    try:
        assert objects.status("GET", account, known) == 200
        assert objects.status("GET", account, new) == 503
    finally:
        objects.driven.run(CONTROLLER, "systemctl start stead-serve")
    patiently(lambda: objects.status("GET", account, new) == 200)


def test_what_fails_of_tempests_tests_of_object_storage_is_listed_with_its_reason(
    objects: Objects, tmp_path: Path
) -> None:
    tempest, cases = installed(), yaml.safe_load((CASES / "object_storage.yml").read_text(encoding="utf-8"))
    made = [str(tempest), "init", "--workspace-path", str(tmp_path / "workspaces.yaml"), str(tmp_path / "workspace")]
    subprocess.run(made, check=True, capture_output=True, cwd=tmp_path)
    text = TEMPEST.format(folder=tmp_path, password=PASSWORD, url=objects.url, authorities=objects.authorities)
    (tmp_path / "workspace/etc/tempest.conf").write_text(textwrap.dedent(text), encoding="utf-8")
    judge(
        tmp_path / "workspace",
        tempest,
        ["--regex", r"^tempest\.api\.object_storage\."],
        cases,
        str(objects.authorities),
    )
