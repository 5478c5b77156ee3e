"""Inject faults and drift into simulated hosts. No real machine is changed.

  stead simulate hosts                          every simulated host, and its faults
  stead simulate down compute-3 --why "fire"    a host that does not answer but still runs; `up` ends that
  stead simulate off compute-3                  a host without power; `up` boots it
  stead simulate maintenance compute-3          a host that keeps what it has and gets nothing new
  stead simulate slow compute-3 30              a host whose steps take 30 s longer
  stead simulate drift ADDRESS memory=2147483648 [--host H]   change a field by hand
  stead simulate lose ADDRESS [--host H]        delete it by hand
  stead simulate move ADDRESS HOST              migrate it by hand
  stead simulate fail [--host H] [--address A] [--skip N] [--times N] [--error TEXT]    the next steps that match fail
  stead simulate fail --unready [--address A]   guests start but never become ready
  stead simulate fail --fence [--host H]        fence agents that fail
  stead simulate die HOST [--skip N] [--before]  a host that goes silent in the middle of an apply
  stead simulate faults                         faults that have not happened yet
  stead simulate clear                          remove all faults
  stead simulate reset                          make all simulated hosts empty and up

Then run `stead plan` and `stead apply` as usual.

exit status: 0; 1 when there is no such host or resource
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from stead.cli.common import options as shared
from stead.cli.common.workspace import BAD_OPTION, SIMULATION, Workspace, pair, read_hosts
from stead.core.diagnostics import Code, Refused, has_errors
from stead.core.named import NamedTuple
from stead.core.observed import HostStatus
from stead.plan.render.values import safe
from stead.runner.simulated_model import OFF, FaultKind, SimulatedFault
from stead.runner.simulated_state import SimulatedState

NO_HOST = Code("STEAD-B051", "there is no such simulated host")
NOT_THERE = Code("STEAD-B052", "no simulated host has this resource")
NO_SIMULATION = Code("STEAD-B053", "the hosts are not simulated")


class SimulateCommand(NamedTuple):
    text: str
    words: tuple[tuple[str, str], ...]  # positional: (name, "", "*" or "+")
    flags: tuple[str, ...]
    run: Callable[[SimulatedState, argparse.Namespace], object]


LONGEST = 86_400  # seconds that a step is made to take longer
_FLAGS: Mapping[str, Mapping[str, object]] = {
    "why": {"metavar": "TEXT", "default": "", "help": "the reason that is reported"},
    "host": {"metavar": "HOST", "default": "", "help": "only there"},
    "address": {"metavar": "ADDRESS", "default": "", "help": "only steps of this"},
    "skip": {
        "metavar": "N",
        "type": shared.number(0),
        "default": 0,
        "help": "number of steps that succeed before the fault",
    },
    "times": {"metavar": "N", "type": shared.number(1), "default": 1, "help": "how often (default: once)"},
    "error": {"metavar": "TEXT", "default": "injected by `stead simulate`", "help": "the error that is reported"},
    "unready": {"action": "store_true", "help": "the step is done, and its guest is not ready in time"},
    "fence": {"action": "store_true", "help": "no step fails: the fence agent does, until `clear`"},
    "before": {"action": "store_true", "help": "before it does the step, not after"},
}


def arguments(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for name, sub in SUBCOMMANDS.items():
        child = subparsers.add_parser(name, help=sub.text, description=sub.text)
        for word, many in sub.words:
            child.add_argument(word, metavar=word.upper(), nargs=many or None)
        for flag in sub.flags:
            child.add_argument(f"--{flag}", **_FLAGS[flag])  # type: ignore[arg-type]  # argparse's own are as loose
        shared.inputs(child)
        shared.output(child)


def run(options: argparse.Namespace) -> int:
    workspace = shared.workspace_of(options)
    state = opened(workspace)
    try:
        with state.said():
            found = SUBCOMMANDS[options.subcommand].run(state, options)
    finally:
        state.close()
    if options.json:
        print(json.dumps(found, indent=1))
    elif not options.quiet:
        print("\n".join(_lines(found)))
    return 0


def opened(workspace: Workspace) -> SimulatedState:
    inventory, found = read_hosts(workspace)
    if has_errors(found):
        raise Refused(*found)
    if not workspace.simulated and "simulated" not in inventory.runners:
        text = "The hosts of this inventory are real. Use --simulated to simulate hosts with the same names."
        raise Refused(NO_SIMULATION.at(None, text))
    state = SimulatedState(workspace.directory / SIMULATION)
    with state.said():
        state.know(inventory.hosts)
    return state


def _lines(found: object) -> list[str]:
    match found:
        case str():
            return [found]
        case Mapping():
            return [line for one in found.values() for line in _lines(one)]
        case list():
            return [line for one in found for line in ([one] if isinstance(one, str) else [_row(one)])] or ["Nothing."]
        case _:
            return [str(found)]


def _row(one: Mapping[str, object]) -> str:
    return "  ".join(f"{value}" for value in one.values() if value not in ("", 0, None))


def known(state: SimulatedState, host: str) -> str:
    hosts = state.hosts()
    if host not in hosts:
        import difflib

        match = difflib.get_close_matches(host, hosts, n=1)
        near = f" Did you mean {match[0]}?" if match else " `stead simulate hosts` lists them."
        raise Refused(NO_HOST.at(None, f"No simulated host is called {host!r}.{near}"))
    return host


def places(state: SimulatedState, address: str, named: str) -> list[str]:
    """The hosts that have the resource, or the one that was named."""
    found = [thing.host for thing in state.things(address) if named in ("", thing.host)]
    if not found:
        where = f" on {named}" if named else ""
        raise Refused(NOT_THERE.at(None, f"No resource is called {address!r}{where}. `stead show` lists all."))
    return found


def hosts(state: SimulatedState, _options: argparse.Namespace) -> object:
    held = dict.fromkeys(state.hosts(), 0)
    for _, host, *_ in chain.from_iterable(state.rows()):
        held[host] = held.get(host, 0) + 1
    return {
        "hosts": [
            {"host": row.name, "state": row.state, "why": row.why, "delay": row.delay, "has": held[row.name]}
            for row in state.hosts().values()
        ]
    }


def set_state(to: str) -> Callable[[SimulatedState, argparse.Namespace], object]:
    def run_it(state: SimulatedState, options: argparse.Namespace) -> object:
        for host in [known(state, one) for one in options.hosts]:
            state.set_state(host, to, safe(getattr(options, "why", "")))
        return {"changed": [f"{one} is {to}" for one in options.hosts]}

    return run_it


def slow(state: SimulatedState, options: argparse.Namespace) -> object:
    try:
        seconds = float(options.seconds)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST:
        text = f"slow {options.seconds}: write a number of seconds, from 0 to {LONGEST:,}."
        raise Refused(BAD_OPTION.at(None, text))
    state.set_delay(known(state, options.on), seconds)
    return {"changed": [f"steps on {options.on} take {seconds:g} s longer"]}


def drift(state: SimulatedState, options: argparse.Namespace) -> object:
    fields = {name: _value(text) for name, text in (pair(one, "drift") for one in options.field)}
    found = places(state, options.address, options.host)
    for thing in state.things(options.address):
        if thing.host in found:
            _check_fields(fields, thing.want.fields())
    for host in found:
        state.edit(options.address, host, fields)
    return {"changed": [f"{options.address} on {host} was changed: {', '.join(fields)}" for host in found]}


def _check_fields(fields: Mapping[str, object], has: Mapping[str, object]) -> None:
    """A host could report nothing else than what such a thing has, in the form in which it has it."""
    plain = {name: value for name, value in has.items() if not isinstance(value, dict | list)}
    for name, value in fields.items():
        if name not in plain:
            text = f"drift {name}: it has {', '.join(sorted(plain))}."
            raise Refused(BAD_OPTION.at(None, text))
        if plain[name] is not None and type(value) is not type(plain[name]):
            text = f"drift {name}: it is {json.dumps(plain[name])}, and {json.dumps(value)} is of another type."
            raise Refused(BAD_OPTION.at(None, text))


def _value(text: str) -> object:
    """JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def lose(state: SimulatedState, options: argparse.Namespace) -> object:
    found = places(state, options.address, options.host)
    for host in found:
        state.lose(options.address, host)
    return {"changed": [f"{options.address} on {host} is lost" for host in found]}


