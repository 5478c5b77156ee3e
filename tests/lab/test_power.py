"""A guest that a person stops, pauses, suspends and restarts by commands: what it remembers, and what plans say of it.

The tests of this file tell one story, in order. After each step there is nothing left to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from disk_scripts import user_data
from driving import Driven, prepare, tiny
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {"compute": {"count": 2, "cpus": 4}, "network": {"count": 1, "roles": ["network", "controller"]}}
# `keep` and `kept` are about the root disk; `busy` writes to it without an end.
SCRIPTS = {
    "keep": 'echo "${QUERY_STRING}" >/root/kept; sync',
    "kept": "cat /root/kept",
    "busy": "(while dd if=/dev/urandom of=/root/busy bs=4k count=64 conv=fsync; do :; done)"
    " >/dev/null 2>&1 </dev/null &",
}
SPEC = f"""stead: 1
images:
  tiny: {{source: {tiny()}}}
projects:
  acme:
    networks:
      app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}
    security_groups:
      open: {{ingress: [{{protocol: any}}]}}
    volumes:
      data: {{size: 8MiB}}
    instances:
      web:
        flavor: {{vcpus: 1, memory: 128MiB, disk: 1GiB}}
        image: tiny
        networks: [app]
        security_groups: [open]
        stop_timeout: 20s
        cloud_init: {{user_data: {json.dumps(user_data(SCRIPTS))}}}
