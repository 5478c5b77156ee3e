#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_attachment
short_description: Keep a volume attached to an instance
description:
  - Plugs a volume into an instance of this host, while it runs or not, and unplugs it. It stays so over starts.
  - The volume is on this host, or in a pool that another host serves.
  - A guest that has a volume mounted does not let go of it. Unmount it inside first.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
extends_documentation_fragment: [stead.cloud.volume_attachment, stead.cloud.keeping]
seealso:
  - module: stead.cloud.volume
  - module: stead.cloud.instance
"""

EXAMPLES = r"""
- name: Attach a volume of this host
  stead.cloud.volume_attachment:
    project: acme
    instance: db
    volume: pgdata

- name: Attach one that a storage host serves
  stead.cloud.volume_attachment:
    project: acme
    instance: db
    volume: shared
    pool: san
    type: iscsi
    path: /srv/san
    server: 192.0.2.10
    account: "{{ hostvars['storage-1'].shared.accounts.values() | first }}"
"""

RETURN = r"""
uuid:
  description: Identity of the instance.
  returned: always
  type: str
before:
  description: How the volume was attached. Empty when it was not.
  returned: always
  type: dict
after:
  description: How it is attached now, or would be in check mode.
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

from ..module_utils.arguments import volume_attachment as arguments
from ..module_utils.host.base import ledger
from ..module_utils.host.base.errors import Failed, FailureCode
from ..module_utils.host.run import standalone
from ..module_utils.host.storage import asked_pool, drivers

NO_INSTANCE = FailureCode("STEAD-E509", "an instance is not on the host")
NO_LETTER = FailureCode("STEAD-E510", "no device name is left for a volume")
NOT_ON_HOST = FailureCode("STEAD-E511", "a volume to attach is not on the host")

LETTERS = "bcdefghijklmnopqrstuvw"


def main() -> None:
    module = AnsibleModule(
        argument_spec=asked_pool.options(arguments.OPTIONS),
        supports_check_mode=True,
    )
    given = module.params
    instance = standalone.address_of(given["project"], "instances", given["instance"])
    volume = standalone.address_of(given["project"], "volumes", given["volume"])
    made = ledger.read("instances", standalone.uuid_of(instance))
    try:
        if made is None:
            without(module, given)
        else:
            want = wanted(given, made["want"], volume)
            hidden = standalone.Hidden(handed={standalone.uuid_of(volume): given["account"] or ""})
            standalone.carry_out(module, instance, want, part=lambda one: attachment(one, volume), hidden=hidden)
    except Failed as error:
        module.fail_json(msg=str(error))


def attachment(instance: Mapping[str, Any], volume: str) -> Dict[str, Any]:
    return dict(instance.get("volumes", {}).get(volume, {}))


def without(module: AnsibleModule, given: Mapping[str, Any]) -> None:
    """An instance that is not there has nothing attached. In check mode a task before may be what would make it."""
    wished = given["state"] == "present"
    if wished and not module.check_mode:
        raise Failed(NO_INSTANCE, "Instance {0} is not on this host.".format(given["instance"]))
    identity = standalone.uuid_of(standalone.address_of(given["project"], "instances", given["instance"]))
    done = ["attach {0}".format(given["volume"])] if wished else []
    module.exit_json(changed=wished, uuid=identity, before={}, after={}, done=done)


def wanted(given: Mapping[str, Any], instance: Mapping[str, Any], volume: str) -> Dict[str, Any]:
    """All of the instance as it is, and the volume in it or not."""
    attached = dict(instance.get("volumes", {}))
    before = attached.pop(volume, {})
    if given["state"] == "present":
        attached[volume] = described(given, instance, volume, before)
    return dict(instance, volumes=attached)


def described(
    given: Mapping[str, Any], instance: Mapping[str, Any], volume: str, before: Mapping[str, Any]
) -> Dict[str, Any]:
    bus = "scsi" if instance["root"]["bus"] == "ide" else instance["root"]["bus"]
    found = dict(where(given, volume), bus=bus, mode=given["mode"])
    if given["size"] and drivers.shared(found["pool"]):
        found["size"] = standalone.size(given["size"])
    if given["device"]:
        return dict(found, device=given["device"], pinned=True)
    taken = {one["device"][-1] for one in instance.get("volumes", {}).values()}
    free = next((letter for letter in LETTERS if letter not in taken), None)
    if before:
        return dict(found, device=before["device"])
    if free is None:
        raise Failed(NO_LETTER, "Instance {0} has no free device name for another volume.".format(given["instance"]))
    return dict(found, device={"virtio": "vd"}.get(bus, "sd") + free)


def where(given: Mapping[str, Any], volume: str) -> Dict[str, Any]:
    identity = standalone.uuid_of(volume)
    made = ledger.read("volumes", identity)
    if made is not None:
        return standalone.attached(made["want"])
    pool = asked_pool.pool(given)
    if not drivers.shared(pool):
        text = (
            "Volume {0} is not on this host. Make it here with stead.cloud.volume, or give type and server of its pool."
        )
        raise Failed(NOT_ON_HOST, text.format(given["volume"]))
    return {"format": "raw", "pool": pool, "shareable": False, "uuid": identity}


if __name__ == "__main__":
    main()
