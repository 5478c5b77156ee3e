"""An inventory means to Stead what it means to Ansible, and mistakes are told with their place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from stead.core.observed import Host, HostStatus, StoragePool
from stead.site.inventory import read_inventory
from stead.site.inventory.ranges import BadRange, expand
from stead.site.inventory.yaml_source import MOST_FILES

GiB = 1 << 30
TiB = 1 << 40


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def put(text: str, name: str = "hosts.yml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return put


def hosts(*paths: Path) -> dict[str, Host]:
    inventory, found = read_inventory(paths)
    assert [one.detail for one in found] == []
    return dict(inventory.hosts)


def told(*paths: Path) -> list[tuple[str, str]]:
    return [(one.code, one.detail) for one in read_inventory(paths)[1]]


def test_ten_lines_are_enough_for_a_laptop(write: Any) -> None:
    found = hosts(write("compute: {hosts: {'node-[1:3]': }}\nnetwork: {hosts: {node-1: }}\n"))
    assert list(found) == ["node-1", "node-2", "node-3"]
    assert found["node-1"].roles == {"compute", "network"}
    assert found["node-2"] == Host(name="node-2", roles=frozenset({"compute"}))


def test_every_variable_becomes_what_it_says(write: Any) -> None:
    path = write("""
        compute:
          hosts:
            c1:
              ansible_host: 192.0.2.7
              stead_zone: east
              stead_vcpus: 64
              stead_memory: 256GiB
              stead_pools:
                fast: {type: lvm-thin, size: 2TiB, path: vg0/thin}
                share: {type: nfs, size: 1TB, path: /export}
                mine: {type: nfs, size: 1GiB, shared: false}
                plain: 10GiB
              stead_traits: [ssd, avx2]
              stead_overcommit: {vcpus: 4, memory: 1.5}
              stead_reserved: {vcpus: 2, memory: 4GiB, "disk:fast": 10GiB}
              stead_devices: {gpu-a100: 2, "hugepages:2MiB": 512}
              stead_physical_networks: {external: eth1}
              stead_hypervisors: kvm, qemu
              stead_architecture: aarch64
              stead_mtu: 9000
              stead_maintenance: new disks
              stead_projects: [acme]
              stead_reaches: [share]
              stead_labels: {power: low, bought: 2024}
    """)
    (found,) = hosts(path).values()
    assert found == Host(
        name="c1",
        roles=frozenset({"compute"}),
        state=HostStatus.MAINTENANCE,
        why="new disks",
        zone="east",
        vcpus=64,
        memory=256 * GiB,
        pools={
            "fast": StoragePool("fast", "lvm-thin", 2 * TiB, "vg0/thin"),
            "share": StoragePool("share", "nfs", 10**12, "/export", shared=True),
            "mine": StoragePool("mine", "nfs", GiB, "/var/lib/stead/pools/mine"),
            "plain": StoragePool("plain", "dir", 10 * GiB, "/var/lib/stead/pools/plain"),
        },
        traits=frozenset({"ssd", "avx2"}),
        overcommit={"vcpus": 4.0, "memory": 1.5},
        reserved={"vcpus": 2, "memory": 4 * GiB, "disk:fast": 10 * GiB},
        devices={"device:gpu-a100": 2, "hugepages:2MiB": 512},
        physical_networks={"external": "eth1"},
        hypervisors=frozenset({"kvm", "qemu"}),
        architecture="aarch64",
        underlay="192.0.2.7",
        mtu=9000,
        projects=frozenset({"acme"}),
        labels={"power": "low", "bought": "2024"},
        reaches=frozenset({"share"}),
    )


def test_a_size_alone_is_the_default_pool(write: Any) -> None:
    (found,) = hosts(write("compute: {hosts: {c1: {stead_pools: 2TiB, stead_overcommit: 8}}}")).values()
    assert found.pools == {"default": StoragePool("default", "dir", 2 * TiB, "/var/lib/stead/pools/default")}
    assert found.overcommit == {"vcpus": 8.0}


def test_hosts_without_a_role_are_none_of_its_business(write: Any) -> None:
    path = write("""
        monitoring: {hosts: {grafana: {stead_memory: nonsense}}}
        compute: {hosts: {c1: }}
    """)
    assert list(hosts(path)) == ["c1"]


def test_a_group_inherits_its_role_from_its_parents(write: Any) -> None:
    path = write("""
        compute: {children: {rack1: {hosts: {c1: }}, rack2: {children: {left: {hosts: {c2: }}}}}}
    """)
    assert {name: one.roles for name, one in hosts(path).items()} == {
        "c1": frozenset({"compute"}),
        "c2": frozenset({"compute"}),
    }


AS_ANSIBLE = {
    "nested groups": """
        all: {vars: {stead_zone: all, base: 1}}
        compute:
          vars: {stead_zone: compute, stead_mtu: 1}
          children: {rack: {hosts: {"c-[1:3]": , c-2: {stead_mtu: 3}}, vars: {stead_mtu: 2}}}
        """,
    "equals by name": """
        compute: {hosts: {c1: }}
        a: {hosts: {c1: }, vars: {stead_zone: a}}
        b: {hosts: {c1: }, vars: {stead_zone: b}}
        """,
    "equals by priority": """
        compute: {hosts: {c1: }}
        a: {hosts: {c1: }, vars: {stead_zone: a, ansible_group_priority: 5}}
        b: {hosts: {c1: }, vars: {stead_zone: b}}
        """,
    "deeper wins whatever its name": """
        z: {hosts: {c1: }, vars: {stead_zone: z}}
        compute: {children: {a: {hosts: {c1: }, vars: {stead_zone: a}}}}
        """,
    "a host in two places": """
        compute: {hosts: {c1: {stead_zone: one, stead_mtu: 1}}}
        storage: {hosts: {c1: {stead_zone: two}}}
        """,
    "ranges": """
        compute: {hosts: {"c-[08:11]": , "r[a:c]-[1:5:2]": {stead_zone: r}, "x-[1:3]": , x-2: {stead_zone: own}}}
        """,
}


def by_ansible(path: Path) -> dict[str, dict[str, Any]]:
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(path), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout)["_meta"]["hostvars"])


@pytest.mark.parametrize("name", AS_ANSIBLE)
def test_variables_win_over_each_other_as_in_ansible(write: Any, name: str) -> None:
    path = write(AS_ANSIBLE[name])
    write("stead_mtu: 1111\nstead_architecture: from-all\n", "group_vars/all.yml")
    write("stead_architecture: from-rack\n", "group_vars/rack/one.yml")
    write("stead_underlay: 192.0.2.9\n", "host_vars/c1")
    theirs = by_ansible(path)
    ours = hosts(path)
    assert set(theirs) <= set(ours)
    names = {
        "zone": "stead_zone",
        "mtu": "stead_mtu",
        "architecture": "stead_architecture",
        "underlay": "stead_underlay",
    }
    defaults = {"zone": "default", "mtu": 1500, "architecture": "x86_64", "underlay": ""}
    for host, found in ours.items():
        said = theirs.get(host, {})
        for field, variable in names.items():
            assert getattr(found, field) == said.get(variable, defaults[field]), (host, field)


def test_a_directory_is_all_of_its_files(write: Any, tmp_path: Path) -> None:
    write("compute: {hosts: {c1: }}", "inv/one.yml")
    write("compute: {hosts: {c2: }}", "inv/more/two.yaml")
    write("not: [an inventory", "inv/README.md")
    write("stead_zone: east", "inv/group_vars/compute.yml")
    found = hosts(tmp_path / "inv")
    assert {name: one.zone for name, one in found.items()} == {"c1": "east", "c2": "east"}


def test_several_sources_are_one_inventory(write: Any) -> None:
    found = hosts(write("compute: {hosts: {c1: }}", "a.yml"), write("storage: {hosts: {c1: , s1: }}", "b.yml"))
    assert {name: one.roles for name, one in found.items()} == {
        "c1": frozenset({"compute", "storage"}),
        "s1": frozenset({"storage"}),
    }


def test_an_ini_inventory_is_read_by_ansible(write: Any) -> None:
    path = write(
        """
        [compute]
        c[1:2] stead_vcpus=8 stead_memory=16GiB
        [storage]
        s1 stead_pools='{"fast": {"type": "iscsi", "size": "1TiB"}}'
        [network:children]
        compute
        """,
        "hosts.ini",
    )
    found = hosts(path)
    assert (found["c2"].vcpus, found["c2"].memory, found["c2"].roles) == (
        8,
        16 * GiB,
        frozenset({"compute", "network"}),
    )
    assert found["s1"].pools["fast"].shared


def test_a_script_is_asked(write: Any) -> None:
    path = write(
        """\
        #!/bin/sh
        echo '{"compute": {"hosts": ["c1"]}, "_meta": {"hostvars": {"c1": {"stead_zone": "cloud"}}}}'
        """,
        "hosts.sh",
    )
    path.chmod(0o755)
    assert hosts(path)["c1"].zone == "cloud"


def test_templates_are_rendered_from_the_hosts_own_variables(write: Any) -> None:
    path = write("""
        compute:
          hosts: {"c[1:2]": }
          vars: {cores: 8, stead_vcpus: "{{ cores * 2 }}", stead_zone: "z-{{ inventory_hostname }}"}
    """)
    assert {name: (one.vcpus, one.zone) for name, one in hosts(path).items()} == {
        "c1": (16, "z-c1"),
        "c2": (16, "z-c2"),
    }


def test_ten_thousand_alike_share_what_they_have(write: Any) -> None:
    found = hosts(write("compute: {hosts: {'c-[1:10000]': {stead_pools: 2TiB, stead_vcpus: 8}}}"))
    assert len(found) == 10_000
    assert len({id(one.pools) for one in found.values()}) == 1


def test_connections_are_kept_as_they_are(write: Any) -> None:
    inventory, _ = read_inventory(
        [write("compute: {hosts: {c1: {ansible_port: 2222, other: 1}}, vars: {ansible_user: ops}}")]
    )
    assert inventory.connections["c1"] == {"ansible_user": "ops", "ansible_port": 2222}


@pytest.mark.parametrize(
    ("variable", "value", "word"),
    [
        ("stead_memory", "12", "unit"),
        ("stead_memory", "12GiBs", "unit"),
        ("stead_vcpus", "many", "whole number"),
        ("stead_vcpus", "-1", "whole number"),
        ("stead_vcpus", "true", "whole number"),
        ("stead_pools", "{fast: {type: ceph, size: 1TiB}}", "choose dir, iscsi"),
        ("stead_pools", "{fast: {type: dir}}", "no size"),
        ("stead_pools", "{fast: {size: 1TiB, colour: red}}", "colour"),
        ("stead_pools", "[fast]", "mapping"),
        ("stead_overcommit", "{vcpus: lots}", "factor"),
        ("stead_overcommit", "0", "above 0"),
        ("stead_devices", "{gpu: two}", "whole number"),
        ("stead_traits", "7", "list"),
        ("stead_labels", "[power]", "mapping"),
        ("stead_labels", "{power: [low]}", "text"),
        ("stead_maintenance", "[]", "true or false"),
    ],
)
def test_a_bad_value_is_told_with_its_host_and_place(write: Any, variable: str, value: str, word: str) -> None:
    path = write(f"compute:\n  hosts:\n    c1: {{}}\n    c2: {{{variable}: {value}}}\n")
    (found,) = read_inventory([path])[1]
    assert found.code == "STEAD-H104"
    assert word in found.detail
    assert "c2" in found.detail
    assert found.place is not None
    assert (found.place.line, found.place.column) == (4, 10)


def test_one_mistake_of_many_hosts_is_told_once(write: Any) -> None:
    path = write("compute: {hosts: {'c[1:500]': }, vars: {stead_vcpus: x, stead_mtu: '{{ nothing }}'}}")
    who = "c1, c2, c3 and 497 more"
    why = "'{{ nothing }}' cannot be rendered from the inventory alone: 'nothing' is undefined."
    assert told(path) == [
        ("STEAD-H106", f"stead_mtu of {who} {why}"),
        ("STEAD-H104", f"stead_vcpus of {who} is 'x': write a whole number."),
    ]


def test_an_unknown_variable_suggests_the_nearest(write: Any) -> None:
    ((code, detail),) = told(write("compute: {hosts: {c1: {stead_memry: 1GiB}}}"))
    assert code == "STEAD-H103"
    assert detail.endswith("Did you mean stead_memory?")


def test_an_encrypted_value_is_not_guessed(write: Any) -> None:
    path = write("""
        compute:
          hosts:
            c1:
              ansible_password: !vault "$ANSIBLE_VAULT;1.1;AES256 00"
              stead_zone: !vault "$ANSIBLE_VAULT;1.1;AES256 00"
    """)
    ((code, detail),) = told(path)
    assert code == "STEAD-H106"
    assert "stead_zone" in detail


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("compute: {hosts: [c1", "STEAD-H101"),
        ("compute: {host: {c1: }}", "STEAD-H101"),
        ("compute: {hosts: 7}", "STEAD-H101"),
        ("compute: {hosts: {'c[5:1]': }}", "STEAD-H101"),
        ("others: {hosts: {c1: }}", "STEAD-H102"),
        ("", "STEAD-H102"),
    ],
)
def test_what_cannot_be_read_is_said(write: Any, text: str, code: str) -> None:
    assert [one for one, _ in told(write(text))] == [code]


def test_a_missing_inventory_is_said(tmp_path: Path) -> None:
    assert [one for one, _ in told(tmp_path / "nowhere")] == ["STEAD-H101"]


def test_what_ansible_only_warns_of_is_an_error_here(write: Any) -> None:
    ((code, _),) = told(write("[compute\nc1 x\n", "hosts.ini"))
    assert code == "STEAD-H105"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("c1", ["c1"]),
        ("c[1:3]", ["c1", "c2", "c3"]),
        ("c[01:10:3].x", ["c01.x", "c04.x", "c07.x", "c10.x"]),
        ("[a:c][1:2]", ["a1", "a2", "b1", "b2", "c1", "c2"]),
        ("c[9:11]", ["c9", "c10", "c11"]),
    ],
)
def test_ranges_count_as_ansible_does(pattern: str, names: list[str]) -> None:
    assert list(expand(pattern)) == names


@pytest.mark.parametrize("pattern", ["c[3:1]", "c[a:1]", "c[1:]", "c[z:a]", "c[1:3:0]"])
def test_a_range_without_hosts_is_refused(pattern: str) -> None:
    with pytest.raises(BadRange):
        list(expand(pattern))


def test_a_whole_disk_is_no_inventory(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        path = tmp_path / f"a{number % 7}" / f"{number}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("not: [read", encoding="utf-8")
    ((code, detail),) = told(tmp_path)
    assert code == "STEAD-H101"
    assert "more than 1,000 files" in detail


def test_a_directory_in_itself_is_no_inventory(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).symlink_to(tmp_path, target_is_directory=True)
    assert [code for code, _ in told(tmp_path)] == ["STEAD-H101"]


def test_a_device_is_no_inventory() -> None:
    assert told(Path("/dev/zero")) == [("STEAD-H101", "/dev/zero is a device and no inventory.")]


@pytest.mark.parametrize("name", ["9" * 300, r"a\nb", r"\0"])
def test_a_name_that_no_host_has_is_told(name: str, write: Any) -> None:
    assert [code for code, _ in told(write(f'compute: {{hosts: {{"{name}": , node-1: }}}}'))] == ["STEAD-H107"]


@pytest.mark.parametrize("value", ["!!timestamp 1", "!!bool maybe", "!!int ''", "2026-02-30", "!!float x"])
def test_a_value_that_its_tag_does_not_fit_is_told(value: str, write: Any) -> None:
    assert [code for code, _ in told(write(f"compute: {{hosts: {{node-1: {{a: {value}}}}}}}"))] == ["STEAD-H101"]
