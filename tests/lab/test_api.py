"""`stead serve` as bootstrap installs it on a controller, over real hosts, with OpenStack's own clients.

A server from its creation to its end is one story, for each command takes seconds. What simulated hosts can show is
tried in `tests/serve`.
"""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from driving import Driven, tiny
from playwright.sync_api import sync_playwright
from tests.serve.openstack_client import environment, made_environment, openstack, play, program
from tests.serve.served import PASSWORD
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {
    "hosts": {"controller": 1, "compute": {"count": 1, "cpus": 4}, "network": 1},
    "physical": {"external": {"hosts": ["network", "compute"], "cidr": "203.0.113.0/24"}},
}
SITE = """
stead: 1
images: {tiny: {source: /srv/tiny.qcow2}}
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
GOLD = """
server image create --name gold --wait web
image create --volume data --force data-gold
server create --image gold --flavor small --network app --key-name key --security-group web --wait second
server remove floating ip web ADDRESS
server add floating ip second ADDRESS
"""
SECOND = """
server delete --wait second
server add floating ip web ADDRESS
image delete gold
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
KILLED = """
network create killed
subnet create --network killed --subnet-range 10.50.0.0/24 killed
server create --image tiny --flavor small --network killed killed
"""
BOOTS_WITHIN = 120  # seconds
PARTS = 9  # of the playbook
CONTROLLER = "controller-1"
KEY = "/tmp/key"  # where the neighbour has it
# As a guest sees it: not by the letter, which is libvirt's to give.
DISK = """
for one in /sys/block/vd*; do
  name=${one##*/}
  if [ $(cat $one/size) = 2097152 ] && [ ! -e $one/${name}1 ]; then echo /dev/$name; fi
done
"""


class ServedLab:
    """What a person has: the site, the authority's certificate, the clients, and a way in from outside."""

    def __init__(self, driven: Driven) -> None:
        self.driven, self._python = driven, made_environment()
        self.url = f"https://{driven.lab.host(CONTROLLER).address}:8774"
        self.address = ""  # of the server, from outside
        self.key, self.authority = driven.folder / "key", driven.folder / "ca.pem"
        self.authority.write_text(self.on_controller("cat /etc/stead/serve/ca-cert.pem"), encoding="utf-8")
        self.reached = environment(self.url, "demo", str(self.authority))
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        put = ["sh", "-c", f"umask 077; cat >{KEY}"]
        driven.lab.run("neighbour", put, feed=self.key.read_text(encoding="utf-8"))

    def on_controller(self, command: str) -> str:
        return self.driven.run(CONTROLLER, command)

    def openstack(self, lines: str) -> str:
        return openstack(self._python, self.reached, lines.strip().splitlines())

    def program(self, *words: str) -> str:
        return program(self._python, self.reached, "sdk.py", *words)

    def play(self, state: str) -> int:
        return play(self.reached, "openstack_cloud.yml", self.driven.folder, public_key=f"{self.key}.pub", state=state)

    def ssh(self, script: str) -> str:
        own = (
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "ConnectTimeout=5",
            "ServerAliveInterval=5",
        )
        options = [word for one in own for word in ("-o", one)]
        words = ["ssh", "-i", KEY, *options, f"root@{self.address}", script]
        return self.driven.lab.run("neighbour", words).strip()

    def steps(self) -> list[dict[str, Any]]:
        """Of the project, in a plan made now."""
        found = json.loads(self.on_controller("stead-site plan --json"))["steps"]
        return [one for one in found if one["address"].startswith("demo/")]

    def guests(self) -> list[str]:
        return self.driven.run("compute-1", "virsh list --all --uuid").split()

    def answers(self, context: ssl.SSLContext) -> int:
        with urllib.request.urlopen(f"{self.url}/identity/v3", context=context) as reply:  # noqa: S310
            return int(reply.status)

    def is_up(self) -> bool:
        try:
            return self.answers(ssl.create_default_context(cafile=str(self.authority))) == 200
        except OSError:
            return False


