"""Mount points from flags and documents, and the mounts of config.json."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.engine.spec.mounts import tmpfs_options
from pyctr.engine.spec.points import bind, planned
from pyctr.errors import InvalidParameter

from .building import make


def at(spec: dict[str, Any], path: str) -> dict[str, Any] | None:
    found = [mount for mount in spec["mounts"] if mount["destination"] == path]
    assert len(found) <= 1
    return found[0] if found else None


def test_the_system_mounts_have_the_published_options() -> None:
    spec, _ = make()
    expected = {
        "/proc": {"nosuid", "noexec", "nodev"},
        "/dev": {"nosuid", "strictatime", "mode=755", "size=65536k"},
        "/dev/pts": {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"},
        "/sys": {"nosuid", "noexec", "nodev", "ro"},
        "/sys/fs/cgroup": {"nosuid", "noexec", "nodev", "ro"},
        "/dev/mqueue": {"nosuid", "noexec", "nodev"},
        "/dev/shm": {"nosuid", "noexec", "nodev", "mode=1777", "size=67108864"},
    }
    assert {mount["destination"]: set(mount["options"]) for mount in spec["mounts"]} == expected


def test_privileged_makes_sys_and_cgroups_writable() -> None:
    spec, _ = make(Privileged=True)
    for path in ("/sys", "/sys/fs/cgroup"):
        mount = at(spec, path)
        assert mount is not None
        assert "ro" not in mount["options"]


def test_writable_cgroups_need_a_namespace_of_their_own() -> None:
    option = ["writable-cgroups=true"]
    mount = at(make(SecurityOpt=option, CgroupnsMode="private")[0], "/sys/fs/cgroup")
    assert mount is not None
    assert "ro" not in mount["options"]
    with pytest.raises(InvalidParameter, match="private cgroup namespace"):
        make(SecurityOpt=option, CgroupnsMode="host")


def test_the_modes_of_ipc_decide_about_shm() -> None:
    assert at(make(IpcMode="none")[0], "/dev/shm") is None
    host = at(make(IpcMode="host")[0], "/dev/shm")
    assert host is not None
    assert (host["type"], host["source"]) == ("bind", "/dev/shm")
    shared, _ = make(IpcMode="container:x", joined={"ipc": "/proc/7/ns/ipc"}, shm_source="/run/x/shm")
    mount = at(shared, "/dev/shm")
    assert mount is not None
    assert mount["source"] == "/run/x/shm"
    small = at(make(ShmSize=4096)[0], "/dev/shm")
    assert small is not None
    assert "size=4096" in small["options"]


def test_the_files_of_etc_are_bound_and_can_be_replaced() -> None:
    files = {"hosts_path": "/c/hosts", "hostname_path": "/c/hostname", "resolv_conf_path": "/c/resolv.conf"}
    spec, _ = make(**files, ReadonlyRootfs=True, Binds=["/mine:/etc/hosts"])
    hosts, names = at(spec, "/etc/hosts"), at(spec, "/etc/resolv.conf")
    assert hosts is not None
    assert names is not None
    assert hosts["source"] == "/mine"
    assert "ro" in names["options"]
    writable = at(make(**files)[0], "/etc/hostname")
    assert writable is not None
    assert "rw" in writable["options"]


def test_binds_are_recursive_private_and_deeply_read_only() -> None:
    spec, _ = make(Binds=["/a:/x:ro", "/b:/y:rw,rslave"])
    x, y = at(spec, "/x"), at(spec, "/y")
    assert x == {"destination": "/x", "type": "bind", "source": "/a", "options": ["rbind", "rprivate", "rro"]}
    assert y is not None
    assert y["options"] == ["rbind", "rslave"]
    assert spec["linux"]["rootfsPropagation"] == "rslave"
    assert make(Binds=["/b:/y:shared"])[0]["linux"]["rootfsPropagation"] == "shared"
    assert "rootfsPropagation" not in make()[0]["linux"]


def test_mount_documents_have_finer_options() -> None:
    options = {"NonRecursive": True, "Propagation": "private"}
    bound = {"Type": "bind", "Source": "/a", "Target": "/x", "ReadOnly": True, "BindOptions": options}
    tmpfs = {"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 4096, "Mode": 0o700}}
    spec, _ = make(Mounts=[bound, tmpfs])
    x, t = at(spec, "/x"), at(spec, "/t")
    assert x is not None
    assert t is not None
    assert x["options"] == ["bind", "private", "ro"]
    assert t["options"] == ["nosuid", "noexec", "nodev", "mode=700", "size=4096"]
    top = {**bound, "BindOptions": {"ReadOnlyNonRecursive": True}}
    assert at(make(Mounts=[top])[0], "/x")["options"] == ["rbind", "rprivate", "ro"]  # type: ignore[index]


def test_parents_are_mounted_before_children() -> None:
    points = planned({"/a/b/c": {}}, {"Binds": ["/x:/a/b"], "Tmpfs": {"/a": ""}})
    assert [point["Destination"] for point in points] == ["/a", "/a/b", "/a/b/c"]


def test_a_volume_for_etc_does_not_hide_the_files_in_it() -> None:
    spec, _ = make(hosts_path="/c/hosts", Binds=["/a:/etc", "/b:/etc/x/y"])
    assert [mount["destination"] for mount in spec["mounts"]][-3:] == ["/etc", "/etc/hosts", "/etc/x/y"]


def test_who_brings_a_dev_brings_all_of_it() -> None:
    spec, _ = make(Binds=["/dev:/dev"])
    assert [mount["destination"] for mount in spec["mounts"] if mount["destination"].startswith("/dev")] == [
        "/dev"
    ]


def test_cgroups_are_writable_below_a_user_namespace() -> None:
    mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    for version, writable in ((2, True), (1, False)):
        mount = at(
            make(uid_mappings=mapping, gid_mappings=mapping, cgroup_version=version)[0], "/sys/fs/cgroup"
        )
        assert mount is not None
        assert ("ro" not in mount["options"]) is writable


def test_requests_override_inherited_points_and_image_volumes() -> None:
    inherited = planned({"/data": {}, "/other": {}}, {})
    points = planned({"/data/": {}, "/mine": {}}, {"Binds": ["/x:/data"]}, inherited)
    assert {point["Destination"]: point["Type"] for point in points} == {
        "/data": "bind",
        "/mine": "volume",
        "/other": "volume",
    }


def test_volumes_have_names_or_are_anonymous() -> None:
    named, anonymous = bind("data:/d:ro,nocopy"), bind("/d")
    assert (named["Type"], named["Name"], named["RW"], named["NoCopy"]) == ("volume", "data", False, True)
    assert anonymous["Anonymous"] is True
    with pytest.raises(InvalidParameter, match="has no source"):
        make(points=[named])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/a:/b:moon", "invalid mode: moon"),
        ("/a:/b:ro,rw", "invalid mode: ro,rw"),
        ("data:/b:rshared", "invalid mode"),
        ("/a:b", "must be absolute"),
        ("/a:/", "destination can't be '/'"),
        ("/a:/..", "destination can't be '/'"),
        (":/b", "invalid volume specification"),
        ("/a:/b:ro:x", "invalid volume specification"),
        ("", "invalid volume specification"),
    ],
)
def test_bad_binds_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        bind(text)


_BIND, _VOLUME = (f'invalid mount config for type "{kind}": ' for kind in ("bind", "volume"))
_RELATIVE = "invalid mount path: '%s' mount path must be absolute"
_ROOT = "invalid specification: destination can't be '/'"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"Binds": ["/a:/"]}, f"invalid volume specification: '/a:/': {_BIND}{_ROOT}"),
        ({"Binds": ["vol:/"]}, f"invalid volume specification: 'vol:/': {_VOLUME}{_ROOT}"),
        ({"Binds": ["/a:b"]}, f"invalid volume specification: '/a:b': {_BIND}{_RELATIVE % 'b'}"),
        ({"Volumes": {"x:/": {}}}, f"invalid volume specification: 'x:/': {_VOLUME}{_ROOT}"),
        ({"Volumes": {"rel": {}}}, f"invalid volume specification: 'rel': {_VOLUME}{_RELATIVE % 'rel'}"),
        ({"Mounts": [{"Type": "bind", "Source": "/a", "Target": "/"}]}, _BIND + _ROOT),
        ({"Mounts": [{"Type": "bind", "Source": "/a", "Target": "b"}]}, _BIND + _RELATIVE % "b"),
        ({"Tmpfs": {"/": ""}}, _ROOT),
        ({"Tmpfs": {"": ""}}, _RELATIVE % ""),
        ({"Binds": ["/a:/b:shared,slave"]}, "invalid mode: shared,slave"),
        ({"Binds": ["/a:/b:cached,delegated"]}, "invalid mode: cached,delegated"),
        ({"Binds": ["/a:/b:z,Z"]}, "invalid mode: z,Z"),
    ],
)
def test_refusals_are_in_dockers_words(request_: Any, words: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        planned(request_.get("Volumes"), request_)
    assert str(caught.value) == words


def test_a_name_of_one_letter_is_no_drive() -> None:
    """Docker's client, and so ours, takes ``-v x:/y`` for the path of an anonymous volume."""
    (point,) = planned({"x:/y": {}}, {})
    assert (point["Name"], point["Destination"]) == ("x", "/y")


