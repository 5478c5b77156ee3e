"""Certificates by which hosts know each other while a guest moves: an authority on a controller, a pair on a compute;
and the one that the API shows, of an authority of its own.

A host makes its key itself, and it never leaves it. The authority signs for the address that the inventory has,
whatever a request says: a host that lies gets a certificate of its own address.
"""

from __future__ import annotations

import os
import re
import tempfile
from typing import Optional, Sequence

from ..base import commands, paths
from ..base.errors import Failed, FailureCode
from ..base.work import Work

NO_OPENSSL = FailureCode("STEAD-E023", "a certificate cannot be made")

AUTHORITY = paths.ROOT + "/authority"
# Its own: clients of the API trust it, and must not have to trust what signs for hosts.
API_AUTHORITY = paths.ROOT + "/api-authority"
# Whoever shows one of its certificates may change the store: no other host may get one.
STORE_AUTHORITY = paths.ROOT + "/store-authority"
DAYS, AUTHORITY_DAYS = 825, 3650
RENEWED = 90 * 86400  # seconds before their end
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
# As QEMU looks for them: one pair is a host's both as the one that sends and as the one that gets.
SERVER, CLIENT = ("server-cert.pem", "server-key.pem"), ("client-cert.pem", "client-key.pem")
CA = "ca-cert.pem"
MADE = "stead-key.pem"  # of the request that is not signed yet
READABLE, READABLE_DIRECTORY = 0o644, 0o755
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]+\Z")


def authority(work: Work, folder: str = "", name: str = "Stead moves") -> str:
    """Its certificate; made where there is none, or where it is near its end."""
    folder = folder or AUTHORITY
    key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, CA)
    work.directory(folder, 0o700)
    if not os.path.exists(key) or not _lasts(certificate):
        words = ["req", "-x509", *KEY, "-days", AUTHORITY_DAYS, "-subj", "/CN=" + name]
        words += ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
        _openssl([*words, "-keyout", key, "-out", certificate], work)
    return _text(certificate)


def sign(request: str, host: str, address: str, work: Work, folder: str = "") -> str:
    """A certificate for a host of the inventory. By its subject, other hosts know whose it is."""
    if not _NAME.match(host) or not _ADDRESS.match(address):
        raise Failed(NO_OPENSSL, "{0!r} at {1!r} is no host's name and address.".format(host, address))
    return _signed(request, host, ["IP:" + address, "DNS:" + host], "serverAuth,clientAuth", folder or AUTHORITY, work)


def _signed(request: str, subject: str, names: Sequence[str], usage: str, authority_in: str, work: Work) -> str:
    with tempfile.TemporaryDirectory() as folder:
        asked, extensions = os.path.join(folder, "request.pem"), os.path.join(folder, "extensions")
        paths.write(asked, request)
        lines = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature,keyEncipherment"]
        lines += ["extendedKeyUsage=" + usage, "subjectAltName=" + ",".join(names)]
        paths.write(extensions, "\n".join(lines) + "\n")
        told = _openssl(["req", "-in", asked, "-noout", "-subject", "-nameopt", "RFC2253"], work).strip()
        if not work.check and told != "subject=CN=" + subject:
            raise Failed(NO_OPENSSL, "It asks for a certificate of {0}, and is {1}.".format(told[8:], subject))
        words = ["x509", "-req", "-in", asked, "-days", DAYS, "-extfile", extensions, "-CAcreateserial"]
        words += ["-CA", os.path.join(authority_in, CA), "-CAkey", os.path.join(authority_in, "key.pem")]
        return _openssl(words, work)


def request(folder: str, host: str, address: str, issuer: str, work: Work) -> str:
    """Of a host whose certificate is missing, near its end, of another authority or address; else empty."""
    certificate = os.path.join(folder, SERVER[0])
    if _text(os.path.join(folder, CA)) == issuer and _is_of(certificate, os.path.join(folder, CA), [address]):
        return ""
    for one in (os.path.dirname(folder), folder):  # others keep theirs in the first
        work.directory(one, READABLE_DIRECTORY)
    words = ["req", "-new", *KEY, "-subj", "/CN=" + host, "-keyout", os.path.join(folder, MADE)]
    return _openssl(words, work)


def install(folder: str, group: str, issuer: str, certificate: str, work: Work) -> None:
    """With the key of the last request. What QEMU may read, only its group may."""
    key = _text(os.path.join(folder, MADE))
    work.write(os.path.join(folder, CA), issuer, READABLE)
    for for_certificate, for_key in (SERVER, CLIENT):
        work.write(os.path.join(folder, for_certificate), certificate, READABLE)
        path = os.path.join(folder, for_key)
        work.write(path, key, paths.PRIVATE)
        if not work.check:
            give(path, group)
    work.remove(os.path.join(folder, MADE))


def give(path: str, group: str) -> None:
    import grp

    try:
        os.chown(path, 0, grp.getgrnam(group).gr_gid)
    except KeyError as error:
        raise Failed(NO_OPENSSL, "This host has no group {0}, as which QEMU runs.".format(group)) from error
    os.chmod(path, 0o640)


def served(folder: str, names: Sequence[str], work: Work) -> None:
    """The API's, for all its names and addresses, from the authority of this host. Only root reads the key: the unit
    hands it to the service."""
    issuer = authority(work, API_AUTHORITY, "Stead API")
    work.directory(folder, READABLE_DIRECTORY)
    work.write(os.path.join(folder, CA), issuer, READABLE)
    key, certificate = os.path.join(folder, SERVER[1]), os.path.join(folder, SERVER[0])
    wrong = [name for name in names if not (_ADDRESS if _is_address(name) else _NAME).match(name)]
    if wrong or not names:
        raise Failed(NO_OPENSSL, "{0!r} is no name or address of the API.".format("".join(wrong[:1])))
    if os.path.exists(key) and _is_of(certificate, os.path.join(folder, CA), names):
        return
    words = ["req", "-new", *KEY, "-subj", "/CN=" + names[0], "-keyout", os.path.join(folder, MADE)]
    asked = _openssl(words, work)
    listed = ["{0}:{1}".format("IP" if _is_address(name) else "DNS", name) for name in names]
    signed = _signed(asked, names[0], listed, "serverAuth", API_AUTHORITY, work)
    # The key first: without its certificate it is made anew, and a certificate without its key is never shown.
    work.write(key, _text(os.path.join(folder, MADE)), paths.PRIVATE)
    work.write(certificate, signed, READABLE)
    work.remove(os.path.join(folder, MADE))


def _is_of(certificate: str, issuer: str, names: Sequence[str]) -> bool:
    if not _lasts(certificate) or commands.attempt(["openssl", "verify", "-CAfile", issuer, certificate])[0]:
        return False
    words = ["openssl", "x509", "-in", certificate, "-noout"]
    checks = [["-checkip" if _is_address(name) else "-checkhost", name] for name in names]
    return all("does match" in commands.attempt([*words, *check])[1] for check in checks)


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def _lasts(certificate: str) -> bool:
    words = ["openssl", "x509", "-in", certificate, "-noout", "-checkend", str(RENEWED)]
    return os.path.exists(certificate) and commands.attempt(words)[0] == 0


def _openssl(words: Sequence[object], work: Work) -> str:
    """What it writes; a key that it makes is private from the first."""
    before = os.umask(0o077)
    try:
        return work.run(["openssl", *words])
    finally:
        os.umask(before)


def _text(path: str) -> str:
    found: Optional[bytes] = paths.read_bytes(path)
    return (found or b"").decode()
