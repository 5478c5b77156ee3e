"""What a busy guest uses rises, in `stead top` and in the file for Prometheus; and its labels say whose it is."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from disk_scripts import user_data
from driving import Driven, tiny
from tests.prometheus import promtool
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

HOSTS = {"compute": {"count": 1, "cpus": 4}, "network": {"count": 1, "roles": ["network", "controller"]}}
# It writes to its disk for as long as it is asked to, and so uses its processor.
WRITES = "for at in $(seq 60); do dd if=/dev/zero of=/srv/x bs=64k count=64 conv=fsync; done"
BUSY = user_data({"busy": f"({WRITES}) >/dev/null 2>&1 </dev/null &\n"})
FOLDER = "/var/lib/site-exporter"
SPEC = f"""stead: 1
images:
  tiny: {{source: {tiny()}}}
flavors:
  small: {{vcpus: 1, memory: 128MiB, disk: 1GiB}}
projects:
  acme:
    networks:
      app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}
    security_groups:
      open: {{ingress: [{{protocol: any}}]}}
    instances:
      web:
        flavor: small
        image: tiny
        networks: [app]
        security_groups: [open]
        stop_timeout: 10s
        cloud_init: {{user_data: {json.dumps(BUSY)}}}
"""
WEB = "acme/instances/web"


@pytest.fixture(scope="module")
def site(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    lab = make_lab("m", parse({"hosts": HOSTS}, "metrics"))
    folder = tmp_path_factory.mktemp("metrics")
    more = folder / "metrics-inventory.yml"
    more.write_text(f"compute: {{vars: {{stead_metrics: {{directory: {FOLDER}}}}}}}\n")
    driven = Driven(lab, folder, more=[more])
    driven.stead("bootstrap")
    driven.write(SPEC)
    driven.apply()
    yield driven
    driven.destroy()


def written(site: Driven) -> dict[str, float]:
    """As node_exporter would read it."""
    text = site.run("compute-1", f"cat {FOLDER}/stead.prom")
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def fresh(site: Driven) -> dict[str, float]:
    site.run("compute-1", "systemctl start stead-metrics.service")
    return written(site)


def total(found: dict[str, float], name: str) -> float:
    return sum(value for series, value in found.items() if series.startswith(f"stead_guest_{name}{{"))


def call(site: Driven, path: str) -> str:
    (shown,) = json.loads(site.stead("show", WEB, "--json").out)["resources"]
    (net,) = json.loads(site.stead("show", "acme/networks/app", "--json").out)["resources"]
    url = f"http://{shown['leases']['nics.app.v4']}{path}"
    namespace = f"stead-dhcp-{net['leases']['uuid']}"
    return site.lab.run("network-1", ["ip", "netns", "exec", namespace, "curl", "-sS", "-m", "10", url])


def top(site: Driven) -> dict[str, Any]:
    (found,) = json.loads(site.stead("top", WEB, "--seconds", "3", "--json").out)["instances"]
    return dict(found)


def test_the_file_for_prometheus_is_written_by_itself_and_is_well_formed(site: Driven) -> None:
    patiently(lambda: call(site, "/cgi-bin/index.cgi"))
    before = site.run("compute-1", f"stat -c %Y {FOLDER}/stead.prom")
    patiently(lambda: site.run("compute-1", f"test $(stat -c %Y {FOLDER}/stead.prom) -gt {before.strip()} && echo yes"))
    text = site.run("compute-1", f"cat {FOLDER}/stead.prom")
    checked = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert re.search(
        r'^stead_guest_info\{address="acme/instances/web",flavor="small",project="acme",uuid="', text, re.MULTILINE
    )


def test_what_a_busy_guest_uses_rises(site: Driven) -> None:
    idle, before = top(site), fresh(site)
    call(site, "/cgi-bin/busy")
    busy = top(site)
    time.sleep(2)
    after = fresh(site)
    assert busy["cpu"] > idle["cpu"] + 0.05
    assert busy["wait"] > idle["wait"]
    assert busy["written_bytes"] > idle["written_bytes"] + (1 << 16)
    assert (busy["address"], busy["host"], busy["vcpus"], busy["memory"]) == (WEB, "compute-1", 1, 128 << 20)
    assert 0 < busy["memory_used"] <= 128 << 20
    assert total(after, "cpu_seconds_total") > total(before, "cpu_seconds_total") + 0.1
    for name in ("disk_writes_total", "disk_written_bytes_total", "disk_write_seconds_total"):
        assert total(after, name) > total(before, name), name
    for name in ("network_receive_bytes_total", "network_send_bytes_total", "network_receive_packets_total"):
        assert total(after, name) > total(before, name), name
    assert total(after, "memory_current_bytes") == 128 << 20
    assert total(after, "memory_rss_bytes") > 0
    assert "acme/instances/web" in site.stead("top", "--seconds", "1").out


def test_labels_in_the_words_of_nova_are_no_drift(site: Driven) -> None:
    xml = site.run("compute-1", "virsh dumpxml acme.web")
    assert '<nova:flavor name="small">' in xml
    assert re.search(r"<nova:project uuid=.acme.>acme</nova:project>", xml)
    site.stead("drift")
    site.assert_nothing_to_do()
    site.write(SPEC.replace("stop_timeout: 10s", "stop_timeout: 11s"))
    site.apply()  # a running guest is labelled anew
    assert '<nova:flavor name="small">' in re.sub(
        r' xmlns:nova="[^"]*"', "", site.run("compute-1", "virsh dumpxml acme.web")
    )
    site.assert_nothing_to_do()


def test_a_host_without_libvirt_has_no_file_and_one_that_is_off_is_told(site: Driven) -> None:
    site.run(
        "compute-1",
        "systemctl stop stead-metrics.timer libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd",
    )
    try:
        site.run("compute-1", f"systemctl start stead-metrics.service || true; test ! -e {FOLDER}/stead.prom")
        said = site.stead("top", status=1)
        assert "STEAD-H047" in said.err
    finally:
        site.run("compute-1", "systemctl start libvirtd.socket libvirtd-ro.socket stead-metrics.timer")
    patiently(lambda: site.run("compute-1", f"test -e {FOLDER}/stead.prom && echo yes"))
