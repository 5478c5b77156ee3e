# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls a module's code on a host as a command, without the module: it is kept there, compiled (`compiled.py`).

A module is packed, sent, unpacked and compiled for each call, and reads all of Ansible's own code for modules. So it is
done only where a command cannot be given its input, or nobody has said which Python to use.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import zipfile
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from typing import Any, Dict, Iterator, Tuple

from ansible.constants import config

from ..module_utils.compiled import CODE

OURS = "ansible_collections.stead.cloud.plugins.module_utils"
SITE = "ansible_collections.stead.site.plugins.module_utils"  # of one's own drivers
MAIN = "import sys\nfrom {0} import compiled\ncompiled.use()\nfrom {0}.host.run.program import main\nsys.exit(main())\n"
NOT_THERE = 97  # as no program that is run ends
# What is kept is run; or else what comes with the call, and then keeps itself.
KEPT = "if [ -d {place} ]; then {environment} {python} -I {place} {words}; else cat >/dev/null; exit {status}; fi"
SENT = (
    "sent=$(mktemp) && head -c {length} >$sent && {environment} {python} -I $sent {digest} {words}; "
    "status=$?; rm -f $sent; exit $status"
)


def call(action: Any, name: str, arguments: Dict[str, Any], known: Any) -> Dict[str, Any]:
    """What the module of this name answers."""
    python = str(config.get_config_value("INTERPRETER_PYTHON", variables=known or {}))
    if not python.startswith("/") or not action._is_pipelining_enabled("new"):  # noqa: SLF001 - for plugins
        answer: Dict[str, Any] = action._execute_module(  # noqa: SLF001
            module_name="stead.cloud." + name, module_args=arguments, task_vars=known
        )
        return answer
    task = action._task  # noqa: SLF001
    told = json.dumps({"arguments": arguments, "check": task.check_mode, "diff": task.diff}).encode()
    digest = digest_of_code()
    said = {
        "environment": action._compute_environment_string(),  # noqa: SLF001
        "python": shlex.quote(python),
        "place": os.path.join(CODE, digest),
        "words": name,
    }
    ended = _run(action, KEPT.format(status=NOT_THERE, **said), told)
    if ended["rc"] == NOT_THERE:
        sent = archive()
        ended = _run(action, SENT.format(length=len(sent), digest=digest, **said), sent + told)
    return _answer(ended)


def _run(action: Any, command: str, told: bytes) -> Dict[str, Any]:
    ended: Dict[str, Any] = action._low_level_execute_command(command, in_data=told)  # noqa: SLF001
    return ended


def _answer(ended: Dict[str, Any]) -> Dict[str, Any]:
    """The last line that is one: a login may print others before it."""
    for line in reversed(ended["stdout"].splitlines()):
        with suppress(ValueError):
            answer = json.loads(line)
            if isinstance(answer, dict):
                return answer
    said = (ended["stderr"].strip() or ended["stdout"].strip()).splitlines()
    text = "The host's code ended with status {0}: {1}".format(ended["rc"], said[-1] if said else "without a word")
    return {"failed": True, "changed": False, "msg": text, "module_stderr": ended["stderr"]}


@cache
def digest_of_code() -> str:
    found = hashlib.sha256()
    for path, data in sources():
        found.update(b"%s %d\n%s" % (path.encode(), len(data), data))
    return found.hexdigest()[:16]


def archive() -> bytes:
    """What Python runs."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for path, data in sources():
            file.writestr(path, data)
    return packed.getvalue()


def sources() -> Iterator[Tuple[str, bytes]]:
    """Path in the archive, and content, of all host code."""
    yield "__main__.py", MAIN.format(OURS).encode()
    packages = set()
    for name in (OURS, SITE):
        for place in _places(name):
            for folder, _folders, files in sorted(os.walk(place)):
                for file in sorted(one for one in files if one.endswith(".py")):
                    path = os.path.join(folder, file)
                    inside = os.path.join(name.replace(".", "/"), os.path.relpath(path, place))
                    packages |= {inside[:at] for at, letter in enumerate(inside) if letter == "/"}
                    if file != "__init__.py":
                        with open(path, "rb") as text:
                            yield inside, text.read()
    yield from ((one + "/__init__.py", b"") for one in sorted(packages))


def _places(name: str) -> Tuple[str, ...]:
    try:
        found = find_spec(name)
    except ImportError:  # no site has any of its own
        return ()
    return tuple(found.submodule_search_locations or ()) if found else ()
