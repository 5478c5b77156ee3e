"""A lab of five real hosts for the tests of a session, and more of them for the tests that break theirs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from stead.lab.lifecycle import bring_up, take_down
from stead.lab.site import Lab
from stead.lab.sizes import Sizes, read_sizes


@pytest.fixture(scope="session")
def make_lab() -> Iterator[Callable[..., Lab]]:
    """Makes a lab under a name of its own, and takes it down when the session ends, however it ends."""
    names: list[str] = []

    def make(letter: str, sizes: Sizes | None = None, *, base: str = "stocked") -> Lab:
        name = f"{letter}{os.getpid():x}"
        names.append(name)
        return bring_up(replace(sizes or read_sizes(None), base=base), name)

    try:
        yield make
    finally:
        for name in names:
            take_down(name)


@pytest.fixture(scope="session")
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """One controller, two compute, one storage, one network host: stocked, and shared by all tests of the session.

    `lab.inventory` is the inventory's path, `lab.run("compute-1", ["uptime"])` runs a command, `lab.hosts` has the
    addresses. A test leaves the hosts as usable as it found them.
    """
    return make_lab("t")


@pytest.fixture(scope="session")
def bare_lab(make_lab: Callable[..., Lab]) -> Lab:
    """The same hosts with nothing of the roles installed: what a role is proven on."""
    return make_lab("b", base="bare")
