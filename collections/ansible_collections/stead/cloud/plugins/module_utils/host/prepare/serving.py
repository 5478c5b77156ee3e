"""What a controller needs to run `stead serve`: the program, its user, the site's files, a key, a certificate.

The service may read all of it and write only its store: who takes it over cannot change the program, the inventory or
the site's spec, and cannot make root write somewhere else.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import tarfile
from typing import Any, Dict, Iterator, List, Mapping

from ..base import commands, paths
from ..base.errors import Failed, FailureCode
from ..base.step import Want
from ..base.work import Work
from . import certificates

CANNOT_RUN = FailureCode("STEAD-E024", "stead serve cannot run on this controller")

PROGRAMS = "/usr/lib/stead/serve"
HOME = paths.ROOT + "-serve"
SITE = HOME + "/site"
FILES = "/etc/stead/serve"
UNIT = "/etc/systemd/system/stead-serve.service"
USER = "stead-serve"
PYTHON = "/usr/bin/python3"
OF_GROUP, OF_GROUP_DIRECTORY = 0o640, 0o750
OWN = (HOME + "/.ansible", SITE + "/.stead")  # the service's
SSH = HOME + "/.ssh"
SSH_CONFIG = """# Stead's: what hosts showed at the last bootstrap, and no other.
BatchMode yes
StrictHostKeyChecking yes
GlobalKnownHostsFile /dev/null
UserKnownHostsFile {0}/witness/known_hosts
"""
SYSUSERS = """# Stead's
u {0} - "Stead API" {1} /usr/sbin/nologin
"""
LOOPBACK = ("127.0.0.1", "::1")  # from which it comes to itself
ROOT = 0  # the number of root
PATIENCE = 900  # seconds to compile all of it
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]*\Z")


def serve(want: Want, work: Work) -> Dict[str, Any]:
    """All but the unit, which is started once hosts let the key in. `missing`: call again with the program."""
    root = os.path.join(PROGRAMS, want["program"]["digest"])
    missing = not os.path.isdir(root)
    if missing:
        _fits(want["program"])
        if not want.get("archive") and not work.check:
            return {"missing": True}
        _install(root, want.get("archive") or "", work)
    _user(work)
    _lay_down(want, work)
    if want.get("names"):
        certificates.served(FILES, want["names"], work)
    return {"missing": False, "root": root, "inputs": _inputs(want), **_known()}


def _fits(program: Mapping[str, Any]) -> None:
    """The packages are those of the machine that bootstraps, compiled ones too."""
    shown = "import sys; print('%d.%d' % sys.version_info[:2])"
    has = (commands.run([PYTHON, "-c", shown]).strip(), platform.machine())
    needs = (program["python"], program["machine"])
    if has != needs:
        text = "It has Python {0[0]} on {0[1]}, and the Stead that prepares it runs with Python {1[0]} on {1[1]}. Run "
        text += "`stead bootstrap` with the controller's version of Python, from the controller itself for example."
        raise Failed(CANNOT_RUN, text.format(has, needs))


def _install(root: str, archive: str, work: Work) -> None:
    """Whole under another name first, tried, and then under its own."""
    work.directory(PROGRAMS, 0o755)
    work.done.append("install {0}".format(root))
    if work.check:
        return
    new = root + ".new"
    commands.run(["rm", "-rf", new])
    paths.directory(new, 0o755)
    with tarfile.open(archive) as file:
        file.extractall(new)  # noqa: S202 - made by the machine that prepares this host
    python = new + "/bin/python3"
    commands.attempt([python, "-m", "compileall", "-q", "-j", "0", new + "/lib"], timeout=PATIENCE)
    status, _out, said = commands.attempt([python, "-m", "stead", "user", "--help"])
    if not status:
        status, _out, said = commands.attempt([python, "-c", "import stead.serve.http, cryptography.x509"])
    if status:
        raise Failed(CANNOT_RUN, "The copy of Stead does not start on this host: {0}".format(said.strip()[-1000:]))
    os.rename(new, root)
    used = (paths.read_bytes(UNIT) or b"").decode()
    for name in os.listdir(PROGRAMS):  # what neither runs now nor is to run
        if name != os.path.basename(root) and name not in used:
            commands.run(["rm", "-rf", os.path.join(PROGRAMS, name)])


def _user(work: Work) -> None:
    path = "/etc/sysusers.d/{0}.conf".format(USER)
    work.directory(os.path.dirname(path), 0o755)
    wrote = work.write(path, SYSUSERS.format(USER, HOME), 0o644)
    if wrote or not _ids():
        work.run(["systemd-sysusers", path])


def _ids() -> Dict[str, int]:
    import pwd

    try:
        found = pwd.getpwnam(USER)
    except KeyError:
        return {}
    return {"user": found.pw_uid, "group": found.pw_gid}


def _lay_down(want: Want, work: Work) -> None:
    for path in (HOME, SITE, SSH):
        _directory(path, work)
    for path in OWN:
        _directory(path, work, own=True)
    key = SSH + "/id_ed25519"
    if not os.path.exists(key):
        work.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", USER, "-f", key])
    _give(key, OF_GROUP, work)  # ssh takes a key that others may read if it is another's than its reader's
    _write(SSH + "/config", SSH_CONFIG.format(paths.ROOT), work)
    files = {name: text for name, text in want["site"].items() if all(map(_PART.match, name.split("/")))}
    files["inventory.yml"] = want["inventory"]
    for name, text in sorted(files.items()):
        folder = os.path.dirname(os.path.join(SITE, name))
        missing: List[str] = []
        while folder != SITE:
            missing.append(folder)
            folder = os.path.dirname(folder)
        for one in reversed(missing):
            _directory(one, work)
        _write(os.path.join(SITE, name), text, work)
    for path in list(_others(files)):
        work.remove(path)


def _others(files: Mapping[str, str]) -> Iterator[str]:
    """What an earlier bootstrap brought and the site has no longer."""
    for folder, folders, names in os.walk(SITE):
        folders[:] = [one for one in folders if not one.startswith(".")]
        for name in sorted(names):
            if os.path.relpath(os.path.join(folder, name), SITE) not in files:
                yield os.path.join(folder, name)


def _directory(path: str, work: Work, own: bool = False) -> None:
    mode = 0o700 if own else OF_GROUP_DIRECTORY
    work.directory(path, mode)
    _give(path, mode, work, own)


def _write(path: str, text: str, work: Work) -> None:
    work.write(path, text, paths.PRIVATE)
    _give(path, OF_GROUP, work)


def _give(path: str, mode: int, work: Work, own: bool = False) -> None:
    """Also what an earlier call made that was killed before it gave it."""
    ids = _ids()
    if not os.path.exists(path) or not ids:  # a rehearsal
        return
    there, owners = os.stat(path), (ids["user"] if own else ROOT, ids["group"])
    if (there.st_uid, there.st_gid, there.st_mode & 0o7777) != (*owners, mode):
        work.act("give {0} to {1}".format(path, USER), os.chown, path, *owners)
        if not work.check:
            os.chmod(path, mode)


def _inputs(want: Want) -> str:
    """Of what the service reads only when it starts."""
    seen = hashlib.sha256(want["inventory"].encode())
    seen.update(paths.read_bytes(os.path.join(FILES, certificates.SERVER[0])) or b"")
    return seen.hexdigest()[:16]


def _known() -> Dict[str, Any]:
    """For the hosts that are to let it in: its key, and the addresses that it comes from."""
    public = (paths.read_bytes(SSH + "/id_ed25519.pub") or b"").decode().split()
    links = json.loads(commands.run(["ip", "-json", "address", "show", "scope", "global"]) or "[]")
    found = [one["local"] for link in links for one in link.get("addr_info") or () if one.get("local")]
    return {"public_key": " ".join(public[:2]), "addresses": [*LOOPBACK, *sorted(found)]}
