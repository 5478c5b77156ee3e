"""Codes of an app beside the password: when they are asked for, once each, and never instead of it."""

from __future__ import annotations

import io
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.serve.portal.browsing import PlainBrowser
from tests.serve.served import PASSWORD, Reply, Site, write_site

from stead.cli import main
from stead.cli.common.serving import people_of
from stead.serve.faults import Fault
from stead.serve.identity import second_factor
from stead.serve.identity.second_factor import HOLDS, STEP, LoginReceipt, SealedReceipts

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105
VECTOR = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # of RFC 6238, appendix B
RECEIPT = re.compile(r'name="receipt" value="([^"]+)"')


class Phone:
    """An app with a secret, and a clock that everybody shares."""

    def __init__(self, site: Site, name: str) -> None:
        self.now, self.secret = time.time(), SECRET
        site.people._clock = lambda: self.now
        user = site.people.named(name)
        assert user is not None
        self.user = user
        assert second_factor.enrol(site.people, user, SECRET, self.code())
        self.now += STEP

    def code(self, steps: int = 0) -> str:
        return second_factor._code(self.secret, int(self.now // STEP) + steps).decode()


@pytest.fixture
def phone(own_site: Site) -> Phone:
    return Phone(own_site, "bob")


def enter(site: Site, code: str | None, *, password: str | None = PASSWORD, receipt: str = "", **who: Any) -> Reply:
    user = {"name": "bob", "domain": {"id": "default"}, **who}
    identity: dict[str, Any] = {"methods": []}
    if password is not None:
        identity["methods"].append("password")
        identity["password"] = {"user": {**user, "password": password}}
    if code is not None:
        identity["methods"].append("totp")
        identity["totp"] = {"user": {"passcode": code} if receipt else {**user, "passcode": code}}
    headers = {"Openstack-Auth-Receipt": receipt} if receipt else {}
    return site.call("POST", "/identity/v3/auth/tokens", {"auth": {"identity": identity}}, headers=headers)


def receipt_of(answer: Reply) -> str:
    assert answer[0] == 401
    return answer[1]["openstack-auth-receipt"]


@pytest.mark.parametrize(("at", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_codes_are_those_of_the_standard(at: float, code: str) -> None:
    assert second_factor.step_of(VECTOR, code, at) == at // STEP


def test_password_and_code_are_both_needed(own_site: Site, phone: Phone) -> None:
    status, headers, body = enter(own_site, None)
    assert (status, headers["x-stead-code"]) == (401, "STEAD-W014")
    assert body["receipt"]["methods"] == ["password"]
    assert body["required_auth_methods"] == [["password", "totp"]]
    assert "openstack-auth-receipt" not in enter(own_site, None, password="wrong one")[1]  # noqa: S106
    assert enter(own_site, phone.code(), password=None)[0] == 401
    assert enter(own_site, phone.code(), password="wrong one")[0] == 401  # noqa: S106
    assert enter(own_site, "000000")[0] == 401
    answer = enter(own_site, phone.code())
    assert answer[0] == 201
    assert answer[2]["token"]["methods"] == ["password", "totp"]
    assert own_site.log_in("eve")[0] == 201  # who has no app is not asked


def test_a_token_says_only_what_was_proved(own_site: Site, phone: Phone) -> None:
    """Whatever its user says of it."""
    user = {"name": "eve", "domain": {"id": "default"}}
    said = {"password": {"user": {**user, "password": PASSWORD}}, "totp": {"user": {**user, "passcode": "000000"}}}
    for some in (said, {"password": said["password"]}):
        body = {"auth": {"identity": {"methods": ["password", "totp", "token"], **some}}}
        assert own_site.call("POST", "/identity/v3/auth/tokens", body)[2]["token"]["methods"] == ["password"]
    receipt = receipt_of(enter(own_site, None))
    answer = enter(own_site, phone.code(), password=None, receipt=receipt)
    assert answer[2]["token"]["methods"] == ["password", "totp"]
    again = {"identity": {"methods": ["token", "saml2"], "token": {"id": answer[1]["x-subject-token"]}}}
    answer = own_site.call("POST", "/identity/v3/auth/tokens", {"auth": again})
    assert answer[2]["token"]["methods"] == ["password", "totp", "token"]


def test_a_code_is_good_once_and_so_is_none_before_it(own_site: Site, phone: Phone) -> None:
    first = phone.code()
    assert enter(own_site, first)[0] == 201
    assert enter(own_site, first)[0] == 401
    assert enter(own_site, phone.code(-1))[0] == 401
    assert enter(own_site, phone.code(1))[0] == 201
    assert enter(own_site, first)[0] == 401


def test_a_code_is_good_once_whichever_process_is_asked(own_site: Site, phone: Phone) -> None:
    other, code = people_of(own_site.means), phone.code()
    other._clock = lambda: phone.now
    other.known()
    assert enter(own_site, code)[0] == 201
    with pytest.raises(Fault):
        second_factor.prove(other, own_site.people.named("bob") or "", code, "")


def test_two_at_the_same_moment_have_one_login(own_site: Site, phone: Phone) -> None:
    code = phone.code()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: enter(own_site, code)[0], range(8)))
    assert sorted(answers) == [201, *[401] * 7]


def test_a_code_of_long_ago_or_of_somebody_else_is_none(own_site: Site, phone: Phone) -> None:
    old = phone.code()
    phone.now += 3 * STEP
    assert enter(own_site, old)[0] == 401
    assert enter(own_site, phone.code(2))[0] == 401
    eve = own_site.people.named("eve")
    body = {"methods": ["password", "totp"], "totp": {"user": {"id": eve, "passcode": phone.code()}}}
    body["password"] = {"user": {"id": phone.user, "password": PASSWORD}}
    assert own_site.call("POST", "/identity/v3/auth/tokens", {"auth": {"identity": body}})[0] == 401
    for odd in ("", "abcdef", "12345", "٣٣٣٣٣٣", "1" * 16):
        assert enter(own_site, odd)[0] == 401


def test_wrong_codes_lock_for_an_hour_though_the_password_is_right(own_site: Site, phone: Phone) -> None:
    for _ in range(5):
        assert enter(own_site, "000000")[0] == 401
        assert enter(own_site, None)[0] == 401  # a good password does not begin the count again
    assert enter(own_site, phone.code())[0] == 401
    own_site.people.codes._wrong.clear()
    assert enter(own_site, phone.code())[0] == 201


def test_a_receipt_stands_for_the_password(own_site: Site, phone: Phone) -> None:
    receipt = receipt_of(enter(own_site, None))
    assert enter(own_site, "000000", password=None, receipt=receipt)[0] == 401
    assert enter(own_site, phone.code(), password=None, receipt=receipt)[0] == 201


def test_a_receipt_that_is_old_or_forged_or_a_token_is_none(own_site: Site, phone: Phone) -> None:
    receipt = receipt_of(enter(own_site, None))
    token = own_site.token("eve")
    forged = SealedReceipts("another key").sealed(LoginReceipt(phone.user, phone.now, ("password",)))
    for text in (token, forged, receipt[:-2], "x", "é"):
        quoted = text.encode("utf-8").decode("latin-1")
        assert enter(own_site, phone.code(), password=None, receipt=quoted)[0] == 401
    assert own_site.call("GET", "/identity/v3/auth/projects", headers={"X-Auth-Token": receipt})[0] == 401
    eves = SealedReceipts(own_site.people.token_key())
    other = eves.sealed(LoginReceipt(own_site.people.named("eve") or "", phone.now, ("password",)))
    assert enter(own_site, phone.code(), password=None, receipt=other)[0] == 401  # no app, and so no such login
    phone.now += HOLDS + 1
    assert enter(own_site, phone.code(), password=None, receipt=receipt)[0] == 401


def test_a_new_password_ends_a_receipt(own_site: Site, phone: Phone) -> None:
    receipt = receipt_of(enter(own_site, None))
    phone.now += 1
    own_site.people.change_user(phone.user, password="another long one")  # noqa: S106
    assert enter(own_site, phone.code(), password=None, receipt=receipt)[0] == 401


def test_tokens_from_before_the_app_end(own_site: Site) -> None:
    token = own_site.token("bob")
    assert own_site.call("GET", "/identity/v3/auth/projects", headers={"X-Auth-Token": token})[0] == 200
    Phone(own_site, "bob")
    assert own_site.call("GET", "/identity/v3/auth/projects", headers={"X-Auth-Token": token})[0] == 401


def test_no_answer_has_the_secret(own_site: Site, phone: Phone) -> None:
    own_site.people.codes._wrong.clear()
    token = enter(own_site, phone.code())[1]["x-subject-token"]
    for path in (f"/users/{phone.user}", "/credentials", f"/users/{phone.user}/application_credentials"):
        answer = own_site.call("GET", f"/identity/v3{path}", headers={"X-Auth-Token": token})
        assert SECRET not in str(answer)
    assert SECRET not in str(own_site.call("GET", "/identity/v3/users", who="ada"))


def test_the_portal_asks_for_the_code(own_site: Site, phone: Phone) -> None:
    browser = PlainBrowser(own_site)
    page = browser.log_in("bob")
    assert page.status == 401
    receipt = RECEIPT.findall(page.text)[0]
    assert browser.get("/").status == 303  # not in yet
    wrong = browser.post("/login/code", receipt=receipt, code="000000")
    assert (wrong.status, RECEIPT.findall(wrong.text)) == (401, [receipt])
    assert PASSWORD not in page.text + wrong.text
    code = phone.code()
    assert browser.post("/login/code", receipt=receipt, code=f"{code[:3]} {code[3:]}").status == 303
    assert browser.get("/").status == 200


def test_the_portal_takes_no_receipt_of_its_visitors_making(own_site: Site, phone: Phone) -> None:
    browser = PlainBrowser(own_site)
    page = browser.post("/login/code", receipt='"><script>', code=phone.code())
    assert page.status == 401
    assert "<script>" not in page.text


def test_an_app_is_enrolled_by_a_command_with_a_code_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(write_site(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["user", "create", "ada", "--admin", "-s", folder]) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("000000\n"))
    assert main(["user", "totp", "ada", "-s", folder]) == 1
    told = capsys.readouterr()
    assert "STEAD-C108" in told.err
    assert "otpauth://totp/Stead:ada?secret=" in told.out
    monkeypatch.setattr(second_factor, "new_secret", lambda: SECRET)
    code = second_factor._code(SECRET, int(time.time() // STEP)).decode()
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{code[:3]} {code[3:]}\n"))
    assert main(["user", "totp", "ada", "-s", folder]) == 0
    assert main(["user", "list", "-s", folder]) == 0
    assert "ada  (totp)" in capsys.readouterr().out
    assert main(["user", "totp", "nobody", "-s", folder]) == 1
    assert "There is no user nobody" in capsys.readouterr().err
    assert main(["user", "totp", "ada", "--off", "-s", folder]) == 0
    assert main(["user", "list", "-s", folder]) == 0
    assert "totp" not in capsys.readouterr().out.rpartition("ada")[2]
