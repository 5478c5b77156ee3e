"""Manage users of the API of `stead serve`. Create the first one here.

  stead user create ada --admin                an admin of the cloud; asks for a password, or reads it from stdin
  stead user create ada --admin --generate     the same, with a new password, which is printed once
  stead user create bob --project acme         a member of one project
  stead user create eve --project acme --role reader
  stead user list
  stead user delete bob
  stead user set-password ada                  of a user of the site's files as well; all tokens and sessions end
  stead user set-password ada --generate
  stead user totp ada                          asks for codes of an app from now on, beside the password
  stead user totp ada --off                    no more
  stead user clouds-yaml ada --project acme    the text for ~/.config/openstack/clouds.yaml
  stead user clouds-yaml lena --domain corp    the same for a user of a directory

On a controller with `stead_serve`, run these as `stead-site user …`.

exit status: 0, or 1 when the request is refused
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stead.cli.common import options as shared
from stead.cli.common.workspace import BAD_OPTION
from stead.core.diagnostics import Code, Refused
from stead.language.reading.context import nearest

if TYPE_CHECKING:
    from stead.language.desired.identity import IdentitySettings
    from stead.serve.cloud import Means
    from stead.serve.identity.people import People

NO_PASSWORD = Code("STEAD-C063", "a user needs a password")
NO_USER = Code("STEAD-C064", "the command for users cannot be carried out")
NO_CODE = Code("STEAD-C108", "the code does not belong to the secret")
SHORTEST = 8  # characters
MADE = 18  # random bytes of a password that is made here
ONLY_WITH = {
    "admin": ("create",),
    "project": ("create", "clouds-yaml"),
    "generate": ("create", "set-password"),
    "domain": ("totp", "clouds-yaml"),
    "off": ("totp",),
    "url": ("clouds-yaml",),
    "cacert": ("clouds-yaml",),
}
HERE = "http://127.0.0.1:8774"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("create", "list", "delete", "set-password", "totp", "clouds-yaml"), help="what to do"
    )
    parser.add_argument("name", nargs="?", default="", help="name of the user")
    parser.add_argument("--admin", action="store_true", help="admin of the whole cloud")
    parser.add_argument("--project", default="", metavar="NAME", help="project in which the user has a role")
    parser.add_argument(
        "--role",
        default="member",
        help="admin, manager, member, reader, or a role of `site.identity.roles` (default: member)",
    )
    parser.add_argument("--generate", action="store_true", help="make a password, and print it this one time")
    parser.add_argument("--domain", default="", metavar="NAME", help="of the user, for totp and clouds-yaml")
    parser.add_argument("--off", action="store_true", help="with totp: the password alone is enough again")
    parser.add_argument("--url", default="", help=f"of the API, for clouds-yaml (default: $STEAD_API_URL, or {HERE})")
    parser.add_argument(
        "--cacert",
        default="",
        metavar="FILE",
        help="file of the API's authority where the client runs, for clouds-yaml",
    )
    shared.inputs(parser)


def run(options: argparse.Namespace) -> int:
    from stead.cli.common.serving import means, people_of, required

    required()
    check_words(options.action, options.name, vars(options))
    if options.action == "clouds-yaml":
        url = options.url or os.environ.get("STEAD_API_URL", HERE)
        authority = options.cacert or os.environ.get("STEAD_API_CACERT", "")
        print(clouds_yaml(options.name, options.project, url, authority, options.domain), end="")
        return 0
    from stead.serve.cloud import Cloud
    from stead.serve.faults import Fault, said
    from stead.serve.identity.declared import DeclaredIdentity

    try:
        ready = means(shared.workspace_of(options))
        people = people_of(ready)
        people.follow_files(DeclaredIdentity(Cloud(ready)).records)
        match options.action:
            case "list":
                list_users(people)
            case "delete":
                people.remove_user(people.named(options.name) or options.name)
            case "totp":
                second_factor(people, user_named(people, options.name, options.domain, ready), off=options.off)
            case "set-password":
                user, secret = user_named(people, options.name, "", ready), made() if options.generate else password()
                people.set_password(user, secret)
            case _:
                where = project_id(options.project, ready) if options.project else ""
                secret = made() if options.generate else password()
                create(people, options.name, secret, where, role_named(options.role, ready), admin=options.admin)
        if options.generate:
            print(f"password: {secret}")
    except Fault as fault:
        raise Refused(NO_USER.at(None, said(fault))) from fault
    return 0


def check_words(action: str, name: str, given: Mapping[str, Any]) -> None:
    if action != "list" and not name:
        raise Refused(NO_USER.at(None, f"`stead user {action}` needs the name of the user."))
    for option, actions in ONLY_WITH.items():
        if given[option] and action not in actions:
            whose = " and ".join(f"`stead user {one}`" for one in actions)
            text = f"--{option} is for {whose}. {action} has no use for it."
            raise Refused(BAD_OPTION.at(None, text))


def list_users(people: People) -> None:
    from stead.serve.identity.second_factor import TOTP

    for user, known in people.of_kind("user"):
        notes = f"  ({known['file']})" if "file" in known else ""
        notes += ("" if known["enabled"] else "  (disabled)") + ("  (totp)" if (TOTP, user) in people.known() else "")
        print(f"{user}  {known['name']}{notes}")


def create(people: People, name: str, secret: str, where: str, role: str, *, admin: bool) -> None:
    user = people.add_user(name, secret)
    if admin:
        people.assign(user, "system", "admin")
    if where:
        people.assign(user, where, "admin" if admin else role)
        people.change_user(user, default_project_id=where)
    print(f"{user}  {name}")


def user_named(people: People, name: str, domain: str, ready: Means) -> str:
    from stead.serve.identity.declared import domain_id
    from stead.serve.identity.registry import DOMAIN, DOMAINS

    known = {DOMAIN: DOMAIN} | {one["name"]: id_ for id_, one in people.of_kind(DOMAINS)}
    if domain and (settings := declared(ready)) is not None:
        known |= {one: domain_id(one) for one in (*settings.ldap, *settings.oidc)}
    if domain and domain not in known:
        text = f"There is no domain {domain}.{nearest(domain, known)} Known are {', '.join(sorted(known))}."
        raise Refused(NO_USER.at(None, text))
    user = people.named(name, known[domain or DOMAIN])
    if user is None:
        where = f" in {domain}: one of a directory is there after the first login" if domain else ""
        raise Refused(NO_USER.at(None, f"There is no user {name}{where}. `stead user list` shows who there is."))
    return user


def second_factor(people: People, user: str, *, off: bool) -> None:
    from stead.serve.identity import second_factor as codes

    if off:
        people.write({(codes.TOTP, user): None})
        return
    secret = codes.new_secret()
    print(f"secret:  {secret}\naddress: {codes.address_of(people.user(user)['name'], secret)}")
    print("Give one of the two to the app, then type the code that it shows.")
    if not codes.enrol(people, user, secret, typed("Code: ").replace(" ", "")):
        raise Refused(NO_CODE.at(None, "Nothing was changed. Look at the clocks of both, and begin again."))


def typed(prompt: str) -> str:
    if sys.stdin.isatty():
        return input(prompt)
    sys.stdout.flush()
    return sys.stdin.readline().strip()


def declared(ready: Means) -> IdentitySettings | None:
    """What the site's files say of who logs in."""
    from stead.serve.cloud import Cloud

    return Cloud(ready).world().desired.site.identity


