# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Outputs of the last apply, as `stead output` prints them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: output
short_description: Outputs of the last apply
description:
  - Gives the values of outputs as C(stead apply) recorded them. Without a name it gives all of them, as one dictionary.
  - A secret output is refused, since the store keeps a seal of it and not its value.
author:
  - Stead contributors (@stead-cloud)
version_added: 0.1.0
options:
  _terms:
    description: Names of outputs.
    type: list
    elements: str
  directory:
    description: Where the spec is; C(.stead) is looked for there.
    type: str
    default: .
  store:
    description: The store, a file or V(postgresql://…), where it is not C(.stead/state.db) of O(directory).
    type: str
    env:
      - name: STEAD_STORE
"""

EXAMPLES = r"""
- name: Tell the address of the site
  ansible.builtin.debug:
    msg: "{{ lookup('stead.cloud.output', 'www', directory='/srv/site') }}"
"""

RETURN = r"""
_raw:
  description: The values, in the order of the names.
  type: list
  elements: raw
"""

from pathlib import Path
from typing import Any, Dict, List, Optional

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    def run(self, terms: List[str], variables: Optional[Dict[str, Any]] = None, **kwargs: Any) -> List[Any]:
        self.set_options(var_options=variables, direct=kwargs)
        try:
            from stead.core.diagnostics import Refused
            from stead.plan.render.values import SECRET, opened
            from stead.store import open_store
            from stead.store.sealing import configured_key
        except ImportError as error:
            raise AnsibleLookupError(
                "stead.cloud.output needs the Python package stead beside Ansible: {0}".format(error)
            ) from error
        folder = Path(self.get_option("directory")).expanduser() / ".stead"
        try:
            store = open_store(self.get_option("store") or "", directory=folder, key=configured_key())
            outputs = dict(store.outputs())
        except Refused as refusal:
            raise AnsibleLookupError(str(refusal)) from refusal
        unknown = [name for name in terms if name not in outputs]
        if unknown:
            known = ", ".join(sorted(outputs)) or "none"
            raise AnsibleLookupError("There is no output {0}. There are: {1}.".format(", ".join(unknown), known))
        shown = opened(outputs)
        secret = [name for name in terms if shown[name] == SECRET]
        if secret:
            raise AnsibleLookupError("{0} is secret: the store keeps only a seal of it.".format(", ".join(secret)))
        return [shown[name] for name in terms] if terms else [shown]
