"""Images that distributions publish: where they are, and where their checksums are. It fetches nothing.

`stead image lock` writes what it says of an image as a profile, with the checksum, so that a plan needs no network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from stead.core.named import NamedTuple

ARCHITECTURE = "x86_64"
DIGITS = {"sha256": 64, "sha512": 128}
INLINE = "inline"  # the file of checksums is signed itself
LOCK = "images.lock.yml"


class Published(NamedTuple):
    """One image of the catalogue."""

    name: str
    folder: str  # the URL, which ends in /
    file: str
    sums: str  # the file of checksums in the same folder
    algorithm: str
    os: str
    user: str = ""
    signature: str = ""  # file of the signature of `sums`, or INLINE; empty where the publisher signs nothing
    key: str = ""  # fingerprint of the key that signs, where it is known here

    @property
    def url(self) -> str:
        return self.folder + self.file


def _debian(number: int, word: str) -> Published:
    folder = f"https://cloud.debian.org/images/cloud/{word}/latest/"
    file = f"debian-{number}-genericcloud-amd64.qcow2"
    return Published(f"debian/{number}", folder, file, "SHA512SUMS", "sha512", f"debian{number}", "debian")


def _ubuntu(version: str, word: str) -> Published:
    return Published(
        f"ubuntu/{version}",
        f"https://cloud-images.ubuntu.com/releases/{word}/release/",
        f"ubuntu-{version}-server-cloudimg-amd64.img",
        "SHA256SUMS",
        "sha256",
        f"ubuntu{version}",
        "ubuntu",
        "SHA256SUMS.gpg",
        "D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81",  # UEC Image Automatic Signing Key <cdimage@ubuntu.com>
    )


def _rocky(number: int) -> Published:
    folder = f"https://download.rockylinux.org/pub/rocky/{number}/images/x86_64/"
    file = f"Rocky-{number}-GenericCloud.latest.x86_64.qcow2"
    return Published(f"rocky/{number}", folder, file, f"{file}.CHECKSUM", "sha256", f"rocky{number}", "rocky")


def _alma(number: int) -> Published:
    folder = f"https://repo.almalinux.org/almalinux/{number}/cloud/x86_64/images/"
    file = f"AlmaLinux-{number}-GenericCloud-latest.x86_64.qcow2"
    return Published(
        f"alma/{number}", folder, file, "CHECKSUM", "sha256", f"almalinux{number}", "almalinux", "CHECKSUM.asc"
    )


def _fedora(number: int, compose: str, key: str = "") -> Published:
    folder = f"https://dl.fedoraproject.org/pub/fedora/linux/releases/{number}/Cloud/x86_64/images/"
    return Published(
        f"fedora/{number}",
        folder,
        f"Fedora-Cloud-Base-Generic-{number}-{compose}.x86_64.qcow2",
        f"Fedora-Cloud-{number}-{compose}-x86_64-CHECKSUM",
        "sha256",
        f"fedora{number}",
        "fedora",
        INLINE,
        key,
    )


def _opensuse(version: str) -> Published:
    folder = f"https://download.opensuse.org/distribution/leap/{version}/appliances/"
    file = f"openSUSE-Leap-{version}-Minimal-VM.x86_64-Cloud.qcow2"
    return Published(
        f"opensuse/{version}",
        folder,
        file,
        f"{file}.sha256",
        "sha256",
        f"opensuse{version}",
        signature=f"{file}.sha256.asc",
    )


def _alpine(version: str) -> Published:
    short = version.rpartition(".")[0]
    folder = f"https://dl-cdn.alpinelinux.org/alpine/v{short}/releases/cloud/"
    file = f"nocloud_alpine-{version}-x86_64-bios-cloudinit-r0.qcow2"
    return Published(f"alpine/{short}", folder, file, f"{file}.sha512", "sha512", f"alpinelinux{short}", "alpine")


def _freebsd(version: str) -> Published:
    folder = f"https://download.freebsd.org/releases/VM-IMAGES/{version}-RELEASE/amd64/Latest/"
    file = f"FreeBSD-{version}-RELEASE-amd64-BASIC-CLOUDINIT-ufs.qcow2.xz"
    return Published(f"freebsd/{version}", folder, file, "CHECKSUM.SHA512", "sha512", f"freebsd{version}", "freebsd")


_ALL = (
    _debian(11, "bullseye"),
    _debian(12, "bookworm"),
    _debian(13, "trixie"),
    _ubuntu("22.04", "jammy"),
    _ubuntu("24.04", "noble"),
    _rocky(8),
    _rocky(9),
    _alma(8),
    _alma(9),
    _fedora(41, "1.4"),
    _fedora(42, "1.1", "B0F4950458F69E1150C6C5EDC8AC4916105EF944"),
    _opensuse("15.6"),
    _alpine("3.21.6"),
    _alpine("3.22.4"),
    _freebsd("14.4"),
    _freebsd("15.1"),
)
CATALOGUE: Mapping[str, Published] = {one.name: one for one in _ALL}


def mirrored(url: str, mirrors: Mapping[str, str]) -> str:
    """By the longest prefix that fits."""
    prefix = max((one for one in mirrors if url.startswith(one)), key=len, default="")
    return mirrors[prefix] + url.removeprefix(prefix) if prefix else url


def checksum_in(text: str, file: str, algorithm: str) -> str:
    """Of a file of checksums in any of the usual forms: `HEX  FILE`, `SHA256 (FILE) = HEX`, `HEX` alone; or nothing."""
    digest = rf"(?P<hex>[0-9a-fA-F]{{{DIGITS[algorithm]}}})"
    name = re.escape(file)
    forms = [rf"{digest}[ \t]+\*?(?:\./)?{name}", rf"{algorithm.upper()} \({name}\) = {digest}"]
    lines = [line.strip() for line in text.splitlines()]
    if len([line for line in lines if line]) == 1:
        forms.append(digest)
    found = {match["hex"].lower() for line in lines for form in forms if (match := re.fullmatch(form, line))}
    return f"{algorithm}:{found.pop()}" if len(found) == 1 else ""


def profile(one: Published, url: str, checksum: str) -> dict[str, str]:
    """What a definition of the image says."""
    said = {"source": url, "checksum": checksum, "architecture": ARCHITECTURE, "os": one.os}
    return said | ({"user": one.user} if one.user else {})
