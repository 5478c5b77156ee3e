"""Filters that users of Ansible expect give what Ansible's give, and cost what their work costs."""

from __future__ import annotations

import re
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from stead.language import expressions
from stead.language.expressions import BoundExceeded, evaluate
from stead.language.expressions.bounds import BUDGET
from stead.language.expressions.used import environment
from stead.language.patterns import TooLong, fits

WEB = [{"name": "a", "port": 80, "tags": ["x"]}, {"name": "b", "port": 443, "tags": []}, {"name": "c", "port": 80}]
SCOPE: dict[str, Any] = {
    "web": WEB,
    "deep": {"a": {"b": 1, "c": 2}, "d": [1]},
    "nested": [1, [2, [3, None, [4]]]],
    "host": "web-17.example.org",
    "net": "10.20.0.0/16",
}


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("host | regex_replace('^web-([0-9]+)', 'node\\\\1')", "node17.example.org"),
        ("host | regex_replace('WEB-', '', ignorecase=True)", "17.example.org"),
        ("host | regex_search('[0-9]+')", "17"),
        ("host | regex_search('web-(?P<no>[0-9]+)\\\\.(.)', '\\\\g<no>', '\\\\2')", ["17", "e"]),
        ("host | regex_search('nothing')", ""),
        ("host | regex_findall('[0-9]')", ["1", "7"]),
        ("'a.b' | regex_escape", "a\\.b"),
        ("web | map(attribute='name') | select('match', '[ab]') | list", ["a", "b"]),
        ("['x-1', 'y-1'] | map('regex_replace', '-1$', '') | list", ["x", "y"]),
        ("host is search('example')", True),
        ("deep | combine({'a': {'b': 9}})", {"a": {"b": 9}, "d": [1]}),
        ("deep | combine({'a': {'b': 9}}, recursive=True)", {"a": {"b": 9, "c": 2}, "d": [1]}),
        ("[{'a': 1}, {'b': 2}] | combine", {"a": 1, "b": 2}),
        ("web | selectattr('port', 'equalto', 80) | map(attribute='name') | list", ["a", "c"]),
        ("web | rejectattr('tags', 'defined') | map(attribute='name') | join", "c"),
        ("web | selectattr('tags', 'defined') | selectattr('tags', 'contains', 'x') | list | length", 1),
        ("nested | flatten", [1, 2, 3, 4]),
        ("nested | flatten(levels=1)", [1, 2, [3, None, [4]]]),
        ("['b', 'a', 'b'] | unique | list", ["b", "a"]),
        ("web | unique(attribute='port') | map(attribute='name') | list", ["a", "b"]),
        ("{'a': 1} | dict2items", [{"key": "a", "value": 1}]),
        ("web[:2] | items2dict(key_name='name', value_name='port')", {"a": 80, "b": 443}),
        ("[1, 2] | union([2, 3])", [1, 2, 3]),
        ("[1, 2] | intersect([2, 3])", [2]),
        ("[1, 2] | difference([2, 3])", [1]),
        ("[1, 2] | zip(['a', 'b']) | list", [[1, "a"], [2, "b"]]),
        ("'é' | b64encode | b64decode", "é"),
        ("{'b': 'yes', 'a': [1, 'x: y']} | to_yaml", "a:\n- 1\n- 'x: y'\nb: 'yes'\n"),
        ("'{a: [1, yes]}' | from_yaml", {"a": [1, "yes"]}),
        ("'{\"a\": 1}' | from_json", {"a": 1}),
        ("{'a': 1} | to_nice_json(indent=1)", '{\n "a": 1\n}'),
        ("'a' | hash", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("('yes' | bool) | ternary('on', 'off')", "on"),
        ('"it\'s" | quote', "'it'\"'\"'s'"),
        ("'a,b' | split(',')", ["a", "b"]),
        ("'/etc/hosts' | basename ~ ('/etc/hosts' | dirname)", "hosts/etc"),
        ("net | ipaddr('netmask')", "255.255.0.0"),
        ("net | ipaddr(1)", "10.20.0.1/16"),
        ("net | ipaddr('first_usable') ~ ' ' ~ net | ipaddr('last_usable')", "10.20.0.1 10.20.255.254"),
        ("['x', net, 'fd00::1'] | ipv4", ["10.20.0.0/16"]),
        ("'10.0.0.300' | ipaddr", False),
        ("net | ipsubnet(24, 3)", "10.20.3.0/24"),
        ("net | nthhost(-2)", "10.20.255.254"),
        ("'10.0.0.255' | ipmath(1)", "10.0.1.0"),
        ("'10.20.7.1' | in_network(net)", True),
        ("'fd00::1' | in_network(net)", False),
    ],
)
def test_filters_give_what_is_expected(text: str, made: Any) -> None:
    assert evaluate(f"{{{{ {text} }}}}", SCOPE) == made


