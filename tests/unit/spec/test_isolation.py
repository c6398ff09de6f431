"""Namespaces, kernel parameters, devices and security options."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.engine.spec.devices import cgroup_rule
from pyctr.engine.spec.namespaces import namespaces
from pyctr.engine.spec.sysctl import dotted, sysctls
from pyctr.errors import InvalidParameter

from .building import make

NULL = {"type": "c", "path": "/dev/x", "major": 1, "minor": 3, "fileMode": 0o20666, "uid": 0, "gid": 0}


def spaces(**keys: Any) -> dict[str, str | None]:
    return {space["type"]: space.get("path") for space in make(**keys)[0]["linux"]["namespaces"]}


def test_the_host_is_shared_where_asked() -> None:
    shared = {
        "NetworkMode": "host",
        "IpcMode": "host",
        "PidMode": "host",
        "UTSMode": "host",
        "CgroupnsMode": "host",
    }
    assert set(spaces(**shared)) == {"mount", "time"}
    assert "hostname" not in make(**shared)[0]


def test_the_cgroup_namespace_follows_the_version() -> None:
    assert "cgroup" in spaces(cgroup_version=2)
    assert "cgroup" not in spaces(cgroup_version=1)
    assert "cgroup" in spaces(cgroup_version=1, CgroupnsMode="private")


def test_namespaces_of_others_are_joined() -> None:
    joined = {"network": "/proc/7/ns/net", "pid": "/proc/7/ns/pid"}
    found = spaces(NetworkMode="container:x", PidMode="container:x", joined=joined)
    assert found["network"] == "/proc/7/ns/net"
    assert found["pid"] == "/proc/7/ns/pid"
    assert (
        "sysctl" not in make(NetworkMode="container:x", joined=joined)[0]["linux"]
        or not make(NetworkMode="container:x", joined=joined)[0]["linux"]["sysctl"]
    )
    with pytest.raises(InvalidParameter, match="cannot join the IPC namespace of x"):
        make(IpcMode="container:x")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("NetworkMode", "invalid network mode: moon"),
        ("IpcMode", "invalid IPC mode: moon"),
        ("PidMode", "invalid PID mode: moon"),
        ("UTSMode", "invalid UTS mode: moon"),
        ("UsernsMode", "invalid user namespace mode: moon"),
        ("CgroupnsMode", "invalid cgroup namespace mode: moon"),
    ],
)
def test_unknown_modes_are_refused(key: str, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        make(**{key: "moon"})


def test_every_namespace_appears_once() -> None:
    from pyctr.engine.spec import HostFacts

    kinds = [space["type"] for space in namespaces({}, HostFacts("x"))]
    assert len(kinds) == len(set(kinds))


def test_kernel_parameters_of_private_namespaces() -> None:
    assert make()[0]["linux"]["sysctl"] == {
        "net.ipv4.ip_unprivileged_port_start": "0",
        "net.ipv4.ping_group_range": "0 2147483647",
    }
    assert make(NetworkMode="host")[0]["linux"]["sysctl"] == {}
    mine = {
        "net/ipv4/conf/eth0.1/forwarding": "1",
        "kernel.sem": "1 2 3 4",
        "net.ipv4.ping_group_range": "0 0",
    }
    found = make(Sysctls=mine)[0]["linux"]["sysctl"]
    assert found["net.ipv4.conf.eth0/1.forwarding"] == "1"
    assert found["net.ipv4.ping_group_range"] == "0 0"


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("kernel.panic", {}),
        ("kernel.hostname", {}),
        ("vm.swappiness", {}),
        ("net", {}),
        ("net.", {}),
        ("net/../kernel/panic", {}),
        ("net.//.kernel.panic", {}),
        ("net.ipv4.ip_forward", {"NetworkMode": "host"}),
        ("kernel.sem", {"IpcMode": "host"}),
        ("fs.mqueue.msg_max", {"IpcMode": "host"}),
        ("kernel.domainname", {"UTSMode": "host"}),
        ("user.max_user_namespaces", {}),
    ],
)
def test_parameters_of_the_host_are_refused(name: str, keys: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameter, match="is not allowed"):
        make(Sysctls={name: "1"}, **keys)


@given(st.text("net./kernlpaic_0123456789", max_size=30))
def test_a_parameter_that_is_allowed_stays_below_its_directory(name: str) -> None:
    own = {"network", "ipc", "uts", "user"}
    try:
        [path] = sysctls({"Sysctls": {name: "1"}}, own - {"network"} | {"user"})
    except InvalidParameter:
        return
    parts = path.translate({ord("."): "/", ord("/"): "."}).split("/")
    assert parts[0] in ("kernel", "fs", "user")
    assert not {"", ".", ".."} & set(parts)


def test_dotted_and_slashed_names_are_one() -> None:
    assert dotted("net/ipv4/ip_forward") == dotted("net.ipv4.ip_forward") == "net.ipv4.ip_forward"


def test_device_rules_start_from_nothing() -> None:
    rules = make()[0]["linux"]["resources"]["devices"]
    assert rules[0] == {"allow": False, "access": "rwm"}
    opened = {
        (rule.get("major"), rule.get("minor")) for rule in rules if rule["allow"] and "r" in rule["access"]
    }
    assert opened == {(1, 3), (1, 5), (1, 8), (1, 9), (5, 0), (5, 1)}
    assert {"allow": False, "type": "c", "major": 10, "minor": 229, "access": "rwm"} in rules


def test_devices_appear_with_their_rules() -> None:
    mapping = {"PathOnHost": "/dev/x", "PathInContainer": "/dev/y", "CgroupPermissions": "r"}
    spec, _ = make(Devices=[mapping], devices={"/dev/x": [NULL]})
    assert spec["linux"]["devices"] == [NULL | {"path": "/dev/y", "fileMode": 0o666}]
    rules = spec["linux"]["resources"]["devices"]
    assert rules[-1] == {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "r"}


def test_a_directory_of_devices_keeps_its_shape() -> None:
    inside = [NULL | {"path": "/dev/snd/a"}, NULL | {"path": "/dev/snd/by/b"}]
    mapping = {"PathOnHost": "/dev/snd", "PathInContainer": "/dev/sound"}
    spec, _ = make(Devices=[mapping], devices={"/dev/snd": inside})
    assert [device["path"] for device in spec["linux"]["devices"]] == ["/dev/sound/a", "/dev/sound/by/b"]


def test_privileged_has_all_devices() -> None:
    spec, _ = make(Privileged=True, host_devices=[NULL], DeviceCgroupRules=["c 1:* r"])
    assert spec["linux"]["resources"]["devices"] == [{"allow": True, "access": "rwm"}]
    assert [device["path"] for device in spec["linux"]["devices"]] == ["/dev/x"]


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ({"PathOnHost": "/dev/no"}, 'custom device "/dev/no"'),
        ({"PathOnHost": "/dev/x", "PathInContainer": "y"}, "absolute"),
        ({"PathOnHost": "/dev/x", "CgroupPermissions": "rx"}, "device mode: rx"),
    ],
)
def test_bad_devices_are_refused(mapping: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        make(Devices=[mapping], devices={"/dev/x": [NULL]})


def test_requests_for_drivers_are_refused() -> None:
    with pytest.raises(InvalidParameter, match=r'device driver "" with capabilities: \[\[gpu\]\]'):
        make(DeviceRequests=[{"Capabilities": [["gpu"]]}])


def test_cgroup_rules() -> None:
    assert cgroup_rule("c 7:* rmw") == {"allow": True, "type": "c", "major": 7, "access": "rmw"}
    for bad in (
        "c 7:*",
        "x 1:1 r",
        "c 7:1 rr",
        "c 7:1 rwmx",
        "c 7 r",
        "c -1:1 r",
        "c 7:1 r ",
        "",
        "c 99999999999:1 r",
    ):
        with pytest.raises(InvalidParameter, match="invalid device cgroup rule format"):
            cgroup_rule(bad)


def test_masked_and_read_only_paths() -> None:
    throttle = ["/sys/devices/system/cpu/cpu0/thermal_throttle"]
    linux = make(thermal_throttle=throttle)[0]["linux"]
    assert {"/proc/kcore", "/proc/asound", "/sys/firmware", "/sys/fs/selinux", *throttle} <= set(
        linux["maskedPaths"]
    )
    assert linux["readonlyPaths"] == [
        "/proc/bus",
        "/proc/fs",
        "/proc/irq",
        "/proc/sys",
        "/proc/sysrq-trigger",
    ]
    ways: list[dict[str, Any]] = [
        {"Privileged": True},
        {"SecurityOpt": ["systempaths=unconfined"]},
        {"MaskedPaths": [], "ReadonlyPaths": []},
    ]
    for keys in ways:
        linux = make(**keys)[0]["linux"]
        assert linux["maskedPaths"] == linux["readonlyPaths"] == []
    with pytest.raises(InvalidParameter, match="invalid masked"):
        make(MaskedPaths=["/proc/../etc"])


def test_new_privileges_may_be_refused() -> None:
    for option in ("no-new-privileges", "no-new-privileges=true", "no-new-privileges:true"):
        assert make(SecurityOpt=[option])[0]["process"]["noNewPrivileges"] is True
    assert make(SecurityOpt=["no-new-privileges:false"])[0]["process"]["noNewPrivileges"] is False


@pytest.mark.parametrize("option", ["moon=1", "seccomp", "no-new-privileges=maybe", "systempaths=moon", ""])
def test_unknown_security_options_are_refused(option: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid --security-opt"):
        make(SecurityOpt=[option])


def test_apparmor() -> None:
    assert "apparmorProfile" not in make()[0]["process"]
    on = {"apparmor_profile": "pyctr-default"}
    assert make(**on)[0]["process"]["apparmorProfile"] == "pyctr-default"
    assert make(**on, Privileged=True)[0]["process"]["apparmorProfile"] == "unconfined"
    assert make(**on, SecurityOpt=["apparmor=mine"])[0]["process"]["apparmorProfile"] == "mine"
    spec, warnings = make(SecurityOpt=["apparmor=mine"])
    assert "apparmorProfile" not in spec["process"]
    assert "mine" in warnings[0]


def test_selinux() -> None:
    on = {
        "selinux_label": "system_u:system_r:container_t:s0:c1,c2",
        "mount_label": "system_u:object_r:container_file_t:s0:c1,c2",
    }
    spec, _ = make(**on)
    assert spec["process"]["selinuxLabel"] == on["selinux_label"]
    assert spec["linux"]["mountLabel"] == on["mount_label"]
    spec, _ = make(**on, SecurityOpt=["label=type:spc_t", "label=level:s0:c9", "label=filetype:usr_t"])
    assert spec["process"]["selinuxLabel"] == "system_u:system_r:spc_t:s0:c9"
    assert spec["linux"]["mountLabel"] == "system_u:object_r:usr_t:s0:c9"
    assert "selinuxLabel" not in make(**on, SecurityOpt=["label=disable"])[0]["process"]
    assert "selinuxLabel" not in make(SecurityOpt=["label=type:spc_t"])[0]["process"]
    with pytest.raises(InvalidParameter, match="bad label option"):
        make(**on, SecurityOpt=["label=moon:1"])
