"""The section `site.identity`: who logs in to the API beside the users of its own store, and what roles may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from stead.core.fields import LINE, Duration, Example, Name, Text
from stead.core.value import field, value

FIXED_ROLES = ("admin", "manager", "member", "reader")  # each implies those after it
ROLE = Text(pattern=r"[a-z][a-z0-9_-]{0,62}", what="the name of a role")
WORDS = Text(pattern=r".+", what="one line", longest=255)
FILE = Text(pattern=r"/.*", what="an absolute path", longest=4096)
DN = Text(pattern=r".*=.*", what="a distinguished name", longest=1000)
FILTER = Text(pattern=r"\(.*\)", what="an LDAP filter in parentheses", longest=2000)
ATTRIBUTE = Text(pattern=r"[A-Za-z][A-Za-z0-9.:-]*", what="the name of an attribute", longest=100)
PERMISSION = Text(pattern=r"[a-z]+(:[A-Za-z0-9._-]+)*:([A-Za-z0-9_-]+|\*)", what="such as compute:servers:os-start")
CLAIM = Text(pattern=r"[A-Za-z][A-Za-z0-9_.:/-]*", what="the name of a claim", longest=200)
WEB_URL = Text(pattern=r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?", what="an https:// URL", longest=300)
DIRECTORY_URL = Text(
    pattern=r"ldaps?://([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?/?",
    what="an ldaps:// or ldap:// URL",
    longest=300,
)


@value
class GroupRole:
    """A role that everybody in a group has: in a project, or in the whole cloud."""

    group: Annotated[str, WORDS, "Name of the group, as the provider tells it", Example("web-team")]
    role: Annotated[str, ROLE, "Which role", Example("member")] = "member"
    project: Annotated[
        str, WORDS, "Name of the project; left out, the whole cloud, which makes sense for admins", Example("acme")
    ] = ""


@value
class CustomRole:
    """A role beside admin, manager, member and reader."""

    may: Annotated[
        tuple[Annotated[str, PERMISSION], ...],
        "What its users may do in a project, in the words of [the routes](../api-routes.md); a last `*` is all",
        Example(["compute:servers:os-start", "volume:snapshots:*"]),
    ] = ()
    implies: Annotated[tuple[Annotated[str, ROLE], ...], "Roles that its users have as well", Example(["reader"])] = ()
    description: Annotated[str, LINE, "For people"] = ""


@value
class LdapSettings:
    """A directory whose users log in with their own password. They are in a domain with the name of this entry."""

    url: Annotated[str, DIRECTORY_URL, "Where it is", Example("ldaps://ldap.example.org")]
    users: Annotated[str, DN, "Below which entry users are", Example("ou=people,dc=example,dc=org")]
    start_tls: Annotated[bool, "Begin TLS on an ldap:// connection, before anything is sent"] = False
    insecure: Annotated[bool, "Without TLS: everybody in between reads all passwords. For a test only"] = False
    ca: Annotated[
        str,
        FILE,
        "Certificates of its authority, in PEM; left out, those of the system",
        Example("/etc/stead/ldap-ca.pem"),
    ] = ""
    bind_dn: Annotated[
        str,
        LINE,
        "As whom users are searched; left out, as nobody",
        Example("cn=stead,ou=services,dc=example,dc=org"),
    ] = ""
    password_file: Annotated[
        str,
        FILE,
        "File with the password of `bind_dn`, which only its owner may read",
        Example("/etc/stead/ldap-password"),
    ] = ""
    user_filter: Annotated[str, FILTER, "Which entries are users", Example("(memberOf=cn=cloud,dc=example,dc=org)")] = (
        "(objectClass=person)"
    )
    user_name: Annotated[str, ATTRIBUTE, "Attribute with the name to log in with", Example("sAMAccountName")] = "uid"
    user_id: Annotated[
        str,
        ATTRIBUTE,
        "Attribute that no other user has or will have: who is made again under an old name is somebody else",
        Example("objectGUID"),
    ] = "entryUUID"
    user_mail: Annotated[str, ATTRIBUTE, "Attribute with the e-mail address"] = "mail"
    groups: Annotated[
        str, DN, "Below which entry groups are; left out, `users`", Example("ou=groups,dc=example,dc=org")
    ] = ""
    group_filter: Annotated[str, FILTER, "Which entries are groups"] = (
        "(|(objectClass=groupOfNames)(objectClass=posixGroup)(objectClass=group))"
    )
    group_name: Annotated[str, ATTRIBUTE, "Attribute with the name of a group"] = "cn"
    group_member: Annotated[
        str,
        ATTRIBUTE,
        "Attribute with its members: their distinguished names, or in `memberUid` their names",
        Example("member:1.2.840.113556.1.4.1941:"),
    ] = "member"
    timeout: Annotated[int, Duration(), "How long to wait for an answer"] = 5
    recheck: Annotated[
        int, Duration(), "After how long it is asked again whether a user is there, and in which groups"
    ] = 300
    roles: Annotated[
        tuple[GroupRole, ...], "Which group has which role", Example([{"group": "web-team", "project": "acme"}])
    ] = ()

    @property
    def told(self) -> str:
        """What the domain and its groups are described as."""
        return f"Of the directory {self.url}"


@value
class OidcSettings:
    """An OpenID provider, such as Keycloak. Its users are in a domain with the name of this entry."""

    issuer: Annotated[
        str, WEB_URL, "Where it is, as it writes itself in its tokens", Example("https://sso.example.org/realms/corp")
    ]
    client_id: Annotated[str, WORDS, "Name under which the provider knows this cloud", Example("stead")]
    client_secret_file: Annotated[
        str,
        FILE,
        "File with its secret, which only its owner may read; left out, it has none",
        Example("/etc/stead/oidc-secret"),
    ] = ""
    audience: Annotated[
        str, WORDS, "For whom tokens of programs are meant, if not for `client_id`", Example("stead-api")
    ] = ""
    insecure: Annotated[bool, "Without TLS: everybody in between can be anybody. For a test only"] = False
    ca: Annotated[str, FILE, "Certificates of its authority, in PEM; left out, those of the system"] = ""
    title: Annotated[str, WORDS, "What the portal calls it", Example("Example Corp.")] = ""
    scopes: Annotated[tuple[Annotated[str, CLAIM], ...], "What the provider is asked for"] = (
        "openid",
        "profile",
        "email",
    )
    user_name: Annotated[str, CLAIM, "Claim with the name of a user"] = "preferred_username"
    user_id: Annotated[str, CLAIM, "Claim that no other user has or will have"] = "sub"
    user_mail: Annotated[str, CLAIM, "Claim with the e-mail address"] = "email"
    groups: Annotated[str, CLAIM, "Claim with the names of the user's groups"] = "groups"
    timeout: Annotated[int, Duration(), "How long to wait for an answer"] = 5
    remembered: Annotated[int, Duration(), "After how long everything of a user ends that has not logged in again"] = (
        8 * 3600
    )
    roles: Annotated[
        tuple[GroupRole, ...], "Which group has which role", Example([{"group": "web-team", "project": "acme"}])
    ] = ()

    @property
    def told(self) -> str:
        """What the domain and its groups are described as."""
        return f"Of the provider {self.issuer}"


@value
class IdentitySettings:
    """Who logs in beside the users of the API's own store, and roles beside admin, manager, member and reader."""

    roles: Annotated[
        Mapping[Annotated[str, ROLE], CustomRole],
        "Roles of the site, by name",
        Example({"operator": {"implies": ["reader"], "may": ["compute:servers:os-start"]}}),
    ] = field(default_factory=dict)
    ldap: Annotated[
        Mapping[Annotated[str, Name()], LdapSettings],
        "Directories, by the name of the domain that their users are in",
        Example({"corp": {"url": "ldaps://ldap.example.org", "users": "ou=people,dc=example,dc=org"}}),
    ] = field(default_factory=dict)
    oidc: Annotated[
        Mapping[Annotated[str, Name()], OidcSettings],
        "OpenID providers, by the name of the domain that their users are in",
        Example({"sso": {"issuer": "https://sso.example.org/realms/corp", "client_id": "stead"}}),
    ] = field(default_factory=dict)

    @property
    def providers(self) -> Mapping[str, LdapSettings | OidcSettings]:
        """By the name of the domain."""
        return {**self.ldap, **self.oidc}
