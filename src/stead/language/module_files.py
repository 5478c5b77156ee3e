"""Files of Ansible's modules that say what the models say: options as documentation and as arguments, and what returns.

Module and controller never meet, so the arguments are a file of the collection, beside the documentation of the same
options. What a module does with them is its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stead.core.task import Returned, TaskForm
from stead.language.options import Option, Passed, options

PLUGINS = "collections/ansible_collections/stead/cloud/plugins"
_WIDTH = 118
_LICENSE = "# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)"
_RETURN = re.compile(r'(?<=\nRETURN = r""")\n.*?(?=\n""")', re.DOTALL)

Json = Mapping[str, Any]


def files(tasks: Mapping[str, TaskForm]) -> dict[str, str]:
    """Path to text, of each file that is made as a whole. `tasks` has them by the name of the module."""
    made = {}
    for module, task in tasks.items():
        known = options(task)
        made[f"{PLUGINS}/doc_fragments/{module}.py"] = fragment(module, known)
        made[f"{PLUGINS}/module_utils/arguments/{module}.py"] = arguments(module, known)
    return made


def with_returned(text: str, task: TaskForm) -> str:
    """The text of a module, with what it returns."""
    lines = _yaml({one.name: _returned(one) for one in task.returned})
    return _RETURN.sub(lambda _found: "\n" + "\n".join(lines), text)


def fragment(module: str, known: Iterable[Option]) -> str:
    head = [_LICENSE, f'"""The options of stead.cloud.{module}. Made by scripts/generate; do not edit."""', ""]
    head += ["from __future__ import annotations", "", "", "class ModuleDocFragment:", '    DOCUMENTATION = r"""']
    return "\n".join([*head, *_yaml({"options": {one.name: _documented(one) for one in known}}), '"""', ""])


def arguments(module: str, known: Iterable[Option]) -> str:
    known = tuple(known)
    lines = [_LICENSE, f'"""The arguments of stead.cloud.{module}. Made by scripts/generate; do not edit."""', ""]
    lines += ["from __future__ import annotations", "", "from typing import Any, Dict", ""]
    lines += _python("OPTIONS: Dict[str, Any] = ", {one.name: _argument(one) for one in known})
    for words, part in _parts(known):
        name = "_".join((*words, "passed")).upper()
        whose = ".".join(words) or "the whole"
        lines += ["", f"# Of {whose}, what a want has in the same words: as it is, as a size, or part by part."]
        lines += _python(f"{name}: Dict[str, Any] = ", part)
    return "\n".join([*lines, ""])


def _parts(known: Iterable[Option], words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    known = tuple(known)
    found: dict[str, Passed] = {one.name: one.passed for one in known if one.passed is not None}
    own = {one.name for one in known if one.task_only}
    if own and set(found) - own:
        yield words, {name: passed for name, passed in found.items() if name not in own}
    for one in known:
        if one.options and one.task_only:
            yield from _parts(one.options, (*words, one.name))


def _documented(one: Option) -> Json:
    found: dict[str, Any] = {"description": list(one.text) if len(one.text) > 1 else one.text[0], "type": one.type}
    found |= {"elements": one.elements} if one.elements else {}
    found |= {"choices": list(one.choices)} if one.choices else {}
    found |= {"aliases": list(one.aliases)} if one.aliases else {}
    found |= {"required": True} if one.required else {} if one.default is None else {"default": one.default}
    return found | ({"suboptions": {part.name: _documented(part) for part in one.options}} if one.options else {})


def _argument(one: Option) -> Json:
    found = {name: word for name, word in _documented(one).items() if name not in ("description", "suboptions")}
    found |= {"no_log": one.secret} if one.public or one.secret else {}
    return found | ({"options": {part.name: _argument(part) for part in one.options}} if one.options else {})


def _returned(one: Returned) -> Json:
    whole, _of, element = one.type.partition(" of ")
    found: dict[str, Any] = {"description": one.text, "returned": one.when, "type": whole}
    found |= {"elements": element} if element else {}
    return found | ({} if one.sample is None else {"sample": one.sample})


def _yaml(record: Json) -> list[str]:
    import yaml

    class Dumper(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
            super().increase_indent(flow, False)  # sequences are indented, as ansible-lint has them

    text = yaml.dump(record, Dumper=Dumper, sort_keys=False, width=100, allow_unicode=True)
    return text.rstrip("\n").split("\n")


def _python(head: str, value: Any, indent: str = "", tail: str = "") -> list[str]:
    """As ruff would format it: on one line where there is room and no record in a record."""
    line = f"{indent}{head}{_plain(value)}{tail}"
    flat = not isinstance(value, Mapping) or not any(isinstance(one, Mapping) for one in value.values())
    if not value or not isinstance(value, Mapping | list) or (len(line) <= _WIDTH and flat and indent):
        return [line]
    deeper = indent + "    "
    if isinstance(value, Mapping):
        inner = [line for name, one in value.items() for line in _python(f'"{name}": ', one, deeper, ",")]
    else:
        inner = [f"{deeper}{_plain(one)}," for one in value]
    first, last = ("{", "}") if isinstance(value, Mapping) else ("[", "]")
    return [f"{indent}{head}{first}", *inner, f"{indent}{last}{tail}"]


def _plain(value: Any) -> str:
    match value:
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list():
            return "[" + ", ".join(map(_plain, value)) + "]"
        case Mapping():
            return "{" + ", ".join(f"{_plain(name)}: {_plain(one)}" for name, one in value.items()) + "}"
        case _:
            return repr(value)
