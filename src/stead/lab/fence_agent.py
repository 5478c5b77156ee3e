"""The fence agent of a lab: its hosts' power, in the way of Debian's `fence-agents`. Options come by standard input.

`off` is `stead lab crash`, `on` is `stead lab reboot` of a host that is off.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from stead.core.diagnostics import Refused
from stead.lab.commands import need_root
from stead.lab.lifecycle import open_lab

if TYPE_CHECKING:
    from stead.lab.layout import LabHost
    from stead.lab.site import Lab

FAILED, IS_OFF = 1, 2


def main(lab_name: str, told: str) -> int:
    options = dict(line.strip().partition("=")[::2] for line in told.splitlines() if "=" in line)
    try:
        need_root()
        lab = open_lab(lab_name)
        return do(lab, lab.host(options.get("plug", "")), options.get("action", ""))
    except Refused as refused:
        sys.stderr.write("\n".join(one.detail for one in refused.diagnostics) + "\n")
        return FAILED


def do(lab: Lab, host: LabHost, action: str) -> int:
    match action:
        case "off":
            lab.crash(host)
        case "on":
            lab.start([host])
        case "status" | "monitor":
            is_on = lab.leader(host) is not None
            sys.stdout.write(f"Status: {'ON' if is_on else 'OFF'}\n")
            return 0 if is_on or action == "monitor" else IS_OFF
        case _:
            sys.stderr.write(f"{action!r} is no action of a lab: off, on, status, monitor\n")
            return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.stdin.read()))