def test_a_map_in_a_map_ends_no_expression() -> None:
    assert evaluate("{{ {'a': {'b': 9}} }}", {}) == {"a": {"b": 9}}
    assert evaluate("{{ {'a': {'b': 9}}.a.b }} {{ 1 }}", {}) == "9 1"
    assert evaluate("{{ {'a': {'b': 9}} }}{{ 1 }}", {}) == '{"a": {"b": 9}}1'
    assert evaluate("{{ 1 }}{% if true %}{{ {'a': {'b': 9}} }}{% endif %}", {}) == '1{"a": {"b": 9}}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("host | regex_search('(')", "It is not a regular expression: "),
        ("host | regex_replace('a', '\\\\9')", "It is not a regular expression: "),
        ("host | regex_search('a', dotall=True)", "There is no option 'dotall'."),
        ("host | regex_search('web', '\\\\3')", "The regular expression has no group 3."),
        ("host | regex_search('a' * 2000)", "at most 1,000 characters"),
        ("web | regex_search('a')", "A text is wanted here, and this is a list."),
        ("nothing | regex_search('a')", "'nothing' is undefined"),
        ("host | combine", "`combine` takes maps"),
        ("host | flatten", "`flatten` takes a list."),
        ("web | items2dict", "`items2dict` takes a list of maps with 'key' and 'value'."),
        ("host | hash('crc')", "There is no digest 'crc'."),
        ("'{a: ' | from_yaml", "It is not YAML: "),
        ("'perhaps' | bool", "It is neither true nor false."),
        ("host | ipmath(1)", "`ipmath` takes an address or a network"),
        ("'255.255.255.255' | ipmath(1)", "There is no address 1 after 255.255.255.255."),
        ("net | ipsubnet(8)", "10.20.0.0/16 has no subnet 0 with the length 8."),
        ("net | nthhost(70000)", "10.20.0.0/16 has no address 70000."),
        ("net | ipaddr('gateway')", "`ipaddr` has no query 'gateway'."),
    ],
)
def test_wrong_use_is_told(text: str, told: str) -> None:
    with pytest.raises(BoundExceeded) as failure:
        evaluate(f"{{{{ {text} }}}}", SCOPE)
    assert told in str(failure.value)


SLOW = "{{ ('a' * 40 ~ '!') | regex_search('(a+)+$') }}"


def test_a_slow_pattern_is_refused_in_a_second_and_paid_for() -> None:
    expressions.new_budget()
    evaluate("{{ 1 }}", {})
    meter = environment().meter
    before, started = meter.whole, time.process_time()
    with pytest.raises(BoundExceeded, match="The regular expression takes too long"):
        evaluate(SLOW, {})
    assert time.process_time() - started < 5
    assert before - meter.whole >= BUDGET


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("('a' * 1048576) | regex_findall('()' * 400)", "characters and groups|takes too long"),
        ("('a' * 32000) | regex_findall('(?=(.*))')", "characters and groups"),
        ("('a' * 1048576) | regex_search('(' * 330 ~ '.*' ~ ')' * 330, '\\\\1')", "characters and groups"),
        ("('a' * 32000) | regex_replace('(?=(.*))', '\\\\1' * 60)", "characters and groups"),
        ("range(1000) | list | to_nice_json(indent=1000000)", "`indent` is a number from 0 to 16."),
        ("([['a' * 1000000] * 800] | string)", "The texts in the result are more than"),
        ("[['a' * 1000000] * 800] | to_json", "The texts in the result are more than"),
        ("(['a' * 1000000] * 10) | to_json", "more than 1,048,576 characters"),
        ("('[' * 90 ~ '1,' * 10000 ~ '1' ~ ']' * 90) | from_json | to_nice_json", "more than 1,048,576 characters"),
    ],
)
def test_what_would_be_huge_is_never_made(text: str, told: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BoundExceeded, match=told):
            evaluate(f"{{{{ {text} }}}}", {})
        assert tracemalloc.get_traced_memory()[1] < 300 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("test", ["a == b", "a is eq b", "a in [b]"])
