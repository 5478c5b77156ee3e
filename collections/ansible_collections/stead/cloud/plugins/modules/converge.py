#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: converge
short_description: Carry out one host's steps of a wave
description:
  - Brings a host to what a plan of Stead says, all the host's steps of a wave at once.
  - What is done of many steps is told every few seconds, in C(<host>.result-<n>.json) beside the steps. Between two of
    these, a file C(stop) there ends the work.
  - Steps that do not wait for each other are carried out a few at once.
  - After a failure, what does not depend on it goes on.
  - Each step is written to the host's journal before and after it acts, and is safe to run again.
  - Used by the playbook C(stead.cloud.wave). To manage a single resource, use the module of its name.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
options:
  src:
    description:
      - Directory on the controller with a file C(<host>.json) for each host that has work, as written by C(stead).
      - Nothing in these files is ever templated.
      - Secrets of a host are put in from C(<host>.secrets) beside it, at the last moment, and the file is removed then.
    type: path
  payload:
    description:
      - The steps as JSON. The action plugin makes it from O(src).
    type: str
attributes:
  check_mode:
    support: full
    description: Says what would be done, and does nothing.
  diff_mode:
    support: full
    description: Shows what was there and what should be, of each step.
"""

EXAMPLES = r"""
- name: Carry out a wave
  stead.cloud.converge:
    src: /var/lib/stead/runs/42/wave-0
"""

RETURN = r"""
results:
  description: What became of each step, in the order of their numbers.
  returned: always
  type: list
  elements: dict
  sample:
    - number: 3
      address: acme/instances/web[0]
      action: create
      status: ok
      changed: true
      done: [define acme.web-0, start acme.web-0]
      error: ""
      seconds: 0.41
waits:
  description: Steps that are done and whose guests are still waited for, by number. They are given to the next call.
  returned: always
  type: dict
  sample: {"4": {"for": "ssh on port 22", "seen": "connection refused", "waited": 5.1}}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.run import program


def main() -> None:
    # The payload holds secrets: as one value that is never shown, it is also never searched for in what is.
    arguments = {"src": {"type": "path"}, "payload": {"type": "str", "no_log": True}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    if not module.params["payload"]:
        module.fail_json(msg="There is no payload: this module is given its steps by the action plugin of its name.")
    answer = program.converge(module.params, module.check_mode, module._diff)  # noqa: SLF001 - there is no public name
    (module.fail_json if answer.get("failed") else module.exit_json)(**answer)


if __name__ == "__main__":
    main()
