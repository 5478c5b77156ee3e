#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: image_info
short_description: Say what a host keeps of disk images
description:
  - Returns the digest, the size and the origin of images that the host keeps. Changes nothing.
  - The playbook C(stead.cloud.wave) asks a controller before other hosts take their copies of its images. The digest
    comes by SSH, which proves who answers; the file comes over HTTP, which proves nothing.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
options:
  uuids:
    description: Identities of images. Those that the host keeps are returned.
    type: list
    elements: str
    default: []
  src:
    description:
      - Directory of a wave on the controller of Ansible. The images are those that its hosts take from this host.
      - The answer is kept there, as C(<host>.images). A host that nobody takes an image from is not asked.
    type: path
attributes:
  check_mode:
    support: full
    description: It only looks.
"""

EXAMPLES = r"""
- name: Look up the digest of an image that was kept
  stead.cloud.image_info:
    uuids: ["{{ kept.uuid }}"]
"""

RETURN = r"""
images:
  description: What is kept, by identity.
  returned: always
  type: dict
  sample:
    0d0c1f3e-8b1d-4c65-a3b4-f0c7d4b3b1a2:
      {sha256: 6a3f…, size: 3221225472, virtual_size: 10737418240, format: qcow2, compression: none,
       content: "sha256:6a3f…", file: 6a3f….qcow2}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.images import image_files


def main() -> None:
    arguments = {"uuids": {"type": "list", "elements": "str", "default": []}, "src": {"type": "path"}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    found = {uuid: image_files.facts(uuid) for uuid in module.params["uuids"]}
    module.exit_json(changed=False, images={uuid: one for uuid, one in found.items() if one is not None})


if __name__ == "__main__":
    main()
