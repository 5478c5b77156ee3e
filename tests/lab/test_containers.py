"""Containers as instances: networks, filters, limits and power as of other guests; and what a tenant who is root in one
cannot do to its host, with real packets and on real hosts.

The tests of this file tell one story, in order.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from driving import Driven, prepare
from leftovers import Listing, differences, listing
from networking import OBEYS
from waiting import patiently

from stead.lab.image.build import ensure_image
from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {
    "hosts": {
        "compute": {"count": 2, "cpus": 8, "vars": {"stead_hypervisors": ["qemu", "lxc"]}},
        "plain": {"count": 1, "roles": ["compute"], "vars": {"stead_hypervisors": ["qemu"]}},
        "network": {"count": 1, "roles": ["network", "controller"]},
    }
}
SPEC = f"""stead: 1
images:
  box: {{source: BOX}}
networks:
  public:
    {{type: flat, physical: external, external: true,
     subnets: {{v4: {{cidr: 203.0.113.0/24, gateway: 203.0.113.1, pool: 203.0.113.10-203.0.113.99}}}}}}
projects:
  acme:
    networks:
      app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}
    routers:
      edge: {{external: public, networks: [app], ha: false}}
    security_groups:
      web: {{ingress: [{{protocol: tcp, ports: 80}}, {{protocol: icmp}}]}}
    instances:
      one:
        flavor: {{vcpus: 1, memory: 64MiB, disk: 128MiB}}
        image: box
        host: compute-1
        networks: [{{network: app, address: 10.20.0.11}}]
        security_groups: [web]
        wait: http
        cloud_init: {{user_data: {json.dumps(OBEYS)}}}
      two:
        flavor: {{vcpus: 1, memory: 64MiB, disk: 128MiB}}
        image: box
        host: compute-2
        networks: [{{network: app, address: 10.20.0.12}}]
        security_groups: [web]
        wait: http
        cloud_init: {{user_data: {json.dumps(OBEYS)}}}
    floating_ips:
      www: {{network: public, address: 203.0.113.50, instance: one}}
  beta:
    keypairs:
      ada: {{public_key: "KEY"}}
    networks:
      app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}
    security_groups:
      web: {{ingress: [{{protocol: any}}]}}
    instances:
      other:
        flavor: {{vcpus: 1, memory: 64MiB, disk: 128MiB}}
        image: box
        networks: [{{network: app, address: 10.20.0.13}}]
        keypairs: [ada]
        security_groups: [web]
        wait: http
        cloud_init: {{user_data: {json.dumps(OBEYS)}}}
