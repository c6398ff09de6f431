"""podman with our runtime: what its users do with containers works as with the runtimes it knows."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.terminals import read_until

if TYPE_CHECKING:
    from tests.conformance.conftest import Podman

pytestmark = [pytest.mark.root]

SLEEP = ("box", "sleep", "600")


def test_run_ends_as_its_program(podman: Podman) -> None:
    """Output and exit code; 126 and 127 where the program could not be run."""
    done = podman.call("run", "--rm", *podman.options(), "box", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert podman.call("run", "--rm", *podman.options(), "box", "nope").returncode == 127
    assert podman.call("run", "--rm", *podman.options(), "box", "/etc/passwd").returncode == 126
    assert podman.run("-i", "box", "cat", stdin=None, input="in") == "in"


def test_a_life(podman: Podman) -> None:
    """create, start, logs, top, pause, stop, start, restart, kill, rm."""
    script = "trap 'echo bye; exit 3' TERM; echo hello; while :; do sleep 0.1; done"
    podman("create", "--name", "life", *podman.options(), "box", "sh", "-c", script)
    assert podman.inspect("life", "State.Status") == "created"
    podman("start", "life")
    podman.wait(lambda: podman("logs", "life") == "hello", "the first line")
    pid = int(podman.inspect("life", "State.Pid"))
    assert os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid")
    assert "sh -c" in podman("top", "life")
    podman("pause", "life")
    assert podman.inspect("life", "State.Status") == "paused"
    podman("unpause", "life")
    podman("stop", "--time", "10", "life")
    assert podman.inspect("life", "State.ExitCode") == "3"
    assert podman("logs", "life") == "hello\nbye"
    podman("start", "life")
    podman("restart", "--time", "10", "life")
    assert podman.inspect("life", "State.Status") == "running"
    podman("kill", "--signal", "KILL", "life")
    assert podman("wait", "life") == "137"
    podman("rm", "life")
    assert podman("ps", "--all", "--quiet") == ""


def test_exec(podman: Podman) -> None:
    """With input, with an exit code, as a user, in a directory, detached, with descriptors."""
    name = podman.start(*SLEEP)
    assert podman("exec", "-i", name, "cat", stdin=None, input="in") == "in"
    assert podman.call("exec", name, "sh", "-c", "exit 5").returncode == 5
    assert podman.call("exec", name, "nope").returncode == 127
    assert podman.call("exec", name, "/etc/passwd").returncode == 126
    assert (
        podman("exec", "-u", "joe", "-w", "/tmp", "-e", "A=1", name, "sh", "-c", "id -u; pwd; echo $A")
        == "1000\n/tmp\n1"
    )
    podman("exec", "--detach", name, "sh", "-c", "echo > /tmp/ran; sleep 600")
    podman.wait(lambda: podman.call("exec", name, "test", "-e", "/tmp/ran").returncode == 0, "the program")
    assert "\nroot" in podman("top", name)
    assert podman("exec", "--privileged", name, "sh", "-c", "echo fine") == "fine"


def test_terminals(podman: Podman) -> None:
    """With run -it and exec -it: it is one, of our size and of every later one, and Ctrl-C interrupts."""
    # podman gives a terminal its size only after the start.
    trap = "trap 'echo interrupted; exit 4' INT"
    script = f"{trap}; until stty size; do sleep 0.1; done; while sleep 0.1; do :; done"
    name = podman.start(*SLEEP)
    for words in (
        ["run", "-it", "--rm", *podman.options(), "box"],
        ["exec", "-it", name],
    ):
        master, slave = pty.openpty()
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 70, 0, 0))
        streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), slave)
        with subprocess.Popen(
            [*podman.words, *words, "sh", "-c", script], start_new_session=True, **streams
        ) as process:
            read_until(master, "20 70")
            os.write(master, b"\x03")
            read_until(master, "interrupted")
            assert process.wait(30) == 4
        os.close(master)
        os.close(slave)


def test_resize(podman: Podman) -> None:
    """The program is told when the terminal gets another size."""
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 70, 0, 0))
    script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done"
    words = [*podman.words, "run", "-it", "--rm", *podman.options(), "box", "sh", "-c", script]
    with subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as process:
        read_until(master, "ready")
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
        process.send_signal(signal.SIGWINCH)
        read_until(master, "33 99")
        assert process.wait(30) == 0
    os.close(master)
    os.close(slave)


def test_init(podman: Podman) -> None:
    """--init puts a reaper before the program."""
    if not Path("/usr/libexec/podman/catatonit").exists():
        pytest.skip("no catatonit")
    assert podman.run("--init", "box", "sh", "-c", "echo $$") != "1"


def test_namespaces(podman: Podman) -> None:
    """The host's, somebody else's, or new ones."""
    host = os.readlink("/proc/self/ns/pid")
    assert podman.run("--pid", "host", "box", "readlink", "/proc/self/ns/pid") == host
    assert podman.run("box", "readlink", "/proc/self/ns/pid") != host
    first = podman.start(*SLEEP)
    second = podman.start("--pid", f"container:{first}", "--ipc", f"container:{first}", *SLEEP)
    for kind in ("pid", "ipc"):
        assert podman("exec", second, "readlink", f"/proc/self/ns/{kind}") == podman(
            "exec", first, "readlink", f"/proc/self/ns/{kind}"
        )
    podman("rm", "--force", "--time", "0", second)
    assert podman.run("--uts", "host", "box", "hostname") == os.uname().nodename
    assert podman.run("--hostname", "mine", "box", "hostname") == "mine"


def test_user_namespaces(podman: Podman) -> None:
    """--uidmap makes root of the container somebody else outside."""
    maps = ("--uidmap", "0:100000:5000", "--gidmap", "0:100000:5000")
    assert podman.run(*maps, "box", "cat", "/proc/self/uid_map").split() == ["0", "100000", "5000"]
    name = podman.start(*maps, *SLEEP)
    pid = podman.inspect(name, "State.Pid")
    assert Path(f"/proc/{pid}").stat().st_uid == 100000
    assert podman("exec", name, "id", "-u") == "0"
    assert podman("exec", name, "stat", "-c", "%u", "/etc") == "0"


def test_mounts(podman: Podman, tmp_path: Path) -> None:
    """--read-only, --tmpfs, -v with its options, --mount."""
    (tmp_path / "file").write_text("text")
    shared = f"{tmp_path}:/data"
    assert podman.run("-v", f"{shared}:ro", "box", "cat", "/data/file") == "text"
    assert (
        "Read-only"
        in podman.call(
            "run", "--rm", *podman.options(), "-v", f"{shared}:ro", "box", "touch", "/data/x"
        ).stderr
    )
    podman.run("-v", f"{shared}:rw,rslave", "box", "touch", "/data/made")
    assert (tmp_path / "made").exists()
    done = podman.call("run", "--rm", *podman.options(), "--read-only", "box", "touch", "/x")
    assert "Read-only file system" in done.stderr
    assert (
        podman.run(
            "--read-only", "--tmpfs", "/t:size=1m,mode=700", "box", "sh", "-c", "echo x > /t/x; stat -c %a /t"
        )
        == "700"
    )
    assert podman.run("--mount", f"type=bind,source={tmp_path},target=/m", "box", "cat", "/m/file") == "text"
    assert podman.run("-v", "named:/v", "box", "sh", "-c", "echo kept > /v/x; cat /v/x") == "kept"
    podman("volume", "rm", "named")


def test_limits(podman: Podman) -> None:
    """--memory and its end, --pids-limit, --cpus, and what inspect, stats and update make of them."""
    name = podman.start("--memory", "32m", "--memory-swap", "32m", "box", "tail", "-c", "64m", "/dev/zero")
    # Whether podman calls it OOMKilled is for conmon to find out, which knows only pure hierarchies.
    assert podman("wait", name) == "137"
    name = podman.start("--memory", "64m", "--pids-limit", "20", "--cpus", "0.5", *SLEEP)
    paths = [path for path, _, _ in os.walk("/sys/fs/cgroup") if podman.parent in path and "libpod-" in path]

    def value(*files: str) -> str:
        return next(
            Path(path, file).read_text().strip()
            for path in paths
            for file in files
            if Path(path, file).exists()
        )

    assert value("memory.limit_in_bytes", "memory.max") == str(64 << 20)
    assert value("pids.max") == "20"
    podman("update", "--memory", "128m", "--pids-limit", "30", name) if _has_pids_update(podman) else podman(
        "update", "--memory", "128m", name
    )
    assert value("memory.limit_in_bytes", "memory.max") == str(128 << 20)
    (stats,) = json.loads(podman("stats", "--no-stream", "--format", "json", name))
    assert stats["pids"] == "1"


def _has_pids_update(podman: Podman) -> bool:
    return "--pids-limit" in podman("update", "--help")


def test_rights(podman: Podman, tmp_path: Path) -> None:
    """Capabilities, no_new_privs, users, limits of resources, and a seccomp profile of one's own."""

    def status(*options: str) -> dict[str, str]:
        lines = podman.run(*options, "box", "cat", "/proc/self/status").splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    plain = status()
    assert int(plain["CapEff"], 16) & 1
    assert plain["Seccomp"] == "2"
    assert int(status("--cap-drop", "all", "--cap-add", "KILL")["CapEff"], 16) == 1 << 5
    assert status("--security-opt", "no-new-privileges")["NoNewPrivs"] == "1"
    assert podman.run("--user", "joe", "box", "id") == "uid=1000(joe) gid=1000(joe) groups=1000(joe)"
    assert podman.run("--ulimit", "nofile=64:128", "box", "sh", "-c", "ulimit -n; ulimit -Hn") == "64\n128"
    assert (
        podman.run("--sysctl", "net.ipv4.ip_forward=1", "box", "cat", "/proc/sys/net/ipv4/ip_forward") == "1"
    )
    profile = tmp_path / "seccomp.json"
    rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}))
    words = ("--security-opt", f"seccomp={profile}", "box", "sh", "-c", "mkdir /x 2>&1; true")
    assert "Function not implemented" in podman.run(*words)


