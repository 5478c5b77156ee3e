"""Certificates of moves, by the openssl of this machine: who is signed for what, and when anew."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.prepare import certificates

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")

ADDRESS = "192.0.2.11"
GROUP = grp.getgrgid(os.getgid()).gr_name


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(certificates, "AUTHORITY", str(tmp_path / "authority"))
    monkeypatch.setattr(os, "chown", lambda *_words: None)
    return certificates.authority(Work("c"))


def installed(folder: Path, issuer: str, address: str = ADDRESS) -> None:
    asked = certificates.request(str(folder), "compute-1", address, issuer, Work("c"))
    signed = certificates.sign(asked, "compute-1", address, Work("c"))
    certificates.install(str(folder), GROUP, issuer, signed, Work("c"))


def test_a_host_gets_a_pair_that_is_good_both_ways_for_its_address(issuer: str, tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    installed(folder, issuer)
    assert sorted(path.name for path in folder.iterdir()) == [
        "ca-cert.pem", "client-cert.pem", "client-key.pem", "server-cert.pem", "server-key.pem"
    ]  # fmt: skip
    words = ["openssl", "x509", "-in", str(folder / "server-cert.pem"), "-noout", "-text"]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert f"IP Address:{ADDRESS}" in text
    assert "TLS Web Server Authentication, TLS Web Client Authentication" in text
    assert {oct((folder / name).stat().st_mode & 0o777) for name in ("server-key.pem", "client-key.pem")} == {"0o640"}


def test_a_good_certificate_is_left_alone_and_the_authority_stays(issuer: str, tmp_path: Path) -> None:
    folder, work = tmp_path / "pki", Work("c")
    installed(folder, issuer)
    assert certificates.request(str(folder), "compute-1", ADDRESS, issuer, work) == ""
    assert certificates.authority(work) == issuer
    assert work.done == []


def test_another_address_or_authority_or_its_end_takes_a_new_one(
    issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pki"
    installed(folder, issuer)
    assert certificates.request(str(folder), "compute-1", "192.0.2.12", issuer, Work("c"))
    assert certificates.request(str(folder), "compute-1", ADDRESS, issuer + "\n", Work("c"))
    monkeypatch.setattr(certificates, "RENEWED", 900 * 86400)
    assert certificates.request(str(folder), "compute-1", ADDRESS, issuer, Work("c"))


def test_an_authority_signs_no_name_that_is_none(issuer: str) -> None:
    assert issuer.startswith("-----BEGIN CERTIFICATE-----")
    for name, address in (("a\nsubjectAltName=IP:192.0.2.1", ADDRESS), ("a", "192.0.2.1,IP:192.0.2.2")):
        with pytest.raises(Failed, match="STEAD-E023"):
            certificates.sign("", name, address, Work("c"))


def test_a_host_where_qemu_runs_as_nobody_known_says_so(issuer: str, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="STEAD-E023: This host has no group nobodys"):
        certificates.install(str(tmp_path / "pki"), "nobodys", issuer, "", Work("c"))


def test_check_mode_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "AUTHORITY", str(tmp_path / "authority"))
    work = Work("c", check=True)
    assert certificates.authority(work) == ""
    assert certificates.request(str(tmp_path / "pki"), "compute-1", ADDRESS, "", work) == ""
    assert work.done
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_asks_in_the_name_of_another_gets_none(issuer: str, tmp_path: Path) -> None:
    """By the name in it, a host knows who may read a disk that moves."""
    asked = certificates.request(str(tmp_path / "pki"), "compute-2", ADDRESS, issuer, Work("c"))
    with pytest.raises(Failed, match="STEAD-E023: It asks for a certificate of CN=compute-2, and is compute-1"):
        certificates.sign(asked, "compute-1", ADDRESS, Work("c"))