@pytest.fixture(scope="module")
def served(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedLab]:
    folder = tmp_path_factory.mktemp("api")
    more = folder / "serve.inventory.yml"
    keeps = {"stead_backup": {"path": "/srv/backup", "at": "03:00"}}
    own = {"controller": {"hosts": {CONTROLLER: {"stead_serve": {"site": str(folder)}}}}}
    more.write_text(json.dumps({**own, "network": {"hosts": {"network-1": keeps}}}))
    driven = Driven(make_lab("a", parse(HOSTS, "test")), folder, more=(more,))
    driven.write(SITE)
    image = base64.b64encode(tiny().read_bytes()).decode()
    driven.lab.run(CONTROLLER, ["sh", "-c", "base64 -d >/srv/tiny.qcow2"], feed=image)
    assert f"{CONTROLLER} runs the API" in driven.stead("bootstrap").out
    assert "0 of 3 hosts changed" in driven.stead("bootstrap").out
    driven.lab.run(CONTROLLER, ["stead-site", "user", "create", "ada", "--admin", "--project", "demo"], feed=PASSWORD)
    yield ServedLab(driven)
    told = driven.run(CONTROLLER, "journalctl -u stead-serve")
    assert "Traceback" not in told, told


def test_its_certificate_is_of_its_own_authority_and_its_key_of_its_own_user(served: ServedLab) -> None:
    assert served.is_up()
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        served.answers(ssl.create_default_context())
    closed = "/var/lib/stead-serve/.ssh/id_ed25519 /etc/stead/serve/server-key.pem /var/lib/stead/api-authority/key.pem"
    for path in closed.split():
        assert "denied" in served.on_controller(f"runuser -u nobody -- cat {path} 2>&1 || true")
    assert "User=stead-serve" in served.on_controller("systemctl show -p User -p NoNewPrivileges stead-serve")
    entered = served.driven.run("compute-1", "grep stead-serve@ /root/.ssh/authorized_keys")
    assert f'::1,{served.driven.lab.host(CONTROLLER).address}"' in entered


def test_the_doctor_says_whether_it_answers(served: ServedLab) -> None:
    assert "STEAD-H04" not in served.driven.stead("doctor").text
    served.on_controller("systemctl stop stead-serve")
    try:
        assert "STEAD-H042" in served.driven.stead("doctor", status=1).text
    finally:
        served.on_controller("systemctl start stead-serve")


def test_a_timer_backs_the_site_up(served: ServedLab) -> None:
    assert "OnCalendar=*-*-* 03:00:00" in served.on_controller("systemctl show -p TimersCalendar stead-backup.timer")
    served.openstack("volume create --size 1 kept")
    patiently(lambda: not served.steps())
    served.on_controller("systemctl start stead-backup.service")  # ends when the backup has
    kept = served.on_controller("stead-site backup list")
    assert "  demo/volumes/vol-" in kept
    assert "  store@" in kept
    served.driven.run("network-1", "mv /srv/backup /srv/gone")
    try:
        served.on_controller("! systemctl start stead-backup.service")
        assert served.on_controller("systemctl is-failed stead-backup.service || true").strip() == "failed"
    finally:
        served.driven.run("network-1", "mv /srv/gone /srv/backup")
    served.openstack("volume delete kept")


def test_a_killed_server_starts_again_and_does_what_it_accepted_once(served: ServedLab) -> None:
    served.openstack(KILLED)  # accepted, and no more
    served.on_controller("kill -9 $(systemctl show -p MainPID --value stead-serve)")
    patiently(served.is_up)
    assert served.on_controller("systemctl show -p NRestarts --value stead-serve").strip() == "1"
    patiently(lambda: json.loads(served.openstack("server show killed -f json"))["status"] == "ACTIVE")
    assert len(json.loads(served.openstack("server list -f json"))) == len(served.guests()) == 1
    patiently(lambda: not served.steps())
    served.openstack("server delete --wait killed\nnetwork delete killed")
    patiently(lambda: not served.guests())


