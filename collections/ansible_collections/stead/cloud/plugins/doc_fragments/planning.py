# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a plan is made from: the options that planning and applying have in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  spec:
    description: Files or directories of the spec. Where its first one is, C(.stead) keeps the state.
    type: list
    elements: path
    default: ["."]
  inventory:
    description: Inventories of the hosts. Left out, those of this run of Ansible.
    type: list
    elements: path
  store:
    description: The store, a file or V(postgresql://…), where it is not C(.stead/state.db) beside the spec.
    type: str
  vars:
    description:
      - Values of the spec's variables. Ansible fills in templates; for text with braces of its own use O(var_files).
    type: dict
  var_files:
    description: Files of variables.
    type: list
    elements: path
  vault_password_files:
    description: Files with the passwords of V(!vault) values in the spec.
    type: list
    elements: path
  simulated:
    description: Simulate the hosts of the inventory.
    type: bool
    default: false
  max_disruption:
    description: Refuse a plan that disturbs more than this. Data is lost with V(data-loss) only.
    type: str
    choices: [none, network, migrate, reboot, rebuild, data-loss]
attributes:
  diff_mode:
    support: none
    description: The plan is the difference, and is shown.
requirements:
  - The Python package stead, where Ansible is.
"""
