# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of stead.cloud.snapshot. Made by scripts/generate; do not edit."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description: Name of the snapshot.
    type: str
    required: true
  project:
    description: Project that it belongs to.
    type: str
    required: true
  volume:
    description: Name of the project's volume, kept on this host by M(stead.cloud.volume). Unless O(state=absent),
      this or O(instance) is required.
    type: str
  instance:
    description: 'Name of the project''s instance, kept on this host by M(stead.cloud.instance): all its
      disks at one moment.'
    type: str
  state:
    description: Whether it exists.
    type: str
    choices:
      - present
      - absent
    default: present
  freeze:
    description: 'Ask the guest agent of the instance that uses the volume to freeze its file systems
      meanwhile. Some drivers can. Of an instance: an agent that answers is asked in any case, and this
      fails without one.'
    type: bool
    default: false
"""
