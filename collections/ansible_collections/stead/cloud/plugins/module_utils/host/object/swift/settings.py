"""The configuration of each of Swift's programs, as text. Whoever may read it learns no secret."""

from __future__ import annotations

from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

from ...base import paths
from ...base.step import Want

ROOT = "/etc/stead/object"
ACCOUNTS = ROOT + "/accounts.json"
CERTIFICATES = ROOT + "/tls"
OBJECTS = paths.ROOT + "/objects"
SWIFT = "/etc/swift"  # where Swift's programs look for rings and what paths of objects are made with
CACHE = "/var/cache/swift"  # where its programs tell of their last round
CODE = "/usr/lib/stead/object"  # of the filter that knows projects
PORTS = {"object": 6200, "container": 6201, "account": 6202}
RSYNC = 873
USER = "swift"

Section = Tuple[str, Mapping[str, object]]

_FILTERS = (
    "catch_errors gatekeeper healthcheck proxy-logging listing_formats tempurl formpost bulk s3api tempauth staticweb "
    "copy container-quotas account-quotas slo dlo versioned_writes symlink proxy-logging proxy-server"
)
_EGGS = {"container-quotas": "container_quotas", "account-quotas": "account_quotas", "proxy-logging": "proxy_logging"}
_SETTINGS: Mapping[str, Mapping[str, object]] = {
    "s3api": {"location": "us-east-1", "s3_acl": "false", "dns_compliant_bucket_names": "true"},
    "versioned_writes": {"allow_versioned_writes": "true", "allow_object_versioning": "true"},
    "tempauth": {
        "use": None,
        "paste.filter_factory": "stead_object_auth:filter_factory",
        "accounts": ACCOUNTS,
        "token_life": 3600,
        "allow_overrides": "true",  # of a signed URL, which is its owner's word
    },
}


class StoreProgram(NamedTuple):
    """One that runs all the time."""

    name: str
    binary: str
    settings: str
    user: str = USER


def written(sections: Sequence[Section]) -> str:
    lines: List[str] = []
    for name, settings in sections:
        lines.append("[{0}]".format(name))
        lines += ["{0} = {1}".format(*one) for one in settings.items() if one[1] is not None]
    return "\n".join(lines) + "\n"


def hash_paths(want: Want) -> str:
    """Of a store and for ever: with another one, no object would be found."""
    own = {"swift_hash_path_prefix": "stead", "swift_hash_path_suffix": want["uuid"]}
    policy = {"name": "Policy-0", "default": "yes"}
    return written([("swift-hash", own), ("storage-policy:0", policy)])


def programs(want: Want, address: str) -> Dict[str, StoreProgram]:
    """All of a host, by their names, in the order in which they start."""
    found = {"rsync": StoreProgram("rsync", "/usr/bin/rsync", rsync(want, address), "root")}
    for one, jobs in _JOBS.items():
        text = server(one, want, address)
        names = [one + "-server", *("{0}-{1}".format(one, job) for job in jobs)]
        found.update({name: StoreProgram(name, "/usr/bin/swift-" + name, text) for name in names})
    found["object-expirer"] = StoreProgram("object-expirer", "/usr/bin/swift-object-expirer", expirer())
    found["proxy-server"] = StoreProgram("proxy-server", "/usr/bin/swift-proxy-server", proxy(want, address))
    return found


# Seconds between two rounds, where a site of a few hosts wants others than Swift; each round is a process of its own.
_ROUNDS: Mapping[str, Mapping[str, object]] = {
    "replicator": {"interval": 30},
    "updater": {"interval": 60, "concurrency": 1},
}
_JOBS: Mapping[str, Sequence[str]] = {
    "account": ("replicator", "auditor", "reaper"),
    "container": ("replicator", "auditor", "updater"),
    "object": ("replicator", "auditor", "updater"),
}


def _common(level: str = "WARNING") -> Dict[str, object]:
    return {"user": USER, "swift_dir": SWIFT, "log_level": level}


