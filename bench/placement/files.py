"""Other people's problems from files: vector bin packing, and Google's ROADEF 2012 machine reassignment."""

from __future__ import annotations

from pathlib import Path

import roadef
import vbp
from report import Report, seconds


def packed(report: Report, folder: Path) -> None:
    report.start(f"vector bin packing, {folder}")
    found = False
    for one in vbp.solve_all(folder):
        found = True
        if isinstance(one, vbp.NotVbpError):
            report.line("not read", str(one), "an instance", met=False)
            continue
        value = f"{one.bins} bins, bound {one.bound}: {one.gap:+.2%}"
        report.line(one.name, value, note=f"{seconds(one.seconds)} CPU")
    if not found:
        report.line("not read", "no file there ends with .vbp", "an instance", met=False)


def reassigned(report: Report, model: Path, assignment: Path) -> None:
    report.start(f"machine reassignment, {model}")
    try:
        one = roadef.solve(model, assignment)
    except roadef.NotRoadefError as error:
        report.line("not read", str(error), "an instance", met=False)
        return
    gap = f"{one.after / one.bound - 1:+.2%}" if one.bound else "no gap to a bound of nothing"
    value = f"cost {one.before} -> {one.after}, bound {one.bound}: {gap}"
    note = f"{one.moves} moves, {seconds(one.seconds)} CPU"
    report.line(one.name, value, "every rule kept", met=one.valid, note=note)
