"""A namespace on two hosts, of which one answers: keepalived in it elects the one (VRRP), and gives it the addresses.

They elect over a tunnel that ends in the two namespaces: no bridge has it, so nothing of a tenant's reaches it. What a
host of the two should have of addresses and routes depends on who answers now, so whoever compares asks `answers`.

Who does not answer hands what reaches it all the same to the other, through the tunnel: so a handover loses nothing
while neighbours have not heard of it yet.
"""

from __future__ import annotations

import os
import time
from hashlib import blake2b
from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ....wire.router import PairWant
from ...base import paths, units
from ...base.errors import Failed, FailureCode
from ...base.readings import Readings
from ...base.work import Work
from .. import links
from ..links import Link, Links
from ..takeover import MARK
from ..words import MEANS_MORE, word_of

NOT_A_WORD = FailureCode("STEAD-E212", "a value is not allowed in keepalived's configuration")
LINK, MTU = "ha0", 1500  # larger than what some underlays carry at once: the outer packets are cut
PORT = 4789
READABLE, UNREAD = 0o644, ".unread"
# Half a second is missed thrice before the other takes over: a busy host is not taken for a dead one.
EVERY = 0.5
LAST_RESORT = 4096  # metric of the way to the other host: whoever answers has better ones
# What the other hands over comes from where it would not be answered to, and may have one's own address already.
SETTINGS = {"all/rp_filter": "0", LINK + "/rp_filter": "0", LINK + "/accept_local": "1"}
HEARD = 1.0  # seconds after a farewell until all have heard of the other host
FIRST = 254  # the highest priority that may be lost; high ones make the wait after a farewell short
PROGRAM = "/usr/lib/stead/takeover"
# keepalived has braces, quotes, comments, `@` and `$`: none of them is ever part of what is written here.
word = word_of(r"[A-Za-z0-9._:/-]", Failed(NOT_A_WORD, MEANS_MORE))


class Pair(NamedTuple):
    """What both hosts have, and one of them answers for."""

    uuid: str
    namespace: str
    folder: str
    want: PairWant
    addresses: Sequence[Tuple[str, str]]  # (interface, address with its length)
    routes: Sequence[Tuple[str, str, str]]  # (to, via, interface or "")


def answers(namespace: str, now: Readings) -> bool:
    return namespace in now.namespaces() and _is_marked(now.links(namespace).get(LINK))


def _is_marked(link: Optional[Link]) -> bool:
    return any(one.get("local") == MARK for one in (link or {}).get("addr_info", ()))


def ensure(pair: Pair, inside: Links, work: Work) -> bool:
    """Comes after the cables that it names. Gives back whether keepalived is about to change addresses and routes."""
    _link(pair, inside.get(LINK), work)
    _strays(pair.namespace, inside, work)
    path = _path(pair.folder)
    again = _write(path, configuration(pair, work.host), work)
    unit, words = unit_name(pair.uuid), _words(pair.uuid, path)
    if not units.runs(unit, words, work):
        units.start(unit, "Who answers for {0}".format(pair.namespace), words, work, units.in_namespace(pair.namespace))
    elif again:
        _heed(pair.uuid, work)
    else:
        return False
    _has_read(path, work)
    return True


def rewrite(pair: Pair, work: Work) -> None:
    """Other addresses and routes, of one that runs."""
    path = _path(pair.folder)
    if _write(path, configuration(pair, work.host), work):
        _heed(pair.uuid, work)
        _has_read(path, work)


def _write(path: str, text: str, work: Work) -> bool:
    """Whether keepalived is to read it. Until it has, a file beside says so: a run may be killed in between."""
    if paths.read_bytes(path) == text.encode() and not os.path.exists(path + UNREAD):
        return False
    if not work.check:
        paths.write(path + UNREAD, "")
    work.write(path, text, READABLE)
    return True


def _has_read(path: str, work: Work) -> None:
    if not work.check:
        paths.remove(path + UNREAD)


def _heed(uuid: str, work: Work) -> None:
    work.run(["systemctl", "kill", "--kill-who=main", "--signal=HUP", unit_name(uuid)])


def remove(uuid: str, namespace: str, folder: str, work: Work, alone: bool = True) -> None:
    """It says farewell when it is stopped, and the other host answers at once; not `alone`, it helps for a moment."""
    if work.now.unit(unit_name(uuid)) is not None:
        lingers = not alone and answers(namespace, work.now)
        units.stop(unit_name(uuid), work)
        if lingers:
            work.act("wait until the other host is known to answer", time.sleep, HEARD)
    if namespace in work.now.namespaces() and LINK in work.now.links(namespace):
        work.batch("ip", ["link delete {0}".format(LINK)], namespace)
    work.remove(_path(folder) + UNREAD)
    work.remove(_path(folder))


