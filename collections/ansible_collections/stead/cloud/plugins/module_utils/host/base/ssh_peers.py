"""How hosts reach each other over SSH without a person: with their own keys, and limits on what each key may do.

Other SSH settings are neither read nor changed: keys, known hosts and members are in Stead's own directories.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, Iterable, List, Mapping, TypedDict

from . import paths
from .errors import Failed, FailureCode
from .work import Work

BAD_KEY = FailureCode("STEAD-E009", "not a public SSH key")
BAD_HOST = FailureCode("STEAD-E010", "not a host name or address")

READABLE = 0o644
PASSABLE = 0o755
PORT = 22
SECONDS = 5  # after which a host that does not accept the connection counts as silent
_LINE = re.compile(r"(.*) stead:(\S+)\Z")


class Way(TypedDict):
    addresses: List[str]
    port: int


class Peers:
    """One purpose: its folder, the user that others log in as, and what sshd lets their keys do. `{0}` is
    replaced by the name of the host with the key, so that the host cannot choose it."""

    def __init__(self, folder: str, user: str, limits: str) -> None:
        self.folder = folder
        self.user = user
        self._limits = limits

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def make_key(self, work: Work) -> None:
        work.directory(self.folder, PASSABLE)
        work.directory(self._path(".ssh"), PASSABLE)
        if not os.path.exists(self._path("id_ed25519")):
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "stead", "-f", self._path("id_ed25519")]
            work.run(words)

    def public(self) -> str:
        return (paths.read_bytes(self._path("id_ed25519.pub")) or b"").decode().strip()

    def learn(self, given: Mapping[str, Any], work: Work) -> None:
        """`members`: all hosts of the inventory that are members, with address and port for SSH. `known`: address on
        the underlay, public key and sshd's keys of the members that reported them now.

        Keys of members that were not asked this time stay. Keys of former members are removed.
        """
        known, members = given.get("known") or {}, given.get("members") or {}
        ways: Dict[str, Way] = {}
        authorised: Dict[str, List[str]] = {}
        hosts: Dict[str, List[str]] = {}
        before = self.members()
        for name, (address, port) in sorted(members.items()):
            underlay, public_key, host_keys = known.get(name) or ("", "", ())
            old = before[name]["addresses"] if name in before and not underlay else []
            ways[name] = {"addresses": _unique([underlay, address or name] + old), "port": int(port)}
            if not public_key:
                continue  # in check mode its key does not exist yet
            authorised[name] = ["{0} {1}".format(self._limits.format(_place(name)), " ".join(_words(public_key)))]
            at = ",".join(_at(word, int(port)) for word in _unique([name] + ways[name]["addresses"]))
            hosts[name] = ["{0} {1}".format(at, " ".join(_words(line))) for line in host_keys]
        work.write(self._path("members.json"), json.dumps(ways, sort_keys=True, indent=1) + "\n", READABLE)
        self._keep(".ssh/authorized_keys", authorised, members, work)
        self._keep("known_hosts", hosts, members, work)

    def members(self) -> Dict[str, Way]:
        found: Dict[str, Way] = json.loads(paths.read_bytes(self._path("members.json")) or b"{}")
        return found

    def argv(self, address: str, port: int) -> List[str]:
        """The ssh command that reaches a member, without any user's settings."""
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": str(SECONDS),
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self._path("known_hosts"),
        }
        words = ["ssh", "-F", "/dev/null", "-i", self._path("id_ed25519"), "-p", str(port)]
        words += ["-o{0}={1}".format(*one) for one in sorted(options.items())]
        return words + ["{0}@{1}".format(self.user, _place(address))]

    def _keep(self, name: str, fresh: Mapping[str, List[str]], members: Iterable[str], work: Work) -> None:
        path = self._path(name)
        lines: Dict[str, List[str]] = {}
        for line in (paths.read_bytes(path) or b"").decode().splitlines():
            match = _LINE.match(line)
            if match and match.group(2) in members:
                lines.setdefault(match.group(2), []).append(match.group(1))
        lines.update(fresh)
        text = "".join("{0} stead:{1}\n".format(line, name) for name in sorted(lines) for line in lines[name])
        work.write(path, text, READABLE)


# No terminal, no forwarding, no agent. The key runs one command, with a host name that the caller cannot choose.
WITNESS = Peers(paths.ROOT + "/witness", "stead-witness", 'restrict,command="/usr/lib/stead/witness {0}"')


def _unique(words: Iterable[str]) -> List[str]:
    return [word for word in dict.fromkeys(words) if word]


def _words(line: str) -> List[str]:
    words = line.split()[:2]
    if len(words) != 2 or not re.match(r"[a-z0-9@.-]+\Z", words[0]) or not re.match(r"[A-Za-z0-9+/=]+\Z", words[1]):
        raise Failed(
            BAD_KEY, "{0!r} is not a public key. Run `stead bootstrap` on the host that it is from.".format(line)
        )
    return words


def _at(word: str, port: int) -> str:
    return _place(word) if port == PORT else "[{0}]:{1}".format(_place(word), port)


def _place(word: str) -> str:
    if not re.match(r"[A-Za-z0-9._:][A-Za-z0-9._:-]*\Z", word):
        raise Failed(BAD_HOST, "{0!r} is not a host name or address. Correct it in the inventory.".format(word))
    return word
