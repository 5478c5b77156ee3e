"""Options that several commands share, declared once so that they mean the same everywhere; and what was said by them,
as values. A parsed command line goes no further than from a command's `run` to here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stead.cli.common.request import ApplyRequest, PlanningRequest, Printing
from stead.core.effect import Disruption
from stead.core.value import fields_of

if TYPE_CHECKING:
    from stead.cli.common.workspace import Workspace

DISRUPTIONS = [str(one) for one in Disruption]


def number(least: int, most: int = 1_000_000) -> Callable[[str], int]:
    """How argparse reads a whole number within bounds."""

    def whole_number(text: str) -> int:
        if not (text.isdigit() and text.isascii() and len(text) <= len(str(most)) and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most:,}")
        return int(text)

    return whole_number


def inputs(parser: argparse.ArgumentParser) -> None:
    """What a plan is made from."""
    group = parser.add_argument_group("inputs")
    group.add_argument(
        "-s", "--spec", action="append", metavar="PATH", help="spec file or directory; may be repeated (default: .)"
    )
    group.add_argument(
        "-e", "--extra", action="append", default=[], metavar="NAME=VALUE", help="value of a variable; may be repeated"
    )
    group.add_argument(
        "--var-file", action="append", default=[], metavar="FILE", help="file of variables; later ones win"
    )
    vault(group)
    hosts(group)
    store(group)


Group = argparse._ArgumentGroup | argparse.ArgumentParser  # noqa: SLF001 - argparse has no public name for it


def hosts(group: Group) -> None:
    inventory(group)
    group.add_argument("--simulated", action="store_true", help="simulate the hosts of the inventory")


def vault(group: Group) -> None:
    group.add_argument(
        "--vault-password-file",
        action="append",
        default=[],
        metavar="FILE",
        help="password of `!vault` values (default: $ANSIBLE_VAULT_PASSWORD_FILE)",
    )


def inventory(group: Group) -> None:
    group.add_argument(
        "-i",
        "--inventory",
        action="append",
        metavar="PATH",
        help="Ansible inventory; may be repeated (default: inventory.yml, inventory.ini or inventory/ beside the spec)",
    )


def store(group: Group) -> None:
    group.add_argument(
        "--store",
        metavar="URL",
        help="file, or postgresql://… (default: $STEAD_STORE, or .stead/state.db beside the spec)",
    )


def selection(parser: argparse.ArgumentParser) -> None:
    """Which part of a plan to take."""
    group = parser.add_argument_group("selection")
    group.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="only this resource and what it needs; may be repeated",
    )
    group.add_argument(
        "--exclude", action="append", default=[], metavar="ADDRESS", help="all but this resource and what needs it"
    )
    group.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="only resources with this label, and what they need",
    )
    group.add_argument(
        "--project", action="append", default=[], metavar="NAME", help="only this project, and what it needs"
    )


def replacing(parser: argparse.ArgumentParser) -> None:
    """What to do beyond the spec. Not of what only destroys."""
    parser.add_argument(
        "--replace",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="replace this resource: destroy it and create it again",
    )
    parser.add_argument(
        "--rebuild",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="give an instance a new root disk; its name, addresses and volumes stay",
    )


def dead(parser: argparse.ArgumentParser) -> None:
    """A person's word, by name: the only proof there is of a host that does not answer."""
    parser.add_argument(
        "--confirm-dead",
        action="append",
        default=[],
        metavar="HOST",
        help="this host is off: start elsewhere what it ran; may be repeated. Valid until the host answers",
    )


def acting(parser: argparse.ArgumentParser) -> None:
    """Of commands in a pipeline, which has more rights than whoever made the change."""
    parser.add_argument(
        "--as",
        dest="acting",
        metavar="USER",
        help="refuse what this user may not change: a member changes files of the project, and an admin all files",
    )


def limit(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--max-disruption",
        choices=DISRUPTIONS,
        default=default,
        help="refuse a plan with a step that disturbs more than this" + (f" (default: {default})" if default else ""),
    )


def applying(parser: argparse.ArgumentParser) -> None:
    """How a plan is carried out, for every command that does."""
    parser.add_argument("--auto-approve", action="store_true", help="do not ask")
    parser.add_argument(
        "--parallel", type=number(0), default=0, metavar="N", help="hosts at once (default: the runner's)"
    )
    parser.add_argument("--reason", default="", help="the reason, for the history")
    limit(parser, None)


def output(parser: argparse.ArgumentParser, *, formats: tuple[str, ...] = ()) -> None:
    group = parser.add_argument_group("output")
    if formats:
        group.add_argument("--format", choices=formats, help=f"how to print it (default: {formats[0]})")
    group.add_argument("--json", action="store_true", help="print JSON, for programs")
    volume = group.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="print only errors")
    volume.add_argument("-v", "--verbose", action="store_true", help="print everything without limits")


def exitcode(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--detailed-exitcode",
        "-detailed-exitcode",
        action="store_true",
        help=f"exit 0 when there is nothing to do, 2 when {what}, 1 on errors",
    )


def workspace_of(options: argparse.Namespace) -> Workspace:
    """Where everything is, by `inputs` or some of them."""
    from stead.cli.common.workspace import find

    return find(
        specs=getattr(options, "spec", None) or (),
        inventories=options.inventory or (),
        extra=getattr(options, "extra", ()),
        var_files=getattr(options, "var_file", ()),
        vault_files=getattr(options, "vault_password_file", ()),
        store=getattr(options, "store", None) or "",
        simulated=getattr(options, "simulated", False),
    )


def printing_of(options: argparse.Namespace) -> Printing:
    return Printing(
        form="json" if options.json else getattr(options, "format", None) or "text",
        quiet=options.quiet,
        verbose=options.verbose,
        title=getattr(options, "title", "Plan"),
    )


def planning_of(options: argparse.Namespace, *, destroy: bool = False) -> PlanningRequest:
    """By `selection`, `replacing` and `dead`, as far as the command has them. Order and repetition say nothing."""
    lists = [name for name, one in fields_of(PlanningRequest).items() if one.default == ()]
    given: dict[str, Any] = {name: tuple(sorted(set(getattr(options, name, ())))) for name in lists}
    return PlanningRequest(
        **given,
        refresh_only=getattr(options, "refresh_only", False),
        destroy=destroy,
    )


def limit_of(options: argparse.Namespace) -> Disruption | None:
    return Disruption(options.max_disruption) if options.max_disruption else None


def applying_of(options: argparse.Namespace) -> ApplyRequest:
    return ApplyRequest(
        workspace=workspace_of(options),
        printing=printing_of(options),
        auto_approve=options.auto_approve,
        parallel=options.parallel,
        reason=options.reason,
        most=limit_of(options),
        acting=getattr(options, "acting", None) or "",
    )
