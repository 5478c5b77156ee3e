"""Plans are approved by those who may, other than those who submitted them, and applied as they were approved."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.serve.portal.browsing import PlainBrowser
from tests.serve.portal.test_walls import HOSTILE, RunningParts
from tests.serve.served import PASSWORD, SITE, Site, write_site

from stead.cli import main
from stead.cli.common.reviews import here
from stead.language.desired.review import ReviewSettings
from stead.run import reviewing
from stead.serve.identity.declared import role_key
from stead.serve.identity.scopes import SYSTEM
from stead.serve.worker import WHO

INLINE = "  files: {networks: {inner: {subnets: {v4: {cidr: 10.9.0.0/24}}}}}\n"
FILES = """  files:
    instances: {keep: {flavor: tiny, image: cirros, networks: [inner]}}
    networks:
      inner: {subnets: {v4: {cidr: 10.9.0.0/24}}}
"""
RULES = """site:
  review: {two_persons: true}
  identity:
    roles:
      approver: {may: ["review:plans:get", "review:plans.approve:create", "review:plans.refuse:create"]}
      onlooker: {may: ["review:plans:get", "review:plans.file:get"]}
"""
PLANS = "/review/v1/plans"


class Reviewed:
    """A site where two must agree, of which ada, lena and max are admins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site(write_site(folder, RULES + SITE.replace(INLINE, FILES)))
        for name in ("lena", "max"):
            user = self.site.people.add_user(name, PASSWORD)
            for where in (SYSTEM, self.site.projects["adas"]):
                self.site.people.assign(user, where, "admin")
            self.site.people.change_user(user, default_project_id=self.site.projects["adas"])
        self.networks = 0

    def submit(self, *options: str, name: str = "", reason: str = "more") -> int:
        """By ada, from CI: of one more network in the files. Returns the number."""
        self.networks += 1
        assert self.site.worker.wait_idle(60)
        spec = self.folder / "stead.yml"
        network = {"display_name": name or "more", "subnets": {"v4": {"cidr": f"10.{self.networks}.0.0/24"}}}
        spec.write_text(f"{spec.read_text()}      n{self.networks}: {json.dumps(network)}\n")
        file = str(self.folder / "new.plan")
        assert main(["plan", "-q", "-s", str(self.folder), "-o", file, *options]) == 0
        assert main(["review", "submit", file, "-s", str(self.folder), "--reason", reason]) == 0
        return int(self.call("GET", PLANS)[1]["reviews"][0]["id"])

    def call(self, method: str, path: str, body: Any = None, who: str = "lena") -> tuple[int, Any]:
        status, _, answer = self.site.call(method, path, body, who)
        return status, answer

    def approve(self, number: int, who: str = "lena", **more: Any) -> int:
        checksum = self.call("GET", f"{PLANS}/{number}")[1]["review"]["checksum"]
        return self.call("POST", f"{PLANS}/{number}/approve", {"checksum": checksum, **more}, who)[0]

    def ended(self, number: int) -> Any:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            review = self.call("GET", f"{PLANS}/{number}")[1]["review"]
            if review["state"] == "ended":
                return review
            time.sleep(0.05)
        raise AssertionError(review)


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reviewed]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEAD_WHO", "ada")
        found = Reviewed(tmp_path_factory.mktemp("reviewed"))
        yield found
        found.site.close()


def test_a_plan_is_approved_by_another_and_applied_by_the_server(reviewed: Reviewed) -> None:
    number = reviewed.submit()
    assert reviewed.call("POST", f"{PLANS}/{number}/apply", {})[0] == 409
    assert reviewed.approve(number, "ada") == 409
    assert reviewed.approve(number, reason="looks good") == 200
    assert reviewed.call("POST", f"{PLANS}/{number}/apply", {"reason": "now"}, "max")[0] == 202
    review = reviewed.ended(number)
    told = [(one["state"], one["who"], one["reason"]) for one in review["events"]]
    assert told[:3] == [("waiting", "ada", "more"), ("approved", "lena", "looks good"), ("asked", "max", "now")]
    assert told[3:] == [("applying", "stead serve", ""), ("ended", "stead serve", "done")]
    assert review["events"][1]["source"] == "127.0.0.1"
    assert review["events"][0]["source"].startswith("command line on ")
    run = reviewed.site.cloud.store.runs(1)[0]
    assert (run.plan, run.reason, run.outcome) == (review["plan"], f"review {number}, approved by lena", "done")
    assert main(["plan", "--detailed-exitcode", "-q", "-s", str(reviewed.folder)]) == 0
    audited = [(one.who, one.what, one.status) for one in reviewed.site.cloud.store.audited(50)]
    assert ("lena", f"POST {PLANS}/{number}/approve", 200) in audited
    assert ("ada", f"POST {PLANS}/{number}/approve", 409) in audited


