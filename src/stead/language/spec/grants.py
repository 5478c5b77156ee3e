"""What a site grants a project whose files its people do not own: typed, documented, and nothing unless it is said.

A project file may say what stays within its project. Whatever reaches beyond is a field here; `allows` compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from typing import Annotated, Any

from stead.core.fields import INVENTORY, Cidr, Duration, Example, Ip, Mac, Name, Text, Whole
from stead.core.value import field, value
from stead.language.spec.sources import within

NUMBERS = Text(pattern=r"[0-9]{1,8}(-[0-9]{1,8})?", what="a number or first-last, such as 20000-20099")
SOURCE = Text(
    pattern=r"(/|https?://[A-Za-z0-9.\[\]:-]+/)[!-~]*",
    what="an absolute folder such as /srv/images/, or a URL such as https://cloud.debian.org/images/",
    longest=4096,
)


@value
class PhysicalNetworkGrant:
    """What it may make of a physical network."""

    flat: Annotated[bool, "A network that is the physical one as it is"] = False
    vlans: Annotated[
        tuple[Annotated[str, NUMBERS], ...], "VLAN ids that it may ask for, or be given", Example(["200-299"])
    ] = ()


@value
class Grants:
    """What a project file may do beyond its project. What is left out is refused."""

    hooks: Annotated[
        tuple[Annotated[str, Name()], ...], "Hooks of `site.hooks` that it may have run", Example(["notify"])
    ] = ()
    image_sources: Annotated[
        tuple[Annotated[str, SOURCE], ...],
        "Folders and URL prefixes that its images may come from, beside `site.image_sources`",
        Example(["https://images.acme.example/"]),
    ] = ()
    unchecked_images: Annotated[
        bool, "Images from a URL without a checksum, where `site.unchecked_images` is set too"
    ] = False
    physical_networks: Annotated[
        Mapping[Annotated[str, Name()], PhysicalNetworkGrant],
        "Physical networks that it may make flat and VLAN networks of",
        Example({"lab": {"vlans": ["200-299"]}}),
    ] = field(default_factory=dict)
    vnis: Annotated[
        tuple[Annotated[str, NUMBERS], ...], "Tunnel ids that it may ask for", Example(["20000-20099"])
    ] = ()
    addresses: Annotated[
        Mapping[Annotated[str, Name()], tuple[Annotated[str, Ip()] | Annotated[str, Cidr()], ...]],
        "Addresses that it may pin, by network of the site's",
        Example({"public": ["203.0.113.20"]}),
    ] = field(default_factory=dict)
    allowed_addresses: Annotated[
        tuple[Annotated[str, Ip()] | Annotated[str, Cidr()], ...],
        "Addresses that its interfaces may use beside their own, where they are not of its own networks",
        Example(["10.99.0.0/24"]),
    ] = ()
    macs: Annotated[tuple[Annotated[str, Mac()], ...], "MAC addresses that it may use in networks of the site's"] = ()
    port_security_off: Annotated[bool, "Interfaces and networks without port security"] = False
    gateways: Annotated[
        tuple[Annotated[str, Name()], ...], "Networks of the site's whose gateway its routers may be", Example(["lab"])
    ] = ()
    uplink: Annotated[bool, "Routers that lead out behind the address of their host (`uplink: host`)"] = False
    host_ports: Annotated[
        tuple[Annotated[str, NUMBERS], ...],
        "Ports of a host's own address that its routers may forward, TCP and UDP",
        Example(["8000-8099"]),
    ] = ()
    reach: Annotated[
        tuple[Annotated[str, Cidr(4)], ...],
        "Private addresses outside that its routers with `uplink: host` may lead to",
        Example(["192.168.1.0/24"]),
    ] = ()
    snat_off: Annotated[bool, "Routers that let inner addresses out as they are (`snat: false`)"] = False
    names: Annotated[
        tuple[Annotated[str, Name()], ...],
        "Names that programs look for by themselves, and that it may have in the DNS of the site's networks",
        Example(["proxy"]),
    ] = ()
    hosts: Annotated[
        tuple[Annotated[str, INVENTORY], ...], "Hosts that it may ask for (`host`)", Example(["compute-3"])
    ] = ()
    devices: Annotated[
        tuple[Annotated[str, INVENTORY], ...],
        "Devices that its own flavors may have; huge pages are devices such as hugepages:2MiB",
        Example(["gpu-a100"]),
    ] = ()
    pools: Annotated[
        tuple[Annotated[str, INVENTORY], ...], "Storage pools that it may name, beside `default`", Example(["fast"])
    ] = ()
    reserve: Annotated[
        tuple[Annotated[str, INVENTORY], ...], "What its own flavors may reserve of hosts", Example(["iops:fast"])
    ] = ()
    longest_wait: Annotated[
        int, Duration(), "How long steps and batches of its own may let an apply wait, beyond 15m", Example("1h")
    ] = 0
    priority: Annotated[
        int,
        Whole(least=0, most=1000),
        "The highest `priority` of its instances: those of others may wait for them when a host dies",
        Example(100),
    ] = 0
    migration: Annotated[
        bool, "Limits for the moves of its instances (`migration`): with them, a host may take longer to be emptied"
    ] = False
    vault_ids: Annotated[
        tuple[Annotated[str, Name()], ...],
        "Vault ids whose passwords open its `!vault` values, given as --vault-password-file ID@FILE",
        Example(["acme"]),
    ] = ()
    public_buckets: Annotated[bool, "Buckets that everybody may read (`public`)"] = False
    adopt: Annotated[bool, "Existing domains and files of hosts (`domain`, `file`): they may be anybody's"] = False
    forget: Annotated[bool, "`forget`: what it lets go stays on the hosts and counts in no quota"] = False


NOTHING = Grants()
PATIENCE = 900  # seconds that a project file may let others wait without a grant


def allows(grants: Grants, name: str, asked: Any) -> bool:
    test = _TESTS.get(name)
    given = getattr(grants, name)
    if test is not None:
        return test(given, asked)
    return given if isinstance(given, bool) else asked in given


def _numbered(given: Iterable[str], asked: int | str) -> bool:
    for one in given:
        first, _, last = one.partition("-")
        if int(first) <= int(asked) <= int(last or first):
            return True
    return False


def _addressed(given: Iterable[str], asked: str) -> bool:
    wanted = ip_network(asked)
    return any(wanted.version == one.version and wanted.subnet_of(one) for one in map(ip_network, given))  # type: ignore[arg-type]


def _wired(given: Mapping[str, PhysicalNetworkGrant], asked: tuple[str, str, int | None]) -> bool:
    name, type_, number = asked
    if name not in given:
        return False
    one = given[name]
    if type_ == "flat":
        return one.flat
    return bool(one.vlans) if number is None else _numbered(one.vlans, number)


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "image_sources": lambda given, asked: any(within(asked, one) for one in given),
    "physical_networks": _wired,
    "vnis": _numbered,
    "addresses": lambda given, asked: _addressed(given.get(asked[0], ()), asked[1]),
    "allowed_addresses": _addressed,
    "host_ports": _numbered,
    "reach": _addressed,
    "longest_wait": lambda given, asked: asked <= max(given, PATIENCE),
    "priority": lambda given, asked: asked <= given,
}


def suggested(name: str, asked: Any) -> str:
    """What the site would write to grant it."""
    match name:
        case "physical_networks":
            wire, type_, number = asked
            return (
                f"physical_networks: {{{wire}: {{{'flat: true' if type_ == 'flat' else f'vlans: [{number or 1}]'}}}}}"
            )
        case "addresses":
            return f"addresses: {{{asked[0]}: ['{asked[1]}']}}"
        case "longest_wait":
            return f"longest_wait: {asked}s"
        case "priority":
            return f"priority: {asked}"
        case "allowed_addresses" | "macs" | "reach":
            return f"{name}: ['{asked}']"
        case _ if isinstance(getattr(NOTHING, name), bool):
            return f"{name}: true"
        case _:
            return f"{name}: [{asked}]"
