"""Log in to an instance with SSH, or run a command there.

  stead ssh acme/instances/web
  stead ssh 'acme/instances/web[0]' --user debian -- uptime

The user is the `user:` of the image, if the spec has one.

An instance with a floating IP, or in a network of the site's machines, is reached directly. Others are reached
through the host of their network. Keys of instances are kept in .stead/known_hosts, by UUID.

exit status: that of ssh; 1 when there is no such instance
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from stead.cli.commands.hosts import real_inventory
from stead.cli.commands.show import named
from stead.cli.common import options as shared
from stead.cli.common.workspace import Workspace, open_state, read_spec
from stead.core.address import Address, parse
from stead.core.diagnostics import Code, Refused
from stead.core.named import NamedTuple
from stead.kinds import kinds
from stead.site.members import InventoryMember, members

RUNS_A_COMMAND = True  # after `--`
UNREACHED = Code("STEAD-C079", "the instance cannot be reached by SSH")
KNOWN = "known_hosts"  # in .stead: an address may be another instance's tomorrow, a UUID is not


class Reached(NamedTuple):
    address: str
    options: Sequence[str]  # of ssh and scp


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="an instance")
    way(parser)


def run(options: argparse.Namespace) -> int:
    workspace = shared.workspace_of(options)
    found = reach(workspace, options.address, user=options.user, key=options.key, more=options.option)
    become(["ssh", *found.options, "--", found.address, *options.after])


def way(parser: argparse.ArgumentParser) -> None:
    """The options of all who reach an instance."""
    parser.add_argument(
        "-l", "--user", metavar="NAME", default="", help="user (default: that of its image, else ssh's own)"
    )
    parser.add_argument("-k", "--key", metavar="FILE", default="", help="private key")
    parser.add_argument(
        "-O", "--option", action="append", default=[], metavar="NAME=VALUE", help="option of ssh; may be repeated"
    )
    shared.inputs(parser)


def reach(workspace: Workspace, text: str, *, user: str, key: str, more: Sequence[str]) -> Reached:
    found = _member(workspace, text)
    chosen = [f"HostKeyAlias={found.facts['uuid']}", "HashKnownHosts=no", "StrictHostKeyChecking=accept-new"]
    chosen += ["ConnectTimeout=15", f'UserKnownHostsFile="{(workspace.directory / KNOWN).absolute()}"']
    chosen += [f"ProxyCommand={found.way}"] if found.way else []
    login = user or _login(workspace, found.facts["address"])
    chosen += [f"User={login}"] if login else []
    words = [word for one in (*more, *chosen) for word in ("-o", one)]  # the first of a name counts
    return Reached(found.address, [*words, *(["-i", key] if key else [])])


def _login(workspace: Workspace, address: str) -> str:
    """As the spec says of what the instance is made from. Without a spec that can be read, ssh knows one."""
    with suppress(Refused):
        desired = read_spec(workspace)[0]
        block = desired.by_address.get(parse(address) or Address("", "", ""))
        made_from = [desired.by_address[ref].model for ref in block.refs if ref in desired.by_address] if block else []
        return next((login for one in made_from if (login := getattr(one, "user", None))), "")
    return ""


def _member(workspace: Workspace, text: str) -> InventoryMember:
    resources = open_state(workspace).recorded().resources
    record, *others = named(text, resources)
    if others:
        count = 1 + len(others)
        raise Refused(UNREACHED.at(None, f"{text} has {count} members. Name one of them, such as {record.address}."))
    if not kinds()[record.address.kind].guest:
        raise Refused(UNREACHED.at(None, f"{record.address} is not an instance."))
    inventory = real_inventory(workspace)
    found = next((one for one in members(resources, inventory) if one.facts["address"] == str(record.address)), None)
    if found is None or not found.address:
        raise Refused(UNREACHED.at(None, f"{record.address} has no address. `stead console {text}` needs none."))
    if found.isolated and not found.way:
        told = "Its network is isolated, and the inventory does not have the host of that network."
        raise Refused(UNREACHED.at(None, f"{record.address}: {told}"))
    return found


def is_instance(text: str) -> bool:
    address = parse(text)
    return address is not None and address.kind in kinds() and kinds()[address.kind].guest


def become(words: list[str]) -> NoReturn:
    """The terminal is ssh's from here on."""
    try:
        os.execvp(words[0], words)  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        raise Refused(UNREACHED.at(None, f"{words[0]}: {error.strerror}.")) from error
