# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hands a host its steps, straight from the file that the controller wrote, and keeps what became of them.

The module is called until all are done. What each call says is in a file of its own as soon as it is known.

Nothing passes through templates or variables. Secrets are put in here, last, and taken out of whatever comes back.
"""

from __future__ import annotations

import json
import os
import shlex
from typing import Any, Collection, Dict, Iterator, Mapping, Optional, Sequence

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ..module_utils.host.images.image_files import made_as
from ..plugin_utils.answers import read, taken, write
from ..plugin_utils.host_code import call
from .image_info import told as told_of_images
from .volume_account import handed

IMAGES = "/var/lib/stead/images"
HIDDEN = "********"
# What Stead says of a step, in words of its own: a secret that is one of them is no reason to make it something else.
PLAIN = frozenset(["action", "address", "status"])
STOP = "stop"  # a file in the directory of the wave: nothing more is to be begun


class ActionModule(ActionBase):
    _supports_check_mode = True
    TRANSFERS_FILES = False  # only images, and a directory for them is made when there is one

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        super().run(tmp, task_vars)
        known = task_vars or {}
        folder = self._task.args.get("src")
        if not folder:
            raise AnsibleActionFail("converge needs src: the directory of a wave")
        host = known["inventory_hostname"]
        work = read(os.path.join(folder, host + ".json"))
        if work is None:
            return {"changed": False, "results": [], "msg": "no steps for this host"}
        payload = dict(work, host=host, underlay=str(known.get("stead_underlay_address", "")))
        if "controller" in known.get("group_names", ()):  # they keep the site's key, and nothing that it seals
            payload["key"] = read(os.path.join(folder, "key")) or ""
        payload["images"] = said_of_images(payload["steps"], folder)
        payload["secrets"] = taken(os.path.join(folder, host + ".secrets"))
        payload["handed"] = handed(host, payload["steps"], folder)
        return joined(list(self._answers(payload, folder, task_vars)))

    def _answers(
        self, payload: Dict[str, Any], folder: str, task_vars: Optional[Dict[str, Any]]
    ) -> Iterator[Dict[str, Any]]:
        told = Told(os.path.join(folder, payload["host"]))
        left = {step["number"] for step in payload["steps"]}
        try:
            # Whoever does not answer this has begun nothing; of whoever goes silent later that is not known.
            self._low_level_execute_command("true")
            payload["uploads"] = {} if self._task.check_mode else self._upload(payload["steps"])
            while left or not told.begun:
                if os.path.exists(os.path.join(folder, STOP)):
                    told.write({"stopped": True, "waits": payload.get("waits", {})})
                    return
                told.begin()
                answer = self._call(payload, task_vars)
                payload.pop("documents", None)  # they are kept
                results = answer.get("results") or []
                payload["outcomes"].update((str(one["number"]), one["status"]) for one in results)
                waits = payload["waits"] = answer.get("waits") or {}
                # Without either it failed as a whole, and would again.
                left = left.difference(one["number"] for one in results) if results or waits else set()
                words = {
                    number: {name: one[name] for name in ("for", "seen", "waited")} for number, one in waits.items()
                }
                told.write({"results": results, "msg": answer.get("msg", ""), "more": bool(left), "waits": words})
                yield answer
        except AnsibleConnectionFailure as error:
            told.write({"unreachable": str(error), "begun": told.begun})
            raise

    def _call(self, payload: Dict[str, Any], task_vars: Optional[Dict[str, Any]]) -> Dict[str, Any]:
        arguments = {"payload": json.dumps(payload)}
        answer = call(self, "converge", arguments, task_vars)
        answer.pop("invocation", None)
        secrets = [*payload["secrets"].values(), *payload["handed"].values()]
        shown: Dict[str, Any] = hidden(answer, [str(one) for one in secrets if one])
        return shown

    def _upload(self, steps: Sequence[Dict[str, Any]]) -> Dict[str, str]:
        """Images that lie on this machine, to the host that is to keep them and has them not."""
        found = {}
        for step in steps:
            want = step.get("want") or {}
            if step["kind"] != "images" or step["action"] == "destroy" or not fetches(want):
                continue
            if not os.path.isfile(want["source"]) or self._has(want):
                continue
            shell = self._connection._shell  # noqa: SLF001 - as every action plugin does
            if shell.tmpdir is None:
                self._make_tmp_path()
            target = shell.join_path(shell.tmpdir, want["uuid"])
            self._transfer_file(want["source"], target)
            found[str(step["number"])] = target
        return found

    def _has(self, want: Any) -> bool:
        """Whether the host keeps this content of it already."""
        path = shlex.quote("{0}/{1}.json".format(IMAGES, want["uuid"]))
        answer = self._low_level_execute_command("cat {0}".format(path))
        try:
            return answer["rc"] == 0 and made_as(json.loads(answer["stdout"]), want)
        except ValueError:
            return False


class Told:
    """What the controller keeps of a host: whether it has begun, and one file for each answer."""

    def __init__(self, stem: str) -> None:
        self.begun = False
        self._stem = stem
        self._answers = 0

    def begin(self) -> None:
        write(self._stem + ".begun", True)
        self.begun = True

    def write(self, answer: Mapping[str, Any]) -> None:
        write("{0}.result-{1}.json".format(self._stem, self._answers), answer)
        self._answers += 1


def joined(answers: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """As if it had been one call."""
    failed = [one for one in answers if one.get("failed")]
    whole = dict((failed or answers or [{}])[-1])
    whole["changed"] = any(one.get("changed") for one in answers)
    whole["results"] = [result for one in answers for result in one.get("results") or ()]
    if any("diff" in one for one in answers):
        whole["diff"] = [diff for one in answers for diff in one.get("diff") or ()]
    if failed:
        whole["msg"] = "; ".join(one.get("msg", "") for one in failed)
    return whole


def said_of_images(steps: Sequence[Dict[str, Any]], folder: str) -> Dict[str, Any]:
    """Of those that this host takes from another: what that one said by SSH, by their UUIDs."""
    wants = [step.get("want") or {} for step in steps if step["kind"] == "images"]
    takes = {want["uuid"]: want["from"]["host"] for want in wants if want.get("from") and not want.get("keeps")}
    said = {host: told_of_images(host, folder) for host in set(takes.values())}
    return {uuid: said[host][uuid] for uuid, host in takes.items() if uuid in said[host]}


def fetches(want: Any) -> bool:
    """Whether the host takes the image from its source, and that is a file."""
    return want.get("source", "").startswith("/") and (want.get("keeps") or not want.get("from"))


def hidden(value: Any, secrets: Collection[str]) -> Any:
    """Should a secret have found its way into a message after all."""
    if isinstance(value, dict):
        return {name: one if name in PLAIN else hidden(one, secrets) for name, one in value.items()}
    if isinstance(value, list):
        return [hidden(one, secrets) for one in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
    return value
