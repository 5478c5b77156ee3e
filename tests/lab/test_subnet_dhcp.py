"""The module `subnet_dhcp` by a playbook: what it serves, to whom, and that a second run changes nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from networking import bootstrap

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

PLAYBOOK = Path(__file__).parents[2] / "examples/playbooks/served-network.yml"
# A client that asks for an address by DHCP, and for a name: what it hears, or silence.
CLIENT = """
import socket, struct, sys
mac = bytes.fromhex(sys.argv[1].replace(":", ""))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for option in (socket.SO_BROADCAST, socket.SO_REUSEADDR):
    client.setsockopt(socket.SOL_SOCKET, option, 1)
client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
client.bind(("", 68))
client.settimeout(3)
head = struct.pack("!BBBBIHH", 1, 1, 6, 0, 7, 0, 0x8000) + bytes(16) + mac + bytes(10 + 192)
client.sendto(head + b"\\x63\\x82\\x53\\x63" + b"\\x35\\x01\\x01\\xff", ("255.255.255.255", 67))
try:
    print(socket.inet_ntoa(client.recv(1500)[16:20]))
except TimeoutError:
    print("silence")
"""


def played(lab: Lab, *words: str) -> str:
    program = Path(sys.executable).with_name("ansible-playbook")
    argv = [str(program), "-i", str(lab.inventory), str(PLAYBOOK), *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def changed(told: str) -> int:
    found = re.search(r"network-1 +: ok=\d+ +changed=(\d+)", told)
    assert found is not None, told
    return int(found[1])


def hears(lab: Lab, mac: str) -> str:
    bridge = lab.run("network-1", ["sh", "-c", "ip -json link show type bridge | grep -o 'sb[0-9a-f]*' | head -n 1"])
    words = f"""ip netns add client
    ip link add veth-client type veth peer name eth0 address {mac} netns client
    ip link set veth-client master {bridge.strip()} up
    ip -netns client link set eth0 up; sleep 0.5"""
    lab.run("network-1", ["sh", "-c", words])
    try:
        return lab.run("network-1", ["ip", "netns", "exec", "client", "python3", "-c", CLIENT, mac]).strip()
    finally:
        lab.run("network-1", ["sh", "-c", "ip netns delete client; ip link delete veth-client 2>/dev/null || true"])


def test_a_playbook_serves_a_subnet_and_serves_it_once(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab("d", parse({"hosts": {"network": {"count": 1}}}, "test"))
    bootstrap(lab)
    with pytest.raises(AssertionError, match="is not on this host"):
        played(lab, "--start-at-task", "Serve its subnet")
    assert changed(played(lab, "--check")) == 2
    assert changed(played(lab)) == 2
    assert hears(lab, "52:54:00:00:00:01") == "10.20.0.11"
    assert hears(lab, "52:54:00:00:00:02") == "silence"
    assert changed(played(lab)) == 0
    assert changed(played(lab, "--check", "--diff")) == 0
    told = played(lab, "--check", "--diff", "-e", "served=absent")
    assert changed(told) == 1
    assert '-   "addresses": [' in told or "10.20.0.2/24" in told
    assert hears(lab, "52:54:00:00:00:01") == "10.20.0.11", "it was only asked"
    assert changed(played(lab, "-e", "served=absent")) == 1
    assert hears(lab, "52:54:00:00:00:01") == "silence"
    assert changed(played(lab, "-e", "served=absent")) == 0
