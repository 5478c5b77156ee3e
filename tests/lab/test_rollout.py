"""Guests are waited for until they are ready, and disturbed a few at a time.

The tests of this file tell one story, in order. No group lets anything in: what is seen is seen by Stead's own look.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from driving import Driven, prepare, tiny
from leftovers import differences, listing

from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {"compute": {"count": 2, "cpus": 4}, "network": {"count": 1, "roles": ["network", "controller"]}}
SPEC = f"""stead: 1
images:
  tiny: {{source: {tiny()}}}
projects:
  acme:
    networks:
      app: {{subnets: {{v4: {{cidr: 10.20.0.0/24}}}}}}
    security_groups:
      closed: {{}}
    instances:
      web:
        count: 3
        flavor: {{vcpus: 1, memory: 128MiB, disk: 1GiB}}
        image: tiny
        networks: [app]
        security_groups: [closed]
        stop_timeout: 20s
        wait: {{for: http, path: /cgi-bin/index.cgi, timeout: 15m}}
      gate:
        flavor: {{vcpus: 1, memory: 112MiB, disk: 1GiB}}  # of the gate
        image: tiny
        networks: [app]
        security_groups: [closed]
        wait: {{for: ssh, timeout: 15m}}
        depends_on: [instances/web]
"""


class Cloud:
    def __init__(self, driven: Driven) -> None:
        self.driven, self.text = driven, ""

    def write(self, text: str) -> None:
        self.text = text
        self.driven.write(text)

    def change(self, old: str, new: str) -> None:
        assert old in self.text
        self.write(self.text.replace(old, new))

    def apply(self, status: int = 0) -> dict[str, Any]:
        done = self.driven.stead("apply", "--auto-approve", "--json", status=status)
        found: dict[str, Any] = json.loads(done.out)
        return found

    def ledger(self) -> dict[str, bool]:
        """Address -> whether it is waited for still, as its host says."""
        script = "cat /var/lib/stead/ledger/instances/*.json 2>/dev/null | tr -d '\\n' | sed 's/}{/}\\n{/g' || true"
        lines = [line for host in ("compute-1", "compute-2") for line in self.driven.run(host, script).splitlines()]
        return {one["address"]: one.get("awaited", False) for one in map(json.loads, lines)}


@pytest.fixture(scope="module")
def cloud(make_lab: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    lab = make_lab("o", parse({"hosts": HOSTS}, "rollout"))
    prepare(lab)
    found = Cloud(Driven(lab, tmp_path_factory.mktemp("rollout")))
    found.write(SPEC)
    found.driven.stead("plan")
    before = listing(lab)
    yield found
    found.driven.stead("destroy", "--auto-approve", "--max-disruption", "data-loss")
    assert differences(before, listing(lab)) == []


def ready(applied: dict[str, Any]) -> dict[str, str]:
    return {one["address"]: one["what"].partition(" after ")[0] for one in applied["ready"]}


def test_a_step_is_done_when_its_guest_is_ready_and_dependents_wait_for_it(cloud: Cloud) -> None:
    plan = json.loads(cloud.driven.stead("plan", "--json").out)["steps"]
    (gate,) = [one for one in plan if one["address"] == "acme/instances/gate"]
    webs = {one["number"] for one in plan if one["address"].startswith("acme/instances/web")}
    assert webs <= set(gate["after"])
    http = "http on port 80 at /cgi-bin/index.cgi"
    webs_ready = {f"acme/instances/web[{number}]": http for number in range(3)}
    assert ready(cloud.apply()) == {**webs_ready, "acme/instances/gate": "ssh on port 22"}
    assert set(cloud.ledger().values()) == {False}
    cloud.driven.assert_nothing_to_do()


def test_a_guest_that_is_not_ready_in_time_fails_its_step_and_is_waited_for_again(cloud: Cloud) -> None:
    cloud.change("{for: ssh, timeout: 15m}", "{for: http, port: 8080, timeout: 2s}")
    assert ready(cloud.apply()) == {}, "what runs undisturbed is not waited for"
    cloud.change("memory: 112MiB, disk: 1GiB}  # of", "memory: 128MiB, disk: 1GiB}  # of")
    (failed,) = cloud.apply(status=1)["failed"]
    assert failed["address"] == "acme/instances/gate"
    for words in ("STEAD-A002", "http on port 8080", "last seen: ", "stead console"):
        assert words in failed["why"]
    (step,) = cloud.driven.steps()
    assert (step["address"], step["action"], step["disturbs"]) == ("acme/instances/gate", "update", "none")
    cloud.change("{for: http, port: 8080, timeout: 2s}", "{for: address, timeout: 15m}")
    assert ready(cloud.apply()) == {"acme/instances/gate": "address"}
    cloud.driven.assert_nothing_to_do()


def test_a_rollout_stops_at_the_first_that_is_not_ready_and_leaves_the_rest(cloud: Cloud) -> None:
    cloud.change("count: 3\n", "count: 3\n        rollout: {at_once: 1}\n")
    cloud.change("path: /cgi-bin/index.cgi, timeout: 15m", "port: 8080, timeout: 2s")
    cloud.apply()
    cloud.change("memory: 128MiB, disk: 1GiB}\n", "memory: 144MiB, disk: 1GiB}\n")
    assert "3 members of acme/instances/web in 3 batches of 1" in cloud.driven.stead("plan").out.replace("\n    ", " ")
    said = cloud.apply(status=1)
    assert [one["address"] for one in said["failed"]] == ["acme/instances/web[0]"]
    assert {"acme/instances/web[1]", "acme/instances/web[2]"} <= {one["address"] for one in said["skipped"]}
    steps = {one["address"]: one["action"] for one in cloud.driven.steps()}
    assert steps == {"acme/instances/web[0]": "update", **{f"acme/instances/web[{n}]": "reboot" for n in (1, 2)}}
    cloud.change("port: 8080, timeout: 2s", "path: /cgi-bin/index.cgi, timeout: 15m")
    assert len(ready(cloud.apply())) == 3
    cloud.driven.assert_nothing_to_do()


def test_ctrl_c_ends_a_wait_soon_and_the_next_apply_waits_again(cloud: Cloud) -> None:
    cloud.change("{for: address, timeout: 15m}", "{for: http, port: 8080, timeout: 1h}")
    cloud.write(
        cloud.text.replace("memory: 128MiB, disk: 1GiB}  # of the gate", "memory: 112MiB, disk: 1GiB}  # of the gate")
    )
    words = cloud.driven.argv("apply", "--auto-approve", "--verbose")
    with subprocess.Popen(words, cwd=cloud.driven.folder, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "waiting for acme/instances/gate" in line:
                running.send_signal(signal.SIGINT)
                break
        rest = running.stderr.read()
        assert running.wait() == 130, rest
    assert "the run was stopped" in rest
    cloud.change("{for: http, port: 8080, timeout: 1h}", "{for: ssh, timeout: 15m}")
    assert ready(cloud.apply()) == {"acme/instances/gate": "ssh on port 22"}
    cloud.driven.assert_nothing_to_do()
