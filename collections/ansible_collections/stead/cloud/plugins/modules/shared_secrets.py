#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: shared_secrets
short_description: Keep what several controllers of a site have in common
description:
  - Makes the authorities of the store and of the API, and the key of the store, where a controller has none.
    Or takes those of another controller.
  - What it returns is secret. Use it with C(no_log).
  - The role C(stead.cloud.store) calls it on each controller, and then on those that have to take what another one has.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
options:
  content:
    description: What another controller returned. Empty to make what is missing, and to return it.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Says what would be done, and does nothing.
"""

EXAMPLES = r"""
- name: Make what controllers share, or read it
  stead.cloud.shared_secrets:
  no_log: true
  register: shared
"""

RETURN = r"""
content:
  description: Texts of files by their paths.
  returned: always
  type: dict
  sample: {}
made:
  description: Whether this controller had nothing of it.
  returned: always
  type: bool
  sample: false
done:
  description: What was done, or in check mode would be.
  returned: always
  type: list
  elements: str
  sample: [make /var/lib/stead/store-authority]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.base.errors import Failed
from ..module_utils.host.base.work import Work
from ..module_utils.host.prepare import shared_secrets


def main() -> None:
    arguments = {"content": {"type": "dict", "default": {}, "no_log": True}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    work = Work("", check=module.check_mode)
    try:
        told = shared_secrets.share(module.params, work)
    except Failed as error:
        module.fail_json(msg=str(error), changed=work.changed, done=work.done)
    module.exit_json(changed=work.changed, done=work.done, **told)


if __name__ == "__main__":
    main()
