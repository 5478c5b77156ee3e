"""OpenStack's own test suite judges the API: tempest's smoke set and API set against simulated hosts."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.serve.served import INVENTORY, PASSWORD, SITE, Site, write_site

from stead.core.address import Address
from stead.core.value import replace

LISTS = Path(__file__).parents[1] / "cases/tempest"
SMOKE, API = (yaml.safe_load((LISTS / name).read_text(encoding="utf-8")) for name in ("smoke.yml", "api.yml"))
CACHE = Path("/var/cache/stead/tempest")
VERSION = "47.0.0"
LINE = re.compile(
    r"^\{0\} (?:(?:setUp|tearDown)Class \()?(?:tempest\.)?([\w.]+).*\.\.\. (ok|FAILED|SKIPPED)", re.MULTILINE
)
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
    """Kept outside of the checkout: it is 200 MB."""
    folder = CACHE / VERSION
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", f"tempest=={VERSION}"], check=True)
        (folder / "ready").touch()
    return folder / "bin/tempest"


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
    _judge(_workspace(served, tempest, tmp_path), tempest, ["--smoke"], SMOKE)


@pytest.mark.long
@pytest.mark.parametrize("service", sorted(API))
def test_what_fails_of_tempests_tests_of_a_service_is_listed_with_its_reason(
    served: Site, tempest: Path, tmp_path: Path, service: str
) -> None:
    only = ["--regex", rf"^tempest\.api\.{service}\."]
    _judge(_workspace(served, tempest, tmp_path), tempest, only, API[service])


def _judge(workspace: Path, tempest: Path, only: Sequence[str], cases: Mapping[str, Any]) -> None:
    left_out = "|".join(re.escape(name) for name in cases["not_run"])
    words = [str(tempest), "run", *only, "--concurrency", "1", *(["--exclude-regex", left_out] if left_out else [])]
    ran = subprocess.run(words, cwd=workspace, capture_output=True, text=True, check=False)
    results = {(name, result) for name, result in LINE.findall(ran.stdout)}
    failed = {name for name, result in results if result == "FAILED"}
    passed = {name for name, result in results if result == "ok"}
    unlisted = sorted(name for name in failed if not name.startswith(tuple(cases["fails"])))
    assert not unlisted, ran.stdout[-20_000:]
    assert not [one for one in cases["fails"] if not any(name.startswith(one) for name in failed)]
    print(f"tempest {VERSION}: {len(passed)} of its tests pass, {len(failed)} fail as listed")
    assert len(passed) >= cases["least"]
