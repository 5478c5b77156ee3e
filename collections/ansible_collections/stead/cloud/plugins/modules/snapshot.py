#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot
short_description: Keep a snapshot of a volume or an instance
description:
  - Copies what is on a volume at one moment, also while a guest uses it. A snapshot needs the volume no more.
  - Of an instance, it copies all disks that this host keeps in files, at one moment.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
extends_documentation_fragment: [stead.cloud.snapshot, stead.cloud.keeping]
"""

EXAMPLES = r"""
- name: Keep what was there on Monday
  stead.cloud.snapshot:
    project: acme
    name: pgdata-monday
    volume: pgdata

- name: Keep all disks of an instance as they are before an upgrade
  stead.cloud.snapshot:
    project: acme
    name: before-upgrade
    instance: db
"""

RETURN = r"""
uuid:
  description: Identity of the snapshot.
  returned: always
  type: str
before:
  description: What the host's ledger had before. Empty when there was nothing.
  returned: always
  type: dict
after:
  description: What the ledger has now, or would have after a run without check mode.
  returned: always
  type: dict
done:
  description: What was done, or would be done in check mode.
  returned: always
  type: list
  elements: str
"""

from typing import Any, Dict, Mapping

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.arguments import snapshot as arguments
from ..module_utils.host.base import ledger
from ..module_utils.host.run import standalone
from ..module_utils.wire.parts import DEFAULT_STORAGE


def main() -> None:
    module = AnsibleModule(
        argument_spec=arguments.OPTIONS,
        mutually_exclusive=[("volume", "instance")],
        required_if=[("state", "present", ("volume", "instance"), True)],
        supports_check_mode=True,
    )
    given = module.params
    address = standalone.address_of(given["project"], "snapshots", given["name"])
    standalone.carry_out(module, address, wanted(module, address) if given["state"] == "present" else None)


def wanted(module: AnsibleModule, address: str) -> Dict[str, Any]:
    given = module.params
    what = "volume" if given["volume"] else "instance"
    of = standalone.address_of(given["project"], what + "s", given[what])
    made = ledger.read(what + "s", standalone.uuid_of(of))
    if made is None and not module.check_mode:
        module.fail_json(msg="The {0} {1} is not on this host.".format(what, given[what]))
    # In check mode a task before may be what would make it.
    there = made["want"] if made else {"format": "qcow2", "pool": {"name": "default", "type": DEFAULT_STORAGE}}
    return {
        **standalone.passed(given, arguments.PASSED),
        **_where(what, there),
        "name": address,
        "uuid": standalone.uuid_of(address),
        what: {"address": of, "uuid": standalone.uuid_of(of)},
    }


def _where(what: str, there: Mapping[str, Any]) -> Dict[str, Any]:
    if what == "volume":
        return {"format": there["format"], "pool": there["pool"]}
    root = there.get("root", there)  # its own, or a volume that it boots from
    return {"pool": root.get("volume", root)["pool"]}


if __name__ == "__main__":
    main()
