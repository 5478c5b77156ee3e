"""Show whether a packet gets from one resource to another, hop by hop, and why not.

  stead trace acme/instances/web[0] acme/instances/db --port 5432
  stead trace outside acme/instances/proxy --port 443       by its floating IP
  stead trace acme/instances/web[0] 198.51.100.7 --port udp/53
  stead trace acme/instances/web[0] outside                 a ping
  stead trace acme/instances/web[0] acme/instances/db --planned --port 5432
  stead trace acme/instances/web[0] acme/instances/db --live

It sends nothing: it follows routes, security groups, address translation and MTU as they were last applied, and
the answer back. What a guest does with the packet, and firewalls that Stead does not make, it cannot know.

exit status: 0 it passes; 2 it does not, or `--live` found a difference on the way; 1 errors
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Refused
from stead.core.named import NamedTuple

if TYPE_CHECKING:
    from stead.cli.common.workspace import Workspace
    from stead.core.address import Address
    from stead.core.want import Want
    from stead.tracing.model import Hop, Packet, Trace, Traced
    from stead.tracing.site import WiredSite

NOT_AN_END = Code("STEAD-C130", "a packet cannot be followed from or to this")
OUTSIDE = "outside"
SOMEBODY = {4: "192.0.2.1", 6: "100::1"}  # nobody has these (RFC 5737, RFC 6666)
FOUND = 2
SHOWN = 3  # members that are named
SERVICES = ("tcp", "udp", "sctp")


class TracedService(NamedTuple):
    """What is asked for, and by which version of IP where there are two."""

    protocol: str
    port: int
    version: int


Wants = Mapping["Address", Mapping[str, "Want"]]


def arguments(parser: argparse.ArgumentParser) -> None:
    ends = "an address of a resource, an IP address, or `outside`"
    parser.add_argument("source", metavar="FROM", help=ends)
    parser.add_argument("target", metavar="TO", help=ends)
    parser.add_argument(
        "--port", type=service, default=("icmp", 0), metavar="PORT", help="80, udp/53 (default: a ping)"
    )
    parser.add_argument("--ipv6", action="store_true", help="to its IPv6 address (default: IPv4, where it has one)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--planned", action="store_true", help="as it will be after the next apply")
    what.add_argument("--live", action="store_true", help="also ask the hosts for differences on the way")
    shared.inputs(parser)
    shared.output(parser)


def service(text: str) -> tuple[str, int]:
    protocol, _, port = text.rpartition("/")
    if protocol not in ("", *SERVICES) or not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: write 80, tcp/80, udp/53 or sctp/9")
    return protocol or SERVICES[0], int(port)


def run(options: argparse.Namespace) -> int:
    from stead.kinds import kinds
    from stead.tracing.following import everybody, trace
    from stead.tracing.site import WiredSite

    workspace = shared.workspace_of(options)
    wants = planned(workspace) if options.planned else recorded(workspace)
    site = WiredSite(wants, kinds())
    source, target = (end(text, wants, site) for text in (options.source, options.target))
    protocol, port = options.port
    packet = addressed(source, target, TracedService(protocol, port, 6 if options.ipv6 else 4), site)
    sender = _resource(source)
    meant = _resource(target) or (site.owner_of(packet.target, sender.project) if sender is not None else None)
    verdict = trace(site, sender, packet, meant)
    differences = list(differing(workspace, set(everybody(verdict)))) if options.live else []
    if options.json:
        print(json.dumps(data(verdict, differences), indent=1))
    elif not options.quiet:
        print("\n".join(text(verdict, differences, verbose=options.verbose)))
    return FOUND if verdict.refused or differences else 0


def recorded(workspace: Workspace) -> Wants:
    from stead.cli.common.workspace import open_state

    return {address: one.wants for address, one in open_state(workspace).recorded().resources.items()}


def planned(workspace: Workspace) -> Wants:
    from stead.cli.common.planning import make
    from stead.cli.common.request import NOTHING_ASKED

    return {one.address: one.wants for one in make(workspace, NOTHING_ASKED).blueprint.resources.values()}


def end(text: str, wants: Wants, site: WiredSite) -> Address | str:
    """A resource with an address, or an address outside; empty for anybody there."""
    from stead.cli.common.selection import chosen

    if text == OUTSIDE:
        return ""
    if _is_ip(text):
        return str(ip_address(text))
    found = chosen(wants, [text])
    if len(found) > 1:
        names = ", ".join([*map(str, found[:SHOWN]), *(["…"] if len(found) > SHOWN else [])])
        raise Refused(NOT_AN_END.at(None, f"{text} has {len(found)} members: name one of {names}.", address=text))
    if not site.addresses_of(found[0]):
        why = "has no address in a network: name an instance, a load balancer, a floating IP or a router"
        raise Refused(NOT_AN_END.at(None, f"{found[0]} {why}.", address=text))
    return found[0]


def _resource(one: Address | str) -> Address | None:
    return None if isinstance(one, str) else one


def _is_ip(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def addressed(source: Address | str, target: Address | str, asked: TracedService, site: WiredSite) -> Packet:
    """The packet as it is sent. Who has an interface chooses its address by it."""
    from stead.core.wiring import version
    from stead.tracing.model import Packet
    from stead.tracing.site import in_any

    protocol, port, wished = asked
    if isinstance(target, str):
        to = target or SOMEBODY[wished]
    else:
        near = [cidr for one in site.plugs.get(source, ()) for cidr in one.wiring.nets] if source in site.plugs else []
        known = [*_outside(target, site)] if isinstance(source, str) else []
        known += sorted(site.addresses_of(target), key=lambda one: not in_any(one, near))
        to = min(known, key=lambda one: version(one) != wished)
    protocol = "icmpv6" if protocol == "icmp" and version(to) == 6 else protocol
    if not isinstance(source, str):
        if source not in site.plugs:
            text = f"{source} sends no packets of its own: name an instance or a load balancer."
            raise Refused(NOT_AN_END.at(None, text, address=str(source)))
        return Packet("", to, protocol, port)
    if source and version(source) != version(to):
        text = f"{source} is an IPv{version(source)} address, and {to} an IPv{version(to)} address. See `--ipv6`."
        raise Refused(NOT_AN_END.at(None, text))
    return Packet(source or SOMEBODY[version(to)], to, protocol, port)


def _outside(target: Address, site: WiredSite) -> Iterator[str]:
    """Its addresses for those who are outside."""
    own = site.addresses_of(target)
    yield from (one.wiring.outside for one in site.translations if one.wiring.inside in own)


def differing(workspace: Workspace, met: set[Address]) -> Iterator[tuple[str, str, str]]:
    """Address, host, and what is otherwise there than was last applied."""
    from stead.cli.commands.drift import facts
    from stead.diff.drift import drift
    from stead.diff.identity import by_uuid
    from stead.kinds import kinds

    _, record, seen = facts(workspace)
    observed, _ = by_uuid(record, seen)
    found = drift(record, observed, kinds=kinds())
    for change in found.changes:
        if change.address in met:
            fields = ", ".join(one.field for one in change.changes) or str(change.action)
            yield str(change.address), change.host, fields
    for note in found.notes:
        yield note.address, note.host, note.text


def text(verdict: Traced, differences: Iterable[tuple[str, str, str]], *, verbose: bool) -> list[str]:
    """The answer's way is told where it ends too early."""
    lines = _hops(verdict.there.hops)
    if verdict.back is not None and (verbose or verdict.back.refused):
        lines += ["", "The answer:", *_hops(verdict.back.hops)]
    if differences:
        lines += ["", "differences on the way:", *("  " + "  ".join(filter(None, one)) for one in differences)]
    return [*lines, "", conclusion(verdict)]


