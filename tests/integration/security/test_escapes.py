"""Published ways out of containers, each tried for real."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

import pyctr
from pyctr.errors import PyctrError
from tests.integration.security.conftest import PYTHON, Build, Cli

pytestmark = pytest.mark.root
UNCONFINED = {"SecurityOpt": ["seccomp=unconfined"]}


def test_a_container_starts(engine: pyctr.Engine) -> None:
    assert engine.run("host", ["echo", "alive"]).stdout == b"alive\n"


def test_a_user_namespace_opens_no_release_agent(engine: pyctr.Engine) -> None:
    """Root of a namespace of its own, mounting the hierarchy anew (CVE-2022-0492)."""
    script = """
    mkdir /tmp/c
    for kind in "cgroup -o memory" "cgroup -o pids" "cgroup2"; do
        mount -t $kind none /tmp/c || continue
        echo mounted
        echo /tmp/evil > /tmp/c/release_agent && echo WRITTEN
        echo $$ > /tmp/c/../c/cgroup.procs
    done 2>/dev/null
    echo done
    """
    run = ["unshare", "--user", "--map-root-user", "--mount", "--cgroup", "sh", "-c", script]
    result = engine.run("host", run, host_config=UNCONFINED)
    assert result.stdout.split()[-1:] == [b"done"], result
    assert b"WRITTEN" not in result.stdout


SETUID = """
import os, shutil
shutil.copy(os.path.realpath("/usr/bin/python3"), "/tmp/p"); os.chmod("/tmp/p", 0o4755)
os.setgid(1000); os.setuid(1000)
os.execv("/tmp/p", ["p", "-c", "import os; print(os.getuid(), os.geteuid())"])
"""


@pytest.mark.parametrize(
    ("options", "expected"), [([], b"1000 0\n"), (["no-new-privileges"], b"1000 1000\n")]
)
def test_set_user_id_programs(engine: pyctr.Engine, options: list[str], expected: bytes) -> None:
    result = engine.run("host", [PYTHON, "-c", SETUID], host_config={"SecurityOpt": options})
    assert result.stdout == expected, result


def test_masks_are_not_the_containers_own(engine: pyctr.Engine, build: Build, tmp_path: Path) -> None:
    """A /dev of the container's own, with a link for the device that hides things (CVE-2025-31133)."""
    dev = tmp_path / "dev"
    dev.mkdir()
    (dev / "null").symlink_to("/proc/sys/kernel/core_pattern")
    (dev / "console").symlink_to("/proc/sys/kernel/core_pattern")
    before = Path("/proc/sys/kernel/core_pattern").read_text()
    script = "stat -c %t:%T /proc/keys /proc/timer_list; head -c 1 /proc/keys; ls /proc/acpi /sys/firmware"
    result = engine.run(build(), ["sh", "-c", script], volumes=[f"{dev}:/dev"])
    assert set(result.stdout.split()) <= {b"1:3", b"/proc/acpi:", b"/sys/firmware:"}, result
    assert b"1:3" in result.stdout
    assert {"console", "null"} <= set(os.listdir(dev))
    assert Path("/proc/sys/kernel/core_pattern").read_text() == before


def test_the_console_is_not_where_a_link_leads(
    engine: pyctr.Engine, build: Build, cli: Cli, tmp_path: Path
) -> None:
    """CVE-2025-52565: the terminal mounted over what the container chooses, past the masks."""
    build()
    dev, pts = tmp_path / "dev", tmp_path / "dev" / "pts"
    pts.mkdir(parents=True)
    (dev / "console").symlink_to("/proc/sysrq-trigger")
    mounts = ["-v", f"{dev}:/dev", "--mount", "type=tmpfs,dst=/dev/pts"]
    done = cli("run", "--rm", "-t", "--net=none", *mounts, "hostile", "true")
    assert done.returncode == 125
    assert "/dev/" in done.stderr


def test_masks_hold_in_the_hosts_pid_namespace(engine: pyctr.Engine) -> None:
    script = """
    for path in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches \\
                /sys/kernel/uevent_helper /proc/irq/default_smp_affinity; do
        [ -e $path ] && (echo 0 > $path) 2>/dev/null && echo WRITTEN $path
    done
    ls /proc/acpi /sys/firmware 2>/dev/null | grep -v :; head -c 1 /proc/kcore; readlink /proc/1/root
    """
    result = engine.run("host", ["sh", "-c", script], host_config={"PidMode": "host"})
    assert result.stdout.split() == [], result


