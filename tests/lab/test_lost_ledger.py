"""A ledger is lost under guests that run and volumes that are in use: what is there is entered again, and stays.

The tests of this file tell one story, in order. After each there is nothing left to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from driving import Driven, prepare, tiny
from waiting import patiently

from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {
    "compute": {"count": 1, "cpus": 8},
    "storage": {"count": 1, "pools": {"san": {"type": "iscsi", "size": "4GiB", "path": "/srv/san"}}},
    "network": {"count": 1, "roles": ["network", "controller"]},
}
SPEC = f"""stead: 1
images:
  tiny: {{source: {tiny()}}}
flavors:
  small: {{vcpus: 1, memory: 128MiB, disk: 1GiB}}
networks:
  public: {{type: flat, physical: external, external: true,
           subnets: {{v4: {{cidr: 203.0.113.0/24, gateway: 203.0.113.1, pool: 203.0.113.50-203.0.113.90}}}}}}
projects:
  acme:
    networks:
      app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}
    routers:
      edge: {{external: public, networks: [app]}}
    security_groups:
      open: {{ingress: [{{protocol: any}}]}}
    volumes:
      data: {{size: 8MiB, pool: san}}
      spare: {{size: 1MiB, pool: san}}
    snapshots:
      monday: {{volume: spare}}
    floating_ips:
      www: {{network: public, instance: "web[0]"}}
    instances:
      web: {{count: 1, flavor: small, image: tiny, networks: [app], security_groups: [open], stop_timeout: 1s}}
      db:
        flavor: small
        image: tiny
        networks: [app]
        security_groups: [open]
        volumes: [data]
        stop_timeout: 1s
        cloud_init:
          user_data: |
            #cloud-config
            write_files:
              - path: /srv/http/cgi-bin/knows
                permissions: '0755'
                content: |
                  #!/bin/sh
                  printf 'Content-Type: text/plain\\r\\n\\r\\n'
                  echo '{{{{ instances.web | map(attribute="address") | join(" ") }}}}'
