"""The directory of a wave: what each host is told, and what it answers. Private, since wants are.

Each host has a file of its steps, and another of the secrets that they refer to, which is gone when it was read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from stead.core.named import NamedTuple
from stead.plan.model import Keep, Step
from stead.runner import Wave

# Files of a wave beside those of its hosts, which all have an ending: a host may be called as these are.
STOP = "stop"  # tells hosts to begin nothing more
KEY = "key"  # that secrets are sealed with, for controllers
SECRETS = ".secrets"  # the ending of a host's
HANDED = ".handed-"  # within a name: what a host is to have of another
VARIABLES = "variables"


def write_work(
    folder: Path, host: str, wave: Wave, steps: Sequence[Mapping[str, Any]], beside: Mapping[str, Any]
) -> None:
    """What a host is to do, with the secrets that it takes."""
    work = {"wave": wave.number, "dead": wave.dead, "steps": steps, **beside}
    if wave.origin is not None:
        work["origin"] = wave.origin._asdict()
    write_private(folder / f"{host}.json", work)
    if secrets := {id_: one for step in steps for id_, one in wave.secrets.get(step["number"], {}).items()}:
        write_private(folder / f"{host}{SECRETS}", secrets)


def remove_secrets(folder: Path) -> None:
    for path in (folder / KEY, *folder.glob(f"*{SECRETS}"), *folder.glob(f"*{HANDED}*")):
        path.unlink(missing_ok=True)


def forget_secrets(runs: Path) -> None:
    """Those of runs that were killed: one that ends by itself leaves none."""
    for path in (found for name in (f"*{SECRETS}", f"*{HANDED}*", KEY) for found in runs.glob(f"*/wave-*/{name}")):
        try:
            os.kill(int(path.parents[1].name.rpartition("-")[2]), 0)
        except ProcessLookupError:
            path.unlink(missing_ok=True)
        except (ValueError, PermissionError):  # no run of the command line's; or one at work
            continue


class PartsHeard(NamedTuple):
    """What hosts said of parts of steps: why each step was not done, empty where it was; and what they told of it."""

    why: Mapping[int, str]
    told: Mapping[tuple[str, int], Mapping[str, str]]  # (host, number of the step)


def parts_heard(folder: Path, lanes: Mapping[str, Sequence[Mapping[str, Any]]], last_words: str) -> PartsHeard:
    why, told = dict[int, str](), dict[tuple[str, int], Mapping[str, str]]()
    for host, mine in lanes.items():
        of = whys(folder, host, f"{host} said nothing: {last_words}", told)
        for step in mine:
            why[step["number"]] = why.get(step["number"]) or of(step["number"])
    return PartsHeard(why, told)


def whys(folder: Path, host: str, silence: str, told: dict[tuple[str, int], Mapping[str, str]]) -> Callable[[int], str]:
    """Why each step was not done, by all that a host answered; empty where it was."""
    known: dict[int, str] = {}
    last = silence
    for at in count():
        if (found := read(folder / f"{host}.result-{at}.json")) is None:
            return lambda number: known.get(number, last)
        last = str(found.get("unreachable") or found.get("msg") or last)
        known.update(
            (one["number"], "" if one["status"] == "ok" else one["error"]) for one in found.get("results") or ()
        )
        told.update(((host, one["number"]), one.get("told") or {}) for one in found.get("results") or ())
    raise AssertionError


def handed(step: Step, wave: Wave) -> dict[str, Any]:
    """With the names of the secrets that it may open: on its host, others' may lie beside them."""
    own = wave.secrets.get(step.number)
    return spoken(step, wave.keeps.get(step.address)) | ({"secrets": [*own]} if own else {})


def spoken(step: Step, keep: Keep | None = None) -> dict[str, Any]:
    """A step as hosts are told it."""
    told = {"record": keep.told()} if keep is not None and step.want is not None else {}
    return told | {
        "action": str(step.action),
        "address": str(step.address),
        "after": list(step.after),
        "digest": step.want.digest if step.want is not None else "",
        "have": step.have.fields() if step.have is not None else None,
        "kind": step.address.kind,
        "number": step.number,
        "to": step.to,
        "uuid": step.uuid,
        "want": step.want.fields() if step.want is not None else None,
    }


def write_private(path: Path, value: object) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file)


def read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
