"""What a load balancer can listen at, and who can answer behind it. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.kind import PinnedAddress, Reach
from stead.drivers.network import LOAD_BALANCERS, LOAD_BALANCERS_HA
from stead.kinds.load_balancer.backends import BackendInstance, meant
from stead.kinds.load_balancer.model import Backend, Listener, LoadBalancer
from stead.kinds.load_balancer.needs import slots
from stead.kinds.shared.interfaces import NOT_SHARED, TWO_OF_FAMILY
from stead.kinds.shared.network_drivers import cannot
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import network_block, pinned
from stead.language.desired import Block, Desired

NO_LISTENER = Code("STEAD-N080", "the load balancer listens nowhere")
PORT_TWICE = Code("STEAD-N081", "two listeners have the same port")
CERTIFICATE = Code("STEAD-N082", "a certificate belongs to `https`, and `https` needs one")
NOT_HTTP = Code("STEAD-N083", "only requests of HTTP have this")
WHO = Code("STEAD-N084", "a member of a listener is one of three things")
NOT_REACHED = Code("STEAD-N085", "the load balancer's network does not lead to the instance")
NOBODY = Code("STEAD-N086", "no instance has these labels", Severity.WARNING)
TWICE = Code("STEAD-N087", "a listener has the same member twice")
NO_SUBNET = Code("STEAD-N088", "the network has no address for a load balancer")
ONE_FOR_MANY = Code("STEAD-N089", "several load balancers cannot share an address")
LONGEST = 20 * 86_400  # seconds: HAProxy counts up to 24 days
TIMER = Code("STEAD-N092", "a time of a listener is none that can be waited for")
NO_BACKEND = Code("STEAD-N090", "nobody else has this address")
# Of all listeners: a host has room for them, and HAProxy a file for each side of each.
MOST_CONNECTIONS = 100_000
TOO_MANY = Code("STEAD-N093", "a load balancer has too many connections")

WHOM = ("instance", "labels", "address")


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: LoadBalancer = block.model
    yield from _network(block, desired)
    if not model.listeners:
        text = "`listeners` is empty. Add one with a port and members: {web: {port: 80, members: [web]}}."
        yield NO_LISTENER.at(block.place("listeners"), text)
    connections = sum(one.max_connections for one in model.listeners.values())
    if connections > MOST_CONNECTIONS:
        text = (
            f"Its listeners have {connections} together, and a load balancer has {MOST_CONNECTIONS} at most: others "
            "are on its hosts too. Lower some `max_connections`, or use another load balancer."
        )
        yield TOO_MANY.at(block.place("listeners"), text)
    first: dict[int, str] = {}
    for name, listener in model.listeners.items():
        before = first.setdefault(listener.port, name)
        if before != name:
            text = f"Listener {before!r} has port {listener.port} already. Choose another port for {name!r}."
            yield PORT_TWICE.at(block.place(f"listeners.{name}.port"), text)
        yield from _listener(block, f"listeners.{name}", listener)
        yield from _times(block, f"listeners.{name}", listener)
        yield from _members(block, f"listeners.{name}", listener, desired)


def _network(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    model: LoadBalancer = block.model
    network = network_block(model.network, desired)
    if network is None:
        return
    place = block.place("network")
    if not network.project and not network.model.shared:
        text = (
            f"{model.network} is the site's and not shared. Set `shared: true` on it, or use a network of the project."
        )
        yield NOT_SHARED.at(place, text)
    features = [LOAD_BALANCERS, *([LOAD_BALANCERS_HA] if model.ha is True else ())]
    yield from cannot(network.model, features, place)
    if not slots(block, desired):
        text = f"{model.network} has no subnet. Give it one, or choose another network."
        yield NO_SUBNET.at(place, text)
    yield from _address(block)


def _address(block: Block) -> Iterator[Diagnostic]:
    model: LoadBalancer = block.model
    asked, place = as_tuple(model.address), block.place("address")
    if asked and len(block.members) > 1:
        text = f"{len(block.members)} load balancers would all be {asked[0]}. Leave it out, and each gets its own."
        yield ONE_FOR_MANY.at(place, text)
    if len({":" in one for one in asked}) < len(asked):
        yield TWO_OF_FAMILY.at(place, "Clients know one address of each family. Remove the others.")


def _listener(block: Block, path: str, one: Listener) -> Iterator[Diagnostic]:
    if one.protocol == "https" and one.certificate is None:
        text = "It ends TLS, so it needs `certificate`: the private key and the certificate, as PEM."
        yield CERTIFICATE.at(block.place(f"{path}.protocol"), text)
    if one.protocol != "https" and one.certificate is not None:
        text = f"Protocol {one.protocol} has no use for it. Set `protocol: https`, or remove it."
        yield CERTIFICATE.at(block.place(f"{path}.certificate"), text)
    if one.protocol == "tcp" and one.sticky is not None and one.sticky.by == "cookie":
        text = "With `protocol: tcp` bytes are passed on unread. Use `sticky: source`, or `http` or `https`."
        yield NOT_HTTP.at(block.place(f"{path}.sticky"), text)


def _times(block: Block, path: str, one: Listener) -> Iterator[Diagnostic]:
    times = {f"timeouts.{name}": getattr(one.timeouts, name) for name in ("connect", "client", "server")}
    if one.sticky is not None:
        times["sticky.lasts"] = one.sticky.lasts
    for name, seconds in times.items():
        if not 1 <= seconds <= LONGEST:
            yield TIMER.at(block.place(f"{path}.{name}"), "Choose a time from 1s to 20d.")


def _members(block: Block, path: str, one: Listener, desired: Desired) -> Iterator[Diagnostic]:
    first: set[tuple[str, int]] = set()
    for at, backend in enumerate(one.members):
        place = block.place(f"{path}.members.{at}")
        yield from _who(block, f"{path}.members.{at}", backend)
        found = list(meant(backend, block, desired))
        for reached in found:
            yield from _reached(block, f"{path}.members.{at}", reached)
        if backend.labels and not found:
            labels = ", ".join(f"{name}={text}" for name, text in backend.labels.items())
            yield NOBODY.at(place, f"No instance of {block.project} has {labels}. It answers once one has.")
        port = backend.port or one.port
        names = [str(reached.instance) for reached in found] + ([backend.address] if backend.address else [])
        again = sorted({name for name in names if (name, port) in first})
        if again:
            text = f"Port {port} of {again[0]} is a member already. Remove one of the two, or choose another port."
            yield TWICE.at(place, text)
        first |= {(name, port) for name in names}


def _who(block: Block, path: str, backend: Backend) -> Iterator[Diagnostic]:
    given = [name for name in WHOM if getattr(backend, name)]
    if len(given) != 1:
        said = " and ".join(f"`{name}`" for name in given) or "none of them"
        text = f"It has {said}. Write one: `instance`, `labels` or `address`."
        yield WHO.at(block.place(path), text)
    if backend.address is not None:
        known = ip_address(backend.address)
        known = getattr(known, "ipv4_mapped", None) or known
        if known.is_loopback or known.is_link_local or known.is_multicast or known.is_unspecified:
            text = f"{backend.address} would be the load balancer itself, or many. Name the address of a server."
            yield NO_BACKEND.at(block.place(f"{path}.address"), text)


def _reached(block: Block, path: str, reached: BackendInstance) -> Iterator[Diagnostic]:
    if not reached.lease:
        network = block.model.network
        text = (
            f"{reached.instance} has no interface in {network}, nor in a network that the router at its gateway joins "
            "with it. Add one, or use a load balancer in the instance's network."
        )
        yield NOT_REACHED.at(block.place(path), text)


def reaches(block: Block, _desired: Desired) -> Iterator[Reach]:
    model: LoadBalancer = block.model
    yield from pinned(model.network, as_tuple(model.address), block, "address")


def pins(block: Block) -> Iterator[PinnedAddress]:
    model: LoadBalancer = block.model
    for address in as_tuple(model.address):
        yield PinnedAddress(model.network, address, "address")
