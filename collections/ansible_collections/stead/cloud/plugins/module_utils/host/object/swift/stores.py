"""A store on one of its hosts: files, rings, directories, a firewall and programs. Each host makes its own."""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import shutil
import socket
import time
from typing import Dict, List, Tuple

from ...base import commands, ledger, paths, units
from ...base.errors import Failed, FailureCode
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from ...net import rules
from ..driver import NO_STORE
from . import ring, settings

NO_PROGRAMS = FailureCode("STEAD-E522", "the host is not prepared for the object store")
NO_PROXY = FailureCode("STEAD-E524", "the proxy of the object store does not answer")
STARTS_WITHIN = 300.0  # seconds, on busy hosts
LOOK = 0.5
READ_BY_SWIFT = 0o640
TABLE = "inet stead_object"
FIREWALL = settings.ROOT + "/firewall.nft"


class Stores:
    def ensure(self, want: Want, work: Work) -> None:
        _prepared(want, work)
        with work.part("directories"):
            _directories(want, work)
        with work.part("files"):
            _accounts(want, work)
            _keep(settings.SWIFT + "/swift.conf", settings.hash_paths(want), work)
            _rings(want, work)
        with work.part("services"):
            _firewall(want, work)
            if _start(want, work) and not work.check:
                await_proxy(address_of(want, work), want["port"])

    def remove(self, have: Want, work: Work) -> None:
        for name in reversed(list(settings.programs(have, ""))):
            units.stop(_unit(name), work)
        if commands.attempt(["nft", "list", "table", *TABLE.split()])[0] == 0:
            work.run(["nft", "delete", "table", *TABLE.split()])
        for path in _rest():
            work.remove(path)
        for name in have["devices"]:
            _emptied(os.path.join(settings.OBJECTS, name), work)

    def is_there(self, want: Want, now: Readings) -> bool:
        return os.path.exists(settings.ACCOUNTS) or any(
            now.unit(_unit(name)) is not None for name in settings.programs(want, "")
        )

    def restore(self, want: Want, work: Work) -> None:
        """Files outlive a boot; programs and the firewall do not."""
        _firewall(want, work)
        _start(want, work)


def address_of(want: Want, work: Work) -> str:
    try:
        return str(want["hosts"][work.host]["address"])
    except KeyError as error:
        text = "{0} is no host of {1}. Apply the whole site again.".format(work.host, want.get("name"))
        raise Failed(NO_STORE, text) from error


def entry_of(uuid: str) -> Want:
    made = ledger.read("object_stores", uuid)
    if made is None:
        raise Failed(NO_STORE, "This host has nothing of the bucket's object store. Apply the store first.")
    found: Want = made["want"]
    return found


def secret_kept() -> str:
    told = json.loads(paths.read_bytes(settings.ACCOUNTS) or b"{}")
    return str(told.get("secret", ""))


def _prepared(want: Want, work: Work) -> None:
    needed = [settings.CODE + "/" + name for name in ("stead_object_auth.py", "stead_object_tokens.py")]
    needed += [one.binary for one in settings.programs(want, address_of(want, work)).values()]
    needed += [settings.CERTIFICATES + "/server-cert.pem"] if want["tls"] else []
    missing = [one for one in needed if not os.path.exists(one)]
    if missing and not work.check:
        text = "{0} is missing. Write {1} in `stead_object_drivers` of this host, and run `stead bootstrap`."
        raise Failed(NO_PROGRAMS, text.format(missing[0], want["driver"]))


def _swift() -> Tuple[int, int]:
    return pwd.getpwnam(settings.USER).pw_uid, grp.getgrnam(settings.USER).gr_gid


def _directories(want: Want, work: Work) -> None:
    work.directory(settings.OBJECTS, 0o755)
    for path in (settings.CACHE, *(os.path.join(settings.OBJECTS, name) for name in want["devices"])):
        work.directory(path, 0o750)
        if os.path.isdir(path) and (os.stat(path).st_uid, os.stat(path).st_gid) != _swift():
            work.act("chown swift {0}".format(path), os.chown, path, *_swift())


