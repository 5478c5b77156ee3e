"""Asks a person whether a plan may be carried out. Never takes silence for consent, and never asks a program."""

from __future__ import annotations

import sys

from stead.core.diagnostics import Code, Refused
from stead.core.effect import Disruption
from stead.plan.model import Plan, Step

NOBODY = Code("STEAD-C030", "approval needs a terminal")
LOSS = Code("STEAD-C031", "data would be lost")
LOSSES_NAMED = 5


def approved(plan: Plan, most: Disruption | None, question: str = "Apply this plan?") -> bool:
    """Yes, in full; and for data that would be lost, the name of it."""
    if not sys.stdin.isatty():
        text = "Standard input is not a terminal. Use --auto-approve, or write the plan to a file and apply that file."
        raise Refused(NOBODY.at(None, text))
    lost = losing(plan)
    if lost and most != Disruption.DATA_LOSS:
        return _names_it(lost)
    return _answer(f"{question} Type `yes`: ") == "yes"


def refuse_loss(plan: Plan, most: Disruption | None) -> None:
    """Where nobody is asked, data is lost only by the word of an option."""
    lost = losing(plan)
    if not lost or most == Disruption.DATA_LOSS:
        return
    names = ", ".join(step.loses for step in lost[:LOSSES_NAMED])
    more = f" and {len(lost) - LOSSES_NAMED:,} more" if len(lost) > LOSSES_NAMED else ""
    text = f"This would lose {names}{more}. Nothing was done. To allow it, use --max-disruption data-loss."
    raise Refused(LOSS.at(None, text, address=str(lost[0].address)))


def losing(plan: Plan) -> list[Step]:
    return [step for step in plan.steps if step.disturbs is Disruption.DATA_LOSS]


def _names_it(lost: list[Step]) -> bool:
    """Of several, how many there are: nobody types fifty names, and a number is still no reflex."""
    addresses = sorted({str(step.address) for step in lost})
    if len(addresses) == 1:
        return (
            _answer(f"This deletes its data permanently. Type its name to confirm ({addresses[0]}): ") == addresses[0]
        )
    word = f"lose {len(addresses)}"
    return (
        _answer(f"The data of {len(addresses)} resources will be deleted permanently. To confirm, type `{word}`: ")
        == word
    )


def named(question: str, name: str) -> bool:
    """Whether a person typed this name. Never asks a program."""
    if not sys.stdin.isatty():
        raise Refused(NOBODY.at(None, "Standard input is not a terminal. Use --auto-approve."))
    return _answer(question) == name


def _answer(question: str) -> str:
    sys.stdout.flush()
    print(question, end="", file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip()
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return ""