"""
ONE, TWO, OTHER = "acme/instances/one", "acme/instances/two", "beta/instances/other"
ADDRESS = {ONE: "10.20.0.11", TWO: "10.20.0.12", OTHER: "10.20.0.13"}
STARTS_WITHIN = 60
GROUP = "/sys/fs/cgroup/{0}lxc.payload.$uuid/{1}"
LIMIT = f"cat {GROUP.format('memory/', 'memory.limit_in_bytes')} 2>/dev/null || cat {GROUP.format('', 'memory.max')}"
BOUNDED = "{vcpus: 1, max_memory: 128MiB, memory: 64MiB, disk: 128MiB}"
BACK = "app: {subnets: {v4: {cidr: 10.20.0.0/24}}}\n      back: {subnets: {v4: {cidr: 10.30.0.0/24}}}"


class Cloud:
    def __init__(self, driven: Driven) -> None:
        self.driven = driven
        self.before: Listing = {}

    def shown(self, address: str) -> dict[str, Any]:
        (found,) = json.loads(self.driven.stead("show", address, "--json").out)["resources"]
        return dict(found)

    def uuid(self, address: str) -> str:
        return str(self.shown(address)["leases"]["uuid"])

    def on_host(self, address: str, command: str) -> str:
        """What a command says on the host of a container; `$pid` is its first process there, `$uuid` its UUID."""
        shown = self.shown(address)
        uuid = shown["leases"]["uuid"]
        pid = f"pid=$(lxc-info -P /var/lib/stead/lxc -n {uuid} -pH); uuid={uuid}; "
        return self.driven.run(shown["host"], pid + command).strip()

    def sh(self, address: str, script: str) -> tuple[int, str]:
        """What root of a container gets for this, told over its network."""
        network = self.uuid(address.partition("/")[0] + "/networks/app")
        url = f"http://{ADDRESS[address]}/cgi-bin/sh"
        words = ["curl", "-sS", "-m", "30", "--data-binary", script, url]
        out = self.driven.lab.run("network-1", ["ip", "netns", "exec", f"stead-dhcp-{network}", *words])
        text, _word, status = out.rpartition("status ")
        return int(status), text

    def obeys(self, *addresses: str) -> None:
        for address in addresses:
            patiently(partial(self.sh, address, "true"), STARTS_WITHIN)

    def refuses(self, address: str, script: str) -> None:
        status, text = self.sh(address, script)
        assert status != 0, (script, text)

    def change(self, old: str, new: str) -> str:
        text = (self.driven.folder / "stead.yml").read_text(encoding="utf-8")
        assert old in text
        self.driven.write(text.replace(old, new))
        said = self.driven.apply().text
        self.driven.assert_nothing_to_do()
        return said


NODES = (("disk", tarfile.BLKTYPE, 7, 0), ("memory", tarfile.CHRTYPE, 1, 1), ("console", tarfile.CHRTYPE, 5, 1))


def hostile_image(folder: Path) -> Path:
    """The lab's root file system with what a tenant may add: nodes of the host's devices."""
    made = folder / "box.tar"
    made.write_bytes(ensure_image("container", lambda _text: None).read_bytes())
    with tarfile.open(made, "a") as archive:
        for name, kind, major, minor in NODES:
            node = tarfile.TarInfo(f"./srv/{name}")
            node.type, node.devmajor, node.devminor, node.mode = kind, major, minor, 0o666
            archive.addfile(node)
    return made


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    folder = tmp_path_factory.mktemp("containers")
    lab = make_lab("c", parse(HOSTS, "test"))
    prepare(lab)
    driven = Driven(lab=lab, folder=folder)
    found = Cloud(driven)
    driven.stead("hosts")
    found.before = listing(lab)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    public = (folder / "key.pub").read_text(encoding="utf-8").strip()
    driven.write(SPEC.replace("BOX", str(hostile_image(folder))).replace("KEY", public))
    driven.apply()
    return found


def test_containers_answer_over_their_network(cloud: Cloud) -> None:
    cloud.obeys(ONE, TWO, OTHER)
    for address in (ONE, TWO):
        assert cloud.sh(address, "hostname")[1].strip() == address.rpartition("/")[2]
    assert cloud.sh(ONE, "ping -c 2 -W 5 10.20.0.12")[0] == 0  # another host
    assert "10.20.0.11/24" in cloud.sh(ONE, "ip address show eth0")[1]
    cloud.driven.assert_nothing_to_do()


def test_image_chooses_its_hypervisor_and_the_hypervisor_its_hosts(cloud: Cloud) -> None:
    assert cloud.shown(OTHER)["host"] in ("compute-1", "compute-2")
    text = (cloud.driven.folder / "stead.yml").read_text(encoding="utf-8")
    cloud.driven.write(text.replace("host: compute-2", "host: plain-1"))
    assert "STEAD-P001" in cloud.driven.stead("plan", status=1).text
    cloud.driven.write(text)


def test_floating_ip_leads_to_a_container_and_it_gets_out(cloud: Cloud) -> None:
    def answers() -> bool:
        return '"hostname": "one"' in cloud.driven.lab.run(
            "neighbour", ["curl", "-sS", "-m", "5", "http://203.0.113.50/cgi-bin/index.cgi"]
        )

    patiently(answers, 30)
    assert cloud.sh(ONE, "ping -c 2 -W 5 203.0.113.1")[0] == 0


def test_security_group_lets_in_what_it_says_and_nothing_else(cloud: Cloud) -> None:
    asks = "printf 'GET /cgi-bin/index.cgi HTTP/1.0\\r\\n\\r\\n' | nc -w 5 10.20.0.11 80"
    assert '"hostname": "one"' in cloud.sh(TWO, asks)[1]
    assert "SSH" not in cloud.sh(TWO, "nc -w 3 10.20.0.11 22 </dev/null | head -c 4")[1]
    assert "SSH" in cloud.sh(ONE, "nc -w 3 10.20.0.11 22 </dev/null | head -c 4")[1]  # it listens


def test_container_cannot_be_who_it_is_not(cloud: Cloud) -> None:
    """Another's address, or another MAC: nobody hears it; with its own again it is heard."""
    back = "ip address del 10.20.0.12/32 dev eth0; ip route replace 10.20.0.0/24 dev eth0 src 10.20.0.11"
    stolen = f"ip address add 10.20.0.77/24 dev eth0; ping -c 1 -W 3 -I 10.20.0.77 10.20.0.12; echo said $?; {back}"
    assert "said 1" in cloud.sh(ONE, stolen + "; ip address del 10.20.0.77/24 dev eth0")[1]
    own = cloud.sh(ONE, "cat /sys/class/net/eth0/address")[1].strip()
    mac = "ip link set eth0 down; ip link set eth0 address {0}; ip link set eth0 up"
    forged = f"{mac.format('52:54:00:00:00:99')}; ping -c 1 -W 3 10.20.0.12; echo said $?; {mac.format(own)}"
    cloud.on_host(ONE, "echo none")  # asked before the container is silent for a moment
    script = f"({forged}) >/tmp/said 2>&1 &"
    cloud.sh(ONE, script)
    time.sleep(8)
    cloud.obeys(ONE)
    assert "said 1" in cloud.sh(ONE, "cat /tmp/said")[1]
    assert cloud.sh(ONE, "ping -c 1 -W 5 10.20.0.12")[0] == 0
    assert cloud.sh(OTHER, "ping -c 1 -W 2 10.20.0.11")[0] != 0  # the network of another project


