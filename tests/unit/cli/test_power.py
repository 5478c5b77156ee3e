"""What a person stops by a command stays stopped, through every plan, until a person starts it; and nobody else can."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from stead.cli import main
from stead.core.by_hand import STATES, ByHand, by_hand, read
from stead.kinds.instance.model import Instance

DB, WEB = "acme/instances/db", "acme/instances/web"


@pytest.fixture(autouse=True)
def _by_ada(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEAD_WHO", "ada by since")  # a name that looks like more than a name


def do(*words: str) -> int:
    return main([*words, "--auto-approve", "--quiet"])


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*(words or ("plan",)), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def notes(plan: dict[str, Any]) -> list[str]:
    return [note["text"] for note in plan["notes"] if note["code"] == "by-hand"]


def state_on_host(capsys: pytest.CaptureFixture[str], address: str) -> str:
    (one,) = planned(capsys, "show", address)["resources"]
    (want,) = one["wants"].values()
    return str(want["state"])


def edit(old: str, new: str) -> None:
    spec = Path("stead.yml")
    text = spec.read_text()
    assert text.count(old) == 1
    spec.write_text(text.replace(old, new))


@pytest.mark.usefixtures("demo")
def test_what_is_stopped_by_hand_stays_so_through_a_whole_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("stop", DB) == 0
    assert state_on_host(capsys, DB) == "stopped"
    plan = planned(capsys)
    assert plan["steps"] == []
    (text,) = notes(plan)
    assert re.fullmatch(
        rf"{DB}: stopped by ada by since since 20\S+Z, whatever the spec says, until `stead start {DB}`\.", text
    )
    assert do("apply") == 0
    assert main(["drift", "--quiet"]) == 0
    assert state_on_host(capsys, DB) == "stopped"
    assert do("start", DB) == 0
    assert state_on_host(capsys, DB) == "running"
    assert notes(planned(capsys)) == []


@pytest.mark.usefixtures("demo")
def test_it_is_told_who_stopped_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("stop", f"{WEB}[1]") == 0
    capsys.readouterr()
    assert main(["show", f"{WEB}[1]"]) == 0
    told = capsys.readouterr().out
    assert "stopped by ada by since since 20" in told
    assert f"`stead start '{WEB}[1]'`" in told
    assert main(["show"]) == 0
    assert capsys.readouterr().out.count("stopped by ada") == 1


@pytest.mark.usefixtures("demo")
def test_whoever_stopped_it_first_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert do("stop", DB) == 0
    monkeypatch.setenv("STEAD_WHO", "bob")
    assert do("stop", DB) == 0
    assert "ada" in notes(planned(capsys))[0]


@pytest.mark.usefixtures("demo")
def test_what_is_stopped_by_hand_is_destroyed_like_any(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("stop", WEB) == 0
    edit("        count: 3\n", "        count: 1\n")
    assert do("apply", "--max-disruption", "data-loss") == 0
    assert len(notes(planned(capsys))) == 1
    assert do("destroy", "--max-disruption", "data-loss") == 0


@pytest.mark.usefixtures("demo")
def test_a_replaced_one_stays_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("stop", DB, WEB) == 0
    assert do("apply", "--replace", DB, "--max-disruption", "data-loss") == 0
    assert state_on_host(capsys, DB) == "stopped"


@pytest.mark.usefixtures("demo")
def test_a_batch_is_one_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("stop", WEB, DB) == 0
    assert len(notes(planned(capsys))) == 2  # a line for each definition
    assert do("start", WEB, DB) == 0
    plan = planned(capsys)
    assert (plan["steps"], notes(plan)) == ([], [])


@pytest.mark.usefixtures("demo")
def test_what_the_spec_stops_runs_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    edit("      db:\n", "      db:\n        state: stopped\n")
    assert do("apply") == 0
    assert do("start", DB) == 0
    assert state_on_host(capsys, DB) == "running"
    assert f"until `stead stop {DB}`" in notes(planned(capsys))[0]
    assert do("stop", DB) == 0
    assert notes(planned(capsys)) == []


@pytest.mark.usefixtures("demo")
def test_the_spec_cannot_start_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A tenant whose instance the site has stopped edits its files in vain."""
    assert do("stop", DB) == 0
    for state in ("stopped", "running"):
        edit("      db:\n", f"      db:\n        state: {state}\n")
        assert do("apply") == 0
        assert state_on_host(capsys, DB) == "stopped"
        edit(f"      db:\n        state: {state}\n", "      db:\n")
    assert do("apply") == 0
    assert state_on_host(capsys, DB) == "stopped"
    assert len(notes(planned(capsys))) == 1


