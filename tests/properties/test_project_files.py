"""Promise 9, of the language: whatever a project's people write, a plan changes nothing that is another's.

`bench/walls.py` has the site and what counts as outside; `bench/fuzz.py --project-files` does this for as long as one
likes.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import walls
from stead.blueprint import leases
from stead.core.diagnostics import Code, Severity

RANDOM = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module", params=["walled", "granted"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> walls.Walls:
    """With no grants, and with nearly all of them: pins are allowed there, and still displace nothing."""
    return walls.Walls(tmp_path_factory.mktemp("site"), granted=request.param == "granted")


@RANDOM
@given(st.randoms(use_true_random=False))
def test_whatever_a_project_file_says_others_stay_as_they_are(site: walls.Walls, dice: random.Random) -> None:
    site.file.write_text(walls.tried(walls.ACME, dice))
    list(site.answer(site.file))  # fails where a plan reaches through


def test_an_empty_project_file_takes_away_the_projects_own_and_no_more(site: walls.Walls) -> None:
    site.file.write_text("stead: 1\n")
    assert list(site.answer(site.file)) == ["planned"]


def held(site: walls.Walls, address: str, lease: str) -> str:
    return next(one.leases[lease] for at, one in site.recorded.resources.items() if str(at) == address)


def test_pins_of_what_others_have_are_refused(site: walls.Walls) -> None:
    """Without the grant; and with it, since who came first has it."""
    vni = held(site, "blue/networks/app", "vni")
    address = held(site, "blue/floating_ips/www", "address")
    want = "STEAD-R023" if "grants:" in (site.folder / "stead.yml").read_text() else "STEAD-G003"
    site.file.write_text(walls.ACME.replace("networks: {app: {", f"networks: {{two: {{vni: {vni}}}, app: {{"))
    assert list(site.answer(site.file)) == [want]
    site.file.write_text(walls.ACME.replace("www: {network: public,", f"www: {{address: {address}, network: public,"))
    assert want in list(site.answer(site.file))


@pytest.mark.parametrize("site", ["granted"], indirect=True)  # without grants it is refused before
def test_the_property_sees_a_displacement(site: walls.Walls, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it only a warning, as among the site's own, the site with grants would be reached through."""
    monkeypatch.setattr(leases, "TAKEN", Code("STEAD-R023", "taken", Severity.WARNING))
    vni = held(site, "blue/networks/app", "vni")
    site.file.write_text(walls.ACME.replace("networks: {app: {", f"networks: {{two: {{vni: {vni}}}, app: {{"))
    with pytest.raises(AssertionError, match="blue/networks/app was moved"):
        list(site.answer(site.file))
