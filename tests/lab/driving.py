"""A workspace over a lab, driven by the command line as a person does it, and by nothing else.

Every command is looked at for a traceback, and so is every log that Ansible left.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from stead.lab.image.build import ensure_image
from stead.lab.site import Lab

STEAD = Path(sys.executable).with_name("stead")
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
BOOTS_WITHIN = 120

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
    "guest files": "find /var/log/libvirt/qemu /etc/libvirt/qemu /etc/libvirt/nwfilter -type f"
    " -not -name '*.log*' -not -path '*/networks/*'",
    "sets": "ipset list -name",
    "tables": "nft list tables | grep -v -e 'ip filter' -e 'ip6 filter' -e 'bridge filter' -e 'bridge nat'",
    "chains": "ebtables -t nat -L 2>/dev/null | grep -e '^-' -e 'libvirt-'",
    "mounts": "cut -d' ' -f2 /proc/mounts | grep stead",
    "processes": "ps -eo comm | grep -e dnsmasq -e qemu -e keepalived",
}


class Said(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Driven:
    lab: Lab
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def write(self, text: str) -> None:
        (self.folder / "stead.yml").write_text(text, encoding="utf-8")

    def line_of(self, words: str) -> str:
        """`stead.yml:7`, where the spec says these words: what a diagnostic should point to."""
        lines = (self.folder / "stead.yml").read_text(encoding="utf-8").splitlines()
        return f"stead.yml:{1 + next(number for number, line in enumerate(lines) if words in line)}"

    def argv(self, *words: str) -> list[str]:
        own = ["-i", str(self.lab.inventory)]
        own += [word for name, value in self.variables.items() for word in ("-e", f"{name}={value}")]
        return [str(STEAD), words[0], *own, *words[1:]]

    def stead(self, *words: str, status: int | None = 0) -> Said:
        done = subprocess.run(self.argv(*words), cwd=self.folder, capture_output=True, text=True, check=False)
        said = Said(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in said.text, said.text
        assert status is None or said.status == status, said.text
        return said

    def apply(self, *words: str, status: int | None = 0) -> Said:
        said = self.stead("apply", "--auto-approve", "--verbose", *words, status=status)
        for log in self.folder.rglob("ansible.log"):
            assert "Traceback" not in log.read_text(encoding="utf-8", errors="replace"), log
        return said

    def assert_nothing_to_do(self) -> None:
        said = self.stead("plan", "--detailed-exitcode", status=None)
        assert said.status == 0, said.text

    def destroy(self) -> Said:
        return self.stead("destroy", "--auto-approve", "--max-disruption", "data-loss")

    def steps(self) -> list[dict[str, Any]]:
        """Of a plan made now."""
        found: list[dict[str, Any]] = json.loads(self.stead("plan", "--json").out)["steps"]
        return found

    def run(self, host: str, command: str) -> str:
        return self.lab.run(host, ["sh", "-c", command])

    def facts(self, host: str) -> list[dict[str, Any]]:
        """What a host says of its images."""
        text = self.run(host, "for one in /var/lib/stead/images/*.json; do cat $one; echo; done 2>/dev/null || true")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def image_files(self, host: str) -> set[str]:
        return set(self.run(host, "ls -A /var/lib/stead/images").split())


def prepare(lab: Lab) -> None:
    words = [str(PLAYBOOK), "-i", str(lab.inventory), "stead.cloud.bootstrap"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stdout[-3000:]


def tiny() -> Path:
    return ensure_image("tiny", lambda _text: None)


def listing(lab: Lab, names: Sequence[str] = ()) -> dict[str, dict[str, list[str]]]:
    """host -> what is looked at -> lines."""
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
        hosts = names or [host.name for host in lab.hosts]
        return dict(zip(hosts, pool.map(of, hosts), strict=True))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What came and what went, a line for each."""
    return [
        f"{host}: {sign} {what}: {line}"
        for host in sorted(before)
        for what in before[host]
        for sign, one, other in (("gone", before, after), ("new", after, before))
        for line in one[host][what]
        if line not in other[host][what]
    ]


def patiently(ask: Callable[[], Any], within: float = BOOTS_WITHIN) -> Any:
    """Until it is true and does not fail: how long a guest takes to boot is not what is tested."""
    until = time.monotonic() + within
    while True:
        try:
            if found := ask():
                return found
        except (subprocess.CalledProcessError, ValueError):
            if time.monotonic() > until:
                raise
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.5)