def test_the_command_line_approves_nothing_where_two_must_agree(reviewed: Reviewed, capsys: Any) -> None:
    number = reviewed.submit()
    words = ["-s", str(reviewed.folder), "-q", "--auto-approve"]
    assert main(["review", "approve", str(number), *words]) == 1
    assert "STEAD-A009" in capsys.readouterr().err
    assert reviewed.call("POST", f"{PLANS}/{number}/refuse", {"reason": "no"}, "ada")[0] == 200
    assert reviewed.approve(number) == 409


def test_what_was_overtaken_is_told_and_not_done(reviewed: Reviewed) -> None:
    """Approved while it was fresh; then somebody applies something else."""
    number = reviewed.submit()
    assert reviewed.approve(number) == 200
    path = "/network/v2.0/networks"
    assert reviewed.site.call("POST", path, {"network": {"name": "other"}}, "bob")[0] == 201
    assert reviewed.site.worker.wait_idle(60)
    assert reviewed.call("GET", f"{PLANS}/{number}")[1]["review"]["outdated"] is True
    assert reviewed.call("POST", f"{PLANS}/{number}/apply", {})[0] == 202
    assert "STEAD-A001" in reviewed.ended(number)["events"][-1]["reason"]
    assert main(["plan", "--detailed-exitcode", "-q", "-s", str(reviewed.folder)]) == 2
    late = reviewed.submit()
    assert reviewed.site.call("POST", path, {"network": {"name": "third"}}, "bob")[0] == 201
    assert reviewed.site.worker.wait_idle(60)
    assert reviewed.approve(late) == 409


def test_the_approval_is_of_the_file_that_was_looked_at(reviewed: Reviewed) -> None:
    number = reviewed.submit()
    for checksum in ("", "0" * 64):
        body = {"checksum": checksum}
        assert reviewed.call("POST", f"{PLANS}/{number}/approve", body)[0] in (400, 409)
    assert reviewed.call("POST", f"{PLANS}/{number}/approve", {})[0] == 400


def test_data_is_lost_by_agreement_only(reviewed: Reviewed) -> None:
    number = reviewed.submit("--destroy")
    assert reviewed.approve(number) == 409
    browser = PlainBrowser(reviewed.site, "lena")
    text = browser.get(f"/reviews/{number}").text
    assert "type data-loss" in text
    checksum = re.findall(r'name="checksum" value="([0-9a-f]{64})"', text)[0]
    for typed, status in (("", 409), ("yes", 400), ("data-loss", 303)):
        assert browser.post(f"/reviews/{number}/approve", checksum=checksum, typed=typed).status == status
    assert reviewed.call("GET", f"{PLANS}/{number}")[1]["review"]["state"] == "approved"


def test_a_tenant_sees_no_plan(reviewed: Reviewed) -> None:
    number = reviewed.submit()
    for who in ("bob", "ray", "fay"):
        for path in (PLANS, f"{PLANS}/{number}", f"{PLANS}/{number}/file"):
            assert reviewed.call("GET", path, who=who)[0] == 403
        for action in ("approve", "refuse", "apply"):
            assert reviewed.call("POST", f"{PLANS}/{number}/{action}", {"checksum": "x"}, who)[0] == 403
        browser = PlainBrowser(reviewed.site, who)
        assert [browser.get(path).status for path in ("/reviews", f"/reviews/{number}")] == [403, 403]
        assert browser.post(f"/reviews/{number}/approve").status == 403
        assert "/portal/reviews" not in browser.get("/").text
    assert reviewed.call("GET", f"{PLANS}/{number}")[1]["review"]["state"] == "waiting"


def test_numbers_that_no_review_has(reviewed: Reviewed) -> None:
    browser = PlainBrowser(reviewed.site, "lena")
    for wrong in ("0", "x", "9" * 30, "-1", "%C2%B2", "1%2F2"):
        assert reviewed.call("GET", f"{PLANS}/{wrong}")[0] == 404
        assert browser.get(f"/reviews/{wrong}").status == 404
    assert browser.post("/reviews/1/nothing").status == 404


