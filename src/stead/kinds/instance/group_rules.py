"""What instances may say of being apart and together: one thing of one group. Looks only at the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.diagnostics import Code, Diagnostic
from stead.core.named import NamedTuple
from stead.kinds.instance.model import Instance
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.several import as_tuple
from stead.language.desired import Block, Desired

APART_AND_TOGETHER = Code("STEAD-I020", "instances cannot be both apart and together")
GROUP_DIFFERS = Code("STEAD-I021", "a group is defined in two ways")


class Rule(NamedTuple):
    field: str  # spread or together
    over: str
    hard: bool
    limit: int | None = None

    def __str__(self) -> str:
        limit = f", at most {self.limit}" if self.limit else ""
        return f"{self.field} over {self.over}, {'hard' if self.hard else 'soft'}{limit}"


def check(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    sides: dict[str, list[Rule]] = {}
    for name, rule in _rules(block):
        which = f"the group {name}" if name else "its members"
        said = sides.setdefault(name, [])
        like = next((one for one in said if (one.over, one.hard) == (rule.over, rule.hard)), None)
        if like is not None and like.field == rule.field:
            text = f"{which} have two rules: {like}; {rule}. Remove one."
            yield GROUP_DIFFERS.at(block.place(rule.field), text)
        elif like is not None and rule.hard:
            text = (
                f"{which} must be both apart and together over {rule.over}. Remove one of the rules, or make "
                "it soft with `hard: false`."
            )
            yield APART_AND_TOGETHER.at(block.place(rule.field), text)
        said.append(rule)
    for name, said in sides.items():
        first, rules = groups_of(desired).get((block.project, name), (block, said))
        if first is not block and set(rules) != set(said):
            odd = next((rule for rule in said if rule not in rules), said[0])
            text = (
                f"{first.members[0].block} says of the group {name}: {'; '.join(map(str, rules))}. Say the same here, "
                "or choose another name."
            )
            yield GROUP_DIFFERS.at(block.place(odd.field), text)


def _rules(block: Block) -> Iterator[tuple[str, Rule]]:
    """Name of the group, and what it says."""
    model: Instance = block.model
    for apart in as_tuple(model.spread):
        yield apart.group or "", Rule("spread", apart.over, apart.hard, apart.limit)
    for near in as_tuple(model.together):
        yield near.group or "", Rule("together", near.over, near.hard)


def _groups_of(desired: Desired) -> Mapping[tuple[str, str], tuple[Block, list[Rule]]]:
    """Who was first to use a group, and all that it says of it."""
    found: dict[tuple[str, str], tuple[Block, list[Rule]]] = {}
    for block in desired.of_kind("instances"):
        for name, rule in _rules(block):
            first, rules = found.setdefault((block.project, name), (block, [])) if name else (None, [])
            if first is block:
                rules.append(rule)
    return found


groups_of = memoize_last(_groups_of)
