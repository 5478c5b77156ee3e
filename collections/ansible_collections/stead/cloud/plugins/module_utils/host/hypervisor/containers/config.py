"""What LXC is told of a container, from an instance's want. Pure: the same want gives the same texts.

A value becomes a line of a file or a word of a script only as what it is: a number, a name or an address that the plan
checked, or quoted.
"""

from __future__ import annotations

import ipaddress
import os
import shlex
from typing import Any, Dict, Iterator, List, Mapping, Tuple
from xml.etree import ElementTree as Xml

from ...base import paths
from ...base.elements import element
from ...base.step import Want
from ...net.driver import Plug
from .. import seed
from ..driver import Plugs
from . import limits

FOLDER = paths.ROOT + "/lxc"
# Where cloud-init looks for its data, in a container.
SEED = "var/lib/cloud/seed/nocloud"
# Identifiers of a container are this many, from a number of its own on: who is root in one is nobody on its host, and
# nobody in another. These numbers are no user's, no container's of systemd and no range of /etc/subuid.
IDENTIFIERS = 1 << 16
FIRST, LAST = 0x70000000, 0x7EFF0000
LOG_SIZE = 1 << 20  # of the console: it is begun anew then
PROCESSES = 8192
SECCOMP = "/usr/share/lxc/config/common.seccomp"
DROPPED = "mac_admin mac_override sys_module sys_rawio sys_time"
# null, zero, full, random, urandom, tty, console, ptmx, and terminals. Nodes of others can be made by nobody anyhow.
DEVICES = ("c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:1", "c 5:2", "c 136:*")
HOOKS = """#!/bin/sh
# Of a container's start and end, and of its interfaces; LXC calls it.
set -e
root={root} seed={seed} disk={disk}
case "$LXC_HOOK_TYPE:$LXC_NET_PEER" in
pre-start:*)
  for place in "$root" "$seed"; do ! mountpoint -q "$place" || umount "$place"; done
  room=$(blockdev --getsize64 "$disk" 2>/dev/null || stat -c %s "$disk")
  set -- $(dumpe2fs -h "$disk" 2>/dev/null | sed -n 's/^Block \\(count\\|size\\): *//p')
  if [ $((room - $1 * $2)) -ge "$2" ]; then
    e2fsck -f -p "$disk" || [ $? -lt 4 ]
    resize2fs "$disk"
  fi
  mount -o loop,nodev,noatime "$disk" "$root"
  mount --bind {source} "$seed"
  mount -o remount,bind,ro,nosuid,nodev,noexec "$seed"
  ;;
post-stop:*) umount "$seed" "$root" ;;
{interfaces}esac
"""
PLUG = """up:{device})
{filter}  ip link set {device} master {bridge} up
  ;;
"""
UNPLUG = """down:{device}) virsh --quiet --connect {uri} nwfilter-binding-delete {device} || true ;;
"""
FILTER = """  virsh --quiet --connect {uri} nwfilter-binding-delete {device} 2>/dev/null || true
  virsh --quiet --connect {uri} nwfilter-binding-create {file}
"""
FILTERS = "qemu:///system"


def home(uuid: str) -> str:
    return os.path.join(FOLDER, uuid)


def inner_of(uuid: str) -> str:
    """A directory that nobody passes but root, of the host and of the container: programs in it are anybody's."""
    return os.path.join(home(uuid), "inner")


def root_of(uuid: str) -> str:
    """Where its root file system is mounted."""
    return os.path.join(inner_of(uuid), "rootfs")


def shown_seed_of(uuid: str) -> str:
    """Where its seed is mounted to be read only: by the host, for what a container mounts so its root mounts anew."""
    return os.path.join(inner_of(uuid), "seed")


def seed_of(uuid: str) -> str:
    return os.path.join(paths.INSTANCES, uuid, "seed")


def console_log(uuid: str) -> str:
    return os.path.join(paths.INSTANCES, uuid, "console.log")


def ordered(want: Want, plugs: Plugs) -> List[Tuple[Mapping[str, Any], Mapping[str, Any], Plug]]:
    """Its interfaces: what the want says of each, its port, and how it is plugged."""
    found = sorted(want["nics"].items(), key=lambda one: one[1]["position"])
    return [(nic, want["ports"][key], plugs[key]) for key, nic in found]


def build(want: Want, plugs: Plugs, first: int) -> str:
    lines = [*_system(want, first), *_confined(), *limits.lines(want)]
    for at, (nic, port, plug) in enumerate(ordered(want, plugs)):
        lines += ["lxc.net.{0}.{1}".format(at, line) for line in _interface(want, nic, port, plug)]
    return "".join(line + "\n" for line in lines)