def test_a_person_decides_on_the_page(reviewed: Reviewed) -> None:
    number = reviewed.submit(name=HOSTILE, reason=HOSTILE)
    ada, lena = PlainBrowser(reviewed.site, "ada"), PlainBrowser(reviewed.site, "lena")
    page, listed = lena.get(f"/reviews/{number}"), lena.get("/reviews")
    for one in (page, listed):
        assert "<img src=x" not in one.text
        assert {*RunningParts(one.text).found} <= {"style"}
    assert "&lt;img src=x" in page.text
    policy = page.headers["content-security-policy"]
    styles = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    assert all(b64encode(sha256(one.encode()).digest()).decode() in policy for one in styles)
    assert "unsafe" not in policy
    checksum = re.findall(r'name="checksum" value="([0-9a-f]{64})"', page.text)[0]
    refused = ada.post(f"/reviews/{number}/approve", checksum=checksum)
    assert (refused.status, "STEAD-A009" in refused.text) == (409, True)
    form = {"checksum": checksum, "reason": HOSTILE}
    assert lena.post(f"/reviews/{number}/approve", origin="https://evil.example", **form).status == 403
    assert lena.post(f"/reviews/{number}/approve", **form).status == 303
    assert "Apply now" in lena.get(f"/reviews/{number}").text
    assert lena.post(f"/reviews/{number}/apply").status == 303
    reviewed.ended(number)
    text = lena.get(f"/reviews/{number}").text
    run = reviewed.site.cloud.store.runs(1)[0].id
    assert f"/portal/runs/{run}" in text
    assert '<button class="primary">' not in text
    assert {*RunningParts(text).found} <= {"style"}
    assert lena.get(f"/reviews/{number}", hx_request="true").status == 200


def approved_in(folder: Path) -> int:
    """A plan for a new network, approved; no server runs."""
    spec = folder / "stead.yml"
    spec.write_text(f"{spec.read_text()}      late: {{subnets: {{v4: {{cidr: 10.77.0.0/24}}}}}}\n")
    words = ["-s", str(folder)]
    assert main(["plan", "-q", "-o", str(folder / "late.plan"), *words]) == 0
    assert main(["review", "submit", str(folder / "late.plan"), *words]) == 0
    assert main(["review", "approve", "1", "-q", "--auto-approve", *words]) == 0
    return 1


@pytest.mark.parametrize("state", ["asked", "applying"])
def test_a_server_that_was_killed_goes_on_with_what_was_asked(tmp_path: Path, state: str) -> None:
    """Before it began, and after it had written that it begins."""
    first = Site(write_site(tmp_path, SITE.replace(INLINE, FILES)))
    assert first.worker.wait_idle(60)
    first.close()
    number = approved_in(tmp_path)
    with closing(first.means.open_store()) as store:
        by = here()
        reviewing.ask(store, number, by, ReviewSettings())
        if state == "applying":
            reviewing.begin(store, number, by._replace(who=WHO))
    again = Site(tmp_path, first.projects)
    try:
        assert again.worker.wait_idle(60)
        review = reviewing.known(again.cloud.store, number)
        assert (review.state, review.events[-1].reason) == ("ended", "done")
        assert next(iter(again.cloud.store.runs(1))).plan == review.plan
    finally:
        again.close()


def test_a_fault_of_our_own_ends_one_review_and_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(write_site(tmp_path, SITE.replace(INLINE, FILES)))
    try:
        assert site.worker.wait_idle(60)
        number = approved_in(tmp_path)
        with closing(site.means.open_store()) as store:
            reviewing.ask(store, number, here(), ReviewSettings())
        monkeypatch.setattr("stead.cli.common.plan_again.same_plan", lambda *_: 1 / 0)
        path = "/network/v2.0/networks"
        assert site.call("POST", path, {"network": {"name": "other"}}, "bob")[0] == 201
        assert site.worker.wait_idle(60)
        assert "internal error" in reviewing.known(site.cloud.store, number).events[-1].reason
        assert [one["status"] for one in site.call("GET", path, None, "bob")[2]["networks"]][-1] == "ACTIVE"
    finally:
        site.close()


