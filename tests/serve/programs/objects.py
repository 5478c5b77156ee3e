"""A project's objects by openstacksdk: made, listed, read and removed. Prints what was read."""

import openstack  # type: ignore[import-not-found]

there = openstack.connect()
there.create_container("sdk")
there.create_object("sdk", "a/b", data=b"by the SDK", use_slo=False)
assert [one.name for one in there.object_store.objects("sdk")] == ["a/b"]
print(there.get_object_raw("sdk", "a/b").content.decode())
there.delete_object("sdk", "a/b")
there.delete_container("sdk")
assert "sdk" not in [one.name for one in there.object_store.containers()]
