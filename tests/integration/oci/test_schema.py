"""Every field of the specification's schema: what it does, or why it is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.oci.runtime import Bundle, Runtime, document

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.root]

KILL = {"names": ["chmod", "fchmodat", "fchmodat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}
MAPS = [{"containerID": 0, "hostID": 100000, "size": 1000}]
THROTTLE = [{"major": 7, "minor": 0, "rate": 1 << 20}]
STATUS = "grep -E '{}' /proc/self/status | tr -d '\\t'"

#: Fields, the program that shows them and what it prints.
RUN: list[tuple[dict[str, Any], str, str]] = [
    ({"process.env": ["PATH=/bin", "A=b c", "A=d", "E="]}, "echo $A-$E-", "d--"),
    ({"process.cwd": "/tmp"}, "pwd", "/tmp"),
    (
        {"process.user": {"uid": 7, "gid": 8, "umask": 0o27, "additionalGids": [9, 10]}},
        "id -u; id -g; umask; grep Groups /proc/self/status | grep -c '9 10'",
        "7 8 0027 1",
    ),
    (
        {
            f"process.capabilities.{name}": ["CAP_CHOWN"]
            for name in ("bounding", "effective", "permitted", "inheritable", "ambient")
        },
        "grep Cap /proc/self/status | grep -c 0000000000000001",
        "5",
    ),
    ({"process.noNewPrivileges": False}, "grep -c 'NoNewPrivs:.0' /proc/self/status", "1"),
    (
        {"process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 128}]},
        "ulimit -n; ulimit -Hn",
        "64 128",
    ),
    ({"process.oomScoreAdj": 500}, "cat /proc/self/oom_score_adj", "500"),
    ({"process.ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6}}, "ionice", "best-effort: prio 6"),
    (
        {
            "process.scheduler": {
                "policy": "SCHED_BATCH",
                "nice": 5,
                "priority": 0,
                "flags": ["SCHED_FLAG_RESET_ON_FORK"],
            }
        },
        "exec cut -d' ' -f19,41 /proc/self/stat",
        "5 3",
    ),
    ({"process.execCPUAffinity": {"initial": "0", "final": "0"}}, "echo for exec only", "for exec only"),
    (
        {"process.terminal": True, "process.consoleSize": {"height": 33, "width": 99}},
        "stty size",
        "33 99",
    ),
    ({"root.readonly": True}, "touch /x 2>&1", "touch: /x: Read-only file system"),
    (
        {"hostname": "name", "domainname": "domain"},
        "hostname; cat /proc/sys/kernel/domainname",
        "name domain",
    ),
    ({"annotations": {"org.example": "x"}}, "echo fine", "fine"),
    ({"linux.mountLabel": "system_u:object_r:container_file_t:s0"}, "echo fine", "fine"),
    (
        {
            "mounts+": {
                "destination": "/m",
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["ro", "size=4k", "noexec"],
            }
        },
        "grep -o ' /m ro,noexec,relatime' /proc/self/mountinfo",
        "/m ro,noexec,relatime",
    ),
    (
        {
            "linux.namespaces+": {"type": "user"},
            "linux.uidMappings": MAPS,
            "linux.gidMappings": MAPS,
        },
        "cut -c1-40 /proc/self/uid_map | tr -s ' '; stat -c %u /",
        "0 100000 1000 65534",
    ),
    (
        # The container may not make devices: they are the host's, and good for nothing else.
        {
            "linux.namespaces+": {"type": "user"},
            "linux.uidMappings": MAPS,
            "linux.gidMappings": MAPS,
        },
        "grep -c ' /dev/null rw,nosuid,noexec' /proc/self/mountinfo; echo x > /dev/null && echo written",
        "1 written",
    ),
    (
        {
            "linux.namespaces+": {"type": "time"},
            "linux.timeOffsets": {
                "monotonic": {"secs": 5, "nanosecs": 6},
                "boottime": {"secs": 7, "nanosecs": 8},
            },
        },
        "tr -s ' ' < /proc/self/timens_offsets",
        "monotonic 5 6 boottime 7 8",
    ),
    (
        {
            "linux.devices": [
                {
                    "type": "c",
                    "path": "/dev/mine",
                    "major": 1,
                    "minor": 3,
                    "fileMode": 0o640,
                    "uid": 7,
                    "gid": 8,
                },
                {"type": "p", "path": "/dev/deep/pipe"},
            ]
        },
        "stat -c '%F %t,%T %a %u %g' /dev/mine; stat -c %F /dev/deep/pipe",
        "character special file 1,3 640 7 8 fifo",
    ),
    (
        {"linux.maskedPaths": ["/etc", "/proc/version", "/nope"]},
        "ls /etc; cat /proc/version; echo end",
        "end",
    ),
    ({"linux.readonlyPaths": ["/tmp", "/nope"]}, "touch /tmp/x 2>&1", "touch: /tmp/x: Read-only file system"),
    ({"linux.rootfsPropagation": "unbindable"}, "grep -c ' / .* unbindable ' /proc/self/mountinfo", "1"),
    (
        {"linux.sysctl": {"kernel.shmmni": "77", "net.ipv4.ip_forward": "1"}},
        "sysctl -n kernel.shmmni net.ipv4.ip_forward",
        "77 1",
    ),
    ({"linux.personality": {"domain": "LINUX32", "flags": []}}, "uname -m", "i686"),
    (
        {"linux.memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}},
        "head -n 1 /proc/self/numa_maps | cut -d' ' -f2",
        "bind=static:0",
    ),
    (
        {
            "linux.seccomp": {
                "defaultAction": "SCMP_ACT_ALLOW",
                "defaultErrnoRet": 1,
                "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"],
                "flags": ["SECCOMP_FILTER_FLAG_LOG"],
                "syscalls": [
                    KILL,
                    {
                        "names": ["kill"],
                        "action": "SCMP_ACT_ERRNO",
                        "args": [{"index": 1, "value": 127, "valueTwo": 10, "op": "SCMP_CMP_MASKED_EQ"}],
                    },
                ],
            }
        },
        "chmod 700 /tmp 2>&1; kill -USR1 $$ 2>&1",
        "chmod: /tmp: Function not implemented sh: can't kill pid 1: Operation not permitted",
    ),
    (
        {
            "linux.cgroupsPath": "{mark}",
            "linux.resources": {
                "pids": {"limit": 50},
                "memory": {
                    "limit": 64 << 20,
                    "reservation": 32 << 20,
                    "swap": 128 << 20,
                    "checkBeforeUpdate": True,
                    "useHierarchy": True,
                },
                "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0", "mems": "0"},
                "devices": [
                    {"allow": False, "access": "rwm"},
                    {"allow": True, "type": "c", "major": 1, "minor": 5, "access": "r"},
                ],
            },
        },
        "nproc; cat /dev/null; echo x > /dev/zero",
        "1",
    ),
    (
        {
            "linux.resources": {
                "memory": {
                    "limit": 64 << 20,
                    "swappiness": 10,
                    "kernel": -1,
                    "kernelTCP": 32 << 20,
                    "disableOOMKiller": False,
                },
                "cpu": {"quota": 50000, "period": 100000, "burst": 10000, "idle": 0},
            },
        },
        "echo fine",
        "fine",
    ),
    (
        {"linux.resources": {"cpu": {"realtimeRuntime": 0, "realtimePeriod": 1000000}}},
        "echo fine",
        "fine",
    ),
    (
        {
            "mounts+": {
                "destination": "/m",
                "type": "bind",
                "source": "rootfs/etc",
                "options": ["bind"],
                "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
                "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 1}],
            }
        },
        "stat -c '%u %g' /etc /m",
        "0 0 1000 2000",
    ),
    (
        {
            "linux.namespaces": [
                {"type": "mount"},
                {"type": "uts"},
                {"type": "network", "path": "/proc/self/ns/net"},
            ]
        },
        "readlink /proc/self/ns/net",
        os.readlink("/proc/self/ns/net"),
    ),
]

#: Fields that ask for what this or any machine has not, and what is said of them.
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"linux.netDevices": {"nope0": {"name": "eth0"}}}, "linux.netDevices: is not supported"),
    ({"linux.seccomp": {"defaultAction": "SCMP_ACT_NOTIFY"}}, "linux.seccomp: SCMP_ACT_NOTIFY"),
    (
        {
            "linux.seccomp": {
                "defaultAction": "SCMP_ACT_ALLOW",
                "listenerPath": "/nope",
                "listenerMetadata": "x",
            }
        },
        "linux.seccomp.listenerPath /nope",
    ),
    ({"process.apparmorProfile": "acme"}, "cannot take on the AppArmor profile acme"),
    ({"process.selinuxLabel": "no:such:label"}, "SELinux label"),
    ({"linux.intelRdt": {"closID": "../up"}}, "intelRdt"),
    ({"linux.resources": {"unified": {"no.such": "1"}}}, "no.such"),
    ({"linux.resources": {"hugepageLimits": [{"pageSize": "3KB", "limit": 0}]}}, "3KB"),
    (
        {"process.scheduler": {"policy": "SCHED_DEADLINE", "runtime": 3, "deadline": 2, "period": 1}},
        "SCHED_DEADLINE",
    ),
    ({"process.ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 9}}, "process.ioPriority.priority"),
    ({"linux.memoryPolicy": {"mode": "MPOL_NOPE", "nodes": "0"}}, "invalid memory policy mode"),
    ({"linux.memoryPolicy": {"mode": "MPOL_BIND", "nodes": "x"}}, "invalid memory policy node"),
]

#: What all of these set.
FIELDS = [case[0] for case in RUN] + [case[0] for case in REFUSED]

#: A value of the wrong kind, and the field that is named for it.
WRONG: list[tuple[str, Any, str]] = [
    ("ociVersion", 1, "ociVersion"),
    ("ociVersion", "0.5.0", "ociVersion"),
    ("process.args", "sh", "process.args"),
    ("process.args", [], "process.args"),
    ("process.cwd", "", "process.cwd"),
    ("process.user.uid", -1, "process.user.uid"),
    ("process.user.umask", 4096, "process.user.umask"),
    ("process.rlimits", [{"type": "RLIMIT_MOON", "soft": 1, "hard": 1}], "process.rlimits[0].type"),
    ("process.rlimits", [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}], "process.rlimits[0]"),
    ("process.oomScoreAdj", 1001, "process.oomScoreAdj"),
    ("process.capabilities.bounding", [1], "process.capabilities.bounding[0]"),
    ("process.ioPriority.class", "IOPRIO_CLASS_MOON", "process.ioPriority.class"),
    ("process.scheduler.policy", "SCHED_MOON", "process.scheduler.policy"),
    ("root", {"readonly": True}, "root"),
    ("root.path", 7, "root.path"),
    ("mounts", [{"type": "tmpfs"}], "mounts[0]"),
    ("mounts", [{"destination": "/../x", "type": "tmpfs"}], "mounts[0].destination"),
    ("mounts", [{"destination": "/x", "uidMappings": MAPS}], "mounts[0].uidMappings"),
    ("hooks.poststop", [{"path": "relative"}], "hooks.poststop[0].path"),
    ("hooks.prestart", [{"path": "/x", "timeout": 0}], "hooks.prestart[0].timeout"),
    ("linux.namespaces", [{"type": "moon"}], "linux.namespaces[0].type"),
    ("linux.namespaces", [{"type": "mount"}, {"type": "pid", "path": "x"}], "linux.namespaces[1].path"),
    ("linux.namespaces", [{"type": "mount"}, {"type": "mount"}], "linux.namespaces[1]"),
    ("linux.uidMappings", MAPS, "linux.uidMappings"),
    ("linux.timeOffsets", {"boottime": {"secs": 1}}, "linux.timeOffsets"),
    ("linux.devices", [{"type": "x", "path": "/dev/x"}], "linux.devices[0].type"),
    ("linux.devices", [{"type": "c", "path": "/dev/x", "major": -1, "minor": 0}], "linux.devices[0].major"),
    ("linux.sysctl", {"kernel.panic": "1"}, "linux.sysctl.kernel.panic"),
    ("linux.maskedPaths", ["relative"], "linux.maskedPaths[0]"),
    ("linux.rootfsPropagation", "sideways", "linux.rootfsPropagation"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_MOON"}, "linux.seccomp.defaultAction"),
    ("linux.seccomp", {}, "linux.seccomp"),
    ("linux.personality.domain", "LINUX64", "linux.personality.domain"),
    ("linux.resources.pids", {"limit": "many"}, "linux.resources.pids.limit"),
    ("linux.resources.memory", {"limit": 1.5}, "linux.resources.memory.limit"),
    ("linux.resources.devices", [{"allow": "yes"}], "linux.resources.devices[0].allow"),
]

#: Fields of other platforms, and those that ask hardware for what few machines have.
NOT_HERE = {"process.commandLine", "process.user.username"}
HARDWARE = {"linux.resources.blockIO", "linux.resources.network", "linux.resources.rdma", "linux.intelRdt"}


def apply(bundle: Bundle, fields: dict[str, Any]) -> Bundle:
    """Set fields; a name with + at its end adds to a list."""
    for name, value in fields.items():
        if name.endswith("+"):
            *above, last = name.removesuffix("+").split(".")
            at: Any = bundle.document
            for part in above:
                at = at[part]
            at[last].append(value)
        else:
            bundle.set(name, value)
    return bundle


@pytest.mark.parametrize(("fields", "script", "expected"), RUN, ids=[next(iter(case[0])) for case in RUN])
def test_what_a_field_does(oci: Runtime, fields: dict[str, Any], script: str, expected: str) -> None:
    """Seen from inside the container."""
    bundle = apply(oci.bundle("sh", "-c", script), fields)
    if "linux.cgroupsPath" in fields:
        bundle.set("linux.cgroupsPath", f"/pyctr/{oci.mark}")
    if "linux.uidMappings" in fields:
        # Everybody on the way to the root file system must be allowed to pass.
        for path in (oci.base, *oci.base.parents[:-2]):
            path.chmod(path.stat().st_mode | 0o111)
    done = oci.call("run", "--bundle", bundle.write(), oci.name())
    assert " ".join(done.stdout.split()) == expected, done.stderr


@pytest.mark.parametrize(("fields", "part"), REFUSED, ids=[next(iter(case[0])) for case in REFUSED])
def test_what_cannot_be_had(oci: Runtime, fields: dict[str, Any], part: str) -> None:
    """The line names it, and nothing is left behind."""
    assert part in oci.refuse("run", "--bundle", apply(oci.bundle("true"), fields).write(), oci.name())
    assert oci.leftovers() == []


@pytest.mark.parametrize(
    ("field", "value", "named"), WRONG, ids=[f"{case[0]}={case[1]}"[:60] for case in WRONG]
)
def test_the_field_that_is_wrong_is_named(oci: Runtime, field: str, value: Any, named: str) -> None:
    """As `config.json: FIELD: reason`."""
    line = oci.refuse("run", "--bundle", oci.bundle("true").set(field, value).write(), oci.name())
    assert line.startswith("config.json: ")
    assert line.removeprefix("config.json: ").startswith(f"{named}: ") or f" {named}: " in line, line


def test_every_field_of_the_schema_is_in_a_test(reference: Path) -> None:
    """What the schema adds, the tables above have to."""
    schemas = {path.name: json.loads(path.read_text()) for path in reference.glob("*.json")}
    documents = [document("true")]
    for fields in FIELDS:
        bundle: dict[str, Any] = {}
        for name, value in fields.items():
            at = bundle
            *above, last = name.removesuffix("+").split(".")
            for part in above:
                at = at.setdefault(part, {})
            at[last] = value
        documents.append(bundle)
    tested = {path for found in documents for path in leaves(found)}
    tested |= {f"{field}.{key}" for field in ("linux.sysctl", "annotations") for key in ("",)}
    missing = {
        path
        for path in schema_leaves(schemas, schemas["config-schema.json"], "config-schema.json")
        if not any(found == path or found.startswith(f"{path}.") for found in tested)
        and path.split(".")[0] not in {"solaris", "windows", "vm", "zos", "freebsd", "hooks"}
        and path not in NOT_HERE
        and not any(path.startswith(prefix) for prefix in HARDWARE)
    }
    assert missing == set()


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The dotted paths of a document; what is in a list has the path of the list."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path


def schema_leaves(schemas: dict[str, Any], schema: Any, file: str, path: str = "") -> Iterator[str]:
    """The dotted paths that a schema knows."""
    while "$ref" in schema:
        other, _, pointer = schema["$ref"].partition("#")
        file = other or file
        schema = schemas[file]
        for part in pointer.strip("/").split("/"):
            schema = schema[part] if part else schema
    if schema.get("type") == "array":
        items = schema["items"]
        yield from schema_leaves(schemas, items.get("anyOf", [items])[0], file, path)
    elif "properties" in schema:
        for key, inner in schema["properties"].items():
            yield from schema_leaves(schemas, inner, file, f"{path}.{key}" if path else key)
    else:
        yield path


@pytest.fixture
def reference() -> Path:
    """The specification's schemas: below PYCTR_REFERENCE, or beside the checkout."""
    beside = Path(__file__).parents[4] / "shared" / "reference"
    path = Path(os.environ.get("PYCTR_REFERENCE", beside)) / "oci-runtime-spec-schema"
    if not path.is_dir():
        pytest.skip(
            "no reference data: set PYCTR_REFERENCE to the directory that has oci-runtime-spec-schema"
        )
    return path