@pytest.fixture(scope="module")
def roles(reviewed: Reviewed) -> Reviewed:
    """With olga and otto, who have a role in the whole cloud, and peter, who has olga's in a project."""
    people, bobs = reviewed.site.people, reviewed.site.projects["bobs"]
    for name, role, where in (("olga", "approver", SYSTEM), ("otto", "onlooker", SYSTEM), ("peter", "approver", bobs)):
        user = people.add_user(name, PASSWORD)
        people.assign(user, where, role_key(role))
        people.change_user(user, default_project_id=bobs if where == bobs else "")
    return reviewed


def in_the_cloud(site: Site, name: str) -> Mapping[str, str]:
    """A token that reaches beyond projects, as `openstack --os-system-scope all` gets it."""
    user = {"name": name, "domain": {"id": "default"}, "password": PASSWORD}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": {"system": {"all": True}}}}
    status, headers, _ = site.call("POST", "/identity/v3/auth/tokens", body)
    return {"X-Auth-Token": headers["x-subject-token"]} if status == 201 else {}


def test_a_role_in_the_whole_cloud_may_what_its_words_say(roles: Reviewed) -> None:
    number, site = roles.submit(), roles.site
    olga, otto = in_the_cloud(site, "olga"), in_the_cloud(site, "otto")
    checksum = {"checksum": site.call("GET", f"{PLANS}/{number}", headers=olga)[2]["review"]["checksum"]}
    assert site.call("GET", f"{PLANS}/{number}/file", headers=otto)[0] == 200
    assert site.call("GET", f"{PLANS}/{number}/file", headers=olga)[0] == 403
    assert site.call("POST", f"{PLANS}/{number}/approve", checksum, headers=otto)[0] == 403
    assert site.call("POST", f"{PLANS}/{number}/approve", checksum, headers=olga)[0] == 200
    assert site.call("POST", f"{PLANS}/{number}/apply", {}, headers=olga)[0] == 403
    assert site.call("GET", "/compute/v2.1/os-hypervisors", headers=olga)[0] == 403
    assert site.call("POST", f"{PLANS}/{number}/refuse", {}, headers=olga)[0] == 200


def test_the_same_role_in_a_project_reaches_no_plan(roles: Reviewed) -> None:
    number, peter = roles.submit(), PlainBrowser(roles.site, "peter")
    assert in_the_cloud(roles.site, "peter") == {}
    assert roles.call("GET", PLANS, who="peter")[0] == 403
    assert roles.call("POST", f"{PLANS}/{number}/approve", {"checksum": "x"}, "peter")[0] == 403
    assert peter.get(f"/reviews/{number}").status == 403


def test_an_approver_has_the_page_and_no_other_of_operators(roles: Reviewed) -> None:
    number, olga = roles.submit(), PlainBrowser(roles.site, "olga")
    text = olga.get(f"/reviews/{number}").text
    checksum = re.findall(r'name="checksum" value="([0-9a-f]{64})"', text)[0]
    for path in ("/hosts", "/runs", "/drift", "/projects", "/capacity"):
        assert olga.get(path).status == 403
        assert f"/portal{path}" not in text
    assert olga.post(f"/reviews/{number}/approve", checksum=checksum).status == 303
    assert olga.post(f"/reviews/{number}/apply").status == 403
    otto = PlainBrowser(roles.site, "otto")
    assert [otto.get(f"/reviews/{number}").status, otto.post(f"/reviews/{number}/refuse").status] == [200, 403]


def test_a_credential_that_was_given_to_a_program_approves_nothing(reviewed: Reviewed) -> None:
    number, site = reviewed.submit(), reviewed.site
    lena = site.people.named("lena")
    asked = {"application_credential": {"name": f"ci-{number}"}}
    made = site.call("POST", f"/identity/v3/users/{lena}/application_credentials", asked, "lena")
    given = made[2]["application_credential"]
    own = {"id": given["id"], "secret": given["secret"]}
    body = {"auth": {"identity": {"methods": ["application_credential"], "application_credential": own}}}
    token = {"X-Auth-Token": site.call("POST", "/identity/v3/auth/tokens", body)[1]["x-subject-token"]}
    review = site.call("GET", f"{PLANS}/{number}", headers=token)[2]["review"]
    checksum = {"checksum": review["checksum"]}
    assert site.call("POST", f"{PLANS}/{number}/approve", checksum, headers=token)[0] == 403
    assert site.call("POST", f"{PLANS}/{number}/refuse", {}, headers=token)[0] == 200
