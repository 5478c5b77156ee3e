"""A real slapd on loopback, with TLS by an authority of its own, and people who log in."""

from __future__ import annotations

import datetime as dt
import ipaddress
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import ldap3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/bin:/sbin") or "slapd"
BASE = "dc=example,dc=org"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
ACCOUNT, ACCOUNT_PASSWORD = f"cn=stead,{BASE}", "of the account"
PASSWORD = "directory horse battery"  # noqa: S105 - of people of these tests

# `allow bind_anon_cred` is what makes an empty password dangerous: some directories answer it with success.
CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
allow bind_anon_cred bind_anon_dn
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/{certificate}.pem
TLSCertificateKeyFile {folder}/{certificate}.key
database mdb
suffix {base}
rootdn cn=root,{base}
rootpw root
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact={account} read by anonymous auth by * none
"""
ENTRIES = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: {ACCOUNT}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: stead
userPassword: {ACCOUNT_PASSWORD}
"""


def person(name: str, password: str = PASSWORD) -> str:
    return (
        f"dn: uid={name},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n"
        f"mail: {name}@example.org\nuserPassword: {password}\n\n"
    )


def group(name: str, *members: str) -> str:
    people = "".join(f"member: uid={one},{PEOPLE}\n" for one in members)
    return f"dn: cn={name},{GROUPS}\nobjectClass: groupOfNames\ncn: {name}\n{people}\n"


class Directory:
    """`plain` and `closed` are its URLs; with `certificate="other"` it proves another name than its own."""

    def __init__(self, folder: Path, entries: str, *, certificate: str = "good") -> None:
        self.folder, self._certificate = folder, certificate
        (folder / "data").mkdir()
        make_certificates(folder)
        self.ca = folder / "ca.pem"
        self.plain, self.closed = (f"{scheme}://127.0.0.1:{free_port()}" for scheme in ("ldap", "ldaps"))
        text = CONFIG.format(folder=folder, base=BASE, account=ACCOUNT, certificate=certificate)
        (folder / "slapd.conf").write_text(text)
        config = ["-f", str(folder / "slapd.conf")]
        subprocess.run([SLAPD, "-T", "add", *config], input=f"{ENTRIES}\n{entries}", text=True, check=True)
        self._running: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        addresses = ["-h", f"{self.plain} {self.closed}"]
        self._running = subprocess.Popen([SLAPD, "-f", str(self.folder / "slapd.conf"), "-d", "0", *addresses])
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as link:
                if link.connect_ex(("127.0.0.1", int(self.closed.rpartition(":")[2]))) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("slapd does not listen")

    def stop(self) -> None:
        if self._running is not None:
            self._running.terminate()
            self._running.wait()
            self._running = None

    def change(self, dn: str, how: str, **attributes: Any) -> None:
        """By the root of the directory, as its administrators do. `how` is add, delete, or a change of attributes."""
        connection = ldap3.Connection(self.plain, user=f"cn=root,{BASE}", password="root", auto_bind=True)  # noqa: S106
        match how:
            case "add":
                done = connection.add(dn, attributes=attributes)
            case "delete":
                done = connection.delete(dn)
            case _:
                done = connection.modify(dn, {name: [(how, [value])] for name, value in attributes.items()})
        assert done, connection.result
        connection.unbind()


def free_port() -> int:
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        return int(link.getsockname()[1])


def make_certificates(folder: Path) -> None:
    """ca.pem, good.pem for 127.0.0.1 and localhost, other.pem for another name, stranger.pem by itself."""
    authority = ec.generate_private_key(ec.SECP256R1())
    _write(folder, "ca", authority, _certificate("authority", authority, "authority", authority, is_ca=True))
    for name, host in (("good", "127.0.0.1"), ("other", "192.0.2.1")):
        key = ec.generate_private_key(ec.SECP256R1())
        _write(folder, name, key, _certificate(host, key, "authority", authority))
    key = ec.generate_private_key(ec.SECP256R1())
    _write(folder, "stranger", key, _certificate("127.0.0.1", key, "127.0.0.1", key))


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool = False,
) -> x509.Certificate:
    subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    if not is_ca:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))])
        made = made.add_extension(names, critical=False)
    return made.sign(signer, hashes.SHA256())


def _write(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
