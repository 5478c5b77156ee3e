"""OpenStack's own test suite judges the API: tempest's smoke set and API set against simulated hosts."""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.serve.judging import CASES, installed, judge
from tests.serve.served import INVENTORY, PASSWORD, SITE, Site, write_site

from stead.core.address import Address
from stead.core.value import replace

SMOKE, API = (yaml.safe_load((CASES / name).read_text(encoding="utf-8")) for name in ("smoke.yml", "api.yml"))
EXTENSIONS = (
    "router external-net security-group quotas quota_details port-security binding ext-gw-mode extraroute provider "
    "allowed-address-pairs subnet_allocation ip-substring-filtering net-mtu standard-attr-description "
    "standard-attr-timestamp standard-attr-tag stateful-security-group agent "
    "dhcp_agent_scheduler l3_agent_scheduler availability_zone pagination sorting"
)
CONFIGURATION = """
[oslo_concurrency]
lock_path = {folder}/lock
[auth]
admin_username = ada
admin_password = {password}
admin_project_name = adas
admin_domain_name = Default
default_credentials_domain_name = Default
[identity]
uri_v3 = {url}/identity/v3
auth_version = v3
default_domain_id = default
[identity-feature-enabled]
api_v2_admin = false
trust = true
application_credentials = true
[compute]
image_ref = {image}
image_ref_alt = {other_image}
flavor_ref = {flavor}
flavor_ref_alt = {other}
build_interval = 1
[compute-feature-enabled]
enable_instance_password = false
console_output = false
vnc_console = false
pause = true
suspend = true
resize = true
shelve = false
rescue = false
snapshot = true
live_migration = false
config_drive = false
[network]
public_network_id = {public}
floating_network_name = public
project_network_cidr = 10.100.0.0/16
project_network_mask_bits = 28
[network-feature-enabled]
api_extensions = {extensions}
ipv6_subnet_attributes = true
[validation]
run_validation = false
[service_available]
swift = false
horizon = false
[volume]
build_interval = 1
[volume-feature-enabled]
backup = false
[image-feature-enabled]
import_image = false
"""


@pytest.fixture(scope="module")
def tempest() -> Path:
    return installed()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With a second image. Simulated hosts have no bytes of disks, so an image of one has bytes of this test."""
    images = "images: {cirros: {source: /srv/images/cirros.qcow2}, other: {source: /srv/images/other.qcow2}}"
    two = INVENTORY.replace(
        "{hosts: {compute-1", "{hosts: {compute-2: {stead_vcpus: 48, stead_memory: 128GiB}, compute-1"
    )
    found = Site(write_site(tmp_path_factory.mktemp("site"), re.sub("images: .*", images, SITE), two))
    found.cloud.means = replace(found.means, save_image=_save)
    yield found
    found.close()


def _save(_disk: Address, path: Path) -> None:
    path.write_bytes(b"QFI\xfb and the rest")


def _id(site: Site, path: str, kind: str, name: str) -> Any:
    _, _, body = site.call("GET", path, who="ada")
    return next(one["id"] for one in body[kind] if one["name"] == name)


def _workspace(site: Site, tempest: Path, folder: Path) -> Path:
    made = [str(tempest), "init", "--workspace-path", str(folder / "workspaces.yaml"), str(folder / "workspace")]
    subprocess.run(made, check=True, capture_output=True, cwd=folder)
    text = CONFIGURATION.format(
        folder=folder,
        password=PASSWORD,
        url=site.url,
        image=_id(site, "/image/v2/images", "images", "cirros"),
        other_image=_id(site, "/image/v2/images", "images", "other"),
        flavor=_id(site, "/compute/v2.1/flavors", "flavors", "tiny"),
        other=_id(site, "/compute/v2.1/flavors", "flavors", "small"),
        public=_id(site, "/network/v2.0/networks", "networks", "public"),
        extensions=",".join(EXTENSIONS.split()),
    )
    (folder / "workspace/etc/tempest.conf").write_text(textwrap.dedent(text), encoding="utf-8")
    return folder / "workspace"


@pytest.mark.long
def test_what_fails_of_tempests_smoke_set_is_listed_with_its_reason(
    served: Site, tempest: Path, tmp_path: Path
) -> None:
    judge(_workspace(served, tempest, tmp_path), tempest, ["--smoke"], SMOKE)


@pytest.mark.long
@pytest.mark.parametrize("service", sorted(API))
def test_what_fails_of_tempests_tests_of_a_service_is_listed_with_its_reason(
    served: Site, tempest: Path, tmp_path: Path, service: str
) -> None:
    only = ["--regex", rf"^tempest\.api\.{service}\."]
    judge(_workspace(served, tempest, tmp_path), tempest, only, API[service])
