"""`stead image` and `stead launch`, against a publisher that the test serves."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from stead.catalogue import CATALOGUE, checksum_in, mirrored
from stead.cli import main
from stead.cli.common import approval
from stead.core.diagnostics import Refused

DEBIAN, UBUNTU, FEDORA = (CATALOGUE[name] for name in ("debian/12", "ubuntu/24.04", "fedora/41"))
SUM = hashlib.sha512(b"an image").hexdigest()
SHORT = hashlib.sha256(b"an image").hexdigest()
SITE = """stead: 1
site:
  image_mirrors: {"https://cloud.debian.org/images/cloud/": "%(url)s/", "https://cloud-images.ubuntu.com/": "%(url)s/",
                  "https://dl.fedoraproject.org/": "%(url)s/"}
flavors:
  small: {vcpus: 1, memory: 1GiB, disk: 10GiB}
projects:
  acme:
    networks:
      app: {subnets: {v4: {cidr: 10.20.0.0/24}}}
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "published"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(publisher: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("STEAD_STORE", "STEAD_STORE_KEY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(variable, raising=False)
    here = tmp_path / "site"
    here.mkdir()
    monkeypatch.chdir(here)
    assert main(["init", "demo"]) == 0
    Path("inventory.yml").write_text(Path("demo/inventory.yml").read_text())
    Path("stead.yml").write_text(SITE % {"url": publisher[0]})
    publish(publisher[1] / "bookworm/latest" / DEBIAN.sums, f"{'0' * 128}  other\n{SUM}  {DEBIAN.file}\n")
    return here


def publish(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return "".join(capsys.readouterr())


def use(site: Path, name: str = "debian/12") -> None:
    (site / "images.yml").write_text(f"stead: 1\nimages: {{it: {name}}}\n")


def test_an_image_of_the_catalogue_is_locked_and_planned(
    site: Path, publisher: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    use(site)
    assert main(["validate"]) == 1
    assert "STEAD-R006" in (said := told(capsys))
    assert "`stead image lock`" in said
    assert main(["image", "lock"]) == 0
    lock = yaml.safe_load(Path("images.lock.yml").read_text())
    url = f"{publisher[0]}/bookworm/latest/debian-12-genericcloud-amd64.qcow2"
    assert lock["profiles"]["debian/12"] == {
        "source": url,
        "checksum": f"sha512:{SUM}",
        "architecture": "x86_64",
        "os": "debian12",
        "user": "debian",
    }
    assert main(["validate"]) == 0
    assert main(["apply", "--auto-approve"]) == 0
    told(capsys)
    assert main(["show", "images/it", "--json"]) == 0
    assert url in told(capsys)
    assert main(["plan", "--detailed-exitcode"]) == 0


def test_what_is_locked_stays_until_it_is_renewed(
    site: Path, publisher: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    use(site)
    assert main(["image", "lock"]) == 0
    before = Path("images.lock.yml").read_text()
    publish(publisher[1] / "bookworm/latest" / DEBIAN.sums, f"{'1' * 128}  {DEBIAN.file}\n")
    capsys.readouterr()
    assert main(["image", "lock"]) == 0
    assert Path("images.lock.yml").read_text() == before
    assert "Everything is locked." in told(capsys)
    assert main(["image", "verify"]) == 2
    assert f"debian/12  changed: sha512:{'1' * 128}" in told(capsys)
    assert main(["image", "lock", "--renew"]) == 0
    assert main(["image", "verify"]) == 0
    assert "debian/12  the same" in told(capsys)


@pytest.mark.parametrize(
    ("sums", "code"),
    [
        (None, "STEAD-C101"),
        ("", "STEAD-C102"),
        (f"{SUM}  another\n{SUM}  more\n", "STEAD-C102"),
        (f"{'0' * 128}  {DEBIAN.file}\n{SUM}  {DEBIAN.file}\n", "STEAD-C102"),
        (f"{SUM[:64]}  {DEBIAN.file}\n{'0' * 128}  x\n", "STEAD-C102"),
        ("x" * (1 << 21), "STEAD-C101"),
    ],
)
def test_what_is_no_certain_checksum_is_refused_and_nothing_is_written(
    site: Path, publisher: tuple[str, Path], capsys: pytest.CaptureFixture[str], sums: str | None, code: str
) -> None:
    use(site)
    path = publisher[1] / "bookworm/latest" / DEBIAN.sums
    path.unlink() if sums is None else path.write_text(sums)
    assert main(["image", "lock"]) == 1
    assert code in told(capsys)
    assert not Path("images.lock.yml").exists()


def test_a_name_that_the_catalogue_has_not_is_told(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "show", "debian/21"]) == 1
    assert "STEAD-C100" in (said := told(capsys))
    assert "Did you mean 'debian/1" in said
    use(site, "debain/12")
    assert main(["image", "lock"]) == 1
    assert "STEAD-C100" in told(capsys)
    assert main(["image", "list"]) == 0
    assert "debian/12" in told(capsys)


def keys(folder: Path, name: str) -> tuple[dict[str, str], Path]:
    home = folder / name
    home.mkdir(mode=0o700)
    around = os.environ | {"GNUPGHOME": str(home)}
    gpg = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-generate-key", f"{name}@example.org", "ed25519", "sign"], env=around, check=True)
    ring = folder / f"{name}.gpg"
    subprocess.run([*gpg, "--output", str(ring), "--export"], env=around, check=True)
    return around, ring


def test_signatures_are_checked_with_a_keyring(
    site: Path, publisher: tuple[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    around, ring = keys(site.parent, "publisher")
    _, other = keys(site.parent, "other")
    sign = ["gpg", "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    monkeypatch.setitem(CATALOGUE, UBUNTU.name, UBUNTU._replace(key=""))
    detached = publish(publisher[1] / "releases/noble/release" / UBUNTU.sums, f"{SHORT} *{UBUNTU.file}\n")
    subprocess.run([*sign, "--output", f"{detached}.gpg", "--detach-sign", str(detached)], env=around, check=True)
    inline = publish(
        publisher[1] / FEDORA.folder.removeprefix("https://dl.fedoraproject.org/") / FEDORA.sums,
        f"SHA256 ({FEDORA.file}) = {SHORT}\n",
    )
    subprocess.run([*sign, "--output", f"{inline}.asc", "--clearsign", str(inline)], env=around, check=True)
    # What stands around the signed text is anybody's.
    inline.write_text(f"SHA256 ({FEDORA.file}) = {'0' * 64}\n" + Path(f"{inline}.asc").read_text())
    names = [UBUNTU.name, FEDORA.name]
    assert main(["image", "lock", *names, "--keyring", str(other)]) == 1
    assert "STEAD-C103" in told(capsys)
    assert main(["image", "lock", *names, "--keyring", str(ring)]) == 0
    lock = yaml.safe_load(Path("images.lock.yml").read_text())["profiles"]
    assert [lock[name]["checksum"] for name in names] == [f"sha256:{SHORT}"] * 2
    detached.write_text(f"{'0' * 64} *{UBUNTU.file}\n")
    assert main(["image", "lock", UBUNTU.name, "--renew", "--keyring", str(ring)]) == 1
    assert "STEAD-C103" in told(capsys)
    assert main(["image", "lock", DEBIAN.name, "--keyring", str(ring)]) == 1
    assert "signs nothing" in told(capsys)


def test_a_key_that_was_revoked_signs_nothing_any_more(
    site: Path, publisher: tuple[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CATALOGUE, UBUNTU.name, UBUNTU._replace(key=""))
    around, ring = keys(site.parent, "publisher")
    sums = publish(publisher[1] / "releases/noble/release" / UBUNTU.sums, f"{SHORT} *{UBUNTU.file}\n")
    gpg = ["gpg", "--batch", "--quiet", "--yes", "--passphrase", ""]
    subprocess.run([*gpg, "--output", f"{sums}.gpg", "--detach-sign", str(sums)], env=around, check=True)
    (kept,) = (site.parent / "publisher/openpgp-revocs.d").iterdir()
    revocation = publish(site.parent / "revocation", kept.read_text().replace(":---", "---"))
    subprocess.run([*gpg, "--import", str(revocation)], env=around, check=True)
    subprocess.run([*gpg, "--output", str(ring), "--export"], env=around, check=True)
    assert main(["image", "lock", UBUNTU.name, "--keyring", str(ring)]) == 1
    assert "expired or was revoked" in told(capsys)


def test_the_publishers_own_key_must_have_signed_where_it_is_known(
    site: Path, publisher: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    around, ring = keys(site.parent, "publisher")
    detached = publish(publisher[1] / "releases/noble/release" / UBUNTU.sums, f"{SHORT} *{UBUNTU.file}\n")
    command = ["gpg", "--batch", "--quiet", "--passphrase", "", "--output", f"{detached}.gpg", "--detach-sign"]
    subprocess.run([*command, str(detached)], env=around, check=True)
    assert main(["image", "lock", UBUNTU.name, "--keyring", str(ring)]) == 1
    assert "STEAD-C103" in told(capsys)


@pytest.mark.usefixtures("site")
def test_launch_writes_the_lines_and_applies(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["launch", "debian/12", "--flavor", "small", "--auto-approve"]) == 0
    assert yaml.safe_load(Path("debian-12.yml").read_text()) == {
        "stead": 1,
        "images": {"debian-12": "debian/12"},
        "projects": {
            "acme": {"instances": {"debian-12": {"flavor": "small", "image": "debian-12", "networks": ["app"]}}}
        },
    }
    capsys.readouterr()
    assert main(["show", "acme/instances/debian-12"]) == 0
    assert main(["plan", "--detailed-exitcode"]) == 0
    assert main(["launch", "debian/12", "--flavor", "small", "--name", "web", "--count", "2", "--auto-approve"]) == 0
    assert "images" not in yaml.safe_load(Path("web.yml").read_text())
    assert main(["fmt", "--check", "web.yml", "debian-12.yml", "images.lock.yml"]) == 0
    capsys.readouterr()
    assert main(["launch", "debian/12", "--flavor", "small", "--name", "web", "--auto-approve"]) == 1
    assert "STEAD-C105" in told(capsys)


def test_what_is_refused_leaves_the_spec_as_it_was(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(path.name for path in site.iterdir())
    assert main(["launch", "debian/12", "--flavor", "smal", "--auto-approve"]) == 1
    assert "Did you mean 'small'?" in told(capsys)
    assert main(["launch", "debian/12", "--flavor", "small", "--name", "Web_1", "--auto-approve"]) == 1
    assert "STEAD-C104" in told(capsys)
    assert main(["launch", "debian/12", "--flavor", "small", "--name", "../out", "--auto-approve"]) == 1
    told(capsys)
    assert main(["launch", "debian/12", "--flavor", "small"]) == 1  # there is no terminal to approve at
    assert "approv" in told(capsys)
    monkeypatch.setattr(approval, "approved", lambda *_: False)
    assert main(["launch", "debian/12", "--flavor", "small"]) == 3
    told(capsys)
    assert main(["launch", "debian/12", "--flavor", "small", "-s", "stead.yml", "--auto-approve"]) == 1
    assert "STEAD-C104" in told(capsys)
    (site / "more.yml").write_text("stead: 1\nprojects: {birch: {}}\n")
    assert main(["launch", "debian/12", "--flavor", "small", "--auto-approve"]) == 1
    assert "The spec has the projects acme, birch. Choose one with --project." in told(capsys)
    assert main(["launch", "debian/12", "--flavor", "small", "--project", "birch", "--auto-approve"]) == 1
    assert "The spec has no network." in told(capsys)
    after = {path.name for path in site.iterdir()} - {".stead", "images.lock.yml", "more.yml"}
    assert sorted(after) == [name for name in before if name != ".stead"]
    assert not (site.parent / "out.yml").exists()


def test_checksum_files_of_all_forms_are_read() -> None:
    for text in (f"{SHORT}  f.img\n", f"{SHORT} *f.img\n", f"# c\nSHA256 (f.img) = {SHORT.upper()}\n", f"{SHORT}\n"):
        assert checksum_in(text, "f.img", "sha256") == f"sha256:{SHORT}"
    for text in (f"{SHORT}  fximg\n{SHORT}  g\n", f"{SHORT}\n{SHORT}  g\n", f"{SHORT}  f.img.xz\nx\n", ""):
        assert checksum_in(text, "f.img", "sha256") == ""


def test_the_longest_prefix_says_the_mirror() -> None:
    mirrors = {"https://a/": "http://m/", "https://a/b/": "http://n/"}
    assert mirrored("https://a/b/c", mirrors) == "http://n/c"
    assert mirrored("https://a/c", mirrors) == "http://m/c"
    assert mirrored("https://b/c", mirrors) == "https://b/c"


def test_every_entry_has_a_url_of_its_own() -> None:
    urls = [one.url for one in CATALOGUE.values()]
    assert len(set(urls)) == len(urls)
    assert all(url.startswith("https://") for url in urls)
    assert all(one.folder.endswith("/") for one in CATALOGUE.values())


def test_refused_is_what_a_wrong_scheme_gets() -> None:
    from stead.cli.common.publishers import fetched

    with pytest.raises(Refused):
        fetched("file:///etc/passwd")


@pytest.mark.parametrize("place", ["ftp://192.0.2.1/sums", "file:///etc/passwd", "gopher://x/"])
def test_a_redirect_leads_to_nothing_but_the_web(place: str) -> None:
    from stead.cli.common.publishers import fetched

    class Redirecting(Quiet):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", place)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Redirecting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(Refused, match=r"which is not https|not allowed"):
            fetched(f"http://127.0.0.1:{server.server_port}/sums")
    finally:
        server.shutdown()
        server.server_close()


def test_launch_takes_no_other_image_for_it(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "own.yml").write_text("stead: 1\nimages: {debian-12: {source: /srv/own.qcow2}}\n")
    assert main(["launch", "debian/12", "--flavor", "small", "--name", "web", "--auto-approve"]) == 1
    assert "STEAD-C104" in (said := told(capsys))
    assert "own.yml" in said
    (site / "own.yml").unlink()
    assert main(["launch", "debian/12", "--flavor", "small", "--name", "prices", "--auto-approve"]) == 1
    assert "STEAD-C104" in told(capsys)
    assert not (site / "prices.yml").exists()
