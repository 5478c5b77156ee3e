"""Whether a guest is ready, as its want defines it: it uses its address, answers on a port, or its agent says so.

One check is short, whatever the guest does. The batch decides how often and how long to check.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import os
import socket
import time
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from ..base.errors import Failed, FailureCode
from ..base.sessions import Sessions
from ..base.step import Want
from ..hypervisor import drivers
from ..hypervisor.driver import asks
from . import lookouts
from .lookouts import Lookouts

Look = Tuple[bool, str]  # whether it is ready, and what was seen

UNREADY = FailureCode("STEAD-A002", "a guest was not ready in time")
NO_ADDRESS = FailureCode("STEAD-E018", "an instance has no address for the check")

# Seconds that one look may take, of a guest that does not answer.
PATIENCE = 4
# Seconds for the answer to a question who has an address.
ASKING = 0.3
AGENT_LOOKS = 20
BANNER = b"SSH-"
TAIL = 4096


def is_needed(want: Want) -> bool:
    return bool(want.get("wait")) and want.get("state") == "running"


def let_in(nic: Dict[str, Any], key: str, want: Want) -> Dict[str, Any]:
    """The interface, with what its filter has to let in for the look."""
    wait = want.get("wait") or {}
    if wait.get("nic") != key or "port" not in wait:
        return nic
    return dict(nic, look={"address": wait["from"]["address"].partition("/")[0], "port": wait["port"]})


class Wait:
    """Of one guest. `seen` is what was seen last, in words."""

    def __init__(self, want: Want, waited: float = 0.0, seen: str = "") -> None:
        self.want, self.words = want, want["wait"]
        self.seen = seen
        self._before = waited  # seconds, in calls before this one
        self._begun = time.monotonic()

    @property
    def waited(self) -> float:
        return self._before + time.monotonic() - self._begun

    @property
    def is_over(self) -> bool:
        return bool(self.waited >= self.words["timeout"])

    def look(self, sessions: Sessions, stands: Lookouts) -> bool:
        """True once it is ready. A failure is one that no waiting mends."""
        try:
            ready, self.seen = _LOOKS[self.words["for"]](self.want, sessions, stands)
        except Failed:
            raise
        except OSError as error:
            ready, self.seen = False, _said(error)
        return ready

    def failure(self) -> Failed:
        """What was waited for, how long, what was seen, and how to look."""
        text = (
            "it was made, but was not ready in time: waited {0:.0f} s for {1}; last seen: {2}. {3}"
            "Look with `stead console` or in {4} on its host. `stead apply` waits again; `wait.timeout` gives it "
            "longer."
        )
        line = _last_line(self.want)
        said = "Its console said last: {0!r}. ".format(line) if line else ""
        return Failed(
            UNREADY,
            text.format(self.waited, shown(self.words), self.seen or "nothing", said, _console_log(self.want)),
        )


def shown(words: Mapping[str, Any]) -> str:
    """What is waited for, for people."""
    port = " on port {0}".format(words["port"]) if "port" in words else ""
    path = " at {0}".format(words["path"]) if "path" in words else ""
    return str(words["for"]) + port + path


def _said(error: OSError) -> str:
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "no answer"
    return (error.strerror or str(error)).lower()


def _stand(want: Want, stands: Lookouts) -> Tuple[str, int, str, str]:
    """Where it is looked at from, and which of its addresses is looked at."""
    wait = want["wait"]
    nic, source = want["nics"][wait["nic"]], wait["from"]
    here = ipaddress.ip_interface(source["address"])
    port = want["ports"][wait["nic"]]
    there = next((one for one in port["addresses"] if ipaddress.ip_address(one) in here.network), None)
    if there is None:
        raise Failed(
            NO_ADDRESS,
            "It has no address in {0}, which the check needs. Give it one, or use another check.".format(here.network),
        )
    return stands.at(nic["network_uuid"], source, nic["mtu"]), here.version, there, port["mac"].lower()


def _address(want: Want, _sessions: Sessions, stands: Lookouts) -> Look:
    namespace, version, address, mac = _stand(want, stands)
    with lookouts.opened(namespace, version, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"", (address, 9))  # whatever becomes of it, somebody is asked who has the address
    time.sleep(ASKING)
    found, state = lookouts.neighbour(namespace, address)
    if found == mac and state == "REACHABLE":
        return True, "{0} answers".format(address)
    if found and found != mac:
        return False, "{0} is answered for by {1}, which is not its interface".format(address, found)
    return False, "nobody answers for {0}".format(address)


def _connected(want: Want, stands: Lookouts) -> Tuple[socket.socket, str]:
    namespace, version, address, _mac = _stand(want, stands)
    found = lookouts.opened(namespace, version, socket.SOCK_STREAM)
    try:
        found.settimeout(PATIENCE)
        found.connect((address, want["wait"]["port"]))
    except BaseException:
        found.close()
        raise
    return found, address


def _ssh(want: Want, _sessions: Sessions, stands: Lookouts) -> Look:
    found, address = _connected(want, stands)
    with found:
        banner = found.recv(64)
    if banner.startswith(BANNER):
        return True, "{0} answers".format(address)
    return False, "{0} accepts connections, and does not speak SSH".format(address)


def _http(want: Want, _sessions: Sessions, stands: Lookouts) -> Look:
    wait = want["wait"]
    found, address = _connected(want, stands)
    asking = http.client.HTTPConnection(address, wait["port"], timeout=PATIENCE)
    asking.sock = found
    try:
        asking.request("GET", wait["path"], headers={"User-Agent": "stead"})
        status = asking.getresponse().status
    except http.client.HTTPException as error:
        return False, "{0} gives no answer of HTTP ({1})".format(address, type(error).__name__)
    finally:
        asking.close()
    ready = status == wait["status"] if "status" in wait else status < 400
    return ready, "HTTP {0}".format(status)


def _agent(want: Want, sessions: Sessions, _stands: Lookouts) -> Look:
    answer = _asked(want, sessions, "guest-ping")
    return (False, answer) if isinstance(answer, str) else (True, "the agent answers")


def _cloud_init(want: Want, sessions: Sessions, _stands: Lookouts) -> Look:
    """`cloud-init status` in the guest, asked through its agent."""
    run = {"path": "cloud-init", "arg": ["status"], "capture-output": True}
    begun = _asked(want, sessions, "guest-exec", run)
    if isinstance(begun, str):
        return False, begun
    for _look in range(AGENT_LOOKS):
        told = _asked(want, sessions, "guest-exec-status", {"pid": begun["pid"]})
        if isinstance(told, str):
            return False, told
        if told["exited"]:
            return _judged(base64.b64decode(told.get("out-data", "")).decode(errors="replace"))
        time.sleep(PATIENCE / AGENT_LOOKS)
    return False, "`cloud-init status` does not end"


def _judged(text: str) -> Look:
    status = next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("status:")), "")
    if "error" in status:
        said = "cloud-init ended with an error in the guest. See /var/log/cloud-init-output.log there."
        raise Failed(UNREADY, said)
    # Where it is disabled, there is nothing to wait for.
    ready = status.startswith(("done", "degraded", "disabled"))
    return ready, "cloud-init is {0}".format(status or "not there, or says nothing")


def _asked(want: Want, sessions: Sessions, command: str, arguments: Optional[Dict[str, Any]] = None) -> Any:
    """The agent's answer, or why there is none."""
    guest = drivers.find(want["uuid"], sessions, want["hypervisor"])
    if guest is None:
        return "the guest is off"
    return asks(guest).ask(command, arguments, PATIENCE)


def _console_log(want: Want) -> str:
    return drivers.driver_of(want["hypervisor"]).console_log(want["uuid"])


def _last_line(want: Want) -> str:
    try:
        with open(_console_log(want), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            data = file.read()
    except OSError:
        return ""
    lines = [line.strip() for line in data.decode(errors="replace").splitlines()]
    printable = ["".join(one for one in line if one.isprintable()) for line in lines]
    return next((line[:200] for line in reversed(printable) if line), "")


_LOOKS: Dict[str, Callable[[Want, Sessions, Lookouts], Look]] = {
    "address": _address,
    "agent": _agent,
    "cloud-init": _cloud_init,
    "http": _http,
    "ssh": _ssh,
}
