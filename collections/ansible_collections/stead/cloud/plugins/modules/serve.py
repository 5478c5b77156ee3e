#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: serve
short_description: Lay down on a controller what C(stead serve) needs
description:
  - Installs the Stead that prepares the host, with its packages, from the machine that Ansible runs on.
    Nothing is fetched from elsewhere.
  - Brings the site's files and an inventory, and makes the user, an SSH key and the certificate of the API.
  - The role C(stead.cloud.serve) calls it, lets the key in on all hosts, and starts the unit.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
options:
  site:
    description: Directory of the site's files, on the machine that Ansible runs on. The action reads them.
    type: raw
    required: true
  names:
    description:
      - Names and addresses of the API for its certificate, the first of them in its URL.
      - Empty if the site has a certificate of its own.
    type: list
    elements: str
    default: []
  logins:
    description: By host the user that Ansible logs in as.
    type: dict
    default: {}
  inventory:
    description: The inventory for the service. The action makes it.
    type: str
    default: ""
  program:
    description: What is to be installed. The action says it.
    type: dict
    default: {}
  archive:
    description: Where the program is on the host. The action sends it if the host does not have it.
    type: path
    default: ""
attributes:
  check_mode:
    support: full
    description: Says what would be done, and does nothing.
"""

EXAMPLES = r"""
- name: Lay down what the API needs
  stead.cloud.serve:
    site: /srv/site
    names: [cloud.example.org, 192.0.2.2]
"""

RETURN = r"""
done:
  description: What was done, or in check mode would be.
  returned: always
  type: list
  elements: str
  sample: [make /var/lib/stead-serve]
root:
  description: Where the program is.
  returned: always
  type: str
  sample: /usr/lib/stead/serve/0123456789abcdef
inputs:
  description: Digest of what the service reads only when it starts.
  returned: always
  type: str
  sample: 0123456789abcdef
public_key:
  description: The key with which the service logs in to hosts.
  returned: always
  type: str
  sample: ssh-ed25519 AAAA
addresses:
  description: Addresses of the controller.
  returned: always
  type: list
  elements: str
  sample: [192.0.2.2]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.base.errors import Failed
from ..module_utils.host.base.work import Work
from ..module_utils.host.prepare.serving import serve


def main() -> None:
    arguments = {
        "site": {"type": "raw", "required": True},
        "names": {"type": "list", "elements": "str", "default": []},
        "logins": {"type": "dict", "default": {}},
        "inventory": {"type": "str", "default": ""},
        "program": {"type": "dict", "default": {}},
        "archive": {"type": "path", "default": ""},
    }
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    work = Work("", check=module.check_mode)
    try:
        answer = serve(module.params, work)
    except Failed as error:
        module.fail_json(msg=str(error), changed=work.changed, done=work.done)
    module.exit_json(changed=work.changed, done=work.done, **answer)


if __name__ == "__main__":
    main()
