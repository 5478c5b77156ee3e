"""What a user may write of a load balancer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from stead.core.address import Address
from stead.core.fields import (
    LINE,
    Duration,
    Example,
    Expression,
    Filled,
    Ip,
    Milliseconds,
    Name,
    Ref,
    Secret,
    Text,
    Whole,
)
from stead.core.value import field, value
from stead.kinds.shared.interfaces import OwnAddress
from stead.kinds.shared.two_hosts import Ha, OwnHost

PATH = Text(pattern=r"/[A-Za-z0-9._~/?&=%+,:@-]*", what="a path of HTTP, from its first `/`", longest=255)
CODES = Text(
    pattern=r"[1-5][0-9]{2}(-[1-5][0-9]{2})?(,[1-5][0-9]{2}(-[1-5][0-9]{2})?)*",
    what="codes of HTTP: `200`, `200-299`, `200,301-308`",
    longest=64,
)
DNS_NAME = Text(pattern=r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?", what="a DNS name", longest=253)
COOKIE = Text(pattern=r"[A-Za-z0-9_-]+", what="the name of a cookie", longest=64)


@value
class Backend:
    """Who answers: an instance, all instances with some labels, or an address."""

    SHORT: ClassVar[str] = "instance"
    AFTER_COLON: ClassVar[str] = "port"

    instance: Annotated[
        Address | None,
        Ref("instances", many=True, orderly=False),
        "An instance; of a name with a count, all of its members",
        Example("web"),
    ] = None
    labels: Annotated[
        Mapping[Annotated[str, LINE], Annotated[str, LINE]],
        "All instances of the project that have these labels",
        Example({"tier": "web"}),
    ] = field(default_factory=dict)
    address: Annotated[str | None, Ip(), "An address that the network leads to", Example("10.20.0.40")] = None
    port: Annotated[int, Whole(least=0, most=65_535), "Its port; left out or 0, the listener's", Example(8080)] = 0
    weight: Annotated[
        int, Whole(least=0, most=256), "Its share of the connections, beside the others'; 0 gives it no new ones"
    ] = 1


@value
class HealthCheck:
    """How it is found out whether a backend answers."""

    SHORT: ClassVar[str] = "path"

    path: Annotated[
        str, PATH, "Path that is asked for by HTTP; left out, a connection is enough", Example("/healthz")
    ] = ""
    expect: Annotated[str, CODES, "Codes with which a good answer may begin", Example("200,204")] = "200-399"
    method: Annotated[Literal["GET", "HEAD", "OPTIONS"], "Method of the request"] = "GET"
    host: Annotated[str, DNS_NAME, "Host that the request names", Example("www.example.org")] = ""
    port: Annotated[int, Whole(least=0, most=65_535), "Port that is asked; left out or 0, the backend's own"] = 0
    interval: Annotated[int, Milliseconds(least=100), "Time between two checks", Example("2s")] = 2000
    timeout: Annotated[int, Milliseconds(least=100), "Time that an answer may take", Example("2s")] = 2000
    rise: Annotated[int, Whole(least=1, most=100), "Good answers in a row after which it is used again"] = 2
    fall: Annotated[int, Whole(least=1, most=100), "Failures in a row after which it is not used"] = 3


@value
class Sticky:
    """Keeps a client with one backend while that answers."""

    SHORT: ClassVar[str] = "by"

    by: Annotated[
        Literal["source", "cookie"],
        "`source`: by the client's address; `cookie`: by a cookie that is set (`http`, `https`)",
        Example("cookie"),
    ]
    cookie: Annotated[str, COOKIE, "Name of the cookie"] = "STEAD"
    lasts: Annotated[int, Duration(), "Time without a connection after which an address is forgotten"] = 1800


@value
class Timeouts:
    connect: Annotated[int, Duration(), "Until a backend has accepted a connection", Example("5s")] = 5
    client: Annotated[int, Duration(), "Without a word from the client", Example("50s")] = 50
    server: Annotated[int, Duration(), "Without a word from the backend", Example("50s")] = 50


@value
class Listener:
    """A port of the load balancer, and who answers behind it."""

    port: Annotated[int, Whole(least=1, most=65_535), "Its port", Example(80)]
    members: Annotated[tuple[Backend, ...], Filled(), "Who answers", Example(["web:8080"])]
    protocol: Annotated[
        Literal["tcp", "http", "https"],
        "`tcp`: bytes are passed on; `http`: requests are; `https`: it ends TLS and passes on plain requests",
    ] = "tcp"
    certificate: Annotated[
        str | Expression | Secret | None,
        Text(secret=True, lines=True),
        "PEM of the private key, its certificate, and those between it and the root; for `https`",
    ] = None
    balance: Annotated[
        Literal["round_robin", "least_connections", "source"],
        "Who gets a new connection: each in turn, who has the fewest, or by the client's address",
    ] = "round_robin"
    health_check: Annotated[HealthCheck, "How it is found out who answers", Example("/healthz")] = field(
        default_factory=HealthCheck
    )
    sticky: Annotated[Sticky | None, "Keeps a client with one backend", Example("cookie")] = None
    timeouts: Annotated[Timeouts, "How long it waits", Example({"server": "2m"})] = field(default_factory=Timeouts)
    max_connections: Annotated[
        int, Whole(least=1, most=20_000), "Connections at a time; further ones wait", Example(5000)
    ] = 2000
    proxy_protocol: Annotated[bool, "Tell backends who the client is, by the PROXY protocol, version 2"] = False


@value
class LoadBalancer:
    network: Annotated[Address, Ref("networks"), "Network in which it answers", Example("app")]
    listeners: Annotated[
        Mapping[Annotated[str, Name()], Listener],
        "Its ports, by name",
        Example({"web": {"port": 80, "protocol": "http", "members": ["web:8080"]}}),
    ]
    address: OwnAddress = ()
    security_groups: Annotated[
        tuple[Annotated[Address, Ref("security_groups")], ...] | None,
        "Groups that it is in, for rules of its backends that let members of a group in; left out, the project's "
        "default group. They do not filter what reaches it",
        Example(["balancers"]),
    ] = None
    ha: Ha = "auto"
    enabled: Annotated[bool, "Whether it answers; when false, it keeps its addresses and is on no host"] = True
    host: OwnHost = ""
    description: Annotated[str, Text(lines=True), "For people"] = ""