def role_named(name: str, ready: Means) -> str:
    from stead.language.desired.identity import FIXED_ROLES
    from stead.serve.identity.declared import role_key

    if name in FIXED_ROLES:
        return name
    identity = declared(ready)
    known = [*FIXED_ROLES, *(identity.roles if identity is not None else ())]
    if name not in known:
        raise Refused(NO_USER.at(None, f"There is no role {name}.{nearest(name, known)} Known are {', '.join(known)}."))
    return role_key(name)


def project_id(name: str, ready: Means) -> str:
    """Of a project of files or of the API; where there is none, one of the API begins."""
    from stead.serve.begin import project_named

    return project_named(name, ready)


def password() -> str:
    from getpass import getpass

    text = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(text) < SHORTEST:
        raise Refused(NO_PASSWORD.at(None, f"Type one of at least {SHORTEST} characters, or give it on stdin."))
    return text


def made() -> str:
    return secrets.token_urlsafe(MADE)


def clouds_yaml(name: str, project: str, url: str, authority: str = "", domain: str = "") -> str:
    scope = f"      project_name: {project}\n      project_domain_id: default\n" if project else ""
    scope = scope or "      system_scope: all\n"
    return (
        f"clouds:\n  stead:\n    auth:\n      auth_url: {url}/identity/v3\n      username: {name}\n"
        f"      password: ''  # yours\n      {_domain(domain)}\n{scope}"
        "    region_name: RegionOne\n    identity_api_version: 3\n"
        + (f"    cacert: {authority}\n" if authority else "")
    )


def _domain(name: str) -> str:
    return f"user_domain_name: {name}" if name else "user_domain_id: default"
