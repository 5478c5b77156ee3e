"""Installs the running host code on the host, so that a boot needs neither Ansible nor the controller.

A module arrives as an archive with all that it imports. What of it is Stead's, or a site's own (`stead.site`), is laid
down under its own name below /usr/lib/stead: code that is imported here and there is called the same in both.
"""

from __future__ import annotations

import os
import pkgutil
from typing import Any, Dict, List, Tuple

from ..backup import program
from ..base import paths
from ..base.work import Work
from ..hypervisor import screens
from ..net import relaying, takeover
from ..observe import metrics
from ..run import booting, fences, restoring

LIBRARY = "/usr/lib/stead"
PACKAGE = LIBRARY + "/ansible_collections"
BEFORE = LIBRARY + "/cloud"  # where older versions laid it: it would be out of date there
TOP = __name__.rsplit(".", 3)[0]  # …module_utils
SITE = "ansible_collections.stead.site.plugins.module_utils"
READABLE, RUNNABLE, OPEN = 0o644, 0o755, 0o755
PROGRAM = """#!/usr/bin/python3
# Stead's: {0}
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, "{1}")
from {2} import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
"""
# name -> (module with its main, what it is for). Named as modules, so that they come along.
PROGRAMS = {
    "backup": (program, "reads and fills disks for backups, and keeps them, when a controller says so."),
    "boot": (booting, "starts what is this host's own after a boot, see stead-boot.service."),
    "metrics": (metrics, "tells what guests use, for Prometheus and for `stead top`."),
    "relay": (relaying, "a way into a network of instances for SSH's ProxyCommand."),
    "restore": (restoring, "brings back at boot what the ledger of this host says, see stead-restore.service."),
    "screen": (screens, "shows the screen of a guest by VNC, over SSH's input and output."),
    "takeover": (takeover, "tells neighbours which of two hosts answers now; keepalived runs it."),
    "witness": (fences, "tells another host, over SSH, which hosts were called dead."),
}


def sources() -> Dict[str, bytes]:
    """path under the package -> content, of every module of host code and wire code that came along."""
    found: Dict[str, bytes] = {}
    for name in (TOP + ".host", TOP + ".wire", SITE):
        _add(found, "/".join(name.split(".")[1:]), name)
    for path in list(found):  # all packages above
        parts = path.split("/")[:-1]
        found.update({"/".join([*parts[:at], "__init__.py"]): b"" for at in range(len(parts) + 1)})
    return found


def _add(found: Dict[str, bytes], folder: str, name: str) -> None:
    try:
        package = __import__(name, fromlist=["__path__"])
    except ImportError:  # nothing imports it yet
        return
    found[folder + "/__init__.py"] = b""
    for finder, leaf, is_package in pkgutil.iter_modules(package.__path__):
        full = "{0}.{1}".format(name, leaf)
        if is_package:
            _add(found, folder + "/" + leaf, full)
            continue
        spec: Any = finder.find_spec(leaf) or finder.find_spec(full)  # type: ignore[call-arg]
        text = spec.loader.get_source(spec.name)
        found["{0}/{1}.py".format(folder, leaf)] = (text or "").encode()


def wanted() -> Dict[str, Tuple[bytes, int]]:
    """path -> (content, mode)"""
    files = {os.path.join(PACKAGE, name): (data, READABLE) for name, data in sources().items()}
    for name, (module, purpose) in PROGRAMS.items():
        files[os.path.join(LIBRARY, name)] = (
            PROGRAM.format(purpose, LIBRARY, module.__name__).encode(),
            RUNNABLE,
        )
    return files


def outdated() -> List[str]:
    """Files of a host that are not those of this version: somebody changed them, or another version laid them down.

    More of Stead's may have come along with whoever asks than with whoever installed. Of a site's own code, what was
    not there when the host was prepared is missed at the next boot.
    """
    found = {path: (data, paths.read_bytes(path)) for path, (data, _mode) in wanted().items()}
    sites = os.path.join(PACKAGE, *SITE.split(".")[1:], "")
    needed = {os.path.join(LIBRARY, name) for name in PROGRAMS}
    needed |= {path for path in found if path.startswith(sites)}
    return sorted(path for path, (data, has) in found.items() if has != data and (has is not None or path in needed))


def install(work: Work) -> None:
    """What an older version left is removed: old code beside new would be imported."""
    files = wanted()
    for folder in sorted({os.path.dirname(path) for path in files}):
        work.directory(folder, OPEN)
    for path, (data, mode) in sorted(files.items()):
        work.write(path, data, mode)
    for top in (PACKAGE, BEFORE):
        for folder, _folders, names in os.walk(top):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if path not in files and name.endswith(".py"):
                    work.remove(path)
