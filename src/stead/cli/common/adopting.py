"""`stead import libvirt`: asks hosts, or reads files, and writes the spec of what is there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stead.core.diagnostics import Code, Diagnostic, Refused, Severity
from stead.core.value import replace

if TYPE_CHECKING:
    from stead.adoption.strangers import Stranger, Strangers
    from stead.core.observed import Host
    from stead.site.inventory import Inventory

NOT_ASKED = Code("STEAD-K015", "nothing can be imported")


class AdoptionRequest(NamedTuple):
    names: Sequence[str]  # patterns
    hosts: Sequence[str]
    project: str
    files: Mapping[str, bytes]
    out: Path | None
    partial: bool


def write_spec(asked: AdoptionRequest, inventory: Callable[[], Inventory], write: Callable[[Path, str], None]) -> int:
    """`inventory` is read only where hosts are asked; `write` makes a new file."""
    from stead.adoption.translate import LEFT_OUT, translated
    from stead.cli.common.console_output import complain
    from stead.core.address import NAME
    from stead.heat.spec import text

    if not NAME.fullmatch(asked.project):
        raise Refused(NOT_ASKED.at(None, f"--project: {asked.project!r} cannot be a name. Use lower case and digits."))
    strangers, hosts, origin = _of_files(asked) if asked.files else _of_hosts(asked, inventory())
    chosen = replace(strangers, domains=tuple(one for one in strangers.domains if _is_meant(one, asked.names)))
    if not chosen.domains:
        text_ = f"No domain that is not Stead's matches: {', '.join(asked.names) or 'there is none'}. "
        raise Refused(NOT_ASKED.at(None, f"{text_}`virsh list --all` on the host lists them."))
    draft, found, left_out = translated(chosen, hosts, asked.project)
    complain(
        replace(one, severity=Severity.WARNING) if asked.partial and one.code == LEFT_OUT.id else one for one in found
    )
    if left_out and not asked.partial:
        print("Nothing was written. Use --partial to leave these domains out.", file=sys.stderr)
        return 1
    made = text(draft, origin, "stead import libvirt")
    if asked.out is None:
        print(made, end="")
    else:
        write(asked.out, made)
    return 0


def _is_meant(one: Stranger, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(one.name, pattern) for pattern in patterns)


def _of_files(asked: AdoptionRequest) -> tuple[Strangers, Mapping[str, Host], str]:
    from stead.adoption.strangers import Strangers, of_file

    if len(asked.hosts) > 1:
        raise Refused(NOT_ASKED.at(None, "--xml takes one --host: the host on which the domains are."))
    host = asked.hosts[0] if asked.hosts else ""
    found: list[Diagnostic] = []
    read = [of_file(data, name, host, found) for name, data in asked.files.items()]
    if found:
        raise Refused(*found)
    names = ", ".join(Path(name).name for name in asked.files)
    return Strangers(domains=tuple(one for one in read if one is not None), networks={}), {}, names


def _of_hosts(asked: AdoptionRequest, inventory: Inventory) -> tuple[Strangers, Mapping[str, Host], str]:
    from stead.adoption.strangers import of_hosts
    from stead.runner.observe import ObserveRequest, completed, observe

    unknown = sorted(set(asked.hosts) - inventory.hosts.keys())
    if unknown:
        known = ", ".join(sorted(inventory.hosts))
        raise Refused(NOT_ASKED.at(None, f"--host {unknown[0]}: the inventory has no such host. It has {known}."))
    names = list(asked.hosts) or [name for name, host in inventory.hosts.items() if "compute" in host.roles]
    answers = observe(ObserveRequest(inventory=inventory.sources, hosts=names, strangers=True))
    silent = [f"{name} does not answer: {one.why}" for name, one in answers.items() if not one.answered]
    if silent:
        text = f"{'; '.join(silent)}. Mend that, or name other hosts with --host."
        raise Refused(NOT_ASKED.at(None, text))
    hosts = {name: completed(inventory.hosts[name], answers[name]) for name in names}
    told = {name: one.facts["strangers"] for name, one in answers.items()}
    return of_hosts(told), hosts, f"libvirt on {', '.join(sorted(names))}"