def test_root_of_a_container_is_nobody_on_its_host(cloud: Cloud) -> None:
    firsts = set()
    for address in (ONE, TWO, OTHER):
        inside, first, count = (int(word) for word in cloud.sh(address, "cat /proc/1/uid_map")[1].split())
        assert (inside, count) == (0, 65536)
        assert first >= 0x70000000
        assert cloud.sh(address, "id -u")[1].strip() == "0"
        assert int(cloud.on_host(address, "stat -c %u /proc/$pid")) == first
        firsts.add((cloud.shown(address)["host"], first))
    assert len(firsts) == 3
    # Programs of a container that are its root's for whoever starts them: nobody of the host gets there.
    path = f"/var/lib/stead/lxc/{cloud.uuid(ONE)}/inner/rootfs/bin/busybox"
    assert "Permission denied" in cloud.on_host(ONE, f"su -s /bin/sh nobody -c '{path} id' 2>&1 || true")


def test_root_of_a_container_has_nothing_of_its_host(cloud: Cloud) -> None:
    for script in (
        "dd if=/srv/disk of=/dev/null bs=512 count=1",  # a node of a device that came with the image
        "dd if=/srv/memory of=/dev/null bs=512 count=1",
        "mknod /tmp/loop b 7 0 && dd if=/tmp/loop of=/dev/null bs=512 count=1",
        "mount -t ext4 /dev/loop0 /mnt",
        "losetup -f /etc/passwd",
        "mkdir -p /mnt/d && mount -t devtmpfs none /mnt/d",
        "echo b >/proc/sysrq-trigger",
        "echo 1 >/proc/sys/kernel/panic",
        "date -s 2001-01-01; test $(date +%Y) = 2001",
        "echo >/tmp/none.ko; insmod /tmp/none.ko",
        "echo 1000000000 >/sys/fs/cgroup/memory/memory.limit_in_bytes || echo max >/sys/fs/cgroup/memory.max",
        "touch /var/lib/cloud/seed/nocloud/meta-data",
        "mount -o remount,bind,rw /var/lib/cloud/seed/nocloud",
        "mount -o remount,bind,dev /; head -c 1 /srv/console",  # nor did it come
    ):
        cloud.refuses(ONE, script)
    assert not {name for name, *_rest in NODES} & set(cloud.sh(ONE, "ls /srv")[1].split())
    links = cloud.sh(ONE, "ls /sys/class/net; ip -o link | cut -d: -f2 | cut -d@ -f1")[1].split()
    assert set(links) == {"lo", "eth0"}
    processes = cloud.sh(ONE, "ps | wc -l")[1]
    assert int(processes) < 30  # its own