def test_what_a_mount_says_of_its_volume_is_kept() -> None:
    options: Any = {"Labels": {"a": "b"}, "DriverConfig": {"Name": "far", "Options": {"type": "nfs"}}}
    (point,) = planned(None, {"Mounts": [{"Source": "v", "Target": "/v", "VolumeOptions": options}]})
    assert (point["Labels"], point["Driver"], point["DriverOpts"]) == ({"a": "b"}, "far", {"type": "nfs"})


@pytest.mark.parametrize(
    ("mount", "reason"),
    [
        ({"Type": "moon", "Target": "/x"}, "mount type unknown"),
        ({"Type": "bind", "Source": "/a"}, "Target must not be empty"),
        ({"Type": "bind", "Target": "/x"}, "Source must not be empty"),
        ({"Type": "bind", "Source": "a", "Target": "/x"}, "must be absolute"),
        (
            {"Type": "bind", "Source": "/a", "Target": "/x", "BindOptions": {"Propagation": "up"}},
            "propagation",
        ),
        ({"Type": "tmpfs", "Source": "/a", "Target": "/x"}, "Source must not be specified"),
        ({"Source": "v", "Target": "/x", "VolumeOptions": {"Subpath": "../etc"}}, "relative path"),
    ],
)
def test_bad_mounts_are_refused(mount: Any, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        planned(None, {"Mounts": [mount]})


def test_two_mounts_at_one_place_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="duplicate mount point: /x"):
        planned(None, {"Binds": ["/a:/x", "/b:/x/"]})


def test_the_last_word_about_a_tmpfs_counts() -> None:
    assert tmpfs_options(["exec", "size=1m", "size=2m"]) == ["nosuid", "exec", "nodev", "size=2m"]
    assert tmpfs_options([], rw=False)[-1] == "ro"
    with pytest.raises(InvalidParameter, match='invalid tmpfs option "lowerdir=/etc"'):
        tmpfs_options(["lowerdir=/etc"])


@given(st.text("ab/:.", max_size=12))
def test_destinations_are_absolute_and_never_climb(text: str) -> None:
    try:
        destination = bind(text)["Destination"]
    except InvalidParameter:
        return
    assert destination.startswith("/")
    assert destination != "/"
    assert not {"", ".", ".."} & set(destination[1:].split("/"))