"""
WEB = "acme/instances/web"


class Cloud:
    def __init__(self, driven: Driven) -> None:
        self.driven, self.text = driven, SPEC

    def shown(self, address: str) -> dict[str, Any]:
        (found,) = json.loads(self.driven.stead("show", address, "--json").out)["resources"]
        return dict(found)

    @property
    def host(self) -> str:
        return str(self.shown(WEB)["host"])

    def do(self, *words: str, status: int = 0) -> str:
        return self.driven.stead(*words, "--auto-approve", status=status).text

    def power(self, verb: str) -> None:
        """A step, after which nothing is left to do, and nothing is drift."""
        assert "Applied: 1 step done" in self.do(verb, WEB)
        self.calm()

    def calm(self) -> None:
        self.driven.assert_nothing_to_do()
        self.driven.stead("drift")

    def change(self, old: str, new: str) -> list[tuple[str, str]]:
        assert old in self.text
        self.text = self.text.replace(old, new)
        self.driven.write(self.text)
        return [(one["action"], one["disturbs"]) for one in self.driven.steps() if one["address"] == WEB]

    def domain(self) -> str:
        return self.driven.run(self.host, "virsh domstate acme.web").strip()

    def has_memory(self) -> bool:
        return "yes" in self.driven.run(self.host, "virsh dominfo acme.web | grep 'Managed save'")

    def ask(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("index.cgi"))
        return found

    def get(self, path: str) -> str:
        namespace = f"stead-dhcp-{self.shown('acme/networks/app')['leases']['uuid']}"
        url = f"http://{self.shown(WEB)['leases']['nics.app.v4']}/cgi-bin/{path}"
        words = ["ip", "netns", "exec", namespace, "curl", "-sS", "-m", "4", url]
        return self.driven.lab.run("network-1", words).strip()

    def disk(self, what: str, word: str = "") -> str:
        """Of the volume, which the guest knows by its serial number."""
        serial = self.shown("acme/volumes/data")["leases"]["uuid"][:20]
        return self.get(f"{what}?{serial}{word and '=' + word}")

    def note_root(self, word: str) -> None:
        self.get(f"keep?{word}")

    def note(self, word: str) -> None:
        self.note_root(word)
        self.disk("put", word)

    def noted(self) -> tuple[str, str]:
        """On the root disk, and on the volume."""
        return patiently(lambda: self.get("kept")), self.disk("get")

    def boot(self) -> str:
        """Of the kernel that runs: memory that was lost is another one."""
        return str(patiently(self.ask)["boot_id"])


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    lab = make_lab("p", parse({"hosts": HOSTS}, "power"))
    prepare(lab)
    found = Cloud(Driven(lab, tmp_path_factory.mktemp("power")))
    found.driven.write(SPEC)
    found.driven.apply()
    found.boot()
    yield found
    found.driven.destroy()


def test_what_is_stopped_by_hand_stays_off_through_a_whole_apply(cloud: Cloud) -> None:
    cloud.power("stop")
    assert cloud.domain() == "shut off"
    assert "stopped by" in cloud.driven.stead("plan").out
    cloud.change("stop_timeout: 20s", "stop_timeout: 21s")
    cloud.driven.apply()
    assert cloud.domain() == "shut off"
    cloud.power("start")
    cloud.boot()


def test_it_stays_off_when_its_host_boots(cloud: Cloud) -> None:
    cloud.power("stop")
    reboot(cloud)
    assert cloud.domain() == "shut off"
    cloud.calm()
    cloud.power("start")


def test_a_reboot_is_one_step(cloud: Cloud) -> None:
    before = cloud.boot()
    cloud.power("reboot")
    assert cloud.boot() != before


def test_what_is_paused_keeps_its_memory(cloud: Cloud) -> None:
    before = cloud.boot()
    cloud.power("pause")
    assert cloud.domain() == "paused"
    assert "STEAD-C065" in cloud.do("reboot", WEB, status=1)
    cloud.driven.apply()
    assert cloud.domain() == "paused"
    cloud.power("resume")
    assert cloud.boot() == before
    assert "Nothing to do" in cloud.do("resume", WEB)


def test_a_pause_that_somebody_ended_is_drift(cloud: Cloud) -> None:
    cloud.power("pause")
    cloud.driven.run(cloud.host, "virsh resume acme.web")
    (step,) = [one for one in cloud.driven.steps() if one["address"] == WEB]
    assert step["changes"][0]["drift"]
    cloud.driven.apply()
    assert cloud.domain() == "paused"


def test_what_is_paused_moves(cloud: Cloud) -> None:
    cloud.do("resume", WEB)
    before, home = cloud.boot(), cloud.host
    cloud.power("pause")
    cloud.do("migrate", WEB)
    assert cloud.host != home
    assert cloud.domain() == "paused"
    cloud.calm()
    cloud.power("resume")
    assert cloud.boot() == before


def test_what_is_suspended_goes_on_where_it_was_also_after_a_boot_of_its_host(cloud: Cloud) -> None:
    before = cloud.boot()
    cloud.power("suspend")
    assert (cloud.domain(), cloud.has_memory()) == ("shut off", True)
    reboot(cloud)
    assert (cloud.domain(), cloud.has_memory()) == ("shut off", True)
    cloud.calm()
    cloud.power("resume")
    assert cloud.boot() == before
    assert not cloud.has_memory()


def test_what_is_suspended_does_not_move_without_its_memory(cloud: Cloud) -> None:
    cloud.power("suspend")
    assert "It is suspended, and its memory" in cloud.do("migrate", WEB, status=1)
    assert "It is suspended, and its memory" in cloud.do("drain", cloud.host, status=1)
    cloud.do("restore", cloud.host)
    cloud.power("resume")


def test_paused_memory_may_go_to_a_disk_and_comes_back_running(cloud: Cloud) -> None:
    before = cloud.boot()
    cloud.power("pause")
    cloud.power("suspend")
    assert cloud.domain() == "shut off"
    cloud.power("start")
    assert cloud.domain() == "running"
    assert cloud.boot() == before


def test_memory_never_comes_back_with_a_disk_that_was_taken_away(cloud: Cloud) -> None:
    cloud.change("        image: tiny\n", "        image: tiny\n        volumes: [data]\n")
    cloud.driven.apply()
    before = cloud.boot()
    cloud.power("suspend")
    assert cloud.change("        volumes: [data]\n", "") == [("reboot", "reboot")]
    cloud.driven.apply()
    assert not cloud.has_memory()
    cloud.calm()
    cloud.power("start")
    assert "vdb" not in cloud.driven.run(cloud.host, "virsh domblklist acme.web")
    assert cloud.boot() != before


def test_a_stop_discards_the_memory(cloud: Cloud) -> None:
    before = cloud.boot()
    cloud.power("suspend")
    cloud.power("stop")
    assert not cloud.has_memory()
    cloud.power("start")
    assert cloud.boot() != before


def test_the_spec_may_say_it_too(cloud: Cloud) -> None:
    before = cloud.boot()
    steps = cloud.change("        image: tiny\n", "        image: tiny\n        state: suspended\n")
    assert steps == [("update", "network")]
    cloud.driven.apply()
    cloud.calm()
    assert cloud.change("state: suspended", "state: paused") == [("update", "none")]
    cloud.driven.apply()
    assert cloud.domain() == "paused"
    cloud.calm()
    reboot(cloud, crash=True)
    assert patiently(lambda: cloud.domain() == "paused")  # before its first instruction
    cloud.calm()
    cloud.change("        state: paused\n", "")
    cloud.driven.apply()
    assert cloud.boot() != before


def test_what_is_shelved_is_off_and_comes_back_elsewhere(cloud: Cloud) -> None:
    """Its host is made too small for it meanwhile, by an instance that takes the rest of its processors."""
    cloud.note_root("shelf")
    home = cloud.host
    cloud.power("shelve")
    assert cloud.domain() == "shut off"
    assert "shelved by" in cloud.driven.stead("plan").out
    reboot(cloud)
    assert cloud.domain() == "shut off"
    full = f"""      full:
        flavor: {{vcpus: 4, memory: 64MiB, disk: 1GiB}}
        image: tiny
        state: stopped
        host: {home}
