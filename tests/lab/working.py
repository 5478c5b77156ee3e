"""A workspace over a lab: what `stead` does, without its command line; and what may be left of it on hosts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leftovers import Listing
from waiting import patiently

from stead.cli.common.selection import wishes_again
from stead.core.address import Address, parse
from stead.core.want import canonical
from stead.kinds import kinds
from stead.lab.site import Lab
from stead.language.desired import resolve
from stead.language.spec import load
from stead.plan.model import Plan
from stead.plan.planner import Inputs, Wishes, make_plan
from stead.run.apply import apply
from stead.run.model import Applied, Options
from stead.runner.ansible import AnsibleRunner
from stead.site.inventory import read_inventory
from stead.store import Store

KEY = b"k" * 32


@dataclass
class Site:
    """A workspace of its own over the shared lab: what `stead` does, without its command line."""

    lab: Lab
    folder: Path
    store: Store
    before: Listing = field(default_factory=dict)
    text: str = ""
    runs: list[Path] = field(default_factory=list)

    def plan(self, *, destroy: bool = False, asked: Mapping[str, Any] | None = None) -> Plan:
        """Where something is `asked`, it is `{"drain": HOST}` or the like, as a plan keeps it."""
        image = str(self.folder / "tiny.qcow2")
        path = self.folder / "stead.yml"
        path.write_text(self.text.replace("TINY", image))
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
        planned, found = make_plan(inputs, wishes_again(canonical(asked), inputs) if asked else Wishes(destroy=destroy))
        assert planned.plan is not None, found
        return planned.plan

    def apply(self, plan: Plan) -> Applied:
        runner = self.runner()
        self.runs.append(runner.folder)
        return apply(plan, self.store, runner, now=plan.made, options=Options(who="test"))

    def runner(self) -> AnsibleRunner:
        return AnsibleRunner(inventory=(self.lab.inventory,), folder=self.folder / f"run-{len(self.runs)}")

    def address(self, resource: str) -> str:
        found = parse(resource)
        assert found is not None
        leases = self.store.recorded().resources[found].leases
        return next(value for key, value in leases.items() if key.startswith("nics.") and key.endswith(".v4"))

    def ask(self, resource: str, path: str = "index.cgi") -> str:
        """What an instance answers, asked from inside its network, where its DHCP server is."""
        project = resource.partition("/")[0]
        network = self.store.recorded().resources[Address(project, "networks", "app")]
        namespace = f"stead-dhcp-{network.leases['uuid']}"
        url = f"http://{self.address(resource)}/cgi-bin/{path}"
        return self.lab.run("network-1", ["ip", "netns", "exec", namespace, "curl", "-sS", "-m", "8", url])

    def identity(self, resource: str) -> dict[str, Any]:
        found: dict[str, Any] = patiently(lambda: json.loads(self.ask(resource)))
        return found
