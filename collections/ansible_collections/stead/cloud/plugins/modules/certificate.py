#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate
short_description: Make and sign the certificates with which instances move encrypted
description:
  - A controller has the site's authority. Each compute host makes its own key, which never leaves it, and asks.
  - What is signed is the name and the address that the inventory has, whatever a request says.
  - The playbook C(stead.cloud.bootstrap) calls it in this order, V(authority), V(requested), V(signed) and
    V(installed). A certificate is renewed 90 days before its end.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
options:
  state:
    description: The part to do.
    type: str
    choices: [authority, requested, signed, installed]
    required: true
  authority:
    description: The authority that signs, that of V(moves) between hosts or that of the controllers with the V(store).
    type: str
    choices: [moves, store]
    default: moves
  path:
    description: The directory of QEMU's certificates, on a compute host.
    type: path
    default: /etc/pki/qemu
  group:
    description: The group as which QEMU runs there.
    type: str
    default: libvirt-qemu
  name:
    description: The host's name in the inventory.
    type: str
    default: ""
  address:
    description: Its address on the underlay.
    type: str
    default: ""
  issuer:
    description: The certificate of the authority.
    type: str
    default: ""
  content:
    description: What is to be signed, or what was signed.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Says what would be done, and does nothing.
"""

EXAMPLES = r"""
- name: Make the authority, or read its certificate
  stead.cloud.certificate:
    state: authority
"""

RETURN = r"""
content:
  description: A certificate or a request, as PEM. Empty when there is nothing to sign.
  returned: always
  type: str
  sample: ""
done:
  description: What was done, or in check mode would be.
  returned: always
  type: list
  elements: str
  sample: [make /etc/pki/qemu]
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.base.errors import Failed
from ..module_utils.host.base.work import Work
from ..module_utils.host.prepare import certificates


def carried_out(given: Dict[str, Any], work: Work) -> str:
    folder = certificates.STORE_AUTHORITY if given["authority"] == "store" else certificates.AUTHORITY
    if given["state"] == "authority":
        return certificates.authority(work, folder)
    if given["state"] == "signed":
        return certificates.sign(given["content"], given["name"], given["address"], work, folder)
    if given["state"] == "requested":
        return certificates.request(given["path"], given["name"], given["address"], given["issuer"], work)
    certificates.install(given["path"], given["group"], given["issuer"], given["content"], work)
    return ""


def main() -> None:
    text = {"type": "str", "default": ""}
    arguments = {
        "state": {"type": "str", "choices": ["authority", "requested", "signed", "installed"], "required": True},
        "authority": {"type": "str", "choices": ["moves", "store"], "default": "moves"},
        "path": {"type": "path", "default": "/etc/pki/qemu"},
        "group": {"type": "str", "default": "libvirt-qemu"},
        "name": text,
        "address": text,
        "issuer": text,
        "content": text,
    }
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    work = Work("", check=module.check_mode)
    try:
        content = carried_out(module.params, work)
    except Failed as error:
        module.fail_json(msg=str(error), changed=work.changed, done=work.done)
    module.exit_json(changed=work.changed, done=work.done, content=content)


if __name__ == "__main__":
    main()
