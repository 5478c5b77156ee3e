"""OpenStack's own client against simulated hosts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.serve.openstack_client import PROGRAMS, environment, made_environment, openstack, play, program
from tests.serve.served import Site

COMMANDS = Path(__file__).parent.parent / "cases" / "serve" / "client.txt"


@pytest.fixture(scope="session")
def python() -> Path:
    return made_environment()


def commands() -> tuple[list[str], list[str]]:
    text = COMMANDS.read_text(encoding="utf-8").replace("<programs>", str(PROGRAMS))
    first, _, rest = text.partition("\n# long\n")
    return [one for one in first.splitlines() if not one.startswith("#")], rest.splitlines()


def test_the_client_makes_a_server_with_all_that_it_needs(python: Path, own_site: Site) -> None:
    openstack(python, environment(own_site.url, "adas"), commands()[0])


@pytest.mark.long
def test_the_client_works_with_everything_that_is_built(python: Path, own_site: Site) -> None:
    first, rest = commands()
    openstack(python, environment(own_site.url, "adas"), [*first, *rest])


@pytest.mark.long
def test_a_program_makes_changes_and_deletes_a_stack(python: Path, own_site: Site) -> None:
    said = program(python, environment(own_site.url, "adas"), "stacks.py", str(PROGRAMS / "stack.yaml"))
    assert said == "CREATE_COMPLETE UPDATE_COMPLETE 2 True None"


@pytest.mark.long
def test_a_playbook_and_a_program_change_nothing_the_second_time(python: Path, own_site: Site, tmp_path: Path) -> None:
    """The same ones as on real hosts."""
    key = tmp_path / "key.pub"
    key.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC6OBqHp2x+p0Puw5fmLEWpsdbJ5v261Rrd+hWoJ3nvf ada\n")
    reached = {**environment(own_site.url, "adas"), "IMAGE": "cirros"}
    given = {"public_key": str(key), "image": "cirros"}
    done = [
        play(reached, "openstack_cloud.yml", tmp_path, state=one, **given) for one in ("present", "present", "absent")
    ]
    assert done == [9, 0, 9]
    assert [program(python, reached, "sdk.py") for _time in range(2)] == ["5", "0"]
    assert [program(python, reached, "sdk.py", "absent") for _time in range(2)] == ["3", "0"]
