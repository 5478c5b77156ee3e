"""HAProxy of one load balancer, as one transient systemd unit in its namespace.

Its master stays root, reads what is written here, and takes up a new configuration without closing what is open. What
speaks to clients is a user of its own, in an empty directory. It decides nothing: who answers stands in the want.
"""

from __future__ import annotations

import os
import time
from hashlib import blake2b
from typing import Dict, List, Sequence
from zlib import crc32

from ...wire.load_balancer import BackendWant, CheckWant, ListenerWant
from ..base import commands, paths, units
from ..base.errors import Failed, FailureCode
from ..base.paths import LOAD_BALANCERS, PASSABLE, ROOT
from ..base.step import Want
from ..base.work import Work
from . import runtime_socket
from .words import MEANS_MORE, word_of

NOT_A_WORD = FailureCode("STEAD-E230", "a value is not allowed in HAProxy's configuration")
REFUSED = FailureCode("STEAD-E231", "HAProxy refuses the configuration")
NOT_TAKEN_UP = FailureCode("STEAD-E233", "HAProxy does not take up a new configuration")
NO_CERTIFICATE = FailureCode("STEAD-E232", "the host has lost a certificate")

PROGRAM = "/usr/sbin/haproxy"
EMPTY = ROOT + "/empty"
CONFIGURATION, NEXT = "haproxy.cfg", "haproxy.next"
MARK = "description"
# A user that nobody else is: of the numbers that no system gives out (systemd's UIDS-GIDS).
USERS, FIRST_USER = 0x0FFF_FFFF, 0x7000_0000
THREADS = 2
# Each of a configuration of before that still has connections, beside the one that takes new ones, and their master.
WORKERS = 20
TASKS = 1 + THREADS * (WORKERS + 2)
PATIENCE = 20.0  # seconds that a new worker may take to begin: TLS keys are read, and hosts are busy
# A connection of TLS takes less; two workers may be there at once.
OF_EACH, OF_ITSELF = 96 << 10, 192 << 20
CLIENTS = 20_000  # that a table of `sticky: source` remembers
BALANCE = {"round_robin": "roundrobin", "least_connections": "leastconn", "source": "source"}
# Quotes, blanks, `#`, `\`, `$` and line breaks mean something there: none of them is ever part of a value.
word = word_of(r"[A-Za-z0-9._~/?&=%+,:@-]", Failed(NOT_A_WORD, MEANS_MORE))


def ensure(want: Want, namespace: str, again: bool, work: Work) -> None:
    """`again`: it cannot go on as it runs, because what it runs in is new."""
    uuid, folder = want["uuid"], folder_of(want["uuid"])
    work.directory(EMPTY, PASSABLE)
    work.directory(folder)
    certificates = _certificates(want, folder, work)
    text = configuration(want, folder)
    changed = _configure(text, folder, work)
    unit, words = unit_name(uuid), _words(folder)
    if again or not units.runs(unit, words, work):
        units.start(unit, "Stead load balancer {0}".format(uuid), words, work, _settings(want, namespace))
    elif changed or _mark_read(uuid) not in ("", mark_of(text)):  # else a run was killed before it was taken up
        work.run(["systemctl", "set-property", "--runtime", unit, "MemoryMax=" + _memory(want)])
        work.act("take up the configuration", _take_up, uuid, folder, mark_of(text))
    _tidy(folder, certificates, work)


def remove(uuid: str, work: Work) -> None:
    units.stop(unit_name(uuid), work)
    work.remove(runtime_socket.path(uuid))
    work.remove_tree(folder_of(uuid))


def folder_of(uuid: str) -> str:
    return os.path.join(LOAD_BALANCERS, uuid)


def unit_name(uuid: str) -> str:
    return "stead-lb-{0}.service".format(uuid)


def _words(folder: str) -> List[str]:
    return [PROGRAM, "-Ws", "-f", os.path.join(folder, CONFIGURATION)]


