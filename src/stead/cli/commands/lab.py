"""Run several real hosts on this machine, to try Stead, rehearse a change, or run tests.

stead lab up                        one controller, two compute, one storage, one network host
stead lab up --name big big.yml     sizes from a file (see docs/lab.md)
stead lab ssh compute-1 uptime      `neighbour` is the outside world
stead lab inventory > hosts.yml     for Ansible and Stead
stead lab down                      nothing is left
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stead.cli.common import lab_faults
from stead.core.named import NamedTuple

if TYPE_CHECKING:
    from stead.lab.site import Lab

DEFAULT_NAME = "lab"


class LabCommand(NamedTuple):
    text: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def arguments(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for name, sub in SUBCOMMANDS.items():
        child = subparsers.add_parser(name, help=sub.text, description=sub.text)
        child.add_argument(
            "--name",
            default=os.environ.get("STEAD_LAB"),
            help=f"the lab's name (default: $STEAD_LAB, or the lab file's, or {DEFAULT_NAME})",
        )
        sub.arguments(child)


def run(options: argparse.Namespace) -> int:
    return SUBCOMMANDS[options.subcommand].run(options)


def chosen(name: str | None) -> Lab:
    from stead.lab.commands import need_root
    from stead.lab.lifecycle import open_lab

    need_root()
    return open_lab(name or DEFAULT_NAME)


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def up(options: argparse.Namespace) -> int:
    from stead.core.value import replace
    from stead.lab.lifecycle import bring_up
    from stead.lab.sizes import read_sizes

    start = time.monotonic()
    sizes = read_sizes(options.file)
    if options.base:
        sizes = replace(sizes, base=options.base)
    lab = bring_up(
        sizes,
        options.name or sizes.name or DEFAULT_NAME,
        lambda text: note(f"{time.monotonic() - start:6.1f} s  {text}"),
    )
    note(f"{time.monotonic() - start:6.1f} s  all {len(lab.hosts)} hosts answer; inventory: {lab.inventory}")
    return 0


def down(options: argparse.Namespace) -> int:
    from stead.lab.lifecycle import all_layouts, take_down

    names = [one.name for one in all_layouts()] if options.all else [options.name or DEFAULT_NAME]
    for name in names:
        note(f"lab {name} is gone" if take_down(name) else f"there was nothing of a lab {name}")
    return 0


def status(options: argparse.Namespace) -> int:
    import json

    lab = chosen(options.name)
    states = lab.status()
    if options.json:
        rows = [
            {"name": one.host.name, "address": one.host.address, "roles": one.host.roles, "running": one.running}
            | {"answers": one.answers, "memory": one.memory, "cut": one.cut}
            for one in states
        ]
        print(json.dumps({"name": lab.layout.name, "underlay": lab.layout.underlay, "hosts": rows}, indent=1))
        return 0
    print(f"lab {lab.layout.name}: underlay {lab.layout.underlay}, {lab.layout.base} hosts, inventory {lab.inventory}")
    for one in states:
        word = "up" if one.answers else "silent" if one.running else "off"
        cut = f"  cut: {', '.join(one.cut)}" if one.cut else ""
        roles = ",".join(one.host.roles)
        print(f"  {one.host.name:<16} {word:<7} {one.host.address:<15} {one.memory // 2**20:>6} MiB  {roles}{cut}")
    return 0


def ssh(options: argparse.Namespace) -> int:
    return become(chosen(options.name).ssh_argv(options.host, command(options.argv)))


def console(options: argparse.Namespace) -> int:
    lab = chosen(options.name)
    if options.log:
        return become(["tail", "-n", "+1", *(["-f"] if options.follow else []), str(lab.console_log(options.host))])
    return become(lab.console_argv(options.host, command(options.argv)))


def command(words: list[str]) -> list[str]:
    """The words after the host; a `--` before them only says that they begin."""
    return words[1:] if words[:1] == ["--"] else words


def become(argv: Sequence[str]) -> int:
    return subprocess.run(argv, check=False).returncode


def reboot(options: argparse.Namespace) -> int:
    lab = chosen(options.name)
    lab.reboot([lab.host(name) for name in options.host])
    return 0


def crash(options: argparse.Namespace) -> int:
    lab = chosen(options.name)
    for name in options.host:
        lab.crash(lab.host(name))
    return 0


def cut(options: argparse.Namespace) -> int:
    lab = chosen(options.name)
    lab.cut(lab.host(options.host), options.link)
    return 0


def heal(options: argparse.Namespace) -> int:
    from stead.lab.full import give_back

    lab = chosen(options.name)
    lab.heal(lab.host(options.host), options.link)
    for path in give_back(lab, options.host):
        note(f"{options.host}: {path} has room again")
    return 0


def kill(options: argparse.Namespace) -> int:
    return lab_faults.kill(chosen(options.name), options.host, options.what, options.address)


def fill(options: argparse.Namespace) -> int:
    return lab_faults.fill(chosen(options.name), options.host, options.path, options.leave)


def corrupt(options: argparse.Namespace) -> int:
    return lab_faults.corrupt(chosen(options.name), options.host, options.what, options.address, options.how)


def wreck(options: argparse.Namespace) -> int:
    return lab_faults.wreck(chosen(options.name), options.host, options.what, options.address)


def inventory(options: argparse.Namespace) -> int:
    print(chosen(options.name).inventory.read_text(encoding="utf-8"), end="")
    return 0


def image(options: argparse.Namespace) -> int:
    from stead.lab.image.build import ensure_image

    for kind in [options.kind] if options.kind else ["tiny", "debian", "container"]:
        print(ensure_image(kind, note))
    return 0


def no_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def up_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, help="a lab file: counts and sizes of hosts, zones, pools")
    parser.add_argument("--base", choices=("stocked", "bare"), help="packages of the roles installed, or not")


def down_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="every lab on this machine")


def status_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def host_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", nargs="+", help="host, compute-1 say")


def command_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", help="host, compute-1 say; `ssh` knows `neighbour`, the outside world, too")
    parser.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND", help="run this instead of a shell")


def console_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log", action="store_true", help="print what the host wrote to its console")
    parser.add_argument("-f", "--follow", action="store_true", help="with --log: go on printing")
    command_arguments(parser)


def link_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", help="host, compute-1 say")
    parser.add_argument("--link", default="underlay", help="the physical network or device (default: underlay)")


def image_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", choices=("tiny", "debian", "container"), help="only this one (default: all)")


SUBCOMMANDS: dict[str, LabCommand] = {
    "up": LabCommand("make the lab, or start what is off; return when all hosts answer", up_arguments, up),
    "down": LabCommand("remove the lab with all its files", down_arguments, down),
    "status": LabCommand("hosts, their state, addresses and memory", status_arguments, status),
    "ssh": LabCommand("log in to a host, or run a command on it", command_arguments, ssh),
    "reboot": LabCommand("shut hosts down in order and start them; start those that are off", host_arguments, reboot),
    "crash": LabCommand("cut a host's power; `reboot` switches it on again", host_arguments, crash),
    "cut": LabCommand("pull a host's cable", link_arguments, cut),
    "heal": LabCommand("plug a host's cable in again, and free a disk that was filled", link_arguments, heal),
    "kill": LabCommand(
        "kill -9 a process of a host by name, and prove that it is gone",
        lab_faults.kill_arguments,
        kill,
    ),
    "fill": LabCommand("fill a host's disk; `heal` frees it", lab_faults.fill_arguments, fill),
    "corrupt": LabCommand("damage a file of a host by name", lab_faults.corrupt_arguments, corrupt),
    "break": LabCommand("break something of a host by name", lab_faults.break_arguments, wreck),
    "console": LabCommand(
        "open a shell on a host without network or sshd; or show its console log", console_arguments, console
    ),
    "image": LabCommand("build guest images and print their paths", image_arguments, image),
    "inventory": LabCommand("print the Ansible inventory", no_arguments, inventory),
}
