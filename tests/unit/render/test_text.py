"""What a person reads at a terminal."""

from __future__ import annotations

import pytest
from tests.unit.render.plans import at, keep, one_of_each, plan, step

from stead.core.effect import Action, Disruption
from stead.diff.model import FieldChange, Note
from stead.plan.model import Plan
from stead.plan.render import Style, render
from stead.plan.render.paint import ansi

FULL = Style(verbose=True)


def text(of: Plan, style: Style = Style()) -> str:  # noqa: B008 - a frozen value
    return render(of, "text", style)


GOLDEN = """\
Drift: these changed on the hosts since the last apply

project acme
  ~ instances/bent  on compute-1
      memory  2 GiB → 4 GiB  (drift)
      drift: memory changed on the host, not in the spec
  = instances/seen to accept  on compute-1
      accepted: the host has it so

Changes

site
  + networks/public  on network-1
      type flat, mtu 1500
      new: the spec has it, the host does not

project acme
  ~ instances/ci to rebuild  on compute-1  disturbs: rebuild
      seed.user_data
        @@ -1,2 +1,2 @@
         #cloud-config
        -a: 1
        +a: 2
      changed: it changed in the spec
  ~ instances/db to reboot  on compute-1  disturbs: reboot
      memory  4 GiB → 8 GiB
      changed: it changed in the spec
  > instances/hot to migrate  compute-1 → compute-3  disturbs: migrate
      placed: balance: best of 3 hosts that may take it
  x instances/left to forget
      forget: forget names it
  - instances/old  on compute-1  disturbs: data-loss
      loses everything on instance acme/instances/old (compute-1)
      count-fell: count went from 3 to 2
  + instances/web[0,1] (2)  on compute-1, compute-2
      vcpus 2, memory 4 GiB
      web[0]  compute-1  10.0.0.2
      web[1]  compute-2
      placed: balance: best of 3 hosts that may take it
  ~ networks/app  on compute-1  disturbs: network
      mtu  1500 → 1450
      changed: it changed in the spec
-/+ volumes/log to replace  on compute-1  disturbs: data-loss
      loses everything on volume log
      changed: it changed in the spec

Renamed
    acme/instances/a → acme/instances/b

Outputs after this
    www = 203.0.113.9
    token = (secret)

Notes
    compute-9 does not answer [host-silent]

Plan: 3 to create, 2 to update, 1 to migrate, 1 to reboot, 1 to rebuild, 1 to replace, 1 to destroy, 1 to forget, \
1 to accept, 1 renamed; 12 unchanged.
Disturbs: data-loss (2 steps), rebuild (1 step), reboot (1 step), migrate (1 step), network (1 step).
  loses everything on instance acme/instances/old (compute-1)
  loses everything on volume log
13 steps on 3 hosts in 1 wave.
"""


def test_every_action_reads_as_it_should() -> None:
    assert text(one_of_each()) == GOLDEN


def test_an_empty_plan_says_so() -> None:
    assert text(plan([], unchanged=3)) == "Nothing to do: 3 unchanged.\n"


def test_colours_change_no_word() -> None:
    import re

    painted = text(one_of_each(), Style(paint=ansi))
    assert "\033[" in painted
    assert re.sub(r"\033\[[0-9;]*m", "", painted) == GOLDEN


def test_members_that_are_alike_are_one_entry() -> None:
    many = plan([step(f"acme/instances/web[{n}]", host=f"compute-{n % 10}") for n in range(100)])
    told = text(many)
    assert "instances/web[0..99] (100)  on compute-[0..9]" in told
    assert "… 94 more (--verbose shows all)" in told
    assert "web[99]" not in told
    assert "web[99]  compute-9" in text(many, FULL)


def test_members_that_differ_are_told_apart() -> None:
    two = plan(
        [
            step("acme/instances/web[0]", Action.REBOOT, changes=(FieldChange("memory", 1 << 30, 2 << 30),)),
            step("acme/instances/web[1]", Action.REBOOT, changes=(FieldChange("memory", 4 << 30, 2 << 30),)),
        ]
    )
    assert "memory  1 GiB → 2 GiB" in text(two)
    assert "memory  4 GiB → 2 GiB" in text(two)


def test_a_network_on_a_thousand_hosts_is_one_entry() -> None:
    told = text(plan([step("acme/networks/app", host=f"compute-{n}") for n in range(1000)]))
    assert "networks/app  on compute-[0..999]" in told
    assert told.count("networks/app") == 1


def test_a_large_plan_stays_readable_and_hides_no_disruption() -> None:
    steps = [step(f"p{n}/networks/n{m}", host=f"h-{n}") for n in range(100) for m in range(10)]
    steps.append(step("p50/instances/db", Action.REBOOT, disturbs=Disruption.REBOOT))
    told = text(plan(steps))
    assert len(told.splitlines()) < 500
    assert "instances/db to reboot" in told
    assert "1,000 to create" in told
    assert "10 networks to create  such as networks/n0" in told


def test_verbose_shows_every_entry() -> None:
    steps = [step(f"p{n}/networks/n{m}") for n in range(100) for m in range(10)]
    assert text(plan(steps), FULL).count("+ networks/n") == 1000


def test_secrets_are_never_shown() -> None:
    sealed = {"$secret": "0123456789abcdef"}
    changes = (FieldChange("seed.user_data", sealed, {"$secret": "fedcba9876543210"}),)
    of = plan(
        [step("acme/instances/a", Action.REBUILD, changes=changes), step("acme/instances/b", fields={"seed": sealed})],
        outputs={"token": sealed},
    )
    for form in ("text", "markdown", "html", "json"):
        told = render(of, form, FULL)
        assert "0123456789abcdef" not in told
        assert "fedcba9876543210" not in told
        assert "(secret)" in told


def test_nothing_that_a_terminal_obeys_comes_out() -> None:
    nasty = "\033]0;owned\a\r\u202e"
    of = plan(
        [step("acme/instances/a", Action.UPDATE, changes=(FieldChange(f"labels.{nasty}", nasty, nasty + "x"),))],
        outputs={"o": nasty},
    )
    told = text(of)
    assert "\033" not in told
    assert "\r" not in told
    assert "\u202e" not in told


def test_notes_of_one_sort_are_counted() -> None:
    notes = tuple(Note("waits", f"web[{n}] waits for compute-1") for n in range(50))
    told = text(plan([], notes=notes))
    assert "… and 45 more of these [waits]" in told


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_the_order_of_steps_does_not_change_what_is_folded(form: str) -> None:
    one = plan([step(f"acme/instances/web[{n}]") for n in range(20)])
    other = plan([step(f"acme/instances/web[{n}]") for n in reversed(range(20))])
    if form != "json":  # which lists steps in their order
        assert render(one, form) == render(other, form)


def test_what_only_leaves_a_host_is_not_destroyed() -> None:
    leaving = step("acme/networks/app", Action.DESTROY, host="compute-2")
    assert "1 to update" in text(plan([leaving], keeps=[keep("acme/networks/app", "network-1")]))
    gone = keep("acme/networks/app", "")._replace(leases={}, address=at("acme/networks/app"))
    assert "1 to destroy" in text(plan([leaving], keeps=[gone]))