def test_a_playbook_changes_nothing_the_second_time(served: ServedLab) -> None:
    assert [served.play(state) for state in ("present", "present", "absent")] == [PARTS, 0, PARTS]


def test_a_program_changes_nothing_the_second_time(served: ServedLab) -> None:
    assert [served.program(), served.program()] == ["5", "0"]
    assert [served.program("absent"), served.program("absent")] == ["3", "0"]


DRAWN = """() => {
  const canvas = document.querySelector("canvas");
  const points = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return canvas.width >= 640 && points.some((one, at) => at % 4 < 3 && one > 0);
}"""


def test_a_person_makes_and_uses_a_server_in_the_portal(served: ServedLab) -> None:
    """The main road, in a browser: its console is that of a guest on a host that the person is never told."""
    served.openstack("network create road\nsubnet create --network road --subnet-range 10.60.0.0/24 road")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_context(ignore_https_errors=True, locale="en-US").new_page()
        page.set_default_timeout(BOOTS_WITHIN * 1000)
        page.goto(f"{served.url}/portal/login")
        page.fill("#name", "ada")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.click("a.primary")
        page.fill("#name", "road")
        page.wait_for_selector(".becomes .mono:text-is('10.60.0.2')")
        page.click("button:text-is('Create')")
        page.wait_for_selector("#live .pill.active")
        with page.context.expect_page() as opened:
            page.click("button:text-is('Console')")
        console = opened.value
        heard = console.locator(".xterm-rows")
        _type_until(console, "", lambda: "road login:" in heard.inner_text())
        _type_until(console, "root", lambda: "# " in heard.inner_text())
        _type_until(console, "echo hello $((6*7))", lambda: "hello 42" in heard.inner_text())
        _type_until(console, "\n~C", lambda: "~C: not found" in heard.inner_text())  # it is the guest's to read
        assert "system console " in served.driven.run("compute-1", "ps axww")
        console.close()
        patiently(lambda: "system console " not in served.driven.run("compute-1", "ps axww"))
        with page.context.expect_page() as opened:
            page.click("button:text-is('Screen')")
        screen = opened.value
        screen.wait_for_selector("[data-state].active")
        screen.wait_for_function(DRAWN)  # what the guest's own graphics card shows
        screen.close()
        patiently(lambda: "stead/screen " not in served.driven.run("compute-1", "ps axww"))
        page.fill("#typed", "road")
        page.click("button.bad")
        page.wait_for_url("**/portal/instances")
        browser.close()
    patiently(lambda: not served.guests())
    served.openstack("network delete road")


def _type_until(console: Any, line: str, done: Callable[[], bool]) -> None:
    patiently(lambda: "active" in (console.get_attribute("[data-state]", "class") or ""))
    until = time.monotonic() + BOOTS_WITHIN
    while not done():
        assert time.monotonic() < until, console.locator(".xterm-rows").inner_text()
        console.keyboard.type(line)
        console.keyboard.press("Enter")
        console.wait_for_timeout(2000)


def _makes_images_of_its_disks(served: ServedLab) -> None:
    """While it runs: the root disk as a new server has it, and a volume."""
    served.ssh("echo gold >/root/gold; sync")
    served.openstack(GOLD.replace("ADDRESS", served.address))
    patiently(lambda: served.ssh("hostname") == "second")
    assert served.ssh("cat /root/gold") == "gold"
    data = patiently(
        lambda: [one for one in _images(served) if (one["Name"], one["Status"]) == ("data-gold", "active")]
    )
    served.openstack(f"image delete {data[0]['ID']}")
    served.openstack(SECOND.replace("ADDRESS", served.address))
    patiently(lambda: served.ssh("hostname") == "web")
    assert served.driven.run("compute-1", "ls /var/lib/stead/backup") == "", "nothing is left"


def _images(served: ServedLab) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(served.openstack("image list -f json"))
    return found


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

    _makes_images_of_its_disks(served)

    served.openstack(END.replace("ADDRESS", served.address))
    patiently(lambda: not served.guests())
    patiently(lambda: not served.steps())
