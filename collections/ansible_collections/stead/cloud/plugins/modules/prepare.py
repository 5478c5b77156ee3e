#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: prepare
short_description: Lay down a role's directories, files, settings, keys and units
description:
  - Does in one call what a role of this collection would otherwise do in a dozen tasks.
  - Directories that exist keep their owner and mode, kernel settings are only ever raised, and no unit is touched
    that is not named.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
options:
  directories:
    description: Directories to make. Those with mode V(0700) are kept private, others are left as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where.
        type: path
        required: true
      mode:
        description: Its mode, in octal, when it is made.
        type: str
        default: "0711"
  files:
    description: Files to write, each whole or not at all.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where.
        type: path
        required: true
      content:
        description: All of it.
        type: str
        required: true
      mode:
        description: Its mode, in octal.
        type: str
        default: "0644"
      then:
        description: Commands, each a list of words, to run once after all files when this one was written.
        type: list
        elements: list
        default: []
  absent:
    description: Files to remove.
    type: list
    elements: path
    default: []
  at_least:
    description: Kernel settings and the least value of each. Those that this kernel lacks are passed over.
    type: dict
    default: {}
  units:
    description: What systemd's units should be.
    type: dict
    default: {}
    suboptions:
      enabled:
        description: Start at boot.
        type: list
        elements: str
        default: []
      disabled:
        description: Do not start at boot.
        type: list
        elements: str
        default: []
      started:
        description: Run now.
        type: list
        elements: str
        default: []
      stopped:
        description: Do not run now.
        type: list
        elements: str
        default: []
  pools:
    description: Pools of this host, as the inventory's C(stead_pools) has them. Their directories are made.
    type: raw
    default: {}
  networks:
    description: Drivers of networks, and what each needs to be told of this host. After O(units).
    type: dict
    default: {}
  identity:
    description:
      - The host's name in the inventory and its address on the underlay, C(host) and C(underlay).
      - The restore at boot needs them, and other hosts are told the address.
    type: dict
    default: {}
  code:
    description: Install the code that restores networks at boot.
    type: bool
    default: false
  witness_key:
    description: Make the key with which this host asks others after a boot whether it was called dead, once.
    type: bool
    default: false
  witnesses:
    description:
      - The hosts that ask each other. C(members) has each one's address and port for SSH by its name.
      - C(known) has, by name, a list of address on the underlay, public key and sshd's keys of those that were asked.
    type: dict
    default: {}
  prove:
    description: Find out which hypervisors work by booting a guest of 512 bytes, and keep the answer until a boot.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Says what would be done, and does nothing.
"""

EXAMPLES = r"""
- name: Lay down a directory and a unit
  stead.cloud.prepare:
    directories:
      - {path: /var/lib/stead/ledger, mode: "0700"}
    units:
      enabled: [nftables.service]
"""

RETURN = r"""
done:
  description: What was done, or in check mode would be.
  returned: always
  type: list
  elements: str
  sample: [make /var/lib/stead/ledger]
address:
  description: This host's address on the underlay, as O(identity) gave it in this call or before.
  returned: when O(witness_key) is true
  type: str
public_key:
  description: The public key with which this host asks others.
  returned: when O(witness_key) is true
  type: str
  sample: ssh-ed25519 AAAA stead
hypervisors:
  description: For each hypervisor why it does not work, empty when it does; when O(prove) was asked for.
  returned: always
  type: dict
  sample: {kvm: "", qemu: ""}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.base import paths
from ..module_utils.host.base.errors import Failed
from ..module_utils.host.base.ssh_peers import WITNESS
from ..module_utils.host.base.work import Work
from ..module_utils.host.hypervisor import trials
from ..module_utils.host.prepare.preparing import prepare


def arguments() -> Dict[str, Any]:
    names = {"type": "list", "elements": "str", "default": []}
    directory = {"path": {"type": "path", "required": True}, "mode": {"type": "str", "default": "0711"}}
    content = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str", "required": True},
        "mode": {"type": "str", "default": "0644"},
        "then": {"type": "list", "elements": "list", "default": []},
    }
    units = {"enabled": names, "disabled": names, "started": names, "stopped": names}
    return {
        "directories": {"type": "list", "elements": "dict", "default": [], "options": directory},
        "files": {"type": "list", "elements": "dict", "default": [], "options": content},
        "absent": {"type": "list", "elements": "path", "default": []},
        "at_least": {"type": "dict", "default": {}},
        "units": {"type": "dict", "default": {}, "options": units},
        "pools": {"type": "raw", "default": {}},
        "networks": {"type": "dict", "default": {}},
        "identity": {"type": "dict", "default": {}},
        "code": {"type": "bool", "default": False},
        "witness_key": {"type": "bool", "default": False, "no_log": False},
        "witnesses": {"type": "dict", "default": {}},
        "prove": {"type": "bool", "default": False},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=arguments(), supports_check_mode=True)
    work = Work("", check=module.check_mode)
    answer: Dict[str, Any] = {"hypervisors": {}}
    try:
        prepare(module.params, work)
        if module.params["prove"]:
            answer["hypervisors"] = trials.traits(keep=not module.check_mode)["hypervisors"]
    except Failed as error:
        module.fail_json(msg=str(error), changed=work.changed, done=work.done)
    if module.params["witness_key"]:
        answer["public_key"] = WITNESS.public()
        answer["address"] = paths.known_as().get("underlay", "")
    module.exit_json(changed=work.changed, done=work.done, **answer)


if __name__ == "__main__":
    main()
