"""What an apply could leave on a host, of whatever role: listings from before and after, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from stead.lab.site import Lab

Listing = Mapping[str, Mapping[str, list[str]]]  # host -> what is looked at -> lines

# All that an apply could leave on a host, with what is the hosts' own left out.
LOOKS = {
    "links": "ip -oneline link show | cut -d: -f2 | cut -d@ -f1",
    "addresses": "ip -oneline address show scope global | tr -s ' ' | cut -d' ' -f2,4",
    "routes": "ip route show; ip -6 route show",
    "namespaces": "ip netns list | cut -d' ' -f1",
    "units": "systemctl list-units --all --plain --no-legend 'stead-*' | cut -d' ' -f1",
    "unit files": "find /run/systemd/transient /etc/systemd/system -name 'stead-*'",
    "domains": "if [ -e /run/libvirt/libvirt-sock ]; then virsh list --all --name; virsh nwfilter-list --name; fi",
    "files": "find /var/lib/stead /etc/stead /run/stead -not -type d -not -path '*/journal/*' -not -name lock",
    "folders": "find /var/lib/stead -mindepth 2 -type d -not -path '*/ledger/*' -not -path '*/journal/*'",
    "guest files": "find /var/log/libvirt/qemu /var/lib/libvirt/qemu/nvram /etc/libvirt/qemu /etc/libvirt/nwfilter"
    " -type f -not -name '*.log*' -not -path '*/networks/*'",
    "sets": "ipset list -name",
    "tables": "nft list tables | grep -v -e 'ip filter' -e 'ip6 filter' -e 'bridge filter' -e 'bridge nat'",
    "chains": "ebtables -t nat -L 2>/dev/null | grep -e '^-' -e 'libvirt-'",
    "mounts": "cut -d' ' -f2 /proc/mounts | grep stead",
    "processes": "ps -eo comm | grep -e dnsmasq -e qemu -e keepalived -e haproxy",
}


def listing(lab: Lab) -> Listing:
    script = "; ".join(f"echo '# {name}'; ({text}) 2>/dev/null | sort" for name, text in LOOKS.items())

    def of(name: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        lines: list[str] = []
        for line in lab.run(name, ["sh", "-c", script]).splitlines():
            if line.startswith("# "):
                lines = found.setdefault(line[2:], [])
            else:
                lines.append(line)
        return found

    with ThreadPoolExecutor() as pool:
        hosts = [host.name for host in lab.hosts]
        return dict(zip(hosts, pool.map(of, hosts), strict=True))


def differences(before: Listing, after: Listing) -> list[str]:
    """What came and what went, a line for each."""
    return [
        f"{host}: {sign} {what}: {line}"
        for host in sorted(before)
        for what in before[host]
        for sign, one, other in (("gone", before, after), ("new", after, before))
        for line in one[host][what]
        if line not in other[host][what]
    ]