def _system(want: Want, first: int) -> List[str]:
    uuid = want["uuid"]
    hooks = os.path.join(home(uuid), "hooks")
    return [
        "lxc.uts.name = " + want["hostname"],
        "lxc.rootfs.path = dir:" + root_of(uuid),
        "lxc.rootfs.options = idmap=container",
        "lxc.idmap = u 0 {0} {1}".format(first, IDENTIFIERS),
        "lxc.idmap = g 0 {0} {1}".format(first, IDENTIFIERS),
        "lxc.init.cmd = /sbin/init",
        "lxc.autodev = 1",
        "lxc.pty.max = 1024",
        "lxc.tty.max = 0",
        "lxc.mount.auto = proc:mixed sys:ro cgroup:mixed",
        "lxc.mount.entry = {0} {1} none bind,ro,nosuid,nodev,noexec,create=dir 0 0".format(shown_seed_of(uuid), SEED),
        "lxc.console.logfile = " + console_log(uuid),
        "lxc.console.size = {0}".format(LOG_SIZE),
        "lxc.log.file = " + os.path.join(home(uuid), "lxc.log"),
        "lxc.log.level = ERROR",
        "lxc.hook.version = 1",
        "lxc.hook.pre-start = " + hooks,
        "lxc.hook.post-stop = " + hooks,
    ]


def _confined() -> Iterator[str]:
    yield "lxc.seccomp.profile = " + SECCOMP
    yield "lxc.cap.drop = " + DROPPED
    for one in ("cgroup", "cgroup2"):
        yield "lxc.{0}.devices.deny = a".format(one)
        yield "lxc.{0}.pids.max = {1}".format(one, PROCESSES)
        for device in DEVICES:
            yield "lxc.{0}.devices.allow = {1} rwm".format(one, device)


def _interface(want: Want, nic: Mapping[str, Any], port: Mapping[str, Any], plug: Plug) -> Iterator[str]:
    """It is in no bridge before the hook has filtered it."""
    hooks = os.path.join(home(want["uuid"]), "hooks")
    yield "type = veth"
    yield "veth.pair = " + plug.device
    yield "name = " + name_of(nic)
    yield "hwaddr = " + port["mac"]
    yield "mtu = {0}".format(nic["mtu"])
    yield "flags = up"
    yield "script.up = " + hooks
    yield "script.down = " + hooks
    for one, gateway in addresses(nic, port):
        version = ipaddress.ip_interface(one).version
        yield "ipv{0}.address = {1}".format(version, one)
        if gateway:
            yield "ipv{0}.gateway = {1}".format(version, gateway)


def name_of(nic: Mapping[str, Any]) -> str:
    return "eth{0}".format(nic["position"])


def addresses(nic: Mapping[str, Any], port: Mapping[str, Any]) -> Iterator[Tuple[str, str]]:
    """With their lengths, each with its way out, if that is this interface's: a container may have nobody who asks."""
    for subnet in nic["subnets"]:
        for one in [] if subnet.get("slaac") else seed.static(subnet, port["addresses"]):
            yield one, subnet.get("gateway", "") if nic["routed"] else ""


def hooks(want: Want, plugs: Plugs, disk: str) -> str:
    parts = []
    for _nic, _port, plug in ordered(want, plugs):
        words = {"uri": FILTERS, "device": shlex.quote(plug.device), "bridge": shlex.quote(plug.bridge)}
        file = shlex.quote(binding_file(want["uuid"], plug.device))
        words["filter"] = FILTER.format(file=file, **words) if plug.filter else ""
        parts.append((PLUG + (UNPLUG if plug.filter else "")).format(**words))
    places = {"root": root_of, "seed": shown_seed_of, "source": seed_of}
    words = {name: shlex.quote(place(want["uuid"])) for name, place in places.items()}
    return HOOKS.format(disk=shlex.quote(disk), interfaces="".join(parts), **words)


def binding_file(uuid: str, device: str) -> str:
    return os.path.join(home(uuid), device + ".xml")


def bindings(want: Want, plugs: Plugs) -> Dict[str, str]:
    """path -> which of libvirt's filters is in force at an interface."""
    found = {}
    for _nic, port, plug in ordered(want, plugs):
        if plug.filter:
            binding = Xml.Element("filterbinding")
            owner = element(binding, "owner")
            element(owner, "name", text=want["name"])
            element(owner, "uuid", text=want["uuid"])
            element(binding, "portdev", {"name": plug.device})
            element(binding, "mac", {"address": port["mac"]})
            element(binding, "filterref", {"filter": plug.filter})
            found[binding_file(want["uuid"], plug.device)] = Xml.tostring(binding, encoding="unicode")
    return found
