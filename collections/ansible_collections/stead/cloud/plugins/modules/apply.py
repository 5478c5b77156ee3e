#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: apply
short_description: Do what a plan file says
description:
  - Carries out the plan that M(stead.cloud.plan) wrote, to the letter.
  - It is refused when spec, state or hosts have changed since.
  - Runs on the controller of Ansible and does what C(stead apply FILE) does, with the same lock, journal and history.
  - The playbook C(stead.cloud.apply) plans and applies.
options:
  plan:
    description: File of the plan.
    type: path
    required: true
  parallel:
    description: How many hosts at once; 0 leaves it to Stead.
    type: int
    default: 0
  reason:
    description: Why, for the history.
    type: str
attributes:
  check_mode:
    support: full
    description: Nothing is done; it is changed when the plan has steps.
extends_documentation_fragment: [stead.cloud.planning]
author:
  - Stead contributors (@stead-cloud)
version_added: 0.1.0
seealso:
  - module: stead.cloud.plan
"""

EXAMPLES = r"""
- name: Apply what was reviewed
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Apply
      stead.cloud.apply:
        plan: /srv/today.plan
        spec: /srv/site
        reason: change 4711
"""

RETURN = r"""
changed:
  description: Whether something was done.
  returned: always
  type: bool
run:
  description: Number of the run, 0 when there was nothing to do.
  returned: when not in check mode
  type: int
outcome:
  description: V(done), V(failed) or V(stopped).
  returned: when not in check mode
  type: str
done:
  description: How many steps were done, of V(steps).
  returned: when not in check mode
  type: int
failed:
  description: Whether some steps were not done.
  returned: always
  type: bool
trouble:
  description: Steps that failed, were not heard of again, or were not begun, each with address, host, action and why.
  returned: when not in check mode
  type: dict
outputs:
  description: Outputs of the spec.
  returned: when all was done
  type: dict
"""
