"""Key pairs, flavors, images, quotas, and Keystone's projects and users."""

from __future__ import annotations

from stead.heat.fields import Fields, plain_text
from stead.heat.handler import Handler, said
from stead.heat.stack import HotResource
from stead.heat.template import WRONG
from stead.heat.types.volumes import gibibytes, mebibytes
from stead.heat.values import Expr, Mixed, Reference, Value, each

FORMATS = ("qcow2", "raw", "vmdk", "vdi", "vhd", "vhdx", "iso")
ROLES = {"_member_": "member", "member": "member", "admin": "manager", "manager": "manager", "reader": "reader"}
QUOTAS = {
    "cores": "vcpus", "instances": "instances", "key_pairs": "keypairs", "network": "networks", "subnet": "subnets",
    "port": "ports", "router": "routers", "floatingip": "floating_ips", "security_group": "security_groups",
    "security_group_rule": "security_group_rules", "volumes": "volumes", "snapshots": "snapshots",
}  # fmt: skip


def _made(resource: HotResource) -> dict[str, Value]:
    assert resource.entry is not None  # noqa: S101 - who calls this has one
    return resource.entry.fields


def keypair(resource: HotResource, fields: Fields) -> None:
    _made(resource)["display_name"] = fields.early("name")
    key = fields.early("public_key")
    _made(resource)["public_key"] = each(key, lambda one: one.strip() if isinstance(one, str) else one)
    if key is None and "public_key" not in fields.names():
        fields.no_property(
            "save_private_key", "Stead makes no private keys. Make a key with ssh-keygen, and give `public_key`."
        )
    fields.drop("save_private_key")


def flavor(resource: HotResource, fields: Fields) -> None:
    made = _made(resource)
    made["display_name"] = fields.early("name")
    made["vcpus"] = fields.early("vcpus")
    made["memory"] = mebibytes(fields.early("ram"))
    made["disk"] = _unless_zero(gibibytes(fields.early("disk")))
    made["ephemeral"] = _unless_zero(gibibytes(fields.early("ephemeral")))
    made["swap"] = _unless_zero(mebibytes(fields.early("swap")))
    fields.only("is_public", True)


def _unless_zero(value: Value) -> Value:
    return None if value in ("0GiB", "0MiB") else value


def image(resource: HotResource, fields: Fields) -> None:
    made = _made(resource)
    made["display_name"] = fields.early("name")
    made["source"] = fields.early("location")
    kind = fields.early("disk_format")
    if isinstance(kind, str) and kind not in FORMATS:
        fields.no_property("disk_format", f"Formats are {', '.join(FORMATS)}.")
        kind = None
    made["format"] = kind
    fields.only("container_format", "bare", why="An image is one file: `bare`.")
    made["min_disk"] = _unless_zero(gibibytes(fields.early("min_disk")))
    made["min_memory"] = _unless_zero(mebibytes(fields.early("min_ram")))
    made["architecture"] = fields.early("architecture")
    protected = fields.early("protected", "is_protected")
    made["protect"] = None if protected is False else protected
    made["tags"] = fields.early("tags")
    words = {"os_distro": fields.early("os_distro"), "os_version": fields.early("os_version")}
    extra = fields.early("extra_properties")
    properties = {
        **(extra if isinstance(extra, dict) else {}),
        **{name: one for name, one in words.items() if one is not None},
    }
    made["properties"] = {name: plain_text(one) for name, one in properties.items()} or None


def _project(resource: HotResource, fields: Fields, value: Value, name: str) -> str | None:
    """The project that something is said of: one of the template's, or the one that is being made."""
    draft = resource.stack.draft
    if isinstance(value, Reference) and value.resource.kind == "projects":
        return str(value.resource.key)
    if value is None or getattr(value, "text", "") == "project" or value == draft.project:
        return draft.project
    fields.no_property(name, "The project is none of this template's.")
    return None


