"""What the site has stopped by hand, no tenant starts: to its people it is locked."""

from __future__ import annotations

import json

from tests.serve.served import Site
from tests.serve.test_worker import wanted

from stead.cli import main


def test_what_the_site_has_stopped_no_tenant_starts(site: Site) -> None:
    root = str(site.means.root)
    server = site.call("POST", "/compute/v2.1/servers", {"server": wanted(site)}, "bob")[2]["server"]["id"]
    assert site.worker.wait_idle(30)
    made = site.cloud.world().made
    (address,) = [one for one, record in made.items() if record.leases.get("uuid") == server]
    assert main(["stop", str(address), "-s", root, "--auto-approve", "-q"]) == 0
    for action in ({"os-start": None}, {"os-stop": None}, {"reboot": {"type": "HARD"}}):
        status, _, said = site.call("POST", f"/compute/v2.1/servers/{server}/action", action, "bob")
        assert (status, "locked" in json.dumps(said)) == (409, True)
    there = site.call("GET", f"/compute/v2.1/servers/{server}", None, "bob")[2]["server"]
    assert (there["status"], there["OS-EXT-STS:task_state"]) == ("SHUTOFF", None)
    assert main(["start", str(address), "-s", root, "--auto-approve", "-q"]) == 0
    assert site.call("GET", f"/compute/v2.1/servers/{server}", None, "bob")[2]["server"]["status"] == "ACTIVE"
