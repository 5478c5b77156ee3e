"""What every store must do for `stead serve`: documents with all their versions, people, and who did what."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stead.core.address import Address
from stead.core.diagnostics import Refused
from stead.store import Store
from stead.store.documents import KEPT
from stead.store.model import Audited, Document, LockRequest, reserved

OpenStore = Callable[..., Store]
WEB = {"networks": {"app": {"subnets": {"v4": {"cidr": "10.0.0.0/24"}}}}}


def document(revision: int, **fields: object) -> Document:
    return Document(**{"project": "acme", "revision": revision, "who": "ada", "reason": "create app", **fields})  # type: ignore[arg-type]


def test_a_store_without_documents_has_none(store: Store) -> None:
    assert dict(store.documents()) == {}
    assert store.documents_serial() == 0


def test_the_latest_version_is_the_document_and_the_others_stay(opened: OpenStore) -> None:
    store = opened()
    store.save_document(document(1, content=WEB))
    store.save_document(document(2, content={**WEB, "volumes": {}}, who="bob", reason="more"))
    again = opened()
    assert again.documents()["acme"].content == {**WEB, "volumes": {}}
    first = again.document("acme", 1)
    assert first is not None
    assert first.content == WEB
    assert [(one.revision, one.who, one.reason) for one in again.versions("acme")] == [
        (2, "bob", "more"),
        (1, "ada", "create app"),
    ]
    assert first.at > 0


def test_of_two_who_follow_the_same_version_the_second_is_refused(opened: OpenStore) -> None:
    first, second = opened(), opened()
    first.save_document(document(1, content=WEB))
    with pytest.raises(Refused) as refusal:
        second.save_document(document(1, content={}))
    assert [one.code for one in refusal.value.diagnostics] == ["STEAD-S036"]
    assert second.documents()["acme"].content == WEB


def test_of_several_all_are_saved_or_none(store: Store) -> None:
    store.save_document(document(1, content=WEB), document(1, project="birch", content=WEB))
    with pytest.raises(Refused):
        store.save_document(document(2, content={}), document(3, project="birch", content={}))
    assert {name: one.revision for name, one in store.documents().items()} == {"acme": 1, "birch": 1}
    assert store.documents()["acme"].content == WEB


def test_every_version_moves_the_serial_and_no_plan_goes_stale(store: Store) -> None:
    before = store.serial()
    serials = [store.documents_serial()]
    for revision in (1, 2):
        store.save_document(document(revision, content=WEB))
        serials.append(store.documents_serial())
    store.save_document(document(1, project="birch"))
    serials.append(store.documents_serial())
    assert serials == sorted(set(serials))
    assert store.serial() == before


def test_a_project_that_is_gone_has_no_document_and_keeps_its_history(store: Store) -> None:
    store.save_document(document(1, content=WEB))
    store.save_document(document(2, reason="delete project"))
    assert dict(store.documents()) == {}
    assert store.versions("acme", 1)[0].reason == "delete project"


def test_documents_are_written_while_an_apply_holds_the_lock(store: Store, opened: OpenStore) -> None:
    with store.lock(LockRequest("an apply", "at work")):
        opened().save_document(document(1, content=WEB))
    assert store.documents()["acme"].revision == 1


def test_old_versions_lose_their_contents_and_not_who_and_why(store: Store) -> None:
    for revision in range(1, KEPT + 2):
        store.save_document(document(revision, content=WEB))
    assert store.document("acme", 1) is None
    assert store.document("acme", 2) is not None
    assert len(store.versions("acme", KEPT + 5)) == KEPT + 1


def test_what_was_promised_is_reserved(store: Store) -> None:
    kept = {"leases": {"uuid": "u"}, "host": "compute-1", "after": ["projects/acme"], "reason": "chosen"}
    store.save_document(document(1, content=WEB, about={"acme/networks/app": {"kept": kept}, "acme/x/y": {}}))
    found = reserved(store.documents().values())
    (promise,) = found.values()
    record = promise.record
    assert record.address == Address("acme", "networks", "app")
    assert (record.leases, record.host, record.after) == (
        {"uuid": "u"},
        "compute-1",
        (Address("", "projects", "acme"),),
    )


def test_identities_are_kept_changed_and_forgotten(opened: OpenStore) -> None:
    store = opened()
    store.write_identities({("user", "1"): {"name": "ada"}, ("user", "2"): {"name": "bob"}})
    store.write_identities({("user", "1"): {"name": "Ada"}, ("user", "2"): None})
    assert opened().identities() == {("user", "1"): {"name": "Ada"}}


def test_the_audit_has_the_latest_first(store: Store) -> None:
    entries = [Audited(float(at), "ada", "acme", "POST /servers", "127.0.0.1", 202, f"req-{at}") for at in (1, 2)]
    store.audit(entries)
    assert store.audited() == entries[::-1]


def test_a_sealed_store_shows_nothing_of_documents_and_people(opened: OpenStore) -> None:
    key = "ab" * 32
    store = opened(key)
    store.save_document(document(1, content={"instances": {"web": {"display_name": "confidential-name"}}}))
    store.write_identities({("user", "1"): {"name": "confidential-name"}})
    db = store._db  # type: ignore[attr-defined]
    rows = [*db.rows("SELECT content FROM documents"), *db.rows("SELECT content FROM identities")]
    assert all(b"confidential" not in (row[0] if isinstance(row[0], bytes) else str(row[0]).encode()) for row in rows)
    assert opened(key).documents()["acme"].content["instances"]["web"]["display_name"] == "confidential-name"


def test_encrypting_a_store_seals_documents_too(opened: OpenStore) -> None:
    store = opened()
    store.save_document(document(1, content=WEB))
    store.write_identities({("user", "1"): {"name": "ada"}})
    with store.lock(LockRequest("ada", "encrypt")) as hold:
        store.encrypt(hold, "cd" * 32)
    again = opened("cd" * 32)
    assert again.documents()["acme"].content == WEB
    assert again.identities() == {("user", "1"): {"name": "ada"}}