"""
DB = "acme/instances/db"
GUESTS = (DB, "acme/instances/web[0]")
LEDGER = "/var/lib/stead/ledger"


class Cloud:
    def __init__(self, driven: Driven) -> None:
        self.driven, self.text = driven, SPEC

    def write(self, text: str) -> None:
        self.text = text
        self.driven.write(text)

    def change(self, old: str, new: str) -> None:
        assert old in self.text
        self.write(self.text.replace(old, new))

    def lease(self, address: str, name: str) -> str:
        (found,) = json.loads(self.driven.stead("show", address, "--json").out)["resources"]
        return str(found["leases"][name])

    def ask(self, instance: str, path: str = "index.cgi") -> str:
        namespace = f"stead-dhcp-{self.lease('acme/networks/app', 'uuid')}"
        url = f"http://{self.lease(instance, 'nics.app.v4')}/cgi-bin/{path}"
        return self.driven.lab.run("network-1", ["ip", "netns", "exec", namespace, "curl", "-sS", "-m", "8", url])

    def boots(self) -> list[str]:
        """Of each guest: another one after every start of it."""
        return [patiently(partial(self.boot, one)) for one in GUESTS]

    def boot(self, instance: str) -> str:
        return str(json.loads(self.ask(instance))["boot_id"])

    def answers_outside(self) -> bool:
        address = self.lease("acme/floating_ips/www", "address")
        return bool(self.driven.lab.run("neighbour", ["curl", "-sS", "-m", "8", f"http://{address}/cgi-bin/index.cgi"]))

    def entries(self, host: str) -> dict[str, dict[str, Any]]:
        """What the ledger of a host says, without when it was written."""
        names = self.driven.run(host, f"find {LEDGER} -type f").split()
        texts = {name: json.loads(self.driven.run(host, f"cat {name}")) for name in sorted(names)}
        kept = ("address", "uuid", "kind", "digest", "want")
        return {name: {one: made[one] for one in kept} for name, made in texts.items()}


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    lab = make_lab("l", parse({"hosts": HOSTS}, "lost ledger"))
    prepare(lab)
    found = Cloud(Driven(lab, tmp_path_factory.mktemp("ledger")))
    found.write(SPEC)
    found.driven.apply()
    found.boots()
    yield found
    found.driven.destroy()


def entered_again(cloud: Cloud, host: str, before: dict[str, dict[str, Any]]) -> None:
    """Nothing is made anew and nobody disturbed; the ledger says again what it said."""
    steps = cloud.driven.steps()
    assert steps
    assert {(one["host"], one["action"], one["disturbs"], one.get("loses", "")) for one in steps} == {
        (host, "register", "none", "")
    }, steps
    cloud.driven.apply("--max-disruption", "none")
    assert cloud.entries(host) == before
    cloud.driven.assert_nothing_to_do()


@pytest.mark.parametrize("host", ["compute-1", "storage-1", "network-1"])
def test_a_whole_ledger_is_lost_and_nothing_is_made_anew(cloud: Cloud, host: str) -> None:
    before, boots = cloud.entries(host), cloud.boots()
    assert before
    cloud.driven.run(host, f"rm -r {LEDGER}")
    said = cloud.driven.stead("drift", status=2)
    assert f"The ledger of {host} lacks" in said.text
    entered_again(cloud, host, before)
    assert cloud.boots() == boots
    assert cloud.answers_outside()


def test_entries_are_lost_under_steps_that_did_not_end(cloud: Cloud) -> None:
    """`.begun` alone says what somebody wanted, not what is there."""
    before, boots = cloud.entries("compute-1"), cloud.boots()
    for address in GUESTS:
        entry = f"{LEDGER}/instances/{cloud.lease(address, 'uuid')}"
        cloud.driven.run(
            "compute-1", f'sed \'s/"memory": [0-9]*/"memory": 1/\' {entry}.json > {entry}.begun; rm {entry}.json'
        )
    entered_again(cloud, "compute-1", before)
    assert cloud.boots() == boots


def test_what_is_gone_with_its_entry_is_told_as_gone(cloud: Cloud) -> None:
    """And what is there all the same is not."""
    spare = cloud.lease("acme/volumes/spare", "uuid")
    before = cloud.entries("storage-1")
    cloud.driven.run("storage-1", f"rm -r {LEDGER}; mv /srv/san/{spare}.raw /root")
    steps = {one["address"]: (one["action"], one["disturbs"]) for one in cloud.driven.steps()}
    assert steps["acme/volumes/spare"] == ("create", "data-loss")
    assert {steps[one] for one in ("acme/volumes/data", "acme/snapshots/monday")} == {("register", "none")}
    cloud.driven.run("storage-1", f"mv /root/{spare}.raw /srv/san")
    entered_again(cloud, "storage-1", before)


def test_who_grows_in_number_rebuilds_nobody_who_has_the_addresses_in_its_user_data(cloud: Cloud) -> None:
    boots, known = cloud.boots(), cloud.ask(DB, "knows")
    cloud.change("web: {count: 1", "web: {count: 2")
    for _ in range(2):  # once it is done, it is still said
        said = cloud.driven.stead("plan").out
        assert f"{DB}: cloud_init.user_data changed in the spec, and takes effect at the next rebuild." in said
        assert "rebuild  on" not in said
        cloud.driven.apply("--max-disruption", "network")
        cloud.driven.assert_nothing_to_do()
    cloud.change("        stop_timeout: 1s\n        cloud_init", "        stop_timeout: 2s\n        cloud_init")
    cloud.driven.apply("--max-disruption", "network")  # another change does not bring it along
    assert "takes effect at the next rebuild" in cloud.driven.stead("plan").out
    assert (cloud.boots(), cloud.ask(DB, "knows")) == (boots, known)


def test_a_root_disk_is_lost_where_the_spec_asks_for_it_and_with_consent(cloud: Cloud) -> None:
    boots = cloud.boots()
    cloud.change("        cloud_init:\n", "        cloud_init:\n          on_change: rebuild\n")
    said = cloud.driven.apply(status=1)
    assert f"the root disk of instance {DB}" in said.text
    assert cloud.boots() == boots
    cloud.driven.apply("--max-disruption", "data-loss")
    cloud.driven.assert_nothing_to_do()
    assert patiently(lambda: cloud.lease("acme/instances/web[1]", "nics.app.v4") in cloud.ask(DB, "knows"))
    assert [one == other for one, other in zip(cloud.boots(), boots, strict=True)] == [False, True]