def unit_name(uuid: str) -> str:
    return "stead-ha-{0}.service".format(uuid)


def _path(folder: str) -> str:
    return os.path.join(folder, "keepalived.conf")


def _words(uuid: str, path: str) -> List[str]:
    pid = "/run/stead-ha-{0}".format(uuid)
    return ["/usr/sbin/keepalived", "-n", "-P", "-l", "-G", "-f", path, "-p", pid + ".pid", "-r", pid + ".vrrp.pid"]


def _link(pair: Pair, link: Optional[Link], work: Work) -> None:
    """Its packets leave by the host's own namespace, where it is made; it ends in the other."""
    vni, peers = pair.want["vni"], pair.want["peers"]
    own, other = peers.get(work.host, ""), _other(pair.want, work.host)
    has = links.data(link)
    if link is not None and (has.get("id") != vni or has.get("local", own) != own):
        work.batch("ip", ["link delete {0}".format(LINK)], pair.namespace)
        link, has = None, {}
    local, remote = (" {0} {1}".format(word, at) if at else "" for word, at in (("local", own), ("remote", other)))
    if link is None:
        made = "link add {0} mtu {1} netns {2} type vxlan id {3} dstport {4} nolearning"
        work.batch("ip", [made.format(LINK, MTU, pair.namespace, vni, PORT) + local + remote])
        work.batch("ip", ["link set {0} addrgenmode none".format(LINK)], pair.namespace)
    elif other and has.get("remote", "") != other:  # where there is no other now, nobody listens there
        work.batch("ip", ["link set {0} type vxlan id {1}{2}".format(LINK, vni, remote)], pair.namespace)
    lines = []
    if not any(one.get("local") == _speaks_from(work.host) for one in (link or {}).get("addr_info", ())):
        lines.append("address replace {0}/64 dev {1} nodad".format(_speaks_from(work.host), LINK))
    if not links.is_up(link):
        lines.append("link set {0} up".format(LINK))
    work.batch("ip", lines, pair.namespace)


def _strays(namespace: str, inside: Links, work: Work) -> None:
    """Whoever answers has the mark itself, and no use for the way there."""
    link = inside.get(LINK)
    for name, value in SETTINGS.items():
        path = "/proc/sys/net/ipv4/conf/" + name
        if link is None or work.now.setting(path, namespace) != value:
            work.run(["ip", "netns", "exec", namespace, "sysctl", "-qw", "{0}={1}".format(path[10:], value)])
    if _is_marked(link):
        return
    has = work.now.routes(namespace) if link is not None else []
    there = {_family(one) for one in has if one.get("dev") == LINK and one.get("metric") == LAST_RESORT}
    lines = {
        4: "-4 route replace 0.0.0.0/0 via inet6 {0} dev {1} metric {2}",
        6: "-6 route replace default via {0} dev {1} metric {2}",
    }
    for version in sorted(lines.keys() - there):
        work.run(["ip", "-netns", namespace, *lines[version].format(MARK, LINK, LAST_RESORT).split()])


def _family(route: Mapping[str, Any]) -> int:
    return 6 if "gateway" in route else 4


def _other(want: PairWant, host: str) -> str:
    return next((at for name, at in sorted(want["peers"].items()) if name != host), "")


def _speaks_from(host: str) -> str:
    digits = blake2b(host.encode(), digest_size=4).hexdigest()
    return "fe80::1:{0}:{1}".format(digits[:4].lstrip("0") or "0", digits[4:].lstrip("0") or "0")


def configuration(pair: Pair, host: str) -> str:
    """Nobody is preferred: who answers goes on when the other comes back. Of two that begin, the first answers."""
    names = sorted(pair.want["peers"])
    priority = FIRST - (names.index(host) if host in names else 1)
    lines = ["global_defs {", "router_id " + word(pair.uuid), "vrrp_version 3"]
    lines += ["script_user root", "enable_script_security", "}"]
    lines += ["vrrp_instance ha {", "state BACKUP", "nopreempt", "interface " + LINK, "virtual_router_id 1"]
    lines += ["priority {0}".format(priority), "advert_int {0}".format(EVERY), "garp_master_delay 1"]
    lines += ["virtual_ipaddress {", "{0}/64 dev {1}".format(MARK, LINK), "}", "virtual_ipaddress_excluded {"]
    lines += ["{0} dev {1}".format(word(address), word(device)) for device, address in pair.addresses]
    lines += ["}", "virtual_routes {"]
    for to, via, device in pair.routes:
        at = " dev " + word(device) if device else ""
        lines.append("{0} via {1}{2} no_track".format(word(to), word(via), at))
    lines += ["}", 'notify "{0} {1}"'.format(PROGRAM, word(pair.uuid)), "}"]
    return "\n".join(lines) + "\n"
