"""A lab of five real hosts for the tests of a session, and more of them for the tests that break theirs."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from post_mortem import post_mortem

from stead.lab.lifecycle import bring_up, take_down
from stead.lab.site import Lab
from stead.lab.sizes import Sizes, read_sizes

Making = Callable[..., Lab]
LABS: dict[str, Lab] = {}  # those that are there now


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        report.sections += [(f"hosts of lab {name}", post_mortem(lab)) for name, lab in LABS.items()]
    return report


@contextmanager
def making() -> Iterator[Making]:
    """Makes labs under names of their own, and takes them down in the end, however it ends."""
    names: list[str] = []

    def make(letter: str, sizes: Sizes | None = None, *, base: str = "stocked") -> Lab:
        name = f"{letter}{os.getpid():x}"
        if name not in names:
            take_down(name)  # of an earlier run that was killed and had our number
            names.append(name)
        LABS[name] = bring_up(replace(sizes or read_sizes(None), base=base), name)
        return LABS[name]

    try:
        yield make
    finally:
        for name in names:
            LABS.pop(name, None)
            take_down(name)


@pytest.fixture(scope="module")
def make_lab() -> Iterator[Making]:
    """For a file's own labs, which are gone when it ends: a dozen of them would be too much for one machine."""
    with making() as make:
        yield make


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """One controller, two compute, one storage, one network host: stocked, and shared by all tests of the session.

    `lab.inventory` is the inventory's path, `lab.run("compute-1", ["uptime"])` runs a command, `lab.hosts` has the
    addresses. A test leaves the hosts as usable as it found them.
    """
    with making() as make:
        yield make("t")


@pytest.fixture(scope="session")
def bare_lab() -> Iterator[Lab]:
    """The same hosts with nothing of the roles installed: what a role is proven on."""
    with making() as make:
        yield make("b", base="bare")