"""
    cloud.change("    instances:\n", f"    instances:\n{full}")
    cloud.driven.apply()
    cloud.do("unshelve", WEB)
    assert cloud.host != home
    cloud.boot()
    assert patiently(lambda: cloud.get("kept")) == "shelf"
    cloud.change(full, "")
    cloud.driven.apply("--max-disruption", "data-loss")
    cloud.calm()


REVERT = ("revert", WEB, "acme/snapshots/before", "--max-disruption", "data-loss")


def test_an_instance_goes_back_to_a_snapshot_of_all_its_disks(cloud: Cloud) -> None:
    """Taken while it writes: what was written before is there, and its file system is whole."""
    cloud.change("        image: tiny\n", "        image: tiny\n        volumes: [data]\n")
    cloud.driven.apply()
    cloud.boot()
    cloud.note("first")
    cloud.get("busy")
    cloud.change("    instances:\n", "    snapshots:\n      before: {instance: web}\n    instances:\n")
    cloud.driven.apply()
    cloud.calm()
    running = cloud.boot()
    cloud.note("second")
    assert cloud.noted() == ("second", "second")
    assert "at most" in cloud.do(*REVERT[:-1], "rebuild", status=1)
    assert "Applied: 1 step done" in cloud.do(*REVERT)
    assert cloud.boot() != running
    assert cloud.noted() == ("first", "first")
    cloud.calm()


def test_it_goes_back_after_a_kill_and_its_host_does_not_start_it_before(cloud: Cloud) -> None:
    cloud.note("third")
    uuid, snapshot = (cloud.shown(one)["leases"]["uuid"] for one in (WEB, "acme/snapshots/before"))
    mark = f"/var/lib/stead/instances/{uuid}/goes-back.json"
    cloud.driven.run(cloud.host, f'virsh destroy acme.web; echo \'{{"snapshot": "{snapshot}"}}\' >{mark}')
    reboot(cloud)
    assert cloud.domain() == "shut off", "half of it may be of another time"
    cloud.driven.apply()
    assert cloud.boot()
    assert cloud.noted() == ("first", "first")
    cloud.calm()


def test_a_snapshot_goes_with_consent_and_leaves_nothing(cloud: Cloud) -> None:
    cloud.change("    snapshots:\n      before: {instance: web}\n", "")
    cloud.driven.apply("--max-disruption", "data-loss")
    looked = "find /var/lib/stead/pools /var/lib/stead/snapshots -type f"
    assert ".snapshot." not in cloud.driven.run(cloud.host, looked)
    cloud.change("        volumes: [data]\n", "")
    cloud.driven.apply()
    cloud.calm()


def reboot(cloud: Cloud, *, crash: bool = False) -> None:
    lab, name = cloud.driven.lab, cloud.host
    host = lab.host(name)
    if crash:
        lab.crash(host)
        lab.start([host])
    else:
        lab.reboot([host])
    cloud.driven.run(name, "systemctl is-system-running --wait || true")
