"""What is wrong with hosts, from what they said. Pure: facts in, diagnostics out; each says how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.observed import Host, HostStatus
from stead.drivers import hypervisor, network
from stead.health.silent import Standing, diagnosed, told
from stead.runner.observe import Answer

UNREACHABLE = Code("STEAD-H001", "the host does not answer")
NO_ROOT = Code("STEAD-H002", "Ansible cannot become root on the host")
NO_PYTHON = Code("STEAD-H003", "the host has no Python that can be used")
NOT_PREPARED = Code("STEAD-H004", "the host is not prepared")
NO_HYPERVISOR = Code("STEAD-H005", "no hypervisor works on the host")
EMULATED = Code("STEAD-H006", "KVM does not work on the host", Severity.WARNING)
CLOCK_OFF = Code("STEAD-H007", "the host's clock is wrong")
CLOCK_ALONE = Code("STEAD-H008", "no time service runs on the host", Severity.WARNING)
NO_WAY = Code("STEAD-H009", "a host cannot reach another host")
SMALL_PACKETS = Code("STEAD-H010", "full-size packets do not arrive")
LITTLE_SPACE = Code("STEAD-H011", "a pool is nearly full", Severity.WARNING)
OLD = Code("STEAD-H012", "a program on the host is too old", Severity.WARNING)
UNIT_FAILED = Code("STEAD-H013", "a service of the host has failed")
DROPPED = Code("STEAD-H014", "another firewall drops packets", Severity.WARNING)
FILTERED = Code("STEAD-H015", "the host's iptables see guests' packets", Severity.WARNING)
BROKEN = Code("STEAD-H049", "a hypervisor of the host does not work", Severity.WARNING)
UNREAD = Code("STEAD-H016", "part of the host's state cannot be read", Severity.WARNING)
NO_ABILITY = Code("STEAD-H017", "the kernel lacks features that the host's role needs")
NO_POOL = Code("STEAD-H022", "a host cannot reach a pool")
NO_CLIENT = Code("STEAD-H023", "a host has no client for a pool")
OUTDATED = Code("STEAD-H029", "the host runs another version of Stead's host code", Severity.WARNING)
NOT_AT_BOOT = Code("STEAD-H030", "the host would not restore its resources after a boot")
UNHEARD = Code("STEAD-H031", "the host reaches too few witnesses to start its guests after a boot", Severity.WARNING)
NO_SECRET = Code("STEAD-H039", "volumes have no secret", Severity.WARNING)
UPLINKS_DROPPED = Code("STEAD-H048", "another firewall drops what routers behind the host forward")
UNALIKE = Code("STEAD-H018", "compute hosts have different versions", Severity.WARNING)

NOBODY: Mapping[str, Standing] = {}

# Hosts that each host pings: all of a small site; on a large one its neighbours in the ring, which finds a bad switch.
PEERS = 16
CLOCK_TOLERANCE = 1.0  # seconds beyond the time that asking took
SPACE = (10 << 30, 0.05)  # bytes and share: under both it is too little
OLDEST = {name: oldest for driver in hypervisor.all_of_them().values() for name, oldest in driver.programs.items()}
OLDEST_PYTHON, OLDEST_KERNEL = (3, 9), (5, 10)
# Of a host's kernel, whichever network driver it has; what that needs beside, it says itself.
NEEDS = {"compute": ("tun",)}


def peers_of(hosts: Mapping[str, Host]) -> dict[str, dict[str, Any]]:
    """What each host is to examine."""
    names = sorted(hosts)
    found = {}
    for at, name in enumerate(names):
        around = [names[(at + step) % len(names)] for step in range(1, min(PEERS, len(names) - 1) + 1)]
        addresses = {other: hosts[other].underlay for other in around if hosts[other].underlay}
        found[name] = {"peers": addresses, "mtu": hosts[name].mtu, "served": _served(hosts[name], hosts)}
    return found


def _served(host: Host, hosts: Mapping[str, Host]) -> dict[str, dict[str, str]]:
    """Pools that instances on the host may use over the network, with who serves them."""
    if "compute" not in host.roles:
        return {}
    return {
        pool.name: {"type": pool.type, "server": other.underlay, "host": other.name}
        for other in hosts.values()
        for pool in other.pools.values()
        if pool.shared and other.underlay and (not host.reaches or pool.name in host.reaches)
    }


def diagnose(
    hosts: Mapping[str, Host], answers: Mapping[str, Answer], standings: Mapping[str, Standing] = NOBODY
) -> list[Diagnostic]:
    down = {name for name, answer in answers.items() if not answer.answered}
    found: list[Diagnostic] = []
    dead = {name for name, one in standings.items() if one.host.state is HostStatus.DEAD}
    for name in sorted(answers.keys() - dead):
        answer = answers[name]
        found += _silent(answer, standings.get(name)) if name in down else _said(hosts[name], answer.facts, down)
        found += () if name in down else _pools(hosts[name], answer.facts, _served(hosts[name], hosts), down)
    found += _unalike({name: answers[name].facts for name in answers if name not in down})
    return [*found, *diagnosed(standings)]


def _silent(answer: Answer, standing: Standing | None) -> Iterator[Diagnostic]:
    host, why = answer.host, answer.why
    if re.search(r"sudo|become|privilege", why, re.IGNORECASE):
        text = f"{why}\nLet the user of ansible_user run sudo without a password, or give --ask-become-pass."
        yield NO_ROOT.at(None, text, address=host)
    elif re.search(r"python3?: (not found|No such file)|interpreter", why):
        yield NO_PYTHON.at(None, f"{why}\nInstall python3, or set ansible_python_interpreter.", address=host)
    else:
        text = f"{why}\nIs it on? Are ansible_host, ansible_user and the key in the inventory right?"
        if standing is not None and (more := told(standing)):
            text += f"\n{more}"
        yield UNREACHABLE.at(None, text, address=host)


def _said(host: Host, facts: Mapping[str, Any], down: set[str]) -> Iterator[Diagnostic]:
    examined = facts.get("examined", {})
    if not facts["system"]["prepared"]:
        yield NOT_PREPARED.at(None, "Run `stead bootstrap` for it.", address=host.name)
    checks: Sequence[Iterable[Diagnostic]] = (
        _virtualisation(host, facts) if "compute" in host.roles else (),
        _clock(host, facts, examined),
        _ways(host, examined, down),
        _space(host, facts),
        _versions(host, facts),
        _services(host, examined),
        _boot(host, facts),
        _abilities(host, facts),
    )
    for check in checks:
        yield from check
    for trouble in facts["trouble"]:
        yield UNREAD.at(None, trouble, address=host.name)


def _virtualisation(host: Host, facts: Mapping[str, Any]) -> Iterator[Diagnostic]:
    tried = facts["traits"]["hypervisors"]
    if not tried:
        if facts["system"]["prepared"]:
            yield NO_HYPERVISOR.at(None, "QEMU is not installed. Run `stead bootstrap` for it.", address=host.name)
    elif all(tried.values()):
        text = "\n".join(f"{name}: {why}" for name, why in tried.items())
        yield NO_HYPERVISOR.at(None, f"A test guest did not run.\n{text}", address=host.name)
    else:
        yield from _partly(host, {name: why for name, why in tried.items() if not _is_by_name(name)})
        for name, why in tried.items():
            if why and _is_by_name(name):
                yield BROKEN.at(None, f"A test guest of {name} did not run.\n{why}", address=host.name)


def _partly(host: Host, tried: Mapping[str, str]) -> Iterator[Diagnostic]:
    if not all(tried.values()) and _is_slow({name for name, why in tried.items() if not why}):
        why = "; ".join(text for text in tried.values() if text)
        text = f"Instances run with emulation, which is slow: {why}\nTurn on virtualisation in the firmware."
        yield EMULATED.at(None, text, address=host.name)


def _is_by_name(name: str) -> bool:
    return name in hypervisor.by_hypervisor() and hypervisor.by_hypervisor()[name].by_name


def _is_slow(working: set[str]) -> bool:
    known = hypervisor.by_hypervisor()
    return all(name in known and name in known[name].slow for name in working)


def _clock(host: Host, facts: Mapping[str, Any], examined: Mapping[str, Any]) -> Iterator[Diagnostic]:
    early, late = facts["asked"] - facts["at"], facts["at"] - facts["answered"]
    off = max(early, late)
    if off > CLOCK_TOLERANCE:
        text = f"It is {off:.1f} s {'behind' if early > late else 'ahead of'} this machine's. Let chrony set it."
        yield CLOCK_OFF.at(None, text, address=host.name)
    kept = examined.get("clock") or examined.get("synchronised") or examined.get("container")
    if examined and not kept:
        text = "No time service runs. `stead bootstrap` installs chrony where there is none."
        yield CLOCK_ALONE.at(None, text, address=host.name)


def _ways(host: Host, examined: Mapping[str, Any], down: set[str]) -> Iterator[Diagnostic]:
    for peer, why in examined.get("peers", {}).items():
        if why == "size":
            text = (
                f"Packets of {host.mtu} bytes to {peer} do not arrive, smaller ones do: tunnels would lose large ones."
                " Correct the MTU of the hosts' links and of the switch, or set stead_underlay_mtu."
            )
            yield SMALL_PACKETS.at(None, text, address=host.name)
        elif why and peer not in down:
            said = "no answer" if why == "silent" else why
            text = f"A ping to {peer}: {said}. Is its stead_underlay_address right, and does a firewall drop it?"
            yield NO_WAY.at(None, text, address=host.name)


def _pools(
    host: Host, facts: Mapping[str, Any], served: Mapping[str, Mapping[str, str]], down: set[str]
) -> Iterator[Diagnostic]:
    if not facts["system"]["prepared"]:
        return
    examined = facts.get("examined", {})
    for kind in examined.get("speechless", []):
        names = ", ".join(name for name, one in served.items() if one["type"] == kind)
        text = (
            f"Neither its QEMU nor its kernel supports {kind}, which pool {names} needs. Run `stead bootstrap` for it."
        )
        yield NO_CLIENT.at(None, text, address=host.name)
    for name, why in examined.get("served", {}).items():
        if why and name in served and served[name]["host"] not in down:
            server = served[name]["host"]
            text = f"Pool {name} ({served[name]['type']}) of {server}: {why}. Run `stead bootstrap` for {server}."
            yield NO_POOL.at(None, text, address=host.name)


def _space(host: Host, facts: Mapping[str, Any]) -> Iterator[Diagnostic]:
    least, share = SPACE
    for name, pool in facts["capacity"]["pools"].items():
        if pool["size"] and pool["free"] < least and pool["free"] < share * pool["size"]:
            text = f"Pool {name} at {pool['path']} has {pool['free'] >> 20} MiB free. Make room there."
            yield LITTLE_SPACE.at(None, text, address=host.name)


def _versions(host: Host, facts: Mapping[str, Any]) -> Iterator[Diagnostic]:
    system = facts["system"]
    told = [(name, system["versions"].get(name, ""), least) for name, least in OLDEST.items()]
    told += [("Python", system["python"], OLDEST_PYTHON), ("Linux", system["kernel"], OLDEST_KERNEL)]
    for name, version, least in told:
        if version and _numbers(version) < least:
            text = f"{name} {version}: Stead needs {'.'.join(map(str, least))} or later."
            yield OLD.at(None, text, address=host.name)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(one) for one in re.findall(r"\d+", version)[:2])


def _services(host: Host, examined: Mapping[str, Any]) -> Iterator[Diagnostic]:
    for unit in examined.get("failed_units", []):
        yield UNIT_FAILED.at(None, f"{unit}: `journalctl -u {unit}` on the host says why.", address=host.name)
    for chain in examined.get("dropping", []):
        text = f"The nftables chain {chain} drops unknown packets. Allow the traffic that docs/hosts.md lists."
        yield DROPPED.at(None, text, address=host.name)
    for chain in examined.get("uplinks_dropped", []):
        text = (
            f"The nftables chain {chain} drops what is forwarded, so instances do not get out by `uplink: host`. "
            "Accept there what uses interfaces `su*`: Stead's own table drops what must not pass."
        )
        yield UPLINKS_DROPPED.at(None, text, address=host.name)
    if names := examined.get("without_secret", []):
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        text = (
            f"{names[0]}{more}: root of every host can open them. A volume gets a secret when it is attached the next "
            'time and nobody has it open: see "Secrets of iSCSI volumes" in docs/inventory.md.'
        )
        yield NO_SECRET.at(None, text, address=host.name)
    if examined.get("bridge_filter") and host.roles & {"compute", "network"}:
        text = "net.bridge.bridge-nf-call-iptables is 1 and a chain drops what is forwarded: guests' packets too."
        yield FILTERED.at(None, text, address=host.name)


def _boot(host: Host, facts: Mapping[str, Any]) -> Iterator[Diagnostic]:
    if not facts["system"]["prepared"]:
        return
    examined = facts.get("examined", {})
    if differing := examined.get("outdated", []):
        more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
        text = f"{differing[0]}{more}: differs from this version. Run `stead bootstrap` for it."
        yield OUTDATED.at(None, text, address=host.name)
    if disabled := examined.get("disabled", []):
        text = f"Not enabled: {', '.join(disabled)}. Run `stead bootstrap` for it."
        yield NOT_AT_BOOT.at(None, text, address=host.name)
    witnesses = examined.get("witnesses", {})
    silent = sorted(name for name, answers in witnesses.items() if not answers)
    if silent and 2 * (len(witnesses) - len(silent)) <= len(witnesses):
        text = (
            "After a boot, it asks witnesses whether it was declared dead (docs/dead-hosts.md). "
            f"{len(witnesses) - len(silent)} of {len(witnesses)} answer; it needs more than half. Silent: "
            f"{', '.join(silent)}. Switch them on, or run `stead bootstrap` for all hosts."
        )
        yield UNHEARD.at(None, text, address=host.name)


def _abilities(host: Host, facts: Mapping[str, Any]) -> Iterator[Diagnostic]:
    if not facts["system"]["prepared"]:
        return
    has = set(facts["traits"]["kernel"])
    needs = (NEEDS, network.named(network.DEFAULT).kernel)
    lacking = sorted({need for role in host.roles for one in needs for need in one.get(role, ())} - has)
    if lacking:
        text = f"It has no {', '.join(lacking)}. Load the modules, or use a kernel that has them."
        yield NO_ABILITY.at(None, text, address=host.name)


def _unalike(facts: Mapping[str, Mapping[str, Any]]) -> Iterator[Diagnostic]:
    """An instance can move to a later version, not always back."""
    for program in OLDEST:
        versions: dict[str, list[str]] = {}
        for name, one in facts.items():
            if version := one["system"]["versions"].get(program):
                versions.setdefault(version, []).append(name)
        if len(versions) > 1:
            text = "; ".join(f"{version} on {', '.join(names)}" for version, names in sorted(versions.items()))
            yield UNALIKE.at(None, f"{program}: {text}. A live migration to an older version may be refused.")
