"""OpenStack's own client against simulated hosts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.serve.openstack_client import made_environment, openstack
from tests.serve.served import Site

COMMANDS = Path(__file__).parent.parent / "cases" / "serve" / "client.txt"


@pytest.fixture(scope="session")
def python() -> Path:
    return made_environment()


def commands() -> tuple[list[str], list[str]]:
    first, _, rest = COMMANDS.read_text(encoding="utf-8").partition("\n# long\n")
    return [one for one in first.splitlines() if not one.startswith("#")], rest.splitlines()


def test_the_client_makes_a_server_with_all_that_it_needs(python: Path, own_site: Site) -> None:
    openstack(python, own_site.url, "adas", commands()[0])


@pytest.mark.long
def test_the_client_works_with_everything_that_is_built(python: Path, own_site: Site) -> None:
    first, rest = commands()
    openstack(python, own_site.url, "adas", [*first, *rest])
