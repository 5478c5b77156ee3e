#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: notice
short_description: Keep a text that people see when they log in
description:
  - Does without a plan what a step of the kind C(notices) does.
author:
  - The people of this site (@example)
options:
  name:
    description: Name of the notice.
    type: str
    required: true
  text:
    description: What is shown. Required unless O(state=absent).
    type: str
  state:
    description: Whether it is there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Tell who looks after this host
  stead.site.notice:
    name: owner
    text: Ask the storage team before you change anything here.
"""

RETURN = r"""
done:
  description: What was done, or would be.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.stead.cloud.plugins.module_utils.host.run import standalone


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "text": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ("text",))],
        supports_check_mode=True,
    )
    given = module.params
    address = standalone.address_of("", "notices", given["name"])
    want = {"name": address, "uuid": standalone.uuid_of(address), "text": given["text"]}
    standalone.carry_out(module, address, want if given["state"] == "present" else None)


if __name__ == "__main__":
    main()
