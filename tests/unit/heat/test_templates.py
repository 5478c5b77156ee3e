"""`stead import hot`: each template of `tests/cases/heat` becomes the spec beside it, and that spec runs."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from stead.cli import main
from stead.heat.entries import entries
from stead.heat.spec import text
from stead.heat.stack import Chosen
from stead.heat.template import Unreadable
from stead.heat.translate import HotSource, translated
from stead.heat.values import Expr, Mixed, in_text, quoted
from stead.language.document import Mapping, Node, Scalar, Sequence
from stead.language.document.parser import read
from stead.language.expressions import evaluate, has_expression, names_used

CASES = Path(__file__).parents[2] / "cases" / "heat"
TEMPLATES = sorted(path.stem for path in CASES.glob("*.yaml"))
REFUSED = sorted(path.stem for path in (CASES / "refused").glob("*.yaml"))
UPDATE = bool(os.environ.get("STEAD_UPDATE"))
GIVEN = {"key_name": "ada", "db_password": "correct horse battery staple", "password": "correct horse"}


@pytest.fixture(autouse=True)
def _in_the_folder_of_the_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES)


def _same(path: Path, made: str) -> None:
    if UPDATE:
        path.write_text(made)
    assert made == path.read_text()


def _import(template: str, *more: str) -> list[str]:
    environment = Path(template).with_suffix(".env")
    return ["import", "hot", template, *(["-e", str(environment)] if environment.exists() else []), *more]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_becomes_a_spec_that_applies_and_changes_nothing_afterwards(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(_import(f"{name}.yaml", "--project", "demo")) == 0
    made = capsys.readouterr().out
    _same(CASES / f"{name}.yml", made)
    for one in (CASES / "site").iterdir():
        shutil.copy(one, tmp_path)
    (tmp_path / "stack.yml").write_text(made)
    monkeypatch.chdir(tmp_path)
    declared = yaml.safe_load(made).get("vars", {})
    given = [word for one, value in GIVEN.items() if one in declared for word in ("-e", f"{one}={value}")]
    assert main(["validate", "-q", *given]) == 0
    assert main(["plan", *given, "--detailed-exitcode"]) == 2
    assert main(["apply", "-q", "--auto-approve", *given]) == 0
    assert main(["plan", *given, "--detailed-exitcode"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_spec_cannot_say_is_told_at_its_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (CASES / "refused").glob("*.yaml"):
        shutil.copy(one, tmp_path)
    (tmp_path / "link").symlink_to("/etc/hostname")
    monkeypatch.chdir(tmp_path)
    assert main(_import(f"{name}.yaml")) == 1
    told = capsys.readouterr()
    assert told.out == ""
    _same(CASES / "refused" / f"{name}.txt", told.err)


def test_partial_leaves_out_what_a_spec_cannot_say(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CASES / "refused")
    for name in ("types", "properties"):
        assert main(_import(f"{name}.yaml", "--partial")) == 0
        _same(CASES / "refused" / f"{name}.yml", capsys.readouterr().out)


def test_the_command_line_says_what_is_wrong_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = "01_server_in_existing_net.yaml"
    for words in (
        ["missing.yaml"],
        [template, "-e", "missing.env"],
        [template, "--parameter", "key_name"],
        [template, "--project", "Not A Name"],
    ):
        assert main(["import", "hot", *words]) == 1
        assert "STEAD-K010" in capsys.readouterr().err
    environment = tmp_path / "env.yaml"
    environment.write_text("parameters: {nonsense: 1}\nresource_registry: {resources: {a: b}}\nfoo: 1\n")
    assert main(["import", "hot", template, "-e", str(environment)]) == 1
    told = capsys.readouterr().err
    assert "STEAD-K003" in told
    assert "STEAD-K008" in told
    assert main(["import", "hot", template, "--parameter", "nonsense=1"]) == 1
    assert "STEAD-K005" in capsys.readouterr().err


@pytest.mark.parametrize(("said", "told"), [("1000", "from 8 to 256"), ("{get_param: n}", "and no parameter")])
def test_random_text_is_as_long_as_stead_can_make_it(
    said: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = tmp_path / "t.yaml"
    text = "heat_template_version: 2018-08-31\nparameters: {n: {type: number, default: 20}}\nresources:\n"
    template.write_text(text + f"  p: {{type: 'OS::Heat::RandomString', properties: {{length: {said}}}}}\n")
    assert main(["import", "hot", str(template)]) == 1
    assert told in capsys.readouterr().err
    template.write_text(text + "  p: {type: 'OS::Heat::RandomString'}\n")
    assert main(["import", "hot", str(template)]) == 0
    assert "generate: {length: 32}" in capsys.readouterr().out, "Heat's own length"


def test_parameters_of_environments_become_defaults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = tmp_path / "env.yaml"
    environment.write_text("parameters: {flavor: m1.large}\nparameter_defaults: {net: other, flavor: m1.tiny}\n")
    out = tmp_path / "out.yml"
    words = ["-e", str(environment), "--parameter", "image=fedora 40", "-o", str(out)]
    assert main(["import", "hot", "01_server_in_existing_net.yaml", *words]) == 0
    defaults = {name: one.get("default") for name, one in yaml.safe_load(out.read_text())["vars"].items()}
    assert defaults == {"key_name": None, "flavor": "m1-large", "net": "other", "image": "fedora-40"}
    assert main(["import", "hot", "01_server_in_existing_net.yaml", "-o", str(out)]) == 1
    assert "STEAD-C073" in capsys.readouterr().err


def test_the_example_is_what_the_command_makes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    example = CASES.parents[2] / "examples" / "heat"
    monkeypatch.chdir(example)
    assert main(["import", "hot", "hot/template.yaml", "--project", "shop"]) == 0
    _same(example / "shop.yml", capsys.readouterr().out)


def test_a_template_that_is_too_large_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = tmp_path / "large.yaml"
    large.write_text("heat_template_version: 2016-10-14\n#" + "x" * (1 << 20))
    assert main(["import", "hot", str(large)]) == 1
    assert "STEAD-K009" in capsys.readouterr().err


def _values(first: str, other: str, many: int) -> str:
    """Values that are made of those before them."""
    texts = [first, *(other.replace("BEFORE", f"{{get_attr: [v{at}, value]}}") for at in range(many))]
    lines = [f"  v{at}: {{type: OS::Heat::Value, properties: {{value: {one}}}}}" for at, one in enumerate(texts)]
    end = f"outputs: {{all: {{value: {{get_attr: [v{many}, value]}}}}}}"
    return "\n".join(["heat_template_version: 2018-08-31", "resources:", *lines, end])


TENS = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
BOMBS = {
    "lists": _values("[x, x]", "[BEFORE, BEFORE]", 50),
    "text": _values("x" * 1000, "{list_join: ['', [BEFORE, BEFORE]]}", 30),
    "chain": _values("x", "BEFORE", 900),
    "repeat": _values(
        f"{{repeat: {{for_each: {{a: {TENS}, b: {TENS}, c: {TENS}, d: {TENS}}}, template: "
        f"{{repeat: {{for_each: {{e: {TENS}, f: {TENS}, g: {TENS}}}, template: [a, b, c, d, e, f, g]}}}}}}}}",
        "BEFORE",
        1,
    ),
    "words": _values(
        f"{{str_replace: {{template: {'ab' * 20000}, params: {{{', '.join(f'w{n}: x' for n in range(9999))}}}}}}}",
        "BEFORE",
        1,
    ),
    "deep": _values("[" * 40 + "]" * 40, "BEFORE", 1),
    "items": _values(
        f"{{repeat: {{for_each: {{w: [{'x' * 1000}], n: [{', '.join('0' * 9000)}]}}, template: n{'w' * 900}}}}}",
        "BEFORE",
        1,
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_functions_cannot_make_more_than_a_template_should(name: str) -> None:
    _, found = translated(HotSource(BOMBS[name].encode(), "bomb.yaml", "demo", _read_here))
    assert {one.code for one in found} == {"STEAD-K009"}


def _chosen(text: str, files: str = "", **given: str) -> list[str]:
    """Codes of what is found in a template that comes by the API, in a thread as there. All of its files are alike."""

    def made() -> list[str]:
        draft, found = translated(source)
        assert draft is None or entries(draft) is not None
        return [one.code for one in found]

    chosen = Chosen("s", "id", "project", "st1", lambda _kind, name: name, lambda _name, length: "x" * length)
    source = HotSource(
        f"heat_template_version: 2018-08-31\n{text}".encode(),
        "t",
        "demo",
        lambda _name: files.encode(),
        given,
        {},
        chosen,
    )
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(made).result(20)


def test_a_pattern_that_takes_too_long_holds_nobody_up() -> None:
    text = "parameters: {a: {type: string, constraints: [{allowed_pattern: '%s'}]}}"
    assert _chosen(text % "(a+)+$", a="a" * 40 + "!") == ["STEAD-K008"]
    assert _chosen(text % "a+", a="aaa") == []
    assert _chosen(text % "a+", a="b") == ["STEAD-K008"]


def test_a_template_has_only_so_many_patterns() -> None:
    many = ", ".join(f"p{at}: {{type: string, constraints: [{{allowed_pattern: a}}]}}" for at in range(101))
    assert _chosen(f"parameters: {{{many}}}", **{f"p{at}": "a" for at in range(101)}) == ["STEAD-K009"]


def test_aliases_in_given_values_stay_small() -> None:
    bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
    for before, name in pairwise("abcde"):
        bomb += f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
    assert _chosen("parameters: {a: {type: json}}", a=bomb) == ["STEAD-K008"]
    several = ", ".join(f"p{at}: {{type: json}}" for at in range(60))
    given = {f"p{at}": bomb.rpartition("e:")[0] for at in range(60)}
    assert _chosen(f"parameters: {{{several}}}", **given) == ["STEAD-K009"]


GROUP = (
    "resources: {g: {type: OS::Heat::ResourceGroup, properties: {count: %s, resource_def: "
    "{type: OS::Nova::Server, properties: {flavor: f, image: i, user_data: '%s'}}}}}"
)


def test_members_of_a_group_are_counted_with_what_each_has() -> None:
    assert _chosen(GROUP % (1000, "a%index%" * 50)) == []
    assert _chosen(GROUP % (1000, "a%index%" * 40000)) == ["STEAD-K009"]
    assert _chosen(GROUP % (1000, "a" * 300000)) == ["STEAD-K009"]


def test_a_file_that_many_resources_are_of_is_read_once() -> None:
    several = f"resources: {{{', '.join(f'r{at}: {{type: a.yaml}}' for at in range(450))}}}"
    said = "heat_template_version: 2018-08-31\nresources: {n: {type: OS::Neutron::Net}}\n"
    began = time.process_time()
    assert _chosen(several, files=f"{said}parameter_groups: [{'1, ' * 40000}]") == []
    many = f"{said}parameters: {{p: {{type: json, default: [{'1, ' * 40000}]}}}}"
    assert set(_chosen(several, files=many)) == {"STEAD-K009"}
    assert time.process_time() - began < 10


def test_what_is_no_text_is_told_by_functions_of_texts() -> None:
    assert _chosen("outputs: {a: {value: {contains: [1, '10']}}}") == []
    assert _chosen("outputs: {a: {value: {map_replace: [{a: 1}, {keys: {a: [1]}}]}}}") == ["STEAD-K008"]


def test_numbers_of_constraints_are_numbers_and_no_expressions() -> None:
    for constraint in ("modulo: {step: 2, offset: '0 }}{{ vars'}", "range: {min: 'x }}'}", "length: {max: []}"):
        text = "heat_template_version: 2018-08-31\nparameters: {a: {type: number, default: 2, constraints: [{%s}]}}"
        _, found = translated(HotSource((text % constraint).encode(), "t.yaml", "demo", _read_here))
        assert [one.code for one in found] == ["STEAD-K008"]


ATTRIBUTES = """
heat_template_version: 2018-08-31
resources:
  group: {type: OS::Heat::ResourceGroup, properties: {resource_def: {type: OS::Cinder::Volume, properties: {size: 1}}}}
  port: {type: OS::Neutron::Port, properties: {network: lan}}
