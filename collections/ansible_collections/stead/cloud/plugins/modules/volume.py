#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: volume
short_description: Keep a volume in a pool of a host
description:
  - Makes a volume, blank or from an image, and lets it grow, also while a guest uses it. It runs on the host that keeps
    the volume, and serves it to other hosts where O(server) says so.
  - A volume is never cut, and with O(state=absent) all that is on it is lost.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
extends_documentation_fragment: [stead.cloud.volume, stead.cloud.keeping]
"""

EXAMPLES = r"""
- name: Keep a volume for the database
  stead.cloud.volume:
    project: acme
    name: pgdata
    size: 50GiB

- name: Keep a volume that instances anywhere can have
  stead.cloud.volume:
    project: acme
    name: shared
    size: 20GiB
    pool: san
    type: iscsi
    path: /srv/san
    server: 192.0.2.10
"""

RETURN = r"""
uuid:
  description: Identity of the volume. Guests see its first 20 characters as the serial number of the
    disk.
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

from ..module_utils.arguments import volume as arguments
from ..module_utils.host.base import ledger
from ..module_utils.host.base.errors import Failed, FailureCode
from ..module_utils.host.run import standalone
from ..module_utils.host.storage import asked_pool, drivers

NO_SIZE = FailureCode("STEAD-E507", "a volume needs a size")
OTHER_FORMAT = FailureCode("STEAD-E508", "a volume cannot be moved to another place")


def main() -> None:
    module = AnsibleModule(
        argument_spec=asked_pool.options(arguments.OPTIONS),
        required_if=[("state", "present", ("size",))],
        supports_check_mode=True,
    )
    given = module.params
    address = standalone.address_of(given["project"], "volumes", given["name"])
    try:
        want = wanted(given, address) if given["state"] == "present" else None
    except Failed as error:
        module.fail_json(msg=str(error))
    standalone.carry_out(module, address, want)


def wanted(given: Mapping[str, Any], address: str) -> Dict[str, Any]:
    want = standalone.passed(given, arguments.PASSED)
    want.update(pool=asked_pool.pool(given), format=asked_pool.form(given), shareable=False)
    if not want.get("size"):
        raise Failed(NO_SIZE, "A volume needs a size above 0. Write, for example, 10GiB.")
    if given["image"]:
        image = standalone.address_of("", "images", given["image"])
        want["origin"] = {"image": {"address": image, "uuid": standalone.uuid_of(image)}}
    want = dict(want, name=address, uuid=standalone.uuid_of(address))
    _refuse_moved(want)
    return want


def _refuse_moved(want: Dict[str, Any]) -> None:
    """What is on a volume is where it was made."""
    made = ledger.read("volumes", want["uuid"])
    there, wished = drivers.volume(made["want"] if made else want).path, drivers.volume(want).path
    if there != wished:
        text = "The volume is {0} and cannot be moved to {1}. Copy its data, or remove it first: state: absent."
        raise Failed(OTHER_FORMAT, text.format(there, wished))


if __name__ == "__main__":
    main()