@pytest.mark.usefixtures("demo")
def test_nothing_else_of_the_spec_is_done_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    edit("        spread: hosts\n", "        spread: hosts\n        watchdog: reset\n        agent: false\n")
    assert do("stop", f"{WEB}[0]") == 0
    (one,) = planned(capsys, "show", f"{WEB}[0]")["resources"]
    (want,) = one["wants"].values()
    assert (want["state"], want["watchdog"], want["agent"]) == ("stopped", "none", True)
    left = {step["address"]: {field["field"] for field in step["changes"]} for step in planned(capsys)["steps"]}
    assert {"watchdog", "agent"} <= left[f"{WEB}[0]"]
    assert "state" not in left[f"{WEB}[0]"]


@pytest.mark.usefixtures("demo")
def test_others_may_ignore_the_state_and_a_person_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    edit("      db:\n", "      db:\n        ignore: [state]\n")
    assert do("apply") == 0
    for verb, state in (("stop", "stopped"), ("start", "running")):
        assert do(verb, DB) == 0
        assert state_on_host(capsys, DB) == state


@pytest.mark.usefixtures("demo")
def test_a_reboot_is_one_step_and_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["reboot", DB, "--auto-approve"]) == 0
    said = capsys.readouterr().out
    assert "instances/db to reboot" in said
    assert "disturbs: reboot" in said
    plan = planned(capsys)
    assert (plan["steps"], notes(plan)) == ([], [])
    assert main(["reboot", DB, "--auto-approve", "--max-disruption", "network"]) == 1


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("stop", "acme/volumes/pgdata"), "STEAD-C059"),
        (("reboot", "acme/networks/app"), "STEAD-C059"),
        (("start", "acme/instances/nobody"), "STEAD-C020"),
    ],
)
def test_only_instances_have_a_state(words: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert do(*words) == 1
    assert code in capsys.readouterr().err


@pytest.mark.usefixtures("demo")
def test_what_is_off_is_not_restarted(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("stop", DB) == 0
    assert do("reboot", DB) == 1
    assert "STEAD-C065" in capsys.readouterr().err


@pytest.mark.usefixtures("demo")
def test_what_is_not_there_yet_is_applied_first(capsys: pytest.CaptureFixture[str]) -> None:
    edit("        count: 3\n", "        count: 4\n")
    assert do("stop", f"{WEB}[3]") == 1
    assert "STEAD-C058" in capsys.readouterr().err


@pytest.mark.usefixtures("demo")
def test_what_cannot_be_asked_is_not_said_to_be_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = planned(capsys, "show", f"{WEB}[1]")["resources"]
    assert main(["simulate", "down", one["host"]]) == 0
    for address in (f"{WEB}[1]", WEB):
        assert do("stop", address) == 1
        assert "STEAD-C067" in capsys.readouterr().err
    assert do("stop", f"{WEB}[0]") == 0  # it is on another one
    assert main(["simulate", "up", one["host"]]) == 0
    assert state_on_host(capsys, f"{WEB}[1]") == "running"
    assert len(notes(planned(capsys))) == 1


@pytest.mark.usefixtures("demo")
def test_what_goes_on_already_may_be_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("pause", DB) == 0
    assert main(["simulate", "drift", DB, "state=running"]) == 0
    capsys.readouterr()
    assert do("resume", DB) == 0
    assert notes(planned(capsys)) == []


@pytest.mark.usefixtures("demo")
def test_a_changed_definition_keeps_it_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("stop", DB) == 0
    edit("      db:\n", "      db:\n        properties: {owner: ada}\n")
    assert do("apply") == 0
    assert state_on_host(capsys, DB) == "stopped"


@pytest.mark.usefixtures("demo")
def test_a_renamed_one_stays_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("stop", DB) == 0
    text = Path("stead.yml").read_text()
    Path("stead.yml").write_text(text.replace("      db:\n", "      base:\n").replace("instances.db", "instances.base"))
    with Path("stead.yml").open("a") as file:
        file.write("\nmoved:\n  - {from: acme/instances/db, to: acme/instances/base}\n")
    assert do("apply") == 0
    assert state_on_host(capsys, "acme/instances/base") == "stopped"


@pytest.mark.usefixtures("demo")
def test_a_store_that_is_rebuilt_knows_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("stop", DB) == 0
    for path in Path(".stead").glob("state.db*"):
        path.unlink()
    main(["recover", "--quiet"])
    plan = planned(capsys)
    assert (plan["steps"], len(notes(plan))) == ([], 1)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("suspend", "suspended")])