def server(one: str, want: Want, address: str) -> str:
    """Of a server and of what keeps its copies alike."""
    common = {
        **_common(),
        "bind_ip": address,
        "bind_port": PORTS[one],
        "workers": "auto" if one == "object" else 1,
        "devices": OBJECTS,
        "mount_check": str(bool(want["mounted"])).lower(),
    }
    pipeline = {"pipeline": "healthcheck recon {0}-server".format(one)}
    sections: List[Section] = [
        ("DEFAULT", common),
        ("pipeline:main", pipeline),
        ("app:{0}-server".format(one), {"use": "egg:swift#" + one}),
        ("filter:healthcheck", {"use": "egg:swift#healthcheck"}),
        ("filter:recon", {"use": "egg:swift#recon"}),
        *(("{0}-{1}".format(one, job), _ROUNDS.get(job, {})) for job in _JOBS[one]),
    ]
    return written(sections)


def expirer() -> str:
    """Of objects that were to be kept until a time that has come."""
    return written(
        [
            ("DEFAULT", _common()),
            ("object-expirer", {"interval": 300}),
            ("pipeline:main", {"pipeline": "catch_errors proxy-server"}),
            ("app:proxy-server", {"use": "egg:swift#proxy"}),
            ("filter:catch_errors", {"use": "egg:swift#catch_errors"}),
        ]
    )


def proxy(want: Want, address: str) -> str:
    common: Dict[str, object] = {**_common("INFO"), "bind_ip": address, "bind_port": want["port"], "workers": "auto"}
    if want["tls"]:
        common["cert_file"] = CERTIFICATES + "/server-cert.pem"
        common["key_file"] = CERTIFICATES + "/server-key.pem"
    names = list(dict.fromkeys(_FILTERS.split()))[:-1]
    filters = [
        ("filter:" + name, {"use": "egg:swift#" + _EGGS.get(name, name), **_SETTINGS.get(name, {})}) for name in names
    ]
    app = {"use": "egg:swift#proxy", "allow_account_management": "true", "account_autocreate": "true"}
    return written(
        [("DEFAULT", common), ("pipeline:main", {"pipeline": _FILTERS}), ("app:proxy-server", app), *filters]
    )


def rsync(want: Want, address: str) -> str:
    """Copies come from hosts of the store, and go where objects are."""
    peers = " ".join(sorted(one["address"] for one in want["hosts"].values()))
    lines = ["uid = " + USER, "gid = " + USER, "address = " + address, "port = {0}".format(RSYNC)]
    lines += ["use chroot = yes", "log file = /dev/null", "reverse lookup = no"]
    for one in sorted(PORTS):
        lines += ["[{0}]".format(one), "path = " + OBJECTS, "read only = false", "max connections = 8"]
        lines += ["lock file = /run/stead-object-{0}.lock".format(one), "hosts allow = " + peers]
    return "\n".join(lines) + "\n"


def firewall(want: Want) -> str:
    """What the store's hosts say to each other has no password: it is for them, and there for Swift's user and root."""
    peers = sorted(one["address"] for one in want["hosts"].values())
    four = ", ".join(one for one in peers if ":" not in one)
    six = ", ".join(one for one in peers if ":" in one)
    ports = "{{ {0} }}".format(", ".join(str(one) for one in sorted([*PORTS.values(), RSYNC])))
    accepted = ["    ip saddr {{ {0} }} accept".format(four)] if four else []
    accepted += ["    ip6 saddr {{ {0} }} accept".format(six)] if six else []
    lines = ["table inet stead_object", "delete table inet stead_object", "table inet stead_object {"]
    lines += ["  chain input {", "    type filter hook input priority -5; policy accept;"]
    lines += ["    tcp dport {0} jump served".format(ports), "  }", "  chain served {", *accepted, "    drop", "  }"]
    lines += ["  chain output {", "    type filter hook output priority -5; policy accept;"]
    lines += ["    tcp flags & (syn | ack) == syn tcp dport {0} jump asked".format(ports), "  }", "  chain asked {"]
    lines += ['    meta skuid {{ "root", "{0}" }} accept'.format(USER)]
    lines += ["    ip daddr {{ {0} }} drop".format(four)] if four else []
    lines += ["    ip6 daddr {{ {0} }} drop".format(six)] if six else []
    return "\n".join([*lines, "  }", "}"]) + "\n"
