#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: pool
short_description: Keep a storage pool on a host
description:
  - Makes the directory of a pool, or looks for its volume group, and says how much room there is.
  - A pool of type V(nfs) or V(iscsi) is served by what the role P(stead.cloud.storage#role) sets up. This module says
    whether that runs.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
extends_documentation_fragment: [stead.cloud.pool, stead.cloud.keeping]
"""

EXAMPLES = r"""
- name: Keep a pool that other hosts use by iSCSI
  stead.cloud.pool:
    name: san
    type: iscsi
    path: /srv/san
    server: 192.0.2.10
  register: san

- name: See that it has room
  ansible.builtin.assert:
    that: san.free > 100 * 1024 ** 3
"""

RETURN = r"""
before:
  description: The pool as it was before. Empty when there was none.
  returned: always
  type: dict
after:
  description: The pool as it is now, or would be in check mode.
  returned: always
  type: dict
size:
  description: Size of the pool in bytes.
  returned: always
  type: int
free:
  description: Free bytes in the pool.
  returned: always
  type: int
users:
  description: Addresses of the resources of Stead that lie in the pool.
  returned: always
  type: list
  elements: str
done:
  description: What was done, or would be done in check mode.
  returned: always
  type: list
  elements: str
"""

from typing import Any, Dict, Optional, Sequence

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.arguments import pool as arguments
from ..module_utils.host.base.errors import Failed, FailureCode
from ..module_utils.host.base.work import Work
from ..module_utils.host.run import standalone
from ..module_utils.host.storage import asked_pool, drivers

NOT_EMPTY = FailureCode("STEAD-E506", "the pool to remove is not empty")


def main() -> None:
    module = AnsibleModule(argument_spec=asked_pool.options(arguments.OPTIONS), supports_check_mode=True)
    work = Work("", check=module.check_mode)
    try:
        asked = asked_pool.pool(module.params)
        before = there(asked)
        users = asked_pool.in_use(asked)
        if module.params["state"] == "present":
            present(asked, work)
            after = described(asked)
        else:
            absent(asked, before, users, work)
            after = {}
        found = dict(drivers.driver(asked).room(asked), users=users)
    except Failed as error:
        module.fail_json(msg=str(error))
    found.update({"before": before, "after": after, "done": work.done})
    if module._diff:  # noqa: SLF001 - Ansible has no public name for it
        found["diff"] = {"before": standalone.shown(before), "after": standalone.shown(after)}
    module.exit_json(changed=work.changed, **found)


def described(asked: Dict[str, Any]) -> Dict[str, Any]:
    return dict(asked, path=asked_pool.place(asked))


def there(asked: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    return described(asked) if drivers.driver(asked).there(asked) else {}


def present(asked: Dict[str, Any], work: Work) -> None:
    driver, serving = drivers.driver(asked), drivers.serving(asked)
    driver.require(asked)
    if serving is not None and not work.check:  # in check mode it may be another task that starts the server
        serving.require(asked)
    driver.prepare(asked, work)


def absent(asked: Dict[str, Any], before: Optional[Dict[str, Any]], users: Sequence[str], work: Work) -> None:
    discard = drivers.driver(asked).discard
    if not before or discard is None:
        return
    if users:
        text = "{0} is not empty: it has {1}. Nothing was removed."
        raise Failed(NOT_EMPTY, text.format(asked_pool.place(asked), ", ".join(users)))
    discard(asked, work)


if __name__ == "__main__":
    main()
