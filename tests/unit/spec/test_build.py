"""The whole document: its shape by OCI's schema, its defaults, and that building is pure."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyctr.engine.spec import HostFacts, build, named_groups
from pyctr.engine.spec.points import planned
from pyctr.errors import InvalidParameter

from .building import ID, make


def test_the_default_document_is_what_docker_makes(validate: Any) -> None:
    spec, warnings = make()
    validate(spec)
    assert warnings == []
    assert spec["root"] == {"path": "rootfs", "readonly": False}
    assert spec["hostname"] == "box"
    assert spec["linux"]["cgroupsPath"] == f"/pyctr/{ID}"
    assert [space["type"] for space in spec["linux"]["namespaces"]] == [
        "mount",
        "network",
        "ipc",
        "pid",
        "uts",
        "time",
    ]
    assert spec["linux"]["resources"]["pids"] == {"limit": 2048}
    assert set(spec["linux"]["resources"]) == {"pids", "devices"}
    assert spec["linux"]["seccomp"]["defaultAction"] == "SCMP_ACT_ERRNO"
    assert spec["process"]["noNewPrivileges"] is False
    assert spec["process"]["oomScoreAdj"] == 0
    assert spec["process"]["user"] == {"uid": 0, "gid": 0, "umask": 0o22, "additionalGids": [0]}


def test_an_image_fills_what_the_request_leaves_open() -> None:
    image: Any = {
        "Env": ["A=image", "B=image", "SECRET"],
        "Cmd": ["sh"],
        "Entrypoint": ["/init"],
        "WorkingDir": "/w",
    }
    spec, _ = build(image, {"Cmd": ["ls"], "Env": ["A=user"]}, HostFacts(ID))
    assert spec["process"]["args"] == ["/init", "ls"]
    assert spec["process"]["cwd"] == "/w"
    assert spec["process"]["env"][2:] in (["B=image", "A=user"], ["A=user", "B=image"])
    assert spec["hostname"] == ID[:12]


def test_nothing_that_was_given_is_changed() -> None:
    body: Any = {
        "Cmd": ["true"],
        "HostConfig": {"CapAdd": ["net_admin"], "Binds": ["/a:/b"], "Tmpfs": {"/t": "size=1m"}},
    }
    facts = HostFacts(ID)
    facts.points = planned(None, body["HostConfig"])
    before = copy.deepcopy((body, facts.points))
    first, _ = build(None, body, facts)
    first["linux"]["resources"]["devices"].append("changed by the caller")
    first["linux"]["maskedPaths"].append("changed by the caller")
    second, _ = build(None, body, facts)
    assert (body, facts.points) == before
    assert "changed by the caller" not in json.dumps(second)


def test_imports_stay_lean() -> None:
    code = "import sys, pyctr.engine.spec; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"dataclasses", "typing", "re", "json", "enum", "inspect", "jsonschema", "pathlib", "contextlib"}
    started = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert heavy & (set(modules) - set(started)) == set()


@pytest.mark.parametrize(
    ("parent", "path"),
    [("", f"/pyctr/{ID}"), ("/a/b", f"/a/b/{ID}"), ("batch.slice/x-1", f"/batch.slice/x-1/{ID}")],
)
def test_the_cgroup_parent_is_a_plain_path(parent: str, path: str) -> None:
    assert make(CgroupParent=parent)[0]["linux"]["cgroupsPath"] == path


@pytest.mark.parametrize("parent", ["..", "/a/../b", "/", ".hidden", "a b", "-x", "a/\n", "\u00e4"])
def test_a_cgroup_parent_that_climbs_is_refused(parent: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid cgroup parent"):
        make(CgroupParent=parent)


def test_a_user_namespace_has_its_mappings(validate: Any) -> None:
    mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    spec, _ = make(uid_mappings=mapping, gid_mappings=mapping, NetworkMode="host")
    validate(spec)
    assert {"type": "user"} in spec["linux"]["namespaces"]
    assert spec["linux"]["uidMappings"] == spec["linux"]["gidMappings"] == mapping
    sysfs = next(mount for mount in spec["mounts"] if mount["destination"] == "/sys")
    assert sysfs["type"] == "bind"
    assert "rbind" in sysfs["options"]
    host, _ = make(uid_mappings=mapping, gid_mappings=mapping, UsernsMode="host")
    assert "uidMappings" not in host["linux"]


def test_groups_are_numbers_or_left_to_the_container() -> None:
    spec, _ = make(GroupAdd=["100", "audio", "0"])
    assert spec["process"]["user"]["additionalGids"] == [0, 100]
    spec, _ = make(config={"User": "web"}, GroupAdd=["100", "100"])
    assert spec["process"]["user"]["additionalGids"] == [100]
    assert named_groups({"GroupAdd": ["100", "audio", "0"]}) == ["audio"]
    with pytest.raises(InvalidParameter, match="invalid group 2147483648"):
        make(GroupAdd=["2147483648"])


def _maybe(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


_TEXT = st.text(max_size=12)
_PATH = st.lists(st.text("abc./:", max_size=6), max_size=3).map(lambda parts: "/" + "/".join(parts))
_NUMBER = st.integers(-(2**40), 2**40)
_OUGHT = {
    "CapAdd": st.lists(st.sampled_from(["ALL", "net_admin", "CAP_SYS_ADMIN", "nonsense"]), max_size=3),
    "CapDrop": st.lists(st.sampled_from(["ALL", "chown", "CAP_MKNOD"]), max_size=3),
    "Privileged": st.booleans(),
    "ReadonlyRootfs": st.booleans(),
    "Binds": st.lists(
        st.builds("{}:{}:{}".format, _PATH, _PATH, st.sampled_from(["ro", "rw", "z,ro"])), max_size=2
    ),
    "Tmpfs": st.dictionaries(_PATH, st.sampled_from(["", "size=1m,exec", "ro", "nonsense"]), max_size=2),
    "Memory": st.sampled_from([0, 1, 6 << 20, 100 << 20]),
    "MemorySwap": _NUMBER,
    "NanoCpus": st.integers(-1, 2**33),
    "CpuQuota": st.integers(-1, 10**6),
    "CpusetCpus": st.text("0123-,", max_size=6),
    "PidsLimit": st.integers(-1, 100),
    "OomScoreAdj": st.integers(-1100, 1100),
    "SecurityOpt": st.lists(
        st.sampled_from(
            ["seccomp=unconfined", "no-new-privileges", "systempaths=unconfined", "label=disable"]
        ),
        max_size=2,
    ),
    "Sysctls": st.dictionaries(
        st.sampled_from(["net.ipv4.ip_forward", "kernel.sem", "vm.x"]), _TEXT, max_size=2
    ),
    "NetworkMode": st.sampled_from(["", "none", "host", "container:x", "moon"]),
    "IpcMode": st.sampled_from(["", "none", "private", "shareable", "host", "container:x"]),
    "PidMode": st.sampled_from(["", "host", "container:x"]),
    "UTSMode": st.sampled_from(["", "host"]),
    "CgroupnsMode": st.sampled_from(["", "private", "host"]),
    "GroupAdd": st.lists(st.sampled_from(["5", "audio"]), max_size=2),
    "Ulimits": st.lists(
        st.builds(
            lambda name, soft, hard: {"Name": name, "Soft": soft, "Hard": hard},
            st.sampled_from(["nofile", "nproc", "moon"]),
            st.integers(-1, 2**20),
            st.integers(-1, 2**20),
        ),
        max_size=2,
    ),
    "ShmSize": st.integers(-1, 2**30),
    "Annotations": st.dictionaries(_TEXT.filter(bool), _TEXT, max_size=2),
}


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(host=_maybe(**_OUGHT), version=st.sampled_from([1, 2]), joined=st.booleans())
def test_any_request_gives_a_valid_document_or_a_clear_refusal(
    validate: Any, host: dict[str, Any], version: int, joined: bool
) -> None:
    paths = {kind: f"/proc/1/ns/{kind}" for kind in ("network", "ipc", "pid")} if joined else {}
    try:
        spec, warnings = make(cgroup_version=version, joined=paths, **host)
    except InvalidParameter as problem:
        refusal = problem.message
    else:
        validate(json.loads(json.dumps(spec)))
        assert all(isinstance(warning, str) and warning for warning in warnings)
        return
    assert refusal
    assert not refusal.endswith(".")