outputs: {out: {value: {get_attr: [%s]}}}
"""


PATHS = [
    "group, 'resource.0] }}x'",
    "group, 'resource.x.name'",
    "group, refs, a",
    "port, fixed_ips, '0]}}', ip_address",
]


@pytest.mark.parametrize("path", PATHS)
def test_numbers_in_attributes_are_numbers_and_no_expressions(path: str) -> None:
    draft, found = translated(HotSource((ATTRIBUTES % path).encode(), "t.yaml", "demo", _read_here))
    assert draft is not None
    assert draft.outputs == {}
    assert len(found) == 1


ODD = [
    "{{ x }}",
    "{% x %}",
    "{# x #}",
    "{",
    "{{",
    "{{{",
    "{{{{%",
    "}}",
    "a{",
    "'{{'",
    "\\{{ '\\'",
    "{{ '{{' }}",
    "$x\n{{\n",
    "{%",
]


def test_text_of_a_template_is_never_an_expression() -> None:
    for one in ODD:
        for other in ODD:
            value = Mixed((one, Expr("vars.x"), other))
            assert evaluate(in_text(value), {"vars": {"x": other}}) == one + other + other
            assert evaluate(f"{{{{ {quoted(one)} }}}}", {}) == one
        if "{{" in in_text(one) or "{%" in in_text(one):
            assert evaluate(in_text(one), {}) == one


JUNK: list[Any] = [
    "{{ canary }}", "'}}{{ canary }}", "x' ~ canary ~ 'x", "0] }}{{ canary", "{% if canary %}",
    None, 5, -1, True, "x", "{{ x }}", "", [], {}, [1], [[]], {"a": 1}, 1.5, "a\nb", "\u2028", {"get_param": "zz"},
    {"get_resource": "server"}, {"get_attr": ["server", "first_address"]}, {"get_attr": []}, {"if": ["c"]},
    {"str_replace": {"template": 5, "params": []}}, {"list_join": [1, 2]}, {"repeat": {"for_each": 5, "template": 1}},
    {"get_param": ["a", "b"]}, {"map_merge": [1]}, {"map_replace": [1, 2]}, {"digest": ["md5", []]}, {"filter": [1, 2]},
    {"make_url": {"host": 5}}, {"str_split": [",", "a", "z"]}, {"contains": [[], 5]}, {"list_concat": [[1], 5]},
    {"not": 5},
]  # fmt: skip


class _Loader(yaml.SafeLoader):
    """A version is text."""


_Loader.yaml_implicit_resolvers = {
    key: [one for one in many if one[0] != "tag:yaml.org,2002:timestamp"]
    for key, many in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _scalars(node: Node | None) -> Iterator[str]:
    match node:
        case Mapping():
            for below in node.entries.values():
                yield from _scalars(below)
        case Sequence():
            for below in node.items:
                yield from _scalars(below)
        case Scalar():
            yield node.text
        case _:
            pass


def _spots(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, below in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from _spots(below, (*path, key))


def _read_here(name: str) -> bytes:
    if ".." in name or not (CASES / name).is_file():
        raise Unreadable("It is not there.")
    return (CASES / name).read_bytes()


@pytest.mark.parametrize("name", TEMPLATES)
def test_whatever_stands_in_a_template_is_told_or_becomes_yaml(name: str) -> None:
    chance = random.Random(name)  # noqa: S311 - the same at each run
    source = (CASES / f"{name}.yaml").read_text()
    for _ in range(12):
        tree = yaml.load(source, _Loader)  # noqa: S506 - a safe loader
        for _ in range(chance.choice([1, 1, 2, 3])):
            spots = [path for path in _spots(tree) if path and path[0] != "heat_template_version"]
            path = chance.choice(spots or [("resources",)])
            node = tree
            for word in path[:-1]:
                node = node[word]
            node[path[-1]] = yaml.safe_load(yaml.safe_dump(chance.choice(JUNK)))
        draft, found = translated(HotSource(yaml.safe_dump(tree).encode(), "t.yaml", "demo", _read_here))
        assert all(one.place and one.detail for one in found)
        if draft is not None:
            node, wrong = read(text(draft, "t.yaml").encode(), "t.yml")
            assert wrong == []
            assert "canary" not in {name for one in _scalars(node) if has_expression(one) for name in names_used(one)}
