"""What a program in a container is and may do, told by a program that tries."""

from __future__ import annotations

import errno
import os
import platform
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import pyctr
from tests.integration.security.conftest import PROBE, PYTHON, Cli, Report, read

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the probe knows the numbers of x86-64"),
]
DEFAULT = "00000000a80425fb"
NONE = "0000000000000000"
Probe = Callable[..., Report]


def sets(report: Report) -> tuple[str, ...]:
    """Inheritable, permitted, effective, bounding and ambient capabilities."""
    return tuple(report["status"][f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb"))


def full() -> str:
    """Return what this process could hand on at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("CapBnd"))


def test_a_container_starts(engine: pyctr.Engine) -> None:
    assert engine.run("host", ["echo", "alive"]).stdout == b"alive\n"


def check_confined(found: Report) -> None:
    """What holds for the first program and for one that is added, by default."""
    assert sets(found) == (NONE, DEFAULT, DEFAULT, DEFAULT, NONE)
    status = found["status"]
    assert (status["Seccomp"], status["NoNewPrivs"], status["Umask"]) == ("2", "0", "0022")
    assert status["Groups"].split() == ["0"]
    assert set(found["descriptors"]) == {"0", "1", "2"}
    assert set(found["calls"].values()) == {"EPERM"}
    assert found["special"] == {
        "unshare_user": errno.EPERM,
        "unshare_mount": errno.EPERM,
        "clone_user": errno.EPERM,
        "clone3": errno.ENOSYS,
        "personality_no_randomize": errno.EPERM,
        "personality_query": 0,
        "socket_alg": errno.EPERM,
        "socket_vsock": errno.EPERM,
        "socket_unix": 0,
        "beyond_the_newest": errno.ENOSYS,
        "x32_getpid": errno.ENOSYS,
    }
    nodes = found["nodes"]
    assert nodes.pop("null") == ["ok", "ok"]
    assert set(map(tuple, nodes.values())) == {("ok", "EPERM")}
    assert {
        path: result for path, result in found["writes"].items() if result not in ("EROFS", "EACCES")
    } == {}
    assert set(found["masked"].values()) == {0}
    assert found["abstract"] == []


def test_defaults(probe: Probe) -> None:
    check_confined(probe())


def test_exec_is_confined_alike(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", ["sleep", "1000"])
    found = read(container.exec([PYTHON, "-c", PROBE]).stdout)
    check_confined(found)
    pid = container.attrs["State"]["Pid"]
    assert found["cgroup"] == Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    for name, namespace in found["namespaces"].items():
        assert namespace == os.readlink(f"/proc/{pid}/ns/{name}")
    assert container.exec(["sleep", "0"], privileged=True).exit_code == 0
    privileged = read(container.exec([PYTHON, "-c", PROBE], privileged=True).stdout)
    assert sets(privileged) == (NONE, full(), full(), full(), NONE)


def test_an_ordinary_user(probe: Probe) -> None:
    found = probe(user="1000", host_config={"CapAdd": ["NET_BIND_SERVICE"]})
    assert sets(found) == (NONE, NONE, NONE, DEFAULT, NONE)
    assert found["status"]["Uid"].split() == ["1000"] * 4


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ({"CapDrop": ["ALL"]}, NONE),
        ({"CapDrop": ["ALL"], "CapAdd": ["chown"]}, "0000000000000001"),
        ({"CapDrop": ["CAP_MKNOD"]}, "00000000a00425fb"),
        ({"CapAdd": ["SYS_ADMIN"]}, "00000000a82425fb"),
        ({"CapAdd": ["ALL"], "CapDrop": ["NET_RAW"]}, None),
        ({"Privileged": True}, "all"),
    ],
)
def test_capabilities(engine: pyctr.Engine, host: dict[str, object], expected: str | None) -> None:
    result = engine.run("host", ["cat", "/proc/self/status"], host_config=host)
    status = dict(line.split(":", 1) for line in result.stdout.decode().splitlines())
    wanted = full() if expected == "all" else expected or f"{int(full(), 16) & ~(1 << 13):016x}"
    found = {name: status[f"Cap{name}"].strip() for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")}
    assert found == {"Inh": NONE, "Prm": wanted, "Eff": wanted, "Bnd": wanted, "Amb": NONE}
    assert status["Seccomp"].strip() == ("0" if expected == "all" else "2")


def test_no_new_privileges(probe: Probe) -> None:
    found = probe(host_config={"SecurityOpt": ["no-new-privileges"]})
    assert found["status"]["NoNewPrivs"] == "1"
    assert found["status"]["Seccomp"] == "2"


def test_without_the_filter_the_rest_holds(probe: Probe) -> None:
    found = probe(host_config={"SecurityOpt": ["seccomp=unconfined"]})
    assert found["status"]["Seccomp"] == "0"
    assert found["special"]["socket_alg"] != errno.EPERM
    assert found["special"]["clone3"] != errno.ENOSYS
    assert found["calls"]["mount"] in ("EPERM", "EFAULT")
    assert found["special"]["unshare_mount"] == errno.EPERM
    assert {
        path: result for path, result in found["writes"].items() if result not in ("EROFS", "EACCES")
    } == {}


def test_mounts(probe: Probe) -> None:
    found = probe()["mounts"]

    def flags(path: str) -> set[str]:
        return set(found[path]["flags"]) & {"ro", "rw", "nosuid", "nodev", "noexec"}

    strict = {"nosuid", "nodev", "noexec"}
    assert flags("/proc") == {"rw", *strict}
    assert flags("/sys") == {"ro", *strict}
    assert flags("/dev") == {"rw", "nosuid"}
    assert flags("/dev/pts") == {"rw", "nosuid", "noexec"}
    assert flags("/dev/shm") == flags("/dev/mqueue") == {"rw", *strict}
    assert {"mode=755", "size=65536k"} <= set(found["/dev"]["options"])
    assert {"gid=5", "mode=620", "ptmxmode=666"} <= set(found["/dev/pts"]["options"])
    assert "size=65536k" in found["/dev/shm"]["options"]
    for path in ("bus", "fs", "irq", "sys", "sysrq-trigger"):
        if os.path.exists(f"/proc/{path}"):
            assert flags(f"/proc/{path}") == {"ro", *strict}
    cgroups = [path for path, mount in found.items() if mount["kind"] in ("cgroup", "cgroup2")]
    assert cgroups
    for path in cgroups:
        assert flags(path) == {"ro", *strict}


def test_devices(probe: Probe) -> None:
    found = probe()["devices"]
    assert {name: text for name, text in found.items() if not text.startswith("l")} == {
        "null": "crw-rw-rw- 1:3",
        "zero": "crw-rw-rw- 1:5",
        "full": "crw-rw-rw- 1:7",
        "random": "crw-rw-rw- 1:8",
        "urandom": "crw-rw-rw- 1:9",
        "tty": "crw-rw-rw- 5:0",
        "pts": "drwxr-xr-x",
        "shm": "drwxrwxrwt",
        "mqueue": "drwxrwxrwt",
    }
    assert {name for name, text in found.items() if text.startswith("l")} == {
        "fd", "stdin", "stdout", "stderr", "ptmx",
    }  # fmt: skip


def test_namespaces_and_names(probe: Probe) -> None:
    found = probe()
    for name, namespace in found["namespaces"].items():
        shared = name == "user" or (name == "cgroup" and not Path("/sys/fs/cgroup/cgroup.procs").exists())
        assert (namespace == os.readlink(f"/proc/self/ns/{name}")) == shared, name
    assert found["sysctls"] == {
        "/proc/sys/net/ipv4/ping_group_range": ["0", "2147483647"],
        "/proc/sys/net/ipv4/ip_unprivileged_port_start": ["0"],
    }
    assert len(found["hostname"]) == 12
    assert found["environment"]["HOSTNAME"] == found["hostname"]
    assert set(found["environment"]) - {"LC_CTYPE"} == {"HOSTNAME", "PATH", "HOME"}


def test_nothing_of_the_starter_is_inherited(engine: pyctr.Engine, cli: Cli) -> None:
    def odd() -> None:
        os.umask(0o077)
        for name, soft in {"CORE": 0, "NOFILE": 99, "STACK": 1 << 21}.items():
            kind = getattr(resource, f"RLIMIT_{name}")
            resource.setrlimit(kind, (soft, resource.getrlimit(kind)[1]))
        os.nice(7)
        Path("/proc/self/oom_score_adj").write_text("321")
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM, signal.SIGCHLD})
        for number in (signal.SIGUSR2, signal.SIGHUP, signal.SIGTTOU):
            signal.signal(number, signal.SIG_IGN)
        for fd in range(40, 50):
            os.dup2(0, fd)
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        os.chdir("/tmp")

    def told(**options: object) -> Report:
        done = cli("run", "--rm", "--net=none", "host", PYTHON, "-c", PROBE, **options)
        assert done.returncode == 0, done.stderr
        return read(done.stdout.encode())

    plain, odder = told(), told(preexec_fn=odd, close_fds=False)
    for key in ("oom_score_adj", "nice", "scheduler", "limits", "special", "writes"):
        assert odder[key] == plain[key], key
    assert set(odder["descriptors"]) == {"0", "1", "2"}
    for key in ("SigBlk", "SigIgn", "Umask", "Cpus_allowed", "CapPrm", "CapAmb", "CapInh"):
        assert odder["status"][key] == plain["status"][key], key
    assert plain["nice"] == 0
    assert plain["scheduler"] == os.SCHED_OTHER
    assert plain["status"]["SigBlk"] == NONE


def test_a_keyring_of_its_own(engine: pyctr.Engine) -> None:
    """Keys that one container adds to its session keyring are not another's."""
    host = {"SecurityOpt": ["seccomp=unconfined"]}
    script = (
        "import ctypes; c = ctypes.CDLL(None).syscall; s = -3;"
        "print(c(250, 10, s, b'user', b'pyctr-test', 0));"
        "print(c(248, b'user', b'pyctr-test', b'x', 1, s) > 0);"
        "print(c(250, 10, s, b'user', b'pyctr-test', 0) > 0)"
    )
    for _ in range(2):
        result = engine.run("host", [PYTHON, "-c", script], host_config=host)
        assert result.stdout.split() == [b"-1", b"True", b"True"]


def test_shared_namespaces_add_no_rights(engine: pyctr.Engine) -> None:
    shared = {"IpcMode": "shareable"}
    first = engine.containers.run("host", ["sleep", "1000"], host_config=shared)
    modes = {"PidMode": f"container:{first.id}", "IpcMode": f"container:{first.id}"}
    network = f"container:{first.id}"
    result = engine.run("host", [PYTHON, "-c", PROBE], network=network, host_config=modes)
    found = read(result.stdout)
    assert sets(found) == (NONE, DEFAULT, DEFAULT, DEFAULT, NONE)
    assert found["status"]["Seccomp"] == "2"
    pid = first.attrs["State"]["Pid"]
    for name in ("pid", "ipc", "net"):
        assert found["namespaces"][name] == os.readlink(f"/proc/{pid}/ns/{name}")
    assert found["namespaces"]["mnt"] != os.readlink(f"/proc/{pid}/ns/mnt")
    assert set(found["writes"].values()) <= {"EROFS", "EACCES"}
