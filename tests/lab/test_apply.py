"""A spec becomes instances on real hosts that answer, changes as planned, and leaves nothing when it goes.

The tests of this file tell one story, in order: apply, look, apply again, change, destroy.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from beginnings import WITH_PUBLIC
from leftovers import differences, listing
from waiting import patiently
from working import Site

from stead.core.address import Address
from stead.core.effect import Action
from stead.lab.image.build import ensure_image
from stead.lab.site import Lab
from stead.runner import StepStatus
from stead.store import open_store

pytestmark = pytest.mark.lab

SPEC = (
    WITH_PUBLIC
    + """projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}, v6: {cidr: "fd00:20::/64"}}}
    routers:
      edge: {external: public, networks: [app]}
    security_groups:
      web: {ingress: [{protocol: tcp, ports: 80}, {protocol: icmp}, {protocol: icmpv6}]}
    volumes:
      data: {size: 64MiB}
    instances:
      web:
        {count: 2, flavor: small, image: tiny, networks: [app], security_groups: [web], spread: hosts,
         stop_timeout: 20s, volumes: [], cloud_init: {user_data: CALLER}}
      db:
        {flavor: small, image: tiny, networks: [app], security_groups: [web], volumes: [data],
         stop_timeout: 20s, cloud_init: {user_data: CALLER}}
    floating_ips:
      www: {network: public, instance: "web[0]"}
  other:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}}}
    security_groups:
      open: {ingress: [{protocol: any}]}
    instances:
      spy:
        {flavor: small, image: tiny, networks: [{network: app, address: 10.20.0.77}], security_groups: [open],
         stop_timeout: 20s, cloud_init: {user_data: CALLER}}
"""
)

# `/cgi-bin/call?host` tells what the guest itself hears from another, `/cgi-bin/disk?vdb` how large a disk is, and
# `/cgi-bin/count` counts for as long as somebody listens.
CALLER = """#cloud-config
write_files:
  - path: /srv/http/cgi-bin/call
    permissions: '0755'
    content: |
      #!/bin/sh
      printf 'Content-Type: text/plain\\r\\n\\r\\n'
      heard=$(printf 'GET /cgi-bin/index.cgi HTTP/1.0\\r\\n\\r\\n' | nc -w 3 "$QUERY_STRING" 80 | tail -n 1)
      echo "${heard:-silence}"
  - path: /srv/http/cgi-bin/disk
    permissions: '0755'
    content: |
      #!/bin/sh
      printf 'Content-Type: text/plain\\r\\n\\r\\n'
      cat "/sys/block/$QUERY_STRING/size"
  - path: /srv/http/cgi-bin/count
    permissions: '0755'
    content: |
      #!/bin/sh
      printf 'Content-Type: text/plain\\r\\n\\r\\n'
      at=0
      while echo $at; do at=$((at + 1)); sleep 1; done
