"""A virtual machine."""

from stead.core.kind import Kind, QuotaWord, Scope
from stead.kinds.instance.adopting import found
from stead.kinds.instance.demand import demand, host_needs, usage
from stead.kinds.instance.disk_rules import fits
from stead.kinds.instance.effects import EFFECTS, WORDS, detached, effect_of, holds, rebuild
from stead.kinds.instance.metered import METERS, metered
from stead.kinds.instance.model import Instance
from stead.kinds.instance.moving import stays
from stead.kinds.instance.nics import implicit_refs, needs, pins
from stead.kinds.instance.pacing import pace
from stead.kinds.instance.reach import reaches
from stead.kinds.instance.realise import contribute, facts, realise, reverted, saved
from stead.kinds.instance.rules import check
from stead.kinds.instance.unmanaged import retained
from stead.kinds.instance.waits import awaited
from stead.kinds.shared.counted import PORTS, STORAGE
from stead.kinds.shared.network_names import renamed

KIND = Kind(
    name="instance",
    plural="instances",
    scope=Scope.PROJECT,
    wiring="stead.kinds.instance.wiring",
    model=Instance,
    help="A virtual machine.",
    highlights=("vcpus", "memory", "root.size", "image.address", "nics.", "volumes.", "state"),
    drawn=True,
    guest=True,
    pins=pins,
    host_needs=host_needs,
    counted=True,
    single=True,
    adopts=lambda block: block.model.domain or "",
    found=found,
    reaches=reaches,
    check=check,
    fits=fits,
    stateful=True,
    holds=holds,
    mobile=True,
    stays=stays,
    pace=pace,
    implicit_refs=implicit_refs,
    needs=needs,
    demand=demand,
    retained=retained,
    quota={
        "instances": QuotaWord("Instances", example=20),
        "vcpus": QuotaWord("Virtual CPUs of all instances", example=64),
        "memory": QuotaWord("Memory of all instances", size=True, example="128GiB"),
        "storage": STORAGE,
        "ports": PORTS,
    },
    saved=saved,
    reverted=reverted,
    usage=usage,
    meters=METERS,
    metered=metered,
    contribute=contribute,
    realise=realise,
    facts=facts,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "hostname": "name of the machine inside",
        "project": "its project",
        "key": "its index or key, where there are several",
        "uuid": "its UUID",
        "host": "host that it is on",
        "zone": "zone of its host",
        "address": "its first address, IPv4 before IPv6",
        "addresses": "all its addresses",
        "floating_ip": "its first floating IP, or nothing",
        "mac": "MAC address of its first interface",
        "networks": "by network: `address`, `addresses` and `mac`",
        "vcpus": "number of its processors",
        "memory": "its memory in bytes",
        "labels": "its labels",
        "properties": "its properties",
    },
    renamed=renamed,
    awaited=awaited,
    effects=EFFECTS,
    effect_of=effect_of,
    rebuild=rebuild,
    detached=detached,
    words=WORDS,
    field_map={
        "image": "image",
        "origin": "image",
        "shelved": "state",
        "memory": "flavor",
        "max_memory": "flavor",
        "vcpus": "flavor",
        "max_vcpus": "flavor",
        "root": "disk",
        "seed": "cloud_init",
        "seed.keys": "keypairs",
        "nics": "networks",
        "ports": "networks",
        "devices": "flavor",
        "hugepages": "flavor",
        "topology": "flavor",
    },
)
