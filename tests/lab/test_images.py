"""Images on real hosts: fetched from a real server, converted, booted, exchanged under running guests, and refused."""

from __future__ import annotations

import hashlib
import lzma
import re
import shutil
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from driving import Driven, prepare, tiny
from leftovers import differences, listing
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = pytest.mark.lab

UNCHECKED = "site: {unchecked_images: true}"  # a site that believes what answers at a URL

# Prints to the serial port and halts: what a BIOS boots from a CD without any system on it.
HELLO = b"stead: booted from the CD\r\n"
BOOT = bytes([0xFA, 0x31, 0xC0, 0x8E, 0xD8, 0xFC, 0xBE, 0x18, 0x7C, 0xBA, 0xF8, 0x03, 0xAC, 0x84, 0xC0])
BOOT += bytes([0x74, 0x03, 0xEE, 0xEB, 0xF8, 0xF4, 0xEB, 0xFD]).ljust(9, b"\x90")


@dataclass
class Web:
    """Serves a directory with ranges and marks. `breaks` names files whose next answer ends after so many bytes."""

    folder: Path
    breaks: dict[str, list[int]] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # who, what, from where

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        name, wanted = to.path.lstrip("/"), to.headers.get("Range", "")
        self.asked.append((to.client_address[0], name, wanted))
        try:
            data = (self.folder / name).read_bytes()
        except FileNotFoundError:
            to.send_error(404)
            return
        mark = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and to.headers.get("If-Range") == mark else 0
        to.send_response(206 if start else 200)
        to.send_header("Content-Length", str(len(data) - start))
        if start:
            to.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        to.send_header("ETag", mark)
        to.end_headers()
        most = self.breaks[name].pop(0) if self.breaks.get(name) else len(data)
        to.wfile.write(data[start : start + most])

    def serve(self, address: str, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.answer(self)

            def log_message(self, *_words: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_words: object) -> None:  # a client that does not trust us hangs up
                pass

        server = Server((address, 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


@pytest.fixture(scope="module")
def pair(make_lab: Callable[..., Lab]) -> Lab:
    found = make_lab("i", parse({"hosts": {"controller": 1, "compute": {"count": 1, "cpus": 8}}}, "images"))
    prepare(found)
    return found


@pytest.fixture(scope="module")
def machine(pair: Lab) -> str:
    """This machine's address in the lab's underlay."""
    return pair.hosts[0].address.rpartition(".")[0] + ".1"


@pytest.fixture(scope="module")
def web(machine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, str]]:
    found = Web(tmp_path_factory.mktemp("web"))
    server = found.serve(machine)
    yield found, f"http://{machine}:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture
def site(pair: Lab, tmp_path: Path) -> Iterator[Driven]:
    """Whatever became of a test, the next one finds the hosts as they were."""
    (tmp_path / "site").mkdir()
    found = Driven(pair, tmp_path / "site")
    found.write("stead: 1\nimages: {}\n")
    found.stead("plan")  # looking at a host for the first time leaves what was proven there
    before = listing(pair)
    yield found
    found.write("stead: 1\nimages: {}\n")
    found.destroy()
    assert differences(before, listing(pair)) == []


def convert(form: str, target: Path, *options: str) -> Path:
    subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", form, *options, tiny(), target], check=True)
    return target


def digest(path: Path, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, path.read_bytes()).hexdigest()}"


def console(site: Driven, name: str) -> str:
    uuid = site.run("compute-1", f"virsh domuuid acme.{name}").strip()
    return site.run("compute-1", f"cat /var/lib/stead/instances/{uuid}/console.log")


def boots(site: Driven, *names: str) -> None:
    for name in names:
        assert patiently(lambda name=name: f"stead: {name} is ready" in console(site, name))  # type: ignore[misc]


ESCAPES = ("", "../", "%2e%2e/", "..%2f", "/../", ".%00./", "x/../../", "..\\")  # what may lead out of a folder


def assert_nothing_else_is_served(site: Driven, files: set[str]) -> None:
    """To a user of another host: an image by its name, and neither a list of them nor a file of another folder."""
    server = f"http://{site.lab.host('controller-1').address}:7480"
    ask = "curl --silent --location --path-as-is --output /dev/null --write-out '%{http_code}'"
    (one, *_rest) = files
    assert site.run("compute-1", f"{ask} --head '{server}/{one}'") == "200"
    site.run("controller-1", "echo private >/var/lib/stead/private; chmod 644 /var/lib/stead/private")
    paths = [escape * depth + name for escape in ESCAPES for depth in (1, 2, 9) for name in ("private", "etc/passwd")]
    links = [f"//{path}" for path in ("etc/passwd", "var/lib/stead/private")]
    for path in ("", ".", *paths, *links):
        said = site.run("compute-1", f"{ask} '{server}/{path}' || true")
        assert said in ("404", "400", "000"), path  # it hangs up on who sends it a zero
    site.run("controller-1", "rm /var/lib/stead/private")


LARGER = "{vcpus: 1, memory: 256MiB, disk: 1GiB}"
FLAVOR = "{vcpus: 1, memory: 160MiB, disk: 1GiB}"


def test_every_format_and_way_in_ends_in_a_guest_that_boots(site: Driven, web: tuple[Web, str]) -> None:
    """A path, a URL that breaks off twice, a packed one; what is booted comes from qcow2, raw and VMDK."""
    server, url = web
    size = struct.unpack(">Q", tiny().read_bytes()[24:32])[0]
    raw, vmdk = (
        convert("raw", server.folder / "raw.raw"),
        convert("vmdk", server.folder / "v.vmdk", "-o", "subformat=streamOptimized"),
    )
    for form, driver in (("vdi", "vdi"), ("vhd", "vpc"), ("vhdx", "vhdx")):
        convert(driver, server.folder / f"other.{form}")
    subprocess.run(["zstd", "-q", raw], check=True)
    server.breaks = {"raw.raw": [3_000_000, 5_000_000]}
    site.write(f"""stead: 1
{UNCHECKED}
images:
  path: {{source: {tiny()}, checksum: "{digest(tiny())}"}}
  raw: {{source: {url}/raw.raw, checksum: "{digest(raw, "sha512")}", size: {size >> 20}MiB}}
  vmdk: {{source: {url}/v.vmdk, checksum: "{digest(vmdk)}"}}
  vdi: {{source: {url}/other.vdi}}
  vhd: {{source: {url}/other.vhd}}
  vhdx: {{source: {url}/other.vhdx}}
  packed: {{source: {url}/raw.raw.zst}}
projects:
  acme:
    instances:
      path: {{image: path, flavor: {FLAVOR}}}
      raw: {{image: raw, flavor: {FLAVOR}}}
      vmdk: {{image: vmdk, flavor: {FLAVOR}}}
""")
    site.apply()
    boots(site, "path", "raw", "vmdk")
    site.assert_nothing_to_do()
    assert [start for _who, name, start in server.asked if name == "raw.raw"] == [
        "",
        "bytes=3000000-",
        "bytes=8000000-",
    ]
    assert {who for who, _name, _start in server.asked} == {site.lab.host("controller-1").address}
    kept = site.image_files("controller-1")
    facts = site.facts("controller-1")
    assert len(facts) == 7
    assert kept == {one["file"] for one in facts} | {name for name in kept if name.endswith(".json")}
    used = {one["file"] for one in site.facts("compute-1")}
    assert len(used) == 2  # raw and VMDK hold the same disk: one file
    assert_nothing_else_is_served(site, used)
    assert used < kept


def test_uefi_starts_a_guest_that_asks_for_it_and_its_variables_go_with_it(site: Driven) -> None:
    """The tiny image has nothing that UEFI could start: the firmware itself says so on the console."""
    bare = f"""stead: 1
images:
  tiny: {{source: {tiny()}}}
projects:
  acme:
    instances:
      modern: {{image: tiny, firmware: uefi, flavor: {LARGER}, stop_timeout: 1s}}
      sealed: {{image: tiny, firmware: uefi-secure, flavor: {LARGER}, stop_timeout: 1s}}
"""
    site.write(bare)
    site.apply()
    for name in ("modern", "sealed"):
        assert patiently(lambda name=name: "BdsDxe" in console(site, name))  # type: ignore[misc]
        assert name in site.run("compute-1", "ls /var/lib/libvirt/qemu/nvram")
    site.assert_nothing_to_do()


@pytest.mark.long
def test_a_guest_boots_from_an_iso_which_is_exchanged_while_it_runs(site: Driven, tmp_path: Path) -> None:
    boot = tmp_path / "iso"
    boot.mkdir()
    (boot / "boot.bin").write_bytes((BOOT + HELLO + b"\0").ljust(2048, b"\0"))
    made = {}
    for label in ("ONE", "TWO"):
        words = ["-quiet", "-V", label, "-b", "boot.bin", "-no-emul-boot", "-boot-load-size", "4", "-o"]
        site.lab.run("compute-1", ["mkdir", "-p", "/srv/iso"])
        site.lab.run(
            "compute-1",
            ["python3", "-c", f"open('/srv/iso/boot.bin','wb').write({(boot / 'boot.bin').read_bytes()!r})"],
        )
        site.lab.run("compute-1", ["genisoimage", *words, f"/srv/{label}.iso", "/srv/iso"])
        made[label] = site.lab.rooms.host("compute-1") / "own/srv" / f"{label}.iso"
        shutil.copy(made[label], tmp_path / f"{label}.iso")
        site.lab.run("compute-1", ["rm", "-r", "/srv/iso", f"/srv/{label}.iso"])
    text = f"""stead: 1
images:
  disc: {{source: {tmp_path}/ONE.iso, checksum: "{digest(tmp_path / "ONE.iso")}"}}
projects:
  acme:
    instances:
      fresh: {{cdrom: disc, boot: [cdrom, disk], flavor: {FLAVOR}, stop_timeout: 1s}}
"""
    site.write(text)
    site.apply()
    assert patiently(lambda: HELLO.decode().strip() in console(site, "fresh"))
    running = site.run("compute-1", "virsh domstats --state acme.fresh; cat /run/libvirt/qemu/acme.fresh.pid")
    site.write(text.replace("ONE", "TWO").replace(digest(tmp_path / "ONE.iso"), digest(tmp_path / "TWO.iso")))
    site.apply()
    assert site.run("compute-1", "virsh domstats --state acme.fresh; cat /run/libvirt/qemu/acme.fresh.pid") == running
    (only,) = {one["file"] for one in site.facts("compute-1")}
    assert only in site.run("compute-1", "virsh domblklist acme.fresh")
    assert [name for name in site.image_files("compute-1") if name.endswith(".iso")] == [only]
    site.assert_nothing_to_do()


def test_a_new_content_is_a_new_file_and_old_disks_keep_theirs(site: Driven, tmp_path: Path) -> None:
    """An instance that is to be left as it is goes on, starts again, and takes its old file along when it goes."""
    old, new = tmp_path / "old.qcow2", tmp_path / "new.qcow2"
    shutil.copy(tiny(), old)
    convert("qcow2", new, "-c")
    text = f"""stead: 1
images:
  tiny: {{source: {old}, checksum: "{digest(old)}"}}
projects:
  acme:
    instances:
      follows: {{image: tiny, flavor: {FLAVOR}, stop_timeout: 10s}}
      stays: {{image: tiny, flavor: {FLAVOR}, stop_timeout: 10s, ignore: [image]}}
"""
    site.write(text)
    site.apply()
    boots(site, "follows", "stays")
    (first,) = {one["file"] for one in site.facts("compute-1")}
    text = text.replace(str(old), str(new)).replace(digest(old), digest(new))
    site.write(text)
    assert {(one["address"], one["action"]) for one in site.steps()} == {
        ("images/tiny", "update"),
        ("acme/instances/follows", "rebuild"),
    }
    site.apply(status=1)  # what is on its disk is not lost by a mere yes
    site.apply("--max-disruption", "data-loss")
    (second,) = {one["file"] for one in site.facts("compute-1")}
    assert {first, second} <= site.image_files("compute-1")
    assert first not in site.image_files("controller-1")  # nothing stands on it there
    chain = "cd /var/lib/stead/pools/default; for one in *.root.qcow2; do qemu-img info -U $one | grep ^backing; done"
    said = site.run("compute-1", chain)
    assert first in said
    assert second in said
    site.assert_nothing_to_do()
    site.run("compute-1", "virsh destroy acme.stays && virsh start acme.stays")
    patiently(lambda: console(site, "stays").count("stead: stays is ready") == 2)
    boots(site, "follows")
    site.write(text.replace(next(line for line in text.splitlines() if "stays" in line) + "\n", ""))
    site.apply("--max-disruption", "data-loss")
    assert first not in site.image_files("compute-1")
    assert second in site.image_files("compute-1")


def test_hostile_images_are_refused_each_at_its_line_and_the_others_come(site: Driven, web: tuple[Web, str]) -> None:
    server, url = web
    folder = server.folder
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", "/etc/shadow", "-F", "raw", folder / "backed.qcow2"],
        check=True,
    )
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={folder}/data", folder / "data.qcow2", "1M"],
        check=True,
    )
    (folder / "described.vmdk").write_text(
        '# Disk DescriptorFile\ncreateType="monolithicFlat"\nRW 8 FLAT "/etc/shadow" 0\n'
    )
    (folder / "bomb.raw.xz").write_bytes(lzma.compress(bytes(256 << 20), preset=0))
    shutil.copy(tiny(), folder / "good.qcow2")
    expected = {
        "backed": ("backed.qcow2", "", "It has a backing file, '/etc/shadow'"),
        "data": ("data.qcow2", "", "keeps its data in another file"),
        "described": ("described.vmdk", "", "a VMDK whose data is in other files"),
        "bomb": ("bomb.raw.xz", ", size: 1MiB", "more than `size` says"),
        "sized": ("good.qcow2", ", size: 1GiB", "`size` says"),
        "summed": ("good.qcow2", f', checksum: "sha256:{"0" * 64}"', "has checksum sha256:"),
        "gone": ("nothing.qcow2", "", "answers 404 Not Found"),
        "named": ("good.qcow2", ", format: raw", "It is qcow2 and not raw"),
    }
    lines = [f"  {name}: {{source: {url}/{file}{more}}}" for name, (file, more, _said) in expected.items()]
    site.write("\n".join(["stead: 1", UNCHECKED, "images:", f"  good: {{source: {url}/good.qcow2}}", *lines]) + "\n")
    said = site.apply(status=1)
    for name, (_file, _more, words) in expected.items():
        told = [
            line
            for line in said.err.splitlines()
            if f"images/{name} on controller-1 ({site.line_of(f'  {name}:')}" in line
        ]
        assert told, said.err
        assert words in told[0]
    assert len(site.image_files("controller-1")) == 2
    site.write(f"stead: 1\n{UNCHECKED}\nimages:\n  good: {{source: {url}/good.qcow2}}\n")
    site.apply()
    site.assert_nothing_to_do()


def test_https_is_believed_when_the_host_trusts_who_signed_it(site: Driven, machine: str, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "ca.crt"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=stead", "-keyout", str(key)]
    words += ["-out", str(certificate), "-addext", f"subjectAltName=IP:{machine}"]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    shutil.copy(tiny(), tmp_path / "tiny.qcow2")
    server = Web(tmp_path).serve(machine, context)
    trusted = "/usr/local/share/ca-certificates/private.crt"
    try:
        site.write(
            f"stead: 1\n{UNCHECKED}\nimages:\n  tiny: {{source: 'https://{machine}:{server.server_address[1]}/tiny.qcow2'}}\n"
        )
        said = site.apply(status=1)
        assert "CERTIFICATE_VERIFY_FAILED" in said.err
        assert "Add the authority that signed it to those that this host trusts." in said.err
        site.lab.run("controller-1", ["tee", trusted], feed=certificate.read_text())
        site.lab.run("controller-1", ["update-ca-certificates"])
        site.apply()
        site.assert_nothing_to_do()
    finally:
        server.shutdown()
        site.run("controller-1", f"rm -f {trusted}; update-ca-certificates --fresh")