def test_root_of_a_container_changes_no_filter_of_its_host(cloud: Cloud) -> None:
    """With the host's own `nft`, as root of the container: in its own network, and in the host's."""
    as_root = "nsenter --target $pid --user --setuid 0 --setgid 0"
    cloud.on_host(ONE, f"{as_root} --net nft add table inet evil")
    assert "evil" not in cloud.on_host(ONE, "nft list tables")
    assert "evil" in cloud.on_host(ONE, "nsenter --target $pid --net nft list tables")
    assert "not permitted" in cloud.on_host(ONE, f"{as_root} nft add table inet evil 2>&1 || true")
    assert "not permitted" in cloud.on_host(ONE, f"{as_root} ip link add evil type bridge 2>&1 || true")


def test_container_has_no_more_than_its_share(cloud: Cloud) -> None:
    eats = "head -c 200m /dev/zero | tail -c 190m | wc -c"
    assert "199229440" not in cloud.sh(ONE, eats)[1]  # the kernel ended it
    cloud.obeys(ONE)
    assert cloud.on_host(ONE, LIMIT) == str(64 << 20)
    fills = "dd if=/dev/zero of=/tmp/full bs=1M count=1000; rm /tmp/full"
    assert "No space left" in cloud.sh(ONE, fills)[1]


def test_limits_and_interfaces_change_while_it_runs(cloud: Cloud) -> None:
    small = "{vcpus: 1, memory: 64MiB, disk: 128MiB}"
    cloud.change(f"one:\n        flavor: {small}", f"one:\n        flavor: {BOUNDED}")
    born = cloud.on_host(ONE, "cut -d' ' -f22 /proc/$pid/stat")
    cloud.change("max_memory: 128MiB, memory: 64MiB", "max_memory: 128MiB, memory: 96MiB")
    assert cloud.on_host(ONE, LIMIT) == str(96 << 20)
    cloud.change("app: {subnets: {v4: {cidr: 10.20.0.0/24}}}\n    routers", BACK + "\n    routers")
    one = "{network: app, address: 10.20.0.11}"
    cloud.change(f"[{one}]", f"[{one}, {{network: back, address: 10.30.0.11}}]")
    assert "10.30.0.11/24" in cloud.sh(ONE, "ip address show eth1")[1]
    cloud.change(f"[{one}, {{network: back, address: 10.30.0.11}}]", f"[{one}]")
    assert "eth1" not in cloud.sh(ONE, "ip link")[1]
    assert cloud.on_host(ONE, "cut -d' ' -f22 /proc/$pid/stat") == born


def test_drift_is_seen_and_mended(cloud: Cloud) -> None:
    cloud.on_host(ONE, "ip link delete $(ip -o link | grep -o 'st[0-9a-f]\\{12\\}' | head -1)")
    assert cloud.driven.stead("plan", "--detailed-exitcode", status=None).status == 2
    cloud.driven.apply()
    cloud.obeys(ONE, OTHER)
    cloud.on_host(TWO, "lxc-stop -P /var/lib/stead/lxc -n $uuid -k")
    assert cloud.driven.stead("plan", "--detailed-exitcode", status=None).status == 2
    cloud.driven.apply()
    cloud.obeys(TWO)
    cloud.driven.assert_nothing_to_do()


