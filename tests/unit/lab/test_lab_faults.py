"""The list of faults: each has words for people and a script that a shell can read. What they do is in tests/lab."""

from __future__ import annotations

import subprocess
from typing import cast

import pytest

from stead.core.diagnostics import Refused
from stead.lab.faults import BORN, CORRUPT, KILL, WAYS, fault, faults, inside
from stead.lab.site import Lab
from stead.lab.sizes import parse

WRAPS = {"kill": BORN + KILL, "corrupt": CORRUPT, "break": "%s"}
EVERY = [(verb, one) for verb in WRAPS for one in faults(verb).values()]


@pytest.mark.parametrize(("verb", "one"), EVERY, ids=lambda value: getattr(value, "name", value))
def test_a_shell_can_read_it_and_so_can_people(verb: str, one: object) -> None:
    script, text = getattr(one, "script", ""), getattr(one, "text", "")
    for way in WAYS if verb == "corrupt" else [""]:
        whole = WRAPS[verb] % ((script, WAYS[way][1]) if way else script)
        assert subprocess.run(["sh", "-n"], input=whole, text=True, check=False).returncode == 0
    assert text
    assert not text.endswith(".")


def test_an_unknown_fault_is_told_with_those_there_are() -> None:
    with pytest.raises(Refused) as refused:
        fault("kill", "nothing")
    assert "STEAD-B020" in str(refused.value.diagnostics)
    assert "libvirtd" in str(refused.value.diagnostics)


@pytest.mark.parametrize("disk", ["2MiB", "much", 3])
def test_a_disk_that_is_no_size_or_too_small_is_told(disk: object) -> None:
    with pytest.raises(Refused) as refused:
        parse({"hosts": {"compute": {"count": 1, "disk": disk}}}, "lab.yml")
    assert "hosts.compute.disk" in str(refused.value.diagnostics)


class Here:
    """A lab whose every host is this machine."""

    def console_argv(self, _host: str, argv: list[str]) -> list[str]:
        return argv


def test_a_fault_that_ends_half_way_is_told_as_such() -> None:
    lab = cast("Lab", Here())
    with pytest.raises(Refused) as refused:
        inside(lab, "compute-1", "echo one; ls /nowhere", {})
    assert "STEAD-B023" in str(refused.value.diagnostics)
    assert inside(lab, "compute-1", "ls /nowhere", {}) == ""  # nothing there is another mistake, told by the caller
