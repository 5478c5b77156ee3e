"""What is wrong in `site.identity` though each field is well written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stead.core.diagnostics import Code, Place
from stead.language.desired.identity import FIXED_ROLES, IdentitySettings, LdapSettings, OidcSettings
from stead.language.document import Mapping as MappingNode
from stead.language.document import Node, Sequence
from stead.language.reading import OUT_OF_RANGE, Reading
from stead.language.reading.codes import NOT_A_CHOICE
from stead.language.reading.context import nearest

IN_THE_OPEN = Code("STEAD-L065", "a provider of identities would be reached unencrypted")
HALF_ACCOUNT = Code("STEAD-L066", "an account has no password, or a password no account")
NO_ROLE = Code("STEAD-L067", "no such role")
Providers = Mapping[str, LdapSettings] | Mapping[str, OidcSettings]
OWN_DOMAIN = "default"  # of the users whom the API's own store has


def check_identity(settings: IdentitySettings, node: Node, reading: Reading) -> None:
    for name, one in settings.ldap.items():
        _check_directory(one, below(node, "ldap", name), reading)
    for name, issuer in settings.oidc.items():
        _check_issuer(issuer, below(node, "oidc", name), reading)
        if name in settings.ldap:
            text = f"{name} is a directory already. Each is a domain: choose another name."
            reading.tell(NOT_A_CHOICE, below(node, "oidc", name).place, text)
    known = tuple(dict.fromkeys((*FIXED_ROLES, *settings.roles)))
    _check_roles(settings, known, node, reading)
    every: tuple[tuple[str, Providers], ...] = (("ldap", settings.ldap), ("oidc", settings.oidc))
    for kind, providers in every:
        for name, provider in providers.items():
            if name == OWN_DOMAIN:
                text = f"{name} is the domain of the API's own users. Choose another name."
                reading.tell(NOT_A_CHOICE, below(node, kind, name).place, text)
            for at, role in enumerate(provider.roles):
                _check_role(role.role, known, below(node, kind, name, "roles", at, "role").place, reading)


def _check_roles(settings: IdentitySettings, known: Iterable[str], node: Node, reading: Reading) -> None:
    for name, custom in settings.roles.items():
        if name in FIXED_ROLES:
            text = f"{name} is a role of Stead: what it may is the same everywhere. Choose another name."
            reading.tell(NOT_A_CHOICE, below(node, "roles", name).place, text)
        for at, one in enumerate(custom.implies):
            _check_implied(one, known, below(node, "roles", name, "implies", at).place, reading)


def _check_directory(one: LdapSettings, node: Node, reading: Reading) -> None:
    closed = one.url.startswith("ldaps:")
    if not closed and not one.start_tls and not one.insecure:
        text = "Use ldaps://, or set `start_tls: true`. `insecure: true` is for a test, where nobody listens."
        reading.tell(IN_THE_OPEN, below(node, "url").place, f"{one.url} is not encrypted. {text}")
    if closed and one.start_tls:
        text = "ldaps:// is encrypted from its first byte. Remove `start_tls`, or use ldap://."
        reading.tell(NOT_A_CHOICE, below(node, "start_tls").place, text)
    if bool(one.bind_dn) != bool(one.password_file):
        text = "Set `bind_dn` and `password_file` together, or neither, to search as nobody."
        place = below(node, "bind_dn" if one.bind_dn else "password_file").place
        reading.tell(HALF_ACCOUNT, place, text)
    _check_timeout(one.timeout, node, reading)


def _check_issuer(one: OidcSettings, node: Node, reading: Reading) -> None:
    if one.issuer.startswith("http:") and not one.insecure:
        text = "Use https://. `insecure: true` is for a test, where nobody listens."
        reading.tell(IN_THE_OPEN, below(node, "issuer").place, f"{one.issuer} is not encrypted. {text}")
    if "openid" not in one.scopes:
        reading.tell(
            NOT_A_CHOICE,
            below(node, "scopes").place,
            "Without `openid`, the provider does not say who has logged in. Add it.",
        )
    _check_timeout(one.timeout, node, reading)


def _check_timeout(timeout: int, node: Node, reading: Reading) -> None:
    if not 1 <= timeout <= 60:
        text = "`timeout` is from 1s to 1m: a request waits for it."
        reading.tell(OUT_OF_RANGE, below(node, "timeout").place, text)


def _check_implied(role: str, known: Iterable[str], place: Place, reading: Reading) -> None:
    if role == "admin":
        reading.tell(NOT_A_CHOICE, place, "No role implies admin: that is assigned by its name.")
    _check_role(role, known, place, reading)


def _check_role(role: str, known: Iterable[str], place: Place, reading: Reading) -> None:
    if role not in known:
        text = f"There is no role {role!r}.{nearest(role, known)} Known are {', '.join(known)}."
        reading.tell(NO_ROLE, place, text)


def below(node: Node, *path: str | int) -> Node:
    """What stands there; the nearest above it where an expression stands for it."""
    for step in path:
        match node, step:
            case MappingNode(), str() if step in node.entries:
                node = node.entries[step]
            case Sequence(), int() if step < len(node.items):
                node = node.items[step]
    return node