def test_person_logs_in_by_key(cloud: Cloud) -> None:
    words = ("ssh", "-k", "key", "-l", "root", OTHER, "--", "hostname")
    assert patiently(lambda: cloud.driven.stead(*words).out, 30).strip() == "other"


def test_console_keeps_what_it_wrote(cloud: Cloud) -> None:
    assert "one is ready" in cloud.driven.stead("logs", ONE).text


def test_containers_stop_start_and_reboot(cloud: Cloud) -> None:
    cloud.sh(ONE, "echo kept >/root/kept; sync")
    for verb in ("stop", "start"):
        cloud.driven.stead(verb, ONE, "--auto-approve")
        cloud.driven.assert_nothing_to_do()
        mounted = cloud.on_host(ONE, "mount | grep -c /var/lib/stead/lxc/$uuid/ || true")
        assert mounted == ("2" if verb == "start" else "0"), "its root, and its seed"
    cloud.obeys(ONE)
    cloud.driven.stead("reboot", ONE, "--auto-approve")
    cloud.obeys(ONE)
    assert cloud.sh(ONE, "cat /root/kept")[1].strip() == "kept"


def test_reboot_from_inside_keeps_its_filters(cloud: Cloud) -> None:
    born = cloud.on_host(ONE, "echo $pid")
    cloud.sh(ONE, "(sleep 1; reboot) >/dev/null 2>&1 &")
    patiently(lambda: cloud.on_host(ONE, "echo $pid") not in ("", "-1", born), STARTS_WITHIN)
    cloud.obeys(ONE)
    test_security_group_lets_in_what_it_says_and_nothing_else(cloud)
    cloud.driven.assert_nothing_to_do()


def test_paused_container_goes_on_where_it_was(cloud: Cloud) -> None:
    cloud.driven.stead("pause", TWO, "--auto-approve")
    cloud.driven.assert_nothing_to_do()
    assert "FROZEN" in cloud.on_host(TWO, "lxc-info -P /var/lib/stead/lxc -n $uuid -s")
    cloud.driven.stead("resume", TWO, "--auto-approve")
    cloud.obeys(TWO)


def test_containers_are_back_after_a_power_cut(cloud: Cloud) -> None:
    lab = cloud.driven.lab
    lab.crash(lab.host("compute-1"))
    lab.start([lab.host("compute-1")])
    cloud.obeys(ONE)
    assert cloud.sh(ONE, "cat /root/kept")[1].strip() == "kept"
    test_security_group_lets_in_what_it_says_and_nothing_else(cloud)
    patiently(lambda: cloud.driven.stead("plan", "--detailed-exitcode", status=None).status == 0, 60)


def test_stopped_container_moves_with_its_disk(cloud: Cloud) -> None:
    cloud.sh(TWO, "echo moved >/root/kept; sync")
    cloud.driven.stead("stop", TWO, "--auto-approve")
    cloud.change("host: compute-2", "host: compute-1")
    cloud.driven.stead("start", TWO, "--auto-approve")
    cloud.obeys(TWO)
    assert cloud.shown(TWO)["host"] == "compute-1"
    assert cloud.sh(TWO, "cat /root/kept")[1].strip() == "moved"


def test_running_container_does_not_move(cloud: Cloud) -> None:
    text = (cloud.driven.folder / "stead.yml").read_text(encoding="utf-8")
    cloud.driven.write(text.replace("host: compute-1", "host: compute-2"))
    assert "cannot move while it runs" in cloud.driven.stead("plan", status=None).text
    cloud.driven.write(text)


def test_destroying_leaves_nothing(cloud: Cloud) -> None:
    cloud.driven.destroy()
    assert differences(cloud.before, listing(cloud.driven.lab)) == []
