"""What owners agreed to lose, as their documents say: so it is known to whoever plans later, and after a restart."""

from __future__ import annotations

from stead.plan.model import Step
from stead.serve import notes
from stead.serve.edits import Content


def agreed(step: Step, content: Content) -> bool:
    """A rebuild agrees to lose the root disk before the one that it asks for, and no other."""
    if step.address.kind != "instances" or step.want is None or step.have is None:
        return False
    wanted, there = (want.fields().get("root", {}).get("generation", 1) for want in (step.want, step.have))
    given = notes.of(content, step.address.name).get(notes.REBUILT)
    return bool(wanted != there and wanted == given)
