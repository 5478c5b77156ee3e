"""The portal in a real browser: Chromium of the distribution, driven by Playwright. Hosts are simulated.

`STEAD_SCREENSHOTS=FOLDER` keeps a picture of each page.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.serve.portal import rfb_guest
from tests.serve.portal.browsing import with_network, with_server
from tests.serve.served import PASSWORD, Site

from stead.cli import main
from stead.core.value import replace
from stead.serve.portal.application import ROUTES
from stead.serve.routes import AccessPolicy

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="drives chromium"), pytest.mark.xdist_group("portal")]
HOSTILE = "<img src=x onerror=window.hacked=1>'\""
OPERATORS = (AccessPolicy.ADMIN, AccessPolicy.REVIEWER)
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser says that is wrong, and what it fetched from elsewhere."""
    return []


@pytest.fixture
def page(browser: Browser, site: Site, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    found = context.new_page()
    found.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    found.on("pageerror", lambda one: complaints.append(str(one)))
    found.on("request", lambda one: None if one.url.startswith((site.url, "data:")) else complaints.append(one.url))
    found.set_default_timeout(15_000)
    yield found
    context.close()


def log_in(page: Page, site: Site, name: str) -> None:
    page.goto(f"{site.url}/")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("nav.side", state="attached")


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("STEAD_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.fixture(scope="module")
def network(site: Site) -> str:
    return with_network(site, "bob")


def test_an_instance_from_its_form_to_its_end(page: Page, site: Site, network: str, complaints: list[str]) -> None:
    log_in(page, site, "bob")
    page.click("a.primary")
    page.fill("#name", "road")
    page.check(f"input[value='{network}']")
    page.wait_for_selector(".becomes b:text-is('road')")
    told = page.inner_text(".becomes .mono")
    picture(page, "create")
    page.click("button:text-is('Create')")
    page.wait_for_selector(".pill.active")  # without loading it again
    assert page.inner_text("#live table td.mono >> nth=0").split()[0] == told
    picture(page, "instance")
    page.hover("button:text-is('Stop')")
    page.wait_for_selector("#action-preview .tag:text-is('reboot')")
    page.click("button:text-is('Stop')")
    page.wait_for_selector(".pill.shutoff")
    page.click("button:text-is('Start')")
    page.wait_for_selector(".pill.active")
    page.focus("#typed")
    page.wait_for_selector("#delete-preview .tag.bad")
    page.fill("#typed", "road")
    page.click("button.bad")
    page.wait_for_url("**/portal/instances")
    assert page.locator("a:text-is('road')").count() == 0
    assert complaints == []


def test_the_list_is_searched_while_one_types_and_acted_on(page: Page, site: Site, complaints: list[str]) -> None:
    for name in ("red-1", "red-2", "blue-1"):
        with_server(site, "bob", name)
    assert site.worker.wait_idle(60)
    log_in(page, site, "bob")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/portal/instances")
    page.wait_for_selector("a:text-is('blue-1')")
    page.keyboard.press("/")
    page.keyboard.type("red")
    page.wait_for_selector("a:text-is('blue-1')", state="detached")
    assert "q=red" in page.url
    page.check("[data-all]")
    assert page.inner_text("[data-chosen]") == "2"
    picture(page, "instances")
    page.click(".bulk button:text-is('Stop')")
    page.wait_for_selector("tr:has-text('red-1') .pill.shutoff")
    page.wait_for_selector("tr:has-text('red-2') .pill.shutoff")
    page.wait_for_selector("tr:has-text('blue-1') .pill.active")
    assert complaints == []


def test_a_console_answers_who_types(
    page: Page, site: Site, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell of this machine stands for the guest: simulated ones have no console."""
    shell = ["script", "-qec", "sh", "/dev/null"]
    monkeypatch.setattr(site.cloud, "means", replace(site.means, console=lambda _record: shell))
    server = with_server(site, "bob", "typed")
    assert site.worker.wait_idle(60)
    log_in(page, site, "bob")
    page.goto(f"{site.url}/portal/instances/{server}")
    with page.context.expect_page() as opened:
        page.click("button:text-is('Console')")
    console = opened.value
    console.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
    console.wait_for_selector("[data-state].active")
    console.wait_for_selector(".xterm-rows:has-text('#')")
    console.keyboard.type("echo hello $((6*7))")
    console.keyboard.press("Enter")
    console.wait_for_selector(".xterm-rows:has-text('hello 42')")
    picture(console, "console")
    console.keyboard.type("exit")
    console.keyboard.press("Enter")
    console.wait_for_selector("[data-state].shutoff")
    assert complaints == []


def test_a_screen_is_shown_and_typed_to(
    page: Page, site: Site, complaints: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    words = [sys.executable, rfb_guest.__file__, str(keys)]
    monkeypatch.setattr(site.cloud, "means", replace(site.means, screen=lambda _record: words))
    server = with_server(site, "bob", "shown")
    assert site.worker.wait_idle(60)
    log_in(page, site, "bob")
    page.goto(f"{site.url}/portal/instances/{server}")
    with page.context.expect_page() as opened:
        page.click("button:text-is('Screen')")
    screen = opened.value
    screen.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
    screen.wait_for_selector("[data-state].active")
    colour = "() => [...document.querySelector('canvas').getContext('2d').getImageData(40, 30, 1, 1).data].join()"
    screen.wait_for_function(f"({colour})() === '255,0,0,255'")
    screen.keyboard.press("a")
    screen.click("[data-keys]")
    picture(screen, "screen")
    screen.wait_for_function("() => document.querySelector('[data-keys]').disabled === false")
    for _ in range(100):
        if keys.exists() and keys.read_text().split() == ["61", "ffe3", "ffe9", "ffff"]:
            break
        screen.wait_for_timeout(100)
    assert keys.read_text().split() == ["61", "ffe3", "ffe9", "ffff"], "a, and Ctrl+Alt+Del"
    screen.close()
    assert complaints == []


@pytest.fixture
def submitted(site: Site, tmp_path: Path) -> int:
    """A plan for the projects of files, with a hostile name in it; its review."""
    assert site.worker.wait_idle(60)
    spec = ["-s", str(site.means.root)]
    instance = {"display_name": HOSTILE, "flavor": "tiny", "image": "cirros", "networks": ["inner"]}
    file = site.means.root / "stead.yml"
    one = f"{tmp_path.name.replace('_', '-')}: {json.dumps(instance)}"
    first = file.read_text().replace("files: {networks", "files: {instances: {}, networks")
    file.write_text(first.replace("instances: {", f"instances: {{{one}, "))
    plan = str(tmp_path / "it.plan")
    assert main(["plan", "-q", "-o", plan, *spec]) == 0
    assert main(["review", "submit", plan, "--reason", HOSTILE, *spec]) == 0
    return site.cloud.store.reviews(1)[0].id


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_plan_is_approved_and_applied_while_one_looks(
    page: Page, site: Site, submitted: int, complaints: list[str], scheme: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    log_in(page, site, "ada")
    page.click("nav.side a:text-is('Plans for review')")
    picture(page, f"{scheme}-reviews-some")
    page.click(f"td a:text-is('{submitted}')")
    page.wait_for_selector("svg .st-box >> nth=0")
    assert page.evaluate("getComputedStyle(document.querySelector('svg .st-edge')).fill") == "none"  # it has its style
    assert _serious(Axe(), page) == []
    picture(page, f"{scheme}-review")
    page.fill("#reason", "looks good")
    page.click("button:text-is('Approve')")
    page.wait_for_selector("#live .pill.approved >> nth=0")
    picture(page, f"{scheme}-review-approved")
    page.click("button:text-is('Apply now')")
    page.wait_for_selector("#live .pill.ended >> nth=0")  # without loading it again
    page.wait_for_selector("#live .pill.done")
    assert _serious(Axe(), page) == []
    picture(page, f"{scheme}-review-ended")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    picture(page, f"{scheme}-review-phone")
    assert page.evaluate("window.hacked") is None
    assert complaints == []


@pytest.mark.parametrize("streams", [True, False], ids=["by a stream", "asking"])
def test_an_open_page_shows_what_is_new(page: Page, site: Site, complaints: list[str], *, streams: bool) -> None:
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if one.headers.get("x-stead-refresh") else None)
    if not streams:
        page.route("**/portal/live", lambda route: route.fulfill(status=204))
    log_in(page, site, "bob")
    page.goto(f"{site.url}/portal/networks")
    page.wait_for_timeout(1500)  # once for what may have changed before the stream began
    asked.clear()
    page.wait_for_timeout(7000)
    assert len(asked) == 0 if streams else len(asked) >= 2
    name = f"new-{streams}"
    assert site.call("POST", "/network/v2.0/networks", {"network": {"name": name}}, "bob")[0] == 201
    page.wait_for_selector(f"td:has-text('{name}')")
    assert complaints == []


def test_the_keyboard_and_the_dark(page: Page, site: Site) -> None:
    log_in(page, site, "bob")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_on_a_phone_nothing_is_cut_off(page: Page, site: Site) -> None:
    with_server(site, "bob", "n" * 120)
    page.set_viewport_size({"width": 360, "height": 740})
    log_in(page, site, "bob")
    for path in own_pages():
        page.goto(f"{site.url}/portal{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        picture(page, f"phone{path.replace('/', '-')}")
    page.click("[data-menu]")
    page.click("nav.side a:text-is('Instances')")
    page.wait_for_url("**/portal/instances")


def test_the_reader_s_language_is_spoken(browser: Browser, site: Site) -> None:
    context = browser.new_context(locale="ko-KR")
    page = context.new_page()
    log_in(page, site, "bob")
    assert page.get_attribute("html", "lang") == "ko"
    assert page.inner_text("h1") == "개요"
    picture(page, "korean")
    context.close()


def own_pages(*more: AccessPolicy) -> list[str]:
    shown = (AccessPolicy.READER, AccessPolicy.MEMBER, AccessPolicy.ANYONE, *more)
    pages = [one for one in ROUTES if one.method == "GET" and "{" not in one.path and one.path != "/live"]
    return [one.path for one in pages if one.policy in shown]


@pytest.fixture(scope="module")
def hostile(site: Site) -> str:
    network = with_network(site, "ada", HOSTILE)
    site.call("POST", "/network/v2.0/security-groups", {"security_group": {"name": HOSTILE}}, "ada")
    site.call("POST", "/network/v2.0/routers", {"router": {"name": HOSTILE}}, "ada")
    volume = {"volume": {"name": HOSTILE, "size": 1}}
    site.call("POST", f"/volume/v3/{site.projects['adas']}/volumes", volume, "ada")
    made = with_server(site, "ada", HOSTILE, network, metadata={"k": HOSTILE})
    assert site.worker.wait_idle(60)
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_for_everybody_and_hurts_nobody(
    page: Page, site: Site, hostile: str, complaints: list[str], scheme: Any
) -> None:
    """Every page that there is, with hostile names in it: by axe-core's rules, and with nothing of them run."""
    from axe_playwright_python.sync_playwright import Axe

    axe, found = Axe(), {}
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{site.url}/portal/login")
    found["/login"] = _serious(axe, page)
    log_in(page, site, "ada")
    more = [f"/instances/{hostile}", "/hosts/compute-1/death", "/hosts/network-1/death", "/nowhere"]
    for path in [*own_pages(*OPERATORS), *_single(page, site), *more]:
        page.goto(f"{site.url}/portal{path}")
        found[path] = _serious(axe, page)
        picture(page, f"{scheme}{path.replace('/', '-')}"[:60])
    assert {path: some for path, some in found.items() if some} == {}
    assert page.evaluate("window.hacked") is None
    assert [one for one in complaints if "404" not in one] == []


def _single(page: Page, site: Site) -> list[str]:
    """The first of each list."""
    found: list[str] = []
    for path in own_pages(*OPERATORS):
        page.goto(f"{site.url}/portal{path}")
        links = page.locator("main td a, main a.host").all()[:1]
        found += [(one.get_attribute("href") or "").removeprefix("/portal") for one in links]
    assert len(found) >= 8
    return sorted(set(found))


def _serious(axe: Any, page: Page) -> list[str]:
    told = axe.run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in told if one["impact"] in SERIOUS]
