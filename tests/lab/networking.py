"""A workspace over a lab whose guests do what they are told: what the tests of networks ask with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv6Address, ip_address
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Self

from waiting import patiently

from stead.core.address import Address, parse
from stead.core.diagnostics import Diagnostic
from stead.core.recorded import Record
from stead.kinds import kinds
from stead.lab.image.build import ensure_image
from stead.lab.site import Lab
from stead.language.desired import resolve
from stead.language.spec import load
from stead.plan.model import Plan
from stead.plan.planner import Inputs, Wishes, make_plan
from stead.run.apply import apply
from stead.run.model import Applied, Options
from stead.runner.ansible import AnsibleRunner
from stead.runner.ansible_process import collections
from stead.site.inventory import read_inventory
from stead.store import Store, open_store
from stead.tracing.following import trace
from stead.tracing.model import Packet
from stead.tracing.site import WiredSite

KEY = b"k" * 32

# What every guest of these tests carries: `/cgi-bin/sh` carries out what is sent to it, as root.
OBEYS = """#cloud-config
write_files:
  - path: /srv/http/cgi-bin/sh
    permissions: '0755'
    content: |
      #!/bin/sh
      printf 'Content-Type: text/plain\\r\\n\\r\\n'
      head -c "$CONTENT_LENGTH" >/tmp/told.$$
      sh /tmp/told.$$ 2>&1
      echo "status $?"
"""


_NUMBERS = count()


class Said(NamedTuple):
    status: int
    text: str


@dataclass
class Cloud:
    lab: Lab
    folder: Path
    store: Store
    text: str = ""
    runs: int = 0
    images: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[tuple[str, str], str] = field(default_factory=dict)  # of the last plan
    traces: bool = False  # what is tried has to be what `stead trace` says

    def planned(self, *, destroy: bool = False) -> tuple[Plan | None, list[Diagnostic]]:
        text = self.text.replace("OBEYS", json.dumps(OBEYS))
        for name, image in self.images.items():
            text = text.replace(name.upper(), image)
        path = self.folder / "stead.yml"
        path.write_text(text)
        spec, found = load((path,), kinds(), root=self.folder)
        desired, more = resolve(spec, key=KEY)
        inventory, others = read_inventory((self.lab.inventory,))
        assert not [*found, *more, *others]
        recorded = self.store.recorded()
        inputs = Inputs(
            desired=desired,
            recorded=recorded,
            observed=self.runner().observe(inventory.hosts, recorded),
            kinds=kinds(),
            key=KEY,
        )
        planned, told = make_plan(inputs, Wishes(destroy=destroy))
        self.secrets = planned.blueprint.secrets if planned.blueprint is not None else {}
        return planned.plan, told

    def plan(self, *, destroy: bool = False) -> Plan:
        plan, found = self.planned(destroy=destroy)
        assert plan is not None, found
        return plan

    def carry_out(self, plan: Plan) -> Applied:
        self.runs += 1
        applied = apply(
            plan, self.store, self.runner(), now=plan.made, options=Options(who="test", secrets=self.secrets)
        )
        told = (*applied.failed, *applied.skipped, *applied.unknown)
        assert not told, [f"{one.step.address}: {one.why}" for one in told]
        return applied

    def apply(self, text: str | None = None) -> Plan:
        """What was planned, once it is done. A spec that was written is one that holds from here on."""
        if text is not None:
            self.text = text
        plan = self.plan()
        self.carry_out(plan)
        return plan

    def change(self, old: str, new: str) -> Plan:
        assert old in self.text, old
        return self.apply(self.text.replace(old, new))

    def runner(self) -> AnsibleRunner:
        return AnsibleRunner(inventory=(self.lab.inventory,), folder=self.folder / f"run-{self.runs}")

    def record(self, resource: str) -> Record:
        found = parse(resource)
        assert found is not None
        return self.store.recorded().resources[found]

    def address(self, resource: str, version: int = 4) -> str:
        leases = self.record(resource).leases
        return next(value for key, value in leases.items() if key.startswith("nics.") and key.endswith(f".v{version}"))

    def mac(self, resource: str) -> str:
        return next(value for key, value in self.record(resource).leases.items() if key.endswith(".mac"))

    def within(self, network: str, *words: str) -> str:
        """In the namespace of a network's DHCP server."""
        record = self.record(network)
        return self.lab.run(record.host, ["ip", "netns", "exec", f"stead-dhcp-{record.leases['uuid']}", *words])

    def router(self, router: str, *words: str) -> str:
        record = self.record(router)
        return self.lab.run(record.host, ["ip", "netns", "exec", f"stead-router-{record.leases['uuid']}", *words])

    def sh(self, resource: str, script: str, network: str = "app") -> Said:
        """What a guest says when it is told to do this, from inside its network."""
        address = parse(resource)
        assert address is not None
        url = f"http://{self.address(resource)}/cgi-bin/sh"
        where = str(Address(address.project, "networks", network))
        out = self.within(where, "curl", "-sS", "-m", "60", "--data-binary", script, url)
        text, _word, status = out.rpartition("status ")
        return Said(int(status), text)

    def obeys(self, *resources: str, network: str = "app") -> None:
        for resource in resources:
            patiently(partial(self.sh, resource, "true", network))

    def heard(self, host: str, inside: Sequence[str], device: str, what: str, act: Callable[[], Any]) -> list[str]:
        """Frames that pass a device of a host while something is done, one line each."""
        path = f"/tmp/heard.{device}.{next(_NUMBERS)}"  # namespaces of one host have devices of one name
        words = " ".join([*inside, "tcpdump", "-Unnei", device, "-w", path, f"'{what}'"])
        start = f"rm -f {path}.err\n{words} >/dev/null 2>{path}.err & echo $! >{path}.pid\n"
        start += f"until grep -qs listening {path}.err; do sleep 0.1; done"
        self.lab.run(host, ["sh", "-c", start])
        try:
            act()
            time.sleep(1)
        finally:
            end = f"pid=$(cat {path}.pid); kill -INT $pid; while kill -0 $pid; do sleep 0.1; done"
            self.lab.run(host, ["sh", "-c", end])
        lines = self.lab.run(host, ["sh", "-c", f"tcpdump -nner {path} 2>/dev/null"]).splitlines()
        return [line for line in lines if line.strip()]

    def heard_by(self, resource: str, what: str, act: Callable[[], Any]) -> list[str]:
        """What is handed to a guest, or comes from it."""
        return self.heard(self.record(resource).host, (), tap_of(self.mac(resource)), what, act)

    def heard_by_server(self, network: str, what: str, act: Callable[[], Any]) -> list[str]:
        record = self.record(network)
        inside = ["ip", "netns", "exec", f"stead-dhcp-{record.leases['uuid']}"]
        return self.heard(record.host, inside, "eth0", what, act)

    def ping(self, resource: str, target: str, *words: str) -> bool:
        """An answer may be late, where many guests share two cores."""
        found = self.sh(resource, " ".join(["ping", "-c", "2", "-W", "20", *words, target])).status == 0
        return self.as_traced(found, resource, target)

    def no_ping(self, resource: str, target: str) -> bool:
        return not self.ping(resource, target, "-W", "2")

    def as_traced(self, passes: bool, resource: str, target: str, port: int = 0) -> bool:
        """What becomes of a packet outside, nobody can say beforehand."""
        sender = parse(resource)
        if self.traces and sender is not None and is_address(target):
            site = WiredSite({at: one.wants for at, one in self.store.recorded().resources.items()}, kinds())
            protocol = "tcp" if port else "icmpv6" if ":" in target else "icmp"
            traced = trace(site, sender, Packet("", target, protocol, port), site.owner_of(target, sender.project))
            outside = traced.there.hops[-1].address is None and not traced.refused
            assert outside or passes == (not traced.refused), (resource, target, port, passes, traced)
        return passes


