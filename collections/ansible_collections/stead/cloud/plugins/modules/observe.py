#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: observe
short_description: Report what a host has and what Stead has made there
description:
  - One call reports everything that Stead's planner needs to know of a host.
  - It changes nothing. What a host cannot tell is named in RV(facts.trouble), and the rest is reported all the same.
  - Which hypervisors work is found out by booting a guest of 512 bytes. The answer is kept until the next boot.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
options:
  pools:
    description: Pools of this host, as the inventory's C(stead_pools) has them; one named C(default) without any.
    type: raw
  afresh:
    description: Try the hypervisors and the kernel again, whatever is kept.
    type: bool
    default: false
  examine:
    description: Look at what C(stead doctor) wants to know as well, and ping the other hosts.
    type: dict
    suboptions:
      peers:
        description: Names of other hosts, each with its address on the underlay.
        type: dict
        default: {}
      mtu:
        description: Packets of this size should arrive unbroken.
        type: int
        default: 1500
      served:
        description: Pools that other hosts serve to this one, each with its C(type), and the C(server)'s address.
        type: dict
        default: {}
  recorded:
    description:
      - Entries that the ledger should have, since the controller's store has them, and has not. What is there of them
        is told like the others, as V(lost). The action plugin takes them from a file C(<host>.recorded) in O(dest).
    type: str
  recall:
    description: Tell also what only a recovery needs, C(key), the key of the site's secrets where this host keeps it.
    type: bool
    default: false
  strangers:
    description: Tell also all of the domains that are not Stead's, and of the networks that libvirt makes.
    type: bool
    default: false
  dest:
    description:
      - Directory on the controller. The facts are written there as C(<host>.json), readable by nobody else, instead of
        being returned. That of a host that cannot be asked has only C(why). The action plugin does this.
    type: path
  name:
    description: This host's name in the inventory. The action plugin gives it.
    type: str
attributes:
  check_mode:
    support: full
    description: It only looks, and then does not even keep what it found out.
  diff_mode:
    support: none
    description: Nothing changes.
"""

EXAMPLES = r"""
- name: See what the hosts have
  stead.cloud.observe:
    pools: "{{ stead_pools | default(omit) }}"
  register: seen

- name: Show which hypervisors work
  ansible.builtin.debug:
    msg: "{{ seen.facts.traits.hypervisors | dict2items | selectattr('value', 'equalto', '') | map(attribute='key') }}"
"""

RETURN = r"""
facts:
  description: What the host has.
  returned: when O(dest) is not given
  type: dict
  contains:
    version:
      description: Version of this shape.
      type: int
    at:
      description: The host's clock, in seconds since 1970.
      type: float
    system:
      description: Distribution, kernel, versions of libvirt and QEMU.
      type: dict
    capacity:
      description: vcpus, memory in bytes, NUMA nodes, hugepages, disks, and pools with their size and what is free.
      type: dict
    traits:
      description: Hypervisors, each with why it does not work; abilities of the kernel; the processor.
      type: dict
    links:
      description: Network links with their addresses.
      type: list
      elements: dict
    resources:
      description:
        - By kind, the entries of the ledger. V(seen) has the fields that are otherwise than it says, V(gone) says that
          there is nothing, V(lost) that the ledger knows nothing of what is there (a domain that says it is Stead's, or
          one of O(recorded)), V(begun) that a step that was to make it did not end; anything of it may be there.
        - An instance has its state and in C(made_from) the digest that its domain carries.
      type: dict
    origin:
      description:
        - Site, serial and run of the store that this host was last written from, as C(site), C(serial), C(token).
        - Nothing where no run has been here.
      type: dict
    unread:
      description: Files of the ledger that cannot be read, and why.
      type: list
      elements: str
    foreign:
      description: Domains that are not Stead's, with what they take.
      type: list
      elements: dict
    strays:
      description: Links with names of Stead's that belong to nothing.
      type: list
      elements: str
    trouble:
      description: What could not be read, and why.
      type: list
      elements: str
    blind:
      description:
        - Why nothing is to be planned here, since libvirt does not answer or a file of the ledger cannot be read.
      type: str
    seconds:
      description: How long the looking took on the host.
      type: float
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.run import program


def main() -> None:
    peers = {
        "peers": {"type": "dict", "default": {}},
        "mtu": {"type": "int", "default": 1500},
        "served": {"type": "dict", "default": {}},
    }
    arguments = {
        "pools": {"type": "raw"},
        "afresh": {"type": "bool", "default": False},
        "examine": {"type": "dict", "options": peers},
        "recorded": {"type": "str", "no_log": True},
        "recall": {"type": "bool", "default": False},
        "strangers": {"type": "bool", "default": False},
        "dest": {"type": "path"},
        "name": {"type": "str"},
    }
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    answer = program.observe(module.params, module.check_mode, module._diff)  # noqa: SLF001 - there is no public name
    (module.fail_json if answer.get("failed") else module.exit_json)(**answer)


if __name__ == "__main__":
    main()
