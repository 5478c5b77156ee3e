#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Plan what would be done to hosts, and why
description:
  - Compares a spec with the recorded state and with what the hosts report, makes every choice, and shows the plan.
  - Runs on the controller of Ansible, does exactly what C(stead plan) does, and changes no host.
  - The playbook C(stead.cloud.plan) is this module with variables.
options:
  target:
    description: Addresses; only these and what they need.
    type: list
    elements: str
  exclude:
    description: Addresses; all but these and what needs them.
    type: list
    elements: str
  project:
    description: Only these projects, and what they need.
    type: list
    elements: str
  label:
    description: V(NAME=VALUE); only what has these labels, and what it needs.
    type: list
    elements: str
  replace:
    description: Addresses; these are destroyed and made anew.
    type: list
    elements: str
  destroy:
    description: Plan the end of everything.
    type: bool
    default: false
  refresh_only:
    description: Touch no host; what the hosts have is recorded as what was applied.
    type: bool
    default: false
  confirm_dead:
    description:
      - Hosts that are off, by their names. What they ran is started elsewhere.
      - One that answers is refused. It counts until the host answers again.
    type: list
    elements: str
  dest:
    description: File to write the plan to, for M(stead.cloud.apply).
    type: path
attributes:
  check_mode:
    support: full
    description: It only plans.
extends_documentation_fragment: [stead.cloud.planning]
author:
  - Stead contributors (@stead-cloud)
version_added: 0.1.0
seealso:
  - module: stead.cloud.apply
"""

EXAMPLES = r"""
- name: Plan
  hosts: localhost
  gather_facts: false
  tasks:
    - name: See what would change
      stead.cloud.plan:
        spec: /srv/site
        vars: {replicas: 3}
        max_disruption: network
        dest: /srv/today.plan
      register: today
"""

RETURN = r"""
changed:
  description: Whether there is something to do.
  returned: always
  type: bool
stdout:
  description: The plan, as a person reads it.
  returned: always
  type: str
stdout_lines:
  description: The same, by line.
  returned: always
  type: list
  elements: str
remarks:
  description: Warnings.
  returned: always
  type: list
  elements: str
dest:
  description: The file of the plan, empty where none was asked for.
  returned: always
  type: str
"""