def test_what_is_halted_stays_so_until_it_is_resumed(verb: str, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert do(verb, DB) == 0
    assert state_on_host(capsys, DB) == state
    plan = planned(capsys)
    assert (plan["steps"], len(notes(plan))) == ([], 1)
    assert main(["drift", "--quiet"]) == 0
    assert do("reboot", DB) == 1
    assert do("resume", DB) == 0
    assert state_on_host(capsys, DB) == "running"
    assert do("resume", DB) == 0  # it does


@pytest.mark.usefixtures("demo")
def test_what_is_off_is_not_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    for verb, state in (("shelve", "shelved"), ("stop", "stopped")):
        assert do(verb, DB) == 0
        capsys.readouterr()
        assert do("resume", DB) == 1
        told = capsys.readouterr().err
        assert "STEAD-C066" in told
        assert f"is {state}, so" in told
    assert state_on_host(capsys, DB) == "stopped"


@pytest.mark.usefixtures("demo")
def test_the_spec_may_say_that_it_is_halted(capsys: pytest.CaptureFixture[str]) -> None:
    for old, new in (("", "paused"), ("paused", "suspended")):
        said = f"        state: {old}\n" if old else ""
        edit(f"      db:\n{said}", f"      db:\n        state: {new}\n")
        assert do("apply") == 0
        assert state_on_host(capsys, DB) == new


@pytest.mark.usefixtures("demo")
def test_what_is_suspended_does_not_move(capsys: pytest.CaptureFixture[str]) -> None:
    assert do("suspend", f"{WEB}[0]") == 0
    assert do("migrate", f"{WEB}[0]") == 1
    assert "It is suspended, and its memory" in capsys.readouterr().err
    assert do("pause", f"{WEB}[0]") == 0
    assert do("migrate", f"{WEB}[0]") == 0
    assert state_on_host(capsys, f"{WEB}[0]") == "paused"


def test_no_plan_file_says_another_state() -> None:
    with pytest.raises(ValueError, match="burning"):
        read("burning by ada since 2026-11-30T08:00:00Z")


def test_the_states_of_the_spec_are_those_that_a_person_can_give() -> None:
    hint = get_type_hints(Instance, include_extras=True)["state"]
    assert get_args(get_args(hint)[0]) == STATES


def test_what_is_kept_is_read_back() -> None:
    given = ByHand("stopped", "ada by since", "2026-11-30T08:00:00Z")
    assert by_hand({"state": str(given)}) == given
    assert by_hand({}) is None
