"""What a `*.test.yml` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from stead.core.fields import Anything, Example, Text, Whole
from stead.core.value import field, value

Names = tuple[Annotated[str, Text()], ...]


@value
class Expectation:
    """What must be so. All that is written must hold."""

    changes: Annotated[
        Mapping[str, Annotated[int, Whole(least=0)]],
        "How many resources have which action, as the plan's last lines count them",
        Example({"create": 12, "destroy": 0}),
    ] = field(default_factory=dict)
    empty: Annotated[bool | None, "There is nothing to do"] = None
    disturbs: Annotated[str | None, Text(), "The most that the plan disturbs", Example("none")] = None
    refused: Annotated[Names, "Codes of the errors that must be told, and no others", Example(["STEAD-P001"])] = ()
    placed: Annotated[
        Mapping[str, Annotated[str, Text()]], "On which host something is", Example({"acme/instances/db": "compute-1"})
    ] = field(default_factory=dict)
    apart: Annotated[Names, "No two of all these, and of the members of blocks, are on one host"] = ()
    zones_apart: Annotated[Names, "The same with zones"] = ()
    together: Annotated[Names, "All of these are on one host"] = ()
    running: Annotated[Names, "What is on a host that works", Example(["acme/instances/web"])] = ()
    lost: Annotated[Names, "What is on a host that does not"] = ()
    outputs: Annotated[Mapping[str, Any], Anything(), "Values of outputs"] = field(default_factory=dict)
    survives: Annotated[int | None, Whole(least=1), "Everything still fits after any so many hosts fail"] = None


@value
class Rehearsal:
    """One test: the spec is applied to simulated hosts as it is, then what is said here happens, then it is planned."""

    vars: Annotated[Mapping[str, Any], Anything(), "Variables"] = field(default_factory=dict)
    fresh: Annotated[bool, "Plan for empty hosts; otherwise the spec has been applied before"] = True
    down: Annotated[Names, "Hosts that do not answer", Example(["compute-1"])] = ()
    maintenance: Annotated[Names, "Hosts in maintenance"] = ()
    gone: Annotated[Names, "Hosts that are not there at all"] = ()
    expect: Annotated[Expectation, "What must be so"] = field(default_factory=Expectation)


@value
class TestFile:
    """A file of tests."""

    spec: Annotated[str, Text(), "Spec, relative to the test; left out, its directory"] = "."
    inventory: Annotated[str, Text(), "Inventory, relative to the test"] = "inventory.yml"
    vars: Annotated[Mapping[str, Any], Anything(), "Variables of all tests"] = field(default_factory=dict)
    tests: Annotated[Mapping[str, Rehearsal], "Tests by what they hold"]