def _accounts(want: Want, work: Work) -> None:
    """With the secret. In check mode nobody has it: then it is the one that is there."""
    secret = work.opened(want["secret"]) if work.can_open(want["secret"]) else secret_kept()
    told = {"secret": secret, "projects": want["accounts"], "api": want.get("api")}
    _keep(settings.ACCOUNTS, json.dumps(told, sort_keys=True, indent=1) + "\n", work)


def _keep(path: str, data: "str | bytes", work: Work) -> None:
    """For root to write and for Swift's programs to read."""
    work.directory(os.path.dirname(path), 0o755)
    work.write(path, data, READ_BY_SWIFT)
    if os.path.exists(path) and os.stat(path).st_gid != _swift()[1]:
        work.act("chgrp swift {0}".format(path), os.chown, path, 0, _swift()[1])


def _rings(want: Want, work: Work) -> None:
    some = ring.devices(want["hosts"], want["devices"])
    rows: List[List[int]] = []
    for name, port in settings.PORTS.items():
        path = "{0}/{1}.ring.gz".format(settings.SWIFT, name)
        marked = ring.mark(some, want["part_power"], want["replicas"], port)
        if ring.mark_of(paths.read_bytes(path) or b"") == marked:
            continue
        if not work.check:
            rows = rows or ring.assign(some, want["part_power"], want["replicas"])
        _keep(path, ring.file_of(some, rows, want["part_power"], port, marked), work)


def _firewall(want: Want, work: Work) -> None:
    text = settings.firewall(want)
    if not rules.same(FIREWALL, text, work.now.listing(TABLE), work):
        work.directory(os.path.dirname(FIREWALL), 0o755)
        rules.give(FIREWALL, text, text, lambda: work.now.listing(TABLE), work)


def _start(want: Want, work: Work) -> bool:
    """Whether there was any to start. One whose settings are others is started again: their file is called by what is
    in it."""
    wanted, started = settings.programs(want, address_of(want, work)), False
    kept: Dict[str, str] = {}
    for name, program in wanted.items():
        path = kept[name] = _settings_file(program)
        _keep(path, program.settings, work)
        words = [program.binary, *(["--daemon", "--no-detach", "--config=" + path] if name == "rsync" else [path])]
        if not units.runs(_unit(name), words, work):
            units.start(_unit(name), "Object store: " + name, words, work, _limits(program))
            started = True
    for path in _settings_files():
        if path not in kept.values():
            work.remove(path)
    return started


def await_proxy(address: str, port: int) -> None:
    """It listens a while after it was started, and whoever has applied a store uses it at once."""
    until = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            socket.create_connection((address, port), LOOK).close()
        except OSError as error:
            if time.monotonic() > until:
                text = "{0} at port {1}: {2}. Look at stead-object-proxy-server.service."
                raise Failed(NO_PROXY, text.format(address, port, error.strerror or error)) from error
            time.sleep(LOOK)
        else:
            return


def _limits(program: settings.StoreProgram) -> Dict[str, str]:
    if program.user == "root":
        return {}
    return {"User": program.user, "Group": program.user, "Environment": "PYTHONPATH=" + settings.CODE}


def _settings_file(program: settings.StoreProgram) -> str:
    told = hashlib.blake2b(program.settings.encode(), digest_size=4).hexdigest()
    return "{0}/settings/{1}-{2}.conf".format(settings.ROOT, program.name, told)


def _settings_files() -> List[str]:
    folder = settings.ROOT + "/settings"
    return [os.path.join(folder, one) for one in os.listdir(folder)] if os.path.isdir(folder) else []


def _rest() -> List[str]:
    rings = ["{0}/{1}.ring.gz".format(settings.SWIFT, name) for name in settings.PORTS]
    return [
        *_settings_files(),
        *rings,
        settings.ACCOUNTS,
        FIREWALL + rules.SEEN,
        FIREWALL,
        settings.SWIFT + "/swift.conf",
    ]


def _unit(name: str) -> str:
    return "stead-object-{0}.service".format(name)


def _emptied(path: str, work: Work) -> None:
    """A disk may be mounted there: what is on it goes, and it stays."""
    for name in sorted(os.listdir(path)) if os.path.isdir(path) else ():
        work.act("remove {0}/{1}".format(path, name), shutil.rmtree, os.path.join(path, name), True)
    if os.path.isdir(path) and not os.path.ismount(path) and not work.check:
        shutil.rmtree(path, True)
