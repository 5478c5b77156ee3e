"""Breaks one thing of a host by its name, and proves that it did: a fault that found nothing is a mistake.

What there is to break is data (`faults.yml`). Nothing here mends: that is what Stead has to show.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stead.lab.codes import FAULT_FAILED, NO_FAULT, NO_RESOURCE, NOT_FOUND, refuse
from stead.lab.site import Lab

FILE = Path(__file__).with_name("faults.yml")
FOUND = {"kill": "find", "corrupt": "find", "break": "do"}  # which of its words is the script
PATIENCE = 120.0  # seconds; a fault takes a blink, and one that hangs is told
# A process is dead when none of its number and its moment of birth is there, save as what its parent has to bury.
BORN = """
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" && $1 != "X" {print $20}'; }
"""
KILL = """
found() {
%s
}
for pid in $(found | sort -u); do
  since=$(born "$pid"); words=$(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || true
  if [ -n "$since" ] && kill -9 "$pid" 2>/dev/null; then echo "$pid $since $words"; fi
done >/run/lab-killed
while read -r pid since words; do
  while [ "$(born "$pid")" = "$since" ]; do sleep 0.02; done
  echo "$pid $words"
done </run/lab-killed
"""
# How a file is damaged; each keeps its name, and two of them its length.
WAYS = {
    "truncate": ("cut its second half off", 'truncate -s $(($(stat -c %s "$path") / 2)) "$path"'),
    "empty": ("leave nothing of it", ': >"$path"'),
    "garble": (
        "overwrite 512 bytes in its middle with noise",
        'dd if=/dev/urandom of="$path" bs=1 seek=$(($(stat -c %s "$path") / 2)) count=512 conv=notrunc status=none',
    ),
    "zero": (
        "overwrite it with zeros, as a file system may after a power cut",
        'dd if=/dev/zero of="$path" bs=$(stat -c %s "$path") count=1 conv=notrunc status=none',
    ),
    "remove": ("remove it", 'rm "$path"'),
}
CORRUPT = """
found() {
%s
}
found | while read -r path; do %s; echo "$path"; done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabFault:
    name: str
    text: str
    script: str
    of: str | None = None  # the kind of resource that it can be narrowed to


def faults(verb: str) -> Mapping[str, LabFault]:
    import yaml

    tree = yaml.safe_load(FILE.read_text(encoding="utf-8"))[verb]
    return {
        name: LabFault(name=name, text=one["text"], script=one[FOUND[verb]], of=one.get("of"))
        for name, one in tree.items()
    }


def fault(verb: str, name: str) -> LabFault:
    known = faults(verb)
    return known.get(name) or refuse(
        NO_FAULT, f"`stead lab {verb}` knows no {name!r}. It knows {', '.join(known)}; `--list` says what each does."
    )


def kill(lab: Lab, host: str, what: str, of: str | None = None) -> list[str]:
    """Process id and words of each process that was there and is gone."""
    chosen = fault("kill", what)
    return _done(lab, host, chosen, BORN + KILL % chosen.script, of)


def corrupt(lab: Lab, host: str, what: str, of: str | None = None, way: str = "truncate") -> list[str]:
    """The paths that were damaged. `what` may be the absolute path of a file, too."""
    chosen = LabFault(name=what, text=what, script='ls "$FILE"') if what.startswith("/") else fault("corrupt", what)
    return _done(lab, host, chosen, CORRUPT % (chosen.script, WAYS[way][1]), of)


def wreck(lab: Lab, host: str, what: str, of: str | None = None) -> list[str]:
    """`break` is Python's own word."""
    chosen = fault("break", what)
    return _done(lab, host, chosen, chosen.script, of)


def _done(lab: Lab, host: str, chosen: LabFault, script: str, of: str | None) -> list[str]:
    if of is not None and chosen.of is None:
        refuse(NO_FAULT, f"{chosen.name} affects the whole host and takes no address, but {of} was given.")
    settings = {"FILE": chosen.name}
    if of is not None:
        uuid = uuid_of(lab, host, of)
        settings |= {"UUID": uuid, "SHORT": uuid.replace("-", "")[:12]}
    found = inside(lab, host, script, settings).splitlines()
    if not found:
        of_it = f" of {of}" if of else ""
        refuse(NOT_FOUND, f"{host} has no {chosen.name}{of_it}: {chosen.text}. Nothing was broken.")
    return found


def uuid_of(lab: Lab, host: str, address: str) -> str:
    """As the host's own ledger says."""
    look = 'grep -l -F "\\"address\\": \\"$ADDRESS\\"," /var/lib/stead/ledger/*/*.json || true'
    found = inside(lab, host, look, {"ADDRESS": address}).split()
    if not found:
        refuse(
            NO_RESOURCE, f"The ledger of {host} has no {address!r}. `stead show {address}` says which hosts have it."
        )
    return Path(found[0]).stem


def inside(lab: Lab, host: str, script: str, settings: Mapping[str, str]) -> str:
    """What a script printed there. It comes by its input: as an argument, it would find itself by its words."""
    own = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", *(f"{name}={text}" for name, text in settings.items())]
    argv = lab.console_argv(host, ["env", "-i", *own, "sh", "-e", "-s"])
    try:
        done = subprocess.run(argv, input=script, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        refuse(FAULT_FAILED, f"{host}: it did not end within {PATIENCE:.0f} s.")
    if done.returncode != 0 and (done.stdout.strip() or not _nothing(done.stderr)):
        said = (done.stderr.strip() or done.stdout.strip())[-1500:]
        refuse(FAULT_FAILED, f"{host}: {said or f'status {done.returncode}'}")
    return done.stdout


def _nothing(said: str) -> bool:
    """What programs say of what is not there, or nothing at all, as pgrep does."""
    return not said.strip() or any(word in said for word in ("No such file", "cannot access", "Cannot find device"))
