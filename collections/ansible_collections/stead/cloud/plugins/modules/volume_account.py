#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_account
short_description: Say the secrets of volumes that a host serves
description:
  - Returns what another host needs to use volumes that this host serves by iSCSI, beside their addresses.
  - The playbook C(stead.cloud.wave) asks a storage host before other hosts attach its volumes.
  - A volume that was made by a version without secrets has none. It is given one when nobody has it open, and the host
    that asks is the only one that will. Until then it is returned without one.
  - Register the answer with C(no_log), and pass it to O(stead.cloud.volume_attachment#module:account).
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
options:
  project:
    description: Project of the volume.
    type: str
  name:
    description: Name of the volume, as M(stead.cloud.volume) keeps it.
    type: str
  volumes:
    description: Identities of volumes that a plan made, and for each whether the host that asks is the only one.
    type: dict
    default: {}
  src:
    description:
      - Directory of a wave on the controller of Ansible. The volumes are those that its steps attach from this host.
      - The answer is kept there for each host that attaches some, until its steps are begun. A host from which nobody
        attaches any is not asked.
    type: path
attributes:
  check_mode:
    support: full
    description: It only looks. A volume without a secret gets none.
"""

EXAMPLES = r"""
- name: Ask for the secret of a volume
  stead.cloud.volume_account:
    project: acme
    name: shared
  register: shared
  no_log: true
"""

RETURN = r"""
accounts:
  description: The secrets, by identities of volumes. Those without one are left out.
  returned: always
  type: dict
"""

import contextlib
from typing import Any, Dict, Mapping

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.base import ledger
from ..module_utils.host.base.errors import Failed
from ..module_utils.host.base.work import Work
from ..module_utils.host.run import standalone
from ..module_utils.host.run.batch import alone
from ..module_utils.host.storage import drivers


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "project": {"type": "str"},
            "name": {"type": "str"},
            "volumes": {"type": "dict", "default": {}},
            "src": {"type": "path"},
        },
        required_together=[("project", "name")],
        supports_check_mode=True,
    )
    work = Work("", check=module.check_mode)
    try:
        found = accounts(wanted(module.params), work)
    except Failed as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=work.changed, accounts=found)


def wanted(given: Mapping[str, Any]) -> Dict[str, bool]:
    if not given["name"]:
        return {uuid: bool(alone) for uuid, alone in given["volumes"].items()}
    return {standalone.uuid_of(standalone.address_of(given["project"], "volumes", given["name"])): False}


def accounts(volumes: Mapping[str, bool], work: Work) -> Dict[str, str]:
    """Of those that this host has: another one, or a step to come, may make the others."""
    with contextlib.nullcontext() if work.check else alone():
        made = {uuid: ledger.read("volumes", uuid) for uuid in volumes}
        found = {uuid: drivers.hand(one["want"], volumes[uuid], work) for uuid, one in made.items() if one is not None}
    return {uuid: secret for uuid, secret in found.items() if secret}


if __name__ == "__main__":
    main()
