"""What bench/apply.py runs on a host: reads what Stead made there, makes the same again, takes it away, counts it.

Of the ways to make a thing, that of a script by somebody who cares for speed: one call for all links, one for all
forwarding entries, one for all packet filters, one virsh for all domains; but `qemu-img create` for each disk.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

ROOT = Path("/var/lib/stead")
MOVED = {"vxlan": "id {id} local {local} dstport {port} nolearning", "bridge": "stp_state 0 mcast_snooping 0"}


def say(*words: str, feed: str | None = None) -> str:
    return subprocess.run(words, check=True, input=feed, capture_output=True, text=True).stdout


def told(*words: str) -> Any:
    return json.loads(say(*words) or "[]")


def read() -> dict[str, Any]:
    """In the form in which it is made again."""
    namespaces = [line.split()[0] for line in say("ip", "netns", "list").splitlines()]
    domains = [one for one in virsh("list", "--all", "--name").split() if one]
    xml = {name: virsh("dumpxml", "--inactive", name) for name in domains}
    images = {str(path): path.stat().st_size for path in (ROOT / "images").glob("*.qcow2")}
    return {
        "ip": ["netns add " + one for one in namespaces] + links(),
        "inside": {one: inside(one) for one in namespaces},
        "bridge": forwarding(),
        "neighbours": neighbours(),
        "nft": "".join(table(one) for one in ("inet stead", "bridge stead")),
        "ipset": "".join(line + "\n" for line in sets()),
        "units": [unit(one) for one in namespaces],
        "files": files(),
        "images": images,
        "disks": [disk for one in xml.values() for disk in disks(one)],
        "filters": filters(),
        "domains": xml,
    }


def virsh(*words: str) -> str:
    return say("virsh", "-q", *words) if Path("/run/libvirt/libvirt-sock").exists() else ""


def links() -> list[str]:
    found = []
    own = [one for one in told("ip", "-json", "-details", "link") if one["ifname"][:2] in ("sb", "sx", "sd")]
    for kind in ("bridge", "vxlan", "veth"):
        for one in own:
            info, name = one.get("linkinfo", {}), one["ifname"]
            if info.get("info_kind") != kind:
                continue
            more = MOVED[kind] if kind in MOVED else "peer name eth0 netns stead-dhcp-" + whole(name)
            made = f"link add {name} address {one['address']} mtu {one['mtu']} type {kind} "
            found.append(made + more.format(**info.get("info_data", {})))
            master = " master " + one["master"] if "master" in one else ""
            found += [f"link set {name} addrgenmode none", f"link set {name}{master} up"]
    return found


def whole(name: str) -> str:
    """UUID of the network whose server's cable this is."""
    return next(one.name for one in (ROOT / "networks").iterdir() if one.name.replace("-", "")[:12] == name[2:])


def inside(namespace: str) -> list[str]:
    one = told("ip", "-netns", namespace, "-json", "address", "show", "dev", "eth0")[0]
    own = [f"{info['local']}/{info['prefixlen']}" for info in one["addr_info"] if info["scope"] == "global"]
    lines = ["link set lo up", f"link set eth0 address {one['address']} mtu {one['mtu']}", "link set eth0 up"]
    return lines + [f"address add {address} dev eth0" for address in own]


def forwarding() -> list[str]:
    tunnels = [one["ifname"] for one in told("ip", "-json", "link") if one["ifname"].startswith("sx")]
    lines = [f"link set dev {one} learning off flood off neigh_suppress on" for one in tunnels]
    for one in told("bridge", "-json", "fdb", "show"):
        if one["ifname"] in tunnels and "dst" in one:
            lines.append(f"fdb append {one['mac']} dev {one['ifname']} dst {one['dst']} self permanent")
        elif one["ifname"] in tunnels and one.get("state") == "static":
            lines.append(f"fdb replace {one['mac']} dev {one['ifname']} master static")
    return lines


def neighbours() -> list[str]:
    known = told("ip", "-json", "neighbour", "show", "nud", "permanent")
    line = "neighbour replace {dst} lladdr {lladdr} dev {dev} nud permanent"
    return [line.format(**one) for one in known if one["dev"].startswith("sb")]


def table(name: str) -> str:
    done = subprocess.run(["nft", "list", "table", *name.split()], capture_output=True, text=True, check=False)
    return done.stdout


def sets() -> list[str]:
    done = subprocess.run(["ipset", "save"], capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if " stead-" in line]