def _settings(want: Want, namespace: str) -> Dict[str, str]:
    """What a worker that was taken over could do beside: little, and not much of it."""
    return {
        **units.in_namespace(namespace),
        "Type": "notify",
        "KillMode": "mixed",
        "TimeoutStopSec": "5",
        "NoNewPrivileges": "yes",
        "PrivateTmp": "yes",
        "PrivateDevices": "yes",
        "ProtectHome": "yes",
        "ProtectSystem": "full",
        "MemoryMax": _memory(want),
        "TasksMax": str(TASKS),
    }


def _memory(want: Want) -> str:
    return str(OF_ITSELF + OF_EACH * _connections(want))


def _connections(want: Want) -> int:
    return sum(one["max_connections"] for one in want["listeners"].values())


def _take_up(uuid: str, folder: str, mark: str) -> None:
    """Done when a worker that has read it answers: the old one takes nothing new from then on."""
    _keep_state(uuid, folder)
    commands.run(["systemctl", "kill", "--kill-who=main", "--signal=USR2", unit_name(uuid)])
    until = time.monotonic() + PATIENCE
    while _mark_read(uuid) != mark:
        if time.monotonic() > until:
            text = "It goes on with the one before. `journalctl -u {0}` on the host says why."
            raise Failed(NOT_TAKEN_UP, text.format(unit_name(uuid)))
        time.sleep(0.1)


def _mark_read(uuid: str) -> str:
    """By whoever answers now; empty where nobody does."""
    lines = runtime_socket.asked(uuid, "show info").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(MARK + ":")), "")


def _keep_state(uuid: str, folder: str) -> None:
    """A worker that begins would take everybody for well, and send them requests that fail."""
    text = runtime_socket.asked(uuid, "show servers state")
    if text:
        paths.write(os.path.join(folder, "state"), text)


def _certificates(want: Want, folder: str, work: Work) -> List[str]:
    """Each in a file that is named after its seal, so that a bad one leaves the one before it as it is."""
    names = []
    for _name, one in sorted(want["listeners"].items()):
        if "certificate" not in one:
            continue
        name = _file_of(one)
        path = os.path.join(folder, name)
        names.append(name)
        if work.can_open(one["certificate"]):
            work.write(path, work.opened(one["certificate"]))
        elif not os.path.exists(path):
            if not work.check:
                raise Failed(NO_CERTIFICATE, "{0} is gone. Apply again: a plan brings it.".format(path))
            work.done.append("write {0}".format(path))
    return names


def _file_of(one: ListenerWant) -> str:
    return word(one["certificate"]["$secret"]) + ".pem"


def _tidy(folder: str, certificates: Sequence[str], work: Work) -> None:
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        if name.endswith(".pem") and name not in certificates:
            work.remove(os.path.join(folder, name))


def _configure(text: str, folder: str, work: Work) -> bool:
    """HAProxy is asked before it is written: one that it would refuse would end it at the next start."""
    path = os.path.join(folder, CONFIGURATION)
    if paths.read_bytes(path) == text.encode():
        return False
    if not work.check:
        candidate = os.path.join(folder, NEXT)
        paths.write(candidate, text)
        try:
            status, out, said = commands.attempt([PROGRAM, "-c", "-f", candidate])
        finally:
            paths.remove(candidate)
        if status != 0:
            raise Failed(REFUSED, "It says: {0}".format((said or out).strip().replace(candidate, "the file")[:600]))
    return work.write(path, text)


def configuration(want: Want, folder: str) -> str:
    """It has a digest of itself, so that whoever has read it can be told from one that runs with another."""
    text = "\n".join(_lines(want, folder))
    digest = blake2b(text.encode(), digest_size=8).hexdigest()
    return "{0}\nglobal\n{1} {2}\n".format(text, MARK, digest)


def mark_of(text: str) -> str:
    return text.rpartition(MARK)[2].strip()