"""


SPEC = SPEC.replace("CALLER", json.dumps(CALLER))
MOST_LOST = 30  # of packets at 0.1 s, on a machine that is busy: one that must wait for new entries loses as many


@pytest.fixture(scope="module")
def site(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    program = Path(sys.executable).with_name("ansible-playbook")
    words = [str(program), "-i", str(lab.inventory), "stead.cloud.bootstrap"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    shutil.copy(ensure_image("tiny", lambda _text: None), folder / "tiny.qcow2")
    store = open_store("", directory=folder, create=True)
    found = Site(lab=lab, folder=folder, store=store, text=SPEC)
    found.plan()  # looking at a host for the first time leaves what was proven there
    found.before = listing(lab)
    yield found
    found.apply(found.plan(destroy=True))  # so that the shared lab is as it was, whatever failed
    store.close()


def test_a_spec_becomes_instances_that_answer(site: Site) -> None:
    applied = site.apply(site.plan())
    assert [told.why for told in (*applied.failed, *applied.skipped, *applied.unknown)] == []
    assert site.identity("acme/instances/web[0]")["hostname"] == "web-0"
    assert site.identity("acme/instances/web[1]")["hostname"] == "web-1"
    assert site.identity("other/instances/spy")["hostname"] == "spy"


def test_every_address_is_the_planned_one(site: Site) -> None:
    for resource in ("acme/instances/web[0]", "acme/instances/web[1]", "acme/instances/db"):
        assert site.identity(resource)["ipv4"] == [site.address(resource)]


def test_guests_on_two_hosts_reach_each_other_by_name(site: Site) -> None:
    records = site.store.recorded().resources
    assert records[Address("acme", "instances", "web", 0)].host != records[Address("acme", "instances", "web", 1)].host
    assert json.loads(site.ask("acme/instances/web[0]", "call?web-1"))["hostname"] == "web-1"
    assert json.loads(site.ask("acme/instances/web[1]", "call?web-0.acme.stead.internal"))["hostname"] == "web-0"


def test_another_projects_network_is_another_world(site: Site) -> None:
    """Both have 10.20.0.0/24, on the same hosts."""
    for resource in ("acme/instances/web[0]", "acme/instances/web[1]"):
        assert "silence" in site.ask("other/instances/spy", f"call?{site.address(resource)}")
    assert "silence" in site.ask("acme/instances/web[0]", "call?10.20.0.77")


def test_a_security_group_lets_in_what_it_says_and_nothing_else(site: Site) -> None:
    namespace = f"stead-dhcp-{site.store.recorded().resources[Address('acme', 'networks', 'app')].leases['uuid']}"
    target = site.address("acme/instances/web[0]")
    ssh = ["ip", "netns", "exec", namespace, "curl", "-sS", "-m", "3", f"telnet://{target}:22"]
    with pytest.raises(subprocess.CalledProcessError):
        site.lab.run("network-1", ssh)
    assert site.identity("acme/instances/web[0]")


def test_a_floating_ip_answers_from_outside(site: Site) -> None:
    address = site.store.recorded().resources[Address("acme", "floating_ips", "www")].leases["address"]
    answer = site.lab.run("neighbour", ["curl", "-sS", "-m", "8", f"http://{address}/cgi-bin/index.cgi"])
    assert json.loads(answer)["hostname"] == "web-0"


def test_a_second_plan_is_empty(site: Site) -> None:
    assert site.plan().empty


def test_the_same_steps_again_change_nothing(site: Site) -> None:
    """For real and in check mode: the modules see for themselves that all is as it should be."""
    first = site.runs[0]
    for arguments in ((), ("--check",)):
        for wave in sorted(first.iterdir()):
            for old in wave.glob("*.result-*.json"):
                old.unlink()
            program = Path(sys.executable).with_name("ansible-playbook")
            words = [str(program), "-i", str(site.lab.inventory), "stead.cloud.wave", "-e", f"stead_wave={wave}"]
            done = subprocess.run([*words, *arguments], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-3000:]
            results = [one for path in wave.glob("*.result-*.json") for one in json.loads(path.read_text())["results"]]
            assert results
            assert [(one["address"], one["done"]) for one in results if one["changed"]] == []


def test_a_change_does_exactly_that(site: Site) -> None:
    """A volume grows in use, a data change rebuilds one instance, another is left alone."""
    kept = site.identity("acme/instances/web[0]")["boot_id"]
    assert site.ask("acme/instances/db", "disk?vdb").strip() == str((64 << 20) // 512)
    site.text = SPEC.replace("size: 64MiB", "size: 96MiB")
    plan = site.plan()
    assert {(str(step.address), str(step.action)) for step in plan.steps} == {("acme/volumes/data", "update")}
    assert not site.apply(plan).failed
    assert site.ask("acme/instances/db", "disk?vdb").strip() == str((96 << 20) // 512)
    assert site.identity("acme/instances/web[0]")["boot_id"] == kept


def test_a_reboot_is_a_reboot_and_a_detached_volume_keeps_its_data(site: Site) -> None:
    before = site.identity("acme/instances/spy".replace("acme", "other"))
    site.text = site.text.replace("volumes: [data]", "volumes: []").replace(
        "spy:\n        {flavor: small,", "spy:\n        {flavor: {vcpus: 1, memory: 144MiB, disk: 1GiB},"
    )
    plan = site.plan()
    actions = {str(step.address): str(step.action) for step in plan.steps}
    assert actions == {"acme/instances/db": "update", "other/instances/spy": "reboot"}
    assert not site.apply(plan).failed
    with pytest.raises((subprocess.CalledProcessError, ValueError)):
        int(site.ask("acme/instances/db", "disk?vdb"))
    after = site.identity("other/instances/spy")
    assert after["boot_id"] != before["boot_id"]
    assert after["instance_id"] == before["instance_id"]


def test_a_running_instance_moves_and_its_connections_stay(site: Site) -> None:
    """With its root disk. The packets that are lost meanwhile are few, an open connection goes on, nothing is left."""
    spy, address = "other/instances/spy", Address("other", "instances", "spy")
    before, source = site.identity(spy), site.store.recorded().resources[address].host
    uuid = site.store.recorded().resources[address].leases["uuid"]
    target = {"compute-1": "compute-2", "compute-2": "compute-1"}[source]
    site.text = site.text.replace("spy:\n        {", f"spy:\n        {{host: {target}, ")
    site.text = re.sub(r"      db:\n.*?(?=    floating_ips:)", "", site.text, flags=re.DOTALL)  # it makes room there
    plan = site.plan()
    assert [(str(step.address), step.to) for step in plan.steps if step.action is Action.MIGRATE] == [(spy, target)]
    network = site.store.recorded().resources[Address("other", "networks", "app")]
    assert "unencrypted" not in {reason.code for step in plan.steps for reason in step.reasons}
    inside = f"ip netns exec stead-dhcp-{network.leases['uuid']}"
    seen = (f"ping -D -i 0.1 {site.address(spy)}", f"curl -sSN http://{site.address(spy)}/cgi-bin/count")
    script = "".join(f"setsid {inside} {words} >/tmp/moving-{at} 2>&1 & echo $!; " for at, words in enumerate(seen))
    processes = site.lab.run("network-1", ["sh", "-c", script]).split()
    assert not site.apply(plan).failed
    counted = len(site.lab.run("network-1", ["cat", "/tmp/moving-1"]).split())
    patiently(lambda: _more_than(site, counted + 2))
    site.lab.run("network-1", ["kill", *processes])
    numbers = [
        int(word) for word in re.findall(r"icmp_seq=(\d+) ttl", site.lab.run("network-1", ["cat", "/tmp/moving-0"]))
    ]
    assert numbers[-1] - numbers[0] + 1 - len(numbers) < MOST_LOST
    assert site.plan().empty
    after = site.identity(spy)
    assert (after["boot_id"], after["ipv4"]) == (before["boot_id"], before["ipv4"])
    names = {host: site.lab.run(host, ["virsh", "list", "--all", "--name"]).split() for host in (source, target)}
    assert ("other.spy" in names[source], "other.spy" in names[target]) == (False, True)
    left = site.lab.run(source, ["sh", "-c", f"find /var/lib/stead /etc/libvirt/qemu -name '*{uuid}*'"])
    assert left == ""


def test_a_drained_host_gets_its_instances_back(site: Site) -> None:
    spy, address = "other/instances/spy", Address("other", "instances", "spy")
    boot, home = site.identity(spy)["boot_id"], site.store.recorded().resources[address].host
    site.text = site.text.replace(f"{{host: {home}, ", "{")
    for asked, ends in (({"drain": home}, False), ({"restore": home}, True)):
        plan = site.plan(asked=asked)
        assert str(address) in {str(step.address) for step in plan.steps if step.action is Action.MIGRATE}
        assert not site.apply(plan).failed
        assert (site.store.recorded().resources[address].host == home) is ends
        assert bool(site.store.recorded().hosts[home].drained) is not ends
        assert site.plan().empty
    assert site.identity(spy)["boot_id"] == boot


def _more_than(site: Site, many: int) -> bool:
    words = site.lab.run("network-1", ["cat", "/tmp/moving-1"]).split()
    assert [int(word) for word in words] == [*range(len(words))]
    return len(words) > many


def test_a_host_that_is_silent_holds_up_nobody_else(site: Site) -> None:
    good = site.text
    site.text = good.replace("data: {size: 96MiB}", "data: {size: 96MiB}\n      more: {size: 1MiB, host: compute-2}")
    site.text = site.text.replace("more: {size", "less: {size: 1MiB, host: compute-1}\n      more: {size")
    plan = site.plan()
    site.lab.cut(site.lab.host("compute-2"))
    try:
        applied = site.apply(plan)
    finally:
        site.lab.heal(site.lab.host("compute-2"))
    assert set(applied.silent) == {"compute-2"}
    assert [str(told.step.address) for told in applied.skipped] == ["acme/volumes/more"]
    assert applied.done == 1
    assert StepStatus.UNKNOWN not in {told.step.host for told in applied.unknown}
    assert not site.apply(site.plan()).failed
    site.text = good
    assert not site.apply(site.plan()).failed


def test_destroy_leaves_nothing(site: Site) -> None:
    applied = site.apply(site.plan(destroy=True))
    assert (applied.failed, applied.skipped) == ((), ())
    assert differences(site.before, listing(site.lab)) == []
    assert site.store.recorded().resources == {}