def unit(namespace: str) -> list[str]:
    folder = ROOT / "networks" / namespace[len("stead-dhcp-") :]
    words = ["systemd-run", "--quiet", "--collect", f"--unit={namespace}.service", "--property=Restart=always"]
    words.append(f"--property=NetworkNamespacePath=/run/netns/{namespace}")
    return [*words, "/usr/sbin/dnsmasq", f"--conf-file={folder}/dnsmasq.conf"]


def files() -> dict[str, str]:
    found = [path for folder in ("networks", "instances") for path in (ROOT / folder).glob("*/*") if path.is_file()]
    return {str(path): base64.b64encode(path.read_bytes()).decode() for path in found}


def disks(xml: str) -> list[list[str]]:
    found = []
    for source in ET.fromstring(xml).findall("devices/disk[@device='disk']/source[@file]"):  # noqa: S314 - libvirt's
        path = source.get("file", "")
        if not path.endswith((".qcow2", ".raw")):
            continue
        info = told("qemu-img", "info", "--output=json", path)
        back = ["-F", "qcow2", "-b", info["backing-filename"]] if "backing-filename" in info else []
        found.append(["qemu-img", "create", "-q", "-f", info["format"], *back, path, str(info["virtual-size"])])
    return found


def filters() -> dict[str, str]:
    """Those of groups first, since those of interfaces name them."""
    names = sorted(word for word in virsh("nwfilter-list").split() if word.startswith("stead-"))
    return {name: virsh("nwfilter-dumpxml", name) for name in names}


def do(work: dict[str, Any]) -> None:
    for path, text in work["files"].items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(base64.b64decode(text))
    say("ip", "-batch", "-", feed="\n".join(work["ip"]))
    for namespace, lines in work["inside"].items():
        say("ip", "-netns", namespace, "-batch", "-", feed="\n".join(lines))
    say("bridge", "-batch", "-", feed="\n".join(work["bridge"]))
    say("ip", "-batch", "-", feed="\n".join(work["neighbours"]))
    say("nft", "-f", "-", feed=work["nft"])
    if work["ipset"]:
        say("ipset", "restore", feed=work["ipset"])
    for words in [*work["units"], *work["disks"]]:
        say(*words)
    define("nwfilter-define", work["filters"])
    define("define", work["domains"])


def define(command: str, wanted: dict[str, str]) -> None:
    """All of them in one virsh, which connects once."""
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for number, xml in enumerate(wanted.values()):
            path = Path(folder) / str(number)
            path.write_text(xml)
            lines.append(f"{command} {path}\n")
        if lines:
            say("virsh", "-q", feed="".join(lines))


def undo(work: dict[str, Any]) -> None:
    for name in work["domains"]:
        say("virsh", "-q", "undefine", name)
    for name in reversed(work["filters"]):
        say("virsh", "-q", "nwfilter-undefine", name)
    made = [words[-2] for words in work["disks"]]
    for path in [*made, *work["images"], *work["files"]]:
        Path(path).unlink()
    for folder in {Path(path).parent for path in work["files"]}:
        folder.rmdir()
    undo_networks(work)


def undo_networks(work: dict[str, Any]) -> None:
    for name in work["inside"]:
        say("systemctl", "stop", name + ".service")
        say("ip", "netns", "delete", name)
    for line in work["ip"]:
        if line.startswith("link add s") and not line.startswith("link add sd"):  # a cable goes with its namespace
            say("ip", "link", "delete", line.split()[2])
    for line in work["ipset"].splitlines():
        if line.startswith("create "):
            say("ipset", "destroy", line.split()[1])
    for name in ("inet stead", "bridge stead"):
        if f"table {name} " in work["nft"]:
            say("nft", "delete", "table", *name.split())


def count() -> dict[str, int]:
    names = [one["ifname"] for one in told("ip", "-json", "link")]
    units = say("systemctl", "list-units", "--no-legend", "--state=running", "stead-dhcp-*").splitlines()
    found = list((ROOT / "pools/default").glob("*"))
    return {
        "domains": len(virsh("list", "--all", "--name").split()),
        "disks": sum(one.name.endswith(".root.qcow2") for one in found),
        "volumes": sum(not one.name.endswith(".root.qcow2") for one in found),
        "seeds": len(list((ROOT / "instances").glob("*/seed.iso"))),
        "filters": len(filters()),
        "bridges": sum(one.startswith("sb") for one in names),
        "dnsmasq": len(units),
        "images": len(list((ROOT / "images").glob("*.qcow2"))),
    }


def main(what: str) -> None:
    if what in ("do", "undo"):
        (do if what == "do" else undo)(json.load(sys.stdin))
    else:
        print(json.dumps(read() if what == "read" else count()))
