"""How one host's libvirt reaches another's: a key of its own, a user who may talk to libvirt and nothing else.

Nobody else's SSH settings are read or changed: keys, known hosts and the command all lie under Stead's own directories.
"""

from __future__ import annotations

import os
import re

from . import places
from .failing import Failed

FOLDER = places.MIGRATION
KEY = FOLDER + "/id_ed25519"
KNOWN = FOLDER + "/known_hosts"
AUTHORISED = FOLDER + "/.ssh/authorized_keys"
READABLE = 0o644
PASSABLE = 0o755
# No terminal, no forwarding, no agent: libvirt speaks over the one channel that ssh opens.
LIMITS = "restrict"
_LINE = re.compile(r"(.*) stead:(\S+)\Z")


def key(work):
    work.directory(FOLDER, PASSABLE)
    work.directory(os.path.dirname(AUTHORISED), PASSABLE)
    if not os.path.exists(KEY):
        work.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "stead", "-f", KEY])


def public():
    return (places.read_bytes(KEY + ".pub") or b"").decode().strip()


def peers(given, work):
    """`members` are all hosts of the inventory that may be migrated to; `known` has address, public key and sshd's keys
    of those that told them just now.

    Of a member that was not asked this time, what is known of it stays; of one that is a member no more, nothing does.
    """
    known, members = given.get("known") or {}, set(given.get("members") or ())
    authorised, hosts = {}, {}
    for name, (address, public_key, host_keys) in sorted(known.items()):
        if not public_key:
            continue  # in check mode its key is yet to be made
        authorised[name] = ["{0} {1}".format(LIMITS, " ".join(_words(public_key)))]
        at = ",".join(_place(word) for word in (name, address) if word)
        hosts[name] = ["{0} {1}".format(at, " ".join(_words(line))) for line in host_keys]
    _keep(AUTHORISED, authorised, members, work)
    _keep(KNOWN, hosts, members, work)


def _words(line):
    words = line.split()[:2]
    if len(words) != 2 or not re.match(r"[a-z0-9@.-]+\Z", words[0]) or not re.match(r"[A-Za-z0-9+/=]+\Z", words[1]):
        raise Failed("{0!r} is no public key.".format(line))
    return words


def _place(word):
    if not re.match(r"[A-Za-z0-9._:-]+\Z", word):
        raise Failed("{0!r} is no name or address of a host.".format(word))
    return word


def _keep(path, fresh, members, work):
    lines = {}
    for line in (places.read_bytes(path) or b"").decode().splitlines():
        match = _LINE.match(line)
        if match and match.group(2) in members:
            lines.setdefault(match.group(2), []).append(match.group(1))
    lines.update(fresh)
    text = "".join("{0} stead:{1}\n".format(line, name) for name in sorted(lines) for line in lines[name])
    work.write(path, text, READABLE)
