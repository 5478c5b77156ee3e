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
options:
  name:
    description: Name of the image.
    type: str
    required: true
  source:
    description: Absolute path on the host, or an http or https URL. Required unless O(state=absent).
    type: str
  checksum:
    description: Digest of the file as it is fetched, C(sha256:) or C(sha512:) and hexadecimal digits.
    type: str
  format:
    description: Format of the file.
    type: str
    choices: [qcow2, raw, vmdk, vdi, vhd, vhdx, iso]
    default: qcow2
  compression:
    description: How the file is compressed.
    type: str
    choices: [none, gz, xz, bz2, zst]
    default: none
  size:
    description: Size of the disk in the image, as C(3GiB). Another size is refused.
    type: str
  state:
    description: Whether the host has it.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment: [stead.cloud.keeping]
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
  description: What the host's ledger said before.
  returned: always
  type: dict
after:
  description: What it says now.
  returned: always
  type: dict
done:
  description: What was done, or would be in check mode.
  returned: always
  type: list
  elements: str
"""

from typing import Any, Dict, Mapping

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.base.errors import Failed
from ..module_utils.host.run import standalone


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "source": {"type": "str"},
            "checksum": {"type": "str"},
            "format": {
                "type": "str",
                "choices": ["qcow2", "raw", "vmdk", "vdi", "vhd", "vhdx", "iso"],
                "default": "qcow2",
            },
            "compression": {"type": "str", "choices": ["none", "gz", "xz", "bz2", "zst"], "default": "none"},
            "size": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
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
    want = {name: given[name] for name in ("source", "format", "compression")}
    if given["checksum"]:
        want["checksum"] = given["checksum"].lower()
    if given["size"]:
        want["size"] = standalone.size(given["size"])
    return dict(want, keeps=True, name=address, uuid=standalone.uuid_of(address))


if __name__ == "__main__":
    main()
