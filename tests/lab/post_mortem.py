"""What the hosts of a lab say when a test on them failed: it may be a machine's that nobody can look at afterwards."""

from __future__ import annotations

import subprocess

from stead.lab.site import Lab

ASK = """
virsh list --all --name 2>/dev/null | while read -r one; do
  [ -z "$one" ] || { echo "$one: $(virsh domstate --reason "$one")"; tail -n 3 "/var/log/libvirt/qemu/$one.log"; }
done
journalctl --no-pager --output=cat --priority=warning --lines=3
df --output=pcent,avail,target / | tail -n 1
grep -h -e MemAvailable -e oom_kill /proc/meminfo /proc/vmstat
"""
PATIENCE = 20.0  # seconds; one that does not answer is told


def post_mortem(lab: Lab) -> str:
    """Straight into the host's namespaces: its network may be what is broken."""
    return "\n".join(f"{host.name}: {_asked(lab, host.name)}" for host in lab.hosts if lab.leader(host) is not None)


def _asked(lab: Lab, host: str) -> str:
    words = lab.console_argv(host, ["sh", "-c", ASK])
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return "it does not answer"
    return done.stdout + done.stderr
