"""From a plan to what is done: shown, agreed to, carried out, reported. Every command that changes hosts ends here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from stead.core.value import replace

if TYPE_CHECKING:
    from stead.cli.common.loading import Loaded
    from stead.cli.common.planning import Ready
    from stead.cli.common.request import ApplyRequest, PlanningRequest
    from stead.core.diagnostics import Diagnostic
    from stead.plan.model import Plan
    from stead.run.model import Options

Check = Callable[["Ready"], Iterable["Diagnostic"]]
Secrets = Mapping[tuple[str, str], str]  # (project, id) -> plain text
NO_PROOFS: Mapping[str, str] = MappingProxyType({})
NO = 3


def _fits(_ready: Ready) -> Iterable[Diagnostic]:
    return ()


def plan_and_apply(asked: ApplyRequest, request: PlanningRequest, check: Check = _fits) -> int:
    """`check` refuses a plan that has more than was asked for."""
    from stead.cli.common.acting import not_permitted
    from stead.cli.common.approval import NOBODY, approved, refuse_loss
    from stead.cli.common.console_output import complain
    from stead.cli.common.planning import make, show, too_much
    from stead.core.diagnostics import Refused

    printing = asked.printing
    ready = make(asked.workspace, request)
    denied = not_permitted(asked.acting, ready.plan, ready.loaded)
    refused = [*too_much(ready.plan, asked.most), *denied, *check(ready)]
    if not printing.json:
        asking = not asked.auto_approve and not ready.plan.empty  # nobody agrees to what was not shown
        show(ready.plan, replace(printing, quiet=printing.quiet and not asking), [*ready.warnings, *refused])
    elif refused:
        complain(refused)
    if refused:
        return 1
    if not ready.plan.empty:
        if printing.json and not asked.auto_approve:
            raise Refused(NOBODY.at(None, "With --json, no plan is shown for approval. Use --auto-approve."))
        if asked.auto_approve:
            refuse_loss(ready.plan, asked.most)
        elif not approved(ready.plan, asked.most):
            print("Nothing was done.", file=sys.stderr)
            return NO
    return carry_out(asked, ready.plan, ready.loaded, ready.blueprint.secrets)


def carry_out(
    asked: ApplyRequest, plan: Plan, loaded: Loaded, secrets: Secrets, proofs: Mapping[str, str] = NO_PROOFS
) -> int:
    import gc

    from stead.cli.common.acting import remember
    from stead.cli.common.progress import exit_status, progress, report
    from stead.run.apply import apply

    gc.freeze()  # what planning left is walked no more; an apply of hours makes garbage of its own
    gc.enable()
    settings = run_options(asked, plan, loaded, secrets, proofs)
    with progress(plan, asked.printing) as on_event:
        made = apply(plan, loaded.store, loaded.runner, now=plan.made, options=settings, on_event=on_event)
    remember(plan, loaded)
    report(plan, made, asked.printing)
    return exit_status(made)


def run_options(
    asked: ApplyRequest, plan: Plan, loaded: Loaded, secrets: Secrets, proofs: Mapping[str, str] = NO_PROOFS
) -> Options:
    from stead.cli.common.workspace import key_to_keep
    from stead.plan.file import to_bytes
    from stead.plan.render.values import safe
    from stead.run.documents import documents_to_tell
    from stead.run.model import Options

    return Options(
        who=safe(asked.acting) or who(),
        reason=safe(asked.reason),
        parallel=asked.parallel,
        secrets=secrets,
        site_key=key_to_keep(asked.workspace),
        root=asked.workspace.root,
        documents=documents_to_tell(plan, loaded.inputs, loaded.store.documents()),
        proofs=proofs,
        content=b"" if plan.empty else to_bytes(plan),
    )


def who() -> str:
    """For the history and the lock. In CI the one who pushed, where the CI says so."""
    from stead.plan.render.values import safe

    for variable in ("STEAD_WHO", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"):
        if name := os.environ.get(variable):
            return safe(name)
    import pwd  # a shell without a login, such as a unit's

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