def move(state: SimulatedState, options: argparse.Namespace) -> object:
    source = places(state, options.address, options.host)[0]
    state.move(options.address, source, known(state, options.to))
    return {"changed": [f"{options.address} was moved from {source} to {options.to}"]}


def fail(state: SimulatedState, options: argparse.Namespace) -> object:
    host = known(state, options.host) if options.host else ""
    kind = FaultKind.FENCE if options.fence else FaultKind.UNREADY if options.unready else FaultKind.FAIL
    state.inject(SimulatedFault(kind, host, options.address, options.skip, options.times, safe(options.error)))
    return faults(state, options)


def die(state: SimulatedState, options: argparse.Namespace) -> object:
    kind = FaultKind.DIE_BEFORE if options.before else FaultKind.DIE
    state.inject(SimulatedFault(kind, known(state, options.on), skip=options.skip, error=""))
    return faults(state, options)


def faults(state: SimulatedState, _options: argparse.Namespace) -> object:
    return {
        "faults": [
            {
                "kind": one.kind,
                "host": one.host or "any host",
                "address": one.address or "any resource",
                "skip": f"after {one.skip} steps" if one.skip else "",
                "times": f"{one.times} times",
                "error": one.error,
            }
            for one in state.faults()
        ]
    }


def clear(state: SimulatedState, _options: argparse.Namespace) -> object:
    state.clear_faults()
    return {"changed": ["all faults are removed; hosts that are down stay down"]}