def _lines(want: Want, folder: str) -> List[str]:
    user = FIRST_USER + (crc32(want["uuid"].encode()) & USERS)
    lines = [
        "global",
        "chroot " + EMPTY,
        "uid {0}".format(user),
        "gid {0}".format(user),
        "maxconn {0}".format(max(1, _connections(want))),
        "nbthread {0}".format(THREADS),
        "hard-stop-after 15m",
        "mworker-max-reloads {0}".format(WORKERS),
        "stats socket {0} mode 600 level admin expose-fd listeners".format(runtime_socket.path(word(want["uuid"]))),
        "server-state-file " + os.path.join(folder, "state"),
        "ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
        "tune.ssl.default-dh-param 2048",
        "defaults",
        "load-server-state-from-file global",
        "option redispatch",
        "option dontlognull",
        "retries 3",
        "timeout http-request 30s",
        "timeout queue 30s",
    ]
    addresses = [one.partition("/")[0] for port in want["interfaces"].values() for one in port["addresses"]]
    for name, one in sorted(want["listeners"].items()):
        lines += _listener(word(name), one, addresses, folder)
    return lines


def _listener(name: str, one: ListenerWant, addresses: Sequence[str], folder: str) -> List[str]:
    """It listens also while the other host has the address."""
    http = one["protocol"] != "tcp"
    suffix = ""
    if one["protocol"] == "https":
        suffix = " ssl crt {0} alpn h2,http/1.1".format(os.path.join(folder, _file_of(one)))
    lines = ["listen " + name, "mode " + ("http" if http else "tcp")]
    lines += ["bind {0}:{1} transparent{2}".format(word(at), int(one["port"]), suffix) for at in addresses]
    lines.append("maxconn {0}".format(int(one["max_connections"])))
    lines.append("balance " + BALANCE[one["balance"]])
    if one["balance"] == "source":
        lines.append("hash-type consistent")  # who goes or comes moves none of the others' clients
    lines += ["timeout {0} {1}s".format(word(what), int(most)) for what, most in sorted(one["timeouts"].items())]
    if http:
        lines += ["option forwardfor", "http-request set-header X-Forwarded-Proto " + one["protocol"]]
        # Whoever goes takes an answer with it: what may be asked twice is asked of another one.
        lines += ["retry-on conn-failure empty-response", "http-request disable-l7-retry if !METH_GET"]
    lines += _sticky(one) + _check(one["check"])
    return lines + _servers(one)


def _sticky(one: ListenerWant) -> List[str]:
    sticky = one.get("sticky")
    if not sticky:
        return []
    if sticky["by"] == "cookie":
        secure = " secure" if one["protocol"] == "https" else ""
        return ["cookie {0} insert indirect nocache httponly{1}".format(word(sticky["cookie"]), secure)]
    table = "stick-table type ipv6 size {0} expire {1}s"
    return [table.format(CLIENTS, int(sticky["lasts"])), "stick on src"]


def _check(check: CheckWant) -> List[str]:
    if not check["path"]:
        return []
    sent = "http-check send meth {0} uri {1} ver HTTP/1.1 hdr Host {2}"
    return [
        "option httpchk",
        sent.format(word(check["method"]), word(check["path"]), word(check["host"] or "localhost")),
        "http-check expect status " + word(check["expect"]),
    ]


def _servers(one: ListenerWant) -> List[str]:
    check = one["check"]
    common = "check inter {0} rise {1} fall {2}".format(int(check["interval"]), int(check["rise"]), int(check["fall"]))
    common += " port {0}".format(int(check["port"])) if check["port"] else ""
    common += " send-proxy-v2" if one["proxy_protocol"] else ""
    common += " on-marked-down shutdown-sessions"
    lines = ["timeout check {0}".format(int(check["timeout"])), "default-server " + common]
    by_cookie = "sticky" in one and one["sticky"]["by"] == "cookie"
    return lines + [_server(word(name), member, by_cookie) for name, member in sorted(one["members"].items())]


def _server(name: str, member: BackendWant, by_cookie: bool) -> str:
    at = "server {0} {1}:{2} weight {3}".format(
        name, word(member["address"]), int(member["port"]), int(member["weight"])
    )
    return at + (" cookie " + name if by_cookie else "")
