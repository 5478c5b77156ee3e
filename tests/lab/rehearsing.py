"""A plan in check mode on real hosts, which may change nothing there: not what is there, and not what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driving import Driven

from stead.lab.site import Lab
from stead.plan.model import Plan
from stead.run.journal import of_waves
from stead.runner import StepResult, StepsEnded, StepStatus, Wave
from stead.runner.ansible import AnsibleRunner

# Which guests run since when, and all that is written but what a running guest writes itself.
CONTENT = """
virsh list --all 2>/dev/null; ip -oneline address; ip -oneline link; nft list ruleset | grep -v counter; ipset save
find /var/lib/stead /etc/libvirt/qemu /etc/libvirt/nwfilter -type f -not -path '*/journal/*' -not -name '*.root.*' \
  -not -name console.log -exec sha256sum {} + | sort; find /var/lib/stead -name '*.root.*'
systemctl list-units --plain --no-legend 'stead-*'
"""


def state(lab: Lab) -> dict[str, list[str]]:
    return {host.name: lab.run(host.name, ["sh", "-c", CONTENT]).splitlines() for host in lab.hosts}


def sealed(value: Any) -> set[str]:
    """Ids of the secrets in a want."""
    if isinstance(value, dict):
        return {value["$secret"]} if set(value) == {"$secret"} else sealed(list(value.values()))
    return {one for item in value for one in sealed(item)} if isinstance(value, list) else set()


def rehearse(plan: Plan, site: Driven, *, arguments: Sequence[str] = ()) -> None:
    """Every step goes well, and the hosts are as they were."""
    before, results = state(site.lab), list[StepResult]()
    folder = site.folder / "rehearsal"
    runner = AnsibleRunner(inventory=site.inventories, folder=folder, check=True, arguments=arguments)
    for number, steps in of_waves(plan).items():
        mine = [step for step in steps if step.host]
        secrets = {step.number: dict.fromkeys(sealed(step.want.fields()), "rehearsed") for step in mine if step.want}
        wave = Wave(number=number, steps=mine, secrets=secrets)
        runner.run(wave, lambda event: results.extend(event.results if isinstance(event, StepsEnded) else ()))
    assert results
    assert [one for one in results if one.state is not StepStatus.DONE] == []
    assert state(site.lab) == before
