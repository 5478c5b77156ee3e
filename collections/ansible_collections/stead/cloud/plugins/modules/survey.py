#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: survey
short_description: Look at a host before it is prepared
description:
  - Tells the roles of this collection the little that they must know of a bare host to choose packages and services.
  - Costs a fraction of gathering all facts, needs nothing on the host but Python, and changes nothing.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
options:
  packages:
    description: Names of packages. Those that are installed are returned.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: It only looks.
"""

EXAMPLES = r"""
- name: Look at the host
  stead.cloud.survey:
    packages: [nftables, chrony]
  register: stead_survey
"""

RETURN = r"""
system:
  description: Distribution, its family (V(debian) or V(redhat)), architecture, kernel, Python, and what container.
  returned: always
  type: dict
  sample: {id: debian, version: "12", family: debian, architecture: x86_64, container: ""}
installed:
  description: Which of O(packages) are installed.
  returned: always
  type: list
  elements: str
clock:
  description: The service that keeps the time, empty when none does.
  returned: always
  type: str
kernel:
  description: Whether the kernel has an NFS server and an iSCSI target.
  returned: always
  type: dict
  sample: {nfsd: true}
host_keys:
  description: The keys of this host's sshd, as a file of known hosts has them.
  returned: always
  type: list
  elements: str
"""


from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.observe.survey import survey


def main() -> None:
    arguments = {"packages": {"type": "list", "elements": "str", "default": []}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    module.exit_json(changed=False, **survey(module.params["packages"]))


if __name__ == "__main__":
    main()
