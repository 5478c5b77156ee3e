"""What the fence agents of hosts said when they were tried. Pure: their answers in, diagnostics out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.runner.fencing import AGENT_FAILED, FenceAnswer, Power

OTHER_MACHINE = Code("STEAD-H037", "the fence agent says off, and the host answers")
HANGS = Code("STEAD-H038", "the host does not answer, and its fence agent says that it is on", Severity.WARNING)


def diagnosed(said: Mapping[str, FenceAnswer], answering: Collection[str]) -> Iterator[Diagnostic]:
    for host, (agent, power, why) in sorted(said.items()):
        if power is None:
            text = f"{agent}: {why}. It could not cut the power of {host}. Correct stead_fence in the inventory."
            yield AGENT_FAILED.at(None, text, address=host)
        elif power is Power.OFF and host in answering:
            text = (
                f"{agent} would switch off another machine than {host}. Correct the option that names the machine "
                "(plug, port, ip) in stead_fence."
            )
            yield OTHER_MACHINE.at(None, text, address=host)
        elif power is Power.ON and host not in answering:
            text = (
                f"Its network is down, or it hangs; its guests may still run. `stead fence {host}` cuts its power, "
                f"and `stead evacuate {host}` also starts elsewhere what it ran."
            )
            yield HANGS.at(None, text, address=host)