def test_descriptors(podman: Podman) -> None:
    """--preserve-fds hands them on to run and exec."""
    kept = os.memfd_create("kept", 0)
    os.write(kept, b"kept")
    name = podman.start(*SLEEP)
    shell = ["bash", "-c", 'exec 3<>/proc/self/fd/$1; shift; exec "$@"', "bash", str(kept)]
    for words in (
        ["run", "--rm", *podman.options(), "--preserve-fds", "1", "box"],
        ["exec", "--preserve-fds", "1", name],
    ):
        done = subprocess.run(
            [*shell, *podman.words, *words, "cat", "/proc/self/fd/3"],
            pass_fds=(kept,), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.stdout, done.stderr) == ("kept", "")
    os.close(kept)


def test_hooks_and_health(podman: Podman, tmp_path: Path) -> None:
    """OCI hooks from a directory, and a health check, which is an exec."""
    ran = tmp_path / "ran"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    hook = {"path": "/bin/sh", "args": ["sh", "-c", f"cat > {ran}"]}
    document = {
        "version": "1.0.0",
        "hook": hook,
        "when": {"always": True},
        "stages": ["createRuntime", "prestart"],
    }
    (hooks / "hook.json").write_text(json.dumps(document))
    words = ["--hooks-dir", str(hooks), "run", "--rm", *podman.options(), "box", "true"]
    assert podman.call(*words).returncode == 0
    assert json.loads(ran.read_text())["status"] == "creating"
    name = podman.start("--health-cmd", "test -e /tmp/well", "--health-interval", "disable", *SLEEP)
    assert podman.call("healthcheck", "run", name).returncode == 1
    podman("exec", name, "touch", "/tmp/well")
    assert podman.call("healthcheck", "run", name).returncode == 0
