"""The subcommands of `stead lab` that break one thing of a host by its name: kill, fill, corrupt, break."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stead.lab.site import Lab

SIZE = re.compile(r"(\d+) ?(KiB|MiB|GiB)?")
UNITS = {None: 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def kill(lab: Lab, host: str, what: str, address: str | None) -> int:
    from stead.lab import faults

    for line in faults.kill(lab, host, what, address):
        pid, _, words = line.partition(" ")
        print(f"{host}: process {pid} was killed and is gone: {words}")
    return 0


def corrupt(lab: Lab, host: str, what: str, address: str | None, how: str) -> int:
    from stead.lab import faults

    for path in faults.corrupt(lab, host, what, address, how):
        print(f"{host}: {path}: {how}")
    return 0


def wreck(lab: Lab, host: str, what: str, address: str | None) -> int:
    from stead.lab import faults

    for line in faults.wreck(lab, host, what, address):
        print(f"{host}: {what}: {line}")
    return 0


def fill(lab: Lab, host: str, path: str, leave: int) -> int:
    from stead.lab import full

    left = full.fill(lab, host, path, leave)
    print(f"{host}: {path} has {left} bytes left; `stead lab heal {host}` frees it")
    return 0


def size(text: str) -> int:
    match = SIZE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r}: give a size with its unit, 16MiB say")
    return int(match[1]) * UNITS[match[2]]


class Listing(argparse.Action):
    """`--list`: what there is, instead of doing anything."""

    def __init__(self, option_strings: list[str], dest: str, verb: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="list the valid names, and exit")
        self.verb = verb

    def __call__(self, parser: argparse.ArgumentParser, *_rest: object) -> None:
        from stead.lab.faults import faults

        for one in faults(self.verb).values():
            of = f" [address of {one.of}]" if one.of else ""
            print(f"{one.name:<18} {one.text}{of}")
        parser.exit()


def arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", help="host, compute-1 say")
    parser.add_argument("what", metavar="WHAT", help="its name, as --list says")
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help="only what belongs to this resource")
    parser.add_argument("--list", action=Listing, verb=verb)


def kill_arguments(parser: argparse.ArgumentParser) -> None:
    arguments("kill", parser)


def break_arguments(parser: argparse.ArgumentParser) -> None:
    arguments("break", parser)


def corrupt_arguments(parser: argparse.ArgumentParser) -> None:
    from stead.lab.faults import WAYS

    arguments("corrupt", parser)
    ways = "; ".join(f"{name}: {text}" for name, (text, _script) in WAYS.items())
    parser.add_argument("--how", choices=tuple(WAYS), default="truncate", help=f"{ways} (default: truncate)")


def fill_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", help="host, compute-1 say; it needs `disk:` in the lab file")
    parser.add_argument("path", nargs="?", default="/var/lib/stead", help="default: /var/lib/stead")
    parser.add_argument(
        "--leave",
        type=size,
        default=0,
        metavar="SIZE",
        help="leave this much space free, such as 16MiB (default: none)",
    )
