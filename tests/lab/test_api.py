"""`stead serve` over real hosts, with OpenStack's own client: a server from its creation to its end.

It is one story, for each command takes seconds. What simulated hosts can show is tried in `tests/serve`.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest
from driving import Driven, prepare, tiny
from tests.serve.openstack_client import made_environment, openstack
from tests.serve.served import PASSWORD
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {
    "hosts": {"compute": {"count": 1, "cpus": 4}, "network": 1},
    "physical": {"external": {"hosts": ["network", "compute"], "cidr": "203.0.113.0/24"}},
}
SITE = """
stead: 1
images: {tiny: {source: TINY}}
flavors:
  small: {vcpus: 1, memory: 128MiB, disk: 1GiB}
  large: {vcpus: 1, memory: 192MiB, disk: 1GiB}
networks:
  public:
    type: flat
    physical: external
    external: true
    subnets: {v4: {cidr: 203.0.113.0/24, gateway: 203.0.113.1, pool: 203.0.113.10-203.0.113.99}}
"""
NETWORK = """
network create app
subnet create --network app --subnet-range 10.20.0.0/24 app4
router create edge
router set --external-gateway public edge
router add subnet edge app4
security group create web
security group rule create --protocol tcp --dst-port 22 web
"""
SERVER = """
server create --image tiny --flavor small --network app --key-name key --security-group web --wait web
floating ip create public -f value -c floating_ip_address
"""
VOLUME = """
volume create --size 1 data
server add volume web data
"""
RESIZE = """
server resize --flavor large --wait web
server resize confirm web
"""
END = """
server remove volume web data
server delete --wait web
volume delete data
floating ip delete ADDRESS
router unset --external-gateway edge
router remove subnet edge app4
router delete edge
security group delete web
keypair delete key
network delete app
"""
KEY = "/tmp/key"  # where the neighbour has it
# As a guest sees it: not by the letter, which is libvirt's to give.
DISK = """
for one in /sys/block/vd*; do
  name=${one##*/}
  if [ $(cat $one/size) = 2097152 ] && [ ! -e $one/${name}1 ]; then echo /dev/$name; fi
done
"""


class ServedLab:
    """What a person has: the client, a key, and a way in from outside."""

    def __init__(self, driven: Driven, url: str) -> None:
        self.driven, self.url, self._python = driven, url, made_environment()
        self.address = ""  # of the server, from outside
        self.key = driven.folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        put = ["sh", "-c", f"umask 077; cat >{KEY}"]
        driven.lab.run("neighbour", put, feed=self.key.read_text(encoding="utf-8"))

    def openstack(self, lines: str) -> str:
        return openstack(self._python, self.url, "demo", lines.strip().splitlines())

    def ssh(self, script: str) -> str:
        own = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=5")
        options = [word for one in own for word in ("-o", one)]
        words = ["ssh", "-i", KEY, *options, f"root@{self.address}", script]
        return self.driven.lab.run("neighbour", words).strip()


@pytest.fixture(scope="module")
def served(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedLab]:
    driven = Driven(make_lab("a", parse(HOSTS, "test")), tmp_path_factory.mktemp("api"))
    prepare(driven.lab)
    driven.write(SITE.replace("TINY", str(tiny())))
    words = driven.argv("user", "create", "ada", "--admin", "--project", "demo")
    subprocess.run(words, cwd=driven.folder, input=PASSWORD, text=True, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        at = f"127.0.0.1:{free.getsockname()[1]}"
    with (driven.folder / "serve.log").open("w") as log:
        serving = subprocess.Popen(driven.argv("serve", "--listen", at), cwd=driven.folder, stderr=log)
    try:
        patiently(lambda: _answers(at) or serving.poll() is not None)
        yield ServedLab(driven, f"http://{at}")
        told = (driven.folder / "serve.log").read_text(encoding="utf-8")
        assert "Traceback" not in told, told
    finally:
        serving.terminate()
        serving.wait()


def _answers(at: str) -> bool:
    host, _, port = at.partition(":")
    with socket.socket() as link:
        return link.connect_ex((host, int(port))) == 0


def test_a_server_lives_on_real_hosts_as_openstacks_client_says(served: ServedLab) -> None:
    public = f"keypair create --public-key {served.key}.pub key"
    served.address = served.openstack(f"{NETWORK}{public}{SERVER}").strip()
    served.openstack(f"server add floating ip web {served.address}")
    patiently(lambda: served.ssh("true") == "")
    assert served.ssh("hostname") == "web"
    small = int(served.ssh("awk '/MemTotal/ {print $2}' /proc/meminfo"))

    served.openstack(VOLUME)
    disk = patiently(lambda: served.ssh(DISK))
    served.ssh(f"echo kept >{disk}; sync")

    served.openstack(RESIZE)
    patiently(lambda: int(served.ssh("awk '/MemTotal/ {print $2}' /proc/meminfo")) > small)
    assert served.ssh(f"head -c 4 {patiently(lambda: served.ssh(DISK))}") == "kept"

    written = patiently(lambda: served.openstack("console log show web"))
    assert len(served.openstack("console log show --lines 1 web").splitlines()) <= 2 <= len(written.splitlines())
    assert json.loads(served.openstack("server show web -f json"))["status"] == "ACTIVE"

    served.openstack(END.replace("ADDRESS", served.address))
    patiently(lambda: not served.driven.run("compute-1", "virsh list --all --uuid").strip())
    patiently(lambda: not [one for one in served.driven.steps() if one["address"].startswith("demo/")])