def validator(reference: Path, name: str) -> Any:
    """Validate a document against one of the schemas; raises jsonschema.ValidationError."""
    import jsonschema  # type: ignore[import-untyped]
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    found = {path.name: json.loads(path.read_text()) for path in reference.glob("*.json")}
    registry: Any = Registry().with_resources(
        (name, Resource.from_contents(schema, default_specification=DRAFT4)) for name, schema in found.items()
    )
    return jsonschema.Draft4Validator(found[name], registry=registry).validate


def test_features_and_spec_follow_the_schemas(oci: Runtime, reference: Path) -> None:
    """What the runtime says of itself, and the document it gives to begin with."""
    features = json.loads(oci("features"))
    validator(reference, "features-schema.json")(features)
    assert features["ociVersionMin"] == "1.0.0"
    assert set(features["hooks"]) == {
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    }  # fmt: skip
    assert {"rbind", "rro", "idmap", "tmpcopyup"} <= set(features["mountOptions"])
    for options in ([], ["--rootless"]):
        oci("spec", *options, "--bundle", str(oci.base))
        spec = oci.base / "config.json"
        validator(reference, "config-schema.json")(json.loads(spec.read_text()))
        spec.unlink()


def test_states_follow_the_schema(oci: Runtime, reference: Path) -> None:
    """At every status that the specification knows."""
    validate = validator(reference, "state-schema.json")
    name = oci.name()
    oci("create", "--bundle", oci.bundle("sleep", "600").write(), name, capture_output=False)
    for verb in (["start", name], ["kill", name, "KILL"], None):
        validate(oci.inspect(name))
        if verb:
            oci(*verb)
    oci.wait(name)
    validate(oci.inspect(name))


def test_the_tables_follow_the_schema(reference: Path) -> None:
    """So that it is the specification's documents that are tested."""
    validate = validator(reference, "config-schema.json")
    for fields in FIELDS:
        if fields == {"linux.memoryPolicy": {"mode": "MPOL_NOPE", "nodes": "0"}}:
            continue
        bundle = object.__new__(Bundle)
        bundle.document = document("true")
        validate(apply(bundle, fields).document)