def reset(state: SimulatedState, _options: argparse.Namespace) -> object:
    state.empty()
    return {"changed": ["make all simulated hosts empty and up"]}


_HOSTS: Sequence[tuple[str, str]] = (("hosts", "+"),)

SUBCOMMANDS: dict[str, SimulateCommand] = {
    "hosts": SimulateCommand("list simulated hosts and their faults", (), (), hosts),
    "down": SimulateCommand("make hosts silent", tuple(_HOSTS), ("why",), set_state(HostStatus.DOWN)),
    "off": SimulateCommand("cut the power of hosts", tuple(_HOSTS), ("why",), set_state(OFF)),
    "up": SimulateCommand("make hosts answer again", tuple(_HOSTS), (), set_state(HostStatus.UP)),
    "maintenance": SimulateCommand(
        "put hosts into maintenance: they keep their resources and get no new ones",
        tuple(_HOSTS),
        ("why",),
        set_state(HostStatus.MAINTENANCE),
    ),
    "slow": SimulateCommand("make the steps of a host slower", (("on", ""), ("seconds", "")), (), slow),
    "drift": SimulateCommand(
        "change fields of a resource on its host", (("address", ""), ("field", "+")), ("host",), drift
    ),
    "lose": SimulateCommand("delete a resource from its host", (("address", ""),), ("host",), lose),
    "move": SimulateCommand("migrate a resource by hand", (("address", ""), ("to", "")), ("host",), move),
    "fail": SimulateCommand(
        "make steps fail", (), ("host", "address", "skip", "times", "error", "unready", "fence"), fail
    ),
    "die": SimulateCommand("make a host silent in the middle of an apply", (("on", ""),), ("skip", "before"), die),
    "faults": SimulateCommand("list pending faults", (), (), faults),
    "clear": SimulateCommand("remove all injected faults", (), (), clear),
    "reset": SimulateCommand("make all simulated hosts empty and up", (), (), reset),
}