def test_what_is_compared_costs_what_is_in_it(test: str) -> None:
    made = "{% set a = [range(10000) | list] %}{% set b = [range(10000) | list] %}"
    with pytest.raises(BoundExceeded, match="too many steps"):
        evaluate(f"{made}{{% for i in range(20000) %}}{{{{ 1 if {test} else 0 }}}}{{% endfor %}}", {})


def test_maps_merged_into_a_large_one_do_not_copy_it_each_time() -> None:
    large = {str(number): number for number in range(20_000)}
    started = time.process_time()
    made = evaluate("{{ some | combine(recursive=True) }}", {"some": [{"a": large}, *[{"a": {"x": 1}}] * 3000]})
    assert made == {"a": {**large, "x": 1}}
    assert "x" not in large
    assert time.process_time() - started < 5


@pytest.mark.parametrize("pattern", ["a*", "(a)(b)?", "(b)", "()", "(?P<x>a)|(b)"])
def test_all_are_found_as_python_finds_them(pattern: str) -> None:
    found = [list(one) if isinstance(one, tuple) else one for one in re.findall(pattern, "aaba")]
    assert evaluate(f"{{{{ 'aaba' | regex_findall('{pattern}') }}}}", {}) == found


def test_many_slow_patterns_are_refused_as_one() -> None:
    """Each is a little below what one may take: the plan's budget ends them."""
    expressions.new_budget()
    evaluate("{{ 1 }}", {})
    meter = environment().meter
    meter.whole = BUDGET // 2
    with pytest.raises(BoundExceeded, match="takes too long"):
        evaluate(SLOW, {})
    with pytest.raises(BoundExceeded, match="All expressions of the spec together"):
        evaluate("{{ 'abc' | upper }}", {})
    expressions.new_budget()


def test_in_a_thread_the_answer_is_the_same_and_a_slow_pattern_ends_too() -> None:
    answers: list[Any] = []

    def ask() -> None:
        answers.append(evaluate("{{ 'web-17' | regex_replace('[0-9]+', 'x') }}", {}))
        answers.append(evaluate("{{ 'web-17' | regex_search('(?P<n>[0-9]+)', '\\\\g<n>') }}", {}))
        try:
            evaluate("{{ ('a' * 41 ~ '!') | regex_search('(a+)+$') }}", {})
        except BoundExceeded as failure:
            answers.append(str(failure))
        try:
            evaluate("{{ 'a' | regex_search('(') }}", {})
        except BoundExceeded as failure:
            answers.append(str(failure)[:32])
        answers.append(fits("[a-z]+", "abc"))
        try:
            fits("(a+)+b", "a" * 42)
        except TooLong:
            answers.append("too long")

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert answers[:2] == ["web-x", ["17"]]
    assert answers[2].startswith("The regular expression takes too long")
    assert answers[3:] == ["It is not a regular expression: ", True, "too long"]


@pytest.mark.parametrize("name", ["flatten", "combine(recursive=True)", "union([])", "to_yaml", "to_json"])
def test_what_looks_deep_costs_what_is_there(name: str) -> None:
    """Empty lists in lists print as nothing and are many."""
    held = "{% set a = [[], [], [], [], [], [], [], [], [], []] %}" + "".join(
        f"{{% set {to} = [{', '.join([of] * 10)}] %}}" for of, to in ("ab", "bc", "cd", "de")
    )
    text = held + "{% for i in range(100000) %}{{ e | " + name + " and '' }}{% endfor %}"
    started = time.process_time()
    with pytest.raises(BoundExceeded):
        evaluate(text, {})
    assert time.process_time() - started < 20


def test_all_filters_are_in_the_docs() -> None:
    from stead.language.expressions.filters import FILTERS

    text = Path(__file__).parents[3].joinpath("docs/language.md").read_text()
    assert [name for name in [*FILTERS, "regex_search", "regex_findall"] if f"`{name}" not in text] == []