def is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def tap_of(mac: str) -> str:
    return "st" + mac.replace(":", "")


def bridge_of(network: Record) -> str:
    return "sb" + network.leases["uuid"].replace("-", "")[:12]


def bootstrap(lab: Lab) -> None:
    program = Path(sys.executable).with_name("ansible-playbook")
    words = [str(program), "-i", str(lab.inventory), "stead.cloud.bootstrap"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections()}  # an older copy may be installed here
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout[-3000:]


def workspace(lab: Lab, folder: Path, images: Sequence[str] = ("tiny",)) -> Cloud:
    """Over hosts that are prepared by it."""
    bootstrap(lab)
    found = {}
    for name in images:
        found[name] = str(folder / f"{name}.qcow2")
        shutil.copy(ensure_image(name, lambda _text: None), found[name])
    return Cloud(lab=lab, folder=folder, store=open_store("", directory=folder, create=True), images=found)


class StandIn:
    """A namespace on a host, with Python, on the port of an instance that is off: guarded as that would be."""

    def __init__(self, cloud: Cloud, resource: str) -> None:
        self.cloud, self.resource = cloud, resource
        self.mac, self.host = cloud.mac(resource), cloud.record(resource).host
        self.tap = tap_of(self.mac)

    def __enter__(self) -> Self:
        address = parse(self.resource)
        assert address is not None
        network = self.cloud.record(f"{address.project}/networks/app")
        run = self.cloud.lab.run
        run(self.host, ["ip", "netns", "add", "standin"])
        words = ["ip", "link", "add", self.tap, "type", "veth", "peer", "name", "eth0", "address", self.mac]
        run(self.host, [*words, "netns", "standin"])
        run(self.host, ["ip", "link", "set", self.tap, "master", bridge_of(network), "up"])
        for line in ("link set lo up", "link set eth0 up"):
            run(self.host, ["ip", "-netns", "standin", *line.split()])
        return self

    def __exit__(self, *_what: object) -> None:
        self.cloud.lab.run(self.host, ["ip", "link", "delete", self.tap])
        self.cloud.lab.run(self.host, ["ip", "netns", "delete", "standin"])

    @property
    def link_local(self) -> str:
        octets = bytes.fromhex(self.mac.replace(":", ""))
        return str(
            IPv6Address(b"\xfe\x80" + bytes(6) + bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:])
        )

    def python(self, code: str) -> str:
        return self.cloud.lab.run(self.host, ["ip", "netns", "exec", "standin", "python3", "-c", code])
