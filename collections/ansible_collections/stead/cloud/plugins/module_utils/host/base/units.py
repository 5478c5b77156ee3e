"""Programs that serve a network or a router, as transient systemd units. After a boot, the ledger makes them again."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional

from . import commands
from .errors import Failed
from .work import Work


def start(
    unit: str, description: str, words: List[str], work: Work, settings: Optional[Mapping[str, str]] = None
) -> None:
    """Restarts it if it runs already. systemd restarts it whenever it is killed or crashes."""
    if is_loaded(unit):
        stop(unit, work)
    given = {"Description": description, "Restart": "always", "RestartSec": "1", "StartLimitIntervalSec": "0"}
    given.update(settings or {})
    argv = ["systemd-run", "--quiet", "--collect", "--unit=" + unit]
    argv += ["--property={0}={1}".format(*one) for one in sorted(given.items())]
    work.run(argv + words)


def stop(unit: str, work: Work) -> None:
    """Also one that ends by itself meanwhile."""
    if not is_loaded(unit):
        return
    try:
        work.run(["systemctl", "stop", unit])
    except Failed:
        if is_loaded(unit):
            raise
    if not work.check:
        commands.attempt(["systemctl", "reset-failed", unit])


def runs(unit: str, words: List[str], work: Work) -> bool:
    """Whether it runs as it should, and not only some unit with its name."""
    there = work.now.unit(unit)
    return there is not None and there.active and there.words == " ".join(words)


def is_loaded(unit: str) -> bool:
    return commands.run(["systemctl", "show", "--property=LoadState", "--value", unit]).strip() == "loaded"


def in_namespace(namespace: str) -> Dict[str, str]:
    return {"NetworkNamespacePath": "/run/netns/" + namespace}
