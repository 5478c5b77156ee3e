"""Floating IPs: an address on a router's way out, and what it stands for inside."""

from __future__ import annotations

from . import announcing, ledger, links, running
from .failing import Failed


def ensure(step, work):
    want, uuid = step["want"], step["uuid"]
    before = ledger.read("floating_ips", uuid)
    if before is not None and "router" in before["want"] and _place(before["want"]) != _place(want):
        take(before["want"], work)
    if "router" in want:
        put(want, work)


def remove(step, work):
    want = step.get("have")
    if want is not None and "router" in want:
        take(want, work)


def restore(step, work):
    ensure(step, work)


def of_router(uuid):
    found = (made["want"] for made in ledger.everything("floating_ips"))
    return [want for want in found if want.get("router", {}).get("uuid") == uuid]


def _place(want):
    return want.get("router", {}).get("uuid"), want["address"], want.get("inside")


def _way_out(want):
    """Namespace, interface and MAC of the router."""
    from . import router

    made = ledger.read("routers", want["router"]["uuid"])
    namespace = router.namespace_of(want["router"]["uuid"])
    if made is None or not made["want"].get("external") or namespace not in links.namespaces():
        return None
    mac = made["want"]["external"]["mac"]
    return namespace, router.inside_name(mac), mac


def put(want, work):
    way = _way_out(want)
    if way is None:
        if work.check:
            work.done.append("add {0}".format(want["address"]))
            return
        raise Failed("Router {0} has no way out on this host.".format(want["router"]["address"]))
    namespace, name, mac = way
    address, inside = want["address"], want["inside"]
    new = address + "/32" not in links.addresses(namespace, name)
    if new:
        work.batch("ip", ["address add {0}/32 dev {1}".format(address, name)], namespace)
    has = _members(namespace)
    if has.get("inward", {}).get(address) != inside or has.get("outward", {}).get(inside) != address:
        lines = _gone(has, want)
        lines.append("add element ip stead inward {{ {0} : {1} }}".format(address, inside))
        lines.append("add element ip stead outward {{ {0} : {1} }}".format(inside, address))
        work.run(["ip", "netns", "exec", namespace, "nft", "-f", "-"], feed="\n".join(lines) + "\n")
        _cut(namespace, address, inside, work)
    if new:
        work.act("announce {0}".format(address), announcing.tell, namespace, name, mac, [address])


def take(want, work):
    way = _way_out(want)
    if way is None:
        return
    namespace, name, _mac = way
    lines = _gone(_members(namespace), want)
    if lines:
        work.run(["ip", "netns", "exec", namespace, "nft", "-f", "-"], feed="\n".join(lines) + "\n")
        _cut(namespace, want["address"], want["inside"], work)
    if want["address"] + "/32" in links.addresses(namespace, name):
        work.batch("ip", ["address del {0}/32 dev {1}".format(want["address"], name)], namespace)


def _cut(namespace, address, inside, work):
    """What goes on through it went the old way, and would for as long as it lasts."""
    if work.check:
        return
    for words in (["--orig-dst", address], ["--orig-src", inside, "--reply-dst", address]):
        running.attempt(["ip", "netns", "exec", namespace, "conntrack", "--delete"] + words)


def _gone(has, want):
    pairs = [("inward", want["address"]), ("outward", want["inside"])]
    return ["delete element ip stead {0} {{ {1} }}".format(at, key) for at, key in pairs if key in has.get(at, {})]


def _members(namespace):
    import json

    words = ["ip", "netns", "exec", namespace, "nft", "-j", "list", "table", "ip", "stead"]
    status, out, _said = running.attempt(words)
    found = {}
    for one in json.loads(out)["nftables"] if status == 0 else []:
        if "map" in one:
            found[one["map"]["name"]] = {pair[0]: pair[1] for pair in one["map"].get("elem", [])}
    return found
