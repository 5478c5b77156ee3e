"""A plan that was approved is carried out on real hosts: by the command, and by the server in a thread of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from driving import STEAD, Driven, prepare

from stead.cli.common.reviews import apply_for_server, here
from stead.cli.common.workspace import find, open_state
from stead.lab.site import Lab
from stead.lab.sizes import parse
from stead.language.desired.review import ReviewSettings
from stead.run import reviewing

pytestmark = [pytest.mark.lab, pytest.mark.long]

HOSTS = {
    "hosts": {
        "compute": {"count": 1, "cpus": 2},
        "network": {"count": 1, "roles": ["network", "storage", "controller"]},
    }
}
SPEC = """stead: 1
projects:
  acme:
    networks:
"""


@pytest.fixture
def driven(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    lab = make_lab("g", parse(HOSTS, "reviewed"))
    prepare(lab)
    found = Driven(lab, tmp_path_factory.mktemp("reviewed"))
    yield found
    found.destroy()


def approved(driven: Driven, *names: str) -> int:
    """A plan for the spec with these networks."""
    lines = (
        f"      {name}: {{subnets: {{v4: {{cidr: 10.{number}.0.0/24}}}}}}\n" for number, name in enumerate(names, 20)
    )
    driven.write(SPEC + "".join(lines))
    driven.stead("plan", "-q", "-o", "it.plan")
    number = review(driven, "submit", "it.plan").split(".")[0].split()[1]
    review(driven, "approve", number, "-q", "--auto-approve")
    return int(number)


def review(driven: Driven, *words: str) -> str:
    own = [word for path in driven.inventories for word in ("-i", str(path))]
    done = subprocess.run(
        [str(STEAD), "review", *words, *own], cwd=driven.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_approved_plan_is_done_on_real_hosts(driven: Driven) -> None:
    first = approved(driven, "one")
    driven.stead("apply", "--reviewed", str(first))
    driven.assert_nothing_to_do()
    second = approved(driven, "one", "two")
    workspace = find(specs=[str(driven.folder)], inventories=[str(one) for one in driven.inventories])
    with closing(open_state(workspace)) as store:
        reviewing.ask(store, second, here(), ReviewSettings())
        with ThreadPoolExecutor(1) as thread:
            thread.submit(apply_for_server, workspace, second, "stead serve").result()
        last = reviewing.known(store, second).events[-1]
    assert (last.state, last.reason) == ("ended", "done")
    driven.assert_nothing_to_do()
    assert "done" in driven.stead("runs").out.splitlines()[0]
    assert "STEAD-A008" in driven.stead("apply", "--reviewed", str(second), status=1).text
