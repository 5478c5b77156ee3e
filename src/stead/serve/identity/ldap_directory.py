"""An LDAP directory, asked who somebody is, and by a user's own password whether it is that user.

A value goes into a filter by `quoted` alone. Nothing is sent before TLS has proved who answers, and no referral is
followed: it would take the password elsewhere.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.operation.search import parse_filter

from stead.core.diagnostics import Code, Refused
from stead.language.desired.identity import LdapSettings
from stead.serve.identity.outside_user import OutsideUser, ProviderAway
from stead.serve.identity.secret_files import must_be_certificates, secret_of

BAD_FILTER = Code("STEAD-C107", "a filter of a directory cannot be read")
DENIED = frozenset({10, 19, 32, 48, 49, 50, 53})  # results of a bind that are a no: wrong, locked, without a password
BY_NAME = "memberuid"  # the attribute of a group that has names, not entries
MOST_GROUPS = 1000


def quoted(text: str | bytes) -> str:
    """A value in a filter. Each byte is escaped, so no value can end it."""
    return "".join(f"\\{byte:02x}" for byte in (text.encode() if isinstance(text, str) else text))


class LdapDirectory:
    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._groups = tuple(dict.fromkeys(one.group for one in settings.roles))

    def must_be_ready(self) -> None:
        said = self._settings
        for text in (said.user_filter, said.group_filter):
            try:
                parse_filter(text, None, False, None, False, False)
            except LDAPException as error:
                raise Refused(BAD_FILTER.at(None, f"{text} is no filter: {error}. See RFC 4515.")) from error
        if said.ca:
            must_be_certificates(said.ca)
        if said.password_file:
            secret_of(said.password_file)

    @contextmanager
    def session(self) -> Iterator[DirectorySession]:
        connection = None
        try:
            connection = self._connection()
            yield DirectorySession(connection, self._settings, self._groups)
        except (LDAPException, OSError, Refused) as error:  # a certificate is one of the second
            raise ProviderAway(f"{self._settings.url}: {error}") from error
        finally:
            if connection is not None:
                connection.unbind()

    def _connection(self) -> ldap3.Connection:
        said = self._settings
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=said.ca or None)
        server = ldap3.Server(said.url, tls=tls, get_info=ldap3.NONE, connect_timeout=said.timeout)
        connection = ldap3.Connection(
            server, auto_referrals=False, receive_timeout=said.timeout, check_names=False, raise_exceptions=False
        )
        connection.open(read_server_info=False)
        if said.start_tls and not connection.start_tls(read_server_info=False):
            raise ProviderAway(f"{said.url} does not offer TLS.")
        if said.bind_dn and not _bind(connection, said.bind_dn, secret_of(said.password_file).encode()):
            raise ProviderAway(f"{said.url} refuses {said.bind_dn}: {connection.result['description']}.")
        return connection


class DirectorySession:
    """One connection. It searches as the site's account, until somebody proves who they are."""

    def __init__(self, connection: ldap3.Connection, settings: LdapSettings, groups: Sequence[str]) -> None:
        self._connection, self._settings, self._groups = connection, settings, groups

    def named(self, name: str) -> OutsideUser | None:
        return self._user(self._settings.user_name, name)

    def with_id(self, id_: str) -> OutsideUser | None:
        return self._user(self._settings.user_id, bytes.fromhex(id_))

    def accepts(self, user: OutsideUser | None, password: str) -> bool:
        """A name that nobody has takes as long. Without a password, a directory may let in anybody as nobody."""
        if not password:
            return False
        dn = user.dn if user is not None else f"cn=nobody,{self._settings.users}"
        return _bind(self._connection, dn, password.encode()) and user is not None

    def _user(self, attribute: str, wanted: str | bytes) -> OutsideUser | None:
        said = self._settings
        names = [said.user_id, said.user_name, said.user_mail]
        found = self._search(said.users, f"(&{said.user_filter}({attribute}={quoted(wanted)}))", names, most=2)
        if len(found) != 1:
            return None  # nobody, or more than one: then it is not known who
        dn, values = found[0]
        id_, name = _first(values, said.user_id), _first(values, said.user_name)
        if not id_ or not name:
            raise ProviderAway(f"{said.url}: {dn} has no {said.user_name if id_ else said.user_id} that can be read.")
        shown = name.decode(errors="replace")
        mail = _first(values, said.user_mail).decode(errors="replace")
        return OutsideUser(id_.hex(), shown, mail, self._groups_of(dn, shown), dn)

    def _groups_of(self, dn: str, name: str) -> tuple[str, ...]:
        """Only those that the site's files name are asked for."""
        if not self._groups:
            return ()
        said = self._settings
        member = quoted(name if said.group_member.lower() == BY_NAME else dn)
        wanted = "".join(f"({said.group_name}={quoted(one)})" for one in self._groups)
        text = f"(&{said.group_filter}({said.group_member}={member})(|{wanted}))"
        found = self._search(said.groups or said.users, text, [said.group_name], most=MOST_GROUPS)
        names = {
            value.decode(errors="replace").lower() for _, values in found for value in _all(values, said.group_name)
        }
        return tuple(one for one in self._groups if one.lower() in names)

    def _search(self, base: str, text: str, names: Sequence[str], *, most: int) -> list[tuple[str, Mapping[str, Any]]]:
        connection = self._connection
        connection.search(base, text, attributes=list(names), size_limit=most, time_limit=self._settings.timeout)
        if connection.result["result"] not in (0, 4):  # 4: there are more
            raise ProviderAway(f"{self._settings.url}: {connection.result['description']} for {base}.")
        entries = [one for one in connection.response or () if one["type"] == "searchResEntry"]
        return [(one["dn"], one["raw_attributes"]) for one in entries]


def _bind(connection: ldap3.Connection, dn: str, password: bytes) -> bool:
    """The bytes as they are: a library that prepares a text may leave nothing of it, and nothing lets in anybody."""
    if connection.rebind(user=dn, password=password, authentication=ldap3.SIMPLE, read_server_info=False):
        return True
    if connection.result["result"] not in DENIED:
        raise ProviderAway(f"A login was answered with {connection.result['description']}.")
    return False


def _all(values: Mapping[str, Sequence[bytes]], name: str) -> Sequence[bytes]:
    """Directories write names of attributes in any case."""
    return next((one for key, one in values.items() if key.lower() == name.lower()), ())


def _first(values: Mapping[str, Sequence[bytes]], name: str) -> bytes:
    return next(iter(_all(values, name)), b"")