def _hops(hops: Iterable[Hop]) -> list[str]:
    from stead.plan.render.values import safe

    lines = []
    for number, hop in enumerate(hops, 1):
        where = f" on {' or '.join(hop.hosts)}" if hop.hosts else ""
        lines.append(f"{number:>3}  {hop.address or OUTSIDE}{where}  {flow(hop.packet)}")
        lines += [f"       {safe(one)}" for one in hop.says]
    return lines


def flow(packet: Packet) -> str:
    return f"{packet.source} > {packet.target} {packet.service}" if packet.source else f"to {packet.target}"


def conclusion(verdict: Traced) -> str:
    if verdict.refused:
        return f"It does not pass: {verdict.refused}."
    mtu = min(filter(None, (verdict.there.mtu, verdict.back.mtu if verdict.back else 0)), default=0)
    return f"It passes, in packets of up to {mtu} bytes." if mtu else "It passes."


def data(verdict: Traced, differences: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        "passes": not verdict.refused,
        "why": verdict.refused,
        "there": _trace(verdict.there),
        "back": _trace(verdict.back) if verdict.back is not None else None,
        "differences": [dict(zip(("address", "host", "what"), one, strict=True)) for one in differences],
    }


def _trace(one: Trace) -> dict[str, Any]:
    hops = [
        {
            "address": str(hop.address or OUTSIDE),
            "hosts": list(hop.hosts),
            **hop.packet._asdict(),
            "says": list(hop.says),
        }
        for hop in one.hops
    ]
    return {"hops": hops, "mtu": one.mtu, "refused": one.refused}
