"""Network hosts, in Neutron's words: one agent for what a host does. All of it is the admin's, and to be read.

A plan says which host serves a network or a router. So nothing is scheduled by a call.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stead.core.named import NamedTuple
from stead.core.needs import STANDBY
from stead.core.observed import Host, HostStatus
from stead.serve.faults import not_found
from stead.serve.network.answers import answered
from stead.serve.network.networks import network_data
from stead.serve.network.routers import router_data
from stead.serve.routes import ApiReply, Call
from stead.serve.world import BORN, CloudState, KnownResource, made_of, moment


class AgentKind(NamedTuple):
    type: str
    binary: str
    topic: str
    serves: str  # kind of what it serves


DHCP = AgentKind("DHCP agent", "neutron-dhcp-agent", "dhcp_agent", "networks")
L3 = AgentKind("L3 agent", "neutron-l3-agent", "l3_agent", "routers")


class HostAgent(NamedTuple):
    id: str
    kind: AgentKind
    host: Host


def agents_of(call: Call) -> Iterator[HostAgent]:
    site = call.world.site
    for host in sorted(call.cloud.observed.hosts.values(), key=lambda one: one.name):
        for kind in (DHCP, L3) if "network" in host.roles else ():
            yield HostAgent(made_of(site, "agent", kind.binary, host.name), kind, host)


def agent_data(call: Call, agent: HostAgent) -> dict[str, Any]:
    """Nobody knows since when a host does this: that is told as the begin of all time."""
    looked, begun = (moment(one).replace("T", " ").rstrip("Z") for one in (call.cloud.looked or BORN, BORN))
    return {
        "id": agent.id,
        "agent_type": agent.kind.type,
        "binary": agent.kind.binary,
        "topic": agent.kind.topic,
        "host": agent.host.name,
        "availability_zone": agent.host.zone,
        "admin_state_up": agent.host.state is HostStatus.UP,
        "alive": agent.host.state.answers,
        "heartbeat_timestamp": looked,
        "started_at": begun,
        "created_at": begun,
        "description": agent.host.why or None,
        "configurations": {},
        "resource_versions": {},
        "resources_synced": None,
    }


def list_agents(call: Call) -> ApiReply:
    """Others see none, as in Neutron. Its types are found whatever their case."""
    asked = [text.lower() for name, text in call.query if name == "agent_type"]
    call.query = [pair for pair in call.query if pair[0] != "agent_type"]
    every = agents_of(call) if call.caller.admin else ()
    return answered(
        call, "agents", [agent_data(call, one) for one in every if not asked or one.kind.type.lower() in asked]
    )


def _agent(call: Call, kind: AgentKind | None = None) -> HostAgent:
    for one in agents_of(call):
        if one.id == call.path["id"] and kind in (None, one.kind):
            return one
    raise not_found("Agent", call.path["id"])


def show_agent(call: Call) -> ApiReply:
    return ApiReply(body={"agent": agent_data(call, _agent(call))})


def _hosts_of(thing: KnownResource) -> set[str]:
    """Those that serve it: the second one too, where it has one."""
    return {one for one in (thing.host, thing.leases.get(STANDBY, "")) if one}


def _served(call: Call, kind: AgentKind) -> Iterator[tuple[CloudState, KnownResource]]:
    world, host = call.world, _agent(call, kind).host.name
    return ((world, one) for one in world.things(kind.serves) if host in _hosts_of(one))


def networks_of_agent(call: Call) -> ApiReply:
    return ApiReply(body={"networks": [network_data(call, world, one) for world, one in _served(call, DHCP)]})


def routers_of_agent(call: Call) -> ApiReply:
    return ApiReply(body={"routers": [router_data(world, one) for world, one in _served(call, L3)]})


def _serving(call: Call, kind: AgentKind, what: str) -> ApiReply:
    thing = call.world.find(kind.serves, call.path["id"], call.caller.project, what=what, admin=True)
    hosts = _hosts_of(thing)
    found = [agent_data(call, one) for one in agents_of(call) if one.kind is kind and one.host.name in hosts]
    return ApiReply(body={"agents": found})


def agents_of_network(call: Call) -> ApiReply:
    return _serving(call, DHCP, "Network")


def agents_of_router(call: Call) -> ApiReply:
    return _serving(call, L3, "Router")