def quota(resource: HotResource, fields: Fields) -> None:
    project = _project(resource, fields, fields.take("project"), "project")
    limits: dict[str, Value] = {}
    for word in list(fields.names()):
        if word in QUOTAS:
            limits[QUOTAS[word]] = fields.early(word)
    limits["memory"] = mebibytes(fields.early("ram"))
    limits["storage"] = gibibytes(fields.early("gigabytes"))
    said_so = {word: one for word, one in limits.items() if one is not None and one != -1}
    if project is not None:
        known = resource.stack.draft.entry("", "projects", project).fields.setdefault("quota", {})
        known.update(said_so)


def project(resource: HotResource, fields: Fields) -> None:
    made = _made(resource)
    made["display_name"] = fields.early("name")
    made["description"] = fields.early("description")
    made["tags"] = fields.early("tags")
    fields.only("enabled", True)
    fields.only("domain", "default", "Default", why="Projects of a spec have no domain.")


def user(resource: HotResource, fields: Fields) -> None:
    """A member of the projects in which it has a role."""
    name = fields.early("email") or fields.early("name") or resource.id
    fields.drop("name", "email", "description", "password")
    fields.only("enabled", True)
    fields.only("domain", "default", "Default", why="Users of a spec have no domain.")
    fields.only("groups", [], why="Groups have no equivalent in a spec.")
    default = fields.take("default_project")
    if default is not None:
        _member(resource, fields, name, default, "default_project", "member")
    _roles(resource, fields, name)


def assignment(resource: HotResource, fields: Fields) -> None:
    value = fields.take("user")
    target = value.resource if isinstance(value, Reference) else None
    name = value if target is None else Fields(target, target.properties()).early("email", "name") or target.id
    _roles(resource, fields, name)


def _roles(resource: HotResource, fields: Fields, name: Value) -> None:
    def role(below: Fields) -> Value:
        word = ROLES.get(str(below.early("role")))
        if word is None:
            below.no_property("role", "Roles are admin, manager, member and reader.")
        else:
            _member(resource, below, name, below.take("project"), "project", word)
        below.only("domain", why="Roles are given in projects.")

    fields.maps(["roles"], role)


def _member(resource: HotResource, fields: Fields, name: Value, value: Value, word: str, role: str) -> None:
    project = _project(resource, fields, value, word)
    if project is None:
        return
    if not isinstance(name, str | Mixed | Expr):
        fields.tell(WRONG, word, "The user has no name.")
        return
    entry = resource.stack.draft.entry("", "projects", project)
    others = [one for one in entry.fields.get("members") or [] if _named(one) != name]
    entry.fields["members"] = [*others, name if role == "member" else {"name": name, "role": role}]


def _named(member: Value) -> Value:
    return member["name"] if isinstance(member, dict) else member


IMAGE = Handler(
    image,
    "images",
    {"name": "name"},
    frozenset({"id", "visibility", "kernel_id", "ramdisk_id", "active"}),
    counts=False,
)
QUOTA = Handler(quota, counts=False, of_site=True)
TYPES = {
    "OS::Nova::KeyPair": Handler(
        keypair, "keypairs", {"public_key": said("public_key"), "name": said("name")}, frozenset({"type"}), counts=False
    ),
    "OS::Nova::Flavor": Handler(
        flavor, "flavors", {"name": "name"}, frozenset({"flavorid", "rxtx_factor"}), counts=False
    ),
    "OS::Glance::WebImage": IMAGE,
    "OS::Glance::Image": IMAGE,
    "OS::Nova::Quota": QUOTA,
    "OS::Neutron::Quota": QUOTA,
    "OS::Cinder::Quota": QUOTA,
    "OS::Keystone::Project": Handler(project, "projects", {"name": "name"}, counts=False, of_site=True),
    "OS::Keystone::User": Handler(user, counts=False, of_site=True),
    "OS::Keystone::UserRoleAssignment": Handler(assignment, counts=False, of_site=True),
}