STUFF = """
import fcntl, sys, termios
for number in (termios.TIOCSTI, termios.TIOCSCTTY):
    try:
        fcntl.ioctl(0, number, b"x" if number == termios.TIOCSTI else 1)
        print("DONE", number)
    except OSError as problem:
        print(problem.strerror)
"""


def test_no_input_for_the_terminal_that_a_bundle_inherits(engine: pyctr.Engine, tmp_path: Path) -> None:
    """A container that runs on the caller's terminal must not type on it."""
    oci = engine.info()["PyctrOciPath"]
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    subprocess.run([oci, "spec", "--bundle", str(bundle)], check=True, capture_output=True)
    config = json.loads((bundle / "config.json").read_text())
    config["root"] = {"path": "/", "readonly": True}
    config["process"] |= {"terminal": False, "args": [PYTHON, "-c", STUFF]}
    (bundle / "config.json").write_text(json.dumps(config))
    pid, master = pty.fork()
    if pid == 0:
        state = str(tmp_path / "state")
        os.execv(oci, [oci, "--root", state, "run", "--bundle", str(bundle), f"pyctr-sti-{os.getpid()}"])
    told = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        told += piece
    os.close(master)
    _, status = os.waitpid(pid, 0)
    assert (os.waitstatus_to_exitcode(status), b"DONE" in told, b"\n" in told) == (0, False, True), told


def test_secrets_are_in_no_command_line(engine: pyctr.Engine, tmp_path: Path) -> None:
    """What everybody may read of the processes of a container: nothing of its environment or its files."""
    container = engine.containers.run("host", ["sleep", "1000"], environment={"TOKEN": "s3cr3t"})
    init = container.attrs["State"]["Pid"]
    lines = Path(f"/proc/{init}/status").read_text().splitlines()
    supervisor = next(line.split()[1] for line in lines if line.startswith("PPid"))
    for pid in (init, supervisor):
        assert b"s3cr3t" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    script = "import os, sys; [open(f'/proc/{pid}/environ').read() for pid in sys.argv[1:]]"
    done = subprocess.run(
        [PYTHON, "-c", script, supervisor], user=65534, group=65534, extra_groups=[], capture_output=True,
        check=False, cwd="/",
    )  # fmt: skip
    assert b"PermissionError" in done.stderr
    readable = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_mode & 0o004]
    assert not [path for path in readable if b"s3cr3t" in path.read_bytes()]


def test_an_ordinary_user_gets_nothing_by_exec(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", ["sleep", "1000"], host_config={"CapAdd": ["ALL"]})
    status = container.exec(["cat", "/proc/self/status"], user="65534").stdout.decode()
    sets = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Cap"))
    assert {sets[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}


@pytest.mark.parametrize(
    "volume", ["/", "..", "/bin/../..", "/proc", "/proc/sys", "/proc/self/fd", "relative", "/etc/passwd"]
)
def test_volumes_of_an_image_that_nobody_should_have(
    engine: pyctr.Engine, build: Build, cli: Cli, tmp_path: Path, volume: str
) -> None:
    build()
    archive = str(tmp_path / "hostile.tar")
    assert cli("import", "-c", f"VOLUME {volume}", archive, "odd").returncode == 0
    with pytest.raises(PyctrError, match=r"invalid volume specification|cannot mount"):
        engine.run("odd", "true")
    assert os.listdir(tmp_path / "root" / "volumes") == []


@pytest.mark.parametrize("volume", ["/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/sys/kernel", "//x"])
def test_volumes_of_an_image_over_what_is_the_systems(
    engine: pyctr.Engine, build: Build, cli: Cli, tmp_path: Path, volume: str
) -> None:
    """They cover what would be there, and give nothing of it to write to."""
    build()
    assert cli("import", "-c", f"VOLUME {volume}", str(tmp_path / "hostile.tar"), "odd").returncode == 0
    script = (
        "for f in /sys/kernel/uevent_helper /proc/sysrq-trigger; do [ -s $f ] && echo 0 >> $f; done; id -u"
    )
    result = engine.run("odd", ["sh", "-c", script])
    assert result.stdout == b"0\n", result
