"""Pages of those who run the cloud tell what is there, and are live while something goes on."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from tests.serve.portal.browsing import PlainBrowser, with_network, with_server
from tests.serve.served import SITE, Site, write_site

from stead.cli import main
from stead.core.address import Address
from stead.core.observed import Have
from stead.core.value import replace
from stead.core.want import Want
from stead.serve.portal.deaths import death_of
from stead.serve.portal.topology import BAND, MOST, TOP, DrawnDevice, drawing


@pytest.fixture(scope="module")
def ada(site: Site) -> PlainBrowser:
    with_server(site, "bob", "seen", with_network(site, "bob"))
    assert site.worker.wait_idle(60)
    return PlainBrowser(site, "ada")


def test_hosts_tell_how_full_they_are(ada: PlainBrowser) -> None:
    text = ada.get("/hosts").text
    assert re.search(r"compute-1.*Instances: 1.*47 free", text, re.DOTALL)
    assert "2 of 2 failures hurt" in text  # a site with one host of each role
    one = ada.get("/hosts/compute-1").text
    assert "seen" in one
    assert ada.get("/hosts/nowhere").status == 404
    assert "127.5 GiB free" in ada.get("/capacity").text


def test_runs_lead_to_their_steps_and_their_plans(ada: PlainBrowser) -> None:
    runs = re.findall(r'href="/portal/runs/(\d+)"', ada.get("/runs").text)
    text = ada.get(f"/runs/{runs[0]}").text
    assert "bobs/instances/vm-" in text
    got = ada.get(f"/runs/{runs[0]}/plan")
    style = re.findall(r"<style>(.*?)</style>", got.text, re.DOTALL)[0]
    assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in got.headers["content-security-policy"]
    assert "<script" not in got.text
    for wrong in ("0", "x", "9" * 30, "-1"):
        assert ada.get(f"/runs/{wrong}").status == 404


def test_what_a_host_has_otherwise_is_drift(site: Site, ada: PlainBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No drift" in ada.get("/drift").text
    observed = site.cloud.observed
    address, on = next((one, on) for one, on in observed.haves.items() if one.kind == "instances")
    host, have = next(iter(on.items()))
    other = Want.of(have.want.body, {"memory": 1 << 20})
    changed = {**observed.haves, address: {host: Have(other, have.made_from, have.uuid)}}
    monkeypatch.setattr(site.cloud, "observed", replace(observed, haves=changed))
    assert str(address) in ada.get("/drift").text


def test_what_the_death_of_a_host_would_do(site: Site, ada: PlainBrowser) -> None:
    """There is no other that could run its instance."""
    before = site.cloud.observed
    text = ada.get("/hosts/compute-1/death").text
    address = next(str(one) for one in before.haves if one.kind == "instances")
    assert re.search(rf"{re.escape(address)} stays on compute-1, which is dead", text)
    assert "/hosts/compute-1/death" in ada.get("/hosts/compute-1").text
    assert "stead evacuate network-1" in ada.get("/hosts/network-1/death").text
    assert ada.get("/hosts/nowhere/death").status == 404
    assert site.cloud.observed is before
    assert site.worker.wait_idle(10)
    assert ada.get("/hosts/compute-1").text.count("pill up") == 1


def test_what_has_its_disk_elsewhere_is_started_elsewhere(tmp_path: Path) -> None:
    nfs = "{shared: {type: nfs, size: 1TiB, path: /srv/nfs}}"
    inventory = f"""
all:
  vars: {{stead_runner: simulated}}
  children:
    network: {{hosts: {{network-1: {{}}}}}}
    storage: {{hosts: {{storage-1: {{stead_pools: {nfs}}}}}}}
    compute: {{hosts: {{"compute-[1:2]": {{stead_vcpus: 8, stead_memory: 16GiB}}}}}}
"""
    keep = "{flavor: {vcpus: 1, memory: 512MiB}, boot_volume: disk, networks: [inner]}"
    local = "{flavor: tiny, image: cirros, networks: [inner]}"
    volume = "{disk: {size: 1GiB, pool: shared, from: {image: cirros}}}"
    more = f"{{instances: {{keep: {keep}, local: {local}}}, volumes: {volume}, networks"
    site = SITE.replace("files: {networks", f"files: {more}")
    write_site(tmp_path, site, inventory)
    assert main(["apply", "-q", "--auto-approve", "-s", str(tmp_path)]) == 0
    served = Site(tmp_path)
    try:
        records = served.cloud.world().recorded.resources
        on = {name: records[Address("files", "instances", name)].host for name in ("keep", "local")}
        other = {"compute-1": "compute-2", "compute-2": "compute-1"}
        assert re.search(rf"instances/keep.*{other[on['keep']]}", death_of(served.cloud, on["keep"]).plan, re.DOTALL)
        assert death_of(served.cloud, on["local"]).left == [Address("files", "instances", "local")]
        text = PlainBrowser(served, "ada").get(f"/hosts/{on['local']}/death").text
        assert re.search("not started elsewhere:.*files/instances/local", text, re.DOTALL)
    finally:
        served.close()


def test_projects_tell_whom_they_belong_to(ada: PlainBrowser) -> None:
    text = ada.get("/projects").text
    assert re.search(r"<b>bobs</b></td><td>API</td><td>1</td><td>1</td>", text)
    assert re.search(r"<b>files</b></td><td>[^<]*stead.yml</td>", text)


def device(name: str, *networks: str) -> DrawnDevice:
    return DrawnDevice(name, name, "/x", "instances", "ACTIVE", networks)


def test_what_joins_several_networks_has_a_slot_across_of_its_own() -> None:
    networks = [("a", "a", ""), ("b", "b", ""), ("c", "c", "")]
    found = drawing(networks, [device("one", "b"), device("joins", "a", "c"), device("two", "b")])
    placed = {one.device.name: one for one in found.devices}
    assert placed["joins"].leads == (TOP, TOP + 2 * BAND)
    assert len({one.x for one in found.devices}) == 3
    assert placed["one"].y == placed["two"].y


def test_a_network_with_many_instances_is_still_drawn() -> None:
    found = drawing([("a", "a", "")], [device(str(number), "a") for number in range(1000)])
    assert (len(found.devices), found.networks[0].more) == (MOST, 1000 - MOST)
