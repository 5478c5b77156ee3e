#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Keep a disk image on a host
description:
  - Fetches an image from a path of the host or over HTTP, verifies and converts it, and keeps it for root disks.
  - Under its final name, the digest of its content, an image is whole and never written to again.
  - Another content is another file. Disks keep the one that they are laid over, which goes with the last of them.
  - Images that name other files, and those that unpack to more than O(size) or than there is room for, are refused.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
extends_documentation_fragment: [stead.cloud.image, stead.cloud.keeping]
"""

EXAMPLES = r"""
- name: Keep Debian's cloud image
  stead.cloud.image:
    name: debian-12
    source: https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-genericcloud-amd64.qcow2

- name: Keep a disk that came packed, and nothing else under its name
  stead.cloud.image:
    name: appliance
    source: https://images.example.com/appliance.raw.xz
    checksum: "sha256:6a3f1c0d6f4d2f8f5f6b3a1e0c9d8b7a6f5e4d3c2b1a09f8e7d6c5b4a3f2e1d0"
    format: raw
    compression: xz
    size: 4GiB

- name: Remove it, when no disk is laid over it any more
  stead.cloud.image:
    name: appliance
    state: absent
"""

RETURN = r"""
uuid:
  description: Identity of the image on this host.
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

from ..module_utils.arguments import image as arguments
from ..module_utils.host.base.errors import Failed
from ..module_utils.host.run import standalone


def main() -> None:
    module = AnsibleModule(
        argument_spec=arguments.OPTIONS,
        required_if=[("state", "present", ("source",))],
        supports_check_mode=True,
    )
    given = module.params
    address = standalone.address_of("", "images", given["name"])
    try:
        want = wanted(given, address) if given["state"] == "present" else None
    except Failed as error:
        module.fail_json(msg=str(error))
    standalone.carry_out(module, address, want)


def wanted(given: Mapping[str, Any], address: str) -> Dict[str, Any]:
    want = standalone.passed(given, arguments.PASSED)
    if "checksum" in want:
        want["checksum"] = want["checksum"].lower()
    return dict(want, keeps=True, name=address, uuid=standalone.uuid_of(address))


if __name__ == "__main__":
    main()
