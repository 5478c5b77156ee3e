# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of stead.cloud.pool. Made by scripts/generate; do not edit."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  pool:
    description: Name of the pool.
    type: str
    aliases:
      - name
    default: default
  type:
    description: Type, as in the inventory. V(lvm) and V(lvm-thin) have been tested by their commands
      only.
    type: str
    choices:
      - dir
      - iscsi
      - lvm
      - lvm-thin
      - nfs
      - rbd
    default: dir
  path:
    description: Directory of the pool. Left out, it is the directory of the pool's name under C(/var/lib/stead/pools).
      For V(lvm) it is the volume group. For V(lvm-thin) it is the volume group and the thin pool, as
      C(vg0/thin). You make these yourself, and they are never removed.
    type: path
  server:
    description: Address of this host at which others reach the pool, for pools of type V(nfs) or V(iscsi).
    type: str
  state:
    description: Whether it exists. With V(absent) an empty directory is removed. A directory with something
      in it is refused.
    type: str
    choices:
      - present
      - absent
    default: present
"""
