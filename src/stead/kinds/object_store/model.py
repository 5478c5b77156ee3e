"""What a user may write of an object store."""

from __future__ import annotations

from typing import Annotated

from stead.core.fields import INVENTORY, Example, Name, Secret, Text, Whole
from stead.core.value import value

WEB = Text(pattern=r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?", what="a URL with http or https", longest=255)
PEM = r"(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n*)+"


@value
class TokenApi:
    """Where tokens of OpenStack's clients are looked at."""

    url: Annotated[str, WEB, "URL of `stead serve`, as hosts of the store reach it", Example("https://192.0.2.10:8774")]
    authority: Annotated[
        str | None,
        Text(pattern=PEM, what="certificates as PEM", longest=65536, lines=True),
        "Certificate of the authority that signed its own, as PEM; without one, the hosts' usual ones count",
    ] = None


@value
class ObjectStore:
    driver: Annotated[str, Name(), "What it is made by"]
    secret: Annotated[
        str | Secret,
        Text(pattern=r"[!-~]{32,128}", what="32 to 128 letters, digits and signs", secret=True),
        "What the keys of all projects are made from, by `!vault`. With another one all projects have other keys",
        Example("0123456789abcdef0123456789abcdef"),
    ]
    replicas: Annotated[int, Whole(least=1, most=5), "Copies of each object, on as many hosts where there are"] = 3
    zones: Annotated[
        tuple[Annotated[str, INVENTORY], ...],
        "Zones whose hosts are in it; left out, all hosts that are prepared for the driver",
        Example(["a", "b"]),
    ] = ()
    port: Annotated[int, Whole(least=1024, most=65535), "Port for clients, on the underlay's address of each host"] = (
        8080
    )
    tls: Annotated[bool, "Clients are served by TLS, with certificates of the site's authority"] = True
    url: Annotated[
        str | None,
        WEB,
        "URL that clients are told by the API, of a load balancer; left out, that of the first host",
        Example("https://objects.example.org"),
    ] = None
    api: Annotated[TokenApi | None, "The store accepts tokens of `stead serve`, whose catalog leads clients to it"] = (
        None
    )
    devices: Annotated[
        tuple[Annotated[str, Name()], ...],
        "What each host keeps objects on: directories below `/var/lib/stead/objects`, where disks may be mounted",
        Example(["d1", "d2"]),
    ] = ("d1",)
    mounted: Annotated[bool, "Each device is a mounted disk: one that is not mounted is passed over"] = False
    part_power: Annotated[
        int,
        Whole(least=4, most=20),
        "The store has 2 to this power partitions, for ever: about a hundred for each disk that it may grow to",
    ] = 12
    description: Annotated[str, Text(lines=True), "For people"] = ""
